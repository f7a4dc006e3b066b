/* asyncio's tests of task groups, restated: members, failures, what may be done with a group. */
#include "parity_group.h"

/* ---- members */

static int64_t has_two(rota_task task, void *user_data) {
    member first = {100, 42, 0}, second = {200, 11, 0};
    rota_group group = open_group();
    rota_future one = kept(rota_task_join(add(group, &first)));
    rota_future other = kept(rota_task_join(add(group, &second)));
    (void)task, (void)user_data;
    CHECK_EQ(finish(group), 2);
    CHECK_EQ(outcome_of(one).value, 42);
    CHECK_EQ(outcome_of(other).value, 11);
    CHECK_STATUS(rota_future_close(one), ROTA_OK);
    CHECK_STATUS(rota_future_close(other), ROTA_OK);
    close_group(group);
    return 0;
}

static int64_t adds_one_later(rota_task task, void *user_data) {
    member first = {100, 42, 0}, second = {200, 11, 0};
    rota_group group = open_group();
    (void)task, (void)user_data;
    (void)add(group, &first);
    CHECK_EQ(naps(150), 0);
    (void)add(group, &second);
    CHECK_EQ(finish(group), 2);
    close_group(group);
    return 0;
}

TEST(a_group_is_done_when_its_last_member_is) {
    play(has_two, 0, 200);
    play(adds_one_later, 0, 350);
}

static int64_t cancels_one(rota_task task, void *user_data) {
    member second = {200, 11, 0};
    rota_group group = open_group();
    rota_task first = add(group, &long_sleeper);
    (void)task, (void)user_data;
    CHECK_EQ(naps(150), 0);
    CHECK_STATUS(rota_task_cancel(first), ROTA_OK);
    (void)add(group, &second);
    CHECK_EQ(finish(group), 1); /* the others go on as if nothing had happened */
    CHECK_EQ(told_to_end, 1);
    CHECK_EQ(errors_of(group), 0);
    close_group(group);
    return 0;
}

TEST(a_member_that_is_cancelled_alone_leaves_the_others_be) { play(cancels_one, 0, 350); }

static int64_t counts_them(rota_task task, void *user_data) {
    member job = {300, 0, 0};
    rota_group group = open_group();
    int i;
    (void)task, (void)user_data;
    for (i = 0; i < 10; i++) {
        CHECK_EQ(naps(100), 0);
        (void)add(group, &job);
        if (i == 5) CHECK(size_of(group) < 5);
    }
    CHECK_EQ(naps(1350), 0);
    CHECK_EQ(size_of(group), 0);
    CHECK_EQ(finish(group), 10);
    close_group(group);
    return 0;
}

TEST(members_that_have_ended_are_let_go) { play(counts_them, 0, 2350); }

static int64_t adds_two(rota_task task, void *user_data) {
    static member short_job = {100, 0, 0}, longer_job = {200, 0, 0};
    rota_group group = *(rota_group *)user_data;
    (void)task;
    CHECK_EQ(naps(100), 0);
    (void)add(group, &short_job);
    (void)add(group, &longer_job);
    return 0;
}

static int64_t has_one_that_adds(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)task, (void)user_data;
    CHECK_STATUS(rota_group_spawn(group, adds_two, &group, NULL, NULL), ROTA_OK);
    CHECK_EQ(finish(group), 3);
    close_group(group);
    return 0;
}

TEST(members_may_add_members) { play(has_one_that_adds, 0, 300); }

static int heads;

static int64_t is_a_hydra(rota_task task, void *user_data) {
    rota_group group = *(rota_group *)user_data;
    int i;
    (void)task;
    heads++;
    if (naps(10) < 0) return CANCELLED;
    for (i = 0; i < 2; i++) {
        CHECK_STATUS(rota_group_spawn(group, is_a_hydra, user_data, NULL, NULL), ROTA_OK);
    }
    return 0;
}

static int64_t is_hercules(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    while (heads < 10) CHECK_EQ(naps(15), 0);
    return CRASH;
}

static int64_t fights(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)task, (void)user_data;
    heads = 0;
    CHECK_STATUS(rota_group_spawn(group, is_a_hydra, &group, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(group, is_hercules, NULL, NULL, NULL), ROTA_OK);
    CHECK_STATUS(finish(group), CRASH);
    CHECK(heads >= 10);
    close_group(group);
    return 0;
}

TEST(a_failure_ends_a_group_that_keeps_growing) { play(fights, 0, 45); }

static int64_t says_its_name(rota_task task, void *user_data) {
    char name[32];
    (void)user_data;
    CHECK_STATUS(rota_task_get_name(task, name, sizeof name, NULL), ROTA_OK);
    record("%s", name);
    return 0;
}

static int64_t names_one(rota_task task, void *user_data) {
    rota_group group = open_group();
    rota_task_options options;
    uint32_t flags;
    (void)task, (void)user_data;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.name = "yolo";
    for (flags = 0; flags <= ROTA_TASK_EAGER; flags += ROTA_TASK_EAGER) {
        options.flags = flags;
        CHECK_STATUS(rota_group_spawn(group, says_its_name, NULL, &options, NULL), ROTA_OK);
    }
    CHECK_RECORD("yolo"); /* the eager one */
    CHECK_EQ(finish(group), 2);
    CHECK_RECORD("yolo");
    close_group(group);
    return 0;
}

TEST(members_have_names) { play(names_one, 0, 0); }

enum { WIDTH = 5, DEPTH = 4, NODES = 1 + 5 + 25 + 125 + 625 };

static uint32_t tree_flags;
static int nodes;

static int64_t grows(rota_task task, void *user_data) {
    static int depths[DEPTH + 1] = {0, 1, 2, 3, 4};
    int depth = user_data == NULL ? DEPTH : *(int *)user_data, i;
    rota_task_options options;
    rota_group group;
    (void)task;
    nodes++;
    if (depth == 0) return 0;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = tree_flags;
    group = open_group();
    for (i = 0; i < WIDTH; i++) {
        CHECK_STATUS(rota_group_spawn(group, grows, &depths[depth - 1], &options, NULL), ROTA_OK);
    }
    CHECK_EQ(finish(group), WIDTH);
    close_group(group);
    return 0;
}

TEST(a_tree_of_groups_is_the_same_with_eager_tasks_and_others) {
    for (tree_flags = 0; tree_flags <= ROTA_TASK_EAGER; tree_flags += ROTA_TASK_EAGER) {
        nodes = 0;
        play(grows, 0, 0);
        CHECK_EQ(nodes, NODES);
    }
}

/* ---- failures */

static int64_t has_one_that_crashes(rota_task task, void *user_data) {
    member crash = {100, CRASH, CANCELLED};
    rota_group group = open_group();
    rota_future other;
    (void)user_data;
    (void)add(group, &crash);
    other = kept(rota_task_join(add(group, &long_sleeper)));
    CHECK_STATUS(finish(group), CRASH);
    CHECK_EQ(told_to_end, 1);
    CHECK_STATUS(outcome_of(other).status, CANCELLED);
    CHECK_STATUS(rota_future_close(other), ROTA_OK);
    CHECK_EQ(cancelling(task), 0);
    CHECK_EQ(rota_task_yield(task), 0); /* nothing of it leaks out of the group */
    close_group(group);
    return 0;
}

TEST(a_failure_cancels_the_others_and_is_the_groups) { play(has_one_that_crashes, 0, 100); }

static int64_t has_three_that_crash(rota_task task, void *user_data) {
    member crash = {100, CRASH, CANCELLED};
    rota_group group = open_group();
    size_t i;
    (void)user_data;
    for (i = 0; i < 3; i++) (void)add(group, &crash);
    (void)add(group, &long_sleeper);
    CHECK_STATUS(naps(HOUR), CANCELLED); /* who opened it is asked as well */
    CHECK_EQ(cancelling(task), 1);
    CHECK_STATUS(finish(group), CRASH);
    CHECK_EQ(cancelling(task), 0);
    CHECK(errors_of(group) >= 1 && errors_of(group) <= 3);
    for (i = 0; i < errors_of(group); i++) CHECK_STATUS(error_of(group, i), CRASH);
    CHECK_EQ(told_to_end, 4 - (int)errors_of(group));
    close_group(group);
    return 0;
}

TEST(failures_at_once_are_all_kept_and_the_owner_is_asked) { play(has_three_that_crash, 0, 100); }

static int64_t spawns_when_asked(rota_task task, void *user_data) {
    rota_group group = *(rota_group *)user_data;
    (void)task;
    CHECK_STATUS(naps(HOUR), CANCELLED);
    CHECK_STATUS(rota_group_spawn(group, member_body, &long_sleeper, NULL, NULL), CANCELLED);
    return CANCELLED;
}

static int64_t has_one_that_spawns_too_late(rota_task task, void *user_data) {
    member crash = {1, CRASH, CANCELLED};
    rota_group group = open_group();
    (void)task, (void)user_data;
    (void)add(group, &crash);
    CHECK_STATUS(rota_group_spawn(group, spawns_when_asked, &group, NULL, NULL), ROTA_OK);
    CHECK_STATUS(finish(group), CRASH);
    CHECK_EQ(errors_of(group), 1);
    close_group(group);
    return 0;
}

TEST(nothing_is_started_after_a_failure) { play(has_one_that_spawns_too_late, 0, 1); }

static int64_t crashes_at_once(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return CRASH;
}

static int64_t adds_one_that_crashes(rota_task task, void *user_data) {
    CHECK_STATUS(rota_group_spawn(*(rota_group *)user_data, crashes_at_once, NULL, NULL, NULL),
                 ROTA_OK);
    CHECK_STATUS(naps(HOUR), CANCELLED);
    CHECK_EQ(cancelling(task), 1);
    told_to_end++;
    return CANCELLED;
}

static int64_t has_one_that_adds_a_crash(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)task, (void)user_data;
    CHECK_STATUS(rota_group_spawn(group, adds_one_that_crashes, &group, NULL, NULL), ROTA_OK);
    CHECK_STATUS(finish(group), CRASH);
    CHECK_EQ(told_to_end, 1);
    CHECK_EQ(errors_of(group), 1);
    close_group(group);
    return 0;
}

TEST(a_member_is_cancelled_by_the_crash_of_one_that_it_added) {
    play(has_one_that_adds_a_crash, 0, 0);
}

/* ---- after its end, and without a task */

static void frees(void *user_data) { ++*(int *)user_data; }

static int64_t uses_it_after_its_end(rota_task task, void *user_data) {
    rota_group group = open_group(), null = {0};
    rota_task_options options;
    int freed = 0;
    (void)task, (void)user_data;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = frees;
    CHECK_EQ(finish(group), 0);
    close_group(group);
    CHECK_STATUS(rota_group_spawn(group, member_body, &freed, &options, NULL), ROTA_ERR_HANDLE);
    CHECK_EQ(freed, 1); /* what it was to be given is let go */
    CHECK_STATUS(rota_group_spawn(null, member_body, &freed, &options, NULL), ROTA_ERR_HANDLE);
    CHECK_EQ(freed, 2);
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_group_close(group), ROTA_ERR_HANDLE);
    return 0;
}

TEST(a_group_that_was_closed_takes_no_member) { play(uses_it_after_its_end, 0, 0); }

/* asyncio's groups need a task to be in. Here callbacks and the host have groups too. */
TEST(a_group_needs_no_task_to_open_it) {
    member job = {10, 5, 0};
    rota_group group;
    loop = open_jump();
    group = open_group();
    (void)add(group, &job);
    CHECK_EQ(WAIT(loop, rota_group_wait(group)), 1);
    close_group(group);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_group_is_done_when_its_last_member_is);
    RUN(a_member_that_is_cancelled_alone_leaves_the_others_be);
    RUN(members_that_have_ended_are_let_go);
    RUN(members_may_add_members);
    RUN(a_failure_ends_a_group_that_keeps_growing);
    RUN(members_have_names);
    RUN(a_tree_of_groups_is_the_same_with_eager_tasks_and_others);
    RUN(a_failure_cancels_the_others_and_is_the_groups);
    RUN(failures_at_once_are_all_kept_and_the_owner_is_asked);
    RUN(nothing_is_started_after_a_failure);
    RUN(a_member_is_cancelled_by_the_crash_of_one_that_it_added);
    RUN(a_group_that_was_closed_takes_no_member);
    RUN(a_group_needs_no_task_to_open_it);
    return test_end();
}
