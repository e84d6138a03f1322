/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files of lines, one after the other
 *
 * A file, a pipe, standard input ("-"), or the directory in which i4d stores: its sealed files, then the live
 * one, without the line that is being written. Lines can be read again where they stand; what comes through a
 * pipe is kept for that in a file without a name below $TMPDIR, or /var/tmp.
 */

#include "util/complaint.h"
#include "verify/lines.h"

struct sources;

/* Both must outlive it. @is_kept: lines are read again, and directories may be given. -ENOMEM. */
int sources_new(struct sources **sourcesp, bool is_kept, struct complaints *complaints);
struct sources *sources_free(struct sources *sources);

/* Opens it, or complains and returns what is wrong. */
int sources_add(struct sources *sources, const char *path);

/* As lines_next(), through all files; other errors have been complained about. */
int sources_next(struct sources *sources, struct json_span *linep);

/* Of the line that sources_next() gave: its file and its number there, and what finds it again. */
const char *sources_get_path(const struct sources *sources);
uint64_t sources_get_number(const struct sources *sources);
uint64_t sources_get_offset(const struct sources *sources);

/* That line again, with what is behind it cut off; after all have been read. Stands until the next call. */
int sources_read(struct sources *sources, uint64_t offset, struct json_span *linep);

/* Bytes; *@totalp 0: nobody knows how many there will be. */
void sources_get_progress(const struct sources *sources, uint64_t *donep, uint64_t *totalp);

unsigned int sources_get_n(const struct sources *sources);

static inline void sources_freep(struct sources **sources) {
        if (*sources)
                (void) sources_free(*sources);
}
