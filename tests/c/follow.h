/* What the tests of map and chain have in common: a callback that does what it is asked to. */
#ifndef FOLLOW_H
#define FOLLOW_H
#include "rota_test.h"

UNUSED_SAFE static bool pending(rota_future future) {
    rota_outcome outcome;
    return rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING;
}

UNUSED_SAFE static void frees(void *user_data) { ++*(int *)user_data; }

/* What a callback does, and what it was told. */
typedef struct {
    rota_loop loop;
    rota_future inner, outer, next;
    int64_t answer, told;
    int calls;
    bool cancels, closes, closes_inner, passes_on;
} scene;

static void called(scene *self, rota_future future, int64_t result) {
    if (self->inner.id != 0) CHECK_EQ(future.id, self->inner.id);
    self->calls++;
    self->told = result;
    if (self->cancels) CHECK_STATUS(rota_future_cancel(self->outer), ROTA_OK);
    if (self->closes) CHECK_STATUS(rota_future_close(self->outer), ROTA_ERR_BUSY);
    if (self->closes_inner) CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_loop_turn(self->loop, 0, 0, 0, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_close(self->loop, 0), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_abandon(self->loop), ROTA_ERR_REENTRANT);
}

UNUSED_SAFE static int64_t maps(rota_future future, int64_t result, void *user_data) {
    scene *self = user_data;
    called(self, future, result);
    return self->passes_on ? result : self->answer;
}

UNUSED_SAFE static rota_future chains(rota_future future, int64_t result, void *user_data) {
    scene *self = user_data;
    called(self, future, result);
    return self->passes_on ? future : self->next;
}

UNUSED_SAFE static void begin(rota_loop loop, bool chain, scene *self) {
    memset(self, 0, sizeof *self);
    self->loop = loop;
    self->inner = open_future(loop);
    self->outer = chain ? rota_future_chain(self->inner, chains, self)
                        : rota_future_map(self->inner, maps, self);
    CHECK(pending(self->outer));
}

#endif
