/* From the target of a request to an open file, with no way out of the root. */
#ifndef FILE_SERVER_PATH_H
#define FILE_SERVER_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Decodes "/a/b%20c/" in place to "a/b c": no empty, "." or ".." names, no zero bytes, and no
 * slash that was hidden as %2f. Returns 0 or the status code to refuse it with. `is_folder` says
 * whether the target ended like a folder's. */
int path_decode(char *target, bool *is_folder);

/* Opens a decoded path below `root`, one name after the other, following no symbolic link: what a
 * link or a race might point at outside is never reached. -1 with errno like open. */
int path_open(int root, const char *path);

/* The status code for the errno of a failed path_open. */
int path_refusal(int error);

/* Writes a name for use in a URL. */
void path_encode(FILE *out, const char *name);

const char *path_content_type(const char *path);

#endif
