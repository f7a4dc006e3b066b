/* Post chains: a callback that queues itself again. One chain keeps one entry
 * in the queue, a thousand chains make turns of a thousand callbacks. */
#include "bench.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { WARM_UP = 10000, MANY = 1000 };

typedef struct {
    uint64_t left;    /* callbacks still to come */
    uint64_t warm_up; /* callbacks until the figures count */
    bool over;
    rota_loop loop;
    struct ring *ring;
} chain;

/* ---- rota */

static void rota_link(rota_loop loop, rota_status status, void *user_data) {
    chain *c = user_data;
    if (status != ROTA_OK || c->over) return;
    if (c->warm_up > 0) {
        if (--c->warm_up == 0) bench_begin();
    } else if (--c->left == 0) {
        bench_end();
        c->over = true;
        rota_loop_stop(loop);
    }
    rota_loop_call_soon(loop, rota_link, c, NULL);
}

static void rota_chains(uint64_t operations, int chains) {
    rota_loop loop = bench_loop_open();
    chain c = {.left = operations, .warm_up = WARM_UP};
    for (int n = 0; n < chains; n++) {
        bench_check(rota_loop_call_soon(loop, rota_link, &c, NULL) == ROTA_OK);
    }
    bench_check(rota_loop_run(loop) == ROTA_OK);
    bench_check(c.over && c.left == 0);
    bench_loop_close(loop);
}

static void rota_one(uint64_t operations) { rota_chains(operations, 1); }
static void rota_many(uint64_t operations) { rota_chains(operations, MANY); }

/* ---- by hand: a ring of function pointers, and epoll asked as seldom as rota asks it */

enum { RING = 2048, TURNS_PER_POLL = 64, CALLBACKS_PER_POLL = 256 };

typedef struct ring {
    struct {
        void (*call)(chain *);
        chain *user_data;
    } slots[RING];
    uint32_t head, tail;
    bool stop;
} ring;

static void ring_push(ring *r, void (*call)(chain *), chain *c) {
    r->slots[r->tail % RING].call = call;
    r->slots[r->tail++ % RING].user_data = c;
}

static void hand_link(chain *c) {
    if (c->over) return;
    if (c->warm_up > 0) {
        if (--c->warm_up == 0) bench_begin();
    } else if (--c->left == 0) {
        bench_end();
        c->over = true;
        c->ring->stop = true;
    }
    ring_push(c->ring, hand_link, c);
}

static void hand_chains(uint64_t operations, int chains) {
    static ring r;
    chain c = {.left = operations, .warm_up = WARM_UP, .ring = &r};
    int poll = epoll_create1(0);
    uint32_t turns = 0, callbacks = 0;
    r.stop = false;
    r.head = r.tail = 0;
    for (int n = 0; n < chains; n++) ring_push(&r, hand_link, &c);
    while (!r.stop) {
        if (++turns >= TURNS_PER_POLL || callbacks >= CALLBACKS_PER_POLL) {
            struct epoll_event event;
            bench_check(epoll_wait(poll, &event, 1, 0) == 0);
            turns = callbacks = 0;
        }
        uint32_t batch = r.tail - r.head;
        callbacks += batch;
        while (batch-- > 0) {
            uint32_t at = r.head++ % RING;
            r.slots[at].call(r.slots[at].user_data);
        }
    }
    bench_check(c.over && c.left == 0);
    close(poll);
}

static void hand_one(uint64_t operations) { hand_chains(operations, 1); }
static void hand_many(uint64_t operations) { hand_chains(operations, MANY); }

const bench_entry bench_posts[] = {
    {"post_chain", "rota", 5000000, rota_one},
    {"post_chain", "hand", 5000000, hand_one},
    {"post_chains_1000", "rota", 5000000, rota_many},
    {"post_chains_1000", "hand", 5000000, hand_many},
    {0},
};
