/* Groups in groups, and what would wait for itself. */
#include "rota_scopes.h"

enum { OOPS = ROTA_STATUS_HOST - 1, OUCH = ROTA_STATUS_HOST - 2 };

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

/* A sibling is asked once, though its group and another member ask it to end. */
static int64_t has_siblings(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, SECOND, 0};
    rota_group group = open_group();
    rota_task sibling, before = {0};
    bool first = user_data != NULL;
    if (first) CHECK_STATUS(rota_group_spawn(group, joins, &sibling, NULL, &before), ROTA_OK);
    sibling = join_in(group, &a);
    if (!first) CHECK_STATUS(rota_group_spawn(group, joins, &sibling, NULL, &before), ROTA_OK);
    CHECK_STATUS(rota_task_yield(task), 0);
    CHECK_STATUS(rota_group_cancel(group, NULL), ROTA_OK);
    CHECK_EQ(cancelling(sibling), 1);
    CHECK_EQ(cancelling(before), 1);
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("a:cancelled a:clean");
    return rota_group_close(group);
}

TEST(a_member_that_joins_another_is_asked_with_it) {
    CHECK_STATUS(in_a_task(has_siblings, NULL), ROTA_OK);
    CHECK_STATUS(in_a_task(has_siblings, "before"), ROTA_OK);
}

static int64_t waits_for_the_group(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_group_wait(*(rota_group *)user_data));
}

/* Nothing owns the group, so nothing forbids the circle; it ends when it is cancelled. */
TEST(a_circle_through_a_group_is_broken_by_a_cancel) {
    rota_group group;
    rota_task waiter;
    the_loop = open_jump();
    group = open_group();
    waiter = spawn(the_loop, waits_for_the_group, &group);
    CHECK_STATUS(rota_group_spawn(group, joins, &waiter, NULL, NULL), ROTA_OK);
    turns(the_loop, 3);
    CHECK_EQ(count_of(group), 1);
    CHECK_STATUS(rota_task_cancel(waiter), ROTA_OK);
    CHECK_EQ(cancelling(waiter), 1);
    turns(the_loop, 5);
    CHECK_EQ(count_of(group), 0);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(waiter)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    close_clean(the_loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(groups_nest_and_each_keeps_its_failures);
    RUN(a_cancel_goes_down_however_deep_they_nest);
    RUN(nobody_waits_for_the_group_that_waits_for_him);
    RUN(a_member_that_joins_another_is_asked_with_it);
    RUN(a_circle_through_a_group_is_broken_by_a_cancel);
    return test_end();
}
