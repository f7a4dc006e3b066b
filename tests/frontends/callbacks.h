/* Front end 1: callbacks. What is done already is gone on with at once, as an await would. */
#ifndef FRONTENDS_CALLBACKS_H
#define FRONTENDS_CALLBACKS_H
#include "handmade.h"

static void call_resume(rota_future future, int64_t result, void *user_data) {
    rota_outcome outcome;
    (void)result;
    CHECK_STATUS(rota_future_get_outcome(future, &outcome), ROTA_OK);
    hand_resume((actor *)user_data, &outcome);
}

static void call_resume_soon(rota_loop loop, rota_status status, void *user_data) {
    (void)loop;
    CHECK_STATUS(status, ROTA_OK);
    hand_resume_soon((actor *)user_data);
}

static rota_status call_wait(actor *self) {
    return rota_future_then(self->future, call_resume, self);
}

static rota_status call_unwait(actor *self) {
    return rota_future_remove(self->future, call_resume, self, NULL);
}

static rota_status call_soon(actor *self) {
    return rota_loop_call_soon(self->world->loop, call_resume_soon, self, NULL);
}

static void call_spawn(actor *self) {
    static const caller calls = {call_wait, call_unwait, call_soon};
    hand_caller = &calls;
    hand_spawn(self);
}

static void plain_turn(world *self) {
    CHECK_STATUS(rota_loop_turn(self->loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
}

static const front_end callbacks = {"callbacks", call_spawn,    hand_join,
                                    hand_cancel, hand_uncancel, plain_turn};

#endif
