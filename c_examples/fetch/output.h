/* Where a body goes: into a checksum, into a file, or both. */
#ifndef FETCH_OUTPUT_H
#define FETCH_OUTPUT_H

#include <rota.h>
#include <stdbool.h>
#include <stddef.h>

#include "sha256.h"

struct output {
    rota_loop loop;
    int folder; /* -1: no files */
    bool wants_sum;
    struct sha256 sha;
    int file, file_folder;
    char *name, *part; /* the file's name, and what it is called until it is complete */
    char error[128];
};

/* Begins the file for a URL's target below the folder: its name is the target as the URL spells
 * it (index.html for a folder's), made of plain names only. `number` tells transfers apart. */
int64_t output_begin(struct output *output, const char *target, size_t number);

/* An http_sink; `user_data` is the output. */
int64_t output_write(const void *data, size_t size, void *user_data);

/* Keeps the file, or removes what there is of it. Returns a status. */
int64_t output_end(struct output *output, bool is_whole, char sum[65]);

#endif
