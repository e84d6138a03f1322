/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much is kept, and what has to go
 *
 * Limits mean what they mean to journald. All there may be is min(MaxUse, use + free − KeepFree); the oldest
 * sealed files go first, the live file never. Who cannot get room by deleting has to stop writing.
 *
 * Nothing is remembered from one time to the next: consumers may remove files, too.
 */

#include "util/clock.h"

#include <stdbool.h>

#define RETENTION_FILE_SIZE_MIN UINT64_C(524288)

/* A share of the file system or a number of bytes, whichever is less. */
struct retention_limit {
        uint32_t share_e4; /* hundredths of a percent; 10000 and more: no such limit */
        uint64_t bytes;    /* UINT64_MAX: no such limit */
};

struct retention_settings {
        struct retention_limit max_use;
        struct retention_limit keep_free;
        uint64_t max_file_size;    /* bytes; 0: an eighth of MaxUse, 128 MiB at most */
        uint64_t max_file_ns;      /* from a file's first record; NSEC_INFINITY: none */
        uint64_t max_retention_ns; /* since a file was sealed; NSEC_INFINITY: none */
};

#define RETENTION_SETTINGS_DEFAULT                                                                           \
        (struct retention_settings) {                                                                        \
                .max_use = { .share_e4 = 1000, .bytes = UINT64_C(4) << 30 },                                 \
                .keep_free = { .share_e4 = 1500, .bytes = UINT64_MAX }, .max_file_ns = 30 * NSEC_PER_DAY,    \
                .max_retention_ns = NSEC_INFINITY,                                                           \
        }

/* What the file system says, apart so that limits can be reasoned about without one. */
struct retention_space {
        uint64_t total; /* bytes; 0: unknown */
        uint64_t free;  /* bytes, for who is not root */
};

/* Of the file system that @fd is on. */
int retention_measure(int fd, struct retention_space *spacep);

struct retention_demand {
        int sealed_fd; /* the directory of the sealed files */
        int live_fd;   /* -1: there is none */
        struct retention_space space;
        uint64_t wanted; /* room, bytes */
        uint64_t now_ns; /* CLOCK_REALTIME */
};

struct retention_usage {
        uint64_t use;           /* bytes allocated to live and sealed files */
        uint64_t limit;         /* what they may be now */
        uint64_t room;          /* how many bytes the live file may grow; 0: stop writing */
        uint64_t max_file_size; /* as it results from the settings */
        unsigned int n_sealed;
        bool is_whole_disk; /* the limits leave all that is free: nothing but the file system ends it */
};

/* @is_old: for its age, not for room. */
typedef void retention_deleted_t(void *userdata, const char *name, uint64_t bytes, bool is_old);

/*
 * Counts, and deletes sealed files as long as there is less room than wanted or they are older than
 * MaxRetentionSec=. One that somebody has a shared lock on, see flock(2), goes last, and not for its age.
 * Tells each through @deleted, which may be NULL.
 */
int retention_enforce(const struct retention_settings *settings, const struct retention_demand *demand,
                retention_deleted_t *deleted, void *userdata, struct retention_usage *usagep);
