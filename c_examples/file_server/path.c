#define _POSIX_C_SOURCE 200809L
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int hex(char digit) {
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    return found == NULL ? -1 : (int)(found - digits) % 16;
}

/* Decodes the name between two slashes. It is decoded once and only once: "%252e" is the name
 * "%2e", which is nothing special. */
static int decode_name(const char *from, size_t size, char *to, size_t *length) {
    *length = 0;
    for (size_t i = 0; i < size; i++) {
        char byte = from[i];
        if (byte == '%') {
            int high = i + 2 < size ? hex(from[i + 1]) : -1;
            int low = high < 0 ? -1 : hex(from[i + 2]);
            if (low < 0) return 400;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (byte == '\0') return 400;
        if (byte == '/') return 404; /* no file has this in its name */
        to[(*length)++] = byte;
    }
    return 0;
}

int path_decode(char *target, bool *is_folder) {
    char *from = target, *to = target;
    *is_folder = true;
    while (*from != '\0') {
        size_t length, size = strcspn(from, "/");
        if (to != target) *to++ = '/';
        int refusal = decode_name(from, size, to, &length);
        if (refusal != 0) return refusal;
        if (length == 2 && memcmp(to, "..", 2) == 0) return 403;
        bool is_name = length > 0 && !(length == 1 && *to == '.');
        *is_folder = !is_name || from[size] == '/';
        if (is_name) to += length;
        else if (to != target) to--;
        from += size + (from[size] == '/');
    }
    *to = '\0';
    return 0;
}

int path_open(int root, const char *path) {
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
    int folder = root;
    for (;;) {
        char name[NAME_MAX + 1] = ".";
        size_t length = strcspn(path, "/");
        bool is_last = path[length] == '\0';
        int next = -1;
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
        } else {
            if (length > 0) memcpy(name, path, length), name[length] = '\0';
            /* Not blocking, so that a named pipe without a writer cannot hold the loop. */
            next = openat(folder, name, flags | (is_last ? O_NONBLOCK | O_NOCTTY : O_DIRECTORY));
        }
        int error = errno;
        if (folder != root) close(folder);
        errno = error;
        if (next < 0 || is_last) return next;
        folder = next;
        path += length + 1;
    }
}

int path_refusal(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP: /* a symbolic link: as if it were not there */
        return 404;
    case EACCES:
    case EPERM:
    case ENXIO: /* a socket, or a device without a driver */
    case ENODEV:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

void path_encode(FILE *out, const char *name) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *name != '\0'; name++) {
        if (strchr(safe, *name) != NULL) fputc(*name, out);
        else fprintf(out, "%%%02X", (unsigned char)*name);
    }
}

const char *path_content_type(const char *path) {
    static const char *const types[][2] = {
        {"html", "text/html; charset=utf-8"},  {"htm", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},    {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"txt", "text/plain; charset=utf-8"},  {"md", "text/markdown; charset=utf-8"},
        {"c", "text/plain; charset=utf-8"},    {"h", "text/plain; charset=utf-8"},
        {"hpp", "text/plain; charset=utf-8"},  {"rs", "text/plain; charset=utf-8"},
        {"py", "text/plain; charset=utf-8"},   {"toml", "text/plain; charset=utf-8"},
        {"csv", "text/csv; charset=utf-8"},    {"json", "application/json"},
        {"xml", "application/xml"},            {"pdf", "application/pdf"},
        {"wasm", "application/wasm"},          {"zip", "application/zip"},
        {"gz", "application/gzip"},            {"tar", "application/x-tar"},
        {"png", "image/png"},                  {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},                {"gif", "image/gif"},
        {"webp", "image/webp"},                {"svg", "image/svg+xml"},
        {"ico", "image/vnd.microsoft.icon"},   {"woff2", "font/woff2"},
        {"mp3", "audio/mpeg"},                 {"ogg", "audio/ogg"},
        {"mp4", "video/mp4"},                  {"webm", "video/webm"},
    };
    const char *name = strrchr(path, '/');
    const char *suffix = strrchr(name == NULL ? path : name, '.');
    for (size_t i = 0; suffix != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcasecmp(suffix + 1, types[i][0]) == 0) return types[i][1];
    }
    return "application/octet-stream";
}
