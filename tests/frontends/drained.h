/* Front end 2: completions, which the host drains.
 *
 * A host that drains after a whole turn goes on a little later than a callback would have: what
 * rota itself does in the rest of that turn (a wait_for that takes its step) comes before. So for
 * equal traces in every case the host here makes turns of one callback, and drains after each.
 */
#ifndef FRONTENDS_DRAINED_H
#define FRONTENDS_DRAINED_H
#include "handmade.h"

static rota_status drain_wait(actor *self) { return rota_future_drain(self->future, self); }

static rota_status drain_unwait(actor *self) {
    return rota_future_remove_drain(self->future, self, NULL);
}

/* A future that is done is drained in the next turn: the place of call_soon. */
static rota_status drain_soon(actor *self) {
    rota_future done = rota_future_open(self->world->loop);
    CHECK_STATUS(rota_future_complete(done, 0), ROTA_OK);
    return rota_future_drain(done, self);
}

static void drain_spawn(actor *self) {
    static const caller calls = {drain_wait, drain_unwait, drain_soon};
    hand_caller = &calls;
    hand_spawn(self);
}

static void drain_turn(world *self) {
    rota_completion done;
    memset(&done, 0, sizeof done);
    done.size = sizeof done;
    CHECK_STATUS(rota_loop_turn(self->loop, ROTA_FOREVER, 0, 1, NULL), ROTA_OK);
    while (rota_loop_next_completion(self->loop, &done) == ROTA_OK) {
        actor *called = (actor *)done.user_data;
        if (called->parked == PARKED_FUTURE)
            hand_resume(called, &done.outcome);
        else
            hand_resume_soon(called);
    }
}

static const front_end drained = {"drained",   drain_spawn,   hand_join,
                                  hand_cancel, hand_uncancel, drain_turn};

#endif
