/* Events: set wakes everybody who waits, in order, or the first where it resets itself; cleared
 * means waiting again. */
#include "rota_test.h"

static rota_event open_with_flags(rota_loop loop, uint32_t flags) {
    rota_event event = {0};
    CHECK_STATUS(rota_loop_open_event(loop, flags, &event), ROTA_OK);
    CHECK(event.id != 0);
    return event;
}

static rota_event open_event(rota_loop loop) { return open_with_flags(loop, 0); }

static rota_event open_auto(rota_loop loop) {
    return open_with_flags(loop, ROTA_EVENT_AUTO_RESET);
}

static bool is_set(rota_event event) {
    bool set = false;
    CHECK_STATUS(rota_event_is_set(event, &set), ROTA_OK);
    return set;
}

static rota_future wait_then(rota_event event, const char *name) {
    rota_future future = rota_event_wait(event);
    CHECK_STATUS(rota_future_then(future, record_future, (void *)name), ROTA_OK);
    return future;
}

TEST(set_wakes_all_in_order_and_later_ones_at_once) {
    rota_loop loop = open_jump();
    rota_event event = open_event(loop);
    CHECK(!is_set(event));
    wait_then(event, "a");
    wait_then(event, "b");
    turns(loop, 2);
    CHECK_RECORD("");
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK(is_set(event));
    CHECK_RECORD(""); /* nobody runs inside the call */
    turns(loop, 1);
    CHECK_RECORD("a:ok b:ok");
    CHECK_EQ(outcome_of(rota_event_wait(event)).status, ROTA_OK);
    CHECK_EQ(stats_of(loop).futures, 0); /* such a wait takes no slot */
    close_clean(loop);
}

TEST(those_who_waited_are_woken_though_it_is_cleared_right_after) {
    rota_loop loop = open_jump();
    rota_event event = open_event(loop);
    wait_then(event, "a");
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_event_clear(event), ROTA_OK);
    CHECK(!is_set(event));
    wait_then(event, "late");
    turns(loop, 2);
    CHECK_RECORD("a:ok");
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("late:ok");
    close_clean(loop);
}

TEST(a_cancelled_wait_leaves_the_others_waiting) {
    rota_loop loop = open_jump();
    rota_event event = open_event(loop);
    rota_future first = wait_then(event, "a"), middle;
    wait_then(event, "b");
    middle = wait_then(event, "c");
    wait_then(event, "d");
    CHECK_STATUS(rota_future_cancel(middle), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(first), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("c:cancelled a:cancelled");
    CHECK(!is_set(event));
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("b:ok d:ok");
    close_clean(loop);
}

static int64_t waits(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_event_wait(*(rota_event *)user_data));
}

TEST(a_task_that_was_woken_before_the_cancel_is_told_so) {
    rota_loop loop = open_jump();
    rota_event event = open_event(loop);
    rota_task early = spawn(loop, waits, &event), late = spawn(loop, waits, &event);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(early), ROTA_OK);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(late), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(early)), ROTA_ERR_CANCELLED);
    CHECK_EQ(WAIT(loop, rota_task_join(late)), 0);
    close_clean(loop);
}

TEST(closing_ends_those_who_wait) {
    rota_loop loop = open_jump();
    rota_event event = open_event(loop), other = open_event(loop);
    rota_task task = spawn(loop, waits, &event);
    turns(loop, 2);
    wait_then(event, "a");
    CHECK_STATUS(rota_event_close(event), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("a:cancelled");
    CHECK_STATUS(rota_event_set(event), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_event_clear(event), ROTA_ERR_HANDLE);
    CHECK_EQ(WAIT(loop, rota_event_wait(event)), ROTA_ERR_HANDLE);
    wait_then(other, "left");
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("left:cancelled");
}

TEST(one_that_resets_itself_lets_one_go_for_each_set) {
    rota_loop loop = open_jump();
    rota_event event = open_auto(loop);
    wait_then(event, "a");
    wait_then(event, "b");
    wait_then(event, "c");
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK(!is_set(event)); /* it went to the first who waits */
    turns(loop, 2);
    CHECK_RECORD("a:ok");
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("b:ok c:ok");
    close_clean(loop);
}

TEST(one_that_resets_itself_keeps_one_set_for_the_next_who_comes) {
    rota_loop loop = open_jump();
    rota_event event = open_auto(loop), refused = {7};
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK(is_set(event));
    CHECK_EQ(outcome_of(rota_event_wait(event)).status, ROTA_OK);
    CHECK_EQ(stats_of(loop).futures, 0);
    CHECK(!is_set(event));
    wait_then(event, "second");
    turns(loop, 2);
    CHECK_RECORD(""); /* twice set was once */
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("second:ok");
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_event_clear(event), ROTA_OK);
    CHECK(!is_set(event));
    CHECK_STATUS(rota_loop_open_event(loop, 2, &refused), ROTA_ERR_INVALID);
    CHECK_EQ(refused.id, 7);
    close_clean(loop);
}

TEST(who_is_cancelled_takes_no_set_from_one_that_resets_itself) {
    rota_loop loop = open_jump();
    rota_event event = open_auto(loop);
    rota_future first = wait_then(event, "a");
    rota_task told;
    wait_then(event, "b");
    CHECK_STATUS(rota_future_cancel(first), ROTA_OK);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("a:cancelled b:ok");
    told = spawn(loop, waits, &event);
    turns(loop, 2);
    CHECK_STATUS(rota_event_set(event), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(told), ROTA_OK); /* his already, and he is told so */
    CHECK_EQ(WAIT(loop, rota_task_join(told)), 0);
    CHECK(!is_set(event));
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(set_wakes_all_in_order_and_later_ones_at_once);
    RUN(those_who_waited_are_woken_though_it_is_cleared_right_after);
    RUN(a_cancelled_wait_leaves_the_others_waiting);
    RUN(a_task_that_was_woken_before_the_cancel_is_told_so);
    RUN(closing_ends_those_who_wait);
    RUN(one_that_resets_itself_lets_one_go_for_each_set);
    RUN(one_that_resets_itself_keeps_one_set_for_the_next_who_comes);
    RUN(who_is_cancelled_takes_no_set_from_one_that_resets_itself);
    return test_end();
}
