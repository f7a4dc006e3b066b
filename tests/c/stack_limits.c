/* What happens at the end of a stack, of the address space, and of the mappings: each in a child
 * process. */
#include "rota_test.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#define KIB ((size_t)1024)
#define GUARD (64 * KIB)
#define STACK (256 * KIB)

/* Exit code 0 of a child that ran `body`: it says by itself that all was right. */
static void in_a_child(void (*body)(void)) {
    int result;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        body();
        _exit(1);
    }
    CHECK_EQ(waitpid(child, &result, 0), child);
    if (!WIFEXITED(result)) CHECK_EQ(WTERMSIG(result), 0);
    CHECK_EQ(WEXITSTATUS(result), 0);
}

static char lines[8192];

static void keep_line(int32_t level, const char *message, void *user_data) {
    size_t length = strlen(lines);
    (void)user_data;
    snprintf(lines + length, sizeof lines - length, "%d %s\n", level, message);
}

static rota_loop open_logging(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.log = keep_line;
    return open_with(&options);
}

/* ---- overflow */

enum { PATTERN = 4096 };

static struct {
    rota_future gate;
    char *neighbours[2]; /* in the stacks that were carved before and after */
    char *culprit;
    bool large;
} overflow;

static int64_t is_a_neighbour(rota_task task, void *user_data) {
    char pattern[PATTERN];
    (void)task;
    memset(pattern, 0x5a, sizeof pattern);
    *(char **)user_data = pattern;
    return rota_await(overflow.gate) + pattern[0];
}

static int64_t digs_for_ever(size_t depth) {
    volatile char room[1024];
    memset((char *)(uintptr_t)room, 0x77, sizeof room);
    return depth == SIZE_MAX ? 0 : digs_for_ever(depth + 1) + room[depth % sizeof room];
}

/* A frame of 48 KiB, of which only the low end is touched: more than a page, less than the guard */
static int64_t digs_with_a_large_frame(size_t depth) {
    volatile char room[48 * 1024];
    room[0] = 0x77;
    return depth == SIZE_MAX ? 0 : digs_with_a_large_frame(depth + 1) + room[0];
}

static int64_t overflows(rota_task task, void *user_data) {
    char here = 0;
    (void)user_data;
    overflow.culprit = &here;
    CHECK_EQ(rota_task_yield(task), 0); /* until both neighbours are there */
    return overflow.large ? digs_with_a_large_frame(0) : digs_for_ever(0);
}

static bool is_whole(const char *pattern) {
    for (size_t at = 0; at < PATTERN; at++) {
        if (pattern[at] != 0x5a) return false;
    }
    return true;
}

/* Runs on a stack of its own, and ends the child: the fault must lie below the culprit's stack. */
static void on_fault(int signal, siginfo_t *info, void *context) {
    const char *fault = info->si_addr, *low = overflow.neighbours[0];
    size_t below_culprit = (size_t)(overflow.culprit - fault);
    (void)signal, (void)context;
    if (fault >= overflow.culprit || fault <= low) _exit(2);
    if (below_culprit < STACK - 16 * KIB || below_culprit > STACK + GUARD) _exit(3);
    if ((size_t)(fault - low) > GUARD + 16 * KIB) _exit(4);
    if (!is_whole(overflow.neighbours[0]) || !is_whole(overflow.neighbours[1])) _exit(5);
    _exit(0);
}

static void overflow_a_stack(void) {
    static char own_stack[64 * 1024];
    stack_t stack = {.ss_sp = own_stack, .ss_size = sizeof own_stack};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    rota_loop loop = open_jump();
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
    CHECK_EQ(sigaction(SIGBUS, &action, NULL), 0);
    overflow.gate = open_future(loop);
    (void)spawn(loop, is_a_neighbour, &overflow.neighbours[0]);
    (void)spawn(loop, overflows, NULL);
    (void)spawn(loop, is_a_neighbour, &overflow.neighbours[1]);
    turns(loop, 2);
}

TEST(an_overflow_ends_in_the_guard_and_not_in_a_neighbour) {
    overflow.large = false;
    in_a_child(overflow_a_stack);
}

TEST(a_large_frame_does_not_step_over_the_guard) {
    overflow.large = true;
    in_a_child(overflow_a_stack);
}

/* ---- no more memory */

static int64_t waits(rota_task task, void *user_data) {
    (void)task;
    return rota_await(*(rota_future *)user_data);
}

/* Spawns until there is no stack left; what there was goes on and ends, and there is room again. */
static size_t spawn_until_refused(rota_loop loop, size_t most, size_t stack_size) {
    rota_future gate = open_future(loop);
    rota_task_options options;
    rota_status status = ROTA_OK;
    size_t count = 0;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.stack_size = stack_size;
    while (status == ROTA_OK) {
        status = rota_loop_spawn(loop, waits, &gate, &options, NULL);
        if (status == ROTA_OK) CHECK(++count < most);
    }
    CHECK_STATUS(status, ROTA_ERR_MEMORY);
    CHECK_STATUS(rota_loop_spawn(loop, waits, &gate, &options, NULL), ROTA_ERR_MEMORY);
    CHECK_EQ(stats_of(loop).tasks, count);
    CHECK(strstr(lines, "1 no stack of") != NULL);
    turn(loop);
    CHECK_STATUS(rota_future_complete(gate, 0), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(stats_of(loop).tasks, 0);
    turns(loop, 100);
    gate = open_future(loop);
    CHECK_STATUS(rota_loop_spawn(loop, waits, &gate, &options, NULL), ROTA_OK);
    CHECK_STATUS(rota_future_complete(gate, 0), ROTA_OK);
    close_clean(loop);
    return count;
}

static void run_out_of_address_space(void) {
    struct rlimit limit = {(rlim_t)3 << 29, (rlim_t)3 << 29};
    rota_loop loop = open_logging();
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    /* Of 1.5 GiB nearly all: where a large arena is refused a smaller one is tried. */
    CHECK(spawn_until_refused(loop, 192, 8192 * KIB) > 160);
    CHECK(strstr(lines, "mappings that the process may have") == NULL);
    _exit(0);
}

TEST(no_address_space_is_a_status) { in_a_child(run_out_of_address_space); }

#ifdef __linux__
/* From now on the kernel has no lightweight guards, as before Linux 6.13. */
static void forget_light_guards(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_madvise, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 102, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        puts("SKIPPED: no seccomp here");
        _exit(0);
    }
}

static void run_out_of_mappings(void) {
    unsigned long allowed = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    rota_loop loop = open_logging();
    const char *warning;
    size_t count;
    CHECK(file != NULL && fscanf(file, "%lu", &allowed) == 1);
    fclose(file);
    if (allowed > 100000) {
        puts("SKIPPED: so many mappings are not to be exhausted");
        _exit(0);
    }
    forget_light_guards();
    count = spawn_until_refused(loop, allowed, 0);
    CHECK(count > allowed / 4 && count < allowed / 2);
    warning = strstr(lines, "2 guards of stacks take");
    CHECK(warning != NULL && warning < strstr(lines, "1 no stack of"));
    CHECK(strstr(warning + 8, "guards of stacks") == NULL); /* once */
    _exit(0);
}

TEST(on_older_kernels_no_mappings_left_is_a_status_after_a_warning) {
    in_a_child(run_out_of_mappings);
}

static void overflow_on_an_older_kernel(void) {
    forget_light_guards();
    overflow_a_stack();
}

TEST(on_older_kernels_an_overflow_ends_in_the_guard_too) {
    overflow.large = false;
    in_a_child(overflow_on_an_older_kernel);
}
#endif

/* ---- given up */

static void abandon_and_look(void) {
    rota_loop loop = open_jump();
    overflow.gate = open_future(loop);
    (void)spawn(loop, is_a_neighbour, &overflow.neighbours[0]);
    turn(loop);
    CHECK_STATUS(rota_loop_abandon(loop), ROTA_OK);
    for (int round = 0; round < 3; round++) { /* nothing comes to lie there */
        rota_loop other = open_jump();
        overflow.gate = open_future(other);
        for (int at = 0; at < 50; at++) (void)spawn(other, is_a_neighbour, &overflow.neighbours[1]);
        turn(other);
        CHECK(overflow.neighbours[1] != overflow.neighbours[0]);
        CHECK_STATUS(rota_future_complete(overflow.gate, 0), ROTA_OK);
        turn(other);
        CHECK_STATUS(rota_loop_close(other, SECOND), ROTA_OK);
        CHECK(is_whole(overflow.neighbours[0]));
    }
    _exit(0);
}

TEST(the_stack_of_an_abandoned_task_stays_as_it_is) { in_a_child(abandon_and_look); }

int main(int argc, char **argv) {
    const char *preloaded = getenv("LD_PRELOAD");
    test_begin(argc, argv);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    test_skip("a sanitizer has its own ideas of faults and of address space");
#endif
    if (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL) {
        test_skip("valgrind has its own ideas of faults and of address space");
    }
    RUN(an_overflow_ends_in_the_guard_and_not_in_a_neighbour);
    RUN(a_large_frame_does_not_step_over_the_guard);
    RUN(no_address_space_is_a_status);
#ifdef __linux__
    RUN(on_older_kernels_no_mappings_left_is_a_status_after_a_warning);
    RUN(on_older_kernels_an_overflow_ends_in_the_guard_too);
#endif
    RUN(the_stack_of_an_abandoned_task_stays_as_it_is);
    return test_end();
}
