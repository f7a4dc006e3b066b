/* Plays the random programs that tests/asyncio/reference.py writes, and writes what their tasks
 * saw: the lines of programs as they are, those of events anew. The language is told there. */
#include "../c/parity.h"

enum { MOST_PROMISES = 4096, MOST_SCOPES = 2, MOST_INNER = 3 };
enum { GIVES_UP, CLEANS_UP, ANSWERS, FAILS, CLEANS_UP_AND_ANSWERS };

#define FAILED ROTA_STATUS_HOST
#define GROUP_FAILED (ROTA_STATUS_HOST - 1)

/* A task: where its tree begins in the text, and what it does when it is cancelled. */
typedef struct {
    int64_t number, manner;
    uint64_t cleanup_ns;
    const char *text;
} actor;

static rota_loop loop;
static uint64_t began;
static rota_future promises[MOST_PROMISES];
static rota_task root;

static void note(int64_t number, const char *where, int64_t outcome) {
    printf("event %" PRIu64 " %" PRId64 " %s ", now_of(loop) - began, number, where);
    if (outcome == CANCELLED) puts("cancelled");
    else if (outcome == ROTA_ERR_TIMEOUT) puts("timeout");
    else if (outcome == FAILED) puts("failed");
    else if (outcome == GROUP_FAILED) puts("group");
    else printf("%" PRId64 "\n", outcome);
}

/* ---- reading */

static bool reads(const char **text, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0 || (*text)[length] != ' ') return false;
    *text += length + 1;
    return true;
}

static int64_t read_number(const char **text) {
    char *end;
    int64_t number = strtoll(*text, &end, 10);
    CHECK(end != *text);
    *text = *end == ' ' ? end + 1 : end;
    return number;
}

static void skip(const char **text);

static void skip_many(const char **text, int64_t count) {
    while (count-- > 0) skip(text);
}

/* What follows a task's number, manner and cleanup. */
static void skip_work(const char **text) {
    int64_t scopes = read_number(text);
    while (scopes-- > 0) (void)read_number(text);
    skip_many(text, read_number(text));
    skip(text);
}

static void skip(const char **text) {
    if (reads(text, "sleep") || reads(text, "promise")) {
        (void)read_number(text);
    } else if (reads(text, "within")) {
        (void)read_number(text);
        skip(text);
    } else if (reads(text, "shield")) {
        skip(text);
    } else if (reads(text, "gather") || reads(text, "all")) {
        skip_many(text, read_number(text));
    } else {
        CHECK(reads(text, "task"));
        (void)read_number(text);
        (void)read_number(text);
        (void)read_number(text);
        skip_work(text);
    }
}

/* A task, behind its word; it reads the rest itself when it runs. */
static actor *read_actor(const char **text) {
    actor *self = malloc(sizeof *self);
    CHECK(self != NULL);
    self->number = read_number(text);
    self->manner = read_number(text);
    self->cleanup_ns = (uint64_t)read_number(text);
    self->text = *text;
    skip_work(text);
    return self;
}

/* ---- playing */

static int64_t act(rota_task task, void *user_data);

static rota_task_options owning(void) {
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = free;
    return options;
}

static rota_future build(const char **text) {
    if (reads(text, "sleep")) return rota_loop_sleep(loop, (uint64_t)read_number(text));
    if (reads(text, "promise")) return promises[read_number(text)];
    if (reads(text, "shield")) return rota_future_shield(build(text));
    if (reads(text, "within")) {
        uint64_t timeout_ns = (uint64_t)read_number(text);
        return rota_future_wait_for(build(text), timeout_ns);
    }
    if (reads(text, "task")) {
        rota_task_options options = owning();
        rota_task task = {0};
        CHECK_STATUS(rota_loop_spawn(loop, act, read_actor(text), &options, &task), ROTA_OK);
        return rota_task_join(task);
    }
    rota_future inner[MOST_INNER];
    bool counts = reads(text, "all");
    CHECK(counts || reads(text, "gather"));
    int64_t count = read_number(text);
    CHECK(count <= MOST_INNER);
    for (int64_t i = 0; i < count; i++) inner[i] = build(text);
    return rota_loop_gather(loop, inner, (size_t)count, counts ? ROTA_GATHER_ALL : 0);
}

/* The work of a task within its group, as asyncio leaves one: a failure of the body ends it. */
static int64_t work_in_group(const char **text, int64_t members) {
    rota_group group = {0};
    size_t errors = 0;
    int64_t result, came_to;
    CHECK_STATUS(rota_loop_open_group(loop, NULL, &group), ROTA_OK);
    while (members-- > 0) {
        rota_task_options options = owning();
        CHECK(reads(text, "task"));
        CHECK_STATUS(rota_group_spawn(group, act, read_actor(text), &options, NULL), ROTA_OK);
    }
    result = rota_await(build(text));
    if (result < 0) (void)rota_group_cancel(group, NULL); /* unless it has fired */
    came_to = rota_await(rota_group_wait(group));
    CHECK_STATUS(rota_group_get_error_count(group, &errors), ROTA_OK);
    CHECK_STATUS(rota_group_close(group), ROTA_OK);
    if (errors > 0 || (result < 0 && result != CANCELLED)) return GROUP_FAILED;
    return result < 0 || came_to < 0 ? CANCELLED : result;
}

static int64_t work(rota_task task, const char **text) {
    rota_scope scopes[MOST_SCOPES];
    int64_t count = read_number(text), members, result, i;
    CHECK(count <= MOST_SCOPES);
    for (i = 0; i < count; i++) {
        uint64_t timeout_ns = (uint64_t)read_number(text);
        CHECK_STATUS(rota_task_enter_timeout(task, timeout_ns, &scopes[i]), ROTA_OK);
    }
    members = read_number(text);
    result = members < 0 ? rota_await(build(text)) : work_in_group(text, members);
    while (count-- > 0) result = rota_scope_leave(scopes[count], result);
    return result;
}

static int64_t act(rota_task task, void *user_data) {
    actor *self = user_data;
    const char *text = self->text;
    int64_t result = work(task, &text);
    note(self->number, "await", result);
    if (result != CANCELLED) return result;
    if (self->manner == CLEANS_UP || self->manner == CLEANS_UP_AND_ANSWERS) {
        note(self->number, "cleanup", rota_await(rota_loop_sleep(loop, self->cleanup_ns)));
    }
    if (self->manner == FAILS) return FAILED;
    return self->manner == ANSWERS || self->manner == CLEANS_UP_AND_ANSWERS ? self->number : result;
}

/* ---- what happens meanwhile */

static void cancels(rota_timer timer, rota_status status, void *user_data) {
    (void)timer, (void)user_data;
    if (status == ROTA_OK) CHECK_EITHER(rota_task_cancel(root), ROTA_OK, ROTA_ERR_HANDLE);
}

/* A promise that nobody waits for any more has ended. */
static void completes(rota_timer timer, rota_status status, void *user_data) {
    rota_status answer = rota_future_complete(*(rota_future *)user_data, 7);
    (void)timer, (void)status;
    CHECK(answer == ROTA_OK || answer == ROTA_ERR_DONE || answer == ROTA_ERR_HANDLE);
}

static void fails(rota_timer timer, rota_status status, void *user_data) {
    rota_status answer = rota_future_fail(*(rota_future *)user_data, FAILED, NULL);
    (void)timer, (void)status;
    CHECK(answer == ROTA_OK || answer == ROTA_ERR_DONE || answer == ROTA_ERR_HANDLE);
}

static void arm(const char **text) {
    rota_timer_fn callback = reads(text, "cancel") ? cancels
                             : reads(text, "complete") ? completes : NULL;
    if (callback == NULL) {
        CHECK(reads(text, "fail"));
        callback = fails;
    }
    rota_future *promise = &promises[read_number(text)];
    uint64_t moment = (uint64_t)read_number(text);
    CHECK_STATUS(rota_loop_call_later(loop, moment, callback, promise, NULL), ROTA_OK);
}

static void play(const char *text) {
    rota_task_options options = owning();
    int64_t count = read_number(&text), happenings = read_number(&text), i;
    actor *self = malloc(sizeof *self);
    char tree[1 << 16];
    CHECK(self != NULL && count <= MOST_PROMISES);
    loop = open_jump();
    began = now_of(loop);
    for (i = 0; i < count; i++) promises[i] = rota_future_open(loop);
    while (happenings-- > 0) arm(&text);
    CHECK((size_t)snprintf(tree, sizeof tree, "0 -1 %s", text) < sizeof tree);
    *self = (actor){.text = tree};
    CHECK_STATUS(rota_loop_spawn(loop, act, self, &options, &root), ROTA_OK);
    CHECK_STATUS(rota_task_detach(root), ROTA_OK);
    while (stats_of(loop).timers + stats_of(loop).tasks + stats_of(loop).ready > 0) {
        CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    }
    CHECK_STATUS(rota_loop_close(loop, 0), ROTA_OK);
}

int main(int argc, char **argv) {
    static char line[1 << 16];
    FILE *file;
    CHECK_EQ(argc, 2);
    file = fopen(argv[1], "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        const char *text = line;
        if (!reads(&text, "program")) continue;
        line[strcspn(line, "\n")] = '\0';
        puts(line);
        play(text);
    }
    fclose(file);
    return 0;
}
