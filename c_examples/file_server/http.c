#define _GNU_SOURCE /* strptime, timegm */
#include "http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t http_head_length(const char *data, size_t size) {
    const char *end = data + size;
    const char *line = data;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL) return 0;
        bool is_empty = newline == line || (newline == line + 1 && *line == '\r');
        if (is_empty) return (size_t)(newline + 1 - data);
        line = newline + 1;
    }
    return 0;
}

/* Cuts the next line off: its text without the line end, or NULL if it holds what no line of a
 * head may hold (a zero byte, or a carriage return in its middle). */
static char *cut_line(char **cursor, char *end) {
    char *line = *cursor;
    char *newline = memchr(line, '\n', (size_t)(end - line));
    if (newline == NULL) return NULL;
    *cursor = newline + 1;
    size_t length = (size_t)(newline - line);
    if (length > 0 && line[length - 1] == '\r') length--;
    line[length] = '\0';
    return strlen(line) == length && memchr(line, '\r', length) == NULL ? line : NULL;
}

static bool is_token(const char *text) {
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
            return false;
    }
    return true;
}

static int parse_version(const char *text, int *minor) {
    if (strncmp(text, "HTTP/", 5) != 0 || !isdigit((unsigned char)text[5]) || text[6] != '.' ||
        !isdigit((unsigned char)text[7]) || text[8] != '\0')
        return 400;
    *minor = text[7] == '0' ? 0 : 1;
    return text[5] == '1' ? 0 : 505;
}

static int parse_method(const char *text, enum http_method *out) {
    static const char *const known[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    if (!is_token(text)) return 400;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(text, known[i]) != 0) continue;
        *out = i == 0 ? HTTP_GET : i == 1 ? HTTP_HEAD : HTTP_OTHER;
        return 0;
    }
    return 501;
}

/* "/path?query", or the absolute form that proxies send: "http://host/path". */
static int parse_target(char *text, char **out) {
    for (const char *byte = text; *byte != '\0'; byte++) {
        if ((unsigned char)*byte <= ' ' || *byte == 0x7f || *byte == '#') return 400;
    }
    if (strncasecmp(text, "http://", 7) == 0) {
        char *path = text + 7 + strcspn(text + 7, "/?");
        if (*path == '/') {
            text = path;
        } else {
            strcpy(text, "/"); /* "http://host" means its root */
        }
    }
    if (*text != '/') return 400;
    text[strcspn(text, "?")] = '\0';
    *out = text;
    return 0;
}

static int parse_request_line(char *line, struct http_request *out) {
    char *target = strchr(line, ' ');
    char *version = strrchr(line, ' ');
    if (target == NULL || target == version) return 400;
    *target++ = '\0';
    *version++ = '\0';
    int refusal = parse_version(version, &out->minor);
    if (refusal == 0) refusal = parse_method(line, &out->method);
    if (refusal == 0 && out->method != HTTP_OTHER) refusal = parse_target(target, &out->target);
    return refusal;
}

/* Whether a comma-separated list holds a word, in any case. */
static bool list_has(const char *list, const char *word) {
    size_t length = strlen(word);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, " \t,");
        if (item == length && strncasecmp(list, word, length) == 0) return true;
        list += item;
    }
    return false;
}

static int parse_field(char *line, struct http_request *out, int *hosts) {
    char *value = strchr(line, ':');
    if (value == NULL) return 400;
    *value++ = '\0';
    if (!is_token(line)) return 400; /* also a space before the colon, or a folded line */
    value += strspn(value, " \t");
    for (size_t length = strlen(value); length > 0 && strchr(" \t", value[length - 1]); length--)
        value[length - 1] = '\0';

    if (strcasecmp(line, "Host") == 0) {
        ++*hosts;
    } else if (strcasecmp(line, "Connection") == 0) {
        if (list_has(value, "close")) out->keep_alive = false;
        else if (out->minor == 0 && list_has(value, "keep-alive")) out->keep_alive = true;
    } else if (strcasecmp(line, "Content-Length") == 0) {
        if (*value == '\0' || value[strspn(value, "0123456789")] != '\0') return 400;
        if (value[strspn(value, "0")] != '\0') out->has_body = true;
    } else if (strcasecmp(line, "Transfer-Encoding") == 0) {
        out->has_body = true;
    } else if (strcasecmp(line, "Range") == 0) {
        out->range = value;
    } else if (strcasecmp(line, "If-Range") == 0) {
        out->if_range = value;
    } else if (strcasecmp(line, "If-Modified-Since") == 0) {
        out->if_modified_since = value;
    }
    return 0;
}

int http_parse(char *head, size_t size, struct http_request *out) {
    char *cursor = head, *end = head + size;
    char *line = cut_line(&cursor, end);
    int hosts = 0;

    memset(out, 0, sizeof *out);
    if (line == NULL) return 400;
    int refusal = parse_request_line(line, out);
    if (refusal != 0) return refusal;
    out->keep_alive = out->minor == 1;

    while ((line = cut_line(&cursor, end)) != NULL && *line != '\0') {
        refusal = parse_field(line, out, &hosts);
        if (refusal != 0) return refusal;
    }
    if (line == NULL) return 400;
    return hosts > 1 || (hosts == 0 && out->minor == 1) ? 400 : 0;
}

/* Digits, or UINT64_MAX for more than fit: such a position lies behind the end of any file. */
static bool parse_position(const char **cursor, uint64_t *out) {
    const char *text = *cursor;
    uint64_t value = 0;
    while (isdigit((unsigned char)*text)) {
        uint64_t digit = (uint64_t)(*text++ - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    bool found = text != *cursor;
    *cursor = text;
    *out = value;
    return found;
}

enum http_range http_range(const char *text, uint64_t size, uint64_t *first, uint64_t *last) {
    if (text == NULL || strncasecmp(text, "bytes=", 6) != 0) return HTTP_RANGE_WHOLE;
    text += 6 + strspn(text + 6, " \t");
    bool has_first = parse_position(&text, first);
    if (*text++ != '-') return HTTP_RANGE_WHOLE;
    bool has_last = parse_position(&text, last);
    if (text[strspn(text, " \t")] != '\0') return HTTP_RANGE_WHOLE;

    if (has_first) {
        if (has_last && *last < *first) return HTTP_RANGE_WHOLE; /* nonsense */
        if (*first >= size) return HTTP_RANGE_UNSATISFIABLE;
        if (!has_last || *last >= size) *last = size - 1;
        return HTTP_RANGE_PART;
    }
    if (!has_last) return HTTP_RANGE_WHOLE;
    uint64_t suffix = *last; /* "-500": the last 500 bytes */
    if (suffix == 0 || size == 0) return HTTP_RANGE_UNSATISFIABLE;
    *first = suffix < size ? size - suffix : 0;
    *last = size - 1;
    return HTTP_RANGE_PART;
}

/* The program never calls setlocale, so the names of days and months are the English ones. */
static const char date_format[] = "%a, %d %b %Y %H:%M:%S GMT";

void http_date(time_t when, char out[HTTP_DATE_SIZE]) {
    struct tm fields;
    if (gmtime_r(&when, &fields) == NULL ||
        strftime(out, HTTP_DATE_SIZE, date_format, &fields) == 0)
        strcpy(out, "Thu, 01 Jan 1970 00:00:00 GMT");
}

bool http_parse_date(const char *text, time_t *out) {
    struct tm fields = {0};
    if (text == NULL) return false;
    const char *end = strptime(text, date_format, &fields);
    if (end == NULL || *end != '\0') return false;
    *out = timegm(&fields);
    return true;
}

const char *http_reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}
