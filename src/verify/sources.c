/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files stay open until all is done: what i4d deletes meanwhile can still be read. Offsets count through all
 * files as if they were one.
 */

#include "verify/sources.h"

#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define LIVE_NAME     "readings.jsonl"
#define SEALED_NAME   "sealed"
#define SEALED_PREFIX "readings-"
#define SEALED_SUFFIX ".jsonl"

/* Nearly all lines, in one read. */
#define LINE_SIZE_USUAL ((size_t) 1024)

#define SPOOL_TEMPLATE "/i4-verify-XXXXXX"

struct source {
        char *path;
        int fd;
        FILE *spool;    /* what came through it, NULL: it can be read again itself */
        uint64_t begin; /* offset of its first byte */
        uint64_t size;  /* bytes, those of a pipe as they are read */
        bool is_regular;
        bool is_live; /* somebody writes to it */
};

struct sources {
        struct complaints *complaints;
        bool is_kept;
        struct source *list;
        size_t n;
        size_t current;
        bool is_open; /* @lines reads the current one */
        struct lines lines;
        uint64_t offset;
        char *buffer; /* for lines that are read again */
};

int sources_new(struct sources **sourcesp, bool is_kept, struct complaints *complaints) {
        _cleanup_(sources_freep) struct sources *sources = calloc(1, sizeof(*sources));

        if (!sources)
                return -ENOMEM;

        sources->is_kept = is_kept;
        sources->complaints = complaints;
        sources->buffer = malloc(LINES_SIZE_MAX);
        if (!sources->buffer)
                return -ENOMEM;

        *sourcesp = TAKE_PTR(sources);
        return 0;
}

static void source_deinit(struct source *source) {
        free(source->path);
        closep(&source->fd);
        fclosep(&source->spool);
}

static void sources_truncate(struct sources *sources, size_t n) {
        while (sources->n > n)
                source_deinit(&sources->list[--sources->n]);
}

struct sources *sources_free(struct sources *sources) {
        if (sources) {
                sources_truncate(sources, 0);
                lines_deinit(&sources->lines);
                free(sources->list);
                free(sources->buffer);
        }
        free(sources);
        return NULL;
}

static int sources_complain(struct sources *sources, const char *path, int error) {
        complain(sources->complaints, path, 0, "%s", strerror(-error));
        return error;
}

/* files */

/* A file that has no name, for who owns the descriptor alone. */
static int spool_open(FILE **spoolp) {
        const char *directory = getenv("TMPDIR");
        char path[PATH_MAX];
        FILE *spool;
        int fd;

        if (!directory || !*directory)
                directory = "/var/tmp";
        if (snprintf(path, sizeof(path), "%s" SPOOL_TEMPLATE, directory) >= (int) sizeof(path))
                return -ENAMETOOLONG;

        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        (void) unlink(path);

        spool = fdopen(fd, "w+");
        if (!spool) {
                (void) close(fd);
                return -ENOMEM;
        }

        *spoolp = spool;
        return 0;
}

static int source_open(struct source *source, const char *path, bool is_kept) {
        bool is_stdin = strcmp(path, "-") == 0;
        struct stat st;

        source->path = strdup(is_stdin ? "stdin" : path);
        if (!source->path)
                return -ENOMEM;

        source->fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                              : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (source->fd < 0 || fstat(source->fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;

        if (S_ISREG(st.st_mode)) {
                file_hold(source->fd);
                source->is_regular = true;
                source->size = (uint64_t) st.st_size;
                (void) posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
                return 0;
        }

        return is_kept ? spool_open(&source->spool) : 0;
}

static int sources_add_file(struct sources *sources, const char *path, bool is_live) {
        struct source source = { .fd = -1, .is_live = is_live }, *list;
        int r;

        r = source_open(&source, path, sources->is_kept);
        if (r >= 0) {
                list = reallocarray(sources->list, sources->n + 1, sizeof(*list));
                r = list ? 0 : -ENOMEM;
        }
        if (r < 0) {
                source_deinit(&source);
                return r;
        }

        sources->list = list;
        sources->list[sources->n++] = source;
        return 0;
}

/* directories */

static int sealed_is(const struct dirent *entry) {
        size_t n = strlen(entry->d_name), n_suffix = strlen(SEALED_SUFFIX);

        return strncmp(entry->d_name, SEALED_PREFIX, strlen(SEALED_PREFIX)) == 0 && n > n_suffix &&
               strcmp(entry->d_name + n - n_suffix, SEALED_SUFFIX) == 0;
}

/* Names begin with the sequence: their order is that of the readings. */
static int name_compare(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

struct listing {
        struct dirent **entries;
        int n;
};

static void listing_deinit(struct listing *listing) {
        for (int i = 0; i < listing->n; ++i)
                free(listing->entries[i]);
        free(listing->entries);
}

static int listing_init(struct listing *listing, const char *path) {
        listing->n = scandir(path, &listing->entries, sealed_is, name_compare);
        if (listing->n >= 0)
                return 0;

        listing->n = 0;
        return errno == ENOENT ? 0 : -errno;
}

static bool listing_equals(const struct listing *a, const struct listing *b) {
        if (a->n != b->n)
                return false;
        for (int i = 0; i < a->n; ++i)
                if (strcmp(a->entries[i]->d_name, b->entries[i]->d_name) != 0)
                        return false;

        return true;
}

static int sources_add_listing(
                struct sources *sources, const char *directory, const struct listing *listing) {
        char path[PATH_MAX];
        int r;

        for (int i = 0; i < listing->n; ++i) {
                if (snprintf(path, sizeof(path), "%s/%s", directory, listing->entries[i]->d_name) >=
                                (int) sizeof(path))
                        return -ENAMETOOLONG;
                r = sources_add_file(sources, path, false);
                if (r < 0)
                        return r;
        }

        (void) snprintf(path, sizeof(path), "%.*s" LIVE_NAME, (int) (strlen(directory) - strlen(SEALED_NAME)),
                        directory);
        r = sources_add_file(sources, path, true);
        return r == -ENOENT ? 0 : r;
}

/* -EAGAIN: files were sealed or deleted meanwhile. */
static int sources_try_directory(struct sources *sources, const char *sealed) {
        _cleanup_(listing_deinit) struct listing before = {}, after = {};
        int r;

        r = listing_init(&before, sealed);
        if (r < 0)
                return r;
        r = sources_add_listing(sources, sealed, &before);
        if (r < 0)
                return r == -ENOENT ? -EAGAIN : r;
        r = listing_init(&after, sealed);
        if (r < 0)
                return r;

        return listing_equals(&before, &after) ? 0 : -EAGAIN;
}

static int sources_add_directory(struct sources *sources, const char *path) {
        char sealed[PATH_MAX];
        size_t n = sources->n;
        int r;

        if (snprintf(sealed, sizeof(sealed), "%s/" SEALED_NAME, path) >= (int) sizeof(sealed))
                return sources_complain(sources, path, -ENAMETOOLONG);

        do {
                sources_truncate(sources, n);
                r = sources_try_directory(sources, sealed);
        } while (r == -EAGAIN);

        if (r < 0)
                return sources_complain(sources, path, r);
        if (sources->n == n) {
                complain(sources->complaints, path, 0,
                                "no readings are stored here: there is neither " LIVE_NAME " nor " SEALED_NAME
                                "/" SEALED_PREFIX "*" SEALED_SUFFIX);
                return -ENOENT;
        }

        return 0;
}

int sources_add(struct sources *sources, const char *path) {
        int r;

        r = sources_add_file(sources, path, false);
        if (r == -EISDIR && sources->is_kept)
                return sources_add_directory(sources, path);

        return r < 0 ? sources_complain(sources, path, r) : 0;
}

/* reading */

static int source_keep(struct source *source, struct json_span line, uint64_t *offsetp) {
        if (!source->spool)
                return 0;

        if (fwrite(line.text, 1, line.size, source->spool) != line.size || fputc('\n', source->spool) == EOF)
                return -errno;

        *offsetp = source->begin + source->size;
        source->size += line.size + 1;
        return 0;
}

static int sources_open_next(struct sources *sources) {
        struct source *source = &sources->list[sources->current];

        if (sources->current > 0)
                source->begin = source[-1].begin + source[-1].size;
        sources->is_open = true;
        lines_deinit(&sources->lines);
        return lines_init(&sources->lines, source->fd);
}

/* What will be looked for later is what has been read, and no byte that came after. */
static int sources_end_current(struct sources *sources) {
        struct source *source = &sources->list[sources->current];

        sources->is_open = false;
        ++sources->current;
        if (source->spool)
                return fflush(source->spool) == 0 ? 0 : -errno;

        source->size = sources->lines.next_offset;
        return 0;
}

static int sources_step(struct sources *sources, struct json_span *linep) {
        struct source *source = &sources->list[sources->current];
        int r;

        r = sources->is_open ? 0 : sources_open_next(sources);
        if (r < 0)
                return r;

        r = lines_next(&sources->lines, linep);
        if (r <= 0)
                return r;

        sources->offset = source->begin + sources->lines.offset;
        if (sources->lines.is_torn && source->is_live)
                return 0;

        r = source_keep(source, *linep, &sources->offset);
        return r < 0 ? r : 1;
}

int sources_next(struct sources *sources, struct json_span *linep) {
        while (sources->current < sources->n) {
                int r = sources_step(sources, linep);

                if (r == 0)
                        r = sources_end_current(sources);
                else if (r > 0 || r == -EMSGSIZE)
                        return r;
                if (r < 0)
                        return sources_complain(sources, sources_get_path(sources), r);
        }

        return 0;
}

const char *sources_get_path(const struct sources *sources) {
        return sources->list[MIN(sources->current, sources->n - 1)].path;
}

uint64_t sources_get_number(const struct sources *sources) {
        return sources->lines.number;
}

uint64_t sources_get_offset(const struct sources *sources) {
        return sources->offset;
}

/* reading again */

static const struct source *sources_find(const struct sources *sources, uint64_t offset) {
        size_t low = 0, high = sources->n;

        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;

                if (sources->list[middle].begin <= offset)
                        low = middle;
                else
                        high = middle;
        }

        return &sources->list[low];
}

int sources_read(struct sources *sources, uint64_t offset, struct json_span *linep) {
        const struct source *source = sources_find(sources, offset);
        uint64_t place = offset - source->begin;
        const char *newline = NULL;
        ssize_t n = 0;

        for (size_t size = LINE_SIZE_USUAL; !newline && size <= LINES_SIZE_MAX;
                        size *= LINES_SIZE_MAX / LINE_SIZE_USUAL) {
                n = pread(source->spool ? fileno(source->spool) : source->fd, sources->buffer,
                                (size_t) MIN(size, source->size - place), (off_t) place);
                if (n < 0)
                        return sources_complain(sources, source->path, -errno);
                newline = memchr(sources->buffer, '\n', (size_t) n);
        }

        *linep = (struct json_span){ sources->buffer,
                newline ? (size_t) (newline - sources->buffer) : (size_t) n };
        return 0;
}

void sources_get_progress(const struct sources *sources, uint64_t *donep, uint64_t *totalp) {
        uint64_t total = 0, done = 0;
        bool is_known = true;

        for (size_t i = 0; i < sources->n; ++i) {
                total += sources->list[i].size;
                done += i < sources->current ? sources->list[i].size : 0;
                is_known = is_known && (i < sources->current || sources->list[i].is_regular);
        }

        *donep = done + (sources->is_open ? sources->lines.next_offset : 0);
        *totalp = is_known ? total : 0;
}

unsigned int sources_get_n(const struct sources *sources) {
        return (unsigned int) sources->n;
}
