/* In the steady state nothing is allocated: not by the loop, not by anything behind it.
 *
 * With glibc this program's malloc stands before the system's, so that every allocation of the
 * process is counted; elsewhere only the loop's own are, through its allocator hooks.
 */
#include "rota_peer.h"

#include <stdatomic.h>

static atomic_size_t allocations; /* of the process */
static size_t hooked;             /* of the loop, through its hooks */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *block);

void *malloc(size_t size) {
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t align, size_t size) {
    atomic_fetch_add(&allocations, 1);
    return __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size) {
    atomic_fetch_add(&allocations, 1);
    *out = __libc_memalign(align, size);
    return *out == NULL ? ENOMEM : 0;
}

void free(void *block) { __libc_free(block); }
#endif

static void *hook_alloc(size_t size, size_t align, void *user_data) {
    (void)user_data;
    hooked++;
    if (align < 16) align = 16;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void *hook_realloc(void *block, size_t old_size, size_t new_size, size_t align,
                          void *user_data) {
    void *larger = hook_alloc(new_size, align, user_data);
    if (larger == NULL) return NULL;
    memcpy(larger, block, old_size < new_size ? old_size : new_size);
    free(block);
    return larger;
}

static void hook_free(void *block, size_t size, size_t align, void *user_data) {
    (void)size, (void)align, (void)user_data;
    free(block);
}

static rota_loop open_counting(uint32_t clock) {
    rota_loop_options options = loop_options(clock);
    options.allocator.alloc = hook_alloc;
    options.allocator.realloc = hook_realloc;
    options.allocator.dealloc = hook_free;
    return open_with(&options);
}

enum { WARM = 1000, MEASURED = 4000 };

/* Whether the system's own selector is below: it has a descriptor. mio's fallback on poll has none,
 * and allocates in each turn, which is a dependency's affair. */
static bool has_selector(rota_loop loop) {
    int64_t descriptor = -1;
    return rota_loop_get_descriptor(loop, &descriptor) == ROTA_OK &&
           fcntl((int)descriptor, F_GETFD) >= 0;
}

/* Runs a round often enough to warm up, and then so often without one allocation. */
static void expect_steady(rota_loop loop, void (*round)(rota_loop)) {
    size_t before, hooked_before;
    int i;
    for (i = 0; i < WARM; i++) round(loop);
    before = atomic_load(&allocations);
    hooked_before = hooked;
    CHECK(hooked > 0); /* the counting works: opening the loop has allocated */
    for (i = 0; i < MEASURED; i++) round(loop);
    CHECK_EQ(hooked - hooked_before, 0);
    if (has_selector(loop)) CHECK_EQ(atomic_load(&allocations) - before, 0);
}

static void counts(rota_loop loop, rota_status status, void *user_data) {
    (void)loop, (void)status;
    if (user_data != NULL) ++*(int *)user_data;
}

static void call_round(rota_loop loop) {
    rota_call call;
    (void)rota_loop_call_soon(loop, counts, NULL, NULL);
    (void)rota_loop_call_soon(loop, counts, NULL, &call);
    (void)rota_call_cancel(call);
    (void)rota_loop_turn(loop, 0, 0, 0, NULL);
}

TEST(calls_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    expect_steady(loop, call_round);
    close_clean(loop);
}

static void post_round(rota_loop loop) {
    int done = 0;
    CHECK_STATUS(rota_loop_post(loop, counts, &done), ROTA_OK);
    CHECK_STATUS(rota_loop_post(loop, counts, &done), ROTA_OK);
    while (done < 2) (void)rota_loop_turn(loop, 0, 0, 0, NULL);
}

TEST(posts_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    expect_steady(loop, post_round);
    close_clean(loop);
}

static void ignores_timer(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)status, (void)user_data;
}

static void timer_round(rota_loop loop) {
    rota_timer far, near;
    (void)rota_loop_call_later(loop, HOUR, ignores_timer, NULL, &far);
    (void)rota_loop_call_later(loop, SECOND, ignores_timer, NULL, &near);
    (void)rota_timer_rearm(far, 2 * HOUR);
    (void)rota_timer_cancel(far);
    (void)rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL);
    (void)rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL);
}

TEST(timers_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    expect_steady(loop, timer_round);
    close_clean(loop);
}

static void ignores_future(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)result, (void)user_data;
}

static void future_round(rota_loop loop) {
    rota_future future = rota_future_open(loop);
    (void)rota_future_then(future, ignores_future, NULL);
    (void)rota_future_then(future, ignores_future, NULL);
    (void)rota_future_then(future, ignores_future, NULL);
    (void)rota_future_complete(future, 1);
    (void)rota_loop_turn(loop, 0, 0, 0, NULL);
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, 1)), 0);
}

TEST(futures_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    expect_steady(loop, future_round);
    close_clean(loop);
}

static rota_lock lock;

static void lock_round(rota_loop loop) {
    rota_future cancelled, served;
    CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0);
    cancelled = rota_lock_acquire(lock);
    served = rota_lock_acquire(lock);
    CHECK_STATUS(rota_future_close(cancelled), ROTA_OK); /* leaves nothing behind in the line */
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    CHECK_EQ(WAIT(loop, served), 0);
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
}

TEST(locks_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    CHECK_STATUS(rota_loop_open_lock(loop, &lock), ROTA_OK);
    expect_steady(loop, lock_round);
    close_clean(loop);
}

static rota_queue queue;

static void queue_round(rota_loop loop) {
    rota_future putter, getter;
    void *item;
    CHECK_STATUS(rota_queue_try_put(queue, &item), ROTA_OK);
    putter = rota_queue_put(queue, &item);
    getter = rota_queue_get(queue);
    CHECK_EQ(WAIT(loop, putter), 0);
    CHECK_STATUS(rota_future_take_result(getter, &item), ROTA_OK);
    CHECK_STATUS(rota_queue_try_get(queue, &item), ROTA_OK);
}

TEST(queues_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    CHECK_STATUS(rota_loop_open_queue(loop, 1, ROTA_QUEUE_FIFO, &queue), ROTA_OK);
    expect_steady(loop, queue_round);
    close_clean(loop);
}

static void order_round(rota_loop loop) {
    rota_future putter;
    void *item;
    int i;
    for (i = 0; i < 5; i++) CHECK_STATUS(rota_queue_try_put(queue, &item), ROTA_OK);
    putter = rota_queue_put(queue, &item);
    for (i = 0; i < 6; i++) CHECK_STATUS(rota_queue_try_get(queue, &item), ROTA_OK);
    CHECK_EQ(WAIT(loop, putter), 0);
}

TEST(queues_of_other_orders_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    CHECK_STATUS(rota_loop_open_queue(loop, 5, ROTA_QUEUE_LIFO, &queue), ROTA_OK);
    expect_steady(loop, order_round);
    CHECK_STATUS(rota_queue_close(queue), ROTA_OK);
    CHECK_STATUS(rota_loop_open_queue(loop, 5, ROTA_QUEUE_PRIORITY, &queue), ROTA_OK);
    expect_steady(loop, order_round);
    close_clean(loop);
}

static rota_condition condition;

static void condition_round(rota_loop loop) {
    rota_future notified, cancelled;
    CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0);
    notified = rota_condition_wait(condition);
    CHECK_EQ(WAIT(loop, rota_lock_acquire(lock)), 0);
    cancelled = rota_condition_wait(condition);
    CHECK_STATUS(rota_condition_notify(condition, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, notified), 0);
    CHECK_STATUS(rota_future_cancel(cancelled), ROTA_OK);
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    CHECK_EQ(WAIT(loop, cancelled), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
}

TEST(conditions_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    CHECK_STATUS(rota_loop_open_lock(loop, &lock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_condition(loop, lock, &condition), ROTA_OK);
    expect_steady(loop, condition_round);
    close_clean(loop);
}

/* Objects that come and go, too. */
static void object_round(rota_loop loop) {
    rota_rwlock rwlock;
    rota_once once;
    rota_future write;
    CHECK_STATUS(rota_loop_open_rwlock(loop, &rwlock), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_rwlock_acquire_read(rwlock)), 0);
    write = rota_rwlock_acquire_write(rwlock);
    CHECK_STATUS(rota_rwlock_release_read(rwlock), ROTA_OK);
    CHECK_EQ(WAIT(loop, write), 0);
    CHECK_STATUS(rota_rwlock_close(rwlock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_once(loop, &once), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_once_begin(once)), 1);
    CHECK_STATUS(rota_once_set(once, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_once_close(once), ROTA_OK);
}

TEST(rwlocks_and_once_cells_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    expect_steady(loop, object_round);
    close_clean(loop);
}

static int64_t ends(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return 4;
}

static int64_t steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    rota_loop *loop = user_data;
    static bool again;
    (void)outcome;
    again = !again;
    return again ? rota_task_wait(task, rota_loop_sleep(*loop, 1)) : 4;
}

static void spawn_round(rota_loop loop) {
    rota_task task;
    CHECK_STATUS(rota_loop_spawn(loop, ends, NULL, NULL, &task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 4);
    CHECK_STATUS(rota_loop_spawn_stepped(loop, steps, &loop, NULL, &task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 4);
}

static void spawn_on_other_stacks_round(rota_loop loop) {
    static char memory[32 * 1024];
    rota_task_options options;
    rota_task tasks[2];
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.stack_size = sizeof memory;
    CHECK_STATUS(rota_loop_spawn(loop, ends, NULL, &options, &tasks[0]), ROTA_OK);
    options.stack = memory;
    CHECK_STATUS(rota_loop_spawn(loop, ends, NULL, &options, &tasks[1]), ROTA_OK);
    for (int at = 0; at < 2; at++) CHECK_EQ(WAIT(loop, rota_task_join(tasks[at])), 4);
}

TEST(stacks_of_other_sizes_and_of_the_hosts_allocate_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    expect_steady(loop, spawn_on_other_stacks_round);
    close_clean(loop);
}

TEST(spawning_and_joining_allocates_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    uint64_t stacks;
    spawn_round(loop);
    stacks = stats_of(loop).stacks + stats_of(loop).stacks_kept;
    expect_steady(loop, spawn_round);
    CHECK(stats_of(loop).stacks + stats_of(loop).stacks_kept <= stacks + 1);
    close_clean(loop);
}

static bool may_end;

static int64_t yields(rota_task task, void *user_data) {
    (void)user_data;
    while (!may_end) CHECK_EQ(rota_task_yield(task), 0);
    return 0;
}

static void turn_round(rota_loop loop) { (void)rota_loop_turn(loop, 0, 0, 0, NULL); }

TEST(yielding_allocates_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_VIRTUAL_JUMP);
    may_end = false;
    CHECK_STATUS(rota_loop_spawn(loop, yields, NULL, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_spawn(loop, yields, NULL, NULL, NULL), ROTA_OK);
    expect_steady(loop, turn_round);
    may_end = true;
    close_clean(loop);
}

/* ---- echo over TCP */

static rota_stream client;

static int64_t echo(rota_task task, rota_stream stream, void *user_data) {
    char buffer[256];
    int64_t n;
    (void)task, (void)user_data;
    while ((n = rota_await(rota_stream_read(stream, buffer, sizeof buffer))) > 0) {
        if ((n = rota_await(rota_stream_write(stream, buffer, (size_t)n))) < 0) break;
    }
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    return n;
}

static void echo_round(rota_loop loop) {
    char buffer[32];
    CHECK_STATUS(rota_stream_send(client, "a line\n", 7), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_stream_read_line(client, buffer, sizeof buffer)), 7);
    CHECK_EQ(WAIT(loop, rota_stream_write(client, "exact", 5)), 5);
    CHECK_EQ(WAIT(loop, rota_stream_read_exactly(client, buffer, 5)), 5);
}

TEST(an_echo_over_tcp_allocates_nothing) {
    rota_loop loop = open_counting(ROTA_CLOCK_SYSTEM);
    uint16_t port;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    CHECK_STATUS(rota_listener_serve(listener, echo, NULL), ROTA_OK);
    client = take_stream(loop, rota_loop_connect(loop, "127.0.0.1", service_of(port), NULL));
    expect_steady(loop, echo_round);
    CHECK_STATUS(rota_stream_close(client), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(calls_allocate_nothing);
    RUN(posts_allocate_nothing);
    RUN(timers_allocate_nothing);
    RUN(futures_allocate_nothing);
    RUN(locks_allocate_nothing);
    RUN(queues_allocate_nothing);
    RUN(queues_of_other_orders_allocate_nothing);
    RUN(conditions_allocate_nothing);
    RUN(rwlocks_and_once_cells_allocate_nothing);
    RUN(spawning_and_joining_allocates_nothing);
    RUN(stacks_of_other_sizes_and_of_the_hosts_allocate_nothing);
    RUN(yielding_allocates_nothing);
    RUN(an_echo_over_tcp_allocates_nothing);
    return test_end();
}
