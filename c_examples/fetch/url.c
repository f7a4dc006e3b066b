#define _POSIX_C_SOURCE 200809L
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool copy(char *out, size_t room, const char *text, size_t size) {
    if (size == 0 || size >= room) return false;
    memcpy(out, text, size);
    out[size] = '\0';
    return true;
}

/* "example.org", "example.org:8080", "[::1]:8080" */
static bool parse_authority(const char *text, size_t size, struct url *out) {
    const char *host = text, *end = text + size, *host_end, *rest;
    if (size > 0 && *text == '[') {
        host = text + 1;
        host_end = memchr(text, ']', size);
        if (host_end == NULL) return false;
        rest = host_end + 1;
    } else {
        host_end = memchr(text, ':', size);
        if (host_end == NULL) host_end = end;
        rest = host_end;
    }
    if (!copy(out->host, sizeof out->host, host, (size_t)(host_end - host))) return false;
    if (rest == end) return copy(out->port, sizeof out->port, "80", 2);
    if (*rest++ != ':' || strspn(rest, "0123456789") < (size_t)(end - rest)) return false;
    return copy(out->port, sizeof out->port, rest, (size_t)(end - rest));
}

bool url_parse(const char *text, struct url *out) {
    memset(out, 0, sizeof *out);
    if (strncasecmp(text, "http://", 7) != 0) return false;
    for (const char *byte = text; *byte != '\0'; byte++) {
        /* Above all no line ends: they would begin a field of the request's. */
        if ((unsigned char)*byte <= ' ' || *byte == 0x7f) return false;
    }
    const char *authority = text + 7;
    size_t size = strcspn(authority, "/?#");
    const char *path = authority + size;
    size_t length = strcspn(path, "#");

    if (!parse_authority(authority, size, out)) return false;
    out->host_field = strndup(authority, size);
    out->target = malloc(length + 2);
    if (out->host_field == NULL || out->target == NULL) {
        url_free(out);
        return false;
    }
    snprintf(out->target, length + 2, "%s%.*s", *path == '/' ? "" : "/", (int)length, path);
    return true;
}

void url_free(struct url *url) {
    free(url->host_field);
    free(url->target);
    url->host_field = url->target = NULL;
}
