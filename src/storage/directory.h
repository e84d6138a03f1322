/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The directory of readings
 *
 *     readings.jsonl                       live: appended to, never truncated while it is called that
 *     sealed/readings-<time>-<seq>.jsonl   sealed: complete, durable, never written again
 *     sealed/….suspect.jsonl               sealed after the disk failed it: what was not synced may be
 * missing .readings.first                      sequence of the live file's first record, and the file's inode
 *
 * <time> is the UTC time of the first record (20261123T104943Z), <seq> its sequence in 20 digits. The time is
 * read back from the first line after a restart; the sequence does not stand in a line, hence the small file.
 * It only serves the name: where it is missing, <seq> is that of the first record this process appended.
 *
 * Limits mean what they mean to journald. All there may be is min(MaxUse, use + free − KeepFree); the oldest
 * sealed files go first, the live file never. Who cannot get room by deleting has to stop writing.
 *
 * Opening never follows a symbolic link, and refuses what has other names or is not a regular file: nobody
 * may trick the daemon into appending to something else. One process at a time has the directory.
 */

#include "storage/writer.h"
#include "util/clock.h"

#define DIRECTORY_FILE_SIZE_MIN UINT64_C(524288)
#define DIRECTORY_NAME_MAX      96

/* A share of the file system or a number of bytes, whichever is less. */
struct directory_limit {
        uint32_t share_e4; /* hundredths of a percent; 10000 and more: no such limit */
        uint64_t bytes;    /* UINT64_MAX: no such limit */
};

struct directory_settings {
        struct directory_limit max_use;
        struct directory_limit keep_free;
        uint64_t max_file_size;    /* bytes; 0: an eighth of MaxUse, 128 MiB at most */
        uint64_t max_file_ns;      /* from a file's first record; NSEC_INFINITY: none */
        uint64_t max_retention_ns; /* since a file was sealed; NSEC_INFINITY: none */
};

#define DIRECTORY_SETTINGS_DEFAULT                                                                           \
        (struct directory_settings) {                                                                        \
                .max_use = { .share_e4 = 1000, .bytes = UINT64_C(4) << 30 },                                 \
                .keep_free = { .share_e4 = 1500, .bytes = UINT64_MAX }, .max_file_ns = 30 * NSEC_PER_DAY,    \
                .max_retention_ns = NSEC_INFINITY,                                                           \
        }

/* What the file system says, apart so that limits can be reasoned about without one. */
struct directory_space {
        uint64_t total; /* bytes; 0: unknown */
        uint64_t free;  /* bytes, for who is not root */
};

struct directory_usage {
        uint64_t use;           /* bytes allocated to live and sealed files */
        uint64_t limit;         /* what they may be now */
        uint64_t room;          /* how many bytes the live file may grow; 0: stop writing */
        uint64_t max_file_size; /* as it results from the settings */
        unsigned int n_sealed;
        bool is_whole_disk; /* the limits leave all that is free: nothing but the file system ends it */
};

struct directory;

/*
 * Creates @path (0750) and sealed/ where they are missing; not their parents. -EBUSY: another process has it.
 * Neither opens nor creates the live file.
 */
int directory_new(struct directory **directoryp, const char *path);
struct directory *directory_free(struct directory *directory);

/*
 * Opens readings.jsonl or makes one (0640), and the directories if they are gone. -ELOOP: a symbolic link;
 * -EMLINK: it has other names; -EMEDIUMTYPE: not a regular file.
 */
int directory_open_live(struct directory *directory);

/* -1 if there is none. */
int directory_get_fd(const struct directory *directory);

/* Which file it is. Size in bytes, without what is allocated behind its end. */
struct directory_identity {
        uint64_t device;
        uint64_t inode;
        uint64_t size;
};

int directory_get_identity(const struct directory *directory, struct directory_identity *identityp);

/* Is readings.jsonl still the file that is open? Somebody may have moved or removed it, or the whole
 * directory: 0 no, 1 yes. */
int directory_is_current(const struct directory *directory);

/* Has somebody cut the live file short, of which @offset bytes were written? 0 no, 1 yes. */
int directory_is_cut(const struct directory *directory, uint64_t offset);

/*
 * Makes sealed/ again where somebody removed it; and the directory, as directory_new() does, unless the live
 * file is open: that is in another place then, see directory_is_current().
 */
int directory_restore(struct directory *directory);

/*
 * Where the last whole line ends at or after @from, and how many lines lie between: what a killed process
 * wrote beyond what it could still note down. -EBADMSG: @from is no line's beginning. Reads from the end, and
 * no more than it must when @n_linesp is NULL.
 */
int directory_find_end(
                const struct directory *directory, uint64_t from, uint64_t *offsetp, uint64_t *n_linesp);

/* Writes the line feed that a torn last line lacks. 1: it did, 0: there was none to write. */
int directory_end_line(struct directory *directory);

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
 * -ENODATA. @is_suspect: a write or sync failed; the file is not synced again (the kernel would say that all
 * is well), and what lies behind @offset, begun but never completed, is cut off. @name is the name it got,
 * also with an error: where the sync fails here, it is sealed as suspect, and where that of the directories
 * does.
 */
int directory_seal(struct directory *directory, bool is_suspect, uint64_t offset,
                char name[static DIRECTORY_NAME_MAX]);

/* Closes the live file as it is. */
void directory_close_live(struct directory *directory);

int directory_measure(const struct directory *directory, struct directory_space *spacep);

/*
 * Counts, and deletes sealed files as long as there is less room than @wanted or they are older than
 * MaxRetentionSec= at @now_ns (CLOCK_REALTIME). One that somebody has a shared lock on, see flock(2), goes
 * last, and not for its age. Tells each through @deleted, which may be NULL.
 */
typedef void directory_deleted_t(void *userdata, const char *name, uint64_t bytes, bool is_old);

int directory_enforce(struct directory *directory, const struct directory_settings *settings,
                struct directory_space space, uint64_t wanted, uint64_t now_ns, directory_deleted_t *deleted,
                void *userdata, struct directory_usage *usagep);

/* One sentence for the errors above that errno has no good words for; else strerror(). @error is negative. */
const char *directory_explain(int error);

static inline void directory_freep(struct directory **directory) {
        if (*directory)
                (void) directory_free(*directory);
}
