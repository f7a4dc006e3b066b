#define _POSIX_C_SOURCE 200809L
#include "listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"

struct entry {
    char *name;
    bool is_folder;
    intmax_t size;
};

struct entries {
    struct entry *items;
    size_t count, capacity;
};

/* Folders first, then by name, byte for byte: the same page on every machine. */
static int compare(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    if (a->is_folder != b->is_folder) return a->is_folder ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool add(struct entries *entries, const char *name, const struct stat *info) {
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity == 0 ? 64 : entries->capacity * 2;
        struct entry *items = realloc(entries->items, capacity * sizeof *items);
        if (items == NULL) return false;
        entries->items = items;
        entries->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL) return false;
    entries->items[entries->count++] =
        (struct entry){copy, S_ISDIR(info->st_mode), (intmax_t)info->st_size};
    return true;
}

/* Shows only what would be served: files and folders, no links, pipes or devices. */
static bool read_entries(int folder, struct entries *entries) {
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (stream == NULL) {
        if (copy >= 0) close(copy);
        return false;
    }
    bool ok = true;
    for (struct dirent *found; ok && (found = readdir(stream)) != NULL;) {
        struct stat info;
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
        if (fstatat(folder, found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) ok = add(entries, found->d_name, &info);
    }
    closedir(stream);
    return ok;
}

static void escape(FILE *page, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': fputs("&amp;", page); break;
        case '<': fputs("&lt;", page); break;
        case '>': fputs("&gt;", page); break;
        case '"': fputs("&quot;", page); break;
        case '\'': fputs("&#39;", page); break;
        default: fputc(*text, page);
        }
    }
}

static void write_entry(FILE *page, const struct entry *entry) {
    const char *mark = entry->is_folder ? "/" : "";
    fputs("<tr><td><a href=\"", page);
    path_encode(page, entry->name);
    fprintf(page, "%s\">", mark);
    escape(page, entry->name);
    fprintf(page, "%s</a></td><td align=\"right\">", mark);
    if (!entry->is_folder) fprintf(page, "%jd", entry->size);
    fputs("</td></tr>\n", page);
}

char *listing_page(int folder, const char *path, size_t *size) {
    struct entries entries = {0};
    char *text = NULL;
    FILE *page = open_memstream(&text, size);
    if (page == NULL) return NULL;

    bool ok = read_entries(folder, &entries);
    if (entries.count > 0) qsort(entries.items, entries.count, sizeof *entries.items, compare);

    fputs("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>/", page);
    escape(page, path);
    fputs("</title></head>\n<body><h1>/", page);
    escape(page, path);
    fputs("</h1>\n<table>\n", page);
    if (*path != '\0') fputs("<tr><td><a href=\"../\">../</a></td><td></td></tr>\n", page);
    for (size_t i = 0; i < entries.count; i++) {
        write_entry(page, &entries.items[i]);
        free(entries.items[i].name);
    }
    fputs("</table>\n</body></html>\n", page);
    free(entries.items);

    ok = ferror(page) == 0 && ok;
    ok = fclose(page) == 0 && ok;
    if (ok) return text;
    free(text);
    return NULL;
}
