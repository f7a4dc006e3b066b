/* What one request is answered with: a file or a part of it, a listing, or a refusal. */
#define _GNU_SOURCE /* preadv2 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "listing.h"
#include "path.h"
#include "server.h"

/* The head of an answer. The longest field is a Location with one encoded name in it. */
struct head {
    char text[2048];
    size_t size;
};

static void add(struct head *head, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof head->text - head->size;
    int size = vsnprintf(head->text + head->size, room, format, arguments);
    if (size > 0) head->size += (size_t)size < room ? (size_t)size : room - 1;
    va_end(arguments);
}

static void begin(struct head *head, int status, bool keep_alive) {
    char date[HTTP_DATE_SIZE];
    http_date(time(NULL), date);
    head->size = 0;
    add(head, "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: rota-file-server\r\nConnection: %s\r\n",
        status, http_reason(status), date, keep_alive ? "keep-alive" : "close");
}

/* Sends the head and what is in memory, in one system call where the socket takes it. */
static int64_t send_parts(struct connection *to, const struct head *head, const void *body,
                          size_t size) {
    const rota_buffer parts[] = {{head->text, head->size}, {body, size}};
    connection_rearm(to);
    int64_t result = rota_await(rota_stream_write_vectored(to->stream, parts, size > 0 ? 2 : 1));
    if (result > 0) to->server->bytes += (uint64_t)result;
    return result;
}

int64_t response_refuse(struct connection *to, struct http_request *request, int status) {
    struct head head;
    char page[64];
    int size = snprintf(page, sizeof page, "%d %s\n", status, http_reason(status));

    begin(&head, status, request != NULL && request->keep_alive);
    if (status == 405) add(&head, "Allow: GET, HEAD\r\n");
    add(&head, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n", size);
    bool has_page = request == NULL || request->method != HTTP_HEAD;
    int64_t result = send_parts(to, &head, page, has_page ? (size_t)size : 0);
    return result < 0 ? result : 0;
}

struct reading {
    int file;
    void *buffer;
    size_t size;
    off_t offset;
};

/* Runs on a thread of the executor. */
static int64_t read_blocking(void *user_data) {
    struct reading *reading = user_data;
    ssize_t result;
    do {
        result = pread(reading->file, reading->buffer, reading->size, reading->offset);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? ROTA_ERR_OS : result;
}

/* What the page cache holds is copied at once; only what the disk must be asked for goes to
 * another thread. Either way the loop never waits. */
static int64_t read_chunk(struct connection *to, int file, uint64_t offset, uint64_t size) {
    struct reading reading = {file, to->chunk, size < CHUNK_SIZE ? (size_t)size : CHUNK_SIZE,
                              (off_t)offset};
#ifdef RWF_NOWAIT
    struct iovec vector = {reading.buffer, reading.size};
    ssize_t result = preadv2(file, &vector, 1, reading.offset, RWF_NOWAIT);
    if (result > 0) return result;
#endif
    return rota_await(rota_loop_call_blocking(to->server->loop, read_blocking, &reading));
}

static int64_t send_file_part(struct connection *to, struct head *head, int file, uint64_t offset,
                              uint64_t size) {
    do {
        int64_t count = size > 0 ? read_chunk(to, file, offset, size) : 0;
        if (count < 0) return count;
        if (count == 0 && size > 0) return ROTA_ERR_EOF; /* the file has shrunk: cannot go on */
        int64_t result = send_parts(to, head, to->chunk, (size_t)count);
        if (result < 0) return result;
        head->size = 0;
        offset += (uint64_t)count;
        size -= (uint64_t)count;
    } while (size > 0);
    return 0;
}

static int64_t send_file(struct connection *to, struct http_request *request, const char *path,
                         int file, const struct stat *info) {
    struct head head;
    char modified[HTTP_DATE_SIZE];
    uint64_t size = (uint64_t)info->st_size, first = 0, last = size - 1;
    time_t since, now = time(NULL);
    http_date(info->st_mtime < now ? info->st_mtime : now, modified);

    if (http_parse_date(request->if_modified_since, &since) && info->st_mtime <= since) {
        begin(&head, 304, request->keep_alive);
        add(&head, "Last-Modified: %s\r\n\r\n", modified);
        return send_parts(to, &head, NULL, 0);
    }
    enum http_range range = HTTP_RANGE_WHOLE;
    bool same = request->if_range == NULL || strcmp(request->if_range, modified) == 0;
    if (request->method == HTTP_GET && same)
        range = http_range(request->range, size, &first, &last);

    if (range == HTTP_RANGE_UNSATISFIABLE) {
        begin(&head, 416, request->keep_alive);
        add(&head, "Content-Range: bytes */%" PRIu64 "\r\nContent-Length: 0\r\n\r\n", size);
        return send_parts(to, &head, NULL, 0);
    }
    uint64_t length = range == HTTP_RANGE_PART ? last - first + 1 : size;
    begin(&head, range == HTTP_RANGE_PART ? 206 : 200, request->keep_alive);
    if (range == HTTP_RANGE_PART)
        add(&head, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", first, last,
            size);
    add(&head,
        "Content-Type: %s\r\nContent-Length: %" PRIu64
        "\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n\r\n",
        path_content_type(path), length, modified);
    if (request->method == HTTP_HEAD) return send_parts(to, &head, NULL, 0);
    return send_file_part(to, &head, file, range == HTTP_RANGE_PART ? first : 0, length);
}

struct listing {
    int folder;
    const char *path;
    char *page;
    size_t size;
};

/* Runs on a thread of the executor: reading a large folder takes its time. */
static int64_t list_blocking(void *user_data) {
    struct listing *listing = user_data;
    listing->page = listing_page(listing->folder, listing->path, &listing->size);
    return listing->page == NULL ? ROTA_ERR_MEMORY : ROTA_OK;
}

static int64_t send_listing(struct connection *to, struct http_request *request, const char *path,
                            int folder) {
    struct listing listing = {.folder = folder, .path = path};
    int64_t result =
        rota_await(rota_loop_call_blocking(to->server->loop, list_blocking, &listing));
    if (result == ROTA_ERR_MEMORY) return response_refuse(to, request, 503);
    if (result >= 0) {
        struct head head;
        begin(&head, 200, request->keep_alive);
        add(&head, "Content-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\n\r\n",
            listing.size);
        result = send_parts(to, &head, listing.page,
                            request->method == HTTP_HEAD ? 0 : listing.size);
    }
    free(listing.page);
    return result;
}

/* The links in a page are relative, so a folder's address must end in a slash. The redirection
 * is relative too: it cannot lead to another host. */
static int64_t send_redirection(struct connection *to, struct http_request *request,
                                const char *path) {
    struct head head;
    char location[3 * NAME_MAX + 1] = "";
    const char *name = strrchr(path, '/');
    FILE *out = fmemopen(location, sizeof location, "w");
    if (out == NULL) return response_refuse(to, request, 503);
    path_encode(out, name == NULL ? path : name + 1);
    fclose(out);
    begin(&head, 301, request->keep_alive);
    add(&head, "Location: %s/\r\nContent-Length: 0\r\n\r\n", location);
    return send_parts(to, &head, NULL, 0);
}

static int64_t send_folder(struct connection *to, struct http_request *request, const char *path,
                           int folder) {
    struct stat info;
    int index = path_open(folder, "index.html");
    if (index < 0) return send_listing(to, request, path, folder);
    int64_t result = fstat(index, &info) == 0 && S_ISREG(info.st_mode)
                         ? send_file(to, request, "index.html", index, &info)
                         : send_listing(to, request, path, folder);
    close(index);
    return result;
}

int64_t response_send(struct connection *to, struct http_request *request) {
    bool is_folder;
    struct stat info;
    if (request->method == HTTP_OTHER) return response_refuse(to, request, 405);
    int refusal = path_decode(request->target, &is_folder);
    if (refusal != 0) return response_refuse(to, request, refusal);

    const char *path = request->target;
    int file = path_open(to->server->root, path);
    if (file < 0 || fstat(file, &info) != 0) {
        refusal = path_refusal(errno);
        if (file >= 0) close(file);
        return response_refuse(to, request, refusal);
    }
    int64_t result;
    if (S_ISREG(info.st_mode)) {
        result = is_folder ? response_refuse(to, request, 404)
                           : send_file(to, request, path, file, &info);
    } else if (S_ISDIR(info.st_mode)) {
        result = is_folder ? send_folder(to, request, path, file)
                           : send_redirection(to, request, path);
    } else {
        result = response_refuse(to, request, 403); /* a pipe or a device */
    }
    close(file);
    return result;
}
