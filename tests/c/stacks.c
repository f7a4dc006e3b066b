/* Stacks of tasks: where they come from, whose memory it is, how deep they were used. */
#include "rota_test.h"

#include <sys/mman.h>

#define KIB ((size_t)1024)

static char lines[8192];

static void keep_line(int32_t level, const char *message, void *user_data) {
    size_t length = strlen(lines);
    (void)user_data;
    snprintf(lines + length, sizeof lines - length, "%d %s\n", level, message);
}

static rota_loop open_logging(uint32_t flags) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    lines[0] = '\0';
    options.flags = flags;
    options.log = keep_line;
    return open_with(&options);
}

static rota_task_options task_options(void *stack, size_t size) {
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.stack = stack;
    options.stack_size = size;
    return options;
}

static int64_t spawn_on(rota_loop loop, rota_task_fn body, void *user_data, void *stack,
                        size_t size) {
    rota_task_options options = task_options(stack, size);
    rota_task task = {0};
    int64_t status = rota_loop_spawn(loop, body, user_data, &options, &task);
    return status == ROTA_OK ? WAIT(loop, rota_task_join(task)) : status;
}

static size_t mappings(void) {
    FILE *file = fopen("/proc/self/maps", "r");
    size_t count = 0;
    int byte;
    CHECK(file != NULL);
    while ((byte = getc(file)) != EOF) count += byte == '\n';
    fclose(file);
    return count;
}

static size_t resident_kib(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long all = 0, resident = 0;
    CHECK(file != NULL && fscanf(file, "%lu %lu", &all, &resident) == 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE) / KIB;
}

/* Checkers keep books on memory, in memory. */
static bool is_checked(void) {
    const char *preloaded = getenv("LD_PRELOAD");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#endif
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/* Whether a guard costs no mapping here. */
static bool has_light_guards(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool has = madvise(memory, page, 102 /* MADV_GUARD_INSTALL */) == 0;
    CHECK_EQ(munmap(memory, page), 0);
    return has;
}

/* Touches about so many KiB of the stack it runs on. */
static int64_t digs(size_t kib) {
    volatile char room[1024];
    for (size_t at = 0; at < sizeof room; at += 64) room[at] = 1;
    return kib == 0 ? room[64] : digs(kib - 1) + room[128] - 1;
}

/* ---- of ours */

typedef struct {
    rota_future gate;
    size_t kib;
    size_t ended;
} crowd;

static int64_t waits_for_the_gate(rota_task task, void *user_data) {
    crowd *all = user_data;
    (void)task;
    (void)digs(all->kib);
    CHECK_EQ(rota_await(all->gate), 0);
    all->ended++;
    return 0;
}

static rota_loop open_crowd(crowd *all, size_t count, size_t kib, size_t stack_size) {
    rota_loop loop = open_jump();
    rota_task_options options = task_options(NULL, stack_size);
    *all = (crowd){open_future(loop), kib, 0};
    for (size_t at = 0; at < count; at++) {
        CHECK_STATUS(rota_loop_spawn(loop, waits_for_the_gate, all, &options, NULL), ROTA_OK);
    }
    turn(loop);
    CHECK_EQ(stats_of(loop).stacks, count);
    return loop;
}

static void end_crowd(rota_loop loop, crowd *all, size_t count) {
    CHECK_STATUS(rota_future_complete(all->gate, 0), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(all->ended, count);
    CHECK_EQ(stats_of(loop).stacks, 0);
}

/* More than half of vm.max_map_count as it comes: with two mappings each they would not fit. */
TEST(tens_of_thousands_of_stacks_cost_few_mappings) {
    size_t count = is_checked() ? 300 : has_light_guards() ? 40000 : 5000;
    size_t before = mappings();
    crowd all;
    rota_loop loop = open_crowd(&all, count, 0, 0);
    printf("%zu stacks, %zu mappings more\n", count, mappings() - before);
    if (has_light_guards()) CHECK(mappings() < before + 200);
    end_crowd(loop, &all, count);
    close_clean(loop);
    if (!is_checked()) CHECK(mappings() < before + 50);
}

TEST(stacks_of_a_size_of_their_own_are_kept_and_used_again) {
    crowd all;
    rota_loop loop = open_crowd(&all, 20, 30, 100 * KIB);
    uint64_t mapped = stats_of(loop).stacks_mapped_bytes;
    CHECK(mapped >= 20 * 100 * KIB);
    end_crowd(loop, &all, 20);
    CHECK_EQ(stats_of(loop).stacks_kept, 20);
    for (int round = 0; round < 10; round++) {
        rota_task_options options = task_options(NULL, 128 * KIB);
        all.gate = open_future(loop);
        all.ended = 0;
        for (int at = 0; at < 20; at++) {
            CHECK_STATUS(rota_loop_spawn(loop, waits_for_the_gate, &all, &options, NULL), ROTA_OK);
        }
        turn(loop);
        CHECK_EQ(stats_of(loop).stacks_kept, 0);
        CHECK_EQ(stats_of(loop).stacks_mapped_bytes, mapped);
        end_crowd(loop, &all, 20);
    }
    close_clean(loop);
}

/* What it touched goes back before the loop waits, and what is mapped goes too. */
TEST(a_burst_does_not_stay) {
    size_t count = 3000, kib = is_checked() ? 1 : 100, before = resident_kib(), most, left;
    crowd all;
    rota_loop loop = open_crowd(&all, count, kib, 0);
    uint64_t mapped = stats_of(loop).stacks_mapped_bytes;
    most = resident_kib() - before;
    end_crowd(loop, &all, count);
    turns(loop, 1000);
    CHECK(stats_of(loop).stacks_mapped_bytes < mapped);
    CHECK(stats_of(loop).stacks_kept < count / 2);
    left = resident_kib() > before ? resident_kib() - before : 0;
    printf("%zu KiB more in the burst, %zu after it\n", most, left);
    if (!is_checked()) CHECK(most > count * kib && left < most / 8);
    close_clean(loop);
}

/* The body that keeps its stack busy has used it deeply once; it is trimmed sooner or later. */
TEST(a_hot_stack_does_not_keep_its_depth_for_ever) {
    rota_loop loop = open_jump();
    size_t before, kib = 3000;
    rota_task_options options = task_options(NULL, 4096 * KIB);
    crowd all = {{0}, kib, 0};
    for (int at = 0; at < 200; at++) {
        rota_task task = {0};
        all.gate = open_future(loop);
        CHECK_STATUS(rota_future_complete(all.gate, 0), ROTA_OK);
        CHECK_STATUS(rota_loop_spawn(loop, waits_for_the_gate, &all, &options, &task), ROTA_OK);
        CHECK_STATUS(rota_task_detach(task), ROTA_OK);
        (void)rota_loop_turn(loop, 0, 0, 0, NULL);
        if (at == 0) before = resident_kib();
        all.kib = 0;
    }
    CHECK_EQ(stats_of(loop).stacks_kept, 1);
    if (!is_checked()) CHECK(resident_kib() + 2500 < before);
    close_clean(loop);
}

/* ---- of the host's */

typedef struct {
    rota_loop loop;
    char *stack;
    size_t size;
    rota_future gate;
    size_t broken; /* so many bytes at the low end are overwritten */
} given;

static int64_t runs_on_ours(rota_task task, void *user_data) {
    given *self = user_data;
    volatile char here = 1;
    (void)task;
    CHECK((char *)&here > self->stack && (char *)&here < self->stack + self->size);
    (void)digs(8);
    if (self->broken > 0) memset(self->stack, 0x11, self->broken);
    return self->gate.id == 0 ? here : rota_await(self->gate);
}

TEST(a_task_runs_on_memory_of_the_hosts) {
    rota_loop loop = open_logging(0);
    static char memory[64 * 1024 + 1];
    for (size_t skipped = 0; skipped < 2; skipped++) {
        given self = {loop, memory + skipped, 64 * KIB, {0}, 0};
        for (int again = 0; again < 3; again++) {
            CHECK_EQ(spawn_on(loop, runs_on_ours, &self, self.stack, self.size), 1);
        }
    }
    CHECK_EQ(stats_of(loop).stacks_mapped_bytes, 0);
    CHECK_EQ(stats_of(loop).stacks_kept, 0);
    CHECK_TEXT(lines, "");
    close_clean(loop);
}

static int64_t no_steps(rota_task task, const rota_outcome *outcome, void *user_data) {
    (void)task, (void)outcome, (void)user_data;
    return 0;
}

TEST(memory_that_does_not_fit_is_refused) {
    rota_loop loop = open_jump();
    static char memory[64 * 1024];
    given self = {loop, memory, sizeof memory, {0}, 0};
    rota_task_options options = task_options(memory, sizeof memory);
    size_t bad[] = {0, 1, 16 * KIB - 1, ((size_t)1 << 30) + 1, SIZE_MAX};
    for (size_t at = 0; at < COUNT(bad); at++) {
        CHECK_STATUS(spawn_on(loop, runs_on_ours, &self, memory, bad[at]), ROTA_ERR_INVALID);
    }
    CHECK_STATUS(spawn_on(loop, runs_on_ours, &self, (void *)(UINTPTR_MAX - 15), 16 * KIB),
                 ROTA_ERR_INVALID);
    CHECK_STATUS(rota_loop_spawn_stepped(loop, no_steps, NULL, &options, NULL), ROTA_ERR_INVALID);
    self.size = 16 * KIB;
    CHECK_EQ(spawn_on(loop, runs_on_ours, &self, memory, 16 * KIB), 1);
    close_clean(loop);
}

TEST(two_tasks_of_a_loop_do_not_share_memory) {
    rota_loop loop = open_jump();
    static char memory[5 * 16 * 1024];
    rota_future gate = open_future(loop);
    given low = {loop, memory + 16 * KIB, 16 * KIB, gate, 0};
    given high = {loop, memory + 48 * KIB, 16 * KIB, gate, 0};
    given other = {loop, memory, sizeof memory, {0}, 0};
    size_t bad[][2] = {{0, 80},  {0, 17},  {16, 16}, {20, 20},
                       {31, 16}, {33, 16}, {63, 17}, {48, 32}};
    rota_task_options options = task_options(high.stack, high.size);
    CHECK_STATUS(rota_loop_spawn(loop, runs_on_ours, &high, &options, NULL), ROTA_OK);
    options = task_options(low.stack, low.size);
    CHECK_STATUS(rota_loop_spawn(loop, runs_on_ours, &low, &options, NULL), ROTA_OK);
    for (size_t at = 0; at < COUNT(bad); at++) {
        CHECK_STATUS(spawn_on(loop, runs_on_ours, &other, memory + bad[at][0] * KIB,
                              bad[at][1] * KIB), ROTA_ERR_BUSY);
    }
    for (size_t at = 0; at < 3; at++) { /* beside them and between them there is room */
        given beside = {loop, memory + at * 32 * KIB, 16 * KIB, {0}, 0};
        CHECK_EQ(spawn_on(loop, runs_on_ours, &beside, beside.stack, beside.size), 1);
    }
    CHECK_STATUS(rota_future_complete(gate, 7), ROTA_OK);
    turns(loop, 2);
    CHECK_EQ(spawn_on(loop, runs_on_ours, &other, memory, sizeof memory), 1);
    close_clean(loop);
}

TEST(writing_beyond_the_end_is_told) {
    static char memory[32 * 1024];
    for (int debug = 0; debug < 2; debug++) {
        rota_loop loop = open_logging(debug ? ROTA_LOOP_DEBUG : 0);
        given self = {loop, memory, sizeof memory, {0}, 0};
        rota_task_options options = task_options(memory, sizeof memory);
        self.gate = open_future(loop);
        self.broken = 1;
        options.name = "greedy";
        CHECK_STATUS(rota_loop_spawn(loop, runs_on_ours, &self, &options, NULL), ROTA_OK);
        turn(loop);
        CHECK((strstr(lines, "1 task greedy wrote beyond the end of") != NULL) == (debug != 0));
        CHECK_STATUS(rota_future_complete(self.gate, 0), ROTA_OK);
        turns(loop, 2);
        CHECK(strstr(lines, "1 task greedy wrote beyond the end of") != NULL);
        CHECK(strstr(strstr(lines, "greedy") + 1, "greedy") == NULL); /* once */
        close_clean(loop);
    }
}

/* ---- how deep */

static rota_task_info info_of(rota_task task) {
    rota_task_info info = {0};
    info.size = sizeof info;
    CHECK_STATUS(rota_task_get_info(task, &info), ROTA_OK);
    return info;
}

typedef struct {
    size_t kib, used, deeper;
} depths;

static int64_t asks_how_deep(rota_task task, void *user_data) {
    depths *self = user_data;
    CHECK_STATUS(rota_task_get_stack_used(task, &self->used), ROTA_OK);
    (void)digs(self->kib);
    CHECK_STATUS(rota_task_get_stack_used(task, &self->deeper), ROTA_OK);
    CHECK(info_of(task).stack_used_bytes >= self->deeper);
    CHECK(info_of(task).stack_size <= 128 * KIB && info_of(task).stack_size > 127 * KIB);
    return 0;
}

TEST(debug_mode_says_how_deep_a_stack_was_used) {
    rota_loop loop = open_logging(ROTA_LOOP_DEBUG);
    static char memory[128 * 1024];
    for (int round = 0; round < 4; round++) { /* a stack that is used again begins anew */
        depths self = {round == 1 ? 60 : 40, 0, 0};
        void *stack = round == 3 ? memory : NULL;
        memset(memory, 0x77, sizeof memory);
        CHECK_EQ(spawn_on(loop, asks_how_deep, &self, stack, 128 * KIB), 0);
        CHECK(self.used > 64 && self.used < 24 * KIB);
        CHECK(self.deeper > self.kib * KIB && self.deeper < 2 * self.kib * KIB);
        CHECK(stats_of(loop).stack_peak_bytes >= self.deeper);
    }
    CHECK_TEXT(lines, "");
    close_clean(loop);
}

TEST(it_warns_of_tasks_that_nearly_used_all) {
    rota_loop loop = open_logging(ROTA_LOOP_DEBUG);
    depths self = {60, 0, 0};
    CHECK_EQ(spawn_on(loop, asks_how_deep, &self, NULL, 128 * KIB), 0);
    CHECK_TEXT(lines, "");
    self.kib = 100;
    CHECK_EQ(spawn_on(loop, asks_how_deep, &self, NULL, 128 * KIB), 0);
    CHECK(strstr(lines, "2 task task used 1") != NULL && strstr(lines, "+0x") != NULL);
    CHECK(stats_of(loop).stack_peak_bytes > 100 * KIB);
    close_clean(loop);
}

TEST(only_debug_mode_knows_and_only_of_stacks) {
    rota_loop loop = open_jump();
    rota_future gate = open_future(loop);
    crowd all = {gate, 0, 0};
    rota_task task = spawn(loop, waits_for_the_gate, &all), stepped = {0};
    size_t used = 77;
    CHECK_STATUS(rota_task_get_stack_used(task, &used), ROTA_ERR_UNSUPPORTED);
    CHECK_STATUS(rota_loop_set_debug(loop, true), ROTA_OK);
    CHECK_STATUS(rota_task_get_stack_used(task, &used), ROTA_ERR_UNSUPPORTED);
    CHECK_STATUS(rota_loop_spawn_stepped(loop, no_steps, NULL, NULL, &stepped), ROTA_OK);
    CHECK_STATUS(rota_task_get_stack_used(stepped, &used), ROTA_ERR_UNSUPPORTED);
    CHECK_EQ(info_of(task).stack_size, 256 * KIB);
    CHECK_EQ(info_of(task).stack_used_bytes, 0);
    CHECK_EQ(info_of(stepped).stack_size, 0);
    CHECK_EQ(used, 77);
    CHECK_STATUS(rota_future_complete(gate, 0), ROTA_OK);
    turns(loop, 2);
    CHECK_STATUS(rota_task_get_stack_used(task, &used), ROTA_ERR_DONE);
    CHECK_EQ(info_of(task).stack_size, 0);
    CHECK_EQ(WAIT(loop, rota_task_join(task)), 0);
    CHECK_EQ(WAIT(loop, rota_task_join(stepped)), 0);
    CHECK_STATUS(rota_task_get_stack_used(task, &used), ROTA_ERR_HANDLE);
    CHECK_EQ(stats_of(loop).stack_peak_bytes, 0);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(tens_of_thousands_of_stacks_cost_few_mappings);
    RUN(stacks_of_a_size_of_their_own_are_kept_and_used_again);
    RUN(a_burst_does_not_stay);
    RUN(a_hot_stack_does_not_keep_its_depth_for_ever);
    RUN(a_task_runs_on_memory_of_the_hosts);
    RUN(memory_that_does_not_fit_is_refused);
    RUN(two_tasks_of_a_loop_do_not_share_memory);
    RUN(writing_beyond_the_end_is_told);
    RUN(debug_mode_says_how_deep_a_stack_was_used);
    RUN(it_warns_of_tasks_that_nearly_used_all);
    RUN(only_debug_mode_knows_and_only_of_stacks);
    return test_end();
}
