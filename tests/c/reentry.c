/* Callbacks that close, cancel or re-enter whatever is calling them, one for each kind.
 * Running or closing the same loop is refused; everything else is an answer, never a crash. */
#include "rota_peer.h"

/* What no callback of a loop may do to it. */
static void check_loop_is_guarded(rota_loop loop) {
    rota_future future = rota_future_open(loop);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_abandon(loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_run(loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_run_until(loop, future), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
}

typedef struct {
    rota_loop loop;
    rota_call call;
    rota_timer timer;
    rota_future future;
    rota_task task;
    rota_stream stream;
    rota_listener listener;
    int times;
} scene;

/* ---- a call */

static void call_meddles(rota_loop loop, rota_status status, void *user_data) {
    scene *self = user_data;
    CHECK_STATUS(status, ROTA_OK);
    self->times++;
    check_loop_is_guarded(loop);
    CHECK_EITHER(rota_call_cancel(self->call), ROTA_ERR_HANDLE, ROTA_ERR_DONE);
}

TEST(a_call_cancels_itself) {
    scene self = {0};
    self.loop = open_jump();
    CHECK_STATUS(rota_loop_call_soon(self.loop, call_meddles, &self, &self.call), ROTA_OK);
    turns(self.loop, 3);
    CHECK_EQ(self.times, 1);
    close_clean(self.loop);
}

/* ---- a timer */

static void timer_meddles(rota_timer timer, rota_status status, void *user_data) {
    scene *self = user_data;
    CHECK_STATUS(status, ROTA_OK);
    self->times++;
    check_loop_is_guarded(self->loop);
    (void)rota_timer_cancel(timer); /* it is over: refused, or without effect */
}

TEST(a_timer_cancels_itself) {
    scene self = {0};
    self.loop = open_jump();
    CHECK_STATUS(rota_loop_call_later(self.loop, 1, timer_meddles, &self, &self.timer), ROTA_OK);
    CHECK_STATUS(rota_loop_turn(self.loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    turns(self.loop, 3);
    CHECK_EQ(self.times, 1);
    CHECK_STATUS(rota_timer_cancel(self.timer), ROTA_ERR_HANDLE);
    close_clean(self.loop);
}

static void timer_changes_its_mind(rota_timer timer, rota_status status, void *user_data) {
    scene *self = user_data;
    if (self->times++ == 0) {
        CHECK_STATUS(rota_timer_rearm(timer, HOUR), ROTA_OK);
        CHECK_STATUS(rota_timer_cancel(timer), ROTA_OK);
        record("first");
    } else {
        record("%s", told(status));
    }
}

TEST(a_timer_rearms_and_then_cancels_itself) {
    scene self = {0};
    self.loop = open_jump();
    CHECK_STATUS(rota_loop_call_later(self.loop, 1, timer_changes_its_mind, &self, &self.timer),
                 ROTA_OK);
    CHECK_STATUS(rota_loop_turn(self.loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    CHECK_RECORD("first");
    turns(self.loop, 2);
    CHECK_RECORD("cancelled");
    close_clean(self.loop);
}

/* ---- a future's callback */

static void future_meddles(rota_future future, int64_t result, void *user_data) {
    scene *self = user_data;
    size_t removed = 9;
    CHECK_EQ(result, 6);
    self->times++;
    check_loop_is_guarded(self->loop);
    CHECK_STATUS(rota_future_cancel(future), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_complete(future, 7), ROTA_ERR_DONE);
    CHECK_STATUS(rota_future_remove(future, record_future, "other", &removed), ROTA_OK);
    CHECK_EQ(removed, 0); /* completing has queued it */
    CHECK_STATUS(rota_future_remove(future, future_meddles, self, &removed), ROTA_OK);
    CHECK_EQ(removed, 0);
}

TEST(a_futures_callback_meddles_with_it) {
    scene self = {0};
    self.loop = open_jump();
    self.future = open_future(self.loop);
    CHECK_STATUS(rota_future_then(self.future, future_meddles, &self), ROTA_OK);
    CHECK_STATUS(rota_future_then(self.future, record_future, "other"), ROTA_OK);
    CHECK_STATUS(rota_future_complete(self.future, 6), ROTA_OK);
    turns(self.loop, 3);
    CHECK_EQ(self.times, 1);
    CHECK_RECORD("other:6");
    CHECK_STATUS(rota_future_close(self.future), ROTA_ERR_HANDLE);
    close_clean(self.loop);
}

static void future_closes_itself(rota_future future, int64_t result, void *user_data) {
    scene *self = user_data;
    (void)result;
    self->times++;
    CHECK_EITHER(rota_future_close(future), ROTA_OK, ROTA_ERR_BUSY);
    (void)rota_future_close(future);
}

TEST(a_futures_callback_closes_it) {
    int kept;
    for (kept = 0; kept < 2; kept++) {
        scene self = {0};
        self.loop = open_jump();
        self.future = open_future(self.loop);
        if (kept) CHECK_STATUS(rota_future_keep(self.future), ROTA_OK);
        CHECK_STATUS(rota_future_then(self.future, future_closes_itself, &self), ROTA_OK);
        CHECK_STATUS(rota_future_then(self.future, record_future, "other"), ROTA_OK);
        CHECK_STATUS(rota_future_complete(self.future, 6), ROTA_OK);
        turns(self.loop, 4);
        CHECK_EQ(self.times, 1);
        CHECK(strncmp(test_record, "other:", 6) == 0); /* claimed, so answered, once */
        CHECK(strchr(test_record, ' ') == NULL);
        forget_record();
        CHECK_STATUS(rota_future_close(self.future), ROTA_ERR_HANDLE);
        close_clean(self.loop);
    }
}

/* ---- a task */

static int64_t task_meddles(rota_task task, void *user_data) {
    scene *self = user_data;
    uint32_t left = 0;
    check_loop_is_guarded(self->loop);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_task_uncancel(task, &left), ROTA_OK);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    check_loop_is_guarded(self->loop);
    self->times++;
    return 0;
}

TEST(a_task_meddles_with_its_loop_and_itself) {
    scene self = {0};
    self.loop = open_jump();
    self.task = spawn(self.loop, task_meddles, &self);
    turns(self.loop, 4);
    CHECK_EQ(self.times, 1);
    CHECK_STATUS(rota_task_cancel(self.task), ROTA_ERR_HANDLE);
    close_clean(self.loop);
}

static int64_t task_joins_itself(rota_task task, void *user_data) {
    scene *self = user_data;
    int64_t result = rota_await(rota_task_join(task)); /* for ever, if nobody helps */
    CHECK(result < 0);
    self->times++;
    return 0;
}

TEST(a_task_that_waits_for_its_own_end_can_be_cancelled) {
    scene self = {0};
    self.loop = open_jump();
    self.task = spawn(self.loop, task_joins_itself, &self);
    turns(self.loop, 2);
    (void)rota_task_cancel(self.task); /* unless it was refused, and has ended */
    turns(self.loop, 4);
    CHECK_EQ(self.times, 1);
    (void)rota_task_detach(self.task);
    close_clean(self.loop);
}

static int64_t step_meddles(rota_task task, const rota_outcome *outcome, void *user_data) {
    scene *self = user_data;
    (void)outcome;
    check_loop_is_guarded(self->loop);
    if (self->times++ == 0) return rota_task_wait(task, rota_loop_sleep(self->loop, 1));
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    return 0;
}

TEST(a_step_meddles_with_its_loop_and_itself) {
    scene self = {0};
    self.loop = open_jump();
    CHECK_STATUS(rota_loop_spawn_stepped(self.loop, step_meddles, &self, NULL, &self.task),
                 ROTA_OK);
    run_dry(self.loop);
    CHECK_EQ(self.times, 2);
    close_clean(self.loop);
}

/* ---- what is called when something is let go */

static void free_meddles(void *user_data) {
    scene *self = user_data;
    self->times++;
    check_loop_is_guarded(self->loop);
    (void)rota_task_cancel(self->task);
    (void)rota_task_detach(self->task);
    CHECK_STATUS(rota_loop_call_soon(self->loop, record_call, "after", NULL), ROTA_OK);
}

static int64_t ends(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return 0;
}

TEST(the_end_of_a_tasks_user_data_meddles) {
    scene self = {0};
    rota_task_options options;
    self.loop = open_jump();
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = free_meddles;
    CHECK_STATUS(rota_loop_spawn(self.loop, ends, &self, &options, &self.task), ROTA_OK);
    turns(self.loop, 4);
    CHECK_EQ(self.times, 1);
    CHECK_RECORD("after:ok");
    (void)rota_task_detach(self.task);
    close_clean(self.loop);
}

static void result_meddles(void *user_data) {
    scene *self = user_data;
    void *result = NULL;
    self->times++;
    CHECK_STATUS(rota_loop_close(self->loop, 0), ROTA_ERR_REENTRANT);
    CHECK(rota_future_take_result(self->future, &result) < 0); /* it is being freed */
    CHECK(rota_future_close(self->future) != ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(self->loop, record_call, "after", NULL), ROTA_OK);
}

TEST(the_end_of_a_result_meddles) {
    scene self = {0};
    self.loop = open_jump();
    self.future = open_future(self.loop);
    CHECK_STATUS(rota_future_complete_with(self.future, &self, result_meddles), ROTA_OK);
    CHECK_STATUS(rota_future_close(self.future), ROTA_OK);
    CHECK_EQ(self.times, 1);
    turn(self.loop);
    CHECK_RECORD("after:ok");
    close_clean(self.loop);
}

/* ---- streams and listeners */

static void read_closes_its_stream(rota_future future, int64_t result, void *user_data) {
    scene *self = user_data;
    (void)future;
    CHECK_EQ(result, 1);
    self->times++;
    check_loop_is_guarded(self->loop);
    CHECK_STATUS(rota_stream_close(self->stream), ROTA_OK);
    CHECK_STATUS(rota_stream_close(self->stream), ROTA_ERR_HANDLE);
}

TEST(a_reads_callback_closes_the_stream) {
    scene self = {0};
    int raw;
    char byte;
    self.loop = open_system();
    self.stream = connect_raw(self.loop, &raw);
    CHECK_STATUS(rota_future_then(rota_stream_read(self.stream, &byte, 1), read_closes_its_stream,
                                  &self), ROTA_OK);
    raw_send_text(raw, "x");
    TURN_UNTIL(self.loop, self.times == 1);
    CHECK_EQ(raw_drain(raw, NULL), 0);
    close(raw);
    close_clean(self.loop);
}

static void cancelled_read_closes(rota_future future, int64_t result, void *user_data) {
    scene *self = user_data;
    (void)future;
    CHECK_STATUS(result, ROTA_ERR_CANCELLED);
    self->times++;
    CHECK_STATUS(rota_stream_abort(self->stream), ROTA_ERR_HANDLE); /* that is what ended it */
}

TEST(a_callback_of_a_closing_stream_aborts_it) {
    scene self = {0};
    int raw;
    char byte;
    self.loop = open_system();
    self.stream = connect_raw(self.loop, &raw);
    CHECK_STATUS(rota_future_then(rota_stream_read(self.stream, &byte, 1), cancelled_read_closes,
                                  &self), ROTA_OK);
    turn(self.loop);
    CHECK_STATUS(rota_stream_close(self.stream), ROTA_OK);
    CHECK_EQ(self.times, 0); /* never inside the call */
    TURN_UNTIL(self.loop, self.times == 1);
    close(raw);
    close_clean(self.loop);
}

static void accepts_once_more(rota_future future, int64_t result, void *user_data) {
    scene *self = user_data;
    rota_stream stream = {0};
    CHECK(result >= 0);
    CHECK_STATUS(rota_future_take_stream(future, &stream), ROTA_OK);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    if (++self->times < 3) {
        CHECK_STATUS(rota_future_then(rota_listener_accept(self->listener), accepts_once_more,
                                      self), ROTA_OK);
    } else {
        CHECK_STATUS(rota_listener_close(self->listener), ROTA_OK);
    }
}

TEST(an_accepts_callback_accepts_again_and_closes_the_listener) {
    scene self = {0};
    uint16_t port;
    int raw[3], i;
    self.loop = open_system();
    self.listener = listen_on(self.loop, "127.0.0.1", &port);
    CHECK_STATUS(rota_future_then(rota_listener_accept(self.listener), accepts_once_more, &self),
                 ROTA_OK);
    for (i = 0; i < 3; i++) raw[i] = raw_connect(port);
    TURN_UNTIL(self.loop, self.times == 3);
    for (i = 0; i < 3; i++) close(raw[i]);
    close_clean(self.loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_call_cancels_itself);
    RUN(a_timer_cancels_itself);
    RUN(a_timer_rearms_and_then_cancels_itself);
    RUN(a_futures_callback_meddles_with_it);
    RUN(a_futures_callback_closes_it);
    RUN(a_task_meddles_with_its_loop_and_itself);
    RUN(a_task_that_waits_for_its_own_end_can_be_cancelled);
    RUN(a_step_meddles_with_its_loop_and_itself);
    RUN(the_end_of_a_tasks_user_data_meddles);
    RUN(the_end_of_a_result_meddles);
    RUN(a_reads_callback_closes_the_stream);
    RUN(a_callback_of_a_closing_stream_aborts_it);
    RUN(an_accepts_callback_accepts_again_and_closes_the_listener);
    return test_end();
}
