/* A loop whose errors in the log are counted, and the last of them kept. */
#ifndef ROTA_LOGGED_H
#define ROTA_LOGGED_H
#include "rota_test.h"

static size_t logged;
static char last_line[2048];

static void logs(int32_t level, const char *message, void *user_data) {
    (void)user_data;
    if (level == ROTA_LOG_ERROR) {
        logged++;
        snprintf(last_line, sizeof last_line, "%s", message);
    }
}

static rota_loop open_logging(void) {
    rota_loop_options options = loop_options(ROTA_CLOCK_VIRTUAL_JUMP);
    options.log = logs;
    logged = 0;
    return open_with(&options);
}

#endif
