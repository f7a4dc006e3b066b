/* A race: the first decides, the others are cancelled and waited for, the winner is the host's. */
#include "rota_logged.h"
#include "rota_peer.h"

static bool pending(rota_future future) {
    rota_outcome outcome;
    return rota_future_get_outcome(future, &outcome) == ROTA_ERR_PENDING;
}

static void open_three(rota_loop loop, rota_future three[3]) {
    int i;
    for (i = 0; i < 3; i++) three[i] = open_future(loop);
}

static void frees(void *user_data) { ++*(int *)user_data; }

/* ---- who wins */

TEST(the_first_wins_and_is_the_hosts_and_the_others_are_cancelled) {
    rota_loop loop = open_jump();
    rota_future three[3], race;
    open_three(loop, three);
    CHECK_STATUS(rota_future_keep(three[2]), ROTA_OK);
    race = rota_loop_race(loop, three, 3, 0);
    CHECK_STATUS(rota_future_complete(three[1], 41), ROTA_OK);
    CHECK(pending(race));
    CHECK_EQ(WAIT(loop, race), 1);
    CHECK_EQ(outcome_of(three[1]).value, 41);
    CHECK_EQ(WAIT(loop, three[1]), 41); /* kept: waiting for it does not end it */
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE);
    CHECK_STATUS(outcome_of(three[2]).status, ROTA_ERR_CANCELLED); /* it was kept */
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    close_clean(loop);
}

TEST(a_failure_wins_too_unless_success_is_asked_for) {
    rota_loop loop = open_logging();
    rota_future three[3], race;
    open_three(loop, three);
    race = rota_loop_race(loop, three, 3, 0);
    CHECK_STATUS(rota_future_fail(three[2], ROTA_STATUS_HOST, "two"), ROTA_OK);
    CHECK_EQ(WAIT(loop, race), 2);
    CHECK_TEXT(outcome_of(three[2]).message, "two");
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    open_three(loop, three);
    race = rota_loop_race(loop, three, 3, ROTA_RACE_SUCCESS);
    CHECK_STATUS(rota_future_fail(three[2], ROTA_STATUS_HOST, "two"), ROTA_OK);
    CHECK_STATUS(rota_future_cancel(three[0]), ROTA_OK);
    turns(loop, 2);
    CHECK(pending(race));
    CHECK_STATUS(rota_future_complete(three[1], 7), ROTA_OK);
    CHECK_EQ(WAIT(loop, race), 1);
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    CHECK_EQ(logged, 0);
    close_clean(loop);
}

TEST(if_all_fail_the_first_failure_is_the_races) {
    rota_loop loop = open_logging();
    rota_future three[3], race;
    open_three(loop, three);
    race = rota_loop_race(loop, three, 3, ROTA_RACE_SUCCESS);
    CHECK_STATUS(rota_future_fail(three[1], ROTA_STATUS_HOST - 1, "one"), ROTA_OK);
    CHECK_STATUS(rota_future_fail(three[2], ROTA_STATUS_HOST - 2, "two"), ROTA_OK);
    turns(loop, 2);
    CHECK(pending(race));
    CHECK_STATUS(rota_future_fail(three[0], ROTA_STATUS_HOST, "zero"), ROTA_OK);
    CHECK_STATUS(rota_future_keep(race), ROTA_OK);
    CHECK_EQ(WAIT(loop, race), ROTA_STATUS_HOST - 1);
    CHECK_TEXT(outcome_of(race).message, "one");
    CHECK_STATUS(rota_future_close(race), ROTA_OK);
    CHECK_EQ(logged, 0);
    close_clean(loop);
}

TEST(the_first_of_those_that_are_done_wins_and_values_run_too) {
    rota_loop loop = open_jump();
    rota_future three[3], value = rota_loop_gather(loop, NULL, 0, 0), failed = {0};
    open_three(loop, three);
    CHECK_STATUS(rota_future_complete(three[1], 1), ROTA_OK);
    CHECK_STATUS(rota_future_complete(three[2], 2), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, three, 3, 0)), 1);
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_ERR_HANDLE);
    open_three(loop, three);
    CHECK_STATUS(rota_future_complete(three[2], 2), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    three[1] = value;
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, three, 3, 0)), 1);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_ERR_HANDLE);
    failed = rota_loop_gather(loop, NULL, 0, 99);
    three[0] = failed;
    three[1] = value;
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, three, 2, 0)), 0);
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, three, 2, ROTA_RACE_SUCCESS)), 1);
    CHECK_STATUS(WAIT(loop, rota_loop_race(loop, three, 1, ROTA_RACE_SUCCESS)), ROTA_ERR_INVALID);
    close_clean(loop);
}

TEST(the_same_future_may_run_twice) {
    rota_loop loop = open_jump();
    rota_future three[3], race;
    open_three(loop, three);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    three[2] = three[0];
    race = rota_loop_race(loop, three, 3, 0);
    CHECK_STATUS(rota_future_complete(three[0], 5), ROTA_OK);
    CHECK_EQ(WAIT(loop, race), 0);
    CHECK_EQ(outcome_of(three[0]).value, 5);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_OK);
    three[0] = three[1] = three[2] = open_future(loop);
    race = rota_loop_race(loop, three, 3, 0);
    CHECK_STATUS(rota_future_cancel(race), ROTA_OK);
    CHECK_STATUS(WAIT(loop, race), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE);
    close_clean(loop);
}

/* ---- the losers */

typedef struct {
    rota_loop loop;
    int64_t answer;
    uint64_t asked_ns;
} scene;

/* Ends a second after it was asked to. */
static int64_t refuses(rota_task task, void *user_data) {
    scene *self = user_data;
    (void)task;
    CHECK_STATUS(rota_await(rota_loop_sleep(self->loop, HOUR)), ROTA_ERR_CANCELLED);
    self->asked_ns = now_of(self->loop);
    CHECK_EITHER(rota_await(rota_loop_sleep(self->loop, SECOND)), 0, ROTA_ERR_CANCELLED);
    return self->answer;
}

TEST(the_end_of_the_losers_is_waited_for) {
    rota_loop loop = open_logging();
    scene self = {loop, ROTA_ERR_CANCELLED, 0};
    uint64_t began = now_of(loop);
    rota_future two[2];
    two[0] = rota_task_join(spawn(loop, refuses, &self));
    two[1] = rota_loop_sleep(loop, SECOND);
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, two, 2, 0)), 1);
    CHECK_EQ(now_of(loop) - began, 2 * SECOND);
    CHECK_STATUS(rota_future_close(two[1]), ROTA_OK);
    CHECK_EQ(logged, 0);
    /* A loser's own failure is one that nobody looked at. */
    self.answer = ROTA_STATUS_HOST - 5;
    two[0] = rota_task_join(spawn(loop, refuses, &self));
    two[1] = rota_loop_sleep(loop, SECOND);
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, two, 2, 0)), 1);
    CHECK_STATUS(rota_future_close(two[1]), ROTA_OK);
    CHECK_EQ(logged, 1);
    close_clean(loop);
}

TEST(what_a_loser_brought_after_all_is_let_go_once) {
    rota_loop loop = open_jump();
    rota_future three[3];
    int freed = 0;
    void *result = NULL;
    open_three(loop, three);
    CHECK_STATUS(rota_future_complete_with(three[0], &freed, frees), ROTA_OK);
    CHECK_STATUS(rota_future_complete_with(three[1], &freed, frees), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, three, 3, 0)), 0);
    CHECK_EQ(freed, 1);
    CHECK_STATUS(rota_future_take_result(three[0], &result), ROTA_OK);
    CHECK(result == &freed);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_OK);
    /* One that is kept has it still. */
    open_three(loop, three);
    CHECK_STATUS(rota_future_keep(three[1]), ROTA_OK);
    CHECK_STATUS(rota_future_complete(three[0], 1), ROTA_OK);
    CHECK_STATUS(rota_future_complete_with(three[1], &freed, frees), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, three, 3, 0)), 0);
    CHECK_STATUS(rota_future_take_result(three[1], &result), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_OK);
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    CHECK_EQ(freed, 1);
    close_clean(loop);
}

TEST(others_who_wait_keep_a_loser_alive) {
    rota_loop loop = open_jump();
    rota_future three[3];
    open_three(loop, three);
    CHECK_STATUS(rota_future_then(three[0], record_future, "other"), ROTA_OK);
    CHECK_STATUS(rota_future_complete(three[1], 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, three, 3, 0)), 1);
    CHECK(pending(three[0]));
    CHECK_STATUS(rota_future_complete(three[0], 3), ROTA_OK);
    turns(loop, 2);
    CHECK_RECORD("other:3");
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    close_clean(loop);
}

TEST(a_read_that_lost_has_lost_no_bytes) {
    rota_loop loop = open_system();
    int raw;
    char bytes[8] = {0};
    rota_stream stream = connect_raw(loop, &raw);
    rota_future two[2];
    two[0] = rota_stream_read(stream, bytes, sizeof bytes);
    two[1] = rota_loop_sleep(loop, 0);
    CHECK_EQ(WAIT(loop, rota_loop_race(loop, two, 2, 0)), 1);
    CHECK_STATUS(rota_future_close(two[1]), ROTA_OK);
    raw_send_text(raw, "abc");
    CHECK_EQ(WAIT(loop, rota_stream_read_exactly(stream, bytes, 3)), 3);
    CHECK_TEXT(bytes, "abc");
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    close_clean(loop);
}

/* ---- cancelled, closed, out of time */

TEST(cancelling_a_race_cancels_what_it_alone_waits_for) {
    rota_loop loop = open_jump();
    rota_future three[3], race;
    open_three(loop, three);
    CHECK_STATUS(rota_future_then(three[1], record_future, "other"), ROTA_OK);
    race = rota_loop_race(loop, three, 3, 0);
    CHECK_STATUS(rota_future_cancel(race), ROTA_OK);
    CHECK_STATUS(WAIT(loop, race), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE);
    CHECK(pending(three[1]));
    CHECK_STATUS(rota_future_close(three[1]), ROTA_ERR_BUSY);
    turns(loop, 1);
    CHECK_RECORD("other:cancelled");
    close_clean(loop);
}

TEST(one_that_is_done_in_spite_of_being_cancelled_has_won) {
    rota_loop loop = open_jump();
    scene self = {loop, 77, 0};
    rota_future two[2], race;
    two[0] = open_future(loop);
    two[1] = rota_task_join(spawn(loop, refuses, &self));
    race = rota_loop_race(loop, two, 2, ROTA_RACE_SUCCESS);
    turns(loop, 2);
    CHECK_STATUS(rota_future_cancel(race), ROTA_OK);
    CHECK_EQ(WAIT(loop, race), 1);
    CHECK_EQ(outcome_of(two[1]).value, 77);
    CHECK_STATUS(rota_future_close(two[1]), ROTA_OK);
    close_clean(loop);
}

TEST(a_race_that_is_decided_is_not_cancelled_any_more) {
    rota_loop loop = open_jump();
    scene self = {loop, 1, 0};
    rota_future two[2], race;
    two[0] = rota_task_join(spawn(loop, refuses, &self));
    two[1] = open_future(loop);
    race = rota_loop_race(loop, two, 2, 0);
    turns(loop, 2);
    CHECK_STATUS(rota_future_complete(two[1], 9), ROTA_OK);
    turns(loop, 2);
    CHECK(self.asked_ns == now_of(loop) && pending(race));
    CHECK_STATUS(rota_future_cancel(race), ROTA_OK); /* the sleep of the task that cleans up ends */
    CHECK_EQ(WAIT(loop, rota_future_shield(race)), 1);
    CHECK_EQ(outcome_of(two[1]).value, 9);
    CHECK_STATUS(rota_future_close(two[1]), ROTA_OK);
    close_clean(loop);
}

TEST(a_closed_race_keeps_no_winner) {
    rota_loop loop = open_jump();
    rota_future three[3], race;
    int freed = 0;
    open_three(loop, three);
    race = rota_loop_race(loop, three, 3, 0);
    CHECK_STATUS(rota_future_complete_with(three[1], &freed, frees), ROTA_OK);
    CHECK_STATUS(rota_future_close(race), ROTA_ERR_BUSY);
    turns(loop, 3);
    CHECK_EQ(freed, 1);
    CHECK_STATUS(rota_future_close(race), ROTA_ERR_HANDLE);
    close_clean(loop); /* nothing is left */
}

TEST(the_hosts_closing_of_one_that_runs_counts_as_its_end) {
    rota_loop loop = open_jump();
    rota_future three[3], race;
    open_three(loop, three);
    race = rota_loop_race(loop, three, 3, 0);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_ERR_BUSY);
    CHECK_EQ(WAIT(loop, race), 2);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_ERR_HANDLE); /* it was closed already */
    close_clean(loop);
}

TEST(a_race_within_a_time) {
    rota_loop loop = open_jump();
    rota_future three[3], race;
    uint64_t began = now_of(loop);
    open_three(loop, three);
    race = rota_future_wait_for(rota_loop_race(loop, three, 3, 0), SECOND);
    CHECK_STATUS(WAIT(loop, race), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(loop) - began, SECOND);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(races_of_races_without_depth) {
    rota_loop loop = open_jump();
    rota_future two[2], race = open_future(loop);
    int i;
    for (i = 0; i < 3000; i++) {
        two[0] = race;
        two[1] = open_future(loop);
        race = rota_loop_race(loop, two, 2, 0);
    }
    CHECK_STATUS(rota_future_cancel(race), ROTA_OK);
    CHECK_STATUS(WAIT(loop, race), ROTA_ERR_CANCELLED);
    close_clean(loop);
}

/* ---- tasks */

static int64_t races(rota_task task, void *user_data) {
    rota_future two[2];
    scene *self = user_data;
    int64_t first;
    (void)task;
    two[0] = rota_loop_sleep(self->loop, HOUR);
    two[1] = rota_loop_sleep(self->loop, self->answer == 0 ? SECOND : 2 * HOUR);
    first = rota_await(rota_loop_race(self->loop, two, 2, 0));
    if (first >= 0) CHECK_STATUS(rota_future_close(two[first]), ROTA_OK);
    return first;
}

TEST(a_task_that_races_is_cancelled) {
    rota_loop loop = open_jump();
    scene self = {loop, 0, 0};
    rota_task task;
    CHECK_EQ(run_task(loop, races, &self), 1);
    task = spawn(loop, races, &self);
    turns(loop, 2);
    CHECK_STATUS(rota_task_cancel(task), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_task_join(task)), ROTA_ERR_CANCELLED);
    (void)spawn(loop, races, &self);
    turn(loop);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

typedef struct {
    rota_loop loop;
    rota_task first, second;
    uint32_t requests[2];
} circle;

/* The first waits for the second inside a race, the second for the first. */
static int64_t waits_in_a_race(rota_task task, void *user_data) {
    circle *self = user_data;
    rota_future two[2];
    int64_t answer;
    two[0] = rota_task_join(self->second);
    two[1] = open_future(self->loop);
    answer = rota_await(rota_loop_race(self->loop, two, 2, 0));
    CHECK_STATUS(rota_task_get_cancelling(task, &self->requests[0]), ROTA_OK);
    return answer;
}

static int64_t waits_for_the_first(rota_task task, void *user_data) {
    circle *self = user_data;
    int64_t answer = rota_await(rota_task_join(self->first));
    CHECK_STATUS(rota_task_get_cancelling(task, &self->requests[1]), ROTA_OK);
    return answer;
}

/* Without an end of circles the request would go round for ever. */
TEST(tasks_that_wait_for_each_other_through_a_race_are_cancelled_once) {
    rota_loop loop = open_jump();
    circle self = {loop, {0}, {0}, {9, 9}};
    self.first = spawn(loop, waits_in_a_race, &self);
    self.second = spawn(loop, waits_for_the_first, &self);
    turns(loop, 3);
    CHECK_STATUS(rota_task_cancel(self.first), ROTA_OK);
    turns(loop, 10);
    CHECK_EQ(self.requests[0], 1);
    CHECK_EQ(self.requests[1], 1);
    CHECK_STATUS(WAIT(loop, rota_task_join(self.first)), ROTA_ERR_CANCELLED);
    close_clean(loop);
    loop = open_jump();
    self.loop = loop;
    self.first = spawn(loop, waits_in_a_race, &self);
    self.second = spawn(loop, waits_for_the_first, &self);
    turns(loop, 3);
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
}

TEST(closing_the_loop_ends_races_of_callbacks) {
    rota_loop loop = open_jump();
    rota_future three[3];
    open_three(loop, three);
    CHECK_STATUS(rota_future_then(rota_loop_race(loop, three, 3, 0), record_future, "race"),
                 ROTA_OK);
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    CHECK_RECORD("race:cancelled");
}

/* ---- misuse, and no memory */

TEST(what_cannot_start_changes_nothing) {
    rota_loop loop = open_jump(), other = open_jump();
    rota_future three[3], own;
    open_three(loop, three);
    own = three[2];
    CHECK_STATUS(outcome_of(rota_loop_race(loop, three, 0, 0)).status, ROTA_ERR_INVALID);
    CHECK_STATUS(outcome_of(rota_loop_race(loop, NULL, 2, 0)).status, ROTA_ERR_INVALID);
    CHECK_STATUS(outcome_of(rota_loop_race(loop, three, 3, 2)).status, ROTA_ERR_INVALID);
    CHECK_STATUS(outcome_of(rota_loop_race(loop, three, SIZE_MAX, 0)).status, ROTA_ERR_LIMIT);
    three[2] = open_future(other);
    CHECK_STATUS(outcome_of(rota_loop_race(loop, three, 3, 0)).status, ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(three[2]), ROTA_OK);
    three[2] = own;
    CHECK_STATUS(rota_future_close(own), ROTA_OK);
    CHECK_STATUS(outcome_of(rota_loop_race(loop, three, 3, 0)).status, ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(three[0]), ROTA_OK); /* OK: nobody waits for it */
    CHECK_STATUS(rota_future_close(three[1]), ROTA_OK);
    close_clean(other);
    close_clean(loop);
}

/* The same loop with more and more memory: it starts, or nothing has changed. */
TEST(without_memory_nothing_begins) {
    enum { MANY = 300 };
    static rota_future many[MANY];
    uint64_t limit = 0;
    bool started = false;
    while (!started) {
        rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
        rota_loop loop = {0};
        rota_future race;
        int opened = 0, i;
        options.memory_limit = limit += 512;
        if (rota_loop_open(&options, &loop) != ROTA_OK) continue;
        while (opened < MANY && pending(many[opened] = rota_future_open(loop))) opened++;
        race = rota_loop_race(loop, many, MANY, 0);
        started = pending(race);
        if (opened == MANY && !started) {
            CHECK_STATUS(outcome_of(race).status, ROTA_ERR_MEMORY);
        }
        if (started) CHECK_STATUS(rota_future_close(race), ROTA_ERR_BUSY);
        for (i = 0; i < opened && !started; i++) CHECK_STATUS(rota_future_close(many[i]), ROTA_OK);
        close_clean(loop);
    }
    CHECK(limit > 20000);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(the_first_wins_and_is_the_hosts_and_the_others_are_cancelled);
    RUN(a_failure_wins_too_unless_success_is_asked_for);
    RUN(if_all_fail_the_first_failure_is_the_races);
    RUN(the_first_of_those_that_are_done_wins_and_values_run_too);
    RUN(the_same_future_may_run_twice);
    RUN(the_end_of_the_losers_is_waited_for);
    RUN(what_a_loser_brought_after_all_is_let_go_once);
    RUN(others_who_wait_keep_a_loser_alive);
    RUN(a_read_that_lost_has_lost_no_bytes);
    RUN(cancelling_a_race_cancels_what_it_alone_waits_for);
    RUN(one_that_is_done_in_spite_of_being_cancelled_has_won);
    RUN(a_race_that_is_decided_is_not_cancelled_any_more);
    RUN(a_closed_race_keeps_no_winner);
    RUN(the_hosts_closing_of_one_that_runs_counts_as_its_end);
    RUN(a_race_within_a_time);
    RUN(races_of_races_without_depth);
    RUN(a_task_that_races_is_cancelled);
    RUN(tasks_that_wait_for_each_other_through_a_race_are_cancelled_once);
    RUN(closing_the_loop_ends_races_of_callbacks);
    RUN(what_cannot_start_changes_nothing);
    RUN(without_memory_nothing_begins);
    return test_end();
}
