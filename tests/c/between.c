/* What falls between two nouns: each of them was right, and both together were not. */
#include "rota_owner.h"

/* ---- circles of tasks and combinations, in which several requests go round */

typedef struct {
    rota_task tasks[3];
    int count, next;
    int ended;
} ring;

static ring the_ring;

/* Each waits, through a combination, for the one before; the first for the last. */
static int64_t waits_for_the_one_before(rota_task task, void *user_data) {
    int self = *(int *)user_data, count = the_ring.count;
    rota_future join;
    int64_t result;
    (void)task;
    join = rota_task_join(the_ring.tasks[(self + count - 1) % count]);
    result = rota_await(rota_future_wait_for(join, HOUR));
    the_ring.ended++;
    return result;
}

static void close_a_ring(int count, bool by_closing) {
    rota_loop loop = open_jump();
    int numbers[] = {0, 1, 2}, task;
    memset(&the_ring, 0, sizeof the_ring);
    the_ring.count = count;
    for (task = 0; task < count; task++)
        the_ring.tasks[task] = spawn(loop, waits_for_the_one_before, &numbers[task]);
    turns(loop, 1);
    for (task = 0; task < count && !by_closing; task++)
        CHECK_STATUS(rota_task_cancel(the_ring.tasks[task]), ROTA_OK);
    turns(loop, by_closing ? 0 : 40);
    if (!by_closing) CHECK_EQ(the_ring.ended, count);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_EQ(the_ring.ended, count);
}

TEST(requests_that_follow_each_other_round_a_circle_open_it) {
    int count;
    for (count = 2; count <= 3; count++) close_a_ring(count, false);
}

TEST(a_loop_with_a_circle_of_combinations_closes) {
    int count;
    for (count = 2; count <= 3; count++) close_a_ring(count, true);
}

/* ---- tasks that are leaving */

static int64_t naps(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_sleep(*(rota_loop *)user_data, HOUR));
}

/* A member that goes on after it was asked: its group's owner is leaving meanwhile. */
static int64_t lingers(rota_task task, void *user_data) {
    CHECK_STATUS(naps(task, user_data), ROTA_ERR_CANCELLED);
    CHECK_EQ(naps(task, user_data), 0);
    return 0;
}

static int64_t leaves(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    rota_group group;
    (void)task;
    CHECK_STATUS(rota_loop_open_group(loop, NULL, &group), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(group, lingers, user_data, NULL, NULL), ROTA_OK);
    CHECK_EQ(rota_await(rota_loop_sleep(loop, 1)), 0);
    return 7;
}

static void count_free(void *user_data) { ++*(int *)user_data; }

TEST(values_of_a_task_that_is_leaving_are_not_taken) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, leaves, &loop);
    rota_task_info info;
    int freed = 0;
    void *value;
    memset(&info, 0, sizeof info);
    info.size = sizeof info;
    CHECK_STATUS(WAIT(loop, rota_loop_sleep(loop, SECOND)), 0);
    CHECK_STATUS(rota_task_get_info(task, &info), ROTA_OK);
    CHECK_EQ(info.state, ROTA_TASK_STATE_LEAVING);
    CHECK_STATUS(rota_task_set_local(task, &freed, &freed, count_free), ROTA_ERR_DONE);
    CHECK_STATUS(rota_task_get_local(task, &freed, &value), ROTA_ERR_DONE);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 7);
    close_clean(loop);
    CHECK_EQ(freed, 0);
}

/* ---- owners, cancelled from where it is least expected */

static int64_t steps_once(rota_task task, const rota_outcome *outcome, void *user_data) {
    actor *self = user_data;
    (void)outcome;
    CHECK_EQ(self->step++, 0);
    return rota_task_wait(task, self->future);
}

static void cancels_owner(void *user_data) { (void)cancel(((actor *)user_data)->owner); }

/* The result of what it waited for is let go right before it would have been called. */
TEST(a_stepped_task_is_not_called_when_its_result_cancels_its_owner) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    actor self = {.loop = loop, .owner = owner, .name = "self"};
    self.future = open_future(loop);
    set(loop, owner);
    CHECK_STATUS(spawn_freed(loop, NULL, steps_once, &self, 0), ROTA_OK);
    set(loop, nobody);
    turns(loop, 1);
    CHECK_STATUS(rota_future_complete_with(self.future, &self, cancels_owner), ROTA_OK);
    CHECK_STATUS(rota_future_close(self.future), ROTA_ERR_BUSY);
    turns(loop, 1);
    CHECK_EQ(self.step, 1);
    CHECK_RECORD("free:self");
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

static void ends(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)result;
    record("then:%s", (const char *)user_data);
}

/* Nobody but a callback waits for the shield, and nobody but the shield for the operation. */
TEST(an_owner_cancels_what_it_has_behind_a_shield) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, record_dropped);
    rota_future slow, shield;
    char word[] = "shield";
    set(loop, owner);
    slow = rota_loop_sleep(loop, HOUR);
    shield = rota_future_shield(slow);
    CHECK_STATUS(rota_future_then(shield, ends, word), ROTA_OK);
    set(loop, nobody);
    (void)cancel(owner);
    CHECK_RECORD("drop:shield");
    turns(loop, 2);
    CHECK_EQ(count_of(owner), 0);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

static rota_owner the_other;

static void sets_owner(void *user_data) { (void)set(*(rota_loop *)user_data, the_other); }

static int64_t lets_go_of_a_result(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    rota_future future = rota_future_open(loop);
    (void)task;
    CHECK_STATUS(rota_future_complete_with(future, user_data, sets_owner), ROTA_OK);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_EQ(now_set(loop).id, 0);
    return 0;
}

TEST(the_owner_that_a_destructor_sets_is_not_set_afterwards) {
    rota_loop loop = open_jump();
    the_other = open_owner(loop, NULL);
    CHECK_EQ(run_task(loop, lets_go_of_a_result, &loop), 0);
    CHECK_STATUS(rota_owner_close(the_other), ROTA_OK);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(values_of_a_task_that_is_leaving_are_not_taken);
    RUN(a_stepped_task_is_not_called_when_its_result_cancels_its_owner);
    RUN(an_owner_cancels_what_it_has_behind_a_shield);
    RUN(the_owner_that_a_destructor_sets_is_not_set_afterwards);
    RUN(requests_that_follow_each_other_round_a_circle_open_it);
    RUN(a_loop_with_a_circle_of_combinations_closes);
    return test_end();
}
