/* rota_step.h: functions that keep their place.
 *
 * Built as C99 and as C++11, by every compiler at every level of optimisation (tests/c.rs): what
 * the macros rely on must hold in all of them. Hence the casts and the plain initialisers.
 */
#include "rota_test.h"
#include <rota_step.h>

/* ---- a frame for most of them */

typedef struct {
    rota_step step;
    rota_loop loop;
    rota_future future;
    const char *name;
    int64_t result;
    int round;
} frame;

static rota_future null_future(void) {
    rota_future null;
    null.id = 0;
    return null;
}

static frame frame_of(rota_loop loop, const char *name) {
    frame made;
    memset(&made, 0, sizeof made);
    made.loop = loop;
    made.name = name;
    return made;
}

static rota_task start(rota_loop loop, rota_step_fn body, void *user_data) {
    rota_task task;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, body, user_data, NULL, &task), ROTA_OK);
    return task;
}

static int64_t run_steps(rota_loop loop, rota_step_fn body, void *user_data) {
    return WAIT(loop, rota_task_join(start(loop, body, user_data)));
}

static rota_future complete_with(rota_loop loop, int64_t value) {
    rota_future future = rota_future_open(loop);
    CHECK_STATUS(rota_future_complete(future, value), ROTA_OK);
    return future;
}

/* ---- await */

static int64_t naps(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    ROTA_STEP_BEGIN(self, task, outcome);
    record("%s-begins", self->name);
    ROTA_STEP_AWAIT(self->result, rota_loop_sleep(self->loop, SECOND));
    record("%s-%s", self->name, told(self->result));
    for (self->round = 0; self->round < 3; self->round++) {
        ROTA_STEP_AWAIT(ROTA_STEP_IGNORE, rota_loop_sleep(self->loop, SECOND));
        record("%s%d", self->name, self->round);
    }
    ROTA_STEP_END(self->round);
}

TEST(a_function_keeps_its_place) {
    rota_loop loop = open_jump();
    frame a = frame_of(loop, "a"), b = frame_of(loop, "b");
    uint64_t begin = now_of(loop);
    rota_task one = start(loop, naps, &a), other = start(loop, naps, &b);
    CHECK_RECORD("");
    CHECK_EQ(WAIT(loop, rota_task_join(one)), 3);
    CHECK_EQ(WAIT(loop, rota_task_join(other)), 3);
    CHECK_RECORD("a-begins b-begins a-ok b-ok a0 b0 a1 b1 a2 b2");
    CHECK_EQ(now_of(loop), begin + 4 * SECOND);
    close_clean(loop);
}

TEST(a_frame_whose_function_has_ended_may_be_used_again) {
    rota_loop loop = open_jump();
    frame a = frame_of(loop, "a");
    CHECK_EQ(run_steps(loop, naps, &a), 3);
    CHECK_EQ(run_steps(loop, naps, &a), 3);
    CHECK_RECORD("a-begins a-ok a0 a1 a2 a-begins a-ok a0 a1 a2");
    close_clean(loop);
}

static int64_t hears(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    int64_t heard;
    ROTA_STEP_BEGIN(self, task, outcome);
    ROTA_STEP_AWAIT(heard, self->future);
    record("%s:%s%s", told(heard), told(outcome->status), outcome->message);
    if (heard < 0) ROTA_STEP_RETURN(heard);
    ROTA_STEP_END(heard + 1);
}

TEST(the_result_is_the_short_form_and_the_outcome_is_full) {
    rota_loop loop = open_jump();
    frame self = frame_of(loop, "s");
    self.future = complete_with(loop, INT64_C(5000000000));
    CHECK_EQ(run_steps(loop, hears, &self), INT64_C(5000000001));
    CHECK_RECORD("5000000000:ok");
    self.future = open_future(loop);
    CHECK_STATUS(rota_future_fail(self.future, ROTA_STATUS_HOST, "!"), ROTA_OK);
    CHECK_STATUS(run_steps(loop, hears, &self), ROTA_STATUS_HOST);
    CHECK_RECORD("-1000000:-1000000!");
    close_clean(loop);
}

TEST(a_future_that_nobody_can_wait_for_is_a_result_too) {
    rota_loop loop = open_jump();
    frame self = frame_of(loop, "s");
    self.future = null_future();
    CHECK_STATUS(run_steps(loop, hears, &self), ROTA_ERR_HANDLE);
    CHECK_RECORD("-2:ok");
    close_clean(loop);
}

TEST(a_request_is_a_result) {
    rota_loop loop = open_jump();
    frame self = frame_of(loop, "s");
    rota_task task;
    self.future = open_future(loop);
    task = start(loop, hears, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("cancelled:cancelled");
    close_clean(loop);
}

static int evaluated;

static rota_future counted(rota_loop loop) {
    evaluated++;
    return rota_loop_sleep(loop, SECOND);
}

static int64_t *place_of(frame *self) {
    evaluated += 100;
    return &self->result;
}

static int64_t evaluates(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    ROTA_STEP_BEGIN(self, task, outcome);
    ROTA_STEP_AWAIT(*place_of(self), counted(self->loop));
    ROTA_STEP_END(evaluated);
}

TEST(arguments_are_evaluated_once) {
    rota_loop loop = open_jump();
    frame self = frame_of(loop, "s");
    evaluated = 0;
    CHECK_EQ(run_steps(loop, evaluates, &self), 101);
    close_clean(loop);
}

/* ---- in blocks, loops and branches */

static int64_t branches(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    ROTA_STEP_BEGIN(self, task, outcome);
    while (self->round < 4) {
        if (self->round % 2 == 0)
            ROTA_STEP_AWAIT(self->result, complete_with(self->loop, self->round));
        else
            ROTA_STEP_AWAIT(self->result, rota_loop_sleep(self->loop, SECOND));
        {
            int64_t here = self->result; /* not across an await */
            record("%d:%s", self->round, told(here));
        }
        self->round++;
        if (self->round == 2) continue;
        do {
            ROTA_STEP_YIELD(ROTA_STEP_IGNORE);
        } while (0);
    }
    switch (self->round) { /* one's own switch, without an await */
        case 4:
            record("four");
            break;
        default:
            record("other");
    }
    ROTA_STEP_END(0);
}

TEST(awaits_stand_in_branches_and_loops) {
    rota_loop loop = open_jump();
    frame self = frame_of(loop, "s");
    CHECK_EQ(run_steps(loop, branches, &self), 0);
    CHECK_RECORD("0:ok 1:ok 2:2 3:ok four");
    close_clean(loop);
}

static rota_future next_of(frame *self) {
    self->round++;
    if (self->round == 3) return rota_loop_sleep(self->loop, SECOND);
    return complete_with(self->loop, self->round < 8 ? self->round : 0);
}

static int64_t loops(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    int64_t n;
    ROTA_STEP_BEGIN(self, task, outcome);
    ROTA_STEP_WHILE(n, next_of(self), n > 0 || self->round == 3) {
        if (n == 2) continue;
        record("%d", (int)n);
        ROTA_STEP_AWAIT(ROTA_STEP_IGNORE, rota_loop_sleep(self->loop, SECOND));
        if (self->round == self->result) break;
        if (self->round == 4)
            ROTA_STEP_WHILE(n, next_of(self), n != 6) record("in%d", (int)n);
        else
            record("-");
    }
    record("out%d", self->round);
    ROTA_STEP_END(self->round);
}

TEST(a_loop_around_an_await) {
    rota_loop loop = open_jump();
    frame self = frame_of(loop, "s");
    CHECK_EQ(run_steps(loop, loops, &self), 8);
    CHECK_RECORD("1 - 0 - 4 in5 7 - out8");
    self.round = 0;
    self.result = 3; /* leaves by a break */
    CHECK_EQ(run_steps(loop, loops, &self), 3);
    CHECK_RECORD("1 - 0 out3");
    close_clean(loop);
}

static int64_t loops_for_ever(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    ROTA_STEP_BEGIN(self, task, outcome);
    ROTA_STEP_WHILE(self->result, rota_loop_sleep(self->loop, SECOND), self->result == 0)
        self->round++;
    ROTA_STEP_END(self->result);
}

TEST(a_loop_around_an_await_hears_of_cancelling) {
    int when;
    for (when = 0; when < 3; when++) {
        rota_loop loop = open_jump();
        frame self = frame_of(loop, "s");
        rota_task task = start(loop, loops_for_ever, &self);
        while (self.round < when) CHECK_STATUS(rota_loop_turn(loop, SECOND, 0, 0, NULL), ROTA_OK);
        CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
        CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
        CHECK_EQ(self.round, when);
        close_clean(loop);
    }
}

/* ---- yield */

static int64_t yields(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    ROTA_STEP_BEGIN(self, task, outcome);
    for (self->round = 0; self->round < 3; self->round++) {
        record("%s%d", self->name, self->round);
        ROTA_STEP_YIELD(self->result);
        if (self->result < 0) ROTA_STEP_RETURN(self->result);
    }
    ROTA_STEP_END(0);
}

TEST(a_yield_gives_up_the_turn) {
    rota_loop loop = open_jump();
    frame a = frame_of(loop, "a"), b = frame_of(loop, "b");
    (void)start(loop, yields, &a);
    CHECK_STATUS(rota_task_detach(start(loop, yields, &b)), ROTA_OK);
    turn(loop);
    CHECK_RECORD("a0 b0");
    turns(loop, 2);
    CHECK_RECORD("a1 b1 a2 b2");
    turns(loop, 1);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

TEST(a_request_meets_a_yield) {
    rota_loop loop = open_jump();
    frame a = frame_of(loop, "a");
    rota_task task = start(loop, yields, &a); /* asked before it begins: the first yield is none */
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    turn(loop);
    CHECK_RECORD("a0");
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_EQ(a.round, 0);
    task = start(loop, yields, &a);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK); /* asked while it waits for its turn */
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_EQ(a.round, 0);
    CHECK_RECORD("a0");
    close_clean(loop);
}

static int64_t yields_by_hand(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    record("%d:%s%d", self->round, told(outcome->status), (int)outcome->value);
    if (self->round++ == 0) return rota_task_wait(task, complete_with(self->loop, 7));
    if (self->round == 2) return rota_task_yield(task);
    if (self->round == 3) {
        CHECK(rota_task_yield(task) == ROTA_STEP_WAIT);
        return rota_task_wait(task, complete_with(self->loop, 8)); /* the last word counts */
    }
    return 0;
}

TEST(a_yield_has_an_empty_outcome) {
    rota_loop loop = open_jump();
    frame self = frame_of(loop, "s");
    CHECK_EQ(run_steps(loop, yields_by_hand, &self), 0);
    CHECK_RECORD("0:ok0 1:ok7 2:ok0 3:ok8");
    close_clean(loop);
}

/* ---- calls */

typedef struct {
    rota_step step;
    frame inner;
    int64_t sum;
} outer_frame;

static int64_t typed(rota_task task, const rota_outcome *outcome, frame *self) {
    ROTA_STEP_BEGIN(self, task, outcome);
    ROTA_STEP_AWAIT(self->result, self->future);
    if (self->result < 0) return self->result; /* a call begins at the beginning all the same */
    ROTA_STEP_AWAIT(ROTA_STEP_IGNORE, rota_loop_sleep(self->loop, SECOND));
    ROTA_STEP_END(self->result);
}

static int64_t calls(rota_task task, const rota_outcome *outcome, void *user_data) {
    outer_frame *self = (outer_frame *)user_data;
    frame *inner = &self->inner;
    int64_t n;
    ROTA_STEP_BEGIN(self, task, outcome);
    ROTA_STEP_CALL(n, naps, &self->inner);
    self->sum = n;
    inner->future = open_future(inner->loop);
    CHECK_STATUS(rota_future_fail(inner->future, ROTA_STATUS_HOST, "deep"), ROTA_OK);
    ROTA_STEP_CALL(n, typed, inner);
    record("%s:%s", told(n), outcome->message);
    inner->future = complete_with(inner->loop, 40);
    ROTA_STEP_CALL(n, typed, inner);
    self->sum += n;
    ROTA_STEP_CALL(ROTA_STEP_IGNORE, yields, inner);
    ROTA_STEP_END(self->sum);
}

TEST(a_function_calls_others) {
    rota_loop loop = open_jump();
    outer_frame outer;
    memset(&outer, 0, sizeof outer);
    outer.inner = frame_of(loop, "i");
    CHECK_EQ(run_steps(loop, calls, &outer), 43);
    CHECK_RECORD("i-begins i-ok i0 i1 i2 -1000000:deep i0 i1 i2");
    close_clean(loop);
}

/* Walks a tree: each depth has a frame of its own. */
typedef struct walk {
    rota_step step;
    rota_loop loop;
    struct walk *child;
    int depth, at;
    int64_t count;
} walk;

static int64_t walks(rota_task task, const rota_outcome *outcome, walk *self) {
    int64_t n;
    ROTA_STEP_BEGIN(self, task, outcome);
    self->count = 1;
    ROTA_STEP_AWAIT(n, rota_loop_sleep(self->loop, MILLISECOND));
    if (n < 0 || self->depth == 0) ROTA_STEP_RETURN(n < 0 ? n : self->count);
    self->child = (walk *)calloc(1, sizeof *self->child);
    self->child->loop = self->loop;
    self->child->depth = self->depth - 1;
    for (self->at = 0; self->at < 3; self->at++) {
        ROTA_STEP_CALL(n, walks, self->child);
        if (n < 0) break;
        self->count += n;
    }
    free(self->child);
    ROTA_STEP_END(self->at < 3 ? (int64_t)ROTA_ERR_CANCELLED : self->count);
}

static int64_t walks_all(rota_task task, const rota_outcome *outcome, void *user_data) {
    return walks(task, outcome, (walk *)user_data);
}

TEST(a_function_calls_itself) {
    rota_loop loop = open_jump();
    walk root;
    uint64_t begin = now_of(loop);
    memset(&root, 0, sizeof root);
    root.loop = loop;
    root.depth = 5;
    CHECK_EQ(run_steps(loop, walks_all, &root), 364); /* 1 + 3 + 9 + ... + 243 */
    CHECK_EQ(now_of(loop), begin + 364 * MILLISECOND);
    close_clean(loop);
}

TEST(a_request_comes_up_from_the_depth) {
    rota_loop loop = open_jump();
    walk root;
    rota_task task;
    memset(&root, 0, sizeof root);
    root.loop = loop;
    root.depth = 5;
    task = start(loop, walks_all, &root);
    turns(loop, 10);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    close_clean(loop);
}

/* ---- misuse */

static int64_t awaits_in_a_switch(rota_task task, const rota_outcome *outcome, void *user_data) {
    frame *self = (frame *)user_data;
    ROTA_STEP_BEGIN(self, task, outcome);
    switch (self->round) {
        case 0:
            ROTA_STEP_AWAIT(self->result, rota_loop_sleep(self->loop, SECOND));
            record("never");
            break;
        default:
            break;
    }
    ROTA_STEP_END(0);
}

TEST(an_await_in_a_switch_of_ones_own_is_a_failure) {
    rota_loop loop = open_jump();
    frame self = frame_of(loop, "s");
    CHECK_STATUS(run_steps(loop, awaits_in_a_switch, &self), ROTA_ERR_INVALID);
    CHECK_RECORD("");
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_function_keeps_its_place);
    RUN(a_frame_whose_function_has_ended_may_be_used_again);
    RUN(the_result_is_the_short_form_and_the_outcome_is_full);
    RUN(a_future_that_nobody_can_wait_for_is_a_result_too);
    RUN(a_request_is_a_result);
    RUN(arguments_are_evaluated_once);
    RUN(awaits_stand_in_branches_and_loops);
    RUN(a_loop_around_an_await);
    RUN(a_loop_around_an_await_hears_of_cancelling);
    RUN(a_yield_gives_up_the_turn);
    RUN(a_request_meets_a_yield);
    RUN(a_yield_has_an_empty_outcome);
    RUN(a_function_calls_others);
    RUN(a_function_calls_itself);
    RUN(a_request_comes_up_from_the_depth);
    RUN(an_await_in_a_switch_of_ones_own_is_a_failure);
    return test_end();
}
