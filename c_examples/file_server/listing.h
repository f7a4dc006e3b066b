/* The page that shows what is in a folder. */
#ifndef FILE_SERVER_LISTING_H
#define FILE_SERVER_LISTING_H

#include <stddef.h>

/* Writes the page for an open folder, which stays open; `path` is its decoded path. Reads the
 * disk, so it belongs on a thread that may wait. Returns memory to free, or NULL. */
char *listing_page(int folder, const char *path, size_t *size);

#endif
