/* Playing a scenario with a front end, and holding the traces of several against each other. */
#ifndef FRONTENDS_PLAY_H
#define FRONTENDS_PLAY_H
#include "world.h"

static void open_world(world *self, const scenario *played, const front_end *by) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    int i;
    memset(self, 0, sizeof *self);
    self->loop = open_with(&options);
    self->played = played;
    self->by = by;
    self->begin = now_of(self->loop);
    for (i = 0; i < OBJECTS; i++) {
        CHECK_STATUS(rota_loop_open_lock(self->loop, &self->locks[i]), ROTA_OK);
        CHECK_STATUS(rota_loop_open_semaphore(self->loop, 2, 0, &self->semaphores[i]), ROTA_OK);
        CHECK_STATUS(rota_loop_open_event(self->loop, 0, &self->events[i]), ROTA_OK);
        CHECK_STATUS(rota_loop_open_queue(self->loop, 2, 0, &self->queues[i]), ROTA_OK);
        CHECK_STATUS(rota_loop_open_barrier(self->loop, 2, &self->barriers[i]), ROTA_OK);
        self->promises[i] = open_future(self->loop);
        CHECK_STATUS(rota_future_keep(self->promises[i]), ROTA_OK);
    }
    for (i = 0; i < ACTORS_MAX; i++) {
        self->actors[i].world = self;
        self->actors[i].number = i;
        self->actors[i].steps = played->steps[i];
    }
}

static int is_over(const world *self) {
    int i;
    for (i = 0; i < ACTORS_MAX; i++)
        if (self->actors[i].spawned && !self->actors[i].ended) return 0;
    return 1;
}

/* Runs until every actor has ended. Where nothing goes on, all that are left are asked to. */
static void run_world(world *self) {
    int i, rounds, stuck = 0;
    for (i = 0; i < self->played->first; i++) {
        self->actors[i].spawned = 1;
        self->by->spawn(&self->actors[i]);
    }
    for (rounds = 0; !is_over(self); rounds++) {
        uint64_t next = 0;
        CHECK(rounds < 10000);
        CHECK_STATUS(rota_loop_get_next_deadline(self->loop, &next), ROTA_OK);
        if (next == ROTA_FOREVER) {
            CHECK(stuck++ < 2 * STEPS_MAX);
            note(self, "stuck\n");
            for (i = 0; i < ACTORS_MAX; i++)
                if (self->actors[i].spawned && !self->actors[i].ended)
                    CHECK_STATUS(self->by->cancel(&self->actors[i]), ROTA_OK);
        }
        self->by->turn(self);
    }
}

static void close_world(world *self) {
    int i;
    for (i = 0; i < OBJECTS; i++) {
        void *item;
        while (rota_queue_try_get(self->queues[i], &item) == ROTA_OK)
            note(self, "left in queue %d: %d\n", i, (int)(uintptr_t)item);
        (void)rota_lock_close(self->locks[i]);
        (void)rota_semaphore_close(self->semaphores[i]);
        (void)rota_event_close(self->events[i]);
        (void)rota_queue_close(self->queues[i]);
        (void)rota_barrier_close(self->barriers[i]);
        (void)rota_future_close(self->promises[i]);
    }
    for (i = 0; i < ACTORS_MAX; i++) {
        (void)rota_future_close(self->actors[i].end);
        (void)rota_task_detach(self->actors[i].task);
    }
    close_clean(self->loop);
}

/* The trace of a scenario with one front end; it lives until the next call for the same `slot`. */
static const char *play(const scenario *played, const front_end *by, int slot) {
    static world worlds[8];
    world *self = &worlds[slot];
    open_world(self, played, by);
    run_world(self);
    close_world(self);
    return self->trace;
}

/* Plays it with all front ends: their traces have to be equal. How many lines they have. */
static int play_all(const scenario *played, const front_end *const *front_ends, int count) {
    const char *first = play(played, front_ends[0], 0), *at = first;
    int i, lines = 0;
    for (i = 1; i < count; i++) {
        const char *other = play(played, front_ends[i], 1);
        if (strcmp(first, other) != 0)
            test_fail(__FILE__, __LINE__, "%s: %s wrote\n%s\n%s wrote\n%s", played->name,
                      front_ends[0]->name, first, front_ends[i]->name, other);
    }
    for (; *at != '\0'; at++) lines += *at == '\n';
    return lines;
}

#endif
