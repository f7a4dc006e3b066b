/* Completions that are fetched: in the order of callbacks, once each, held until the next. */
#include "rota_peer.h"

static bool pending(rota_future future) {
    rota_outcome outcome;
    return rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING;
}

static rota_completion next_of(rota_loop loop) {
    rota_completion next;
    memset(&next, 0x55, sizeof next);
    next.size = sizeof next;
    CHECK_STATUS(rota_loop_next_completion(loop, &next), ROTA_OK);
    CHECK(next.outcome.message != NULL);
    CHECK_EQ(next.result, next.outcome.status < 0 ? next.outcome.status : next.outcome.value);
    return next;
}

static void check_none(rota_loop loop) {
    rota_completion next;
    next.size = sizeof next;
    CHECK_STATUS(rota_loop_next_completion(loop, &next), ROTA_ERR_PENDING);
}

/* Fetches all there is, and records it as a callback would be recorded. */
static void fetch(rota_loop loop) {
    rota_completion next;
    memset(&next, 0, sizeof next);
    next.size = sizeof next;
    while (rota_loop_next_completion(loop, &next) == ROTA_OK) {
        record("%s:%s", (const char *)next.user_data, told(next.result));
    }
}

static void drains(rota_future future, const char *word) {
    CHECK_STATUS(rota_future_drain(future, (void *)(uintptr_t)word), ROTA_OK);
}

static void frees(void *user_data) { ++*(int *)user_data; }

/* ---- order */

typedef void waits(rota_future future, const char *word);

static void thens(rota_future future, const char *word) {
    CHECK_STATUS(rota_future_then(future, record_future, (void *)(uintptr_t)word), ROTA_OK);
}

/* One program in two styles. */
static void play(rota_loop loop, waits *wait) {
    rota_future promise = open_future(loop), failing = open_future(loop), all[2];
    wait(rota_loop_sleep(loop, 3 * SECOND), "third");
    wait(rota_loop_sleep(loop, SECOND), "first");
    wait(rota_loop_sleep(loop, SECOND), "second");
    wait(promise, "one");
    wait(promise, "two");
    CHECK_STATUS(rota_future_complete(promise, 5), ROTA_OK);
    wait(promise, "late");
    wait(rota_loop_gather(loop, NULL, 0, 0), "value");
    wait(rota_loop_gather(loop, NULL, 0, 99), "failed value");
    all[0] = rota_loop_sleep(loop, 2 * SECOND);
    all[1] = failing;
    wait(rota_loop_gather(loop, all, 2, 0), "all");
    wait(failing, "failing");
    CHECK_STATUS(rota_future_fail(failing, ROTA_STATUS_HOST, "why"), ROTA_OK);
    wait(rota_future_wait_for(rota_loop_sleep(loop, HOUR), SECOND), "late by an hour");
}

TEST(completions_come_in_the_order_of_callbacks) {
    static char expected[sizeof test_record];
    rota_loop loop = open_jump();
    play(loop, thens);
    run_dry(loop);
    snprintf(expected, sizeof expected, "%s", test_record);
    CHECK(strlen(expected) > 80);
    forget_record();
    close_clean(loop);
    loop = open_jump();
    play(loop, drains);
    while (alive_in(loop) != 0) {
        CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
        fetch(loop);
    }
    CHECK_RECORD(expected);
    close_clean(loop);
}

TEST(drains_and_callbacks_of_one_future_share_one_order) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    drains(future, "one");
    thens(future, "two");
    drains(future, "three");
    CHECK_STATUS(rota_future_complete(future, 5), ROTA_OK);
    check_none(loop); /* never in the completing call */
    turn(loop);
    CHECK_RECORD("two:5");
    CHECK_EQ(stats_of(loop).completions, 2);
    CHECK_EQ(outcome_of(future).value, 5); /* it lives for those who fetch it */
    fetch(loop);
    CHECK_RECORD("one:5 three:5");
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

/* ---- what is fetched */

TEST(a_completion_tells_everything_and_is_held_until_the_next) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), other = open_future(loop);
    rota_completion next;
    drains(future, "future");
    drains(other, "other");
    CHECK_STATUS(rota_future_fail(future, ROTA_STATUS_HOST - 3, "a reason"), ROTA_OK);
    CHECK_STATUS(rota_future_complete(other, 1), ROTA_OK);
    turn(loop);
    next = next_of(loop);
    CHECK(next.size == sizeof next && next.future.id == future.id);
    CHECK_TEXT((const char *)next.user_data, "future");
    CHECK_TEXT(next.outcome.message, "a reason");
    CHECK_EQ(outcome_of(future).status, ROTA_STATUS_HOST - 3);
    turns(loop, 3);
    CHECK_TEXT(next.outcome.message, "a reason");
    CHECK_EQ(next_of(loop).future.id, other.id);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    CHECK_EQ(outcome_of(other).value, 1);
    check_none(loop); /* which lets go of the last */
    CHECK_STATUS(rota_future_close(other), ROTA_ERR_HANDLE);
    close_clean(loop);
}

/* Whoever else gets the future meanwhile, the message stays where it is. */
TEST(what_is_held_outlives_other_claims_on_it) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), outer;
    rota_completion next;
    drains(future, "future");
    CHECK_STATUS(rota_future_fail(future, ROTA_STATUS_HOST, "a reason"), ROTA_OK);
    turn(loop);
    next = next_of(loop);
    thens(future, "late");
    outer = rota_future_wait_for(future, HOUR);
    CHECK_EQ(WAIT(loop, outer), ROTA_STATUS_HOST);
    CHECK_EQ(WAIT(loop, future), ROTA_STATUS_HOST);
    outer = rota_future_shield(future);
    CHECK_EQ(WAIT(loop, outer), ROTA_STATUS_HOST);
    turns(loop, 2);
    CHECK_RECORD("late:-1000000");
    CHECK_TEXT(next.outcome.message, "a reason");
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_TEXT(outcome_of(future).message, "a reason");
    check_none(loop);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    close_clean(loop);
}

typedef struct {
    rota_loop loop;
    int freed;
} scene;

static void fetches_when_freed(void *user_data) {
    scene *self = user_data;
    self->freed++;
    CHECK_TEXT((const char *)next_of(self->loop).user_data, "second");
    CHECK_STATUS(rota_loop_close(self->loop, 0), ROTA_ERR_REENTRANT);
}

TEST(objects_are_taken_from_a_completion_or_stay_in_its_future) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), second, third;
    scene self = {loop, 0};
    void *result = NULL;
    drains(future, "object");
    CHECK_STATUS(rota_future_complete_with(future, &self, frees), ROTA_OK);
    turn(loop);
    CHECK_STATUS(rota_future_take_result(next_of(loop).future, &result), ROTA_OK);
    CHECK(result == &self);
    check_none(loop);
    CHECK_STATUS(rota_future_close(future), ROTA_ERR_HANDLE);
    /* A destructor that fetches, in a call that fetches. */
    future = open_future(loop);
    second = open_future(loop);
    third = open_future(loop);
    drains(future, "first");
    drains(second, "second");
    drains(third, "third");
    CHECK_STATUS(rota_future_complete_with(future, &self, fetches_when_freed), ROTA_OK);
    CHECK_STATUS(rota_future_complete(second, 2), ROTA_OK);
    CHECK_STATUS(rota_future_complete(third, 3), ROTA_OK);
    turn(loop);
    CHECK_TEXT((const char *)next_of(loop).user_data, "first");
    CHECK_STATUS(rota_future_close(future), ROTA_OK); /* at the next call */
    CHECK_TEXT((const char *)next_of(loop).user_data, "third");
    CHECK_EQ(self.freed, 1);
    check_none(loop);
    close_clean(loop);
}

TEST(an_accepted_stream_is_fetched) {
    rota_loop loop = open_system();
    uint16_t port;
    int raw;
    char bytes[4] = {0};
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_stream stream = {0};
    rota_completion next;
    drains(rota_listener_accept(listener), "accept");
    raw = raw_connect(port);
    TURN_UNTIL(loop, stats_of(loop).completions == 1);
    CHECK_STATUS(rota_future_take_stream(next_of(loop).future, &stream), ROTA_OK);
    raw_send_text(raw, "abc");
    drains(rota_stream_read_exactly(stream, bytes, 3), "read");
    TURN_UNTIL(loop, stats_of(loop).completions == 1);
    next = next_of(loop);
    CHECK_EQ(next.result, 3);
    CHECK_EQ(next.outcome.moved_bytes, 3);
    CHECK_TEXT(bytes, "abc");
    check_none(loop);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close(raw);
    close_clean(loop);
}

TEST(an_older_struct_is_filled_as_far_as_it_goes) {
    rota_loop loop = open_jump();
    rota_completion next;
    memset(&next, 0x55, sizeof next);
    next.size = offsetof(rota_completion, outcome);
    drains(rota_loop_gather(loop, NULL, 0, 0), "value");
    turn(loop);
    CHECK_STATUS(rota_loop_next_completion(loop, &next), ROTA_OK);
    CHECK_EQ(next.result, 0);
    CHECK_EQ(next.outcome.os_error, 0x55555555);
    next.size = 1;
    CHECK_STATUS(rota_loop_next_completion(loop, &next), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_next_completion(loop, NULL), ROTA_ERR_INVALID);
    check_none(loop);
    close_clean(loop);
}

/* ---- turns */

TEST(a_turn_does_not_wait_while_completions_stand) {
    rota_loop loop = open_jump();
    rota_turn_figures figures = {0};
    uint64_t began = now_of(loop), deadline = 0;
    figures.size = sizeof figures;
    drains(rota_loop_sleep(loop, SECOND), "sleep");
    drains(rota_loop_sleep(loop, HOUR), "hour");
    CHECK_STATUS(rota_loop_turn(loop, HOUR, 0, 0, &figures), ROTA_OK);
    CHECK_EQ(figures.completions, 1);
    CHECK_EQ(figures.next_deadline_ns, began + SECOND);
    CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, &figures), ROTA_OK);
    CHECK_EQ(now_of(loop), began + SECOND);
    CHECK_STATUS(rota_loop_get_next_deadline(loop, &deadline), ROTA_OK);
    CHECK_EQ(deadline, began + SECOND);
    fetch(loop);
    CHECK_STATUS(rota_loop_get_next_deadline(loop, &deadline), ROTA_OK);
    CHECK(deadline > began + SECOND);
    CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    fetch(loop);
    CHECK_RECORD("sleep:ok hour:ok");
    close_clean(loop);
}

TEST(a_budget_cuts_a_turn_and_changes_no_order) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    drains(future, "a");
    drains(future, "b");
    drains(future, "c");
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 1, NULL), ROTA_OK);
    CHECK_EQ(stats_of(loop).completions, 1);
    fetch(loop);
    CHECK_RECORD("a:1");
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 1, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 1, NULL), ROTA_OK);
    fetch(loop);
    CHECK_RECORD("b:1 c:1");
    close_clean(loop);
}

/* ---- taken back, cancelled, closed, abandoned */

TEST(a_drain_is_taken_back) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    size_t removed = 9;
    char a, b;
    CHECK_STATUS(rota_future_drain(future, &a), ROTA_OK);
    CHECK_STATUS(rota_future_drain(future, &b), ROTA_OK);
    CHECK_STATUS(rota_future_drain(future, &a), ROTA_OK);
    CHECK_STATUS(rota_future_then(future, record_future, &a), ROTA_OK);
    CHECK_STATUS(rota_future_remove_drain(future, &a, &removed), ROTA_OK);
    CHECK_EQ(removed, 2);
    CHECK_STATUS(rota_future_remove(future, record_future, &a, NULL), ROTA_OK);
    CHECK_STATUS(rota_future_remove_drain(future, &a, &removed), ROTA_OK);
    CHECK_EQ(removed, 0);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    CHECK_STATUS(rota_future_remove_drain(future, &b, &removed), ROTA_OK);
    CHECK_EQ(removed, 0); /* it is on its way */
    turn(loop);
    CHECK(next_of(loop).user_data == &b);
    check_none(loop);
    CHECK_STATUS(rota_future_remove_drain(future, &b, &removed), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(a_cancelled_or_closed_future_comes_as_cancelled) {
    rota_loop loop = open_jump();
    rota_future one = open_future(loop), two = open_future(loop);
    drains(one, "one");
    drains(two, "two");
    CHECK_STATUS(rota_future_cancel(one), ROTA_OK);
    CHECK_STATUS(rota_future_close(two), ROTA_ERR_BUSY);
    turn(loop);
    fetch(loop);
    CHECK_RECORD("one:cancelled two:cancelled");
    CHECK_STATUS(rota_future_close(two), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(closing_waits_for_the_host_to_fetch) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), done = open_future(loop);
    rota_completion next;
    scene self = {loop, 0};
    drains(done, "done");
    drains(future, "future");
    drains(rota_loop_sleep(loop, HOUR), "sleep");
    CHECK_STATUS(rota_future_complete_with(done, &self.freed, frees), ROTA_OK);
    CHECK_STATUS(rota_loop_post_completion(loop, "post"), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, ROTA_FOREVER), ROTA_ERR_BUSY); /* it does not wait for us */
    CHECK_STATUS(rota_loop_post_completion(loop, "late"), ROTA_ERR_CLOSING);
    CHECK_EQ(stats_of(loop).completions, 4);
    next = next_of(loop);
    CHECK(next.future.id == done.id && next.result == 0);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_BUSY); /* and lets go of what was fetched */
    CHECK_EQ(self.freed, 1);
    fetch(loop);
    CHECK_RECORD("future:cancelled sleep:cancelled post:cancelled");
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
}

TEST(what_is_held_while_the_loop_closes_is_let_go_once) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop);
    int freed = 0;
    drains(future, "future");
    CHECK_STATUS(rota_future_complete_with(future, &freed, frees), ROTA_OK);
    turn(loop);
    (void)next_of(loop);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
    CHECK_EQ(freed, 1);
}

TEST(abandoning_drops_them) {
    rota_loop loop = open_jump();
    rota_completion next = {0};
    next.size = sizeof next;
    drains(open_future(loop), "pending");
    drains(rota_loop_gather(loop, NULL, 0, 0), "value");
    turn(loop);
    CHECK_STATUS(rota_loop_abandon(loop), ROTA_OK);
    CHECK_STATUS(rota_loop_next_completion(loop, &next), ROTA_ERR_HANDLE);
}

static int64_t drains_in_a_task(rota_task task, void *user_data) {
    scene *self = user_data;
    rota_future sleep = rota_loop_sleep(self->loop, SECOND);
    (void)task;
    drains(sleep, "beside");
    return rota_await(sleep);
}

TEST(a_drain_and_a_task_wait_for_the_same_future) {
    rota_loop loop = open_jump();
    scene self = {loop, 0};
    rota_task task = spawn(loop, drains_in_a_task, &self);
    turn(loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    check_none(loop); /* the drain waits still */
    CHECK_STATUS(rota_loop_turn(loop, HOUR, 0, 0, NULL), ROTA_OK);
    fetch(loop);
    CHECK_RECORD("beside:ok");
    close_clean(loop);
}

/* ---- no memory */

/* As many as the memory allows: each that was accepted comes, though there is none left. */
TEST(without_memory_a_drain_is_refused_and_those_before_come) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    rota_loop loop;
    rota_future future;
    rota_completion next = {0};
    size_t accepted = 0, came = 0;
    rota_status status;
    options.memory_limit = 128 * 1024;
    loop = open_with(&options);
    next.size = sizeof next;
    future = open_future(loop);
    while ((status = rota_future_drain(future, NULL)) == ROTA_OK) accepted++;
    CHECK_STATUS(status, ROTA_ERR_MEMORY);
    CHECK(accepted > 100);
    CHECK_STATUS(rota_future_complete(future, 1), ROTA_OK);
    CHECK_STATUS(rota_loop_post_completion(loop, NULL), ROTA_OK);
    do {
        turn(loop);
        while (rota_loop_next_completion(loop, &next) == ROTA_OK) came++;
    } while (came < accepted + 1);
    turn(loop);
    CHECK_EQ(came, accepted + 1);
    CHECK(!pending(future) && stats_of(loop).futures == 0);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(completions_come_in_the_order_of_callbacks);
    RUN(drains_and_callbacks_of_one_future_share_one_order);
    RUN(a_completion_tells_everything_and_is_held_until_the_next);
    RUN(what_is_held_outlives_other_claims_on_it);
    RUN(objects_are_taken_from_a_completion_or_stay_in_its_future);
    RUN(an_accepted_stream_is_fetched);
    RUN(an_older_struct_is_filled_as_far_as_it_goes);
    RUN(a_turn_does_not_wait_while_completions_stand);
    RUN(a_budget_cuts_a_turn_and_changes_no_order);
    RUN(a_drain_is_taken_back);
    RUN(a_cancelled_or_closed_future_comes_as_cancelled);
    RUN(closing_waits_for_the_host_to_fetch);
    RUN(what_is_held_while_the_loop_closes_is_let_go_once);
    RUN(abandoning_drops_them);
    RUN(a_drain_and_a_task_wait_for_the_same_future);
    RUN(without_memory_a_drain_is_refused_and_those_before_come);
    return test_end();
}
