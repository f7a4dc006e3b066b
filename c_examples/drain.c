/* A host that wants no callbacks, as a game engine or a script machine may: each frame it gives
 * the loop a bounded turn, then fetches what has completed and hands it to its own objects. The
 * clock is the host's too: game time goes on by a frame at a time.
 *
 *     cc -std=c11 -pthread drain.c -lrota -o drain && ./drain
 */
#include <rota.h>
#include <stdio.h>

#define MILLISECOND UINT64_C(1000000) /* rota counts in nanoseconds */
#define FRAME (16 * MILLISECOND)

enum kind { DOOR, LAMP, ASSET };

/* What user_data points to: the engine's own object, which finds out what to do by itself. */
struct thing {
    enum kind kind;
    const char *name;
    int times;
};

struct engine {
    rota_loop loop;
    int frame;
    int left; /* completions that are still to come */
    int failed;
};

/* Starts something, and says whose its completion will be. */
static void begin(struct engine *engine, rota_future future, struct thing *thing) {
    if (rota_future_drain(future, thing) == ROTA_OK) {
        engine->left++;
    } else {
        engine->failed++;
    }
}

static int64_t load(void *user_data) { /* on another thread */
    (void)user_data;
    return 4096;
}

/* What a callback would be elsewhere; here it is called by ourselves, where it suits us. */
static void handle(struct engine *engine, const rota_completion *done) {
    struct thing *thing = done->user_data;
    engine->left--;
    if (done->result == ROTA_ERR_CANCELLED) {
        printf("frame %d: %s will not come any more\n", engine->frame, thing->name);
    } else if (done->result < 0) {
        printf("%s: %s\n", thing->name, rota_strerror(done->outcome.status));
        engine->failed++;
    } else if (thing->kind == DOOR) {
        printf("frame %d: %s opens\n", engine->frame, thing->name);
    } else if (thing->kind == LAMP) {
        printf("frame %d: %s blinks\n", engine->frame, thing->name);
        if (++thing->times < 3) {
            begin(engine, rota_loop_sleep(engine->loop, 50 * MILLISECOND), thing);
        }
    } else {
        thing->times = (int)done->result; /* bytes, in whichever frame they came */
    }
}

static void frame(struct engine *engine) {
    rota_completion done = {0};
    done.size = sizeof done;
    engine->frame++;
    rota_loop_advance(engine->loop, FRAME);
    /* At most 2 ms of this frame; what is left goes on in the next, in the same order. */
    rota_loop_turn(engine->loop, 0, 2 * MILLISECOND, 0, NULL);
    while (rota_loop_next_completion(engine->loop, &done) == ROTA_OK) handle(engine, &done);
}

int main(void) {
    struct engine engine = {0};
    struct thing door = {DOOR, "the door", 0}, trap = {DOOR, "the trap", 0};
    struct thing lamp = {LAMP, "the lamp", 0}, asset = {ASSET, "the castle", 0};
    rota_loop_options options;
    rota_future falling;

    rota_loop_options_init(&options, sizeof options);
    options.clock = ROTA_CLOCK_VIRTUAL;
    if (rota_loop_open(&options, &engine.loop) != ROTA_OK) return 1;

    begin(&engine, rota_loop_sleep(engine.loop, 100 * MILLISECOND), &door);
    begin(&engine, rota_loop_sleep(engine.loop, 10 * MILLISECOND), &lamp);
    begin(&engine, rota_loop_call_blocking(engine.loop, load, NULL), &asset);
    falling = rota_loop_sleep(engine.loop, 60000 * MILLISECOND);
    begin(&engine, falling, &trap);

    while (engine.left > 0) {
        frame(&engine);
        if (engine.frame == 4) rota_future_cancel(falling); /* the player has left the room */
    }
    printf("%s: %d bytes\n", asset.name, asset.times);

    return rota_loop_close(engine.loop, ROTA_FOREVER) == ROTA_OK && engine.failed == 0 ? 0 : 1;
}
