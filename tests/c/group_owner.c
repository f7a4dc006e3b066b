/* Groups and who owns them: cancelling, waiting, ending; groups in groups; groups that are free. */
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

TEST(a_loop_that_closes_waits_for_them_too) {
    the_loop = open_jump();
    (void)spawn_with_free(does_not_wait);
    turns(the_loop, 2);
    CHECK_STATUS(rota_loop_close(the_loop, SECOND), ROTA_OK);
    CHECK_RECORD("a:cancelled b:cancelled a:clean b:clean freed");
}

/* ---- groups in groups */

static int64_t has_a_group_too(rota_task task, void *user_data) {
    static member inner = {"inner", HOUR, 0, SECOND, OUCH};
    rota_group group = open_group();
    int64_t result;
    (void)task, (void)user_data;
    join_in(group, &inner);
    result = rota_await(rota_group_wait(group));
    record("nested:%s", result == OUCH ? "ouch" : told(result));
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    return result;
}

static int64_t nests(rota_task task, void *user_data) {
    member fails = {"fails", SECOND, OOPS, 0, 0};
    rota_group group = open_group();
    (void)task, (void)user_data;
    CHECK_STATUS(rota_group_spawn(group, has_a_group_too, NULL, NULL, NULL), ROTA_OK);
    join_in(group, &fails);
    CHECK_STATUS(rota_await(rota_group_wait(group)), OOPS);
    CHECK_EQ(errors_of(group), 2); /* of each level, one */
    CHECK_STATUS(error_of(group, 1).outcome.status, OUCH);
    CHECK_RECORD("fails inner:cancelled inner:clean nested:ouch");
    return rota_group_close(group);
}

TEST(groups_nest_and_each_keeps_its_failures) { CHECK_STATUS(in_a_task(nests, NULL), ROTA_OK); }

static int64_t nests_deeper(rota_task task, void *user_data) {
    int depth = *(int *)user_data;
    rota_group group = open_group();
    int64_t result;
    (void)task;
    if (depth-- == 0) {
        CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
        return ROTA_ERR_CANCELLED;
    }
    CHECK_STATUS(rota_group_spawn(group, nests_deeper, &depth, NULL, NULL), ROTA_OK);
    result = rota_await(rota_group_wait(group));
    CHECK_STATUS(result, ROTA_ERR_CANCELLED);
    return result;
}

TEST(a_cancel_goes_down_however_deep_they_nest) {
    int depth = 1000;
    rota_task top;
    the_loop = open_jump();
    top = spawn(the_loop, nests_deeper, &depth);
    turns(the_loop, depth + 2);
    CHECK_STATUS(rota_task_cancel(top), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(top)), ROTA_ERR_CANCELLED);
    close_clean(the_loop);
}

/* ---- circles */

typedef struct {
    rota_group group;
    rota_task owner;
    rota_future wait, join; /* made by others */
} circle;

static int64_t goes_in_a_circle(rota_task task, void *user_data) {
    circle *self = user_data;
    rota_group inner = open_group();
    (void)task;
    CHECK_STATUS(rota_await(rota_group_wait(self->group)), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_await(self->wait), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_await(self->join), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_group_add(inner, self->join), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_group_add(inner, self->wait), ROTA_ERR_INVALID);
    CHECK_EQ(rota_await(rota_group_wait(inner)), 0);
    record("refused");
    return 0;
}

static int64_t goes_in_a_circle_by_steps(rota_task task, const rota_outcome *outcome, void *data) {
    circle *self = data;
    (void)outcome;
    CHECK_STATUS(rota_task_wait(task, self->wait), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_wait(task, self->join), ROTA_ERR_INVALID);
    record("refused");
    return 0;
}

static int64_t one_level_down(rota_task task, void *user_data) {
    rota_group group = open_group();
    (void)task;
    CHECK_STATUS(rota_group_spawn(group, goes_in_a_circle, user_data, NULL, NULL), ROTA_OK);
    return rota_await(rota_group_wait(group));
}

static int64_t owns_a_circle(rota_task task, void *user_data) {
    circle *self = user_data;
    rota_task joined;
    self->group = open_group();
    CHECK_STATUS(rota_group_spawn(self->group, goes_in_a_circle, self, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(self->group, one_level_down, self, NULL, &joined), ROTA_OK);
    CHECK_STATUS(rota_group_spawn_stepped(self->group, goes_in_a_circle_by_steps, self, NULL, NULL),
                 ROTA_OK);
    (void)task;
    self->wait = rota_group_wait(self->group);
    CHECK_STATUS(rota_group_add(self->group, self->wait), ROTA_ERR_INVALID);
    CHECK_EQ(rota_await(rota_group_wait(self->group)), 3);
    CHECK_STATUS(rota_future_close(self->wait), ROTA_OK);
    CHECK_RECORD("refused refused refused");
    return 0;
}

TEST(nobody_waits_for_the_group_that_waits_for_him) {
    circle self;
    memset(&self, 0, sizeof self);
    the_loop = open_jump();
    self.owner = spawn(the_loop, owns_a_circle, &self);
    self.join = rota_task_join(self.owner);
    CHECK_EQ(WAIT(the_loop, self.join), 0);
    close_clean(the_loop);
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
    RUN(a_cancel_together_with_an_error_is_not_lost);
    RUN(a_deadline_around_a_group_is_the_owners);
    RUN(leaving_a_scope_cancels_the_groups_in_it);
    RUN(the_end_of_an_owner_waits_for_its_groups);
    RUN(an_owner_that_is_leaving_may_be_joined_and_detached);
    RUN(a_loop_that_closes_waits_for_them_too);
    RUN(groups_nest_and_each_keeps_its_failures);
    RUN(a_cancel_goes_down_however_deep_they_nest);
    RUN(nobody_waits_for_the_group_that_waits_for_him);
    RUN(a_group_of_the_hosts_is_his_to_wait_for_and_to_close);
    RUN(closing_a_wait_leaves_the_group_alone);
    RUN(closing_the_loop_ends_what_is_open);
    RUN(a_free_group_outlives_the_task_that_opened_it);
    return test_end();
}
