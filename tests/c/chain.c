/* A future that goes on after another one with what a callback returns. */
#include "follow.h"

/* ---- chain */

TEST(a_chain_is_done_as_what_it_goes_on_with) {
    rota_loop loop = open_jump();
    scene self;
    begin(loop, true, &self);
    self.next = open_future(loop);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    turns(loop, 2);
    CHECK(self.calls == 1 && self.told == 1 && pending(self.outer));
    CHECK_STATUS(rota_future_close(self.inner), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_keep(self.outer), ROTA_OK);
    CHECK_STATUS(rota_future_fail(self.next, ROTA_STATUS_HOST, "second"), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), ROTA_STATUS_HOST);
    CHECK_TEXT(outcome_of(self.outer).message, "second");
    CHECK_STATUS(rota_future_close(self.outer), ROTA_OK);
    CHECK_STATUS(rota_future_close(self.next), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(a_chain_hands_over_objects_also_of_its_first_future) {
    rota_loop loop = open_jump();
    scene self;
    int freed = 0;
    void *result = NULL;
    begin(loop, true, &self);
    self.next = open_future(loop);
    CHECK_STATUS(rota_future_complete_with(self.next, &freed, frees), ROTA_OK);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), 0);
    CHECK_STATUS(rota_future_take_result(self.outer, &result), ROTA_OK);
    CHECK(result == &freed);
    begin(loop, true, &self);
    self.passes_on = true;
    CHECK_STATUS(rota_future_complete_with(self.inner, &freed, frees), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), 0);
    CHECK_STATUS(rota_future_take_result(self.inner, &result), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_take_result(self.outer, &result), ROTA_OK);
    CHECK_EQ(freed, 0);
    close_clean(loop);
}

TEST(a_chain_may_go_on_with_a_value_or_with_what_is_done) {
    rota_loop loop = open_jump();
    scene self;
    begin(loop, true, &self);
    self.next = rota_loop_gather(loop, NULL, 0, 0);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), 0);
    begin(loop, true, &self);
    self.next = rota_loop_gather(loop, NULL, 0, 99);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_STATUS(WAIT(loop, self.outer), ROTA_ERR_INVALID);
    begin(loop, true, &self);
    self.next = open_future(loop);
    CHECK_STATUS(rota_future_complete(self.next, 5), ROTA_OK);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    turn(loop);
    CHECK_EQ(outcome_of(self.outer).value, 5); /* in the same turn */
    CHECK_STATUS(rota_future_close(self.outer), ROTA_OK);
    close_clean(loop);
}

static int64_t ends_as(scene *self, rota_future next) {
    int64_t answer;
    begin(self->loop, true, self);
    self->next = next;
    CHECK_STATUS(rota_future_complete(self->inner, 1), ROTA_OK);
    answer = WAIT(self->loop, self->outer);
    CHECK_EQ(self->calls, 1);
    return answer;
}

TEST(what_is_no_future_is_a_status) {
    rota_loop loop = open_jump(), other = open_jump();
    rota_future null = {0}, forged = {UINT64_MAX}, stale = open_future(loop), wrong, loops;
    scene self;
    self.loop = loop;
    CHECK_STATUS(rota_future_close(stale), ROTA_OK);
    wrong = open_future(other);
    loops.id = loop.id;
    CHECK_STATUS(ends_as(&self, null), ROTA_ERR_HANDLE);
    CHECK_STATUS(ends_as(&self, forged), ROTA_ERR_HANDLE);
    CHECK_STATUS(ends_as(&self, stale), ROTA_ERR_HANDLE);
    CHECK_STATUS(ends_as(&self, wrong), ROTA_ERR_HANDLE);
    CHECK_STATUS(ends_as(&self, loops), ROTA_ERR_HANDLE);
    CHECK(pending(wrong));
    CHECK_STATUS(rota_future_close(wrong), ROTA_OK);
    close_clean(other);
    close_clean(loop);
}

TEST(a_chain_cannot_wait_for_itself_however_far_round) {
    rota_loop loop = open_jump();
    scene self;
    rota_future made, two[2];
    int i;
    begin(loop, true, &self);
    self.next = self.outer;
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_STATUS(WAIT(loop, self.outer), ROTA_ERR_INVALID);
    /* Through a hundred others, each of which has the one before twice: none is looked at twice. */
    begin(loop, true, &self);
    made = rota_future_shield(self.outer);
    for (i = 0; i < 100; i++) {
        two[0] = two[1] = made;
        made = rota_loop_gather(loop, two, 2, ROTA_GATHER_ALL);
    }
    self.next = made;
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, made), 0);
    turns(loop, 2);
    CHECK_EQ(self.calls, 1);
    close_clean(loop);
}

/* ---- cancelled, and in circles */

TEST(cancelling_a_chain_that_went_on_cancels_the_second) {
    rota_loop loop = open_jump();
    scene self;
    begin(loop, true, &self);
    self.next = rota_loop_sleep(loop, HOUR);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    turn(loop);
    CHECK_EQ(self.calls, 1);
    CHECK_STATUS(rota_future_close(self.outer), ROTA_ERR_BUSY);
    turns(loop, 2);
    CHECK_STATUS(rota_future_close(self.outer), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(self.next), ROTA_ERR_HANDLE);
    CHECK_EQ(stats_of(loop).timers, 0);
    close_clean(loop);
}

/* The second future is one that the closing spares at first, as long as shields wait for it. */
TEST(closing_the_loop_asks_again_where_a_chain_went_on) {
    int inside, i;
    for (inside = 0; inside < 3; inside++) {
        rota_loop loop = open_jump();
        scene self;
        rota_future outer, shield;
        begin(loop, true, &self);
        shield = self.next = open_future(loop);
        for (i = 0; i < 9; i++) shield = rota_future_shield(shield);
        CHECK_STATUS(rota_future_then(shield, record_future, "shield"), ROTA_OK);
        outer = inside == 0 ? self.outer : rota_future_wait_for(self.outer, ROTA_FOREVER);
        if (inside == 2) outer = rota_loop_race(loop, &outer, 1, 0);
        CHECK_STATUS(rota_future_then(outer, record_future, "outer"), ROTA_OK);
        CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
        CHECK_EQ(self.calls, 1);
        CHECK_RECORD("shield:cancelled outer:cancelled");
    }
}

typedef struct {
    rota_loop loop;
    int left;
} counter;

/* A loop without a task: each round goes on with the next. */
static rota_future again(rota_future future, int64_t result, void *user_data) {
    counter *self = user_data;
    if (result < 0 || --self->left == 0) return future;
    return rota_future_chain(rota_loop_sleep(self->loop, SECOND), again, self);
}

static int64_t chains_in_a_task(rota_task task, void *user_data) {
    counter *self = user_data;
    (void)task;
    return rota_await(rota_future_chain(rota_loop_sleep(self->loop, SECOND), again, self));
}

TEST(a_chain_of_rounds_ends_and_is_cancelled_in_the_middle) {
    rota_loop loop = open_jump();
    counter self = {loop, 1000};
    rota_task task;
    uint64_t began = now_of(loop);
    CHECK_EQ(run_task(loop, chains_in_a_task, &self), 0);
    CHECK_EQ(now_of(loop) - began, 1000 * SECOND);
    self.left = 1000;
    task = spawn(loop, chains_in_a_task, &self);
    while (self.left > 500) CHECK_STATUS(rota_loop_turn(loop, HOUR, 0, 0, NULL), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_EQ(stats_of(loop).timers, 0);
    close_clean(loop);
}

typedef struct {
    rota_loop loop;
    rota_task task;
    rota_future first, chain;
} circle;

static rota_future the_task(rota_future future, int64_t result, void *user_data) {
    circle *self = user_data;
    (void)future, (void)result;
    return rota_task_join(self->task);
}

static int64_t waits_for_the_chain(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((circle *)user_data)->chain);
}

/* A chain that waits for a task that waits for the chain: cancelled, or closed, it opens. */
TEST(a_circle_through_a_task_opens_when_it_is_cancelled) {
    int closes;
    for (closes = 0; closes < 2; closes++) {
        rota_loop loop = open_jump();
        circle self = {loop, {0}, {0}, {0}};
        self.first = open_future(loop);
        self.chain = rota_future_chain(self.first, the_task, &self);
        self.task = spawn(loop, waits_for_the_chain, &self);
        CHECK_STATUS(rota_future_complete(self.first, 1), ROTA_OK);
        turns(loop, 3);
        CHECK_EQ(stats_of(loop).ready, 0);
        if (closes) {
            CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
            continue;
        }
        CHECK_STATUS(rota_future_cancel(self.chain), ROTA_OK);
        turns(loop, 10);
        CHECK_EQ(alive_in(loop), 0);
        close_clean(loop);
    }
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_chain_is_done_as_what_it_goes_on_with);
    RUN(a_chain_hands_over_objects_also_of_its_first_future);
    RUN(a_chain_may_go_on_with_a_value_or_with_what_is_done);
    RUN(what_is_no_future_is_a_status);
    RUN(a_chain_cannot_wait_for_itself_however_far_round);
    RUN(cancelling_a_chain_that_went_on_cancels_the_second);
    RUN(closing_the_loop_asks_again_where_a_chain_went_on);
    RUN(a_chain_of_rounds_ends_and_is_cancelled_in_the_middle);
    RUN(a_circle_through_a_task_opens_when_it_is_cancelled);
    return test_end();
}
