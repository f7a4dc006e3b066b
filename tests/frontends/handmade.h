/* Tasks made by hand, for front ends that have none: an actor goes on when it is called, and what a
 * task of rota does about joins and requests to end is done here again, by the rules in rota.h.
 * How it is called differs: by a callback, or by the host that drains completions.
 *
 *   PARKED_NOT ──▶ waits for self->future ──▶ PARKED_FUTURE ──▶ done: hand_resume()
 *              ──▶ yields, or was released ─▶ PARKED_SOON ────▶ next turn: hand_resume_soon()
 */
#ifndef FRONTENDS_HANDMADE_H
#define FRONTENDS_HANDMADE_H
#include "world.h"

enum { PARKED_NOT, PARKED_FUTURE, PARKED_SOON };

/* How an actor is called again. */
typedef struct {
    rota_status (*wait)(actor *self);   /* when self->future is done */
    rota_status (*unwait)(actor *self); /* not after all */
    rota_status (*soon)(actor *self);   /* in the next turn */
} caller;

static const caller *hand_caller;

static rota_outcome outcome_with(int32_t status, int64_t value) {
    rota_outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    outcome.status = status;
    outcome.value = value;
    outcome.message = "";
    return outcome;
}

static const step *now_of_actor(const actor *self) { return &self->steps[self->at]; }

static int is_pending(const actor *self) {
    rota_outcome outcome;
    return self->parked == PARKED_FUTURE &&
           rota_future_get_outcome(self->future, &outcome) == ROTA_ERR_PENDING;
}

static int hand_take_due(actor *self) {
    if (self->due == 0) return 0;
    self->due--;
    return 1;
}

/* What was passed on and not answered is due. */
static void hand_answered(actor *self, int32_t status) {
    uint32_t answered = status == ROTA_ERR_CANCELLED;
    if (self->passed_on > answered) self->due += self->passed_on - answered;
    self->passed_on = 0;
}

/* Waits no more, and hears so in the next turn. */
static void hand_release(actor *self) {
    CHECK_STATUS(hand_caller->unwait(self), ROTA_OK);
    hand_answered(self, ROTA_ERR_CANCELLED);
    self->parked = PARKED_SOON;
    CHECK_STATUS(hand_caller->soon(self), ROTA_OK);
}

/* Brings a request to where the actor waits, and on to whom it joins. */
static void hand_deliver(actor *self) {
    world *all = self->world;
    uint32_t round = ++all->round;
    for (;;) {
        const step *now = now_of_actor(self);
        self->passed_on++;
        self->round = round;
        if (now->op == AWAIT && now->ms == 0 && all->claims[now->object] > 1) {
            all->claims[now->object]--;
            hand_release(self);
            return;
        }
        if (now->op != JOIN) {
            CHECK_STATUS(rota_future_cancel(self->future), ROTA_OK);
            return;
        }
        if (self->joined->joins > 1 || self->joined->round == round) {
            self->joined->joins--;
            hand_release(self);
            return;
        }
        self = self->joined;
        self->requests++;
        if (!is_pending(self)) {
            self->due++;
            return;
        }
    }
}

static rota_status hand_cancel(actor *self) {
    if (!self->spawned || self->gone) return ROTA_ERR_HANDLE;
    if (self->ended) return ROTA_ERR_DONE;
    self->requests++;
    if (is_pending(self))
        hand_deliver(self);
    else
        self->due++;
    return ROTA_OK;
}

static uint32_t hand_uncancel(actor *self) {
    if (self->requests > 0) self->requests--;
    if (self->due > self->requests) self->due = self->requests;
    if (self->passed_on > self->requests - self->due) self->passed_on = self->requests - self->due;
    return self->requests;
}

/* The end of another actor is a promise, which whoever joins waits for. */
static rota_future hand_join(actor *target) {
    rota_future none;
    none.id = 0;
    if (!target->spawned || target->gone) return none;
    if (target->ended) target->gone = 1;
    return target->end;
}

/* Begins a step. Whether it is over at once, with `*given`; otherwise the actor is parked. */
static int hand_begin(actor *self, rota_outcome *given) {
    world *all = self->world;
    const step *now = now_of_actor(self);
    rota_status status;
    if (now->op != AWAIT && hand_take_due(self)) {
        *given = outcome_with(ROTA_ERR_CANCELLED, 0);
        return 1;
    }
    if (now->op == YIELD) {
        self->parked = PARKED_SOON;
        CHECK_STATUS(hand_caller->soon(self), ROTA_OK);
        return 0;
    }
    status = rota_future_get_outcome(begin_step(self), given);
    if (status != ROTA_ERR_PENDING) {
        if (status < 0) *given = outcome_with(status, 0);
        if (now->op != GET || given->status < 0)
            if (now->op != AWAIT || now->ms > 0) (void)rota_future_close(self->future);
        return 1;
    }
    self->parked = PARKED_FUTURE;
    if (now->op == AWAIT) all->claims[now->object]++;
    if (now->op == JOIN) {
        self->joined = &all->actors[now->object];
        self->joined->joins++;
    }
    CHECK_STATUS(hand_caller->wait(self), ROTA_OK);
    if (hand_take_due(self)) hand_deliver(self);
    return 0;
}

static void hand_end(actor *self, int64_t result) {
    result = end_actor(self, result);
    if (self->joins > 0) self->gone = 1;
    if (result >= 0)
        CHECK_STATUS(rota_future_complete(self->end, result), ROTA_OK);
    else
        CHECK_STATUS(rota_future_fail(self->end, (int32_t)result, NULL), ROTA_OK);
}

/* Goes on, as far as it can without waiting. `came` is what its step came to; NULL: it begins. */
static void hand_go_on(actor *self, const rota_outcome *came) {
    rota_outcome given;
    int64_t result = 0;
    self->parked = PARKED_NOT;
    for (;;) {
        if (came != NULL && !end_step(self, came, &result)) break;
        if (!go_on(self, &result)) break;
        if (!hand_begin(self, &given)) return;
        came = &given;
    }
    hand_end(self, result);
}

/* What it waited for is done. */
static void hand_resume(actor *self, const rota_outcome *came) {
    rota_outcome given = *came;
    const step *now = now_of_actor(self);
    if (now->op == AWAIT) self->world->claims[now->object]--;
    hand_answered(self, given.status);
    hand_go_on(self, &given);
}

/* Its turn has come: it begins, yielded, or was released. */
static void hand_resume_soon(actor *self) {
    int32_t status = ROTA_ERR_CANCELLED;
    rota_outcome given;
    if (self->parked == PARKED_NOT) {
        hand_go_on(self, NULL);
        return;
    }
    if (now_of_actor(self)->op == YIELD && !hand_take_due(self)) status = ROTA_OK;
    given = outcome_with(status, 0);
    hand_go_on(self, &given);
}

static void hand_spawn(actor *self) {
    self->end = rota_future_open(self->world->loop);
    CHECK_STATUS(rota_future_keep(self->end), ROTA_OK);
    CHECK_STATUS(hand_caller->soon(self), ROTA_OK);
}

#endif
