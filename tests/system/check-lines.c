/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads stored lines with sequence numbers and says which number comes next
 *
 *     check-lines FIRST <lines
 *
 * Each line has to be whole, and its number the one after the last. It is in C to be faster than what makes
 * the lines.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE ((size_t) 1 << 20)

static int complain(const char *line, size_t n, const char *what, uint64_t expected) {
        (void) fprintf(stderr, "%s where %" PRIu64 " was to come: %.*s\n", what, expected, (int) n, line);
        return -1;
}

/* 0, or -1 and said why */
static int line_check(const char *line, size_t n, uint64_t expected) {
        static const char begin[] = "{\"sensor_id\":\"SNS-", key[] = ",\"seq\":";
        const char *p = line + n;
        char text[32];
        int length;

        length = snprintf(text, sizeof(text), "%s%" PRIu64 "}", key, expected);
        if (n < sizeof(begin) - 1 + (size_t) length || memcmp(line, begin, sizeof(begin) - 1) != 0 ||
                        p[-1] != '}')
                return complain(line, n, "a torn line", expected);
        if (memcmp(p - length, text, (size_t) length) != 0)
                return complain(line, n, "another line", expected);

        return 0;
}

/* The lines that are whole, and *@restp what is left of them. */
static int lines_check(const char *text, size_t size, uint64_t *expectedp, size_t *restp) {
        const char *end = text + size, *newline;

        while ((newline = memchr(text, '\n', (size_t) (end - text)))) {
                if (line_check(text, (size_t) (newline - text), *expectedp) < 0)
                        return -1;
                ++*expectedp;
                text = newline + 1;
        }

        *restp = (size_t) (end - text);
        return 0;
}

int main(int argc, char *argv[]) {
        static char buffer[BUFFER_SIZE];
        uint64_t expected = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
        size_t n = 0, rest = 0;

        while ((n = fread(buffer + rest, 1, sizeof(buffer) - rest, stdin)) > 0) {
                n += rest;
                if (lines_check(buffer, n, &expected, &rest) < 0)
                        return 1;
                memmove(buffer, buffer + n - rest, rest);
        }

        if (rest > 0 || ferror(stdin)) {
                (void) complain(buffer, rest, "the end in the middle of a line", expected);
                return 1;
        }
        printf("%" PRIu64 "\n", expected);
        return 0;
}
