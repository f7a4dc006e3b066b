/* Plays the random programs that tests/asyncio/sync_reference.py writes, and writes what their
 * tasks saw: the lines of programs as they are, events anew. The language is told there. */
#include "../c/parity.h"

enum { MOST_SHARED = 4, MOST_ACTORS = 16, MOST_STEPS = 16 };

typedef struct {
    char word[16];
    int64_t which, what;
} step;

typedef struct {
    rota_task task;
    int64_t cancelled;
    int number, count;
    step steps[MOST_STEPS];
} actor;

static rota_loop loop;
static uint64_t began;
static bool over;
static rota_lock locks[MOST_SHARED], condition_lock;
static rota_semaphore semaphores[MOST_SHARED];
static rota_event events[MOST_SHARED];
static rota_queue queues[MOST_SHARED];
static rota_barrier barrier;
static rota_condition condition;
static actor actors[MOST_ACTORS];

static int64_t naps(int64_t delay_ns) {
    return rota_await(rota_loop_sleep(loop, (uint64_t)delay_ns));
}

static void note(const actor *self, int place, const char *outcome) {
    if (over) return;
    printf("event %" PRIu64 " %d %d %s\n", now_of(loop) - began, self->number, place, outcome);
}

/* ---- steps: each returns 0, an item, or a failure */

static int64_t holds_lock(const actor *self, int place, rota_lock lock, int64_t delay_ns) {
    int64_t result = rota_await(rota_lock_acquire(lock));
    if (result < 0) return result;
    note(self, place, "0");
    result = naps(delay_ns);
    CHECK_STATUS(rota_lock_release(lock), ROTA_OK);
    return result;
}

static int64_t holds_place(const actor *self, int place, rota_semaphore semaphore,
                           int64_t delay_ns) {
    int64_t result = rota_await(rota_semaphore_acquire(semaphore));
    if (result < 0) return result;
    note(self, place, "0");
    result = naps(delay_ns);
    CHECK_STATUS(rota_semaphore_release(semaphore), ROTA_OK);
    return result;
}

static int64_t waits_for_notice(const actor *self, int place, int64_t delay_ns) {
    int64_t result = rota_await(rota_lock_acquire(condition_lock));
    if (result < 0) return result;
    note(self, place, "holds");
    result = rota_await(rota_condition_wait(condition));
    if (result == 0) {
        note(self, place, "0");
        result = naps(delay_ns);
    }
    CHECK_STATUS(rota_lock_release(condition_lock), ROTA_OK);
    return result;
}

static int64_t notifies(int64_t count) {
    int64_t result = rota_await(rota_lock_acquire(condition_lock));
    if (result < 0) return result;
    CHECK_STATUS(rota_condition_notify(condition, (size_t)count), ROTA_OK);
    CHECK_STATUS(rota_lock_release(condition_lock), ROTA_OK);
    return 0;
}

static int64_t gets(rota_queue queue) {
    rota_future future = rota_queue_get(queue);
    int64_t result = rota_await(future);
    void *item = NULL;
    if (result < 0) return result;
    CHECK_STATUS(rota_future_take_result(future, &item), ROTA_OK);
    return (int64_t)(intptr_t)item;
}

static int64_t does(const actor *self, int place) {
    const step *now = &self->steps[place];
    const char *word = now->word;
    int64_t which = now->which, what = now->what;
    if (strcmp(word, "nap") == 0) return naps(which);
    if (strcmp(word, "lock") == 0) return holds_lock(self, place, locks[which], what);
    if (strcmp(word, "semaphore") == 0) return holds_place(self, place, semaphores[which], what);
    if (strcmp(word, "release") == 0) return rota_semaphore_release(semaphores[which]);
    if (strcmp(word, "wait") == 0) return rota_await(rota_event_wait(events[which]));
    if (strcmp(word, "set") == 0) return rota_event_set(events[which]);
    if (strcmp(word, "clear") == 0) return rota_event_clear(events[which]);
    if (strcmp(word, "get") == 0) return gets(queues[which]);
    if (strcmp(word, "condition") == 0) return waits_for_notice(self, place, what);
    if (strcmp(word, "notify") == 0) return notifies(what);
    if (strcmp(word, "put") == 0) {
        return rota_await(rota_queue_put(queues[which], (void *)(intptr_t)what));
    }
    CHECK_TEXT(word, "meet");
    int64_t came = rota_await(rota_barrier_wait(barrier));
    return came < 0 ? came : 0; /* as which one is not the same in asyncio */
}

static int64_t acts(rota_task task, void *user_data) {
    actor *self = user_data;
    int place;
    (void)task;
    for (place = 0; place < self->count; place++) {
        char number[24];
        int64_t result = does(self, place);
        if (result == CANCELLED) {
            note(self, place, "cancelled");
            return result;
        }
        CHECK(result >= 0);
        snprintf(number, sizeof number, "%" PRId64, result);
        note(self, place, number);
    }
    return 0;
}

/* ---- programs */

static int64_t read_number(char **text) {
    char *end;
    int64_t number = strtoll(*text, &end, 10);
    CHECK(end != *text);
    *text = end;
    return number;
}

static int read_count(char **text, int most) {
    int64_t count = read_number(text);
    CHECK(count >= 0 && count <= most);
    return (int)count;
}

static void open_shared(char **text) {
    int i, count = read_count(text, MOST_SHARED);
    for (i = 0; i < count; i++) CHECK_STATUS(rota_loop_open_lock(loop, &locks[i]), ROTA_OK);
    count = read_count(text, MOST_SHARED);
    for (i = 0; i < count; i++) {
        uint64_t value = (uint64_t)read_number(text);
        CHECK_STATUS(rota_loop_open_semaphore(loop, value, 0, &semaphores[i]), ROTA_OK);
    }
    count = read_count(text, MOST_SHARED);
    for (i = 0; i < count; i++) CHECK_STATUS(rota_loop_open_event(loop, 0, &events[i]), ROTA_OK);
    count = read_count(text, MOST_SHARED);
    for (i = 0; i < count; i++) {
        size_t capacity = (size_t)read_number(text);
        CHECK_STATUS(rota_loop_open_queue(loop, capacity, ROTA_QUEUE_FIFO, &queues[i]), ROTA_OK);
    }
    CHECK_STATUS(rota_loop_open_barrier(loop, (uint32_t)read_number(text), &barrier), ROTA_OK);
    CHECK_STATUS(rota_loop_open_lock(loop, &condition_lock), ROTA_OK);
    CHECK_STATUS(rota_loop_open_condition(loop, condition_lock, &condition), ROTA_OK);
}

static void read_actor(char **text, actor *self) {
    int i, used;
    self->cancelled = read_number(text);
    self->count = read_count(text, MOST_STEPS);
    for (i = 0; i < self->count; i++) {
        CHECK_EQ(sscanf(*text, " %15s%n", self->steps[i].word, &used), 1);
        *text += used;
        self->steps[i].which = read_number(text);
        self->steps[i].what = read_number(text);
    }
}

static void cancels_if_there(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    if (status == ROTA_OK) {
        CHECK_EITHER(rota_task_cancel(*(rota_task *)user_data), ROTA_OK, ROTA_ERR_DONE);
    }
}

static void play(char *text) {
    int count, i;
    over = false;
    loop = open_jump();
    began = now_of(loop);
    open_shared(&text);
    count = read_count(&text, MOST_ACTORS);
    for (i = 0; i < count; i++) {
        actor *self = &actors[i];
        self->number = i;
        read_actor(&text, self);
        self->task = spawn(loop, acts, self);
        if (self->cancelled > 0) {
            CHECK_STATUS(rota_loop_call_later(loop, (uint64_t)self->cancelled, cancels_if_there,
                                              &self->task, NULL), ROTA_OK);
        }
    }
    while (stats_of(loop).timers + stats_of(loop).ready > 0) {
        CHECK_STATUS(rota_loop_turn(loop, ROTA_FOREVER, 0, 0, NULL), ROTA_OK);
    }
    over = true; /* those who wait for ever are cancelled */
    CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
}

int main(int argc, char **argv) {
    static char line[1 << 16];
    FILE *file;
    CHECK_EQ(argc, 2);
    file = fopen(argv[1], "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "program ", 8) != 0) continue;
        puts(line);
        play(line + 8);
    }
    fclose(file);
    return 0;
}
