/* http:// addresses, taken apart. */
#ifndef FETCH_URL_H
#define FETCH_URL_H

#include <stdbool.h>

struct url {
    char host[256];   /* without the brackets of an IPv6 address */
    char port[6];
    char *host_field; /* as the Host field spells it */
    char *target;     /* the path and query, as they were given */
};

/* False if it is not an http:// address. What url_parse has made is freed by url_free. */
bool url_parse(const char *text, struct url *out);
void url_free(struct url *url);

#endif
