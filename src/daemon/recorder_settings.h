/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How readings are to be stored: what recorder and keeper share of it
 */

#include "storage/retention.h"
#include "storage/writer.h"
#include "util/clock.h"

struct recorder_settings {
        enum engine_kind engine;             /* at creation only */
        enum direct_io direct_io;            /* at creation only */
        unsigned int extras;                 /* of lines, enum i4_extra; at creation only */
        uint64_t flush_ns;                   /* FlushSec= */
        uint64_t sync_ns;                    /* SyncSec=; NSEC_INFINITY: only when a file is sealed */
        struct retention_settings retention; /* limits */
        /* Both in the recorder's thread, where they may wait for the disk; NULL: none; at creation only. */
        void (*look)(void *userdata, const struct i4_record *records, size_t n); /* at all that is read,
                                                                                    before it is stored */
        void (*write)(void *userdata); /* what else has to: in every turn, before anything is read */
        void *userdata;
        const struct engine_factory *factory; /* tests: makes the engine instead, else NULL */
};

#define RECORDER_SETTINGS_DEFAULT                                                                            \
        (struct recorder_settings) {                                                                         \
                .flush_ns = 250 * NSEC_PER_MSEC, .sync_ns = 30 * NSEC_PER_SEC,                               \
                .retention = RETENTION_SETTINGS_DEFAULT,                                                     \
        }
