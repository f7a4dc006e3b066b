/* Asking about tasks: all of them in the order of spawning, and of each where it stands, since
 * when, and what it waits for. Who holds up whom is in dump.c. */
#include "rota_test.h"

typedef struct {
    rota_loop loop;
    rota_future future;
    rota_task task;
} actor;

static rota_task_info info_of(rota_task task) {
    rota_task_info info;
    memset(&info, 0x55, sizeof info);
    info.size = sizeof info;
    CHECK_STATUS(rota_task_get_info(task, &info), ROTA_OK);
    CHECK(info.waits_for_what != NULL);
    CHECK_EQ(info.reserved, 0);
    return info;
}

static int64_t naps(rota_task task, void *user_data) {
    (void)task;
    return rota_await(rota_loop_sleep(((actor *)user_data)->loop, 5 * SECOND));
}

static int64_t awaits_future(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((actor *)user_data)->future);
}

/* ---- all tasks */

TEST(all_tasks_come_in_the_order_in_which_they_were_spawned) {
    rota_loop loop = open_jump();
    rota_task tasks[6], found[6] = {{0}};
    actor self = {.loop = loop};
    size_t count = 9, i;
    CHECK_STATUS(rota_loop_get_tasks(loop, NULL, 0, &count), ROTA_OK);
    CHECK_EQ(count, 0);
    for (i = 0; i < 6; i++) tasks[i] = spawn(loop, naps, &self);
    CHECK_STATUS(rota_task_cancel(tasks[1]), ROTA_OK);
    CHECK_STATUS(rota_task_cancel(tasks[4]), ROTA_OK);
    turns(loop, 1);
    CHECK_STATUS(WAIT(loop, rota_task_join(tasks[1])), ROTA_ERR_CANCELLED);
    tasks[1] = spawn(loop, naps, &self); /* in the slot of one that went: it is the youngest */
    CHECK_STATUS(rota_loop_get_tasks(loop, found, 6, &count), ROTA_OK);
    CHECK_EQ(count, 5); /* the one that has ended and is not joined is not among them */
    CHECK_EQ(found[0].id, tasks[0].id);
    CHECK_EQ(found[1].id, tasks[2].id);
    CHECK_EQ(found[2].id, tasks[3].id);
    CHECK_EQ(found[3].id, tasks[5].id);
    CHECK_EQ(found[4].id, tasks[1].id);
    CHECK_EQ(found[5].id, 0);
    found[2].id = 77;
    CHECK_STATUS(rota_loop_get_tasks(loop, found, 2, &count), ROTA_OK);
    CHECK_EQ(count, 5);
    CHECK_EQ(found[2].id, 77);
    for (i = 0; i < 6; i++) CHECK_STATUS(rota_task_detach(tasks[i]), ROTA_OK);
    run_dry(loop);
    close_clean(loop);
}

/* ---- one task */

TEST(a_task_says_where_it_stands_and_since_when) {
    rota_loop loop = open_jump();
    uint64_t start = now_of(loop);
    actor self = {.loop = loop};
    rota_task task = spawn(loop, naps, &self);
    rota_task_info info = info_of(task);
    CHECK_EQ(info.state, ROTA_TASK_STATE_QUEUED);
    CHECK_EQ(info.steps, 0);
    CHECK_EQ(info.stackful, 1);
    CHECK_EQ(info.waits_for.id, 0);
    CHECK_TEXT(info.waits_for_what, "");
    CHECK_EQ(info.parent.id, 0);
    turns(loop, 1);
    info = info_of(task);
    CHECK_EQ(info.state, ROTA_TASK_STATE_WAITING);
    CHECK_TEXT(info.waits_for_what, "sleep");
    CHECK(info.waits_for.id != 0);
    CHECK_EQ(info.waits_for_task.id, 0);
    CHECK_EQ(info.spawned_ns, start);
    CHECK_EQ(info.since_ns, start);
    CHECK_EQ(info.steps, 1);
    CHECK_EQ(WAIT(loop, rota_loop_sleep(loop, SECOND)), 0);
    CHECK_EQ(info_of(task).since_ns, start);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    info = info_of(task);
    CHECK_EQ(info.state, ROTA_TASK_STATE_QUEUED);
    CHECK_EQ(info.since_ns, start + SECOND);
    CHECK_EQ(info.cancelling, 1);
    turns(loop, 1);
    info = info_of(task);
    CHECK_EQ(info.state, ROTA_TASK_STATE_ENDED);
    CHECK_EQ(info.steps, 2);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    CHECK_STATUS(rota_task_get_info(task, &info), ROTA_ERR_HANDLE);
    close_clean(loop);
}

static int64_t looks_at_itself(rota_task task, void *user_data) {
    actor *self = user_data;
    rota_task_info info = info_of(task);
    CHECK_EQ(info.state, ROTA_TASK_STATE_RUNNING);
    CHECK_EQ(info.steps, 1);
    self->task = spawn(self->loop, awaits_future, self);
    info = info_of(self->task);
    CHECK_EQ(info.parent.id, task.id);
    CHECK_EQ(rota_task_yield(task), 0);
    return 1;
}

static int64_t waits_stepped(rota_task task, const rota_outcome *outcome, void *user_data) {
    actor *self = user_data;
    if (outcome->status < 0 || outcome->value > 0) return 0;
    return rota_task_wait(task, self->future);
}

TEST(parents_promises_and_stepped_tasks) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .future = open_future(loop)};
    rota_task parent = spawn(loop, looks_at_itself, &self), stepped;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, waits_stepped, &self, NULL, &stepped), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(parent)), 1);
    CHECK_EQ(info_of(self.task).parent.id, parent.id); /* though it has ended */
    CHECK_TEXT(info_of(self.task).waits_for_what, "promise");
    CHECK_EQ(info_of(self.task).waits_for.id, self.future.id);
    CHECK_TEXT(info_of(stepped).waits_for_what, "promise");
    CHECK_EQ(info_of(stepped).stackful, 0);
    CHECK_EQ(info_of(stepped).stack_size, 0);
    CHECK_STATUS(rota_future_complete(self.future, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(stepped)), 0);
    CHECK_EQ(WAIT(loop, rota_task_join(self.task)), 1);
    close_clean(loop);
}

TEST(accepting_has_a_word) {
    rota_loop loop = open_jump();
    rota_listener listener;
    actor self = {.loop = loop};
    rota_task task;
    CHECK_STATUS(rota_loop_listen(loop, "127.0.0.1", 0, NULL, &listener), ROTA_OK);
    self.future = rota_listener_accept(listener);
    task = spawn(loop, awaits_future, &self);
    turns(loop, 1);
    CHECK_TEXT(info_of(task).waits_for_what, "accept");
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    close_clean(loop);
}

/* ---- misuse */

TEST(bad_calls_are_refused) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop};
    rota_task task = spawn(loop, naps, &self), none = {0};
    rota_task_info info = {0};
    size_t count;
    CHECK_STATUS(rota_task_get_info(task, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_get_info(task, &info), ROTA_ERR_INVALID); /* no size */
    info.size = sizeof info.size + sizeof info.state;                /* an older program's */
    info.cancelling = 99;
    CHECK_STATUS(rota_task_get_info(task, &info), ROTA_OK);
    CHECK_EQ(info.state, ROTA_TASK_STATE_QUEUED);
    CHECK_EQ(info.cancelling, 99);
    CHECK_STATUS(rota_task_get_info(none, &info), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_loop_get_tasks(loop, NULL, 1, &count), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_get_tasks(loop, &none, 1, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    run_dry(loop);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(all_tasks_come_in_the_order_in_which_they_were_spawned);
    RUN(a_task_says_where_it_stands_and_since_when);
    RUN(parents_promises_and_stepped_tasks);
    RUN(accepting_has_a_word);
    RUN(bad_calls_are_refused);
    return test_end();
}
