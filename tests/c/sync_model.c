/* Everything of the room of locks and queues beside a model in plain arrays (sync_model.h): random
 * operations, of callbacks, of tasks, through time limits and of nobody, random cancels and
 * closings, from fixed seeds.
 * After each call every future is as the model says; whoever waits is told so once, in the order in
 * which the futures were done. So no permit, no item and no notification is lost or made, there is
 * one writer at most, and lines are first come, first served. */
#include "sync_model.h"

enum { SEEDS = 120, STEPS = 300, LIVE_MOST = 40 };

static rota_loop loop;
static rota_lock lock;
static rota_condition conditions[CONDITIONS];
static rota_rwlock rwlock;
static rota_semaphore semaphore;
static rota_event events[EVENTS];
static rota_barrier barrier;
static rota_once once;
static rota_queue queues[QUEUES];
static const uint32_t orders[QUEUES] = {ROTA_QUEUE_FIFO, ROTA_QUEUE_LIFO, ROTA_QUEUE_PRIORITY};

static operation *live[LIVE_MOST];
static int live_count, told_last, next_item, asked_count;
static bool closing; /* tasks are asked before callbacks then: no order is promised */
static char items[STEPS * 4];
static uint64_t state;

static uint64_t below(uint64_t count) { return test_random(&state) % count; }

/* ---- opening and closing */

static void open_locks(void) {
    int i;
    CHECK_STATUS(rota_loop_open_lock(loop, &lock), ROTA_OK);
    for (i = 0; i < CONDITIONS; i++) {
        CHECK_STATUS(rota_loop_open_condition(loop, lock, &conditions[i]), ROTA_OK);
    }
}

static void open_queue(int which) {
    CHECK_STATUS(rota_loop_open_queue(loop, CAPACITY, orders[which], &queues[which]), ROTA_OK);
    memset(&queue_models[which], 0, sizeof queue_models[which]);
}

static void open_all(uint64_t seed) {
    int i;
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    live_count = next_item = settled = asked_count = 0;
    told_last = -1;
    closing = false;
    loop = open_jump();
    memset(&lock_model, 0, sizeof lock_model);
    memset(&rwlock_model, 0, sizeof rwlock_model);
    memset(&semaphore_model, 0, sizeof semaphore_model);
    memset(&once_model, 0, sizeof once_model);
    memset(event_models, 0, sizeof event_models);
    memset(&barrier_line, 0, sizeof barrier_line);
    open_locks();
    for (i = 0; i < QUEUES; i++) open_queue(i);
    for (i = 0; i < EVENTS; i++) {
        event_models[i].resets = i == 1;
        CHECK_STATUS(rota_loop_open_event(loop, (uint32_t)i, &events[i]), ROTA_OK);
    }
    semaphore_model.value = PLACES;
    CHECK_STATUS(rota_loop_open_rwlock(loop, &rwlock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_semaphore(loop, PLACES, ROTA_SEMAPHORE_BOUNDED, &semaphore), 0);
    CHECK_STATUS(rota_loop_open_barrier(loop, PARTIES, &barrier), ROTA_OK);
    CHECK_STATUS(rota_loop_open_once(loop, &once), ROTA_OK);
}

/* Ends something with all who wait there, and puts a new one in its place. */
static void close_and_reopen(void) {
    int i = (int)below(QUEUES);
    switch (below(6)) {
    case 0:
        CHECK_STATUS(rota_lock_close(lock), ROTA_OK);
        lock_close_model();
        for (i = 0; i < CONDITIONS; i++) CHECK_STATUS(rota_condition_close(conditions[i]), 0);
        open_locks();
        break;
    case 1: /* those who were notified go on */
        CHECK_STATUS(rota_condition_close(conditions[1]), ROTA_OK);
        settle_all(&lock_model.conditions[1], SHUT);
        CHECK_STATUS(rota_loop_open_condition(loop, lock, &conditions[1]), ROTA_OK);
        for (i = 0; i < lock_model.line.count; i++) {
            operation *op = lock_model.line.at[i];
            /* Theirs is not the new one: should they be closed, nobody is notified instead. */
            static line ended;
            if (op->notified == &lock_model.conditions[1]) op->notified = &ended;
        }
        break;
    case 2:
        CHECK_STATUS(rota_rwlock_close(rwlock), ROTA_OK);
        settle_all(&rwlock_model.line, CANCELLED);
        rwlock_model.readers = rwlock_model.writing = 0;
        CHECK_STATUS(rota_loop_open_rwlock(loop, &rwlock), ROTA_OK);
        break;
    case 3:
        CHECK_STATUS(rota_queue_close(queues[i]), ROTA_OK);
        settle_all(&queue_models[i].putters, CANCELLED);
        settle_all(&queue_models[i].getters, CANCELLED);
        settle_all(&queue_models[i].joiners, CANCELLED);
        open_queue(i);
        break;
    case 4:
        CHECK_STATUS(rota_once_close(once), ROTA_OK);
        settle_all(&once_model.line, CANCELLED);
        once_model.stage = EMPTY;
        CHECK_STATUS(rota_loop_open_once(loop, &once), ROTA_OK);
        break;
    default:
        CHECK_STATUS(rota_barrier_reset(barrier), ROTA_OK);
        settle_all(&barrier_line, CANCELLED);
    }
}

/* ---- who waits */

static void note(operation *op, int64_t result, bool in_order) {
    CHECK(!op->was_told);
    op->was_told = true;
    op->came = result;
    if (!in_order || closing) return;
    CHECK(op->order > told_last);
    told_last = op->order;
}

static void on_done(rota_future future, int64_t result, void *user_data) {
    (void)future;
    note(user_data, result, true);
}

static void on_outer_done(rota_future future, int64_t result, void *user_data) {
    (void)future;
    note(user_data, result, false); /* it takes a step of its own, and so comes later */
}

static int64_t awaits(rota_task task, void *user_data) {
    operation *op = user_data;
    bool waits = op->pending;
    (void)task;
    op->awaiting = true;
    note(op, rota_await(op->future), waits);
    return 0;
}

static void begin(operation *op, rota_future future) {
    op->future = future;
    CHECK_STATUS(rota_future_keep(future), ROTA_OK);
    op->how = (int)below(op->gets ? 3 : 4);
    if (op->how == CALLBACK) {
        CHECK_STATUS(rota_future_then(future, on_done, op), ROTA_OK);
    } else if (op->how == TASK) {
        op->task = spawn(loop, awaits, op);
        CHECK_STATUS(rota_task_detach(op->task), ROTA_OK);
    } else if (op->how == LIMITED) {
        op->outer = rota_future_wait_for(future, ROTA_FOREVER);
        CHECK_STATUS(rota_future_then(op->outer, on_outer_done, op), ROTA_OK);
    }
    live[live_count++] = op;
}

static void start_on_queue(operation *op) {
    int which = (int)below(QUEUES);
    queue_model *queue = &queue_models[which];
    switch (below(5)) {
    case 0:
    case 1:
        op->item = next_item++;
        op->priority = orders[which] == ROTA_QUEUE_PRIORITY ? (int64_t)below(3) - 1 : 0;
        put_start(op, queue);
        begin(op, op->priority == 0
                      ? rota_queue_put(queues[which], &items[op->item])
                      : rota_queue_put_priority(queues[which], &items[op->item], op->priority));
        break;
    case 2:
        if (queue->unfinished == 0) settle(op, 0);
        else join(&queue->joiners, op);
        begin(op, rota_queue_join(queues[which]));
        break;
    default:
        op->gets = true;
        get_start(op, queue, orders[which]);
        begin(op, rota_queue_get(queues[which]));
    }
}

static void start_one(void) {
    operation *op = calloc(1, sizeof *op);
    int which = (int)below(2);
    CHECK(op != NULL);
    op->pending = true;
    op->writes = below(3) == 0;
    switch (below(10)) {
    case 0: lock_start(op), begin(op, rota_lock_acquire(lock)); break;
    case 1:
    case 2: condition_start(op, which), begin(op, rota_condition_wait(conditions[which])); break;
    case 3:
        rwlock_start(op);
        begin(op, op->writes ? rota_rwlock_acquire_write(rwlock)
                             : rota_rwlock_acquire_read(rwlock));
        break;
    case 4:
        join(&semaphore_model.line, op), semaphore_advance();
        begin(op, rota_semaphore_acquire(semaphore));
        break;
    case 5:
        join(&event_models[which].line, op), event_advance(which);
        begin(op, rota_event_wait(events[which]));
        break;
    case 6: barrier_start(op), begin(op, rota_barrier_wait(barrier)); break;
    case 7: once_start(op), begin(op, rota_once_begin(once)); break;
    default: start_on_queue(op);
    }
}

/* ---- what the others do */

static void act_on_queue(void) {
    int which = (int)below(QUEUES), item = -1;
    queue_model *queue = &queue_models[which];
    void *got = NULL;
    switch (below(8)) {
    case 0:
    case 1:
        CHECK_STATUS(rota_queue_try_put(queues[which], &items[next_item]),
                     queue_try_put_model(queue, next_item, 0));
        next_item++;
        break;
    case 2:
    case 3:
    case 4:
        CHECK_STATUS(rota_queue_try_get(queues[which], &got),
                     queue_try_get_model(queue, orders[which], &item));
        CHECK(got == (item < 0 ? NULL : &items[item]));
        break;
    case 5:
        if (below(4) > 0) break;
        queue_shut_model(queue, below(2) == 0);
        if (queue->shut == NO_GETS) CHECK_STATUS(rota_queue_shutdown_now(queues[which]), 0);
        else CHECK_STATUS(rota_queue_shutdown(queues[which]), ROTA_OK);
        break;
    default: CHECK_STATUS(rota_queue_task_done(queues[which]), task_done_model(queue));
    }
}

static void act(void) {
    int which = (int)below(2);
    uint64_t count = below(4);
    switch (below(11)) {
    case 0:
    case 1: CHECK_STATUS(rota_lock_release(lock), lock_release_model()); break;
    case 2:
        notify_model(&lock_model.conditions[which], count == 0 ? UINT64_MAX : count);
        if (count == 0) CHECK_STATUS(rota_condition_notify_all(conditions[which]), ROTA_OK);
        else CHECK_STATUS(rota_condition_notify(conditions[which], (size_t)count), ROTA_OK);
        break;
    case 3: CHECK_STATUS(rota_rwlock_release_read(rwlock), rwlock_release_model(false)); break;
    case 4: CHECK_STATUS(rota_rwlock_release_write(rwlock), rwlock_release_model(true)); break;
    case 5:
        CHECK_STATUS(rota_semaphore_release(semaphore),
                     semaphore_model.value == PLACES ? ROTA_ERR_LIMIT : ROTA_OK);
        semaphore_model.value += semaphore_model.value < PLACES;
        semaphore_advance();
        break;
    case 6:
        CHECK_STATUS(rota_event_set(events[which]), ROTA_OK);
        event_models[which].set = true;
        event_advance(which);
        break;
    case 7:
        CHECK_STATUS(rota_event_clear(events[which]), ROTA_OK);
        event_models[which].set = false;
        break;
    case 8:
        if (which == 0) CHECK_STATUS(rota_once_set(once, items, NULL), once_end_model(true));
        else CHECK_STATUS(rota_once_give_up(once), once_end_model(false));
        break;
    default: act_on_queue();
    }
}

static void drop(int which) {
    free(live[which]);
    live[which] = live[--live_count];
}

/* One is not to wait any longer: it is cancelled, or the task that awaits it, or it is closed. */
static void end_one(void) {
    int which;
    operation *op;
    if (live_count == 0) return;
    op = live[which = (int)below((uint64_t)live_count)];
    if (op->how == TASK && below(2) == 0) {
        if (!op->awaiting || op->was_told) return;
        CHECK_STATUS(rota_task_cancel(op->task), ROTA_OK);
        if (op->pending) cancel_model(op); /* else it is told what is ready all the same */
    } else if (op->how == LIMITED && below(2) == 0) {
        if (op->asked > 0 || !op->pending) return;
        CHECK_STATUS(rota_future_cancel(op->outer), ROTA_OK);
        op->asked = ++asked_count;
    } else if (op->how == HOST && op->pending && below(2) == 0) {
        CHECK_STATUS(rota_future_close(op->future), ROTA_OK);
        forget_model(op);
        drop(which);
    } else {
        CHECK_STATUS(rota_future_cancel(op->future), op->pending ? ROTA_OK : ROTA_ERR_DONE);
        if (op->pending) cancel_model(op);
    }
}

/* ---- comparing */

static void check_objects(void) {
    uint32_t readers = 99;
    uint64_t value = 99;
    bool is = false;
    size_t size = 99;
    int i;
    CHECK_STATUS(rota_lock_is_locked(lock, &is), ROTA_OK);
    CHECK_EQ(is, lock_model.locked);
    CHECK_STATUS(rota_rwlock_get_readers(rwlock, &readers), ROTA_OK);
    CHECK_EQ(readers, rwlock_model.readers);
    CHECK_STATUS(rota_rwlock_is_writing(rwlock, &is), ROTA_OK);
    CHECK_EQ(is, rwlock_model.writing);
    CHECK_STATUS(rota_semaphore_get_value(semaphore, &value), ROTA_OK);
    CHECK_EQ(value, semaphore_model.value);
    CHECK_STATUS(rota_barrier_get_waiting(barrier, &readers), ROTA_OK);
    CHECK_EQ(readers, barrier_line.count);
    for (i = 0; i < EVENTS; i++) {
        CHECK_STATUS(rota_event_is_set(events[i], &is), ROTA_OK);
        CHECK_EQ(is, event_models[i].set);
    }
    for (i = 0; i < QUEUES; i++) {
        CHECK_STATUS(rota_queue_get_size(queues[i], &size), ROTA_OK);
        CHECK_EQ(size, queue_models[i].count);
    }
}

/* Every future is as the model says; those that are done, and whose waiter has heard, go. */
static void check_all(void) {
    int i;
    check_objects();
    for (i = live_count - 1; i >= 0; i--) {
        operation *op = live[i];
        rota_outcome outcome;
        rota_status status = rota_future_get_outcome(op->future, &outcome);
        CHECK_STATUS(status, op->pending ? ROTA_ERR_PENDING : ROTA_OK);
        if (op->was_told) CHECK_EQ(op->came, op->expected);
        if (op->pending) continue;
        CHECK_EQ(outcome.status < 0 ? outcome.status : outcome.value, op->expected);
        if (op->how != HOST && !op->was_told) continue;
        if (op->gets && op->expected == 0) {
            void *item = NULL;
            CHECK_STATUS(rota_future_take_result(op->future, &item), ROTA_OK);
            CHECK(item == &items[op->item]);
        }
        CHECK_STATUS(rota_future_close(op->future), ROTA_OK);
        drop(i);
    }
}

/* A turn: those whose time limits were cancelled are asked now, in order. */
static void play_turn(void) {
    for (;;) {
        operation *next = NULL;
        int i;
        for (i = 0; i < live_count; i++) {
            operation *op = live[i];
            if (op->asked > 0 && (next == NULL || op->asked < next->asked)) next = op;
        }
        if (next == NULL) break;
        next->asked = 0;
        if (next->pending) cancel_model(next);
    }
    (void)turn(loop);
}

static void play(uint64_t seed) {
    int step;
    open_all(seed);
    for (step = 0; step < STEPS; step++) {
        uint64_t dice = below(100);
        if (dice < 45 && live_count < LIVE_MOST) start_one();
        else if (dice < 75) act();
        else if (dice < 88) end_one();
        else if (dice < 90) close_and_reopen();
        else play_turn();
        check_all();
    }
}

TEST(every_future_is_as_the_model_says) {
    uint64_t seed;
    for (seed = 1; seed <= SEEDS; seed++) {
        int i;
        play(seed);
        /* Whoever waits still is cancelled, and has the lock in his turn. */
        play_turn();
        turns(loop, 3);
        for (i = 0; i < live_count; i++) {
            if (live[i]->pending) cancel_model(live[i]), (void)rota_future_cancel(live[i]->future);
        }
        while (lock_model.locked) CHECK_STATUS(rota_lock_release(lock), lock_release_model());
        turns(loop, 3);
        check_all();
        CHECK_EQ(live_count, 0);
        close_clean(loop);
    }
}

TEST(a_loop_that_closes_with_all_that_ends_everybody_once) {
    uint64_t seed;
    for (seed = 1; seed <= SEEDS; seed++) {
        play(seed + 1000);
        closing = true;
        CHECK_STATUS(rota_loop_close(loop, ROTA_FOREVER), ROTA_OK);
        while (live_count > 0) {
            CHECK(live[0]->how == HOST || live[0]->was_told);
            drop(0);
        }
    }
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(every_future_is_as_the_model_says);
    RUN(a_loop_that_closes_with_all_that_ends_everybody_once);
    return test_end();
}
