/* What the file server needs to know of HTTP/1.1 (RFC 9110, RFC 9112): heads of requests, ranges,
 * dates. Plain functions over memory: nothing here waits, allocates or knows of rota. */
#ifndef FILE_SERVER_HTTP_H
#define FILE_SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { HTTP_DATE_SIZE = 30 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" and its end */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER /* known, and not for files */ };

/* A parsed head. The texts point into it; NULL where the field was not sent. */
struct http_request {
    enum http_method method;
    int minor;       /* HTTP/1.minor */
    bool keep_alive; /* the client would like to send more on this connection */
    bool has_body;
    char *target; /* the path, still encoded, without the query */
    const char *range, *if_range, *if_modified_since;
};

/* The length of the head at the start of `data`, with its empty line; 0 if it has not ended. */
size_t http_head_length(const char *data, size_t size);

/* Parses a whole head in place. Returns 0, or the status code to refuse it with. */
int http_parse(char *head, size_t size, struct http_request *out);

enum http_range { HTTP_RANGE_WHOLE, HTTP_RANGE_PART, HTTP_RANGE_UNSATISFIABLE };

/* What the Range field asks of `size` bytes. Several ranges, other units and nonsense are
 * answered with the whole, as the RFC allows. */
enum http_range http_range(const char *text, uint64_t size, uint64_t *first, uint64_t *last);

void http_date(time_t when, char out[HTTP_DATE_SIZE]);
bool http_parse_date(const char *text, time_t *out);
const char *http_reason(int status);

#endif
