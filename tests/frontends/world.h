/* One scenario, every front end.
 *
 * A scenario is a table of actors, each a list of steps: sleep, take a lock, put into a queue, join
 * another actor, ask it to end, ... Five interpreters play it: with callbacks, with completions
 * that the host drains, as stepped tasks, as stackful tasks, and as C++20 coroutines. Each step
 * is begun and read by the code in this file; the interpreters differ in how they *wait* only.
 * They write a trace, a line for each step with its time and its outcome, and all traces of a
 * scenario have to be equal.
 */
#ifndef FRONTENDS_WORLD_H
#define FRONTENDS_WORLD_H
#include "rota_test.h"

#define ACTORS_MAX 8
#define STEPS_MAX 24
#define OBJECTS 3

typedef enum {
    END, /* of the list: the actor ends with 0 */
    /* what takes time; `ms` is a time limit for it, 0 is none */
    SLEEP,   /* value: ms */
    ACQUIRE, /* the lock `object` */
    ENTER,   /* the semaphore `object`, of two places */
    WAIT_FOR_EVENT,
    PUT, /* `value` into the queue `object`, which holds two */
    GET,
    MEET,  /* at the barrier `object`, of two parties */
    AWAIT, /* the promise `object` */
    JOIN,  /* the actor `object` */
    YIELD,
    /* what does not */
    RELEASE,
    LEAVE,
    SET,
    CLEAR,
    SHUT,     /* the queue `object` */
    COMPLETE, /* the promise `object` with `value` */
    BREAK,    /* fails it with `value` */
    SPAWN,    /* the actor `object` */
    CANCEL,
    UNCANCEL, /* oneself */
    RETURN    /* ends the actor with `value` */
} kind;

typedef struct {
    kind op;
    int object;
    int64_t value;
    int ms;
    int keep; /* goes on although it failed */
} step;

typedef struct {
    const char *name;
    int first; /* so many actors are spawned at the beginning */
    step steps[ACTORS_MAX][STEPS_MAX];
} scenario;

struct world;
struct actor;

/* How one front end runs actors. */
typedef struct {
    const char *name;
    void (*spawn)(struct actor *actor);
    rota_future (*join)(struct actor *actor);
    rota_status (*cancel)(struct actor *actor);
    uint32_t (*uncancel)(struct actor *actor);
    void (*turn)(struct world *world);
} front_end;

typedef struct actor {
    struct world *world;
    const step *steps;
    int number, at;
    int spawned, ended;
    rota_future future; /* of the step that takes time */
    rota_task task;     /* where the front end has tasks */
    /* The rest belongs to those that have none: handmade.h. */
    rota_future end;
    struct actor *joined;
    int joins, gone, parked;
    uint32_t requests, due, passed_on, round;
} actor;

typedef struct world {
    rota_loop loop;
    const scenario *played;
    const front_end *by;
    actor actors[ACTORS_MAX];
    rota_lock locks[OBJECTS];
    rota_semaphore semaphores[OBJECTS];
    rota_event events[OBJECTS];
    rota_queue queues[OBJECTS];
    rota_barrier barriers[OBJECTS];
    rota_future promises[OBJECTS];
    int claims[OBJECTS]; /* who waits for a promise */
    uint32_t round;
    uint64_t begin;
    char trace[16384];
    size_t length;
} world;

/* ---- the trace */

__attribute__((format(printf, 2, 3))) static void note(world *self, const char *format, ...) {
    size_t room = sizeof self->trace - self->length;
    int length;
    va_list arguments;
    va_start(arguments, format);
    length = vsnprintf(self->trace + self->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) test_fail(__FILE__, __LINE__, "the trace is full");
    self->length += (size_t)length;
}

static const char *op_name(kind which) {
    static const char *const names[] = {
        "end", "sleep", "acquire", "enter", "wait", "put", "get", "meet", "await", "join", "yield",
        "release", "leave", "set", "clear", "shut", "complete", "break", "spawn", "cancel",
        "uncancel", "return"};
    return names[which];
}

static void note_step(const actor *self, kind which, int64_t status, int64_t value,
                      uint64_t moved) {
    world *all = self->world;
    note(all, "%" PRIu64 "us a%d.%d %s", (now_of(all->loop) - all->begin) / 1000, self->number,
         self->at, op_name(which));
    if (status < 0)
        note(all, " %s", status > ROTA_STATUS_HOST ? status_name(status) : told(status));
    else
        note(all, " %" PRId64, value);
    note(all, moved > 0 ? " moved %" PRIu64 "\n" : "\n", moved);
}

/* ---- what takes time */

static int takes_time(const step *now) { return now->op >= SLEEP && now->op <= YIELD; }

/* Begins it; the future is the interpreter's to wait for. Not for YIELD. */
static rota_future begin_step(actor *self) {
    world *all = self->world;
    const step *now = &self->steps[self->at];
    rota_future future;
    future.id = 0;
    switch (now->op) {
        case SLEEP:
            future = rota_loop_sleep(all->loop, (uint64_t)now->value * MILLISECOND);
            break;
        case ACQUIRE:
            future = rota_lock_acquire(all->locks[now->object]);
            break;
        case ENTER:
            future = rota_semaphore_acquire(all->semaphores[now->object]);
            break;
        case WAIT_FOR_EVENT:
            future = rota_event_wait(all->events[now->object]);
            break;
        case PUT:
            future = rota_queue_put(all->queues[now->object], (void *)(uintptr_t)now->value);
            break;
        case GET:
            future = rota_queue_get(all->queues[now->object]);
            break;
        case MEET:
            future = rota_barrier_wait(all->barriers[now->object]);
            break;
        case AWAIT:
            future = all->promises[now->object];
            break;
        case JOIN:
            future = all->by->join(&all->actors[now->object]);
            break;
        default:
            CHECK(0);
    }
    /* Times are a little odd, so that they never end together with a sleep: who comes first then
     * is a question of turns, in which the drained front end is a little behind by its nature. */
    if (now->ms > 0) {
        uint64_t odd = (uint64_t)(self->number * STEPS_MAX + self->at + 1) * 1000;
        future = rota_future_wait_for(future, (uint64_t)now->ms * MILLISECOND + odd);
    }
    self->future = future;
    return future;
}

/* Reads what it came to. Whether the actor goes on; if not, it ends with `*result`. */
static int end_step(actor *self, const rota_outcome *outcome, int64_t *result) {
    const step *now = &self->steps[self->at];
    int64_t value = outcome->value;
    if (now->op == GET && outcome->status == ROTA_OK) {
        void *item = NULL;
        CHECK_STATUS(rota_future_take_result(self->future, &item), ROTA_OK);
        value = (int64_t)(uintptr_t)item;
    }
    note_step(self, now->op, outcome->status, value, outcome->moved_bytes);
    self->future.id = 0;
    self->at++;
    *result = outcome->status;
    return outcome->status >= 0 || now->keep;
}

/* ---- what does not */

static void do_step(actor *self) {
    world *all = self->world;
    const step *now = &self->steps[self->at];
    int64_t answer = 0;
    switch (now->op) {
        case RELEASE:
            answer = rota_lock_release(all->locks[now->object]);
            break;
        case LEAVE:
            answer = rota_semaphore_release(all->semaphores[now->object]);
            break;
        case SET:
            answer = rota_event_set(all->events[now->object]);
            break;
        case CLEAR:
            answer = rota_event_clear(all->events[now->object]);
            break;
        case SHUT:
            answer = rota_queue_shutdown(all->queues[now->object]);
            break;
        case COMPLETE:
            answer = rota_future_complete(all->promises[now->object], now->value);
            break;
        case BREAK:
            answer = rota_future_fail(all->promises[now->object], (int32_t)now->value, "broken");
            break;
        case SPAWN:
            CHECK(!all->actors[now->object].spawned);
            all->actors[now->object].spawned = 1;
            all->by->spawn(&all->actors[now->object]);
            break;
        case CANCEL:
            answer = all->by->cancel(&all->actors[now->object]);
            break;
        case UNCANCEL:
            answer = (int64_t)all->by->uncancel(self);
            break;
        default:
            CHECK(0);
    }
    note_step(self, now->op, answer, answer, 0);
    self->at++;
}

/* Does steps until one takes time, or the actor ends with `*result`: whether it goes on. */
static int go_on(actor *self, int64_t *result) {
    for (;;) {
        const step *now = &self->steps[self->at];
        if (takes_time(now)) return 1;
        if (now->op == END || now->op == RETURN) {
            *result = now->op == END ? 0 : now->value;
            return 0;
        }
        do_step(self);
    }
}

static int64_t end_actor(actor *self, int64_t result) {
    note_step(self, END, result, result, 0);
    self->ended = 1;
    return result;
}

#endif
