/* Stackful coroutines by hand, as small as they get: the floor under a switch.
 * Written for x86-64; HAND_STACK says whether they are there. */
#ifndef ROTA_BENCH_HAND_STACK_H
#define ROTA_BENCH_HAND_STACK_H

#if defined(__x86_64__)
#define HAND_STACK 1

#include <stdbool.h>

typedef struct hand_task {
    void *its_stack; /* while it does not run */
    void *our_stack; /* while it runs */
    void (*body)(struct hand_task *, void *);
    void *user_data;
    bool over;
    struct hand_task *next_free;
} hand_task;

/* A task on a stack from the pool; it has not begun. */
hand_task *hand_spawn(void (*body)(hand_task *, void *), void *user_data);
/* Runs it until it suspends or ends; one that has ended goes back to the pool. */
void hand_resume(hand_task *task);
/* Inside its body: goes back to where it was resumed. */
void hand_suspend(hand_task *task);

#endif
#endif
