/* The host's allocator: every block is given back with its size, and each failure is a status. */
#include "failing_memory.h"
#include "rota_peer.h"

/* ---- scenes: each goes as far as memory carries, and leaves nothing behind */

static void calls(rota_loop loop) {
    rota_call call;
    int i, given = 0;
    for (i = 0; i < 100; i++) {
        given += worked(rota_loop_call_soon(loop, record_call, "c", i % 2 == 0 ? NULL : &call));
    }
    for (i = 0; i < 100; i++) given += worked(rota_loop_post(loop, record_call, "p"));
    TURN_UNTIL(loop, test_record_length + (given > 0) >= (size_t)given * 5);
    CHECK_EQ(test_record_length + (given > 0), (size_t)given * 5); /* each came once: "c:ok " */
    forget_record();
}

static void ignores_timer(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)status;
    ++*(int *)user_data;
}

static void timers(rota_loop loop) {
    rota_timer some[100];
    int i, armed = 0, fired = 0;
    for (i = 0; i < 100; i++) {
        uint64_t delay = (uint64_t)(i % 7) * SECOND;
        if (worked(rota_loop_call_later(loop, delay, ignores_timer, &fired, &some[armed]))) armed++;
    }
    for (i = 0; i < armed; i += 3) (void)worked(rota_timer_rearm(some[i], HOUR));
    for (i = 1; i < armed; i += 3) CHECK_STATUS(rota_timer_cancel(some[i]), ROTA_OK);
    while (fired < armed) {
        CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    }
    (void)worked(WAIT(loop, rota_loop_sleep(loop, SECOND)));
}

static void frees(void *result) { ++*(int *)result; }

static void futures(rota_loop loop) {
    rota_outcome outcome;
    int i, freed = 0, held = 0;
    for (i = 0; i < 40; i++) {
        rota_future future = rota_future_open(loop);
        rota_status status = rota_future_get_outcome(future, &outcome);
        if (status == ROTA_OK) { /* it has failed already: there was no memory */
            CHECK(!worked(outcome.status));
            continue;
        }
        CHECK_STATUS(status, ROTA_ERR_PENDING);
        (void)worked(rota_future_then(future, record_future, "f"));
        (void)worked(rota_future_then(future, record_future, "g"));
        if (i % 3 == 0) {
            (void)worked(rota_future_complete(future, 1));
        } else if (i % 3 == 1) {
            (void)worked(rota_future_fail(future, ROTA_STATUS_HOST, "a message to be kept"));
        } else if (worked(rota_future_complete_with(future, &freed, frees))) {
            held++;
        }
        turn(loop);
        (void)rota_future_close(future); /* most have ended by themselves */
        turn(loop);
    }
    CHECK_EQ(freed, held);
    forget_record();
}

static int64_t waits_twice(rota_task task, void *user_data) {
    rota_loop *loop = user_data;
    int64_t result = rota_await(rota_loop_sleep(*loop, SECOND));
    if (result < 0) return result;
    return rota_task_yield(task);
}

static int64_t steps_twice(rota_task task, const rota_outcome *outcome, void *user_data) {
    rota_loop *loop = user_data;
    uint64_t asleep = stats_of(*loop).timers;
    if (outcome->status < 0 || asleep > 3) return outcome->status;
    return rota_task_wait(task, rota_loop_sleep(*loop, SECOND));
}

static void tasks(rota_loop loop) {
    rota_task_options options;
    rota_task task;
    int i;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.name = "a task with a name";
    for (i = 0; i < 12; i++) {
        if (!worked(rota_loop_spawn(loop, waits_twice, &loop, &options, &task))) continue;
        if (i % 2 == 0) {
            CHECK_STATUS(rota_task_detach(task), ROTA_OK);
        } else {
            rota_future join = rota_task_join(task);
            (void)worked(WAIT(loop, join));
            (void)rota_task_detach(task); /* if the join could not be had */
        }
    }
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, NULL), ROTA_OK);
    if (worked(rota_loop_spawn_stepped(loop, steps_twice, &loop, &options, &task))) {
        CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
        CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    }
    run_dry(loop);
}

/* Both sides in turn; whoever fails, both are closed. */
static void talk(rota_loop loop, rota_stream one, int raw) {
    char buffer[512];
    static const rota_buffer parts[] = {{"vec", 3}, {"tor", 3}};
    if (!worked(rota_stream_send(one, "sent", 4))) return;
    if (!worked(WAIT(loop, rota_stream_write(one, "written", 7)))) return;
    if (!worked(WAIT(loop, rota_stream_write_vectored(one, parts, 2)))) return;
    if (!worked(WAIT(loop, rota_stream_drain(one)))) return;
    raw_send_text(raw, "a line\nand more");
    if (!worked(WAIT(loop, rota_stream_read_line(one, buffer, sizeof buffer)))) return;
    if (!worked(WAIT(loop, rota_stream_read_exactly(one, buffer, 3)))) return;
    (void)worked(WAIT(loop, rota_stream_read(one, buffer, sizeof buffer)));
}

static void network(rota_loop loop) {
    rota_listener listener = {0};
    rota_address address;
    rota_future accept;
    rota_stream stream = {0};
    int raw;
    if (!worked(rota_loop_listen(loop, "127.0.0.1", 0, NULL, &listener))) return;
    CHECK_STATUS(rota_listener_get_address(listener, &address), ROTA_OK);
    raw = raw_connect(address.port);
    accept = rota_listener_accept(listener);
    if (worked(WAIT(loop, accept)) && worked(rota_future_take_stream(accept, &stream))) {
        talk(loop, stream, raw);
        CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    }
    (void)rota_future_close(accept);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close(raw);
    run_dry(loop);
}

static void connecting(rota_loop loop) {
    uint16_t port;
    int listening = raw_listen(&port, 0);
    rota_future connect = rota_loop_connect(loop, "127.0.0.1", service_of(port), NULL);
    rota_stream stream = {0};
    if (worked(WAIT(loop, connect)) && worked(rota_future_take_stream(connect, &stream))) {
        CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    }
    (void)rota_future_close(connect);
    close(listening);
    (void)worked(WAIT(loop, rota_loop_resolve(loop, "127.0.0.1", "80", NULL)));
}

static int64_t does_nothing(void *user_data) {
    (void)user_data;
    return 1;
}

static void jobs(rota_loop loop) {
    int i;
    for (i = 0; i < 5; i++) {
        (void)worked(WAIT(loop, rota_loop_call_blocking(loop, does_nothing, NULL)));
    }
}

/* What cannot start leaves its future as it was: pending, without a claim. */
static rota_future limited(rota_future inner, bool shielded) {
    rota_future outer = shielded ? rota_future_shield(inner) : rota_future_wait_for(inner, SECOND);
    rota_outcome outcome;
    if (rota_future_get_outcome(outer, &outcome) == ROTA_ERR_PENDING) return outer;
    (void)worked(outcome.status);
    CHECK_STATUS(rota_future_close(inner), ROTA_OK);
    return outer;
}

static void many(rota_loop loop) {
    rota_future futures[3] = {rota_future_open(loop), rota_future_open(loop),
                              rota_loop_sleep(loop, SECOND)};
    rota_future wait = rota_loop_wait(loop, futures, 3, ROTA_WAIT_ALL, HOUR);
    rota_future gather = rota_loop_gather(loop, futures, 3, ROTA_GATHER_CANCEL_REST);
    rota_outcome outcome;
    bool gathers = rota_future_get_outcome(gather, &outcome) == ROTA_ERR_PENDING;
    bool waits = rota_future_get_outcome(wait, &outcome) == ROTA_ERR_PENDING;
    int i;
    if (gathers) (void)rota_future_fail(futures[1], ROTA_ERR_MEMORY, NULL);
    if (gathers && memory.failures == 0) CHECK_STATUS(WAIT(loop, gather), ROTA_ERR_MEMORY);
    if (waits && memory.failures == 0) CHECK_EQ(WAIT(loop, wait), 3);
    (void)rota_future_close(wait);
    (void)rota_future_close(gather);
    for (i = 0; i < 3; i++) (void)rota_future_close(futures[i]);
    while (stats_of(loop).futures > 0) turns(loop, 1);
}

static void combinations(rota_loop loop) {
    int i;
    for (i = 0; i < 20; i++) {
        rota_future inner = rota_future_open(loop), outer;
        rota_outcome outcome;
        if (rota_future_get_outcome(inner, &outcome) != ROTA_ERR_PENDING) {
            (void)worked(outcome.status);
            continue;
        }
        outer = limited(inner, i % 2 == 0);
        if (i % 3 != 0) (void)rota_future_complete(inner, 1);
        (void)rota_future_close(outer);
        (void)rota_future_close(inner); /* a shield has left it alone */
        turns(loop, 3);
    }
    while (stats_of(loop).timers > 0) turns(loop, 1);
    for (i = 0; i < 4; i++) many(loop);
}

static int64_t sleeps(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_sleep(*(rota_loop *)user_data, SECOND));
}

/* What could not begin to wait has put nothing in and takes nothing out. */
static void channels(rota_loop loop) {
    rota_future sends[20], receives[20];
    rota_channel channel;
    void *item;
    int i, in = 0, out = 0;
    if (!worked(rota_loop_open_channel(loop, 3, &channel))) return;
    for (i = 0; i < 20; i++) sends[i] = rota_loop_send(loop, channel, &in);
    for (i = 0; i < 20; i++) receives[i] = rota_channel_receive(channel);
    turns(loop, 3);
    for (i = 0; i < 20; i++) {
        rota_outcome outcome;
        if (rota_future_take_result(receives[i], &item) == ROTA_OK) out++;
        if (rota_future_cancel(sends[i]) == ROTA_OK) CHECK(memory.failures > 0);
        CHECK_STATUS(rota_future_get_outcome(sends[i], &outcome), ROTA_OK);
        in += outcome.status != ROTA_ERR_CANCELLED && worked(outcome.status);
        (void)rota_future_close(sends[i]);
        (void)rota_future_close(receives[i]);
    }
    while (rota_channel_try_receive(channel, &item) == ROTA_OK) out++;
    CHECK_EQ(in, out);
    CHECK_STATUS(rota_channel_close(channel), ROTA_OK);
}

/* Cancelling reaches everybody who was attached and everything that waits, whatever there is. */
static void tokens(rota_loop loop) {
    rota_token root, below;
    rota_task tasks[4];
    rota_future waits;
    bool spawned[4], cancelled;
    int i;
    if (!worked(rota_loop_open_token(loop, (rota_token){0}, &root))) return;
    if (worked(rota_loop_open_token(loop, root, &below))) {
        waits = rota_token_wait(below);
        for (i = 0; i < 4; i++) {
            spawned[i] = worked(rota_loop_spawn(loop, sleeps, &loop, NULL, &tasks[i]));
            if (spawned[i]) (void)worked(rota_token_attach(i % 2 == 0 ? root : below, tasks[i]));
        }
        if (!worked(rota_token_cancel(root, "a reason to be kept"))) {
            CHECK_STATUS(rota_token_cancel(root, NULL), ROTA_OK);
        }
        CHECK_STATUS(rota_token_is_cancelled(below, &cancelled), ROTA_OK);
        CHECK(cancelled);
        (void)worked(WAIT(loop, waits));
        for (i = 0; i < 4; i++) {
            int64_t result = spawned[i] ? WAIT(loop, rota_task_join(tasks[i])) : 0;
            if (result != ROTA_ERR_CANCELLED) (void)worked(result);
        }
        turns(loop, 3); /* all have begun, also one whose join had no memory */
        CHECK_STATUS(rota_token_close(below), ROTA_OK);
    }
    CHECK_STATUS(rota_token_close(root), ROTA_OK);
}

static void nothing(rota_loop loop) { (void)loop; }

/* ---- the tests */

TEST(opening_fails_cleanly_at_every_allocation) { everywhere(nothing); }
TEST(calls_and_posts_fail_cleanly_at_every_allocation) { everywhere(calls); }
TEST(timers_fail_cleanly_at_every_allocation) { everywhere(timers); }
TEST(futures_fail_cleanly_at_every_allocation) { everywhere(futures); }
TEST(tasks_fail_cleanly_at_every_allocation) { everywhere(tasks); }
TEST(streams_fail_cleanly_at_every_allocation) { everywhere(network); }
TEST(connecting_fails_cleanly_at_every_allocation) { everywhere(connecting); }
TEST(combinations_fail_cleanly_at_every_allocation) { everywhere(combinations); }
TEST(channels_fail_cleanly_at_every_allocation) { everywhere(channels); }
TEST(tokens_fail_cleanly_at_every_allocation) { everywhere(tokens); }
TEST(jobs_fail_cleanly_at_every_allocation) { everywhere(jobs); }

TEST(a_limit_of_memory_is_kept) {
    rota_loop_options options = remembering(-1, false);
    rota_loop loop;
    rota_status status;
    int given = 0, left;
    options.memory_limit = 1 << 20;
    loop = open_with(&options);
    while ((status = rota_loop_call_soon(loop, record_call, "", NULL)) == ROTA_OK) given++;
    CHECK_STATUS(status, ROTA_ERR_MEMORY);
    CHECK(given > 100);
    CHECK(stats_of(loop).memory_bytes <= 1 << 20);
    CHECK(stats_of(loop).memory_peak_bytes <= 1 << 20);
    CHECK_EQ(stats_of(loop).ready, given);
    for (left = given; left > 0; left -= 1000) { /* ":ok " a thousand times fits the record */
        CHECK_STATUS(rota_loop_turn(loop, 0, 0, 1000, NULL), ROTA_OK);
        forget_record();
    }
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "again", NULL), ROTA_OK);
    turn(loop);
    CHECK_RECORD("again:ok");
    close_clean(loop);
    CHECK_EQ(memory.blocks, 0);
}

TEST(statistics_count_what_the_allocator_gave) {
    rota_loop_options options = remembering(-1, false);
    rota_loop loop = open_with(&options);
    rota_loop_stats stats = stats_of(loop);
    CHECK_EQ(stats.memory_bytes, memory.bytes);
    CHECK(stats.memory_peak_bytes >= stats.memory_bytes);
    timers(loop);
    tasks(loop);
    CHECK_EQ(stats_of(loop).memory_bytes, memory.bytes);
    close_clean(loop);
    CHECK_EQ(memory.bytes, 0);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(opening_fails_cleanly_at_every_allocation);
    RUN(calls_and_posts_fail_cleanly_at_every_allocation);
    RUN(timers_fail_cleanly_at_every_allocation);
    RUN(futures_fail_cleanly_at_every_allocation);
    RUN(tasks_fail_cleanly_at_every_allocation);
    RUN(streams_fail_cleanly_at_every_allocation);
    RUN(connecting_fails_cleanly_at_every_allocation);
    RUN(combinations_fail_cleanly_at_every_allocation);
    RUN(channels_fail_cleanly_at_every_allocation);
    RUN(tokens_fail_cleanly_at_every_allocation);
    RUN(jobs_fail_cleanly_at_every_allocation);
    RUN(a_limit_of_memory_is_kept);
    RUN(statistics_count_what_the_allocator_gave);
    return test_end();
}
