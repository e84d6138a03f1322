/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The directory of readings
 *
 *     readings.jsonl   live: appended to, never truncated while it is called that; see live.h
 *     sealed/          complete files, never written again, see sealed.h; what has to go: see retention.h
 *     .readings.first  sequence of the live file's first record, and the file's inode
 *
 * A sealed file is named by its first record. The time is read back from the first line after a restart; the
 * sequence does not stand in a line, hence the small file. It only serves the name: where it is missing, the
 * one before that of the next record stands in the name.
 *
 * Opening never follows a symbolic link, and refuses what has other names or is not a regular file: nobody
 * may trick the daemon into appending to something else. One process at a time has the directory.
 */

#include "storage/sealed.h"

struct directory;

/*
 * Creates @path (0750) where it is missing, not its parents, and nothing in it: the disk may be read-only, or
 * not answer. -EBUSY: another process has it.
 */
int directory_new(struct directory **directoryp, const char *path);
struct directory *directory_free(struct directory *directory);

/*
 * Errors of directory_open_live() that are mistakes, or else what it may meet. Changes nothing, so that it
 * does not wait for a disk that takes nothing.
 */
int directory_verify(const struct directory *directory);

/*
 * Opens readings.jsonl or makes one (0640), and the directories if they are gone. -ELOOP: a symbolic link;
 * -EMLINK: it has other names; -EMEDIUMTYPE: not a regular file.
 */
int directory_open_live(struct directory *directory);

/* -1 if there is none. */
int directory_get_fd(const struct directory *directory);
/* Of the directory sealed/; -1: there is none yet, see directory_restore(). */
int directory_get_sealed_fd(const struct directory *directory);

/* Is readings.jsonl still the file that is open? Somebody may have moved or removed it, or the whole
 * directory: 0 no, 1 yes. */
int directory_is_current(const struct directory *directory);

/*
 * Makes sealed/ where there is none, be it that somebody removed it; and the directory, as directory_new()
 * does, unless the live file is open: that is in another place then, see directory_is_current().
 */
int directory_restore(struct directory *directory);

const char *directory_get_path(const struct directory *directory);

/* Nothing is where the directory was. */
bool directory_is_gone(const struct directory *directory);

/* Numbers below @next may be stored from now on, and that is durable: see ledger.h. */
int directory_reserve(const struct directory *directory, uint64_t next);

/* The live file's first record, or of an older one where its number is not known any more, the first that is
 * appended now. */
bool directory_has_begun(const struct directory *directory);
void directory_begin(struct directory *directory, uint64_t sequence, uint64_t time_ns);

/* CLOCK_REALTIME of the live file's first record; NSEC_INFINITY while there is none. */
uint64_t directory_get_first_time(const struct directory *directory);

/*
 * Makes the live file durable, moves it to sealed/ and leaves none open. An empty one just stays as it is:
 * -ENODATA. A hole in it becomes a line of blanks. @is_suspect: a write or sync failed; the file is not
 * synced again (the kernel would say that all is well), and what lies behind @offset, begun but never
 * completed, is cut off. @name is the name it got, also with an error: where the sync fails here, it is
 * sealed as suspect, and where that of the directories does.
 */
int directory_seal(struct directory *directory, bool is_suspect, uint64_t offset,
                char name[static SEALED_NAME_MAX]);

/* Closes the live file as it is. */
void directory_close_live(struct directory *directory);

/* One sentence for the errors above that errno has no good words for; else strerror(). @error is negative. */
const char *directory_explain(int error);

static inline void directory_freep(struct directory **directory) {
        if (*directory)
                (void) directory_free(*directory);
}
