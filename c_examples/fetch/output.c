#define _POSIX_C_SOURCE 200809L
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http_client.h"

static int64_t fail(struct output *output, const char *doing, int error) {
    snprintf(output->error, sizeof output->error, "%s: %s", doing, strerror(error));
    return FETCH_ERR_FILE;
}

static void let_go(struct output *output) {
    if (output->file >= 0) close(output->file);
    if (output->file_folder >= 0) close(output->file_folder);
    free(output->name);
    free(output->part);
    output->name = output->part = NULL;
    output->file = output->file_folder = -1;
}

/* Makes the folders on the way and cuts them off `path`. No link is followed, so nothing is
 * written outside the folder. Returns the last one, open, or -1 with errno. */
static int open_folders(int root, char **path) {
    int folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (char *slash; folder >= 0 && (slash = strchr(*path, '/')) != NULL; *path = slash + 1) {
        *slash = '\0';
        if (slash == *path) continue; /* an empty name, as in "a//b" */
        int next = -1;
        if (strcmp(*path, "..") == 0 || strcmp(*path, ".") == 0) {
            errno = EINVAL;
        } else if (mkdirat(folder, *path, 0777) == 0 || errno == EEXIST) {
            next = openat(folder, *path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        int error = errno;
        close(folder);
        errno = error;
        folder = next;
    }
    return folder;
}

int64_t output_begin(struct output *output, const char *target, size_t number) {
    sha256_begin(&output->sha);
    output->file = output->file_folder = -1;
    output->name = output->part = NULL;
    if (output->folder < 0) return 0;

    char *path = strdup(target), *rest = path;
    if (path == NULL) return fail(output, "file", ENOMEM);
    output->file_folder = open_folders(output->folder, &rest);
    int error = output->file_folder < 0 ? errno : 0;
    if (strcmp(rest, "..") == 0 || strcmp(rest, ".") == 0) error = EINVAL;
    if (error == 0) {
        size_t room = strlen(rest) + 40;
        output->name = strdup(*rest == '\0' ? "index.html" : rest);
        output->part = malloc(room);
        if (output->name == NULL || output->part == NULL) error = ENOMEM;
        else snprintf(output->part, room, "%s.%zu.part", rest, number);
    }
    free(path);
    if (error == 0) {
        output->file = openat(output->file_folder, output->part,
                              O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (output->file < 0) error = errno;
    }
    if (error == 0) return 0;
    let_go(output);
    return fail(output, target, error);
}

struct writing {
    struct output *output;
    const char *data;
    size_t size;
    int error;
};

/* Runs on a thread of the executor: the disk may be slow and the sum takes its time, but the loop
 * never waits for either. */
static int64_t write_blocking(void *user_data) {
    struct writing *writing = user_data;
    struct output *output = writing->output;
    if (output->wants_sum) sha256_add(&output->sha, writing->data, writing->size);
    while (output->file >= 0 && writing->size > 0) {
        ssize_t size = write(output->file, writing->data, writing->size);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) {
            writing->error = errno;
            return FETCH_ERR_FILE;
        }
        writing->data += size;
        writing->size -= (size_t)size;
    }
    return 0;
}

/* The task waits until the job has ended, also when it is cancelled meanwhile: `writing`, on its
 * stack, and the data stay where they are. */
int64_t output_write(const void *data, size_t size, void *user_data) {
    struct output *output = user_data;
    if (!output->wants_sum && output->file < 0) return 0;
    struct writing writing = {.output = output, .data = data, .size = size};
    int64_t result = rota_await(rota_loop_call_blocking(output->loop, write_blocking, &writing));
    return result == FETCH_ERR_FILE ? fail(output, "write", writing.error) : result;
}

int64_t output_end(struct output *output, bool is_whole, char sum[65]) {
    int error = 0;
    sha256_end(&output->sha, sum);
    if (output->file < 0) return 0;
    if (close(output->file) != 0) error = errno;
    output->file = -1;
    if (error == 0 && is_whole &&
        renameat(output->file_folder, output->part, output->file_folder, output->name) != 0)
        error = errno;
    if (error != 0 || !is_whole) unlinkat(output->file_folder, output->part, 0);
    let_go(output);
    return error == 0 ? 0 : fail(output, "file", error);
}
