/* Groups and who owns them: cancelling, waiting, ending; groups that are free. */
#include "rota_scopes.h"

enum { OOPS = ROTA_STATUS_HOST - 1, OUCH = ROTA_STATUS_HOST - 2 };

/* ---- the owner is cancelled */

typedef struct {
    other others;
    member a, b;
    uint64_t ended; /* when the owner had waited */
    int64_t came;
    rota_group group;
} scene;

static int64_t waits_for_two(rota_task task, void *user_data) {
    scene *self = user_data;
    self->others.task = task;
    self->group = open_group();
    join_in(self->group, &self->a);
    join_in(self->group, &self->b);
    self->came = rota_await(rota_group_wait(self->group));
    self->ended = now_of(the_loop);
    CHECK_EQ(count_of(self->group), 0);
    CHECK_STATUS(rota_group_close(self->group), ROTA_OK);
    return self->came;
}

TEST(cancelling_the_owner_while_it_waits_cancels_the_group) {
    scene self = {{{0}, {0}, {0}}, {"a", HOUR, 0, SECOND, 0}, {"b", HOUR, 0, 0, 0}, 0, 0, {0}};
    uint64_t start;
    rota_task owner;
    the_loop = open_jump();
    start = now_of(the_loop);
    owner = spawn(the_loop, waits_for_two, &self);
    turns(the_loop, 2);
    CHECK_STATUS(rota_task_cancel_with(owner, "go home"), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(owner)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(self.came, ROTA_ERR_CANCELLED);
    CHECK_EQ(self.ended, start + SECOND);
    CHECK_RECORD("a:cancelled b:cancelled a:clean");
    close_clean(the_loop);
}

enum { BEFORE, TAKEN_BACK, SHIELDED, ASKED, TIMED_OUT };

/* The owner is asked to end, or not, before it waits for its group. */
static int64_t is_asked_and_waits(rota_task task, void *user_data) {
    int how = *(int *)user_data;
    member a = {"a", HOUR, 0, SECOND, 0};
    rota_scope scope = {0}, shield = {0};
    rota_group group;
    int64_t result;
    if (how == TIMED_OUT) scope = enter_timeout(task, 1);
    if (how == BEFORE) CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    if (how == BEFORE) CHECK_STATUS(nap(1), ROTA_ERR_CANCELLED);
    group = open_group();
    join_in(group, &a);
    if (how == SHIELDED) shield = enter(task, ROTA_SCOPE_SHIELD);
    if (how > BEFORE && how < TIMED_OUT) CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(nap(2), how == BEFORE || how == SHIELDED ? 0 : ROTA_ERR_CANCELLED);
    if (how == TAKEN_BACK) CHECK_STATUS(rota_task_uncancel(task, NULL), ROTA_OK);
    result = rota_await(rota_group_wait(group));
    if (result < 0) {
        CHECK_TEXT(message_of(task), "the task that opened the group was asked to end");
        CHECK_EQ(nap(1), 0); /* what has arrived does not come again */
    }
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    (void)rota_scope_leave(shield, 0);
    forget_record();
    return rota_scope_leave(scope, result);
}

TEST(who_is_to_end_waits_for_members_that_are_to_end_too) {
    int hows[] = {BEFORE, TAKEN_BACK, SHIELDED, ASKED, TIMED_OUT};
    CHECK_EQ(in_a_task(is_asked_and_waits, &hows[0]), 1);
    CHECK_EQ(in_a_task(is_asked_and_waits, &hows[1]), 1);
    CHECK_EQ(in_a_task(is_asked_and_waits, &hows[2]), 1);
    CHECK_STATUS(in_a_task(is_asked_and_waits, &hows[3]), ROTA_ERR_CANCELLED);
    CHECK_STATUS(in_a_task(is_asked_and_waits, &hows[4]), ROTA_ERR_TIMEOUT);
}

static void owner_and_others(bool same_future) {
    scene self = {{{0}, {0}, {0}}, {"a", HOUR, 0, SECOND, 0}, {"b", HOUR, 0, 0, 0}, 0, 0, {0}};
    uint64_t start;
    rota_task owner;
    rota_future wait = {0};
    the_loop = open_jump();
    start = now_of(the_loop);
    owner = spawn(the_loop, waits_for_two, &self);
    turns(the_loop, 2);
    if (!same_future) wait = rota_group_wait(self.group);
    CHECK_STATUS(rota_task_cancel(owner), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(owner), ROTA_OK); /* the second has nobody to ask, and waits */
    CHECK_STATUS(WAIT(the_loop, rota_task_join(owner)), ROTA_ERR_CANCELLED);
    CHECK_EQ(self.ended, start + SECOND);
    if (!same_future) CHECK_STATUS(WAIT(the_loop, wait), ROTA_ERR_CANCELLED);
    CHECK_RECORD("a:cancelled b:cancelled a:clean");
    close_clean(the_loop);
}

TEST(the_owner_waits_to_the_end_whoever_else_waits) {
    owner_and_others(true);
    owner_and_others(false);
}

/* As asyncio has it: the error wins, and the request from outside meets the task again. */
static int64_t fails_and_is_cancelled(rota_task task, void *user_data) {
    scene *self = user_data;
    CHECK_STATUS(waits_for_two(task, self), OOPS);
    CHECK_EQ(cancelling(task), 1);
    CHECK_STATUS(nap(1), ROTA_ERR_CANCELLED);
    CHECK_EQ(nap(1), 0);
    return 0;
}

static void cancels_in_time(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)status;
    CHECK_STATUS(rota_task_cancel(((scene *)user_data)->others.task), ROTA_OK);
}

TEST(a_cancel_together_with_an_error_is_not_lost) {
    uint64_t delays[] = {SECOND - 1, SECOND, SECOND + 1}; /* before, with and after the failure */
    size_t i;
    for (i = 0; i < COUNT(delays); i++) {
        scene self = {{{0}, {0}, {0}}, {"a", HOUR, 0, HOUR, 0}, {"b", SECOND, OOPS, 1, OOPS}, 0, 0,
                      {0}};
        rota_task owner;
        the_loop = open_jump();
        CHECK_STATUS(rota_loop_call_later(the_loop, delays[i], cancels_in_time, &self, NULL),
                     ROTA_OK);
        owner = spawn(the_loop, fails_and_is_cancelled, &self);
        CHECK_EQ(WAIT(the_loop, rota_task_join(owner)), 0);
        forget_record();
        close_clean(the_loop);
    }
}

static int64_t within_a_time(rota_task task, void *user_data) {
    rota_scope scope = enter_timeout(task, SECOND);
    return rota_scope_leave(scope, waits_for_two(task, user_data));
}

TEST(a_deadline_around_a_group_is_the_owners) {
    scene self = {{{0}, {0}, {0}}, {"a", HOUR, 0, SECOND, 0}, {"b", HOUR, 0, 0, 0}, 0, 0, {0}};
    CHECK_STATUS(in_a_task(within_a_time, &self), ROTA_ERR_TIMEOUT);
    CHECK_STATUS(self.came, ROTA_ERR_CANCELLED);
    CHECK_RECORD("a:cancelled b:cancelled a:clean");
}

static int64_t leaves_too_early(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, SECOND, 0};
    rota_scope scope = enter(task, 0);
    rota_group group = open_group();
    (void)user_data;
    join_in(group, &a);
    CHECK_EQ(nap(1), 0);
    CHECK_EQ(rota_scope_leave(scope, 3), 3);
    CHECK_EQ(cancelling(task), 0);
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_CANCELLED);
    CHECK_TEXT(message_of(task), "the scope around the group was left");
    CHECK_RECORD("a:cancelled a:clean");
    return rota_group_close(group);
}

TEST(leaving_a_scope_cancels_the_groups_in_it) {
    CHECK_STATUS(in_a_task(leaves_too_early, NULL), ROTA_OK);
}

/* ---- the owner ends */

static char freed[8];

static void notes_the_free(void *user_data) {
    (void)user_data;
    record("freed");
}

static int64_t does_not_wait(rota_task task, void *user_data) {
    static member a = {"a", HOUR, 0, SECOND, 0}, b = {"b", HOUR, 0, 2 * SECOND, 0};
    rota_group one = open_group(), two = open_group(), empty = open_group();
    (void)task, (void)user_data, (void)empty;
    join_in(one, &a);
    join_in(two, &b);
    (void)rota_task_yield(task);
    (void)rota_task_yield(task);
    return 7;
}

static rota_task spawn_with_free(rota_task_fn body) {
    rota_task_options options;
    rota_task task = {0};
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = notes_the_free;
    CHECK_STATUS(rota_loop_spawn(the_loop, body, freed, &options, &task), ROTA_OK);
    return task;
}

TEST(the_end_of_an_owner_waits_for_its_groups) {
    uint64_t start;
    rota_task owner;
    rota_future join;
    uint32_t count;
    rota_scope scope;
    the_loop = open_jump();
    start = now_of(the_loop);
    owner = spawn_with_free(does_not_wait);
    join = rota_task_join(owner);
    turns(the_loop, 6);
    CHECK_RECORD("b:cancelled a:cancelled");
    CHECK_STATUS(rota_task_cancel(owner), ROTA_ERR_DONE); /* there is nothing left to ask */
    CHECK_STATUS(rota_task_enter_timeout(owner, 1, &scope), ROTA_ERR_DONE);
    CHECK_STATUS(rota_task_get_cancelling(owner, &count), ROTA_OK);
    CHECK_EQ(WAIT(the_loop, join), 7);
    CHECK_EQ(now_of(the_loop), start + 2 * SECOND);
    CHECK_RECORD("a:clean b:clean freed");
    close_clean(the_loop);
}

TEST(an_owner_that_is_leaving_may_be_joined_and_detached) {
    rota_task owner;
    the_loop = open_jump();
    owner = spawn(the_loop, does_not_wait, NULL);
    turns(the_loop, 6);
    CHECK_EQ(WAIT(the_loop, rota_task_join(owner)), 7);
    owner = spawn(the_loop, does_not_wait, NULL);
    turns(the_loop, 6);
    CHECK_STATUS(rota_task_detach(owner), ROTA_OK);
    run_dry(the_loop);
    forget_record();
    close_clean(the_loop);
}

TEST(who_joins_one_that_is_leaving_may_be_cancelled) {
    rota_task owner, joiner;
    uint64_t start;
    the_loop = open_jump();
    start = now_of(the_loop);
    owner = spawn(the_loop, does_not_wait, NULL);
    joiner = spawn(the_loop, joins, &owner);
    turns(the_loop, 6);
    CHECK_STATUS(rota_task_cancel(joiner), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(joiner)), ROTA_ERR_CANCELLED);
    CHECK_EQ(now_of(the_loop), start);
    CHECK_EQ(WAIT(the_loop, rota_task_join(owner)), 7);
    forget_record();
    close_clean(the_loop);
}

TEST(a_loop_that_closes_waits_for_them_too) {
    the_loop = open_jump();
    (void)spawn_with_free(does_not_wait);
    turns(the_loop, 2);
    CHECK_STATUS(rota_loop_close(the_loop, SECOND), ROTA_OK);
    CHECK_RECORD("a:cancelled b:cancelled a:clean b:clean freed");
}

/* ---- groups that nobody owns */

TEST(a_group_of_the_hosts_is_his_to_wait_for_and_to_close) {
    member a = {"a", SECOND, 0, 0, 0}, b = {"b", HOUR, 0, SECOND, 0};
    rota_group group;
    rota_future one, two;
    the_loop = open_jump();
    group = open_group();
    join_in(group, &a);
    one = rota_group_wait(group);
    CHECK_EQ(WAIT(the_loop, one), 1);
    join_in(group, &b);
    one = rota_group_wait(group);
    two = rota_group_wait(group);
    turns(the_loop, 2);
    CHECK_STATUS(rota_future_cancel(one), ROTA_OK); /* of two, one is taken back */
    CHECK_STATUS(WAIT(the_loop, one), ROTA_ERR_CANCELLED);
    CHECK_RECORD("a");
    CHECK_STATUS(rota_future_cancel(two), ROTA_OK); /* with the last goes the group */
    CHECK_STATUS(WAIT(the_loop, two), ROTA_ERR_CANCELLED);
    CHECK_RECORD("b:cancelled b:clean");
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    close_clean(the_loop);
}

TEST(a_second_cancel_takes_the_wait_back) {
    member a = {"a", HOUR, 0, SECOND, 0};
    rota_group group;
    rota_future wait;
    uint64_t start;
    the_loop = open_jump();
    start = now_of(the_loop);
    group = open_group();
    join_in(group, &a);
    wait = rota_group_wait(group);
    turns(the_loop, 2);
    CHECK_STATUS(rota_future_cancel(wait), ROTA_OK);
    turns(the_loop, 2);
    CHECK_STATUS(rota_future_cancel(wait), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, wait), ROTA_ERR_CANCELLED);
    CHECK_EQ(now_of(the_loop), start);
    CHECK_EQ(count_of(group), 1);
    CHECK_STATUS(rota_group_close(group), ROTA_ERR_BUSY);
    run_dry(the_loop);
    CHECK_RECORD("a:cancelled a:clean");
    close_clean(the_loop);
}

TEST(groups_that_wait_for_each_other_end_when_one_is_cancelled) {
    rota_group one, two;
    the_loop = open_jump();
    one = open_group();
    two = open_group();
    CHECK_STATUS(rota_group_add(one, open_future(the_loop)), ROTA_OK);
    CHECK_STATUS(rota_group_add(two, rota_group_wait(one)), ROTA_OK);
    CHECK_STATUS(rota_group_add(one, rota_group_wait(two)), ROTA_OK);
    CHECK_STATUS(rota_group_cancel(one, NULL), ROTA_OK);
    turns(the_loop, 5);
    CHECK_STATUS(rota_group_close(one), ROTA_OK);
    CHECK_STATUS(rota_group_close(two), ROTA_OK);
    close_clean(the_loop);
}

TEST(closing_a_wait_leaves_the_group_alone) {
    member a = {"a", SECOND, 0, 0, 0};
    rota_group group;
    the_loop = open_jump();
    group = open_group();
    join_in(group, &a);
    CHECK_STATUS(rota_future_close(rota_group_wait(group)), ROTA_OK);
    CHECK_EQ(WAIT(the_loop, rota_group_wait(group)), 1);
    CHECK_RECORD("a");
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    close_clean(the_loop);
}

TEST(closing_the_loop_ends_what_is_open) {
    member a = {"a", HOUR, 0, SECOND, 0};
    rota_group group;
    rota_future promise;
    size_t count;
    the_loop = open_jump();
    group = open_group_with(HOUR, 0);
    (void)open_group();
    join_in(group, &a);
    promise = open_future(the_loop);
    CHECK_STATUS(rota_group_add(group, promise), ROTA_OK);
    (void)rota_group_wait(group);
    turns(the_loop, 2);
    CHECK_STATUS(rota_loop_close(the_loop, SECOND), ROTA_OK);
    CHECK_RECORD("a:cancelled a:clean");
    CHECK_STATUS(rota_group_get_count(group, &count), ROTA_ERR_HANDLE);
}

static int64_t opens_a_free_one(rota_task task, void *user_data) {
    *(rota_group *)user_data = open_group_with(0, ROTA_GROUP_FREE);
    (void)task;
    return 0;
}

TEST(a_free_group_outlives_the_task_that_opened_it) {
    member a = {"a", SECOND, OOPS, 0, 0};
    rota_group group = {0};
    the_loop = open_jump();
    CHECK_EQ(run_task(the_loop, opens_a_free_one, &group), 0);
    join_in(group, &a);
    CHECK_STATUS(WAIT(the_loop, rota_group_wait(group)), OOPS);
    CHECK_RECORD("a");
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    close_clean(the_loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(cancelling_the_owner_while_it_waits_cancels_the_group);
    RUN(who_is_to_end_waits_for_members_that_are_to_end_too);
    RUN(the_owner_waits_to_the_end_whoever_else_waits);
    RUN(a_cancel_together_with_an_error_is_not_lost);
    RUN(a_deadline_around_a_group_is_the_owners);
    RUN(leaving_a_scope_cancels_the_groups_in_it);
    RUN(the_end_of_an_owner_waits_for_its_groups);
    RUN(an_owner_that_is_leaving_may_be_joined_and_detached);
    RUN(who_joins_one_that_is_leaving_may_be_cancelled);
    RUN(a_loop_that_closes_waits_for_them_too);
    RUN(a_group_of_the_hosts_is_his_to_wait_for_and_to_close);
    RUN(a_second_cancel_takes_the_wait_back);
    RUN(groups_that_wait_for_each_other_end_when_one_is_cancelled);
    RUN(closing_a_wait_leaves_the_group_alone);
    RUN(closing_the_loop_ends_what_is_open);
    RUN(a_free_group_outlives_the_task_that_opened_it);
    return test_end();
}
