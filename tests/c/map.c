/* What follows a future: map, another number for it; and what chains share with maps. */
#include "follow.h"

/* ---- map */

TEST(a_map_is_done_with_what_its_callback_returns) {
    rota_loop loop = open_jump();
    scene self;
    begin(loop, false, &self);
    self.answer = 14;
    CHECK_STATUS(rota_future_complete(self.inner, 7), ROTA_OK);
    CHECK_EQ(self.calls, 0); /* not inside the completing call */
    CHECK_EQ(WAIT(loop, self.outer), 14);
    CHECK_EQ(self.told, 7);
    CHECK_EQ(self.calls, 1);
    CHECK_STATUS(rota_future_close(self.inner), ROTA_ERR_HANDLE); /* it has ended */
    close_clean(loop);
}

TEST(a_failure_is_mapped_too_and_may_be_passed_on_whole) {
    rota_loop loop = open_jump();
    scene self;
    rota_outcome outcome;
    begin(loop, false, &self);
    CHECK_STATUS(rota_future_fail(self.inner, ROTA_STATUS_HOST, "lost"), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), 0); /* mended */
    CHECK_EQ(self.told, ROTA_STATUS_HOST);
    begin(loop, false, &self);
    self.passes_on = true;
    CHECK_STATUS(rota_future_keep(self.inner), ROTA_OK);
    CHECK_STATUS(rota_future_keep(self.outer), ROTA_OK);
    CHECK_STATUS(rota_future_fail(self.inner, ROTA_STATUS_HOST, "lost"), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), ROTA_STATUS_HOST);
    outcome = outcome_of(self.outer);
    CHECK_TEXT(outcome.message, "lost");
    CHECK_TEXT(outcome_of(self.inner).message, "lost");
    CHECK_STATUS(rota_future_close(self.inner), ROTA_OK);
    CHECK_TEXT(outcome.message, "lost"); /* a copy */
    CHECK_STATUS(rota_future_close(self.outer), ROTA_OK);
    begin(loop, false, &self);
    self.answer = -18; /* no status */
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_STATUS(rota_future_keep(self.outer), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), ROTA_ERR_INVALID);
    CHECK(strstr(outcome_of(self.outer).message, "not a status") != NULL);
    CHECK_STATUS(rota_future_close(self.outer), ROTA_OK);
    close_clean(loop);
}

TEST(values_and_what_is_done_are_mapped_in_a_later_turn) {
    rota_loop loop = open_jump();
    scene self;
    rota_future value = rota_loop_gather(loop, NULL, 0, 0);
    begin(loop, false, &self);
    CHECK_STATUS(rota_future_complete(self.inner, 7), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), 0);
    memset(&self, 0, sizeof self);
    self.loop = loop;
    self.inner = open_future(loop);
    CHECK_STATUS(rota_future_complete(self.inner, 9), ROTA_OK);
    self.outer = rota_future_map(self.inner, maps, &self);
    CHECK(pending(self.outer) && self.calls == 0);
    CHECK_EQ(WAIT(loop, self.outer), 0);
    CHECK_EQ(self.told, 9);
    CHECK_EQ(stats_of(loop).futures, 0);
    self.inner.id = 0; /* the value gets a slot, whose handle is not known here */
    self.passes_on = true;
    self.outer = rota_future_map(value, maps, &self);
    CHECK(pending(self.outer));
    CHECK_EQ(WAIT(loop, self.outer), 0);
    CHECK_EQ(self.calls, 2);
    CHECK_STATUS(WAIT(loop, rota_future_map(rota_loop_gather(loop, NULL, 0, 9), maps, &self)),
                 ROTA_ERR_INVALID);
    close_clean(loop);
}

TEST(an_object_stays_until_it_is_taken) {
    rota_loop loop = open_jump();
    scene self;
    int freed = 0;
    void *result = NULL;
    begin(loop, false, &self);
    CHECK_STATUS(rota_future_complete_with(self.inner, &freed, frees), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), 0);
    CHECK_STATUS(rota_future_take_result(self.inner, &result), ROTA_OK);
    CHECK(result == &freed);
    begin(loop, false, &self);
    self.closes_inner = true;
    CHECK_STATUS(rota_future_complete_with(self.inner, &freed, frees), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), 0);
    CHECK_EQ(freed, 1);
    close_clean(loop);
}

/* ---- cancelled, closed, out of time, at every state */

TEST(cancelling_cancels_what_it_waits_for_and_the_callback_is_told) {
    rota_loop loop = open_jump();
    int chain;
    for (chain = 0; chain < 2; chain++) {
        scene self;
        begin(loop, chain != 0, &self);
        self.passes_on = true;
        CHECK_STATUS(rota_future_cancel(self.outer), ROTA_OK);
        CHECK_EQ(self.calls, 0);
        CHECK_STATUS(WAIT(loop, self.outer), ROTA_ERR_CANCELLED);
        CHECK_EQ(self.calls, 1);
        CHECK_STATUS(self.told, ROTA_ERR_CANCELLED);
        CHECK_STATUS(rota_future_close(self.inner), ROTA_ERR_HANDLE);
        /* The answer counts all the same: it may refuse. */
        begin(loop, chain != 0, &self);
        if (chain != 0) self.next = rota_loop_sleep(loop, SECOND);
        CHECK_STATUS(rota_future_cancel(self.outer), ROTA_OK);
        CHECK_EQ(WAIT(loop, self.outer), 0);
        /* Others wait for it too: it is let go, and the callback comes at once. */
        begin(loop, chain != 0, &self);
        self.passes_on = true;
        CHECK_STATUS(rota_future_then(self.inner, record_future, "other"), ROTA_OK);
        CHECK_STATUS(rota_future_cancel(self.outer), ROTA_OK);
        turn(loop);
        CHECK_EQ(self.calls, 1);
        CHECK_STATUS(self.told, ROTA_ERR_CANCELLED);
        CHECK(pending(self.inner));
        CHECK(pending(self.outer) == (chain != 0)); /* a chain that waits for it again */
        if (chain != 0) CHECK_STATUS(rota_future_cancel(self.outer), ROTA_OK);
        CHECK_STATUS(WAIT(loop, self.outer), ROTA_ERR_CANCELLED);
        CHECK_STATUS(rota_future_complete(self.inner, 3), ROTA_OK);
        turns(loop, 2);
        CHECK_RECORD("other:3");
    }
    close_clean(loop);
}

TEST(the_callback_may_cancel_or_close_what_calls_it) {
    rota_loop loop = open_jump();
    scene self;
    begin(loop, false, &self);
    self.cancels = true;
    self.answer = 4;
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_EQ(WAIT(loop, self.outer), 4); /* the answer wins */
    begin(loop, false, &self);
    self.closes = true;
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_future_close(self.outer), ROTA_ERR_HANDLE);
    begin(loop, true, &self);
    self.cancels = true;
    self.next = rota_loop_sleep(loop, HOUR);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_STATUS(WAIT(loop, self.outer), ROTA_ERR_CANCELLED);
    CHECK_STATUS(rota_future_close(self.next), ROTA_ERR_HANDLE);
    begin(loop, true, &self);
    self.closes = self.closes_inner = true;
    self.next = rota_loop_sleep(loop, HOUR);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    turns(loop, 3);
    CHECK_STATUS(rota_future_close(self.outer), ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(self.next), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(maps_and_chains_within_a_time) {
    rota_loop loop = open_jump();
    scene self;
    uint64_t began = now_of(loop);
    begin(loop, false, &self);
    self.passes_on = true;
    CHECK_STATUS(WAIT(loop, rota_future_wait_for(self.outer, SECOND)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(loop) - began, SECOND);
    begin(loop, true, &self);
    self.next = rota_loop_sleep(loop, HOUR);
    CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_future_wait_for(self.outer, SECOND)), ROTA_ERR_TIMEOUT);
    CHECK_EQ(now_of(loop) - began, 2 * SECOND);
    close_clean(loop);
}

TEST(closing_the_loop_calls_each_once_and_ends_it) {
    int went_on, chain;
    for (went_on = 0; went_on < 2; went_on++) {
        for (chain = 0; chain < 2; chain++) {
            rota_loop loop = open_jump();
            scene self;
            begin(loop, chain != 0, &self);
            self.passes_on = went_on == 0;
            if (chain != 0) self.next = open_future(loop);
            if (went_on != 0) CHECK_STATUS(rota_future_complete(self.inner, 1), ROTA_OK);
            if (went_on != 0) turn(loop);
            CHECK_STATUS(rota_future_then(self.outer, record_future, "outer"), ROTA_OK);
            CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
            CHECK_EQ(self.calls, 1);
            CHECK_RECORD(went_on != 0 && chain == 0 ? "outer:ok" : "outer:cancelled");
        }
    }
}

/* ---- many, in one another, in tasks */

static int64_t adds_one(rota_future future, int64_t result, void *user_data) {
    (void)future, (void)user_data;
    return result < 0 ? result : result + 1;
}

static rota_future same(rota_future future, int64_t result, void *user_data) {
    (void)result, (void)user_data;
    return future;
}

TEST(maps_of_chains_of_maps_without_depth) {
    rota_loop loop = open_jump();
    int cancels;
    for (cancels = 0; cancels < 2; cancels++) {
        rota_future first = open_future(loop), future = first;
        int i;
        for (i = 0; i < 2000; i++) {
            future = rota_future_map(future, adds_one, NULL);
            future = rota_future_chain(future, same, NULL);
        }
        CHECK_STATUS(cancels ? rota_future_cancel(future) : rota_future_complete(first, 0),
                     ROTA_OK);
        CHECK_EQ(WAIT(loop, future), cancels ? ROTA_ERR_CANCELLED : 2000);
    }
    close_clean(loop);
}

/* ---- misuse, and no memory */

TEST(what_cannot_start_changes_nothing) {
    rota_loop loop = open_jump();
    rota_future future = open_future(loop), null = {0}, outer;
    scene self = {0};
    CHECK_STATUS(outcome_of(rota_future_map(future, NULL, NULL)).status, ROTA_ERR_INVALID);
    CHECK_STATUS(outcome_of(rota_future_chain(future, NULL, NULL)).status, ROTA_ERR_INVALID);
    CHECK_STATUS(outcome_of(rota_future_map(null, maps, &self)).status, ROTA_ERR_HANDLE);
    CHECK_STATUS(rota_future_close(future), ROTA_OK); /* OK: nobody waits for it */
    outer = rota_future_map(future, maps, &self);
    CHECK_STATUS(outcome_of(outer).status, ROTA_ERR_HANDLE);
    CHECK_EQ(self.calls, 0);
    close_clean(loop);
}

/* More and more of them within the loop's memory: each starts, or its callback never comes. */
TEST(without_memory_nothing_begins) {
    int chain;
    for (chain = 0; chain < 2; chain++) {
        rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
        rota_loop loop;
        rota_future first, outer;
        int begun = 0;
        options.memory_limit = 256 * 1024;
        loop = open_with(&options);
        first = open_future(loop);
        while (pending(outer = chain ? rota_future_chain(first, same, NULL)
                                     : rota_future_map(first, adds_one, NULL))) {
            CHECK_STATUS(rota_future_then(outer, record_future, ""), ROTA_OK);
            begun++;
        }
        CHECK_STATUS(outcome_of(outer).status, ROTA_ERR_MEMORY);
        CHECK(begun > 50);
        CHECK_STATUS(rota_future_complete(first, 0), ROTA_OK);
        turns(loop, 3);
        CHECK_EQ(alive_in(loop), 0);
        forget_record();
        close_clean(loop);
    }
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_map_is_done_with_what_its_callback_returns);
    RUN(a_failure_is_mapped_too_and_may_be_passed_on_whole);
    RUN(values_and_what_is_done_are_mapped_in_a_later_turn);
    RUN(an_object_stays_until_it_is_taken);
    RUN(cancelling_cancels_what_it_waits_for_and_the_callback_is_told);
    RUN(the_callback_may_cancel_or_close_what_calls_it);
    RUN(maps_and_chains_within_a_time);
    RUN(closing_the_loop_calls_each_once_and_ends_it);
    RUN(maps_of_chains_of_maps_without_depth);
    RUN(what_cannot_start_changes_nothing);
    RUN(without_memory_nothing_begins);
    return test_end();
}
