/* The four front ends of C: the same scenarios, the same traces. See tests/frontends/world.h. */
#include "../frontends/main.h"

TEST(all_front_ends_write_the_same_trace) {
    static const front_end *const all[] = {&callbacks, &drained, &stepped, &stackful};
    play_everything(all, COUNT(all), " ");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(all_front_ends_write_the_same_trace);
    return test_end();
}
