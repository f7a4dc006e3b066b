/* Front ends 3 and 4: stepped tasks, and tasks with stacks of their own. */
#ifndef FRONTENDS_STEPPED_H
#define FRONTENDS_STEPPED_H
#include "callbacks.h"
#include <rota_step.h>

/* ---- what all tasks of rota have in common */

static rota_future task_join_of(actor *target) { return rota_task_join(target->task); }
static rota_status task_cancel_of(actor *target) { return rota_task_cancel(target->task); }

static uint32_t task_uncancel_of(actor *self) {
    uint32_t left = 99;
    CHECK_STATUS(rota_task_uncancel(self->task, &left), ROTA_OK);
    return left;
}

/* ---- stepped: a step that takes time is a call of another function */

typedef struct {
    rota_step step;
    actor *self;
    int64_t result;
    int goes_on;
} step_frame;

typedef struct {
    rota_step step;
    step_frame one;
    int64_t result;
} actor_frame;

static actor_frame step_frames[ACTORS_MAX];

static int64_t step_once(rota_task task, const rota_outcome *outcome, step_frame *frame) {
    ROTA_STEP_BEGIN(frame, task, outcome);
    if (now_of_actor(frame->self)->op == YIELD)
        ROTA_STEP_YIELD(ROTA_STEP_IGNORE);
    else
        ROTA_STEP_AWAIT(ROTA_STEP_IGNORE, begin_step(frame->self));
    frame->goes_on = end_step(frame->self, outcome, &frame->result);
    ROTA_STEP_END(0);
}

static int64_t step_actor(rota_task task, const rota_outcome *outcome, void *user_data) {
    actor *self = (actor *)user_data;
    actor_frame *frame = &step_frames[self->number];
    ROTA_STEP_BEGIN(frame, task, outcome);
    while (go_on(self, &frame->result)) {
        frame->one.self = self;
        ROTA_STEP_CALL(ROTA_STEP_IGNORE, step_once, &frame->one);
        frame->result = frame->one.result;
        if (!frame->one.goes_on) break;
    }
    ROTA_STEP_END(end_actor(self, frame->result));
}

static void step_spawn(actor *self) {
    memset(&step_frames[self->number], 0, sizeof step_frames[0]);
    CHECK_STATUS(rota_loop_spawn_stepped(self->world->loop, step_actor, self, NULL, &self->task),
                 ROTA_OK);
}

static const front_end stepped = {"stepped",      step_spawn,       task_join_of,
                                  task_cancel_of, task_uncancel_of, plain_turn};

/* ---- stackful */

static int64_t stack_actor(rota_task task, void *user_data) {
    actor *self = (actor *)user_data;
    int64_t result = 0;
    while (go_on(self, &result)) {
        rota_outcome outcome;
        if (now_of_actor(self)->op == YIELD) {
            int64_t answer = rota_task_yield(task);
            outcome = outcome_with(answer < 0 ? (int32_t)answer : 0, 0);
        } else {
            int64_t answer = rota_await(begin_step(self));
            CHECK_STATUS(rota_task_get_outcome(task, &outcome), ROTA_OK);
            CHECK(answer == (outcome.status < 0 ? outcome.status : outcome.value));
        }
        if (!end_step(self, &outcome, &result)) break;
    }
    return end_actor(self, result);
}

static void stack_spawn(actor *self) {
    CHECK_STATUS(rota_loop_spawn(self->world->loop, stack_actor, self, NULL, &self->task), ROTA_OK);
}

static const front_end stackful = {"stackful",     stack_spawn,      task_join_of,
                                   task_cancel_of, task_uncancel_of, plain_turn};

#endif
