/* The switch saves what a function has to keep and swaps the stack pointer. */
#include "hand_stack.h"

#ifdef HAND_STACK

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { STACK_SIZE = 64 * 1024, SAVED = 6 };

void hand_switch(void **save, void *load);
__asm__(".text\n"
        ".globl hand_switch\n"
        ".type hand_switch, @function\n"
        "hand_switch:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n"
        "    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n"
        "    popq %r12\n    popq %rbx\n    popq %rbp\n"
        "    ret\n"
        ".size hand_switch, .-hand_switch\n");

static hand_task *pool;
static hand_task *beginning;

static void begin(void) {
    hand_task *task = beginning;
    task->body(task, task->user_data);
    task->over = true;
    hand_switch(&task->its_stack, task->our_stack);
    abort(); /* what is over is not resumed */
}

/* The task stands at the upper end of its own stack. */
static hand_task *hand_task_new(void) {
    int access = PROT_READ | PROT_WRITE;
    char *stack = mmap(NULL, STACK_SIZE, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) abort();
    return (hand_task *)(void *)(stack + STACK_SIZE - 128);
}

hand_task *hand_spawn(void (*body)(hand_task *, void *), void *user_data) {
    hand_task *task = pool;
    if (task != NULL) {
        pool = task->next_free;
    } else {
        task = hand_task_new();
    }
    task->body = body;
    task->user_data = user_data;
    task->over = false;
    /* As if `begin` had been called: the stack is 8 short of a multiple of 16. */
    void **top = (void **)(void *)((uintptr_t)task & ~(uintptr_t)15) - 1;
    *--top = (void *)(uintptr_t)begin;
    task->its_stack = top - SAVED;
    return task;
}

void hand_resume(hand_task *task) {
    beginning = task;
    hand_switch(&task->our_stack, task->its_stack);
    if (task->over) {
        task->next_free = pool;
        pool = task;
    }
}

void hand_suspend(hand_task *task) { hand_switch(&task->its_stack, task->our_stack); }

#endif
