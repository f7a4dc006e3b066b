/* Scenarios made from a seed. */
#ifndef FRONTENDS_RANDOM_H
#define FRONTENDS_RANDOM_H
#include "world.h"

static int pick(uint64_t *seed, int count) { return (int)(test_random(seed) % (uint64_t)count); }

static step random_step(uint64_t *seed, int self, int actors) {
    static const kind often[] = {SLEEP, SLEEP, SLEEP, ACQUIRE, RELEASE, ENTER, LEAVE, PUT, PUT,
                               GET, GET, WAIT_FOR_EVENT, SET, CLEAR, MEET, AWAIT, COMPLETE, BREAK,
                               JOIN, YIELD, YIELD, CANCEL, CANCEL, UNCANCEL, SHUT};
    step made;
    memset(&made, 0, sizeof made);
    made.op = often[pick(seed, (int)COUNT(often))];
    if (made.op == SHUT && pick(seed, 4) != 0) made.op = SLEEP;
    made.object = pick(seed, OBJECTS);
    made.value = made.op == SLEEP ? 10 * pick(seed, 5) : 1 + pick(seed, 100);
    made.keep = pick(seed, 3) > 0;
    if (made.op == BREAK) made.value = ROTA_STATUS_HOST - made.value;
    if (made.op == JOIN || made.op == CANCEL) {
        made.object = pick(seed, actors);
        if (made.op == JOIN && made.object == self) made.op = YIELD;
    }
    /* A time for a join or a promise would be a claim on it, which others can see. */
    if (made.op != JOIN && made.op != AWAIT && made.op != YIELD && pick(seed, 3) == 0)
        made.ms = 10 * (1 + pick(seed, 4));
    return made;
}

static void make_random(scenario *made, uint64_t seed) {
    int actors, i, j;
    seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    memset(made, 0, sizeof *made);
    made->name = "random";
    actors = 2 + pick(&seed, 5);
    made->first = actors;
    for (i = 0; i < actors; i++) {
        int steps = 3 + pick(&seed, STEPS_MAX - 6);
        for (j = 0; j < steps; j++) made->steps[i][j] = random_step(&seed, i, actors);
    }
    if (pick(&seed, 2) == 0) { /* the last is spawned by the first */
        step *first = &made->steps[0][0];
        made->first = actors - 1;
        memset(first, 0, sizeof *first);
        first->op = SPAWN;
        first->object = actors - 1;
    }
}

#endif
