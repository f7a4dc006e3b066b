/* Channels of letters: what is in one, and a thread that sends one letter. */
#ifndef ROTA_CHANNEL_TEST_H
#define ROTA_CHANNEL_TEST_H
#include "rota_threads.h"

static char letters[] = "abcdefghijklmnopqrstuvwxyz";

UNUSED_SAFE static rota_channel open_channel(rota_loop loop, size_t capacity) {
    rota_channel channel = {0};
    CHECK_STATUS(rota_loop_open_channel(loop, capacity, &channel), ROTA_OK);
    return channel;
}

UNUSED_SAFE static size_t size_of(rota_channel channel) {
    size_t size = 99;
    CHECK_STATUS(rota_channel_get_size(channel, &size), ROTA_OK);
    return size;
}

UNUSED_SAFE static size_t waiting_for(rota_channel channel) {
    size_t waiting = 99;
    CHECK_STATUS(rota_channel_get_waiting(channel, &waiting), ROTA_OK);
    return waiting;
}

/* The letter that comes next, '-' if none does. */
UNUSED_SAFE static char next_of(rota_channel channel) {
    void *item = NULL;
    rota_status status = rota_channel_try_receive(channel, &item);
    if (status != ROTA_OK) {
        CHECK_EITHER(status, ROTA_ERR_PENDING, ROTA_ERR_SHUT);
        return '-';
    }
    return *(char *)item;
}

UNUSED_SAFE static char letter_in(rota_future future) {
    void *item = NULL;
    CHECK_STATUS(rota_future_take_result(future, &item), ROTA_OK);
    return *(char *)item;
}

/* A thread that sends one letter. */
typedef struct {
    rota_channel channel;
    char *item;
    uint64_t timeout;
    rota_status status;
    pthread_t thread;
} sender;

UNUSED_SAFE static void *sends(void *argument) {
    sender *self = argument;
    self->status = rota_channel_send(self->channel, self->item, self->timeout);
    return NULL;
}

/* When it returns the thread stands in line. */
UNUSED_SAFE static void start_sender(sender *self, rota_channel channel, char *item,
                                     uint64_t timeout) {
    size_t before = waiting_for(channel);
    self->channel = channel;
    self->item = item;
    self->timeout = timeout;
    CHECK_EQ(pthread_create(&self->thread, NULL, sends, self), 0);
    WAIT_UNTIL(waiting_for(channel) == before + 1);
}

UNUSED_SAFE static rota_status sent(sender *self) {
    CHECK_EQ(pthread_join(self->thread, NULL), 0);
    return self->status;
}

#endif
