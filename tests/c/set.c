/* Sets: futures that are handed out in the order in which they are done. */
#include "rota_peer.h"

static bool pending(rota_future future) {
    rota_outcome outcome;
    return rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING;
}

static rota_set open_set(rota_loop loop) {
    rota_set set = {0};
    CHECK_STATUS(rota_loop_open_set(loop, &set), ROTA_OK);
    CHECK(set.id != 0);
    return set;
}

static size_t count_of(rota_set set) {
    size_t count = SIZE_MAX;
    CHECK_STATUS(rota_set_get_count(set, &count), ROTA_OK);
    return count;
}

static void add(rota_set set, rota_future future, uint64_t tag) {
    CHECK_STATUS(rota_set_add(set, future, tag), ROTA_OK);
}

static rota_future completed(rota_loop loop, int64_t value) {
    rota_future future = open_future(loop);
    CHECK_STATUS(rota_future_complete(future, value), ROTA_OK);
    return future;
}

static void frees(void *user_data) { ++*(int *)user_data; }

static size_t logged;

static void logs(int32_t level, const char *message, void *user_data) {
    (void)message, (void)user_data;
    logged += level == ROTA_LOG_ERROR;
}

static rota_loop open_logging(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.log = logs;
    logged = 0;
    return open_with(&options);
}

/* ---- order */

TEST(they_are_handed_out_as_they_are_done) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop);
    rota_future sleeps[4];
    static const uint64_t seconds[4] = {3, 1, 4, 2};
    static const int64_t order[4] = {1, 3, 0, 2};
    int i;
    for (i = 0; i < 4; i++) {
        sleeps[i] = rota_loop_sleep(loop, seconds[i] * SECOND);
        add(set, sleeps[i], (uint64_t)i);
    }
    CHECK_EQ(count_of(set), 4);
    for (i = 0; i < 4; i++) {
        CHECK_EQ(WAIT(loop, rota_set_next(set)), order[i]);
        CHECK_EQ(count_of(set), 3 - i);
        CHECK_EQ(outcome_of(sleeps[order[i]]).value, 0);
        CHECK_STATUS(rota_future_close(sleeps[order[i]]), ROTA_OK);
    }
    CHECK_STATUS(WAIT(loop, rota_set_next(set)), ROTA_ERR_DONE);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close_clean(loop);
}

TEST(what_is_done_already_comes_in_that_order_and_values_too) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop);
    rota_future one = open_future(loop), two = completed(loop, 2), value, failed;
    value = rota_loop_gather(loop, NULL, 0, 0);
    failed = rota_loop_gather(loop, NULL, 0, 9);
    add(set, one, one.id); /* a future's own id is a tag */
    add(set, two, 2);
    add(set, value, 0);
    CHECK_STATUS(rota_future_complete(one, 1), ROTA_OK);
    add(set, failed, INT64_MAX);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 2);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 0);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), (int64_t)one.id);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), INT64_MAX);
    CHECK_EQ(WAIT(loop, two), 2); /* kept: waiting for it does not end it */
    CHECK_STATUS(rota_future_close(two), ROTA_OK);
    CHECK_STATUS(rota_future_close(one), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close_clean(loop);
}

TEST(those_who_ask_are_answered_in_their_order_and_told_when_nothing_is_left) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop);
    rota_future one = open_future(loop), two = open_future(loop);
    add(set, one, 1);
    add(set, two, 2);
    CHECK_STATUS(rota_future_then(rota_set_next(set), record_future, "a"), ROTA_OK);
    CHECK_STATUS(rota_future_then(rota_set_next(set), record_future, "b"), ROTA_OK);
    CHECK_STATUS(rota_future_then(rota_set_next(set), record_future, "c"), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_future_complete(two, 0), ROTA_OK);
    CHECK_STATUS(rota_future_complete(one, 0), ROTA_OK);
    turns(loop, 3);
    CHECK_RECORD("a:2 b:1 c:-10");
    CHECK_STATUS(rota_future_close(one), ROTA_OK);
    CHECK_STATUS(rota_future_close(two), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close_clean(loop);
}

TEST(the_same_future_may_be_in_it_twice_and_in_two_sets) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop), other = open_set(loop);
    rota_future one = open_future(loop);
    add(set, one, 1);
    add(set, one, 2);
    add(other, one, 3);
    CHECK_STATUS(rota_future_complete(one, 0), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 1);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 2);
    CHECK_EQ(WAIT(loop, rota_set_next(other)), 3);
    CHECK_STATUS(rota_future_close(one), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    CHECK_STATUS(rota_set_close(other), ROTA_OK);
    close_clean(loop);
}

TEST(objects_go_with_what_is_handed_out) {
    rota_loop loop = open_system();
    rota_set set = open_set(loop);
    uint16_t port;
    int raw;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future accept = rota_listener_accept(listener);
    rota_stream stream = {0};
    add(set, accept, 7);
    raw = raw_connect(port);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 7);
    CHECK_STATUS(rota_future_take_stream(accept, &stream), ROTA_OK);
    CHECK_STATUS(rota_future_close(accept), ROTA_OK);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close(raw);
    close_clean(loop);
}

/* ---- cancelled, closed */

TEST(a_cancelled_next_takes_nothing_out) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop);
    rota_future one = open_future(loop), first, second, third;
    add(set, one, 1);
    first = rota_set_next(set);
    second = rota_set_next(set);
    third = rota_set_next(set);
    CHECK_STATUS(rota_future_close(second), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(first), ROTA_OK);
    CHECK_STATUS(outcome_of(first).status, ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(first), ROTA_OK);
    CHECK_STATUS(rota_future_complete(one, 0), ROTA_OK);
    CHECK_EQ(WAIT(loop, third), 1);
    CHECK_STATUS(rota_future_close(one), ROTA_OK);
    /* Also between its completion and its turn. */
    one = open_future(loop);
    add(set, one, 2);
    first = rota_set_next(set);
    CHECK_STATUS(rota_future_complete(one, 0), ROTA_OK);
    CHECK_STATUS(rota_future_close(first), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(count_of(set), 1);
    CHECK_EQ(WAIT(loop, rota_future_wait_for(rota_set_next(set), 0)), 2);
    CHECK_STATUS(rota_future_close(one), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close_clean(loop);
}

TEST(a_next_within_a_time) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop);
    rota_future one = open_future(loop);
    add(set, one, 1);
    CHECK_STATUS(WAIT(loop, rota_future_wait_for(rota_set_next(set), SECOND)), ROTA_ERR_TIMEOUT);
    CHECK(pending(one) && count_of(set) == 1);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close_clean(loop);
}

TEST(closing_ends_what_was_not_handed_out) {
    rota_loop loop = open_logging();
    rota_set set = open_set(loop);
    rota_future open = open_future(loop), done = open_future(loop), kept = open_future(loop);
    rota_future failed = open_future(loop), shared = open_future(loop), next;
    int freed = 0;
    add(set, open, 1);
    add(set, done, 2);
    add(set, kept, 3);
    add(set, failed, 4);
    add(set, shared, 5);
    add(set, rota_loop_gather(loop, NULL, 0, 0), 6);
    next = rota_set_next(set);
    CHECK_EQ(WAIT(loop, next), 6);
    next = rota_set_next(set);
    CHECK_STATUS(rota_future_then(shared, record_future, "other"), ROTA_OK);
    CHECK_STATUS(rota_future_keep(kept), ROTA_OK);
    CHECK_STATUS(rota_future_complete(kept, 3), ROTA_OK);
    CHECK_STATUS(rota_future_complete_with(done, &freed, frees), ROTA_OK);
    CHECK_STATUS(rota_future_fail(failed, ROTA_STATUS_HOST, "nobody looks"), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_ERR_HANDLE);
    CHECK_STATUS(outcome_of(next).status, ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(next), ROTA_OK);
    CHECK_STATUS(rota_future_close(open), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(done), ROTA_ERR_HANDLE);
    CHECK_EQ(freed, 1);
    CHECK_EQ(logged, 1);
    CHECK_STATUS(rota_future_close(failed), ROTA_ERR_HANDLE);
    CHECK_EQ(outcome_of(kept).value, 3);
    CHECK_STATUS(rota_future_close(kept), ROTA_OK);
    CHECK(pending(shared));
    CHECK_STATUS(rota_future_complete(shared, 5), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("other:5");
    close_clean(loop);
}

TEST(one_that_was_closed_in_the_set_has_ended_when_its_tag_comes) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop);
    rota_future one = open_future(loop), two = open_future(loop);
    int freed = 0;
    add(set, one, 1);
    add(set, two, 2);
    CHECK_STATUS(rota_future_close(one), ROTA_ERR_BUSY);
    CHECK_STATUS(rota_future_complete_with(two, &freed, frees), ROTA_OK);
    CHECK_STATUS(rota_future_close(two), ROTA_ERR_BUSY);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 1);
    CHECK_STATUS(rota_future_close(one), ROTA_ERR_HANDLE);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 2);
    CHECK_EQ(freed, 1);
    CHECK_STATUS(rota_future_close(two), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close_clean(loop);
}

typedef struct {
    rota_loop loop;
    rota_set set;
    int64_t answer;
    int freed;
} scene;

/* Ends a second after it was asked to. */
static int64_t cleans_up(rota_task task, void *user_data) {
    scene *self = user_data;
    (void)task;
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0);
    return ROTA_ERR_CANCELLED;
}

TEST(what_needs_time_to_end_is_waited_for_behind_a_closed_set) {
    rota_loop loop = open_logging();
    scene self = {loop, open_set(loop), 0, 0};
    uint64_t began = now_of(loop);
    rota_task task = spawn(loop, cleans_up, &self);
    turn(loop);
    add(self.set, rota_task_join(task), 1);
    CHECK_STATUS(rota_set_close(self.set), ROTA_ERR_BUSY);
    CHECK_STATUS(rota_set_close(self.set), ROTA_ERR_HANDLE);
    CHECK_EQ(stats_of(loop).futures, 2);
    run_dry(loop);
    CHECK_EQ(now_of(loop) - began, SECOND);
    CHECK_EQ(logged, 0);
    close_clean(loop);
}

static void closes_the_set(void *user_data) {
    scene *self = user_data;
    self->freed++;
    CHECK_STATUS(rota_set_close(self->set), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_set_add(self->set, open_future(self->loop), 1), ROTA_ERR_HANDLE);
}

TEST(a_destructor_may_use_what_is_being_closed) {
    rota_loop loop = open_jump();
    scene self = {loop, open_set(loop), 0, 0};
    rota_future one = open_future(loop), two = open_future(loop);
    add(self.set, one, 1);
    add(self.set, two, 2);
    CHECK_STATUS(rota_future_complete_with(one, &self, closes_the_set), ROTA_OK);
    CHECK_STATUS(rota_future_complete_with(two, &self, closes_the_set), ROTA_OK);
    CHECK_STATUS(rota_set_close(self.set), ROTA_OK);
    CHECK_EQ(self.freed, 2);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
}

TEST(closing_the_loop_closes_its_sets) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop), empty = open_set(loop);
    rota_future inner = open_future(loop), done = open_future(loop);
    int freed = 0;
    add(set, inner, 1);
    CHECK_STATUS(rota_future_then(rota_set_next(set), record_future, "next"), ROTA_OK);
    turn(loop);
    add(set, done, 2);
    CHECK_STATUS(rota_future_then(inner, record_future, "inner"), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
    CHECK(strstr(test_record, "next:cancelled") != NULL);
    CHECK(strstr(test_record, "inner:cancelled") != NULL);
    forget_record();
    CHECK_STATUS(rota_set_close(empty), ROTA_ERR_HANDLE);
    loop = open_jump();
    set = open_set(loop);
    done = open_future(loop);
    add(set, done, 2);
    CHECK_STATUS(rota_future_complete_with(done, &freed, frees), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
    CHECK_EQ(freed, 1);
}

/* A set that has in it what is made of its own next. */
TEST(a_set_in_a_circle_opens_when_the_loop_closes) {
    rota_loop loop = open_jump();
    rota_set set = open_set(loop);
    rota_future inner = open_future(loop), outer;
    add(set, inner, 1);
    outer = rota_future_shield(rota_set_next(set));
    add(set, rota_future_shield(outer), 2);
    CHECK_STATUS(rota_future_complete(inner, 1), ROTA_OK);
    turns(loop, 9);
    CHECK_EQ(WAIT(loop, rota_set_next(set)), 2);
    outer = rota_future_wait_for(rota_loop_sleep(loop, HOUR), ROTA_FOREVER);
    add(set, outer, 3);
    add(set, rota_future_wait_for(rota_set_next(set), ROTA_FOREVER), 4);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
}

/* ---- in one another, in tasks */

TEST(sets_of_the_nexts_of_sets_without_depth) {
    enum { DEEP = 3000 };
    static rota_set sets[DEEP];
    rota_loop loop = open_jump();
    rota_future first = open_future(loop), future = first;
    int i;
    for (i = 0; i < DEEP; i++) {
        sets[i] = open_set(loop);
        add(sets[i], future, (uint64_t)i);
        future = rota_set_next(sets[i]);
    }
    CHECK_STATUS(rota_future_complete(first, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, future), DEEP - 1);
    for (i = 0; i < DEEP; i++) CHECK_STATUS(rota_set_close(sets[i]), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
}

static int64_t takes_all(rota_task task, void *user_data) {
    scene *self = user_data;
    int64_t tag, sum = 0;
    (void)task;
    while ((tag = rota_await(rota_set_next(self->set))) >= 0) {
        CHECK_STATUS(rota_future_close((rota_future){(uint64_t)tag}), ROTA_OK);
        if (++sum < 100) {
            rota_future more = rota_loop_sleep(self->loop, SECOND);
            add(self->set, more, more.id);
        }
    }
    return tag == ROTA_ERR_DONE ? sum : tag;
}

TEST(a_task_takes_all_and_adds_more) {
    rota_loop loop = open_jump();
    scene self = {loop, open_set(loop), 0, 0};
    rota_task task;
    int i;
    for (i = 0; i < 10; i++) {
        rota_future sleep = rota_loop_sleep(loop, SECOND);
        add(self.set, sleep, sleep.id);
    }
    CHECK_EQ(run_task(loop, takes_all, &self), 109);
    add(self.set, rota_loop_sleep(loop, HOUR), 1);
    task = spawn(loop, takes_all, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_EQ(count_of(self.set), 1);
    CHECK_STATUS(rota_set_close(self.set), ROTA_OK);
    close_clean(loop);
}

/* ---- misuse, and no memory */

TEST(what_does_not_belong_in_a_set_changes_nothing) {
    rota_loop loop = open_jump(), other = open_jump();
    rota_set set = open_set(loop), null = {0};
    rota_future foreign = open_future(other), own = open_future(loop), none = {0};
    CHECK_STATUS(rota_set_add(set, foreign, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_set_add(set, rota_loop_gather(other, NULL, 0, 0), 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_set_add(set, none, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_set_add(set, own, (uint64_t)INT64_MAX + 1), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_set_close(null), ROTA_OK);
    CHECK_EQ(count_of(set), 0);
    CHECK_STATUS(rota_future_close(own), ROTA_OK); /* OK: nobody waits for it */
    CHECK_STATUS(rota_set_add(set, own, 1), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(foreign), ROTA_OK);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    close_clean(other);
    close_clean(loop);
}

TEST(without_memory_nothing_is_added_and_what_was_comes) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    rota_set set;
    rota_future future, next;
    uint64_t added = 0, came = 0;
    rota_status status;
    options.memory_limit = 192 * 1024;
    loop = open_with(&options);
    set = open_set(loop);
    future = open_future(loop);
    while ((status = rota_set_add(set, future, added)) == ROTA_OK) added++;
    CHECK_STATUS(status, ROTA_ERR_MEMORY);
    CHECK(added > 100 && count_of(set) == added);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    while (came < added) CHECK_EQ(WAIT(loop, rota_set_next(set)), came++);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    future = open_future(loop);
    add(set, future, 0);
    for (came = 0; pending(next = rota_set_next(set)); came++) continue;
    CHECK_STATUS(outcome_of(next).status, ROTA_ERR_MEMORY);
    CHECK(came > 0 && count_of(set) == 1);
    CHECK_STATUS(rota_set_close(set), ROTA_OK);
    CHECK_EQ(stats_of(loop).futures, came); /* all are done, and nobody looks */
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(they_are_handed_out_as_they_are_done);
    RUN(what_is_done_already_comes_in_that_order_and_values_too);
    RUN(those_who_ask_are_answered_in_their_order_and_told_when_nothing_is_left);
    RUN(the_same_future_may_be_in_it_twice_and_in_two_sets);
    RUN(objects_go_with_what_is_handed_out);
    RUN(a_cancelled_next_takes_nothing_out);
    RUN(a_next_within_a_time);
    RUN(closing_ends_what_was_not_handed_out);
    RUN(one_that_was_closed_in_the_set_has_ended_when_its_tag_comes);
    RUN(what_needs_time_to_end_is_waited_for_behind_a_closed_set);
    RUN(a_destructor_may_use_what_is_being_closed);
    RUN(closing_the_loop_closes_its_sets);
    RUN(a_set_in_a_circle_opens_when_the_loop_closes);
    RUN(sets_of_the_nexts_of_sets_without_depth);
    RUN(a_task_takes_all_and_adds_more);
    RUN(what_does_not_belong_in_a_set_changes_nothing);
    RUN(without_memory_nothing_is_added_and_what_was_comes);
    return test_end();
}
