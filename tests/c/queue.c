/* Queues: items come out in the order they were put, each once, whoever is cancelled. */
#include "rota_test.h"

static char letters[] = "abcdefghijklmnopqrstuvwxyz";

/* The item that stands for a letter. */
static void *item_of(char letter) { return &letters[letter - 'a']; }

static rota_queue open_queue(rota_loop loop, size_t capacity) {
    rota_queue queue = {0};
    CHECK_STATUS(rota_loop_open_queue(loop, capacity, ROTA_QUEUE_FIFO, &queue), ROTA_OK);
    CHECK(queue.id != 0);
    return queue;
}

static size_t size_of(rota_queue queue) {
    size_t size = 99;
    CHECK_STATUS(rota_queue_get_size(queue, &size), ROTA_OK);
    return size;
}

/* What try_get brings: a letter, or 0 if there is nothing. */
static char try_get(rota_queue queue) {
    void *item = NULL;
    rota_status status = rota_queue_try_get(queue, &item);
    if (status == ROTA_ERR_PENDING) return 0;
    CHECK_STATUS(status, ROTA_OK);
    return *(char *)item;
}

static char take(rota_future future) {
    void *item = NULL;
    CHECK_STATUS(rota_future_take_result(future, &item), ROTA_OK);
    return *(char *)item;
}

static void records_item(rota_future future, int64_t result, void *user_data) {
    if (result < 0) record("%s:%s", (const char *)user_data, told(result));
    else record("%s:%c", (const char *)user_data, take(future));
}

static rota_future get_then(rota_queue queue, const char *name) {
    rota_future future = rota_queue_get(queue);
    CHECK_STATUS(rota_future_then(future, records_item, (void *)name), ROTA_OK);
    return future;
}

static rota_future put_then(rota_queue queue, char letter, const char *name) {
    rota_future future = rota_queue_put(queue, item_of(letter));
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

TEST(items_come_out_in_order) {
    rota_loop loop = open_jump();
    rota_queue queue = open_queue(loop, 0);
    char letter;
    CHECK_EQ(try_get(queue), 0);
    for (letter = 'a'; letter <= 'z'; letter++) {
        CHECK_EQ(outcome_of(rota_queue_put(queue, item_of(letter))).status, ROTA_OK);
    }
    CHECK_EQ(stats_of(loop).futures, 0); /* a put that has room takes no slot */
    CHECK_EQ(size_of(queue), 26);
    for (letter = 'a'; letter <= 'z'; letter++) {
        rota_future got = rota_queue_get(queue);
        CHECK_EQ(outcome_of(got).value, 0);
        CHECK_EQ(take(got), letter);
    }
    CHECK_EQ(size_of(queue), 0);
    CHECK_STATUS(rota_queue_close(queue), ROTA_OK);
    CHECK_STATUS(rota_queue_try_put(queue, NULL), ROTA_ERR_HANDLE);
    CHECK_EQ(WAIT(loop, rota_queue_get(queue)), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(a_full_queue_takes_items_in_the_order_they_were_offered) {
    rota_loop loop = open_jump();
    rota_queue queue = open_queue(loop, 2);
    put_then(queue, 'a', "a");
    put_then(queue, 'b', "b");
    put_then(queue, 'c', "c");
    put_then(queue, 'd', "d");
    turns(loop, 2);
    CHECK_RECORD("a:ok b:ok");
    CHECK_STATUS(rota_queue_try_put(queue, item_of('e')), ROTA_ERR_LIMIT);
    CHECK_EQ(size_of(queue), 2);
    CHECK_EQ(try_get(queue), 'a');
    CHECK_EQ(size_of(queue), 2); /* c is in, before anybody else can put */
    CHECK_STATUS(rota_queue_try_put(queue, item_of('e')), ROTA_ERR_LIMIT);
    turns(loop, 1);
    CHECK_RECORD("c:ok");
    CHECK_EQ(try_get(queue), 'b');
    CHECK_EQ(try_get(queue), 'c');
    CHECK_STATUS(rota_queue_try_put(queue, item_of('e')), ROTA_OK);
    CHECK_EQ(try_get(queue), 'd');
    CHECK_EQ(try_get(queue), 'e');
    CHECK_EQ(try_get(queue), 0);
    turns(loop, 1);
    CHECK_RECORD("d:ok");
    close_clean(loop);
}

TEST(those_who_wait_to_get_are_served_in_order) {
    rota_loop loop = open_jump();
    rota_queue queue = open_queue(loop, 1);
    get_then(queue, "1");
    get_then(queue, "2");
    get_then(queue, "3");
    turns(loop, 2);
    CHECK_RECORD("");
    CHECK_STATUS(rota_queue_try_put(queue, item_of('a')), ROTA_OK);
    CHECK_STATUS(rota_queue_try_put(queue, item_of('b')), ROTA_OK);
    CHECK_EQ(size_of(queue), 0); /* they are theirs already */
    CHECK_EQ(try_get(queue), 0);
    turns(loop, 1);
    CHECK_RECORD("1:a 2:b");
    CHECK_STATUS(rota_queue_try_put(queue, item_of('c')), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("3:c");
    close_clean(loop);
}

TEST(cancelled_waiters_leave_their_lines) {
    rota_loop loop = open_jump();
    rota_queue queue = open_queue(loop, 1);
    rota_future first = get_then(queue, "1"), middle, putter;
    get_then(queue, "2");
    middle = get_then(queue, "3");
    get_then(queue, "4");
    CHECK_STATUS(rota_future_cancel(middle), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(first), ROTA_OK);
    CHECK_STATUS(rota_queue_try_put(queue, item_of('a')), ROTA_OK);
    CHECK_STATUS(rota_queue_try_put(queue, item_of('b')), ROTA_OK);
    CHECK_STATUS(rota_queue_try_put(queue, item_of('c')), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("3:cancelled 1:cancelled 2:a 4:b");
    putter = put_then(queue, 'd', "d");
    put_then(queue, 'e', "e");
    CHECK_STATUS(rota_future_cancel(putter), ROTA_OK);
    CHECK_EQ(try_get(queue), 'c');
    CHECK_EQ(try_get(queue), 'e'); /* d was never put */
    CHECK_EQ(try_get(queue), 0);
    turns(loop, 1);
    CHECK_RECORD("d:cancelled e:ok");
    close_clean(loop);
}

static int64_t gets(rota_task task, void *user_data) {
    rota_future future = rota_queue_get(*(rota_queue *)user_data);
    int64_t got = rota_await(future);
    (void)task;
    return got < 0 ? got : take(future);
}

TEST(an_item_that_was_given_before_the_cancel_is_had) {
    rota_loop loop = open_jump();
    rota_queue queue = open_queue(loop, 0);
    rota_task early = spawn(loop, gets, &queue), late = spawn(loop, gets, &queue);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(early), ROTA_OK);
    CHECK_STATUS(rota_queue_try_put(queue, item_of('x')), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(late), ROTA_OK); /* its outcome is ready: it wins */
    CHECK_EQ(WAIT(loop, rota_task_join(early)), ROTA_ERR_CANCELLED);
    CHECK_EQ(WAIT(loop, rota_task_join(late)), 'x');
    CHECK_EQ(size_of(queue), 0);
    close_clean(loop);
}

TEST(join_waits_until_all_is_done) {
    rota_loop loop = open_jump();
    rota_queue queue = open_queue(loop, 1);
    CHECK_EQ(outcome_of(rota_queue_join(queue)).status, ROTA_OK);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID);
    put_then(queue, 'a', "a");
    put_then(queue, 'b', "b"); /* not put yet, and counted when it is */
    CHECK_STATUS(rota_future_then(rota_queue_join(queue), record_future, "join"), ROTA_OK);
    CHECK_EQ(try_get(queue), 'a');
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK);
    CHECK_EQ(try_get(queue), 'b');
    turns(loop, 2);
    CHECK_RECORD("a:ok b:ok");
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID);
    turns(loop, 1);
    CHECK_RECORD("join:ok");
    close_clean(loop);
}

TEST(shutting_down_ends_puts_and_lets_the_items_out) {
    rota_loop loop = open_jump();
    rota_queue queue = open_queue(loop, 1), empty = open_queue(loop, 0);
    void *item = NULL;
    put_then(queue, 'a', "a");
    put_then(queue, 'b', "b");
    get_then(empty, "get");
    turns(loop, 1);
    CHECK_STATUS(rota_queue_shutdown(queue), ROTA_OK);
    CHECK_STATUS(rota_queue_shutdown(queue), ROTA_OK);
    CHECK_STATUS(rota_queue_shutdown(empty), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("a:ok b:-33 get:-33");
    CHECK_EQ(WAIT(loop, rota_queue_put(queue, item_of('c'))), ROTA_ERR_SHUT);
    CHECK_STATUS(rota_queue_try_put(queue, item_of('c')), ROTA_ERR_SHUT);
    CHECK_EQ(try_get(queue), 'a');
    CHECK_STATUS(rota_queue_try_get(queue, &item), ROTA_ERR_SHUT);
    CHECK_EQ(WAIT(loop, rota_queue_get(queue)), ROTA_ERR_SHUT);
    CHECK(item == NULL);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_queue_join(queue)), 0);
    close_clean(loop);
}

TEST(closing_ends_those_who_wait) {
    rota_loop loop = open_jump();
    rota_queue full = open_queue(loop, 1), empty = open_queue(loop, 1), other = open_queue(loop, 1);
    put_then(full, 'a', "a");
    put_then(full, 'b', "b");
    CHECK_STATUS(rota_future_then(rota_queue_join(full), record_future, "join"), ROTA_OK);
    get_then(empty, "get");
    CHECK_STATUS(rota_queue_close(full), ROTA_OK);
    CHECK_STATUS(rota_queue_close(empty), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("a:ok b:cancelled join:cancelled get:cancelled");
    CHECK_STATUS(rota_queue_close(full), ROTA_ERR_HANDLE);
    get_then(other, "left");
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("left:cancelled");
}

/* Producers and consumers, some of whom are cancelled at random: what was put comes out once. */
enum { PRODUCERS = 6, CONSUMERS = 5, EACH = 100 };

static rota_loop market;
static rota_queue goods;
static int came[PRODUCERS][EACH], put[PRODUCERS][EACH];

static int64_t produces(rota_task task, void *user_data) {
    int *mine = user_data, i; /* its row: came[p] */
    for (i = 0; i < EACH; i++) {
        int64_t result = rota_await(rota_queue_put(goods, &mine[i]));
        if (result == ROTA_ERR_CANCELLED) {
            CHECK_STATUS(rota_task_uncancel(task, NULL), ROTA_OK);
            continue;
        }
        CHECK_EQ(result, 0);
        put[(mine - &came[0][0]) / EACH][i]++;
    }
    return 0;
}

static int64_t consumes(rota_task task, void *user_data) {
    (void)user_data;
    for (;;) {
        rota_future future = rota_queue_get(goods);
        int64_t result = rota_await(future);
        void *item = NULL;
        if (result == ROTA_ERR_SHUT) return 0;
        if (result == ROTA_ERR_CANCELLED) {
            CHECK_STATUS(rota_task_uncancel(task, NULL), ROTA_OK);
            continue;
        }
        CHECK_EQ(result, 0);
        CHECK_STATUS(rota_future_take_result(future, &item), ROTA_OK);
        ++*(int *)item;
        CHECK_STATUS(rota_queue_task_done(goods), ROTA_OK);
    }
}

TEST(what_was_put_comes_out_once_whoever_is_cancelled) {
    rota_task tasks[PRODUCERS + CONSUMERS];
    uint64_t state = 7;
    int i, j, missing = 0;
    market = open_jump();
    goods = open_queue(market, 3);
    for (i = 0; i < PRODUCERS; i++) tasks[i] = spawn(market, produces, came[i]);
    for (i = 0; i < CONSUMERS; i++) tasks[PRODUCERS + i] = spawn(market, consumes, NULL);
    for (i = 0; i < 200; i++) {
        CHECK_STATUS(rota_loop_turn(market, 0, 0, 1 + test_random(&state) % 5, NULL), ROTA_OK);
        (void)rota_task_cancel(tasks[test_random(&state) % (PRODUCERS + CONSUMERS)]);
    }
    for (i = 0; i < PRODUCERS; i++) CHECK_EQ(WAIT(market, rota_task_join(tasks[i])), 0);
    CHECK_EQ(WAIT(market, rota_queue_join(goods)), 0);
    CHECK_STATUS(rota_queue_shutdown(goods), ROTA_OK);
    for (i = 0; i < CONSUMERS; i++) CHECK_EQ(WAIT(market, rota_task_join(tasks[PRODUCERS + i])), 0);
    for (i = 0; i < PRODUCERS; i++) {
        for (j = 0; j < EACH; j++) {
            CHECK_EQ(came[i][j], put[i][j]);
            missing += put[i][j] == 0;
        }
    }
    CHECK(missing > 0 && missing < PRODUCERS * EACH); /* some puts were cancelled, most not */
    close_clean(market);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(items_come_out_in_order);
    RUN(a_full_queue_takes_items_in_the_order_they_were_offered);
    RUN(those_who_wait_to_get_are_served_in_order);
    RUN(cancelled_waiters_leave_their_lines);
    RUN(an_item_that_was_given_before_the_cancel_is_had);
    RUN(join_waits_until_all_is_done);
    RUN(shutting_down_ends_puts_and_lets_the_items_out);
    RUN(closing_ends_those_who_wait);
    RUN(what_was_put_comes_out_once_whoever_is_cancelled);
    return test_end();
}
