/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The list of anchors, beside the readings
 *
 * The pacer keeps the last anchors in memory that survives the process; here they go to a file, which
 * survives the node, with the settings that hold (see note.h). How far that got is kept in the same memory,
 * so what a daemon that was killed had no time to note its successor notes. A file that has grown to a
 * mebibyte becomes the old one, in place of the old one before it. Main loop only.
 */

#include "daemon/pacer.h"
#include "model/note.h"

struct anchors;

/* @state must outlive it. -ENOMEM. */
int anchors_new(struct anchors **anchorsp, const char *directory, struct pacer_state *state);
struct anchors *anchors_free(struct anchors *anchors);

/*
 * What holds from now on, in notes; all is copied. @head is the next record where nobody makes any at this
 * moment, as before a start: settings that differ from those noted last are noted then as holding from there.
 */
int anchors_set_settings(struct anchors *anchors, const struct note_settings *settings);
int anchors_begin(struct anchors *anchors, uint64_t head);

/* Notes all that is not noted yet, on disk when it returns. An error is one of open(), write(); call again.
 */
int anchors_note(struct anchors *anchors);

static inline void anchors_freep(struct anchors **anchors) {
        if (*anchors)
                (void) anchors_free(*anchors);
}
