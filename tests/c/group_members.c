/* Members of groups beside plain tasks: operations, tasks that say when they have started, stepped
 * ones; what reaches the log, what is refused, and what it costs. */
#include "rota_scopes.h"

enum { OOPS = ROTA_STATUS_HOST - 1, OUCH = ROTA_STATUS_HOST - 2 };

/* ---- operations */

static int64_t gathers_operations(rota_task task, void *user_data) {
    rota_group group = open_group();
    rota_future done = open_future(the_loop), kept = open_future(the_loop);
    (void)task, (void)user_data;
    CHECK_STATUS(rota_future_complete(done, 1), ROTA_OK);
    CHECK_STATUS(rota_future_keep(kept), ROTA_OK);
    CHECK_STATUS(rota_group_add(group, done), ROTA_OK);
    CHECK_STATUS(rota_group_add(group, kept), ROTA_OK);
    CHECK_STATUS(rota_group_add(group, rota_loop_sleep(the_loop, SECOND)), ROTA_OK);
    CHECK_EQ(count_of(group), 3);
    CHECK_STATUS(rota_future_complete(kept, 2), ROTA_OK);
    CHECK_EQ(rota_await(rota_group_wait(group)), 3);
    CHECK_EQ(outcome_of(kept).value, 2);
    CHECK_STATUS(rota_future_close(kept), ROTA_OK);
    CHECK_STATUS(rota_future_close(done), ROTA_ERR_HANDLE); /* its last claim was answered */
    CHECK_EQ(stats_of(the_loop).futures, 1); /* the join of this task */
    return rota_group_close(group);
}

TEST(operations_are_members_too) { CHECK_STATUS(in_a_task(gathers_operations, NULL), ROTA_OK); }

static int64_t one_operation_fails(rota_task task, void *user_data) {
    member a = {"a", HOUR, 0, 0, 0};
    rota_group group = open_group();
    rota_future promise = open_future(the_loop), other_one = open_future(the_loop);
    rota_future refused = open_future(the_loop);
    (void)user_data;
    CHECK_STATUS(rota_group_add(group, promise), ROTA_OK);
    CHECK_STATUS(rota_group_add(group, other_one), ROTA_OK);
    CHECK_STATUS(rota_future_then(other_one, record_future, "others"), ROTA_OK);
    join_in(group, &a);
    CHECK_STATUS(rota_task_yield(task), 0);
    CHECK_STATUS(rota_future_fail(promise, OOPS, "no more paper"), ROTA_OK);
    CHECK_EQ(errors_of(group), 0); /* in a turn of its own */
    CHECK_STATUS(nap(HOUR), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_group_add(group, refused), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(refused), ROTA_OK); /* it stayed as it was */
    CHECK_STATUS(rota_await(rota_group_wait(group)), OOPS);
    CHECK_TEXT(message_of(task), "no more paper");
    CHECK_TEXT(error_of(group, 0).outcome.message, "no more paper");
    CHECK_TEXT(error_of(group, 0).name, "");
    CHECK_EQ(errors_of(group), 1); /* the one that was cancelled is none */
    CHECK_RECORD("others:cancelled a:cancelled"); /* whoever waits for it */
    return rota_group_close(group);
}

TEST(the_failure_of_an_operation_is_the_groups) {
    CHECK_STATUS(in_a_task(one_operation_fails, NULL), ROTA_OK);
}

static int64_t adds_values(rota_task task, void *user_data) {
    static const rota_stream none = {0};
    rota_future failed = rota_loop_sleep(the_loop, SECOND), value;
    rota_group group = open_group();
    char byte;
    CHECK_STATUS(rota_future_close(failed), ROTA_OK);
    CHECK_STATUS(rota_group_add(group, failed), ROTA_ERR_HANDLE);
    value = rota_stream_read(none, &byte, 1);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    failed = rota_loop_sleep(the_loop, 1); /* was refused: a value */
    CHECK_STATUS(rota_group_add(group, failed), ROTA_OK);
    CHECK_EQ(errors_of(group), 0);
    CHECK_STATUS(rota_group_add(group, value), ROTA_OK);
    CHECK_EQ(count_of(group), 0);
    CHECK_EQ(errors_of(group), 1);
    CHECK_STATUS(rota_group_add(group, value), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_HANDLE);
    (void)user_data;
    return rota_group_close(group);
}

TEST(values_are_dealt_with_at_once) { CHECK_STATUS(in_a_task(adds_values, NULL), ROTA_OK); }

static void lets_go(void *user_data) { record("let go of %s", (const char *)user_data); }

TEST(what_an_operation_holds_stays_in_it) {
    rota_group group;
    rota_future taken, closed;
    void *result = NULL;
    the_loop = open_jump();
    group = open_group();
    taken = open_future(the_loop);
    closed = open_future(the_loop);
    CHECK_STATUS(rota_group_add(group, taken), ROTA_OK);
    CHECK_STATUS(rota_group_add(group, closed), ROTA_OK);
    CHECK_STATUS(rota_future_complete_with(taken, "this", lets_go), ROTA_OK);
    CHECK_STATUS(rota_future_complete_with(closed, "that", lets_go), ROTA_OK);
    CHECK_STATUS(rota_future_close(closed), ROTA_ERR_BUSY); /* the group's claim comes first */
    CHECK_EQ(WAIT(the_loop, rota_group_wait(group)), 2);
    CHECK_RECORD("let go of that");
    CHECK_STATUS(rota_future_take_result(taken, &result), ROTA_OK);
    CHECK_TEXT((const char *)result, "this");
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    close_clean(the_loop);
    CHECK_RECORD("");
}

TEST(a_group_of_operations_is_cancelled_and_times_out) {
    rota_group group;
    uint64_t start;
    the_loop = open_jump();
    start = now_of(the_loop);
    group = open_group_with(SECOND, 0);
    CHECK_STATUS(rota_group_add(group, open_future(the_loop)), ROTA_OK);
    CHECK_STATUS(rota_group_add(group, rota_loop_sleep(the_loop, HOUR)), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_group_wait(group)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(the_loop), start + SECOND);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    group = open_group();
    CHECK_STATUS(rota_group_add(group, open_future(the_loop)), ROTA_OK);
    CHECK_STATUS(rota_group_close(group), ROTA_ERR_BUSY);
    CHECK_STATUS(WAIT(the_loop, rota_group_wait(group)), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_group_close(group), ROTA_ERR_HANDLE);
    close_clean(the_loop);
}

/* ---- tasks that say when they have started */

typedef struct {
    int64_t value;  /* what it says; below zero: nothing */
    int64_t answer;
    rota_status second;
} server;

static int64_t serves(rota_task task, void *user_data) {
    server *self = user_data;
    int64_t result = nap(SECOND);
    if (result < 0) return result;
    if (self->value >= 0) {
        CHECK_STATUS(rota_task_started(task, -1), ROTA_ERR_INVALID);
        CHECK_STATUS(rota_task_started(task, self->value), self->second);
        CHECK_STATUS(rota_task_started(task, self->value), ROTA_ERR_DONE);
        CHECK_EQ(nap(SECOND), 0);
    }
    return self->answer;
}

static int64_t starts_servers(rota_task task, void *user_data) {
    server good = {8080, 0, ROTA_OK}, bad = {-1, OOPS, ROTA_OK}, silent = {-1, 3, ROTA_OK};
    server unheard = {1, OUCH, ROTA_ERR_DONE};
    rota_group group = open_group();
    rota_task started;
    rota_future future;
    (void)user_data;
    CHECK_EQ(rota_await(rota_group_start(group, serves, &good, NULL, &started)), 8080);
    CHECK_EQ(count_of(group), 1);
    CHECK_STATUS(rota_await(rota_group_start(group, serves, &bad, NULL, NULL)), OOPS);
    CHECK_EQ(errors_of(group), 0); /* it was his who waited */
    future = rota_group_start(group, serves, &silent, NULL, NULL);
    CHECK_STATUS(rota_await(future), ROTA_ERR_INVALID);
    CHECK_TEXT(message_of(task), "the task ended before it said that it had started");
    future = rota_group_start(group, serves, &bad, NULL, NULL);
    CHECK_STATUS(rota_task_yield(task), 0);
    CHECK_STATUS(rota_future_cancel(future), ROTA_OK); /* asks the task */
    CHECK_STATUS(rota_await(future), ROTA_ERR_CANCELLED);
    CHECK_EQ(errors_of(group), 0);
    CHECK_STATUS(rota_future_close(rota_group_start(group, serves, &unheard, NULL, NULL)), ROTA_OK);
    CHECK_STATUS(rota_await(rota_group_wait(group)), OUCH); /* nobody else had it */
    CHECK_STATUS(rota_task_started(task, 1), ROTA_ERR_INVALID);
    future = rota_group_start(group, serves, &good, NULL, NULL);
    CHECK_STATUS(rota_await(future), ROTA_ERR_CANCELLED);
    return rota_group_close(group);
}

TEST(a_task_says_when_it_has_started) { CHECK_STATUS(in_a_task(starts_servers, NULL), ROTA_OK); }

static int64_t ends_with_a_group(rota_task task, void *user_data) {
    static member slow = {"slow", HOUR, 0, SECOND, 0};
    (void)user_data;
    join_in(open_group(), &slow);
    CHECK_STATUS(rota_task_yield(task), 0);
    return OOPS;
}

/* The start cannot come any more when the body has returned, whatever it leaves behind. */
static int64_t starts_one_that_ends(rota_task task, void *user_data) {
    rota_group group = open_group();
    uint64_t start = now_of(the_loop);
    (void)task, (void)user_data;
    CHECK_STATUS(rota_await(rota_group_start(group, ends_with_a_group, NULL, NULL, NULL)), OOPS);
    CHECK_EQ(now_of(the_loop), start);
    CHECK_EQ(count_of(group), 1);
    CHECK_EQ(rota_await(rota_group_wait(group)), 0);
    CHECK_EQ(now_of(the_loop), start + SECOND);
    CHECK_RECORD("slow:cancelled slow:clean");
    return rota_group_close(group);
}

TEST(a_start_that_will_not_come_is_told_at_once) {
    CHECK_STATUS(in_a_task(starts_one_that_ends, NULL), ROTA_OK);
}

static int64_t serves_by_steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    int *step = user_data;
    if (outcome->status < 0) return outcome->status;
    if ((*step)++ == 0) return rota_task_wait(task, rota_loop_sleep(the_loop, SECOND));
    CHECK_STATUS(rota_task_started(task, 9), ROTA_OK);
    return *step == 2 ? rota_task_wait(task, rota_loop_sleep(the_loop, HOUR)) : 0;
}

static int64_t gives_up_starting(rota_task task, void *user_data) {
    rota_group group = open_group();
    rota_scope scope = enter_timeout(task, SECOND / 2);
    int step = 0;
    rota_future started = rota_group_start_stepped(group, serves_by_steps, &step, NULL, NULL);
    (void)user_data;
    CHECK_STATUS(rota_scope_leave(scope, rota_await(started)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(count_of(group), 0); /* the task was asked, and has ended */
    step = 0;
    started = rota_group_start_stepped(group, serves_by_steps, &step, NULL, NULL);
    CHECK_EQ(rota_await(started), 9);
    CHECK_STATUS(rota_group_cancel(group, NULL), ROTA_OK);
    CHECK_STATUS(rota_await(rota_group_wait(group)), ROTA_ERR_CANCELLED);
    return rota_group_close(group);
}

TEST(who_waits_for_a_start_may_give_up) {
    CHECK_STATUS(in_a_task(gives_up_starting, NULL), ROTA_OK);
}

static int64_t starts_at_once(rota_task task, void *user_data) {
    int64_t answer = *(int64_t *)user_data;
    if (answer >= 0) CHECK_STATUS(rota_task_started(task, answer), ROTA_OK);
    return answer < 0 ? answer : nap(SECOND);
}

static int64_t starts_eager_ones(rota_task task, void *user_data) {
    rota_task_options options;
    rota_group group = open_group();
    rota_future future;
    int64_t port = 80, failure = OOPS;
    (void)user_data;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.flags = ROTA_TASK_EAGER;
    future = rota_group_start(group, starts_at_once, &port, &options, NULL);
    CHECK_EQ(outcome_of(future).value, 80);
    CHECK_EQ(rota_await(future), 80);
    CHECK_EQ(count_of(group), 1);
    CHECK_STATUS(rota_group_spawn(group, starts_at_once, &failure, &options, NULL), ROTA_OK);
    CHECK_EQ(errors_of(group), 1); /* it is over already, and the group is to end */
    CHECK_EQ(cancelling(task), 1);
    CHECK_STATUS(rota_group_spawn(group, starts_at_once, &failure, &options, NULL),
                 ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_await(rota_group_wait(group)), OOPS);
    return rota_group_close(group);
}

TEST(eager_members_may_be_over_when_they_are_spawned) {
    CHECK_STATUS(in_a_task(starts_eager_ones, NULL), ROTA_OK);
}

/* ---- all by steps */

typedef struct {
    int step, count;
    uint64_t nap;
    int64_t answer;
} stepped;

static int64_t naps_once(rota_task task, const rota_outcome *outcome, void *user_data) {
    stepped *self = user_data;
    if (outcome->status < 0) {
        record("%s", told(outcome->status));
        return outcome->status;
    }
    if (self->step++ == 0) return rota_task_wait(task, rota_loop_sleep(the_loop, self->nap));
    return self->answer;
}

static void spawn_stepped(rota_group group, stepped *self) {
    CHECK_STATUS(rota_group_spawn_stepped(group, naps_once, self, NULL, NULL), ROTA_OK);
}

typedef struct {
    stepped members[3];
    rota_group group;
    int step;
    int64_t came;
} stepped_owner;

static int64_t owns_by_steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    stepped_owner *self = user_data;
    int i;
    if (self->step++ == 0) {
        self->group = open_group_with(HOUR, 0);
        for (i = 0; i < 3; i++) {
            spawn_stepped(self->group, &self->members[i]);
        }
        return rota_task_wait(task, rota_group_wait(self->group));
    }
    self->came = outcome->status < 0 ? outcome->status : outcome->value;
    return self->came; /* leaves the group open: its end closes it */
}

TEST(stepped_tasks_own_groups_too) {
    stepped_owner good = {{{0, 0, 3, 0}, {0, 0, 2, 0}, {0, 0, 1, 0}}, {0}, 0, 0}, bad = good;
    rota_task task = {0};
    size_t count;
    bad.members[2].answer = OOPS;
    the_loop = open_jump();
    CHECK_STATUS(rota_loop_spawn_stepped(the_loop, owns_by_steps, &good, NULL, &task), ROTA_OK);
    CHECK_EQ(WAIT(the_loop, rota_task_join(task)), 3);
    CHECK_STATUS(rota_loop_spawn_stepped(the_loop, owns_by_steps, &bad, NULL, &task), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(task)), OOPS);
    CHECK_RECORD("cancelled cancelled");
    CHECK_STATUS(rota_group_get_count(bad.group, &count), ROTA_ERR_HANDLE);
    close_clean(the_loop);
}

/* ---- what reaches the log */

static void logs(int32_t level, const char *message, void *user_data) {
    (void)user_data;
    if (level == ROTA_LOG_ERROR) record("[%s]", message);
}

static rota_loop open_logging(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.log = logs;
    return open_with(&options);
}

static int64_t fails(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return OOPS;
}

#define NOBODY "[nobody looked at the failure of a member of group some group: " \
               "a status of the host's (-1000001)]"

TEST(failures_that_nobody_looked_at_are_reported_once) {
    rota_group group;
    int i;
    the_loop = open_logging();
    group = open_group_with(0, ROTA_GROUP_KEEP_GOING);
    for (i = 0; i < 3; i++) CHECK_STATUS(rota_group_spawn(group, fails, NULL, NULL, NULL), ROTA_OK);
    turns(the_loop, 2);
    CHECK_RECORD("");
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    CHECK_RECORD(NOBODY);
    group = open_group();
    CHECK_STATUS(rota_group_spawn(group, fails, NULL, NULL, NULL), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_group_wait(group)), OOPS);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    group = open_group();
    CHECK_STATUS(rota_group_spawn(group, fails, NULL, NULL, NULL), ROTA_OK);
    turns(the_loop, 2);
    CHECK_STATUS(error_of(group, 0).outcome.status, OOPS);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    CHECK_RECORD(""); /* somebody looked at these */
    (void)open_group_with(0, 0);
    group = open_group_with(0, 0);
    CHECK_STATUS(rota_group_spawn(group, fails, NULL, NULL, NULL), ROTA_OK);
    CHECK_STATUS(rota_loop_close(the_loop, SECOND), ROTA_OK);
    CHECK_RECORD(NOBODY);
}

/* ---- costs */

static int64_t opens_often(rota_task task, void *user_data) {
    uint64_t before = 0;
    int i, j;
    (void)user_data;
    for (i = 0; i < 300; i++) {
        rota_group group = open_group_with(HOUR, 0);
        stepped members[4] = {{0, 0, 1, 0}, {0, 0, 1, 0}, {0, 0, 1, 0}, {0, 0, 1, 0}};
        for (j = 0; j < 4; j++) {
            spawn_stepped(group, &members[j]);
        }
        CHECK_STATUS(rota_group_add(group, rota_loop_sleep(the_loop, 1)), ROTA_OK);
        CHECK_EQ(rota_await(rota_group_wait(group)), 5);
        CHECK_STATUS(rota_group_close(group), ROTA_OK);
        if (i == 10) before = stats_of(the_loop).memory_bytes;
    }
    CHECK_EQ(stats_of(the_loop).memory_bytes, before);
    return cancelling(task);
}

TEST(the_steady_state_keeps_no_memory) { CHECK_EQ(in_a_task(opens_often, NULL), 0); }

/* Whatever there is no memory for is refused whole, and what is there goes on. */
static bool fills_a_loop(uint64_t extra) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    stepped naps = {0, 0, HOUR, 0};
    rota_group group = {0};
    rota_future start;
    rota_status status;
    size_t tries = 0, count;
    options.memory_limit = stats_of(the_loop = open_jump()).memory_bytes + extra;
    close_clean(the_loop);
    the_loop = open_with(&options);
    status = rota_loop_open_group(the_loop, NULL, &group);
    while (status == ROTA_OK && tries++ < 10000) {
        rota_future sleep = rota_loop_sleep(the_loop, HOUR);
        rota_outcome outcome;
        if (rota_future_get_outcome(sleep, &outcome) != ROTA_ERR_PENDING) {
            status = (rota_status)outcome.status;
            break;
        }
        status = rota_group_add(group, sleep);
        if (status != ROTA_OK) CHECK_STATUS(rota_future_close(sleep), ROTA_OK);
        count = count_of(group);
        if (status == ROTA_OK) {
            status = rota_group_spawn_stepped(group, naps_once, &naps, NULL, NULL);
        }
        CHECK_EQ(count_of(group), count + (status == ROTA_OK));
        start = status == ROTA_OK ? rota_group_start_stepped(group, naps_once, &naps, NULL, NULL)
                                  : rota_loop_sleep(the_loop, 0);
        (void)rota_future_close(start);
    }
    CHECK_STATUS(status, ROTA_ERR_MEMORY);
    if (group.id != 0) {
        count = count_of(group);
        CHECK_EQ(stats_of(the_loop).tasks + stats_of(the_loop).timers, count);
        CHECK_STATUS(rota_group_close(group), count > 0 ? ROTA_ERR_BUSY : ROTA_OK);
    }
    CHECK_STATUS(rota_loop_close(the_loop, SECOND), ROTA_OK);
    forget_record();
    return group.id != 0;
}

TEST(without_memory_nothing_is_started) {
    uint64_t extra;
    int opened = 0;
    for (extra = 0; extra < 20000; extra += 256) opened += fills_a_loop(extra);
    CHECK(opened > 10);
}

/* ---- misuse */

static int64_t just_naps(rota_task task, void *user_data) {
    (void)task, (void)user_data;
    return nap(HOUR);
}

TEST(misuse_is_a_status) {
    rota_group_options options;
    rota_group group = {0}, none = {0}, spoilt;
    rota_failure failure = {0};
    rota_task task = {5};
    rota_loop two;
    the_loop = open_jump();
    two = open_jump();
    CHECK_STATUS(rota_group_options_init(&options, sizeof options), ROTA_OK);
    options.flags = 4;
    CHECK_STATUS(rota_loop_open_group(the_loop, &options, &group), ROTA_ERR_INVALID);
    options.flags = 0;
    options.reserved = 1;
    CHECK_STATUS(rota_loop_open_group(the_loop, &options, &group), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_open_group(the_loop, NULL, NULL), ROTA_ERR_INVALID);
    CHECK_EQ(group.id, 0);
    CHECK_STATUS(rota_group_close(none), ROTA_OK);
    group = open_group();
    spoilt = group;
    spoilt.id ^= UINT64_C(1) << 24; /* another life of the slot */
    CHECK_STATUS(rota_group_spawn(spoilt, just_naps, NULL, NULL, &task), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_group_spawn(group, NULL, NULL, NULL, &task), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_group_add(group, rota_future_open(two)), ROTA_ERR_HANDLE);
    CHECK_EQ(task.id, 5);
    CHECK_EQ(count_of(group), 0);
    failure.size = sizeof failure;
    CHECK_STATUS(rota_group_get_error(group, 0, &failure), ROTA_ERR_NOT_FOUND);
    failure.size = 1;
    CHECK_STATUS(rota_group_get_error(group, 0, &failure), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_group_spawn(group, just_naps, NULL, NULL, &task), ROTA_OK);
    turns(the_loop, 2);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(the_loop, rota_task_join(task)), ROTA_ERR_CANCELLED); /* members may be */
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    CHECK_STATUS(rota_group_spawn(group, just_naps, NULL, NULL, &task), ROTA_ERR_HANDLE);
    close_clean(the_loop);
    CHECK_STATUS(rota_loop_close(two, SECOND), ROTA_OK);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(operations_are_members_too);
    RUN(the_failure_of_an_operation_is_the_groups);
    RUN(values_are_dealt_with_at_once);
    RUN(what_an_operation_holds_stays_in_it);
    RUN(a_group_of_operations_is_cancelled_and_times_out);
    RUN(a_task_says_when_it_has_started);
    RUN(a_start_that_will_not_come_is_told_at_once);
    RUN(who_waits_for_a_start_may_give_up);
    RUN(eager_members_may_be_over_when_they_are_spawned);
    RUN(stepped_tasks_own_groups_too);
    RUN(failures_that_nobody_looked_at_are_reported_once);
    RUN(the_steady_state_keeps_no_memory);
    RUN(without_memory_nothing_is_started);
    RUN(misuse_is_a_status);
    return test_end();
}
