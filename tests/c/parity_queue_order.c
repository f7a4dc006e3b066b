/* asyncio's tests of queues with other orders, and of shutting one down at once, restated. */
#include "parity.h"

static char letters[] = "abcdefghijklmnopqrstuvwxyz";

static rota_loop loop;
static rota_queue queue;

static void open_scene(uint32_t order) {
    loop = open_jump();
    CHECK_STATUS(rota_loop_open_queue(loop, 0, order, &queue), ROTA_OK);
}

static void close_scene(void) {
    CHECK_STATUS(rota_queue_close(queue), ROTA_OK);
    close_clean(loop);
}

static void *item(char letter) { return &letters[letter - 'a']; }

static size_t size(void) {
    size_t count = 99;
    CHECK_STATUS(rota_queue_get_size(queue, &count), ROTA_OK);
    return count;
}

/* Puts "a", "c" and "b"; where they have an order of their own, it is the alphabet's. */
static void put_three(uint32_t order) {
    static const char three[] = "acb";
    const char *at;
    for (at = three; *at != '\0'; at++) {
        rota_future done = order == ROTA_QUEUE_PRIORITY
                               ? rota_queue_put_priority(queue, item(*at), *at)
                               : rota_queue_put(queue, item(*at));
        CHECK_EQ(WAIT(loop, done), 0);
    }
}

/* Waits for an item from outside. */
static int64_t get(void) {
    rota_future future = rota_queue_get(queue);
    int64_t result = WAIT(loop, future);
    void *got = NULL;
    if (result < 0) return result;
    CHECK_STATUS(rota_future_take_result(future, &got), ROTA_OK);
    return *(char *)got;
}

/* What try_get brings: a letter, or the status. */
static int try_get(void) {
    void *got = NULL;
    rota_status status = rota_queue_try_get(queue, &got);
    return status < 0 ? (int)status : *(char *)got;
}

static void expect_order(uint32_t order, const char *expected) {
    open_scene(order);
    put_three(order);
    for (; *expected != '\0'; expected++) CHECK_EQ(get(), *expected);
    CHECK_EQ(size(), 0);
    close_scene();
}

TEST(items_come_out_in_the_order_that_the_queue_has) {
    expect_order(ROTA_QUEUE_FIFO, "acb");
    expect_order(ROTA_QUEUE_LIFO, "bca");
    expect_order(ROTA_QUEUE_PRIORITY, "abc");
}

/* ---- joining and shutting down are the same in every order */

static int done;

static int64_t works(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    for (;;) {
        rota_future future = rota_queue_get(queue);
        int64_t result = rota_await(future);
        void *got = NULL;
        if (result == ROTA_ERR_SHUT) return 0;
        CHECK_STATUS(rota_future_take_result(future, &got), ROTA_OK);
        done++;
        CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK);
    }
}

static void work_and_shut_down(uint32_t order) {
    rota_task workers[2];
    int i;
    open_scene(order);
    done = 0;
    for (i = 0; i < 33; i++) put_three(order);
    for (i = 0; i < 2; i++) workers[i] = spawn(loop, works, NULL);
    CHECK_EQ(WAIT(loop, rota_queue_join(queue)), 0);
    CHECK_EQ(done, 99);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_queue_shutdown(queue), ROTA_OK);
    for (i = 0; i < 2; i++) CHECK_EQ(join(loop, workers[i]), 0);
    CHECK_STATUS(rota_queue_try_put(queue, item('a')), ROTA_ERR_SHUT);
    CHECK_EQ(try_get(), ROTA_ERR_SHUT);
    close_scene();
}

TEST(work_is_joined_and_ended_in_every_order) {
    work_and_shut_down(ROTA_QUEUE_FIFO);
    work_and_shut_down(ROTA_QUEUE_LIFO);
    work_and_shut_down(ROTA_QUEUE_PRIORITY);
}

/* ---- shut down now */

static void expect_shut(void) {
    CHECK_STATUS(WAIT(loop, rota_queue_put(queue, item('z'))), ROTA_ERR_SHUT);
    CHECK_STATUS(rota_queue_try_put(queue, item('z')), ROTA_ERR_SHUT);
    CHECK_STATUS(get(), ROTA_ERR_SHUT);
}

/* asyncio drops the items. Here they stay for whoever shuts it down, who has to let go of them. */
static void take_what_is_left(size_t count) {
    CHECK_EQ(size(), count);
    while (count-- > 0) CHECK(try_get() > 0);
    CHECK_EQ(try_get(), ROTA_ERR_SHUT);
}

static void shut_down_with_items(uint32_t order) {
    open_scene(order);
    put_three(order);
    then(rota_queue_join(queue), "join");
    turn(loop);
    CHECK_RECORD("");
    CHECK_STATUS(rota_queue_shutdown_now(queue), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("join:ok");
    expect_shut();
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID); /* none has come out */
    take_what_is_left(3);
    close_scene();
}

static void shut_down_with_work_under_way(uint32_t order) {
    open_scene(order);
    put_three(order);
    CHECK(get() > 0);
    then(rota_queue_join(queue), "join");
    CHECK_STATUS(rota_queue_shutdown_now(queue), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD(""); /* one has come out, and is not done with */
    expect_shut();
    take_what_is_left(2);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_OK);
    CHECK_STATUS(rota_queue_task_done(queue), ROTA_ERR_INVALID);
    turns(loop, 2);
    CHECK_RECORD("join:ok");
    close_scene();
}

TEST(shut_down_now_a_join_waits_for_no_item_that_is_left) {
    shut_down_with_items(ROTA_QUEUE_FIFO);
    shut_down_with_items(ROTA_QUEUE_LIFO);
    shut_down_with_items(ROTA_QUEUE_PRIORITY);
}

TEST(shut_down_now_a_join_waits_for_the_work_that_is_under_way) {
    shut_down_with_work_under_way(ROTA_QUEUE_FIFO);
    shut_down_with_work_under_way(ROTA_QUEUE_LIFO);
    shut_down_with_work_under_way(ROTA_QUEUE_PRIORITY);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(items_come_out_in_the_order_that_the_queue_has);
    RUN(work_is_joined_and_ended_in_every_order);
    RUN(shut_down_now_a_join_waits_for_no_item_that_is_left);
    RUN(shut_down_now_a_join_waits_for_the_work_that_is_under_way);
    return test_end();
}
