/* An allocator that fails where it is told to, and scenes that are played with each allocation
 * failing in turn, once or from there on. */
#ifndef FAILING_MEMORY_H
#define FAILING_MEMORY_H
#include "rota_test.h"

/* ---- an allocator that remembers, and fails where it is told to */

typedef struct {
    size_t size, align, offset;
    uint64_t mark;
} header;

static struct {
    size_t blocks, bytes, calls;
    int64_t fail_at; /* the number of the call that fails; negative: none */
    bool for_ever;   /* ... and all that follow */
    size_t failures;
    pthread_t owner;
} memory;

static const uint64_t MARK = 0x726f74612d626c6b;

static bool shall_fail(void) {
    int64_t number = (int64_t)memory.calls++;
    bool fails = memory.fail_at >= 0 &&
                 (number == memory.fail_at || (memory.for_ever && number > memory.fail_at));
    CHECK(pthread_equal(memory.owner, pthread_self())); /* never from another thread */
    if (fails) memory.failures++;
    return fails;
}

static void *take_block(size_t size, size_t align) {
    size_t room = align > sizeof(header) ? align : (sizeof(header) + align - 1) / align * align;
    char *start = aligned_alloc(align < 16 ? 16 : align, (room + size + 63) / 64 * 64);
    header *head;
    CHECK(size > 0 && align > 0 && (align & (align - 1)) == 0);
    CHECK(start != NULL);
    head = (header *)(void *)(start + room - sizeof(header));
    head->size = size;
    head->align = align;
    head->offset = room;
    head->mark = MARK;
    memory.blocks++;
    memory.bytes += size;
    return start + room;
}

static void give_back(void *block, size_t size, size_t align) {
    header *head = (header *)(void *)((char *)block - sizeof(header));
    CHECK(head->mark == MARK);
    CHECK_EQ(head->size, size);
    CHECK_EQ(head->align, align);
    head->mark = 0;
    memory.blocks--;
    memory.bytes -= size;
    free((char *)block - head->offset);
}

static void *test_alloc(size_t size, size_t align, void *user_data) {
    CHECK(user_data == &memory);
    return shall_fail() ? NULL : take_block(size, align);
}

static void *test_realloc(void *block, size_t old_size, size_t new_size, size_t align,
                          void *user_data) {
    void *larger;
    CHECK(user_data == &memory);
    if (shall_fail()) return NULL;
    larger = take_block(new_size, align);
    memcpy(larger, block, old_size < new_size ? old_size : new_size);
    give_back(block, old_size, align);
    return larger;
}

static void test_free(void *block, size_t size, size_t align, void *user_data) {
    CHECK(user_data == &memory);
    CHECK(pthread_equal(memory.owner, pthread_self()));
    give_back(block, size, align);
}

static rota_loop_options remembering(int64_t fail_at, bool for_ever) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    memset(&memory, 0, sizeof memory);
    memory.owner = pthread_self();
    memory.fail_at = fail_at;
    memory.for_ever = for_ever;
    options.allocator.alloc = test_alloc;
    options.allocator.realloc = test_realloc;
    options.allocator.dealloc = test_free;
    options.allocator.user_data = &memory;
    return options;
}

/* Whether it worked; lack of memory is the one failure that may be. */
static bool worked(int64_t status) {
    if (status == ROTA_ERR_MEMORY) {
        CHECK(memory.failures > 0);
        return false;
    }
    CHECK(status >= 0);
    return true;
}

/* ---- playing a scene */

static size_t play(void (*scene)(rota_loop), int64_t fail_at, bool for_ever) {
    rota_loop_options options = remembering(fail_at, for_ever);
    rota_loop loop = {0};
    if (worked(rota_loop_open(&options, &loop))) {
        scene(loop);
        CHECK_STATUS(rota_loop_close(loop, SECOND), ROTA_OK);
    } else {
        CHECK_EQ(loop.id, 0);
    }
    CHECK_EQ(memory.blocks, 0);
    CHECK_EQ(memory.bytes, 0);
    return memory.failures;
}

static void everywhere(void (*scene)(rota_loop)) {
    int64_t index = 0;
    CHECK_EQ(play(scene, -1, false), 0);
    CHECK(memory.calls > 0);
    while (play(scene, index, false) > 0) index++;
    for (index = 0; play(scene, index, true) > 0;) index++;
    CHECK(index > 0);
}

#endif
