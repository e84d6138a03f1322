/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4 batch from a file of JSON Lines, a pipe, or standard input
 *
 * A file that was read in part goes on where the last batch ended, if it is still the same file as far as one
 * can tell: its inode, and the bytes before that place. One that was read to its end is read anew.
 */

#include "tools/collector.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

/* One line and more: what is left of the last read, and a large one. */
#define BUFFER_SIZE (LINE_MAX_SIZE + (UINT64_C(1) << 18))

#define FINGERPRINT_SIZE 4096u

#define CUT_SIZE 1024u

struct line_source {
        struct collector *collector;
        const char *path; /* "stdin" if it is that */
        int fd;
        bool is_file; /* can be read anew */
        char *buffer;
        size_t begin; /* of what is not yet a line */
        size_t end;
        uint64_t offset;    /* of @begin in the file */
        uint64_t number;    /* of the line there, from 1 */
        uint64_t n_cut;     /* bytes of the line there that were dropped, since it is too long anyway, */
        char cut[CUT_SIZE]; /* but for its beginning */
        bool is_at_end;
};

static const char *source_get_who(const struct line_source *source) {
        return source->collector->options->attachment.who;
}

/* where the file was left */

/* FNV-1a */
static uint64_t hash(const char *text, size_t size) {
        uint64_t value = UINT64_C(14695981039346656037);

        for (size_t i = 0; i < size; ++i)
                value = (value ^ (unsigned char) text[i]) * UINT64_C(1099511628211);

        return value;
}

static int file_fingerprint(int fd, uint64_t offset, uint64_t *valuep) {
        char text[FINGERPRINT_SIZE];
        size_t size = (size_t) MIN(offset, sizeof(text));
        ssize_t n;

        n = pread(fd, text, size, (off_t) (offset - size));
        if (n < 0)
                return -errno;
        if ((size_t) n < size)
                return -ENODATA;

        *valuep = hash(text, size);
        return 0;
}

/* A pipe has no place to come back to, and costs nothing here. */
static void source_set_position(struct line_source *source) {
        struct outbox_position *position = &source->collector->position;

        if (!source->is_file)
                return;

        position->offset = source->offset;
        position->is_done = source->is_at_end && source->begin == source->end;
        (void) file_fingerprint(source->fd, source->offset, &position->fingerprint);
}

static bool position_fits(
                const struct outbox_position *position, const char *path, const struct stat *st, int fd) {
        uint64_t fingerprint = 0;

        return strncmp(position->source, path, sizeof(position->source) - 1) == 0 && !position->is_done &&
               position->device == st->st_dev && position->inode == st->st_ino && position->sequence > 0 &&
               file_fingerprint(fd, position->offset, &fingerprint) >= 0 &&
               fingerprint == position->fingerprint;
}

static int source_resume(struct line_source *source, const struct stat *st) {
        struct outbox_position *position = &source->collector->position;

        if (!source->collector->has_position || !position_fits(position, source->path, st, source->fd))
                return 0;
        if (lseek(source->fd, (off_t) position->offset, SEEK_SET) < 0)
                return -errno;

        source->offset = position->offset;
        source->number = position->sequence;
        say(source_get_who(source), "%s: going on at line %" PRIu64, source->path, source->number);
        return 0;
}

static int source_open(struct line_source *source) {
        const char *path = source->collector->options->input_file;
        bool is_stdin = strcmp(path, "-") == 0;
        struct stat st;
        int r;

        source->path = is_stdin ? "stdin" : path;
        /* A pipe is waited for until somebody writes into it. */
        source->fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (source->fd < 0 || fstat(source->fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;

        source->is_file = !is_stdin && S_ISREG(st.st_mode);
        if (!source->is_file)
                return 0;

        file_hold(source->fd);
        r = source_resume(source, &st);
        source->collector->position.device = st.st_dev;
        source->collector->position.inode = st.st_ino;
        return r;
}

/* lines */

static bool line_is_blank(const char *text, size_t size) {
        for (size_t i = 0; i < size; ++i)
                if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
                        return false;

        return true;
}

static int source_reject(struct line_source *source, const char *text, size_t size, const char *reason) {
        batch_skip_line(&source->collector->batch, true);
        return collector_reject(source->collector, source->number, source->offset, reason,
                        (struct json_span){ text, size });
}

static int source_reject_long(struct line_source *source, const char *beginning) {
        char reason[64];

        (void) snprintf(reason, sizeof(reason), "longer than %u bytes; here is its beginning", LINE_MAX_SIZE);
        return source_reject(source, beginning, CUT_SIZE, reason);
}

static int source_take_line(struct line_source *source, const char *text, size_t size) {
        struct collector *collector = source->collector;
        struct line line;

        if (source->n_cut > 0)
                return source_reject_long(source, source->cut);
        if (size > LINE_MAX_SIZE)
                return source_reject_long(source, text);
        if (line_is_blank(text, size)) {
                batch_skip_line(&collector->batch, false);
                return 0;
        }
        if (line_parse(&line, text, size) < 0)
                return source_reject(source, text, size, line.reason);

        return batch_add_line(&collector->batch, &line, clock_now_ns(CLOCK_REALTIME_COARSE));
}

/* 1: there was a line; 0: there is no whole one. */
static int source_take(struct line_source *source) {
        const char *text = source->buffer + source->begin;
        size_t n_left = source->end - source->begin;
        const char *newline = memchr(text, '\n', n_left);
        size_t n_line = newline ? (size_t) (newline - text) : n_left;
        int r;

        if (!newline && !(source->is_at_end && source->n_cut + n_left > 0))
                return 0;

        r = source_take_line(source, text, n_line);
        if (r < 0)
                return r;

        n_line += newline ? 1 : 0;
        source->begin += n_line;
        source->offset += source->n_cut + n_line;
        source->n_cut = 0;
        ++source->number;
        return 1;
}

/* No line ends in a full buffer, so none will that is a record. */
static void source_cut(struct line_source *source) {
        if (source->n_cut == 0)
                memcpy(source->cut, source->buffer + source->begin, CUT_SIZE);

        source->n_cut += source->end - source->begin;
        source->begin = source->end;
}

static int source_take_all(struct line_source *source) {
        struct collector *collector = source->collector;
        int r;

        while (!stop_is_requested() && !collector_is_finished(collector)) {
                r = source_take(source);
                if (r <= 0)
                        return r;

                collector_mark(collector);
                if (collector_get_room(collector) == 0) {
                        source_set_position(source);
                        r = collector_tend(collector);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

/* reading */

/* False: nothing came before it was time to do something else. */
static bool source_wait(const struct line_source *source) {
        struct pollfd pollfd = { .fd = source->fd, .events = POLLIN };
        uint64_t timeout_ns;

        if (source->is_file)
                return true;

        timeout_ns = collector_get_timeout(source->collector);
        return poll(&pollfd, 1, (int) (timeout_ns / NSEC_PER_MSEC) + 1) > 0;
}

static int source_fill(struct line_source *source) {
        ssize_t n;

        memmove(source->buffer, source->buffer + source->begin, source->end - source->begin);
        source->end -= source->begin;
        source->begin = 0;

        if (!source_wait(source))
                return 0;

        n = read(source->fd, source->buffer + source->end, BUFFER_SIZE - source->end);
        if (n < 0)
                return errno == EINTR || errno == EAGAIN ? 0 : -errno;

        source->end += (size_t) n;
        source->is_at_end = n == 0;
        return 0;
}

static int source_step(struct line_source *source) {
        int r;

        r = source_fill(source);
        if (r < 0) {
                say(source_get_who(source), "cannot read %s: %s", source->path, strerror(-r));
                return r;
        }

        r = source_take_all(source);
        if (r < 0)
                return r;
        if (source->end - source->begin == BUFFER_SIZE)
                source_cut(source);

        collector_mark(source->collector);
        source_set_position(source);
        return collector_tend(source->collector);
}

static void source_deinit(struct line_source *source) {
        closep(&source->fd);
        free(source->buffer);
}

static int source_init(struct line_source *source) {
        int r;

        source->buffer = malloc(BUFFER_SIZE);
        if (!source->buffer)
                return -ENOMEM;

        r = source_open(source);
        if (r < 0)
                return r;

        /* The types that rules are about are those of the catalog that is compiled in. */
        return collector_set_source(
                        source->collector, i4_catalog_get_default(), source->path, source->number);
}

int collect_lines(struct collector *collector) {
        _cleanup_(source_deinit) struct line_source source = {
                .collector = collector, .fd = -1, .number = 1
        };
        int r;

        r = source_init(&source);
        if (r < 0) {
                say(source_get_who(&source), "cannot read %s: %s", collector->options->input_file,
                                strerror(-r));
                return r;
        }

        while (!stop_is_requested() && !collector_is_finished(collector) && !source.is_at_end) {
                r = source_step(&source);
                if (r < 0)
                        return r;
        }

        source_set_position(&source);
        return collector_deliver(collector);
}
