/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The list of anchors, beside the readings
 *
 * The pacer keeps the last anchors in memory that survives the process; here they get to a file, which
 * survives the node, with the settings that hold (see note.h). How far that got is kept in the same memory,
 * so what a daemon that was killed had no time to note its successor notes. A file that has grown to a
 * mebibyte becomes the old one, in place of the old one before it. Main loop only, which waits for no disk: a
 * note is one when it lies in the spool.
 */

#include "daemon/pacer.h"
#include "daemon/spool.h"
#include "model/note.h"

struct anchors;

/* For the spool. */
#define ANCHORS_SIZE_MAX ((size_t) 1024 * 1024)

/* @spool and @state must outlive it. -ENOMEM. */
int anchors_new(struct anchors **anchorsp, struct spool *spool, struct pacer_state *state);
struct anchors *anchors_free(struct anchors *anchors);

/*
 * What holds from now on, in notes; all is copied. @head is the next record where nobody makes any at this
 * moment, as before a start: settings that differ from those noted last are noted then as holding from there.
 */
int anchors_set_settings(struct anchors *anchors, const struct note_settings *settings);
int anchors_begin(struct anchors *anchors, uint64_t head);

/* Notes all that is not noted yet, and in a new file what holds. -ENOBUFS, -ENOMEM: call again. */
int anchors_note(struct anchors *anchors);

static inline void anchors_freep(struct anchors **anchors) {
        if (*anchors)
                (void) anchors_free(*anchors);
}
