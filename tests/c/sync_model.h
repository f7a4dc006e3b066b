/* A model of locks, conditions, reader-writer locks, semaphores, events, queues, barriers and
 * once-cells, in plain arrays: what each operation must have come to after each call. sync_model.c
 * plays it beside the library. */
#ifndef SYNC_MODEL_H
#define SYNC_MODEL_H
#include "rota_test.h"

#define CANCELLED ROTA_ERR_CANCELLED
#define SHUT ROTA_ERR_SHUT

enum { LINE_MOST = 64, ITEMS_MOST = 512, CONDITIONS = 2, EVENTS = 2, QUEUES = 3, CAPACITY = 2,
       PARTIES = 3, PLACES = 2 };

typedef struct operation operation;

typedef struct {
    operation *at[LINE_MOST];
    int count;
} line;

/* One future. Whoever waits for it, if anybody does, notes what he was told. */
struct operation {
    rota_future future, outer;
    rota_task task;
    enum { HOST, CALLBACK, TASK, LIMITED } how; /* a callback, through a time limit */
    bool awaiting; /* the task waits for it by now */
    bool pending, was_told, writes, gets, back;
    int64_t expected, came;
    int order;      /* as how many-th it was settled */
    int asked;      /* as how many-th its time limit was cancelled, which acts in the next turn */
    line *in;       /* where it waits */
    line *notified; /* the condition that sent it back to the lock */
    int item;       /* what it puts, or must have got */
    int64_t priority;
};

static int settled;

static void settle(operation *op, int64_t outcome) {
    CHECK(op->pending);
    op->pending = false;
    op->expected = outcome;
    op->order = settled++;
    op->in = NULL;
}

static void join(line *to, operation *op) {
    CHECK(to->count < LINE_MOST);
    to->at[to->count++] = op;
    op->in = to;
}

static void leave(operation *op) {
    line *from = op->in;
    int i = 0;
    while (from->at[i] != op) i++;
    memmove(&from->at[i], &from->at[i + 1], (size_t)(from->count - i - 1) * sizeof from->at[0]);
    from->count--;
    op->in = NULL;
}

static operation *first_of(line *from) {
    operation *op = from->count > 0 ? from->at[0] : NULL;
    if (op != NULL) leave(op);
    return op;
}

static void settle_all(line *from, int64_t outcome) {
    operation *op;
    while ((op = first_of(from)) != NULL) settle(op, outcome);
}

/* ---- a lock and its conditions */

static struct {
    bool locked;
    line line, conditions[CONDITIONS];
} lock_model;

static void lock_hand_over(void) {
    operation *op;
    if (lock_model.locked || (op = first_of(&lock_model.line)) == NULL) return;
    lock_model.locked = true;
    settle(op, op->back && op->notified == NULL ? CANCELLED : 0);
}

static void lock_start(operation *op) {
    join(&lock_model.line, op);
    lock_hand_over();
}

static rota_status lock_release_model(void) {
    if (!lock_model.locked) return ROTA_ERR_INVALID;
    lock_model.locked = false;
    lock_hand_over();
    return ROTA_OK;
}

static void condition_start(operation *op, int which) {
    if (!lock_model.locked) {
        settle(op, ROTA_ERR_INVALID);
        return;
    }
    join(&lock_model.conditions[which], op);
    (void)lock_release_model();
}

static void go_back(operation *op, line *notified) {
    op->back = true;
    op->notified = notified;
    join(&lock_model.line, op);
    lock_hand_over();
}

static void notify_model(line *condition, uint64_t count) {
    operation *op;
    while (count-- > 0 && (op = first_of(condition)) != NULL) go_back(op, condition);
}

static bool waits_for_condition(const operation *op) {
    return op->in >= lock_model.conditions && op->in < lock_model.conditions + CONDITIONS;
}

static void lock_close_model(void) {
    operation *op;
    int i;
    while ((op = first_of(&lock_model.line)) != NULL) settle(op, op->back ? SHUT : CANCELLED);
    /* The library goes through them from the one that was opened last. */
    for (i = CONDITIONS - 1; i >= 0; i--) settle_all(&lock_model.conditions[i], SHUT);
    lock_model.locked = false;
}

/* ---- a reader-writer lock */

static struct {
    int readers;
    bool writing;
    line line;
} rwlock_model;

static void rwlock_advance(void) {
    while (rwlock_model.line.count > 0) {
        operation *op = rwlock_model.line.at[0];
        if (rwlock_model.writing || (op->writes && rwlock_model.readers > 0)) return;
        leave(op);
        rwlock_model.writing = op->writes;
        rwlock_model.readers += !op->writes;
        settle(op, 0);
    }
}

static void rwlock_start(operation *op) {
    join(&rwlock_model.line, op);
    rwlock_advance();
}

static rota_status rwlock_release_model(bool writes) {
    if (writes ? !rwlock_model.writing : rwlock_model.readers == 0) return ROTA_ERR_INVALID;
    if (writes) rwlock_model.writing = false;
    else rwlock_model.readers--;
    rwlock_advance();
    return ROTA_OK;
}

/* ---- a bounded semaphore, events, a barrier, a once-cell */

static struct {
    int value;
    line line;
} semaphore_model;

static void semaphore_advance(void) {
    operation *op;
    while (semaphore_model.value > 0 && (op = first_of(&semaphore_model.line)) != NULL) {
        semaphore_model.value--;
        settle(op, 0);
    }
}

static struct {
    bool set, resets;
    line line;
} event_models[EVENTS];

static void event_advance(int which) {
    operation *op;
    while (event_models[which].set && (op = first_of(&event_models[which].line)) != NULL) {
        event_models[which].set = !event_models[which].resets;
        settle(op, 0);
    }
}

static line barrier_line;

static void barrier_start(operation *op) {
    int place = 0;
    join(&barrier_line, op);
    if (barrier_line.count < PARTIES) return;
    while ((op = first_of(&barrier_line)) != NULL) settle(op, place++);
}

static struct {
    enum { EMPTY, MADE, THERE } stage;
    line line;
} once_model;

static void once_start(operation *op) {
    if (once_model.stage == MADE) {
        join(&once_model.line, op);
        return;
    }
    settle(op, once_model.stage == EMPTY);
    if (once_model.stage == EMPTY) once_model.stage = MADE;
}

static rota_status once_end_model(bool made) {
    operation *op;
    if (once_model.stage != MADE) return once_model.stage == EMPTY ? ROTA_ERR_INVALID
                                                                   : ROTA_ERR_DONE;
    if (made) {
        once_model.stage = THERE;
        settle_all(&once_model.line, 0);
    } else if ((op = first_of(&once_model.line)) != NULL) {
        settle(op, 1);
    } else {
        once_model.stage = EMPTY;
    }
    return ROTA_OK;
}

/* ---- queues, one of each order */

typedef struct {
    int items[ITEMS_MOST]; /* as they were put */
    int64_t priorities[ITEMS_MOST];
    int count, unfinished;
    enum { OPEN, NO_PUTS, NO_GETS } shut;
    line putters, getters, joiners;
} queue_model;

static queue_model queue_models[QUEUES];

/* Which of them comes out next. */
static int queue_next(const queue_model *queue, uint32_t order) {
    int i, best = order == ROTA_QUEUE_LIFO ? queue->count - 1 : 0;
    if (order != ROTA_QUEUE_PRIORITY) return best;
    for (i = 1; i < queue->count; i++) {
        if (queue->priorities[i] < queue->priorities[best]) best = i;
    }
    return best;
}

static void queue_add(queue_model *queue, int item, int64_t priority) {
    operation *getter = first_of(&queue->getters);
    queue->unfinished++;
    if (getter != NULL) {
        getter->item = item;
        settle(getter, 0);
        return;
    }
    CHECK(queue->count < ITEMS_MOST);
    queue->items[queue->count] = item;
    queue->priorities[queue->count++] = priority;
}

static rota_status queue_try_put_model(queue_model *queue, int item, int64_t priority) {
    if (queue->shut != OPEN) return SHUT;
    if (queue->count >= CAPACITY) return ROTA_ERR_LIMIT;
    queue_add(queue, item, priority);
    return ROTA_OK;
}

/* Takes an item, and lets the first in who waits with one. */
static rota_status queue_try_get_model(queue_model *queue, uint32_t order, int *item) {
    int next = queue_next(queue, order), behind = queue->count - next - 1;
    operation *putter;
    if (queue->count == 0) return queue->shut == OPEN ? ROTA_ERR_PENDING : SHUT;
    *item = queue->items[next];
    memmove(&queue->items[next], &queue->items[next + 1], (size_t)behind * sizeof(int));
    memmove(&queue->priorities[next], &queue->priorities[next + 1],
            (size_t)behind * sizeof(int64_t));
    queue->count--;
    if ((putter = first_of(&queue->putters)) != NULL) {
        settle(putter, 0);
        queue_add(queue, putter->item, putter->priority);
    }
    return ROTA_OK;
}

static void put_start(operation *op, queue_model *queue) {
    rota_status status = queue_try_put_model(queue, op->item, op->priority);
    if (status == ROTA_ERR_LIMIT) join(&queue->putters, op);
    else settle(op, status);
}

static void get_start(operation *op, queue_model *queue, uint32_t order) {
    rota_status status = queue->shut == NO_GETS ? SHUT : ROTA_OK;
    if (status == ROTA_OK) status = queue_try_get_model(queue, order, &op->item);
    if (status == ROTA_ERR_PENDING) join(&queue->getters, op);
    else settle(op, status);
}

static rota_status task_done_model(queue_model *queue) {
    if (queue->unfinished == 0) return ROTA_ERR_INVALID;
    if (--queue->unfinished == 0) settle_all(&queue->joiners, 0);
    return ROTA_OK;
}

static void queue_shut_model(queue_model *queue, bool now) {
    settle_all(&queue->putters, SHUT);
    settle_all(&queue->getters, SHUT);
    if (now && queue->shut != NO_GETS) {
        /* More may have been reported done than came out. */
        queue->unfinished -= queue->count < queue->unfinished ? queue->count : queue->unfinished;
        if (queue->unfinished == 0) settle_all(&queue->joiners, 0);
    }
    if (now) queue->shut = NO_GETS;
    else if (queue->shut == OPEN) queue->shut = NO_PUTS;
}

/* ---- who is not to wait any longer */

static void cancel_model(operation *op) {
    if (waits_for_condition(op)) {
        leave(op);
        go_back(op, NULL);
    } else if (!op->back) {
        leave(op);
        settle(op, CANCELLED);
        rwlock_advance();
    }
}

/* It is closed, and nobody waits for it. */
static void forget_model(operation *op) {
    leave(op);
    op->pending = false;
    if (op->back && op->notified != NULL) notify_model(op->notified, 1);
    rwlock_advance();
}

#endif
