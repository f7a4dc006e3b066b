/* Eager tasks: the one body that runs inside a call (guarantee 4). asyncio's eager_task_factory,
 * restated: from everywhere, of both kinds, with the handle written first and the end queued. */
#include "rota_test.h"

typedef struct {
    rota_loop loop;
    rota_task task; /* written by the spawn, before the body runs */
    rota_future gate;
    const char *name;
    int64_t answer;
    int depth;
    int step;
} actor;

static rota_task_options eagerly(void) {
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = ROTA_TASK_EAGER;
    return options;
}

static rota_status spawn_eager(rota_loop loop, rota_task_fn body, void *user_data, rota_task *out) {
    rota_task_options options = eagerly();
    return rota_loop_spawn(loop, body, user_data, &options, out);
}

static rota_status spawn_eager_stepped(rota_loop loop, rota_step_fn body, void *user_data,
                                       rota_task *out) {
    rota_task_options options = eagerly();
    return rota_loop_spawn_stepped(loop, body, user_data, &options, out);
}

static void check_innermost(rota_task task) {
    rota_task current = {0};
    CHECK_STATUS(rota_task_get_current(&current), ROTA_OK);
    CHECK_EQ(current.id, task.id);
}

/* ---- bodies */

static int64_t ends(rota_task task, void *user_data) {
    actor *self = user_data;
    CHECK_EQ(self->task.id, task.id);
    check_innermost(task);
    record("%s", self->name);
    return self->answer;
}

static int64_t naps(rota_task task, void *user_data) {
    actor *self = user_data;
    record("%s>", self->name);
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0);
    check_innermost(task);
    record("%s<", self->name);
    return self->answer;
}

static int64_t step_naps(rota_task task, const rota_outcome *outcome, void *user_data) {
    actor *self = user_data;
    CHECK_STATUS(outcome->status, ROTA_OK);
    check_innermost(task);
    record("%s%d", self->name, self->step);
    if (self->step++ == 2) return self->answer;
    return rota_task_wait(task, rota_loop_sleep(self->loop, SECOND));
}

/* ---- from the host's own code */

TEST(the_body_runs_inside_the_call_and_its_handle_is_there) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .name = "body", .answer = 7};
    CHECK_STATUS(spawn_eager(loop, ends, &self, &self.task), ROTA_OK);
    CHECK_RECORD("body");
    CHECK_EQ(WAIT(loop, rota_task_join(self.task)), 7);
    close_clean(loop);
}

TEST(it_runs_up_to_its_first_wait_and_goes_on_in_its_turn) {
    rota_loop loop = open_jump();
    actor one = {.loop = loop, .name = "a", .answer = 1}, other = {.loop = loop, .name = "b"};
    other.answer = 2;
    CHECK_STATUS(spawn_eager(loop, naps, &one, &one.task), ROTA_OK);
    CHECK_STATUS(spawn_eager_stepped(loop, step_naps, &other, &other.task), ROTA_OK);
    CHECK_RECORD("a> b0");
    CHECK_EQ(WAIT(loop, rota_task_join(other.task)), 2);
    CHECK_RECORD("a< b1 b2");
    CHECK_EQ(WAIT(loop, rota_task_join(one.task)), 1);
    close_clean(loop);
}

static int64_t yields(rota_task task, void *user_data) {
    actor *self = user_data;
    record("%s>", self->name);
    CHECK_EQ(rota_task_yield(task), 0);
    record("%s<", self->name);
    return 0;
}

TEST(a_yield_leaves_the_call) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .name = "y"};
    CHECK_STATUS(spawn_eager(loop, yields, &self, NULL), ROTA_OK);
    CHECK_RECORD("y>");
    CHECK_EQ(turn(loop), 1);
    CHECK_RECORD("y<");
    close_clean(loop);
}

static int64_t never_waits(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    for (self->step = 0; self->step < 200; self->step++) {
        CHECK_EQ(rota_await(self->gate), 3);
    }
    return 0;
}

TEST(the_budget_holds_for_it_too) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .gate = open_future(loop)};
    CHECK_STATUS(rota_future_keep(self.gate), ROTA_OK);
    CHECK_STATUS(rota_future_complete(self.gate, 3), ROTA_OK);
    CHECK_STATUS(spawn_eager(loop, never_waits, &self, NULL), ROTA_OK);
    CHECK_EQ(self.step, 127);
    turns(loop, 2);
    CHECK_EQ(self.step, 200);
    CHECK_STATUS(rota_future_close(self.gate), ROTA_OK);
    close_clean(loop);
}

/* ---- what it completes is queued */

static int64_t completes_gate(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    CHECK_STATUS(rota_future_complete(self->gate, 4), ROTA_OK);
    record("completed");
    return 0;
}

TEST(what_it_completes_is_queued_and_so_is_its_own_end) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .gate = open_future(loop), .name = "end", .answer = 9};
    CHECK_STATUS(rota_future_then(self.gate, record_future, "gate"), ROTA_OK);
    CHECK_STATUS(rota_loop_call_soon(loop, record_call, "soon", NULL), ROTA_OK);
    CHECK_STATUS(spawn_eager(loop, completes_gate, &self, NULL), ROTA_OK);
    CHECK_RECORD("completed");
    CHECK_STATUS(spawn_eager(loop, ends, &self, &self.task), ROTA_OK);
    CHECK_STATUS(rota_future_then(rota_task_join(self.task), record_future, "join"), ROTA_OK);
    CHECK_RECORD("end");
    turns(loop, 1);
    CHECK_RECORD("soon:ok gate:4 join:9");
    close_clean(loop);
}

static void record_let_go(void *user_data) { record("free:%s", ((actor *)user_data)->name); }

TEST(what_it_was_given_is_let_go_inside_the_call_too) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .name = "x"};
    rota_task_options options = eagerly();
    options.user_data_free = record_let_go;
    CHECK_STATUS(rota_loop_spawn(loop, ends, &self, &options, &self.task), ROTA_OK);
    CHECK_RECORD("x free:x");
    CHECK_STATUS(rota_task_detach(self.task), ROTA_OK);
    close_clean(loop);
}

/* ---- from a callback, from tasks */

static void spawns_in_callback(rota_loop loop, rota_status status, void *user_data) {
    actor *self = user_data;
    rota_task none;
    CHECK_STATUS(status, ROTA_OK);
    record("call(");
    CHECK_STATUS(spawn_eager(loop, naps, self, &self->task), ROTA_OK);
    CHECK_STATUS(rota_task_get_current(&none), ROTA_ERR_NO_TASK);
    CHECK_STATUS(rota_await(rota_future_open(loop)), ROTA_ERR_NO_TASK);
    record(")");
}

TEST(from_a_callback) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .name = "n", .answer = 3};
    CHECK_STATUS(rota_loop_call_soon(loop, spawns_in_callback, &self, NULL), ROTA_OK);
    turns(loop, 1);
    CHECK_RECORD("call( n> )");
    CHECK_EQ(WAIT(loop, rota_task_join(self.task)), 3);
    CHECK_RECORD("n<");
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

static int64_t spawns_both(rota_task task, void *user_data) {
    actor *children = user_data;
    rota_loop loop = children[0].loop;
    record("(");
    CHECK_STATUS(spawn_eager(loop, naps, &children[0], &children[0].task), ROTA_OK);
    check_innermost(task);
    CHECK_STATUS(spawn_eager_stepped(loop, step_naps, &children[1], &children[1].task), ROTA_OK);
    check_innermost(task);
    record(")");
    CHECK_EQ(rota_await(rota_loop_sleep(loop, 10 * SECOND)), 0);
    CHECK_EQ(rota_await(rota_task_join(children[0].task)), 1);
    CHECK_EQ(rota_await(rota_task_join(children[1].task)), 2);
    return 5;
}

TEST(from_a_stackful_task) {
    rota_loop loop = open_jump();
    actor children[2] = {{.loop = loop, .name = "a", .answer = 1},
                         {.loop = loop, .name = "b", .answer = 2}};
    CHECK_EQ(run_task(loop, spawns_both, children), 5);
    CHECK_RECORD("( a> b0 ) a< b1 b2");
    close_clean(loop);
}

static int64_t step_spawns(rota_task task, const rota_outcome *outcome, void *user_data) {
    actor *children = user_data;
    rota_loop loop = children[0].loop;
    if (children[2].step++ > 0) return outcome->value;
    record("(");
    CHECK_STATUS(spawn_eager(loop, naps, &children[0], &children[0].task), ROTA_OK);
    check_innermost(task);
    CHECK_STATUS(spawn_eager_stepped(loop, step_naps, &children[1], NULL), ROTA_OK);
    record(")");
    return rota_task_wait(task, rota_task_join(children[0].task));
}

TEST(from_a_stepped_task) {
    rota_loop loop = open_jump();
    actor children[3] = {{.loop = loop, .name = "a", .answer = 1}, {.loop = loop, .name = "b"}};
    rota_task task;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, step_spawns, children, NULL, &task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 1);
    CHECK_RECORD("( a> b0 ) a< b1");
    close_clean(loop);
    CHECK_RECORD("b2");
}

/* In the middle of another loop's task: the inner task waits on its own loop only. */
static int64_t spawns_on_other(rota_task task, void *user_data) {
    actor *self = user_data;
    CHECK_STATUS(spawn_eager(self->loop, naps, self, &self->task), ROTA_OK);
    check_innermost(task);
    CHECK_STATUS(rota_loop_turn(self->loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    check_innermost(task);
    return 6;
}

TEST(on_another_loop_from_inside_a_task) {
    rota_loop loop = open_jump();
    actor self = {.loop = open_jump(), .name = "other", .answer = 8};
    CHECK_EQ(run_task(loop, spawns_on_other, &self), 6);
    CHECK_RECORD("other> other<");
    CHECK_EQ(WAIT(self.loop, rota_task_join(self.task)), 8);
    close_clean(self.loop);
    close_clean(loop);
}

/* ---- nesting */

enum { DEEP = 20, NESTING = 16 };

static int64_t descends(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    self->step++;
    if (self->depth == 1) return 0;
    self[1].depth = self->depth - 1;
    self[1].loop = self->loop;
    CHECK_STATUS(spawn_eager(self->loop, descends, self + 1, NULL), ROTA_OK);
    check_innermost(task);
    self->answer = self[1].step; /* whether the child had run when the spawn returned */
    return 0;
}

static int64_t step_descends(rota_task task, const rota_outcome *outcome, void *user_data) {
    actor *self = user_data;
    (void)task, (void)outcome;
    self->step++;
    if (self->depth == 1) return 0;
    self[1].depth = self->depth - 1;
    self[1].loop = self->loop;
    CHECK_STATUS(spawn_eager_stepped(self->loop, step_descends, self + 1, NULL), ROTA_OK);
    self->answer = self[1].step;
    return 0;
}

static void check_descent(actor *chain, rota_loop loop) {
    int i;
    for (i = 0; i < DEEP; i++) CHECK_EQ(chain[i].step, i < NESTING);
    for (i = 0; i < NESTING - 1; i++) CHECK_EQ(chain[i].answer, 1);
    CHECK_EQ(chain[NESTING - 1].answer, 0); /* the next one stands in the queue */
    CHECK_EQ(turn(loop), 1);
    for (i = 0; i < DEEP; i++) CHECK_EQ(chain[i].step, 1);
}

TEST(beyond_the_limit_a_task_starts_in_the_next_turn) {
    rota_loop loop = open_jump();
    actor stackful[DEEP] = {{.loop = loop, .depth = DEEP}};
    actor stepped[DEEP] = {{.loop = loop, .depth = DEEP}};
    CHECK_STATUS(spawn_eager(loop, descends, stackful, NULL), ROTA_OK);
    check_descent(stackful, loop);
    CHECK_STATUS(spawn_eager_stepped(loop, step_descends, stepped, NULL), ROTA_OK);
    check_descent(stepped, loop);
    close_clean(loop);
}

/* ---- the loop counts as running */

static int64_t tries_everything(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    CHECK_STATUS(rota_loop_close(self->loop, 0), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_run(self->loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_turn(self->loop, 0, 0, 0, NULL), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_loop_abandon(self->loop), ROTA_ERR_REENTRANT);
    CHECK_STATUS(rota_await(rota_task_join(self->task)), ROTA_ERR_INVALID);
    record("tried");
    return 0;
}

TEST(the_loop_is_neither_run_nor_closed_from_inside) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop};
    CHECK_STATUS(spawn_eager(loop, tries_everything, &self, &self.task), ROTA_OK);
    CHECK_RECORD("tried");
    CHECK_EQ(WAIT(loop, rota_task_join(self.task)), 0);
    close_clean(loop);
}

/* ---- cancelling, failing */

static int64_t cancels_itself(rota_task task, void *user_data) {
    actor *self = user_data;
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(rota_await(self->gate), ROTA_ERR_CANCELLED);
    record("cleaned");
    return ROTA_ERR_CANCELLED;
}

TEST(a_request_meets_it_at_its_first_wait) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .gate = open_future(loop)};
    CHECK_STATUS(spawn_eager(loop, cancels_itself, &self, &self.task), ROTA_OK);
    CHECK_RECORD(""); /* it waits, for the answer that is queued */
    CHECK_STATUS(WAIT(loop, rota_task_join(self.task)), ROTA_ERR_CANCELLED);
    CHECK_RECORD("cleaned");
    close_clean(loop);
}

TEST(a_failure_inside_the_call_is_the_tasks_and_not_the_calls) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .name = "fails", .answer = ROTA_ERR_TIMEOUT};
    CHECK_STATUS(spawn_eager(loop, ends, &self, &self.task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(self.task)), ROTA_ERR_TIMEOUT);
    CHECK_RECORD("fails");
    close_clean(loop);
}

static int64_t spawns_while_closing(rota_task task, void *user_data) {
    actor *self = user_data;
    (void)task;
    CHECK_STATUS(rota_await(self->gate), ROTA_ERR_CANCELLED);
    CHECK_STATUS(spawn_eager(self->loop, ends, self, NULL), ROTA_ERR_CLOSING);
    return ROTA_ERR_CANCELLED;
}

TEST(a_loop_that_closes_refuses_it) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .gate = open_future(loop), .name = "never"};
    CHECK_STATUS(spawn_eager(loop, spawns_while_closing, &self, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("");
}

TEST(unknown_flags_are_refused_and_nothing_runs) {
    rota_loop loop = open_jump();
    actor self = {.loop = loop, .name = "x"};
    rota_task_options options = eagerly();
    options.flags = ROTA_TASK_EAGER | UINT32_C(1) << 31;
    options.user_data_free = record_let_go;
    CHECK_STATUS(rota_loop_spawn(loop, ends, &self, &options, NULL), ROTA_ERR_INVALID);
    CHECK_RECORD("free:x");
    options.flags = ROTA_TASK_EAGER;
    CHECK_STATUS(rota_loop_spawn(loop, NULL, &self, &options, NULL), ROTA_ERR_INVALID);
    CHECK_RECORD("free:x");
    CHECK_EQ(stats_of(loop).tasks, 0);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(the_body_runs_inside_the_call_and_its_handle_is_there);
    RUN(it_runs_up_to_its_first_wait_and_goes_on_in_its_turn);
    RUN(a_yield_leaves_the_call);
    RUN(the_budget_holds_for_it_too);
    RUN(what_it_completes_is_queued_and_so_is_its_own_end);
    RUN(what_it_was_given_is_let_go_inside_the_call_too);
    RUN(from_a_callback);
    RUN(from_a_stackful_task);
    RUN(from_a_stepped_task);
    RUN(on_another_loop_from_inside_a_task);
    RUN(beyond_the_limit_a_task_starts_in_the_next_turn);
    RUN(the_loop_is_neither_run_nor_closed_from_inside);
    RUN(a_request_meets_it_at_its_first_wait);
    RUN(a_failure_inside_the_call_is_the_tasks_and_not_the_calls);
    RUN(a_loop_that_closes_refuses_it);
    RUN(unknown_flags_are_refused_and_nothing_runs);
    return test_end();
}
