/* SPDX-License-Identifier: Apache-2.0 */

#include "verify/lines.h"

#include "util/macros.h"

#include <errno.h>
#include <string.h>

/* A line and more: what is left of the last read, and a large one. */
#define BUFFER_SIZE (LINES_SIZE_MAX + (UINT64_C(1) << 18))

int lines_init(struct lines *lines, int fd) {
        *lines = (struct lines){ .fd = fd, .buffer = malloc(BUFFER_SIZE) };
        return lines->buffer ? 0 : -ENOMEM;
}

void lines_deinit(struct lines *lines) {
        free(lines->buffer);
        lines->buffer = NULL;
}

static int lines_fill(struct lines *lines) {
        ssize_t n;

        memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
        lines->end -= lines->begin;
        lines->begin = 0;

        n = read(lines->fd, lines->buffer + lines->end, BUFFER_SIZE - lines->end);
        if (n < 0)
                return -errno;

        lines->end += (size_t) n;
        lines->is_at_end = n == 0;
        return 0;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

static struct json_span span_trim(const char *text, size_t size) {
        while (size > 0 && is_blank(*text)) {
                ++text;
                --size;
        }
        while (size > 0 && is_blank(text[size - 1]))
                --size;

        return (struct json_span){ text, size };
}

/* All that is there up to the newline, if there is one; @sizep without it. 0: nothing is left at the end. */
static int lines_take(struct lines *lines, const char **textp, size_t *sizep, bool *has_endp) {
        const char *newline;
        size_t n_scanned = 0;
        int r;

        for (;;) {
                const char *text = lines->buffer + lines->begin;
                size_t n = lines->end - lines->begin;

                newline = memchr(text + n_scanned, '\n', n - n_scanned);
                if (newline || n > LINES_SIZE_MAX || lines->is_at_end) {
                        *textp = text;
                        *sizep = newline ? (size_t) (newline - text) : n;
                        *has_endp = newline;
                        lines->begin += *sizep + !!newline;
                        lines->next_offset += *sizep + !!newline;
                        return newline || n > 0;
                }

                n_scanned = n;
                r = lines_fill(lines);
                if (r < 0)
                        return r;
        }
}

/* What is left of a line whose beginning was too long already. */
static int lines_skip(struct lines *lines) {
        bool has_end = false;
        const char *text;
        size_t size;
        int r = 1;

        while (r > 0 && !has_end)
                r = lines_take(lines, &text, &size, &has_end);

        return r < 0 ? r : -EMSGSIZE;
}

int lines_next(struct lines *lines, struct json_span *linep) {
        const char *text;
        bool has_end;
        size_t size;
        int r;

        do {
                lines->offset = lines->next_offset;
                r = lines_take(lines, &text, &size, &has_end);
                if (r <= 0)
                        return r;

                ++lines->number;
                lines->is_torn = !has_end;
                if (size > LINES_SIZE_MAX)
                        return has_end ? -EMSGSIZE : lines_skip(lines);

                *linep = span_trim(text, size);
                lines->offset += (size_t) (linep->text - text);
        } while (linep->size == 0);

        return 1;
}
