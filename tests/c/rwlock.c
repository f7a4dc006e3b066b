/* Reader-writer locks: many read or one writes, first come first served, nobody waits for ever. */
#include "rota_test.h"

#define CANCELLED ROTA_ERR_CANCELLED

static rota_loop loop;
static rota_rwlock rwlock;

static void open_all(void) {
    loop = open_jump();
    rwlock.id = 0;
    CHECK_STATUS(rota_loop_open_rwlock(loop, &rwlock), ROTA_OK);
    CHECK(rwlock.id != 0);
}

/* As "2" for two readers, "W" for a writer. */
static const char *state(void) {
    static char text[16];
    uint32_t readers = 9;
    bool writing = true;
    CHECK_STATUS(rota_rwlock_get_readers(rwlock, &readers), ROTA_OK);
    CHECK_STATUS(rota_rwlock_is_writing(rwlock, &writing), ROTA_OK);
    CHECK(!writing || readers == 0);
    snprintf(text, sizeof text, "%" PRIu32, readers);
    return writing ? "W" : text;
}

#define CHECK_STATE(expected) CHECK_TEXT(state(), expected)

static rota_future then(rota_future future, const char *name) {
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

static rota_future read_then(const char *name) {
    return then(rota_rwlock_acquire_read(rwlock), name);
}

static rota_future write_then(const char *name) {
    return then(rota_rwlock_acquire_write(rwlock), name);
}

static void release_read(void) { CHECK_STATUS(rota_rwlock_release_read(rwlock), ROTA_OK); }
static void release_write(void) { CHECK_STATUS(rota_rwlock_release_write(rwlock), ROTA_OK); }

TEST(many_read_or_one_writes_at_once_and_without_a_slot) {
    open_all();
    CHECK_STATE("0");
    CHECK_EQ(outcome_of(rota_rwlock_acquire_read(rwlock)).status, ROTA_OK);
    CHECK_EQ(outcome_of(rota_rwlock_acquire_read(rwlock)).status, ROTA_OK);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK_STATE("2");
    CHECK_STATUS(rota_rwlock_release_write(rwlock), ROTA_ERR_INVALID);
    release_read();
    release_read();
    CHECK_STATUS(rota_rwlock_release_read(rwlock), ROTA_ERR_INVALID);
    CHECK_EQ(outcome_of(rota_rwlock_acquire_write(rwlock)).status, ROTA_OK);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK_STATE("W");
    CHECK_STATUS(rota_rwlock_release_read(rwlock), ROTA_ERR_INVALID);
    release_write();
    CHECK_STATUS(rota_rwlock_release_write(rwlock), ROTA_ERR_INVALID);
    CHECK_STATE("0");
    close_clean(loop);
}

TEST(a_writer_who_waits_stops_the_readers_after_him) {
    open_all();
    CHECK_EQ(WAIT(loop, rota_rwlock_acquire_read(rwlock)), 0);
    write_then("w1");
    read_then("r1");
    read_then("r2");
    write_then("w2");
    read_then("r3");
    turns(loop, 2);
    CHECK_RECORD("");
    CHECK_STATE("1");
    release_read();
    CHECK_STATE("W"); /* handed over: nobody can come in between */
    turns(loop, 1);
    CHECK_RECORD("w1:ok");
    release_write();
    CHECK_STATE("2"); /* readers next to each other go together */
    turns(loop, 1);
    CHECK_RECORD("r1:ok r2:ok");
    release_read();
    turns(loop, 1);
    CHECK_RECORD(""); /* not before the last of them */
    release_read();
    turns(loop, 1);
    CHECK_RECORD("w2:ok");
    release_write();
    turns(loop, 1);
    CHECK_RECORD("r3:ok");
    release_read();
    CHECK_STATE("0");
    close_clean(loop);
}

TEST(readers_go_when_the_writer_before_them_is_cancelled) {
    rota_future writer;
    open_all();
    CHECK_EQ(WAIT(loop, rota_rwlock_acquire_read(rwlock)), 0);
    writer = write_then("w");
    read_then("r1");
    read_then("r2");
    CHECK_STATUS(rota_future_cancel(writer), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("w:cancelled r1:ok r2:ok");
    CHECK_STATE("3");
    /* Not those behind another writer. */
    writer = write_then("first");
    write_then("second");
    read_then("r");
    CHECK_STATUS(rota_future_cancel(writer), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("first:cancelled");
    release_read();
    release_read();
    release_read();
    turns(loop, 1);
    CHECK_RECORD("second:ok");
    release_write();
    turns(loop, 1);
    CHECK_RECORD("r:ok");
    release_read();
    close_clean(loop);
}

TEST(a_cancelled_reader_leaves_the_line_from_anywhere) {
    static const char *const expected[3] = {"a:cancelled b:ok w:ok", "b:cancelled a:ok w:ok",
                                            "w:cancelled a:ok b:ok"};
    int i;
    for (i = 0; i < 3; i++) {
        rota_future waiting[3];
        open_all();
        CHECK_EQ(WAIT(loop, rota_rwlock_acquire_write(rwlock)), 0);
        waiting[0] = read_then("a");
        waiting[1] = read_then("b");
        waiting[2] = write_then("w");
        CHECK_STATUS(rota_future_cancel(waiting[i]), ROTA_OK);
        CHECK_STATUS(rota_future_cancel(waiting[i]), ROTA_ERR_DONE);
        release_write();
        turns(loop, 1);
        if (i < 2) release_read();
        turns(loop, 1);
        CHECK_RECORD(expected[i]);
        close_clean(loop);
    }
}

static int reading, writing;

static int64_t reads(rota_task task, void *user_data) {
    int64_t came = rota_await(rota_rwlock_acquire_read(rwlock));
    (void)task;
    record("%s:%s", (const char *)user_data, told(came));
    if (came < 0) return came;
    reading++;
    CHECK_EQ(writing, 0);
    (void)rota_await(rota_loop_sleep(loop, SECOND));
    reading--;
    release_read();
    return 0;
}

static int64_t writes(rota_task task, void *user_data) {
    int64_t came = rota_await(rota_rwlock_acquire_write(rwlock));
    (void)task;
    record("%s:%s", (const char *)user_data, told(came));
    if (came < 0) return came;
    CHECK_EQ(writing++, 0);
    CHECK_EQ(reading, 0);
    (void)rota_await(rota_loop_sleep(loop, SECOND));
    writing--;
    release_write();
    return 0;
}

TEST(tasks_share_it_to_read_and_have_it_alone_to_write) {
    uint64_t began;
    open_all();
    began = now_of(loop);
    spawn(loop, reads, (void *)"r1");
    spawn(loop, reads, (void *)"r2");
    spawn(loop, writes, (void *)"w");
    spawn(loop, reads, (void *)"r3");
    spawn(loop, reads, (void *)"r4");
    turns(loop, 2);
    CHECK_EQ(reading, 2);
    while (stats_of(loop).ready + stats_of(loop).timers > 0) {
        CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    }
    CHECK_RECORD("r1:ok r2:ok w:ok r3:ok r4:ok");
    CHECK_EQ(now_of(loop) - began, 3 * SECOND); /* both pairs of readers at once */
    CHECK_STATE("0");
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

TEST(a_lock_that_was_granted_before_the_cancel_is_held) {
    rota_task task;
    open_all();
    CHECK_EQ(WAIT(loop, rota_rwlock_acquire_read(rwlock)), 0);
    task = spawn(loop, writes, (void *)"w");
    turns(loop, 2);
    release_read();
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK); /* the outcome is ready: it wins */
    CHECK_STATE("W");
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_RECORD("w:ok");
    CHECK_STATE("0");
    close_clean(loop);
}

TEST(closing_ends_those_who_wait) {
    open_all();
    CHECK_EQ(WAIT(loop, rota_rwlock_acquire_write(rwlock)), 0);
    read_then("r");
    write_then("w");
    CHECK_STATUS(rota_rwlock_close(rwlock), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("r:cancelled w:cancelled");
    CHECK_STATUS(rota_rwlock_release_write(rwlock), ROTA_ERR_HANDLE);
    CHECK_EQ(WAIT(loop, rota_rwlock_acquire_read(rwlock)), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_open_rwlock(loop, &rwlock), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_rwlock_acquire_read(rwlock)), 0);
    write_then("callback");
    spawn(loop, reads, (void *)"task");
    turns(loop, 2);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("task:cancelled callback:cancelled");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(many_read_or_one_writes_at_once_and_without_a_slot);
    RUN(a_writer_who_waits_stops_the_readers_after_him);
    RUN(readers_go_when_the_writer_before_them_is_cancelled);
    RUN(a_cancelled_reader_leaves_the_line_from_anywhere);
    RUN(tasks_share_it_to_read_and_have_it_alone_to_write);
    RUN(a_lock_that_was_granted_before_the_cancel_is_held);
    RUN(closing_ends_those_who_wait);
    return test_end();
}
