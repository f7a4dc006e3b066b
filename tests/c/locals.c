/* Values that tasks carry along: inherited as they are at the spawn, never shared backwards, and
 * let go once, when nobody sees them any more. asyncio's contextvars in tasks, restated. */
#include "rota_test.h"

static const char color, user, depth; /* keys: addresses of anything */

static void *seen_by(rota_task task, const void *key) {
    void *value = NULL;
    rota_status status = rota_task_get_local(task, key, &value);
    if (status == ROTA_ERR_NOT_FOUND) return NULL;
    CHECK_STATUS(status, ROTA_OK);
    return value;
}

static void set(rota_task task, const void *key, const char *value) {
    CHECK_STATUS(rota_task_set_local(task, key, (void *)(uintptr_t)value, NULL), ROTA_OK);
}

static void record_free(void *value) { record("-%s", (const char *)value); }

static void set_freed(rota_task task, const void *key, const char *value) {
    CHECK_STATUS(rota_task_set_local(task, key, (void *)(uintptr_t)value, record_free), ROTA_OK);
}

typedef struct {
    rota_loop loop;
    rota_future gate;
    rota_task child;
    int count;
} stage;

static int64_t waits_for_gate(rota_task task, void *user_data) {
    (void)task;
    return rota_await(((stage *)user_data)->gate);
}

static rota_future keep_gate(rota_loop loop) {
    rota_future gate = open_future(loop);
    CHECK_STATUS(rota_future_keep(gate), ROTA_OK);
    return gate;
}

static void open_gate(stage *self) {
    CHECK_STATUS(rota_future_complete(self->gate, 0), ROTA_OK);
    turns(self->loop, 4);
    CHECK_STATUS(rota_future_close(self->gate), ROTA_OK);
}

/* ---- what a child begins with */

static int64_t child_sets(rota_task task, void *user_data) {
    stage *self = user_data;
    CHECK_TEXT(seen_by(task, &color), "red");
    CHECK(seen_by(task, &user) == NULL); /* set after the spawn */
    set(task, &color, "blue");
    CHECK_TEXT(seen_by(task, &color), "blue");
    CHECK_EQ(rota_await(self->gate), 0);
    CHECK_TEXT(seen_by(task, &color), "blue");
    CHECK(seen_by(task, &user) == NULL);
    return 1;
}

static int64_t parent_sets(rota_task task, void *user_data) {
    stage *self = user_data;
    CHECK(seen_by(task, &color) == NULL);
    set(task, &color, "red");
    self->child = spawn(self->loop, child_sets, self);
    set(task, &user, "ann");
    CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0);
    CHECK_TEXT(seen_by(task, &color), "red"); /* the child's blue is the child's */
    CHECK_TEXT(seen_by(task, &user), "ann");
    return 0;
}

TEST(a_child_begins_with_its_parents_values_as_they_are_then) {
    stage self = {open_jump(), {0}, {0}, 0};
    self.gate = keep_gate(self.loop);
    CHECK_EQ(run_task(self.loop, parent_sets, &self), 0);
    CHECK_TEXT(seen_by(self.child, &color), "blue"); /* also the host may look */
    rota_future join = rota_task_join(self.child);
    CHECK_STATUS(rota_future_complete(self.gate, 0), ROTA_OK);
    CHECK_EQ(WAIT(self.loop, join), 1);
    CHECK_STATUS(rota_future_close(self.gate), ROTA_OK);
    close_clean(self.loop);
}

static int64_t step_inherits(rota_task task, const rota_outcome *outcome, void *user_data) {
    stage *self = user_data;
    (void)outcome;
    CHECK_TEXT(seen_by(task, &color), "red");
    CHECK_TEXT(seen_by(task, &user), self->count == 0 ? "ann" : "bob");
    if (self->count++ > 0) return 5;
    set(task, &user, "bob");
    return rota_task_wait(task, rota_loop_sleep(self->loop, SECOND));
}

static int64_t spawns_stepped(rota_task task, void *user_data) {
    stage *self = user_data;
    rota_task child;
    set(task, &color, "red");
    set(task, &user, "ann");
    CHECK_STATUS(rota_loop_spawn_stepped(self->loop, step_inherits, self, NULL, &child), ROTA_OK);
    CHECK_EQ(rota_await(rota_task_join(child)), 5);
    CHECK_TEXT(seen_by(task, &user), "ann");
    return 0;
}

TEST(stepped_tasks_have_them_too) {
    stage self = {open_jump(), {0}, {0}, 0};
    CHECK_EQ(run_task(self.loop, spawns_stepped, &self), 0);
    close_clean(self.loop);
}

static void spawns_from_callback(rota_loop loop, rota_status status, void *user_data) {
    stage *self = user_data;
    (void)status;
    self->child = spawn(loop, waits_for_gate, self);
}

static int64_t calls_soon(rota_task task, void *user_data) {
    stage *self = user_data;
    set(task, &color, "red");
    CHECK_STATUS(rota_loop_call_soon(self->loop, spawns_from_callback, self, NULL), ROTA_OK);
    return 0;
}

TEST(who_is_spawned_outside_a_task_begins_with_none) {
    stage self = {open_jump(), {0}, {0}, 0};
    self.gate = keep_gate(self.loop);
    CHECK_EQ(run_task(self.loop, calls_soon, &self), 0);
    turns(self.loop, 2);
    CHECK(seen_by(self.child, &color) == NULL);
    CHECK_STATUS(rota_task_detach(self.child), ROTA_OK);
    open_gate(&self);
    close_clean(self.loop);
}

/* Tasks of another loop on the same thread are no children: a value belongs to its loop. */
static int64_t spawns_elsewhere(rota_task task, void *user_data) {
    stage *other = user_data;
    set(task, &color, "red");
    other->child = spawn(other->loop, waits_for_gate, other);
    return 0;
}

TEST(values_do_not_cross_to_another_loop) {
    rota_loop loop = open_jump();
    stage other = {open_jump(), {0}, {0}, 0};
    other.gate = keep_gate(other.loop);
    CHECK_EQ(run_task(loop, spawns_elsewhere, &other), 0);
    CHECK(seen_by(other.child, &color) == NULL);
    CHECK_STATUS(rota_task_detach(other.child), ROTA_OK);
    open_gate(&other);
    close_clean(other.loop);
    close_clean(loop);
}

/* ---- when a value is let go */

TEST(a_value_goes_when_the_last_that_sees_it_has_ended) {
    stage self = {open_jump(), {0}, {0}, 0};
    self.gate = keep_gate(self.loop);
    rota_task task = spawn(self.loop, waits_for_gate, &self);
    set_freed(task, &color, "red");
    set_freed(task, &user, "ann");
    CHECK_RECORD("");
    set_freed(task, &color, "blue"); /* nobody else sees red */
    CHECK_RECORD("-red");
    set_freed(task, &color, "blue2");
    CHECK_RECORD("-blue");
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    open_gate(&self);
    CHECK_RECORD("-ann -blue2");
    close_clean(self.loop);
}

static int64_t sets_and_spawns(rota_task task, void *user_data) {
    stage *self = user_data;
    set_freed(task, &depth, "deep");
    set_freed(task, &color, "red");
    set_freed(task, &user, "ann");
    self->child = spawn(self->loop, waits_for_gate, self);
    set_freed(task, &depth, "deeper"); /* the child still sees deep; red and ann are shared */
    CHECK_RECORD("");
    CHECK_TEXT(seen_by(task, &color), "red");
    CHECK_TEXT(seen_by(task, &user), "ann");
    CHECK_TEXT(seen_by(task, &depth), "deeper");
    CHECK_TEXT(seen_by(self->child, &depth), "deep");
    return 0;
}

TEST(overwriting_lets_go_of_what_the_child_does_not_see) {
    stage self = {open_jump(), {0}, {0}, 0};
    self.gate = keep_gate(self.loop);
    CHECK_EQ(run_task(self.loop, sets_and_spawns, &self), 0);
    CHECK_RECORD("-deeper"); /* the parent has ended, the child has not */
    set_freed(self.child, &color, "blue");
    CHECK_RECORD("-red");
    CHECK_STATUS(rota_task_detach(self.child), ROTA_OK);
    open_gate(&self);
    CHECK_RECORD("-ann -blue -deep");
    close_clean(self.loop);
}

/* A destructor may use the loop. */
static void sets_again(void *value) {
    stage *self = value;
    set(self->child, &user, "from the destructor");
}

TEST(a_destructor_may_call_anything) {
    stage self = {open_jump(), {0}, {0}, 0};
    self.gate = keep_gate(self.loop);
    self.child = spawn(self.loop, waits_for_gate, &self);
    CHECK_STATUS(rota_task_set_local(self.child, &color, &self, sets_again), ROTA_OK);
    set(self.child, &color, "red");
    CHECK_TEXT(seen_by(self.child, &user), "from the destructor");
    CHECK_STATUS(rota_task_detach(self.child), ROTA_OK);
    open_gate(&self);
    close_clean(self.loop);
}

/* ---- asyncio: many tasks, each with its own (test_context_1, test_task_contextvars) */

static int64_t worker(rota_task task, void *user_data) {
    stage *self = user_data;
    static const char *const names[] = {"a", "b", "c", "d"};
    const char *mine = names[self->count++ % 4];
    int i;
    set(task, &user, mine);
    for (i = 0; i < 3; i++) {
        CHECK_EQ(rota_await(rota_loop_sleep(self->loop, SECOND)), 0);
        CHECK_TEXT(seen_by(task, &user), mine);
        CHECK_TEXT(seen_by(task, &color), "red");
    }
    return 0;
}

static int64_t runs_workers(rota_task task, void *user_data) {
    stage *self = user_data;
    rota_future joins[4];
    int i;
    set(task, &color, "red");
    for (i = 0; i < 4; i++) joins[i] = rota_task_join(spawn(self->loop, worker, self));
    CHECK_EQ(rota_await(rota_loop_gather(self->loop, joins, 4, 0)), 0);
    CHECK(seen_by(task, &user) == NULL);
    return 0;
}

TEST(each_of_many_tasks_sees_its_own_across_awaits) {
    stage self = {open_jump(), {0}, {0}, 0};
    CHECK_EQ(run_task(self.loop, runs_workers, &self), 0);
    close_clean(self.loop);
}

/* ---- the steady state */

static int64_t sets_some(rota_task task, void *user_data) {
    stage *self = user_data;
    rota_task_options options;
    rota_task child = {0};
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = ROTA_TASK_EAGER;
    set(task, &color, "red");
    set(task, &user, "ann");
    if (self->count-- > 0) {
        CHECK_STATUS(rota_loop_spawn(self->loop, sets_some, self, &options, &child), ROTA_OK);
        CHECK_EQ(rota_await(rota_task_join(child)), 0);
    }
    set(task, &color, "blue");
    return 0;
}

TEST(eager_tasks_with_values_take_no_memory_in_the_steady_state) {
    stage self = {open_jump(), {0}, {0}, 0};
    uint64_t bytes = 0;
    int round;
    for (round = 0; round < 200; round++) {
        self.count = 5;
        CHECK_EQ(run_task(self.loop, sets_some, &self), 0);
        if (round == 10) bytes = stats_of(self.loop).memory_bytes;
    }
    CHECK_EQ(stats_of(self.loop).memory_bytes, bytes);
    close_clean(self.loop);
}

/* ---- misuse */

static int64_t ends_at_once(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return 0;
}

TEST(what_cannot_be_set_is_refused_and_stays_yours) {
    rota_loop loop = open_jump();
    rota_task task = spawn(loop, ends_at_once, NULL), none = {0};
    void *value = &loop;
    CHECK_STATUS(rota_task_set_local(task, NULL, &loop, record_free), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_get_local(task, NULL, &value), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_get_local(task, &color, &value), ROTA_ERR_NOT_FOUND);
    CHECK_STATUS(rota_task_set_local(none, &color, &loop, record_free), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_task_set_local(task, &color, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_task_get_local(task, &color, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_task_get_local(task, &color, &value), ROTA_OK); /* NULL is a value */
    CHECK(value == NULL);
    turns(loop, 1);
    CHECK_STATUS(rota_task_set_local(task, &color, &loop, record_free), ROTA_ERR_DONE);
    CHECK_STATUS(rota_task_get_local(task, &color, &value), ROTA_ERR_DONE);
    CHECK_STATUS(rota_task_detach(task), ROTA_OK);
    CHECK_STATUS(rota_task_set_local(task, &color, &loop, record_free), ROTA_ERR_HANDLE);
    CHECK_RECORD("");
    close_clean(loop);
}

TEST(values_go_with_the_tasks_that_closing_ends) {
    stage self = {open_jump(), {0}, {0}, 0};
    rota_future gate = self.gate = rota_future_open(self.loop);
    rota_task task = spawn(self.loop, waits_for_gate, &self);
    set_freed(task, &color, "red");
    turns(self.loop, 1);
    CHECK(gate.id != 0);
    CHECK_STATUS(rota_loop_close(self.loop, SECOND), ROTA_OK);
    CHECK_RECORD("-red");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_child_begins_with_its_parents_values_as_they_are_then);
    RUN(stepped_tasks_have_them_too);
    RUN(who_is_spawned_outside_a_task_begins_with_none);
    RUN(values_do_not_cross_to_another_loop);
    RUN(a_value_goes_when_the_last_that_sees_it_has_ended);
    RUN(overwriting_lets_go_of_what_the_child_does_not_see);
    RUN(a_destructor_may_call_anything);
    RUN(each_of_many_tasks_sees_its_own_across_awaits);
    RUN(eager_tasks_with_values_take_no_memory_in_the_steady_state);
    RUN(what_cannot_be_set_is_refused_and_stays_yours);
    RUN(values_go_with_the_tasks_that_closing_ends);
    return test_end();
}
