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

/* ---- who waits for a task that the same request has asked already */

typedef struct {
    rota_loop loop;
    rota_group group;
    rota_task child;
    int how, asked;
    bool child_ended, child_was_first;
} family;

enum { PLAIN, WITHIN_A_TIME, GATHERED, WAYS };

static rota_future in_a_way(family *self, rota_future future) {
    if (self->how == WITHIN_A_TIME) return rota_future_wait_for(future, 2 * HOUR);
    if (self->how == GATHERED) return rota_loop_gather(self->loop, &future, 1, 0);
    return future;
}

/* Cleans up with two waits, which nobody may disturb. */
static int64_t child(rota_task task, void *user_data) {
    family *self = user_data;
    int wait;
    (void)task;
    for (wait = 0; wait < 3; wait++) {
        uint64_t delay = wait == 0 ? HOUR : SECOND;
        self->asked += rota_await(rota_loop_sleep(self->loop, delay)) == ROTA_ERR_CANCELLED;
    }
    self->child_ended = true;
    return ROTA_ERR_CANCELLED;
}

static int64_t parent(rota_task task, void *user_data) {
    family *self = user_data;
    int64_t result = rota_await(in_a_way(self, rota_task_join(self->child)));
    (void)task;
    self->child_was_first = self->child_ended;
    return result;
}

TEST(closing_asks_each_task_once_whoever_waits_for_it) {
    int how, order;
    for (how = PLAIN; how < WAYS; how++) {
        for (order = 0; order < 2; order++) {
            family self;
            memset(&self, 0, sizeof self);
            self.loop = open_jump();
            self.how = how;
            if (order == 0) self.child = spawn(self.loop, child, &self);
            CHECK_STATUS(rota_task_detach(spawn(self.loop, parent, &self)), ROTA_OK);
            if (order == 1) self.child = spawn(self.loop, child, &self);
            turns(self.loop, 2);
            CHECK_STATUS(rota_loop_close(self.loop, 10 * SECOND), ROTA_OK);
            CHECK_EQ(self.asked, 1);
            CHECK(self.child_was_first);
        }
    }
}

static int64_t owns_both(rota_task task, void *user_data) {
    family *self = user_data;
    (void)task;
    CHECK_STATUS(rota_loop_open_group(self->loop, NULL, &self->group), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(self->group, child, self, NULL, &self->child), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(self->group, parent, self, NULL, NULL), ROTA_OK);
    return rota_await(rota_group_wait(self->group));
}

static int64_t waits_for_the_start(rota_task task, void *user_data) {
    family *self = user_data;
    int64_t result;
    (void)task;
    CHECK_STATUS(rota_loop_open_group(self->loop, NULL, &self->group), ROTA_OK);
    result = rota_await(in_a_way(self, rota_group_start(self->group, child, self, NULL, NULL)));
    self->child_was_first = self->child_ended;
    return result;
}

static void cancel_the_group(rota_task_fn body) {
    int how;
    for (how = PLAIN; how < WAYS; how++) {
        family self;
        rota_task task;
        memset(&self, 0, sizeof self);
        self.loop = open_jump();
        self.how = how;
        task = spawn(self.loop, body, &self);
        turns(self.loop, 3);
        CHECK_STATUS(rota_group_cancel(self.group, NULL), ROTA_OK);
        CHECK_STATUS(WAIT(self.loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
        CHECK_EQ(self.asked, 1);
        CHECK(self.child_was_first);
        close_clean(self.loop);
    }
}

TEST(a_member_that_waits_for_another_goes_on_after_that_has_ended) { cancel_the_group(owns_both); }

TEST(a_member_whose_start_is_waited_for_is_asked_once) { cancel_the_group(waits_for_the_start); }

/* Two members wait for each other: through a group of one's own, through combinations. */
static int64_t waits_for_a_subgroup(rota_task task, void *user_data) {
    family *self = user_data;
    rota_group inner;
    (void)task;
    CHECK_STATUS(rota_loop_open_group(self->loop, NULL, &inner), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(inner, parent, self, NULL, NULL), ROTA_OK);
    return rota_await(in_a_way(self, rota_group_wait(inner)));
}

static int64_t owns_a_circle(rota_task task, void *user_data) {
    family *self = user_data;
    (void)task;
    CHECK_STATUS(rota_loop_open_group(self->loop, NULL, &self->group), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(self->group, waits_for_a_subgroup, self, NULL, &self->child),
                 ROTA_OK);
    return rota_await(rota_group_wait(self->group));
}

TEST(a_circle_through_a_group_and_combinations_opens) {
    int how;
    for (how = WITHIN_A_TIME; how < WAYS; how++) {
        family self;
        memset(&self, 0, sizeof self);
        self.loop = open_jump();
        self.how = how;
        CHECK_STATUS(rota_task_detach(spawn(self.loop, owns_a_circle, &self)), ROTA_OK);
        turns(self.loop, 4);
        CHECK_STATUS(rota_group_cancel(self.group, NULL), ROTA_OK);
        turns(self.loop, 20);
        CHECK_EQ(stats_of(self.loop).tasks, 0);
        close_clean(self.loop);
    }
}

/* ---- dumps */

static rota_task first, second;
static bool in_a_race;

static int64_t waits_a_second(rota_task task, void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    rota_scope scope = {0};
    rota_future two[2];
    two[0] = rota_task_join(second);
    if (in_a_race) {
        two[1] = rota_loop_sleep(loop, SECOND);
        two[0] = rota_loop_race(loop, two, 2, 0);
    } else {
        CHECK_STATUS(rota_task_enter_timeout(task, SECOND, &scope), ROTA_OK);
    }
    return rota_scope_leave(scope, rota_await(two[0]));
}

static int64_t waits_for_the_first(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return rota_await(rota_task_join(first));
}

static void note_circles(const char *line, void *user_data) {
    (void)user_data;
    if (strncmp(line, "deadlock:", 9) == 0) record("deadlock");
    if (strncmp(line, "circle:", 7) == 0) record("circle");
}

TEST(a_circle_that_a_scope_or_a_race_opens_is_no_deadlock) {
    int race;
    for (race = 0; race < 2; race++) {
        rota_loop loop = open_jump();
        in_a_race = race == 1;
        first = spawn(loop, waits_a_second, &loop);
        second = spawn(loop, waits_for_the_first, &loop);
        turns(loop, 1);
        CHECK_STATUS(rota_loop_dump_tasks(loop, note_circles, NULL), ROTA_OK);
        CHECK_RECORD("circle");
        CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    }
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(values_of_a_task_that_is_leaving_are_not_taken);
    RUN(a_stepped_task_is_not_called_when_its_result_cancels_its_owner);
    RUN(an_owner_cancels_what_it_has_behind_a_shield);
    RUN(the_owner_that_a_destructor_sets_is_not_set_afterwards);
    RUN(requests_that_follow_each_other_round_a_circle_open_it);
    RUN(a_loop_with_a_circle_of_combinations_closes);
    RUN(closing_asks_each_task_once_whoever_waits_for_it);
    RUN(a_member_that_waits_for_another_goes_on_after_that_has_ended);
    RUN(a_member_whose_start_is_waited_for_is_asked_once);
    RUN(a_circle_through_a_group_and_combinations_opens);
    RUN(a_circle_that_a_scope_or_a_race_opens_is_no_deadlock);
    return test_end();
}
