/* Queues that go by age or by priority, and shutting down now: no item is lost. */
#include "rota_test.h"

static char letters[] = "abcdefghijklmnopqrstuvwxyz";
static rota_loop loop;
static rota_queue queue;

static void *item_of(char letter) { return &letters[letter - 'a']; }

static void open_all(size_t capacity, uint32_t order) {
    loop = open_jump();
    queue.id = 0;
    CHECK_STATUS(rota_loop_open_queue(loop, capacity, order, &queue), ROTA_OK);
    CHECK(queue.id != 0);
}

static void put(char letter) { CHECK_STATUS(rota_queue_try_put(queue, item_of(letter)), ROTA_OK); }

static void put_at(char letter, int64_t priority) {
    CHECK_STATUS(rota_queue_try_put_priority(queue, item_of(letter), priority), ROTA_OK);
}

static size_t size(void) {
    size_t size = 99;
    CHECK_STATUS(rota_queue_get_size(queue, &size), ROTA_OK);
    return size;
}

/* Records all that is there, and how it ends. */
static void take_all(void) {
    char taken[32];
    size_t count = 0;
    void *item = NULL;
    rota_status status;
    while ((status = rota_queue_try_get(queue, &item)) == ROTA_OK) taken[count++] = *(char *)item;
    taken[count] = '\0';
    record("%s:%s", taken, status == ROTA_ERR_PENDING ? "empty" : "shut");
}

static void records_item(rota_future future, int64_t result, void *user_data) {
    void *item = NULL;
    if (result < 0) {
        record("%s:%s", (const char *)user_data, told(result));
        return;
    }
    CHECK_STATUS(rota_future_take_result(future, &item), ROTA_OK);
    record("%s:%c", (const char *)user_data, *(char *)item);
}

static rota_future get_then(const char *name) {
    rota_future future = rota_queue_get(queue);
    CHECK_STATUS(rota_future_then(future, records_item, (void *)name), ROTA_OK);
    return future;
}

static rota_future then(rota_future future, const char *name) {
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

TEST(the_newest_comes_first_out_of_a_lifo) {
    open_all(0, ROTA_QUEUE_LIFO);
    put('a');
    put('b');
    put('c');
    get_then("get");
    turns(loop, 1);
    CHECK_RECORD("get:c");
    put('d');
    take_all();
    CHECK_RECORD("dba:empty");
    CHECK_STATUS(rota_queue_try_put_priority(queue, item_of('e'), 1), ROTA_ERR_INVALID);
    CHECK_EQ(WAIT(loop, rota_queue_put_priority(queue, item_of('e'), 1)), ROTA_ERR_INVALID);
    CHECK_EQ(size(), 0);
    close_clean(loop);
}

TEST(those_who_wait_at_a_lifo_are_served_in_the_order_they_came) {
    open_all(1, ROTA_QUEUE_LIFO);
    put('a');
    then(rota_queue_put(queue, item_of('b')), "b");
    then(rota_queue_put(queue, item_of('c')), "c");
    turns(loop, 1);
    CHECK_RECORD("");
    get_then("x");
    turns(loop, 1);
    CHECK_RECORD("b:ok x:a");
    take_all();
    turns(loop, 1);
    CHECK_RECORD("bc:empty c:ok");
    get_then("first");
    get_then("second");
    put('d');
    put('e');
    turns(loop, 1);
    CHECK_RECORD("first:d second:e");
    close_clean(loop);
}

TEST(the_smallest_comes_first_and_equals_in_the_order_they_were_put) {
    open_all(0, ROTA_QUEUE_PRIORITY);
    put_at('a', 3);
    put_at('b', INT64_MAX);
    put_at('c', -5);
    put('d'); /* as with 0 */
    put_at('e', 3);
    put_at('f', INT64_MIN);
    put_at('g', 0);
    put_at('h', 3);
    CHECK_EQ(size(), 8);
    take_all();
    CHECK_RECORD("fcdgaehb:empty");
    get_then("get"); /* who waits gets what comes, whatever its priority */
    put_at('z', INT64_MAX);
    put_at('y', 0);
    turns(loop, 1);
    CHECK_RECORD("get:z");
    take_all();
    CHECK_RECORD("y:empty");
    close_clean(loop);
}

TEST(those_who_wait_for_room_get_it_in_the_order_they_came) {
    rota_future gone;
    open_all(1, ROTA_QUEUE_PRIORITY);
    put_at('m', 5);
    CHECK_STATUS(rota_queue_try_put_priority(queue, item_of('n'), 1), ROTA_ERR_LIMIT);
    then(rota_queue_put_priority(queue, item_of('a'), 9), "a");
    gone = then(rota_queue_put_priority(queue, item_of('g'), -9), "g");
    then(rota_queue_put_priority(queue, item_of('b'), 1), "b");
    CHECK_STATUS(rota_future_cancel(gone), ROTA_OK);
    take_all();
    turns(loop, 1);
    CHECK_RECORD("mab:empty g:cancelled a:ok b:ok");
    close_clean(loop);
}

/* Beside an array that is searched for the smallest, the first of equals. */
TEST(random_puts_and_gets_come_out_as_a_plain_search_says) {
    static int64_t priorities[4000];
    static bool taken[4000];
    uint64_t state = 11;
    int put_count = 0, step, i;
    open_all(0, ROTA_QUEUE_PRIORITY);
    memset(taken, 0, sizeof taken);
    for (step = 0; step < 4000; step++) {
        if (test_random(&state) % 5 < 3) {
            priorities[put_count] = (int64_t)(test_random(&state) % 7) - 3;
            CHECK_STATUS(rota_queue_try_put_priority(queue, &taken[put_count],
                                                     priorities[put_count]), ROTA_OK);
            put_count++;
        } else {
            void *item = NULL;
            int best = -1;
            for (i = 0; i < put_count; i++) {
                if (!taken[i] && (best < 0 || priorities[i] < priorities[best])) best = i;
            }
            CHECK_STATUS(rota_queue_try_get(queue, &item), best < 0 ? ROTA_ERR_PENDING : ROTA_OK);
            CHECK(best < 0 || item == &taken[best]);
            if (best >= 0) taken[best] = true;
        }
    }
    close_clean(loop);
}

static void shut_now_with(uint32_t order, const char *left) {
    void *item = NULL;
    open_all(3, order);
    put('a');
    put('b');
    put('c');
    then(rota_queue_put(queue, item_of('d')), "d");
    CHECK_STATUS(rota_queue_try_get(queue, &item), ROTA_OK); /* one is out, one came in instead */
    then(rota_queue_put(queue, item_of('e')), "e");
    then(rota_queue_join(queue), "join");
    turns(loop, 1);
    CHECK_RECORD("d:ok");
    CHECK_STATUS(rota_queue_shutdown_now(queue), ROTA_OK);
    CHECK_STATUS(rota_queue_shutdown_now(queue), ROTA_OK);
    CHECK_STATUS(rota_queue_shutdown(queue), ROTA_OK); /* takes nothing back */
    turns(loop, 1);
    CHECK_RECORD("e:-33");
    CHECK_EQ(WAIT(loop, rota_queue_get(queue)), ROTA_ERR_SHUT); /* although there are some */
    CHECK_EQ(WAIT(loop, rota_queue_put(queue, item_of('x'))), ROTA_ERR_SHUT);
    CHECK_STATUS(rota_queue_try_put(queue, item_of('x')), ROTA_ERR_SHUT);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK); /* the one that was out */
    turns(loop, 1);
    CHECK_RECORD("join:ok");
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID);
    CHECK_EQ(size(), 3);
    take_all();
    CHECK_RECORD(left);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID);
    close_clean(loop);
}

TEST(shutting_down_now_stops_the_gets_and_keeps_the_items_to_be_taken) {
    shut_now_with(ROTA_QUEUE_FIFO, "bcd:shut");
    shut_now_with(ROTA_QUEUE_LIFO, "dba:shut");
    shut_now_with(ROTA_QUEUE_PRIORITY, "bcd:shut");
}

TEST(shutting_down_now_wakes_those_who_wait_to_get_or_for_the_end) {
    open_all(0, ROTA_QUEUE_FIFO);
    get_then("get");
    CHECK_STATUS(rota_queue_shutdown_now(queue), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("get:-33");
    CHECK_EQ(WAIT(loop, rota_queue_join(queue)), 0);
    CHECK_STATUS(rota_queue_close(queue), ROTA_OK);

    /* After a plain shutdown, of which some items are left that nobody will get. */
    CHECK_STATUS(rota_loop_open_queue(loop, 0, ROTA_QUEUE_FIFO, &queue), ROTA_OK);
    put('a');
    put('b');
    then(rota_queue_join(queue), "join");
    CHECK_STATUS(rota_queue_shutdown(queue), ROTA_OK);
    get_then("get");
    turns(loop, 1);
    CHECK_RECORD("get:a");
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("");
    CHECK_STATUS(rota_queue_shutdown_now(queue), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("join:ok");
    take_all();
    CHECK_RECORD("b:shut");
    close_clean(loop);
}

TEST(an_order_that_is_none_is_refused) {
    rota_queue refused = {7};
    open_all(0, ROTA_QUEUE_FIFO);
    CHECK_STATUS(rota_loop_open_queue(loop, 0, 3, &refused), ROTA_ERR_INVALID);
    CHECK_EQ(refused.id, 7);
    CHECK_STATUS(rota_queue_try_put_priority(queue, item_of('a'), 0), ROTA_ERR_INVALID);
    CHECK_EQ(size(), 0);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(the_newest_comes_first_out_of_a_lifo);
    RUN(those_who_wait_at_a_lifo_are_served_in_the_order_they_came);
    RUN(the_smallest_comes_first_and_equals_in_the_order_they_were_put);
    RUN(those_who_wait_for_room_get_it_in_the_order_they_came);
    RUN(random_puts_and_gets_come_out_as_a_plain_search_says);
    RUN(shutting_down_now_stops_the_gets_and_keeps_the_items_to_be_taken);
    RUN(shutting_down_now_wakes_those_who_wait_to_get_or_for_the_end);
    RUN(an_order_that_is_none_is_refused);
    return test_end();
}
