/* Owners: tasks, operations and futures that are cancelled together; the rest is in owner.c. */
#include "rota_owner.h"
#include "rota_peer.h"

/* ---- cancelling tasks */

static int64_t steps_forever(rota_task task, const rota_outcome *outcome, void *user_data) {
    actor *self = user_data;
    CHECK_STATUS(outcome->status, ROTA_OK);
    record("%s%d", self->name, self->step++);
    if (self->future.id != 0) return rota_task_wait(task, self->future);
    return rota_task_wait(task, rota_loop_sleep(self->loop, SECOND));
}

TEST(stepped_tasks_are_dropped_and_their_joins_end_cancelled) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, record_dropped);
    rota_future shared = open_future(loop), join;
    actor sleeper = {.loop = loop, .name = "sleeper"};
    actor waiter = {.loop = loop, .name = "waiter", .future = shared};
    actor fresh = {.loop = loop, .name = "fresh"};
    set(loop, owner);
    CHECK_STATUS(spawn_freed(loop, NULL, steps_forever, &sleeper, 0), ROTA_OK);
    CHECK_STATUS(spawn_freed(loop, NULL, steps_forever, &waiter, 0), ROTA_OK);
    set(loop, nobody);
    turns(loop, 1);
    CHECK_RECORD("sleeper0 waiter0");
    set(loop, owner);
    CHECK_STATUS(spawn_freed(loop, NULL, steps_forever, &fresh, 0), ROTA_OK);
    set(loop, nobody);
    CHECK_STATUS(rota_task_set_local(waiter.task, &loop, (void *)(uintptr_t)"local",
                                     record_dropped), ROTA_OK);
    join = rota_task_join(sleeper.task); /* nobody's */
    CHECK_EQ(count_of(owner), 4);        /* three tasks, one sleep */
    CHECK_EQ(cancel(owner), 1);          /* the one whose turn stands in the queue */
    CHECK_RECORD("free:sleeper free:waiter drop:local");
    CHECK_STATUS(rota_task_cancel(waiter.task), ROTA_ERR_HANDLE);
    turns(loop, 1);
    CHECK_RECORD("free:fresh"); /* never called */
    CHECK_EQ(count_of(owner), 0);
    CHECK_STATUS(WAIT(loop, join), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_complete(shared, 1), ROTA_OK); /* still pending */
    CHECK_EQ(WAIT(loop, shared), 1);
    close_clean(loop);
}

static int64_t step_cancels(rota_task task, const rota_outcome *outcome, void *user_data) {
    actor *self = user_data;
    (void)outcome;
    CHECK_EQ(self->step++, 0);
    self->answer = (int64_t)cancel(self->owner);
    record("%s", self->name);
    return rota_task_wait(task, self->future.id != 0 ? self->future
                                                     : rota_loop_sleep(self->loop, HOUR));
}

TEST(a_step_may_cancel_its_own_owner_and_is_not_called_again) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    actor self = {.loop = loop, .owner = owner, .name = "self"};
    set(loop, owner);
    CHECK_STATUS(spawn_freed(loop, NULL, step_cancels, &self, 0), ROTA_OK);
    set(loop, nobody);
    turns(loop, 1);
    CHECK_RECORD("self free:self");
    CHECK_EQ(self.answer, 1);
    CHECK_EQ(count_of(owner), 0); /* the sleep that it began after that is closed too */
    self.future = open_future(loop);
    self.step = 0;
    set(loop, owner);
    CHECK_STATUS(spawn_freed(loop, NULL, step_cancels, &self, ROTA_TASK_EAGER), ROTA_OK);
    set(loop, nobody);
    CHECK_RECORD("self free:self");
    CHECK_STATUS(rota_future_close(self.future), ROTA_OK);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

static int64_t cleans_up(rota_task task, void *user_data) {
    actor *self = user_data;
    uint32_t requests = 0;
    CHECK_STATUS(rota_await(self->future), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_task_get_cancelling(task, &requests), ROTA_OK);
    CHECK_EQ(requests, 1);
    record("cleaning");
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0);
    record("cleaned");
    return ROTA_ERR_CANCELLED;
}

TEST(stackful_tasks_are_asked_once_and_counted_until_they_have_ended) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    actor self = {.loop = loop, .name = "body"};
    set(loop, owner);
    self.future = open_future(loop);
    CHECK_STATUS(spawn_freed(loop, cleans_up, NULL, &self, 0), ROTA_OK);
    set(loop, nobody);
    turns(loop, 1);
    CHECK_EQ(count_of(owner), 2);
    CHECK_EQ(cancel(owner), 2); /* the task, and its answer that is on its way */
    turns(loop, 1);
    CHECK_RECORD("cleaning");
    CHECK_EQ(count_of(owner), 2);
    CHECK_STATUS(rota_owner_close(owner), ROTA_ERR_BUSY);
    /* A sleep of its cleanup that it waits for is its own to end. */
    CHECK_EQ(cancel(owner), 2);
    run_dry(loop);
    CHECK_RECORD("cleaned free:body");
    CHECK_EQ(count_of(owner), 0);
    CHECK_STATUS(rota_task_detach(self.task), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

/* ---- cancelling operations */

static int64_t awaits_future(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((actor *)user_data)->future);
}

TEST(operations_are_cancelled_whoever_waits_and_futures_are_closed) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    actor outside = {.loop = loop};
    rota_future kept, done, inner[2], gather;
    rota_task task;
    set(loop, owner);
    outside.future = rota_loop_sleep(loop, HOUR);
    kept = rota_loop_sleep(loop, HOUR);
    CHECK_STATUS(rota_future_keep(kept), ROTA_OK);
    done = rota_future_open(loop);
    CHECK_STATUS(rota_future_keep(done), ROTA_OK);
    CHECK_STATUS(rota_future_complete(done, 3), ROTA_OK);
    inner[0] = rota_loop_sleep(loop, HOUR);
    inner[1] = rota_loop_sleep(loop, HOUR);
    CHECK_STATUS(rota_future_keep(inner[0]), ROTA_OK);
    gather = rota_loop_gather(loop, inner, 2, 0);
    CHECK(gather.id != 0);
    set(loop, nobody);
    task = spawn(loop, awaits_future, &outside); /* nobody's, waits for theirs */
    turns(loop, 1);
    CHECK_EQ(count_of(owner), 5); /* a done future that nobody waits for is no work */
    CHECK(cancel(owner) > 0);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    turns(loop, 3);
    CHECK_EQ(count_of(owner), 0);
    CHECK_STATUS(rota_future_close(kept), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(done), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop); /* nothing is left, also not the kept ones */
}

static void job_free(void *user_data) { record("free:%s", (const char *)user_data); }

TEST(results_that_nobody_took_are_let_go) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    static char name[] = "result";
    rota_future promise;
    set(loop, owner);
    promise = rota_future_open(loop);
    CHECK_STATUS(rota_future_complete_with(promise, name, job_free), ROTA_OK);
    set(loop, nobody);
    CHECK_EQ(cancel(owner), 0);
    CHECK_RECORD("free:result");
    close_clean(loop);
}

/* ---- groups, maps and completions */

static int64_t opens_group(rota_task task, void *user_data) {
    actor *self = user_data, member = *self;
    rota_task_options options;
    rota_group group;
    (void)task;
    member.name = "member";
    member.step = 0;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = record_actor;
    CHECK_STATUS(rota_loop_open_group(self->loop, NULL, &group), ROTA_OK);
    CHECK_STATUS(rota_group_spawn_stepped(group, steps_forever, &member, &options, NULL), ROTA_OK);
    self->answer = rota_await(rota_group_wait(group));
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    return self->answer;
}

TEST(a_group_loses_the_members_that_are_dropped) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    actor self = {.loop = loop, .name = "opener"};
    set(loop, owner);
    CHECK_STATUS(spawn_freed(loop, opens_group, NULL, &self, 0), ROTA_OK);
    set(loop, nobody);
    turns(loop, 2);
    CHECK_RECORD("member0");
    CHECK_EQ(count_of(owner), 4); /* two tasks, the group's wait and the member's sleep */
    CHECK(cancel(owner) > 0);
    turns(loop, 5);
    CHECK_RECORD("free:member free:opener"); /* asked through the opener's wait, not called */
    CHECK_STATUS(self.answer, ROTA_ERR_CANCELLED);
    CHECK_EQ(count_of(owner), 0);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

static int64_t maps(rota_future future, int64_t result, void *user_data) {
    actor *self = user_data;
    (void)future;
    CHECK_EQ(now_set(self->loop).id, self->owner.id);
    record("map:%s", told(result));
    return result;
}

TEST(a_map_is_an_operation_and_answers_once) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .owner = open_owner(loop, record_actor), .name = "map"};
    rota_future promise = open_future(loop), outer;
    CHECK_STATUS(rota_future_keep(promise), ROTA_OK);
    set(loop, self.owner);
    outer = rota_future_map(promise, maps, &self);
    CHECK(outer.id != 0);
    set(loop, nobody);
    CHECK_EQ(count_of(self.owner), 1);
    CHECK_EQ(cancel(self.owner), 1);
    turns(loop, 3);
    CHECK_RECORD("map:cancelled");
    CHECK_EQ(count_of(self.owner), 0);
    CHECK_STATUS(rota_future_close(promise), ROTA_OK);
    close_clean(loop);
}

TEST(a_completion_is_its_futures_and_comes_to_be_fetched) {
    rota_loop loop = open_jump();
    rota_owner owner = open_owner(loop, NULL);
    rota_completion completion;
    int data = 5;
    set(loop, owner);
    CHECK_STATUS(rota_future_drain(rota_loop_sleep(loop, HOUR), &data), ROTA_OK);
    set(loop, nobody);
    CHECK_EQ(cancel(owner), 1);
    turns(loop, 1);
    memset(&completion, 0, sizeof completion);
    completion.size = sizeof completion;
    CHECK_STATUS(rota_loop_next_completion(loop, &completion), ROTA_OK);
    CHECK_STATUS(completion.result, ROTA_ERR_CANCELLED);
    CHECK(completion.user_data == &data);
    CHECK_STATUS(rota_loop_next_completion(loop, &completion), ROTA_ERR_PENDING);
    CHECK_EQ(count_of(owner), 0);
    close_clean(loop);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int64_t blocks(void *user_data) {
    (void)user_data;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return 4;
}

TEST(a_blocking_call_counts_until_it_has_returned) {
    rota_loop loop = open_system();
    rota_owner owner = open_owner(loop, NULL);
    pthread_mutex_lock(&gate);
    set(loop, owner);
    rota_future call = rota_loop_call_blocking(loop, blocks, NULL);
    set(loop, nobody);
    CHECK(call.id != 0);
    /* Only one that has begun cannot be withdrawn: another behind it waits for its end. */
    CHECK_EQ(count_of(owner), 1);
    (void)cancel(owner);
    pthread_mutex_unlock(&gate);
    TURN_UNTIL(loop, count_of(owner) == 0);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

/* ---- listeners */

static int served;

static int64_t echo(rota_task task, rota_stream stream, void *user_data) {
    actor *self = user_data;
    char buffer[64];
    int64_t n;
    (void)task;
    CHECK_EQ(now_set(self->loop).id, self->owner.id);
    while ((n = rota_await(rota_stream_read(stream, buffer, sizeof buffer))) > 0) {
        if ((n = rota_await(rota_stream_write(stream, buffer, (size_t)n))) < 0) break;
    }
    CHECK_STATUS(n, ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    served++;
    return n;
}

TEST(what_serves_for_an_owner_is_closed_and_its_tasks_are_asked) {
    rota_loop loop = open_system();
    rota_owner owner = open_owner(loop, NULL);
    actor self = {.loop = loop, .owner = owner};
    uint16_t port, other_port;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port); /* nobody's until it serves */
    rota_listener other = listen_on(loop, "127.0.0.1", &other_port);
    rota_stream stream;
    char byte;
    served = 0;
    set(loop, owner);
    CHECK_STATUS(rota_listener_serve(listener, echo, &self), ROTA_OK);
    set(loop, nobody);
    CHECK_EQ(count_of(owner), 1);
    stream = take_stream(loop, rota_loop_connect(loop, "127.0.0.1", service_of(port), NULL));
    CHECK_EQ(WAIT(loop, rota_stream_write(stream, "x", 1)), 1);
    CHECK_EQ(WAIT(loop, rota_stream_read(stream, &byte, 1)), 1);
    TURN_UNTIL(loop, count_of(owner) == 3); /* the listener, the task, its read */
    CHECK_EQ(cancel(owner), 2);
    CHECK_STATUS(rota_listener_close(listener), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_listener_close(other), ROTA_OK); /* nobody's */
    CHECK_EQ(WAIT(loop, rota_stream_read(stream, &byte, 1)), 0);
    CHECK_EQ(served, 1);
    CHECK_EQ(count_of(owner), 0);
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    CHECK_STATUS(rota_owner_close(owner), ROTA_OK);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(stepped_tasks_are_dropped_and_their_joins_end_cancelled);
    RUN(a_step_may_cancel_its_own_owner_and_is_not_called_again);
    RUN(stackful_tasks_are_asked_once_and_counted_until_they_have_ended);
    RUN(operations_are_cancelled_whoever_waits_and_futures_are_closed);
    RUN(a_group_loses_the_members_that_are_dropped);
    RUN(a_map_is_an_operation_and_answers_once);
    RUN(a_completion_is_its_futures_and_comes_to_be_fetched);
    RUN(results_that_nobody_took_are_let_go);
    RUN(what_serves_for_an_owner_is_closed_and_its_tasks_are_asked);
    RUN(a_blocking_call_counts_until_it_has_returned);
    return test_end();
}
