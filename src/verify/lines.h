/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lines of a file or a pipe, in one pass
 */

#include "batch/json.h"

#include <stdint.h>

#define LINES_SIZE_MAX 65536u /* bytes of a line, without the newline; a longer one is passed over */

struct lines {
        int fd; /* the caller's */
        char *buffer;
        size_t begin; /* of what is not yet taken */
        size_t end;
        uint64_t offset; /* of the line that lines_next() gave, in bytes from where reading began */
        uint64_t next_offset;
        uint64_t number; /* of that line, from 1 */
        bool is_at_end;
        bool is_torn; /* that line had no newline */
};

/* -ENOMEM. */
int lines_init(struct lines *lines, int fd);
void lines_deinit(struct lines *lines);

/*
 * The next line without its newline, white space around it and lines of nothing else; it stands until the
 * next call. 1; 0: there is none any more; -EMSGSIZE: it is too long, the one behind it comes next; -EINTR;
 * or what read() says.
 */
int lines_next(struct lines *lines, struct json_span *linep);
