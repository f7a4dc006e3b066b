/* Owners, with random work under several of them: after a cancellation, once the count is zero,
 * nothing of the owner's ever comes; before, the count is what a model says; and what is nobody's
 * is untouched. */
#include "rota_owner.h"

enum { OWNERS = 4, ITEMS = 1200, ROUNDS = 2500 }; /* the first owner is nobody */

enum kind { CALL, HELD_CALL, TIMER, OWN_PROMISE, SHARED_PROMISE, SLEEP, STEPPED, STACKFUL, KINDS };

typedef struct {
    enum kind kind;
    int owner;
    unsigned life; /* of its owner, when it was made */
    int weight;    /* what it adds to its owner's count; 0 when it has ended */
    int came, dropped, freed;
    int step;
    bool cancelled; /* by its handle */
    rota_call call;
    rota_timer timer;
    rota_future future;
} item;

static item items[ITEMS];
static int item_count;
static rota_loop loop;
static rota_owner owners[OWNERS];
static unsigned lives[OWNERS];     /* how often an owner was cancelled and came to zero */
static bool cancelling[OWNERS];    /* cancelled, and not at zero yet */
static rota_future shared;
static uint64_t seed;
static bool ending; /* nothing new */

static uint64_t pick(uint64_t most) { return test_random(&seed) % most; }

static void add_item(int owner, bool inherits);

/* Something of an item runs: its owner is set, and has not been said to be at zero since. */
static void check_runs(item *self) {
    CHECK_EQ(now_set(loop).id, owners[self->owner].id);
    CHECK_EQ(self->life, lives[self->owner]);
    CHECK_EQ(self->dropped + self->freed, 0);
}

static size_t model_count(int owner) {
    size_t count = 0;
    int i;
    for (i = 0; i < item_count; i++) {
        if (items[i].owner == owner) count += (size_t)items[i].weight;
    }
    return count;
}

/* From anywhere, also from inside what is cancelled. */
static void cancel_one(int owner) {
    size_t left = 0;
    int i;
    if (owner == 0) return;
    CHECK_STATUS(rota_owner_cancel(owners[owner], &left), ROTA_OK);
    for (i = 0; i < item_count; i++) {
        if (items[i].owner == owner && items[i].kind == SLEEP) items[i].weight = 0;
    }
    CHECK_EQ(left, model_count(owner));
    cancelling[owner] = true;
}

static void maybe_more(item *self) {
    if (ending) return;
    if (pick(4) == 0) add_item(self->owner, true);
    if (pick(40) == 0) cancel_one((int)pick(OWNERS));
}

/* ---- what comes */

static void comes(item *self, int64_t status, int while_running) {
    check_runs(self);
    CHECK_EQ(self->came++, 0);
    if (self->owner == 0 || !cancelling[self->owner]) {
        if (self->kind == HELD_CALL || self->kind == TIMER) {
            CHECK_STATUS(status, self->cancelled ? ROTA_ERR_CANCELLED : ROTA_OK);
        }
    }
    self->weight = while_running;
    maybe_more(self);
    self->weight = 0;
}

static void on_call(rota_loop at, rota_status status, void *user_data) {
    (void)at;
    comes(user_data, status, 0);
}

static void on_timer(rota_timer timer, rota_status status, void *user_data) {
    (void)timer;
    comes(user_data, status, ((item *)user_data)->cancelled ? 0 : 1);
}

static void on_future(rota_future future, int64_t result, void *user_data) {
    item *self = user_data;
    (void)future, (void)result;
    comes(self, ROTA_OK, self->kind == OWN_PROMISE);
}

static void on_dropped(void *user_data) {
    item *self = user_data;
    CHECK(self->owner != 0);
    CHECK(self->kind <= SHARED_PROMISE);
    CHECK_EQ(self->came + self->dropped, 0);
    self->dropped++;
    self->weight = 0;
}

static void on_freed(void *user_data) {
    item *self = user_data;
    CHECK(self->kind >= STEPPED);
    CHECK_EQ(self->freed++, 0);
    self->weight = 0;
}

static int64_t on_step(rota_task task, const rota_outcome *outcome, void *user_data) {
    item *self = user_data;
    (void)outcome;
    self->weight = 1;
    check_runs(self);
    maybe_more(self);
    if (self->step++ == 3) return 0;
    if (pick(2) == 0) return rota_task_wait(task, shared);
    self->weight = 2; /* the sleep is its owner's too */
    return rota_task_wait(task, rota_loop_sleep(loop, pick(3) * SECOND));
}

static int64_t body(rota_task task, void *user_data) {
    item *self = user_data;
    int i;
    int64_t status = 0;
    (void)task;
    for (i = 0; i < 4 && status >= 0; i++) {
        check_runs(self);
        maybe_more(self);
        rota_future sleep = rota_loop_sleep(loop, pick(3) * SECOND);
        self->weight = 2;
        status = rota_await(sleep);
        self->weight = 1;
    }
    if (status < 0) { /* it cleans up */
        CHECK(self->owner != 0);
        rota_future sleep = rota_loop_sleep(loop, SECOND);
        self->weight = 2;
        (void)rota_await(sleep);
        self->weight = 1;
        check_runs(self);
    }
    return status;
}

/* A turn that jumps to the next timer, and waits for nothing else. */
static void pass_time(void) {
    uint64_t wait = stats_of(loop).timers > 0 ? 3 * SECOND : 0;
    CHECK_STATUS(rota_loop_turn(loop, wait, 0, 0, NULL), ROTA_OK);
}

/* ---- what is made */

static void add_task(item *self) {
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = on_freed;
    options.flags = pick(3) == 0 ? ROTA_TASK_EAGER : 0;
    self->weight = 1;
    if (self->kind == STEPPED) {
        CHECK_STATUS(rota_loop_spawn_stepped(loop, on_step, self, &options, NULL), ROTA_OK);
    } else {
        CHECK_STATUS(rota_loop_spawn(loop, body, self, &options, NULL), ROTA_OK);
    }
}

static void make(item *self) {
    self->weight = 1;
    switch (self->kind) {
    case CALL:
        CHECK_STATUS(rota_loop_call_soon(loop, on_call, self, NULL), ROTA_OK);
        break;
    case HELD_CALL:
        CHECK_STATUS(rota_loop_call_soon(loop, on_call, self, &self->call), ROTA_OK);
        break;
    case TIMER:
        CHECK_STATUS(rota_loop_call_later(loop, pick(3) * SECOND, on_timer, self, &self->timer),
                     ROTA_OK);
        break;
    case OWN_PROMISE:
        self->future = rota_future_open(loop);
        CHECK_STATUS(rota_future_then(self->future, on_future, self), ROTA_OK);
        self->weight = 2;
        break;
    case SHARED_PROMISE:
        CHECK_STATUS(rota_future_then(shared, on_future, self), ROTA_OK);
        break;
    case SLEEP: /* nobody waits for it, until it is closed at the end */
        self->future = rota_loop_sleep(loop, HOUR);
        break;
    default: add_task(self);
    }
}

static void add_item(int owner, bool inherits) {
    rota_owner before = {0};
    item *self;
    if (item_count == ITEMS) return;
    self = &items[item_count++];
    self->kind = (enum kind)pick(KINDS);
    self->owner = owner;
    self->life = lives[owner];
    if (!inherits) before = set(loop, owners[owner]);
    make(self);
    if (!inherits) set(loop, before);
}

/* ---- what happens to it */

static void open_shared(void) {
    rota_owner before = set(loop, nobody);
    shared = open_future(loop);
    CHECK_STATUS(rota_future_keep(shared), ROTA_OK);
    set(loop, before);
}

/* It is nobody's: no cancellation has touched it. */
static void complete_shared(void) {
    rota_future old = shared;
    open_shared();
    CHECK_STATUS(rota_future_complete(old, 1), ROTA_OK);
    (void)rota_future_close(old); /* it ends when those who wait have been answered */
}

static void poke(item *self) {
    if (self->weight == 0 || self->came > 0 || self->dropped > 0) return;
    if (self->kind == HELD_CALL && rota_call_cancel(self->call) == ROTA_OK) self->cancelled = true;
    if (self->kind == TIMER && pick(2) == 0 && rota_timer_cancel(self->timer) == ROTA_OK) {
        self->cancelled = true;
    }
    if (self->kind == OWN_PROMISE) (void)rota_future_complete(self->future, 1);
}

static void cancel_from_outside(int owner) {
    int i;
    cancel_one(owner);
    for (i = 0; i < item_count && owner != 0; i++) { /* only tasks are left */
        if (items[i].owner == owner && items[i].weight > 0) CHECK(items[i].kind >= STEPPED);
    }
}

/* An owner that was cancelled is cancelled again, until nothing is left; then it is a new one. */
static void renew(int owner) {
    int i, rounds;
    for (rounds = 0; count_of(owners[owner]) > 0; rounds++) {
        CHECK(rounds < 1000);
        pass_time();
        cancel_from_outside(owner);
    }
    for (i = 0; i < item_count; i++) {
        item *self = &items[i];
        if (self->owner != owner || self->life != lives[owner]) continue;
        CHECK_EQ(self->weight, 0);
        if (self->kind <= SHARED_PROMISE) CHECK_EQ(self->came + self->dropped, 1);
        if (self->kind >= STEPPED) CHECK_EQ(self->freed, 1);
    }
    lives[owner]++;
    cancelling[owner] = false;
    if (pick(2) == 0) {
        CHECK_STATUS(rota_owner_close(owners[owner]), ROTA_OK);
        owners[owner] = open_owner(loop, on_dropped);
    }
}

static void check_counts(void) {
    int i;
    for (i = 1; i < OWNERS; i++) {
        if (!cancelling[i]) CHECK_EQ(count_of(owners[i]), model_count(i));
    }
}

static void play(void) {
    int round, i;
    for (round = 0; round < ROUNDS && item_count < ITEMS; round++) {
        switch (pick(8)) {
        case 0:
        case 1:
        case 2: add_item((int)pick(OWNERS), false); break;
        case 3:
            if (item_count > 0) poke(&items[pick((uint64_t)item_count)]);
            break;
        case 4:
            if (pick(4) == 0) complete_shared();
            break;
        case 5:
            if (pick(20) == 0) cancel_from_outside((int)pick(OWNERS));
            break;
        default: pass_time();
        }
        if (round % 4 == 0) check_counts();
        for (i = 1; i < OWNERS; i++) {
            if (cancelling[i]) renew(i);
        }
    }
}

/* What is nobody's comes to its own end, all of it. */
static void end_the_rest(void) {
    int i;
    ending = true;
    for (i = 1; i < OWNERS; i++) {
        cancel_from_outside(i);
        renew(i);
    }
    for (i = 0; i < 100; i++) {
        complete_shared();
        turns(loop, 1);
        pass_time();
    }
    CHECK_STATUS(rota_future_close(shared), ROTA_OK);
    for (i = 0; i < item_count; i++) {
        item *self = &items[i];
        if (self->owner != 0) continue;
        if (self->kind == OWN_PROMISE && self->came == 0) {
            CHECK_STATUS(rota_future_complete(self->future, 1), ROTA_OK);
        }
        if (self->kind == SLEEP) CHECK_STATUS(rota_future_close(self->future), ROTA_OK);
    }
    turns(loop, 4);
    for (i = 0; i < item_count; i++) {
        item *self = &items[i];
        if (self->owner != 0) continue;
        CHECK_EQ(self->dropped, 0);
        if (self->kind <= SHARED_PROMISE) CHECK_EQ(self->came, 1);
        if (self->kind >= STEPPED) CHECK_EQ(self->freed, 1);
    }
}

static void random_work(uint64_t with) {
    int i;
    seed = with;
    memset(items, 0, sizeof items);
    memset(lives, 0, sizeof lives);
    memset(cancelling, 0, sizeof cancelling);
    item_count = 0;
    ending = false;
    loop = open_jump();
    for (i = 1; i < OWNERS; i++) owners[i] = open_owner(loop, on_dropped);
    open_shared();
    play();
    end_the_rest();
    for (i = 1; i < OWNERS; i++) CHECK_STATUS(rota_owner_close(owners[i]), ROTA_OK);
    close_clean(loop);
}

TEST(counts_are_exact_and_nothing_comes_after_zero) {
    uint64_t with;
    for (with = 1; with <= 20; with++) random_work(with * UINT64_C(0x9e3779b97f4a7c15));
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(counts_are_exact_and_nothing_comes_after_zero);
    return test_end();
}
