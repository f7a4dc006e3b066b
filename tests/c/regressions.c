/* What random sequences of calls (tests/sequences.rs) and load have found wrong, each as it was. */
#include "rota_peer.h"

/* The claim stayed with the future, which could then neither end nor be closed. */
TEST(a_wait_that_the_system_broke_off_kept_its_claim) {
    rota_loop loop = open_system();
    rota_future promise = rota_future_open(loop);
    int64_t descriptor;
    int aside, other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (rota_loop_get_descriptor(loop, &descriptor) != ROTA_OK) { /* the poll fallback has none */
        CHECK_EQ(close(other), 0);
        CHECK_STATUS(rota_future_close(promise), ROTA_OK);
        close_clean(loop);
        return;
    }
    aside = dup((int)descriptor);
    CHECK(dup2(other, (int)descriptor) >= 0); /* no wait is possible on this */
    CHECK(WAIT(loop, promise) < 0);
    CHECK(dup2(aside, (int)descriptor) >= 0);
    CHECK_EQ(close(other) + close(aside), 0);
    CHECK_STATUS(rota_future_close(promise), ROTA_OK);
    close_clean(loop);
}

typedef struct {
    rota_future future;
    int told[2], steps;
} waiter;

static int64_t waits_where_it_cannot(rota_task task, const rota_outcome *outcome, void *data) {
    waiter *self = data;
    int64_t result;
    self->told[self->steps++] = outcome->status;
    if (self->steps == 2) return 7;
    result = rota_task_wait(task, self->future);
    CHECK_STATUS(rota_future_close(self->future), ROTA_OK);
    return result;
}

/* The task was ended where it stood: its body never came again, and could not clean up. */
TEST(a_stepped_body_that_cannot_wait_was_not_told) {
    rota_loop loop = open_jump();
    waiter self = {rota_future_open(loop), {1, 1}, 0};
    rota_task task;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, waits_where_it_cannot, &self, NULL, &task), ROTA_OK);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 7);
    CHECK_EQ(self.steps, 2);
    CHECK_STATUS(self.told[1], ROTA_ERR_HANDLE);
    close_clean(loop);
}

static int64_t waits_for_itself(rota_task task, const rota_outcome *outcome, void *data) {
    (void)outcome;
    CHECK_STATUS(rota_task_wait(task, *(rota_future *)data), ROTA_ERR_INVALID);
    return 3;
}

/* It was taken, and the task ended where it stood. */
TEST(a_stepped_body_could_wait_for_its_own_join) {
    rota_loop loop = open_jump();
    rota_future join;
    rota_task task;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, waits_for_itself, &join, NULL, &task), ROTA_OK);
    join = rota_task_join(task);
    CHECK_EQ(WAIT(loop, join), 3);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(a_wait_that_the_system_broke_off_kept_its_claim);
    RUN(a_stepped_body_that_cannot_wait_was_not_told);
    RUN(a_stepped_body_could_wait_for_its_own_join);
    return test_end();
}
