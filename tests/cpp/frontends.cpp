// All front ends, C++20 coroutines among them: the same scenarios, the same traces. See
// tests/frontends/world.h.
#include "rota_test.hpp"

#include "../frontends/main.h"

namespace {

// A step is a coroutine of its own inside the actor's task.
rota::task<bool> do_one(actor *self, int64_t *result) {
    rota_outcome outcome = outcome_with(0, 0);
    if (now_of_actor(self)->op == YIELD) {
        try {
            co_await rota::this_task::yield();
        } catch (const rota::cancelled &) {
            outcome.status = ROTA_ERR_CANCELLED;
        }
    } else {
        auto came = co_await rota::as_result(rota::future<int64_t>(begin_step(self)));
        outcome.status = came.status();
        outcome.value = came ? *came : 0;
        outcome.moved_bytes = came.moved_bytes();
    }
    co_return end_step(self, &outcome, result);
}

rota::task<int64_t> act(actor *self) {
    int64_t result = 0;
    while (go_on(self, &result))
        if (!co_await do_one(self, &result)) break;
    result = end_actor(self, result);
    if (result < 0) throw rota::error(static_cast<int32_t>(result));
    co_return result;
}

std::array<rota::join_handle<int64_t>, ACTORS_MAX> handles;

void coroutine_spawn(actor *self) {
    auto &handle = handles[static_cast<size_t>(self->number)];
    handle = rota::spawn(self->world->loop, act(self));
    self->task = handle.get();
}

const front_end coroutines = {"C++20",        coroutine_spawn,  task_join_of,
                              task_cancel_of, task_uncancel_of, plain_turn};

TEST(all_front_ends_write_the_same_trace) {
    static const front_end *const all[] = {&callbacks, &drained, &stepped, &stackful, &coroutines};
    play_everything(all, COUNT(all), "|");
    for (auto &handle : handles) handle = {};
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(all_front_ends_write_the_same_trace);
    return test_end();
}
