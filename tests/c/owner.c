/* Owners: a tag on all that one script or level started, handed on to what that starts, and
 * cancelled together. Dropping is the documented exception to "exactly once". Callbacks stand here,
 * tasks and operations in owner_tasks.c, random work in owner_random.c. */
#include "rota_owner.h"

/* ---- what belongs to whom */

static void starts_more(rota_loop loop, rota_status status, void *user_data) {
    actor *self = user_data;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_EQ(now_set(loop).id, self->owner.id);
    if (self->step-- == 0) return;
    CHECK_STATUS(rota_loop_call_soon(loop, starts_more, self, NULL), ROTA_OK);
}

static void timer_starts(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    starts_more(((actor *)user_data)->loop, status, user_data);
}

static void future_starts(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)result;
    starts_more(((actor *)user_data)->loop, ROTA_OK, user_data);
}

TEST(what_a_callback_starts_belongs_to_its_owner_too) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    rota_future promise = open_future(loop); /* nobody's */
    rota_timer timer;
    actor calls = {.loop = loop, .owner = owner, .step = 3}, timers = calls, thens = calls;
    CHECK_EQ(set(loop, owner).id, 0);
    CHECK_STATUS(rota_loop_call_soon(loop, starts_more, &calls, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_call_later(loop, SECOND, timer_starts, &timers, &timer), ROTA_OK);
    CHECK_STATUS(rota_future_then(promise, future_starts, &thens), ROTA_OK);
    CHECK_EQ(set(loop, nobody).id, owner.id);
    CHECK_EQ(count_of(owner), 3);
    turns(loop, 1);
    CHECK_EQ(now_set(loop).id, 0);
    CHECK_EQ(count_of(owner), 3); /* the next call stands in the queue */
    CHECK_STATUS(rota_future_complete(promise, 0), ROTA_OK);
    run_dry(loop);
    CHECK_EQ(calls.step + timers.step + thens.step, -3);
    CHECK_EQ(count_of(owner), 0);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

static void sets_another(rota_loop loop, rota_status status, void *user_data) {
    actor *self = user_data;
    (void)status;
    CHECK_EQ(now_set(loop).id, 0); /* a callback of nobody's begins with none */
    set(loop, self->owner);
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "owned", NULL), ROTA_OK);
}

static void expects_none(rota_loop loop, rota_status status, void *user_data) {
    (void)status, (void)user_data;
    CHECK_EQ(now_set(loop).id, 0);
}

TEST(a_setting_ends_with_the_callback_and_the_hosts_own_comes_back) {
    rota_loop loop = open_jump();
    rota_owner level = open_owner(loop, NULL), script = open_owner(loop, NULL);
    actor self = {.loop = loop, .owner = script};
    CHECK_STATUS(rota_loop_call_soon(loop, sets_another, &self, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(loop, expects_none, &self, NULL), ROTA_OK);
    set(loop, level);
    turns(loop, 1);
    CHECK_EQ(now_set(loop).id, level.id); /* the host's own code goes on as it was */
    CHECK_EQ(count_of(script), 1);
    CHECK_EQ(count_of(level), 0);
    turns(loop, 1);
    CHECK_RECORD("owned:ok");
    CHECK_STATUS(rota_owner_close(level), ROTA_OK);
    CHECK_EQ(now_set(loop).id, 0); /* one that has ended is not set any more */
    close_clean(loop);
}

static int64_t keeps_its_setting(rota_task task, void *user_data) {
    actor *self = user_data;
    CHECK_EQ(now_set(self->loop).id, 0);
    set(self->loop, self->owner);
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0);
    CHECK_EQ(now_set(self->loop).id, self->owner.id);
    CHECK_EQ(rota_task_yield(task), 0);
    CHECK_EQ(now_set(self->loop).id, self->owner.id);
    CHECK_EQ(count_of(self->owner), 0); /* it is still nobody's itself */
    return 0;
}

TEST(a_task_keeps_its_setting_across_waits) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .owner = open_owner(loop, NULL)};
    CHECK_EQ(run_task(loop, keeps_its_setting, &self), 0);
    CHECK_EQ(now_set(loop).id, 0);
    close_clean(loop);
}

static int64_t looks(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    CHECK_EQ(now_set(self->loop).id, self->owner.id);
    set(self->loop, nobody); /* for itself only */
    return 0;
}

TEST(an_eager_task_is_its_spawners_and_leaves_the_setting_alone) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .owner = open_owner(loop, NULL), .name = "eager"};
    set(loop, self.owner);
    CHECK_STATUS(spawn_freed(loop, looks, NULL, &self, ROTA_TASK_EAGER), ROTA_OK);
    CHECK_EQ(now_set(loop).id, self.owner.id);
    CHECK_EQ(WAIT(loop, rota_task_join(self.task)), 0);
    CHECK_RECORD("free:eager");
    close_clean(loop);
}

/* ---- cancelling callbacks */

TEST(callbacks_are_dropped_wherever_they_stand) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, record_dropped);
    rota_future shared = open_future(loop), done = open_future(loop);
    rota_timer timer, gone, due;
    rota_call call;
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "theirs", NULL), ROTA_OK);
    CHECK_STATUS(rota_future_then(shared, record_future, "theirs"), ROTA_OK);
    CHECK_STATUS(rota_future_then(done, record_future, "theirs"), ROTA_OK);
    set(loop, owner);
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "plain", NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "held", &call), ROTA_OK);
    CHECK_STATUS(rota_loop_call_later(loop, SECOND, record_timer, "armed", &timer), ROTA_OK);
    CHECK_STATUS(rota_loop_call_later(loop, SECOND, record_timer, "gone", &gone), ROTA_OK);
    CHECK_STATUS(rota_timer_cancel(gone), ROTA_OK);
    CHECK_STATUS(rota_future_then(shared, record_future, "then"), ROTA_OK);
    CHECK_STATUS(rota_future_then(shared, record_future, "then2"), ROTA_OK);
    CHECK_STATUS(rota_future_then(done, record_future, "queued"), ROTA_OK);
    CHECK_STATUS(rota_loop_call_later(loop, 0, record_timer, "due", &due), ROTA_OK);
    set(loop, nobody);
    CHECK_STATUS(rota_future_complete(done, 5), ROTA_OK);
    CHECK_EQ(count_of(owner), 8);
    CHECK_EQ(cancel(owner), 0);
    CHECK_RECORD("drop:plain drop:held drop:armed drop:due drop:gone drop:queued drop:then "
                 "drop:then2");
    CHECK_STATUS(rota_call_cancel(call), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_timer_cancel(timer), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_complete(shared, 6), ROTA_OK); /* nobody's: untouched */
    run_dry(loop);
    CHECK_RECORD("theirs:ok theirs:5 theirs:6");
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

static void cancels_owner(rota_loop loop, rota_status status, void *user_data) {
    actor *self = user_data;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_EQ(cancel(self->owner), 0);
    record("cancelled");
    CHECK_EQ(now_set(loop).id, self->owner.id);
}

static void timer_cancels_owner(rota_timer timer, rota_status status, void *user_data) {
    actor *self = user_data;
    CHECK_STATUS(status, ROTA_OK);
    CHECK_EQ(cancel(self->owner), 1); /* the timer itself, until its callback returns */
    CHECK_STATUS(rota_timer_rearm(timer, now_of(self->loop) + SECOND), ROTA_OK);
    record("rearmed");
    self->step++;
    if (self->step == 2) CHECK_EQ(cancel(self->owner), 0);
}

TEST(a_callback_may_cancel_its_own_owner) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, record_dropped);
    actor self = {.loop = loop, .owner = owner};
    rota_timer timer;
    set(loop, owner);
    CHECK_STATUS(rota_loop_call_soon(loop, cancels_owner, &self, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "next", NULL), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("drop:next cancelled");
    self.owner = owner = open_owner(loop, NULL); /* drops without a destructor */
    set(loop, owner);
    CHECK_STATUS(rota_loop_call_later(loop, SECOND, timer_cancels_owner, &self, &timer), ROTA_OK);
    set(loop, nobody);
    run_dry(loop);
    CHECK_RECORD("rearmed rearmed");
    CHECK_EQ(count_of(owner), 0);
    close_clean(loop);
}

static rota_owner closed_inside;

static void tries_inside(void *user_data) {
    rota_loop loop = *(rota_loop *)user_data;
    size_t left = 0;
    CHECK_STATUS(rota_owner_close(closed_inside), ROTA_ERR_BUSY);
    CHECK_STATUS(rota_owner_cancel(closed_inside, &left), ROTA_OK); /* it only counts */
    CHECK(left > 0);
    CHECK_STATUS(rota_loop_turn(loop, 0, 0, 0, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_ERR_REENTRANT);
    record("tried");
}

TEST(a_destructor_may_call_anything_but_cannot_end_the_owner) {
    rota_loop loop = open_jump();
    int i;
    set(loop, closed_inside = open_owner(loop, tries_inside));
    for (i = 0; i < 100; i++) {
        CHECK_STATUS(rota_loop_call_soon(loop, record_call, &loop, NULL), ROTA_OK);
    }
    set(loop, nobody);
    CHECK_EQ(cancel(closed_inside), 0);
    CHECK_EQ(strlen(test_record), 100 * 6 - 1);
    forget_record();
    CHECK_STATUS(rota_owner_close(closed_inside), ROTA_OK);
    close_clean(loop);
}

/* ---- again and again */

static void some_work(rota_loop loop, rota_future shared) {
    rota_future promise = rota_future_open(loop);
    rota_timer timer, gone;
    int i;
    for (i = 0; i < 20; i++) {
        CHECK_STATUS(rota_loop_call_soon(loop, record_call, "call", NULL), ROTA_OK);
        CHECK_STATUS(rota_loop_call_later(loop, SECOND, record_timer, "timer", &timer), ROTA_OK);
        CHECK_STATUS(rota_loop_call_later(loop, SECOND, record_timer, "gone", &gone), ROTA_OK);
        CHECK_STATUS(rota_timer_cancel(gone), ROTA_OK);
        CHECK_STATUS(rota_future_then(shared, record_future, "then"), ROTA_OK);
        CHECK_STATUS(rota_future_then(promise, record_future, "own"), ROTA_OK);
    }
    CHECK(rota_loop_sleep(loop, HOUR).id != 0);
    CHECK_STATUS(rota_future_complete(promise, 1), ROTA_OK);
}

TEST(cancelling_again_and_again_takes_no_memory) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    rota_future shared = open_future(loop);
    uint64_t bytes = 0;
    int round;
    for (round = 0; round < 300; round++) {
        set(loop, owner);
        some_work(loop, shared);
        set(loop, nobody);
        CHECK_EQ(cancel(owner), 0);
        turns(loop, 1);
        if (round == 10) bytes = stats_of(loop).memory_bytes;
    }
    CHECK_EQ(stats_of(loop).memory_bytes, bytes);
    CHECK_STATUS(rota_future_close(shared), ROTA_OK);
    CHECK_RECORD("");
    close_clean(loop);
}

/* ---- misuse */

TEST(bad_calls_are_refused) {
    rota_loop loop = open_jump(), other = open_jump();
    rota_owner owner = open_owner(loop, NULL), stale = open_owner(loop, NULL);
    rota_owner foreign = open_owner(other, NULL), before = {5};
    rota_owner forged = {loop.id};
    CHECK_STATUS(rota_owner_close(stale), ROTA_OK);
    CHECK_STATUS(rota_owner_close(stale), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_owner_close(nobody), ROTA_OK);
    CHECK_STATUS(rota_loop_set_owner(loop, stale, &before), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_set_owner(loop, foreign, &before), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_set_owner(loop, forged, &before), ROTA_ERR_HANDLE);
    CHECK_EQ(before.id, 5);
    CHECK_STATUS(rota_loop_set_owner(loop, owner, NULL), ROTA_OK);
    CHECK_STATUS(rota_owner_cancel(stale, NULL), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_owner_cancel(owner, NULL), ROTA_OK);
    CHECK_STATUS(rota_owner_get_count(owner, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_open_owner(loop, NULL, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK); /* with an owner open, and set */
    CHECK_STATUS(rota_owner_close(owner), ROTA_ERR_HANDLE);
    close_clean(other);
}

TEST(posts_belong_to_nobody) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, record_dropped);
    set(loop, owner);
    CHECK_STATUS(rota_loop_post(loop, record_call, "post"), ROTA_OK);
    CHECK_EQ(cancel(owner), 0);
    turns(loop, 1);
    CHECK_RECORD("post:ok");
    close_clean(loop);
}

TEST(an_owner_that_ended_does_not_live_on_in_the_next_one) {
    rota_loop loop = open_jump();
    rota_owner first = open_owner(loop, NULL), second;
    actor self = {.loop = loop, .owner = first, .name = "task"};
    rota_future done;
    set(loop, first);
    done = rota_future_open(loop); /* done, kept: no work, but it bears the tag */
    CHECK_STATUS(rota_future_keep(done), ROTA_OK);
    CHECK_STATUS(rota_future_complete(done, 1), ROTA_OK);
    CHECK_STATUS(spawn_freed(loop, looks, NULL, &self, 0), ROTA_OK);
    turns(loop, 1); /* ended, not joined */
    CHECK_STATUS(rota_owner_close(first), ROTA_OK);
    second = open_owner(loop, NULL);
    CHECK_EQ(now_set(loop).id, 0);
    CHECK_EQ(cancel(second), 0);
    CHECK_EQ(WAIT(loop, done), 1); /* it was not the second's to close */
    CHECK_STATUS(rota_future_close(done), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(self.task)), 0);
    CHECK_RECORD("free:task");
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(what_a_callback_starts_belongs_to_its_owner_too);
    RUN(a_setting_ends_with_the_callback_and_the_hosts_own_comes_back);
    RUN(a_task_keeps_its_setting_across_waits);
    RUN(an_eager_task_is_its_spawners_and_leaves_the_setting_alone);
    RUN(callbacks_are_dropped_wherever_they_stand);
    RUN(a_callback_may_cancel_its_own_owner);
    RUN(a_destructor_may_call_anything_but_cannot_end_the_owner);
    RUN(cancelling_again_and_again_takes_no_memory);
    RUN(bad_calls_are_refused);
    RUN(posts_belong_to_nobody);
    RUN(an_owner_that_ended_does_not_live_on_in_the_next_one);
    return test_end();
}
