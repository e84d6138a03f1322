/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * i4 batch, from a source to a directory
 *
 * A source (collect-ring.c, collect-lines.c) puts what it reads into the batch and asks for its delivery when
 * that is due; all that both have in common is here. A directory without room holds the source up: it is
 * told, nothing is given up, and the same batch is delivered when there is room.
 */

#include "i4.h"

#include "batch/batch.h"
#include "batch/outbox.h"
#include "batch/target.h"
#include "tools/attach.h"
#include "tools/progress.h"
#include "tools/uplink.h"

#include <stdbool.h>

struct collector_options {
        struct attachment attachment;
        const char *input_file; /* NULL: the ring; "-": stdin */
        const char *output_dir;
        struct batch_settings batch;
        enum rules_kind rules;
        uint64_t period_ns;
        uint64_t max_use;    /* bytes */
        uint64_t n_records;  /* to end after; UINT64_MAX: no end */
        unsigned int extras; /* enum i4_extra, of records from the ring */
        uint64_t from;       /* where to begin in a ring that is new to us: I4_OLDEST, I4_NEWEST */
        bool is_uploading;   /* the directory is a spool, carried into @target */
        struct target target;
};

struct collector {
        const struct collector_options *options;
        struct outbox *outbox;
        struct rules *rules;
        struct batch batch;
        struct outbox_position position; /* behind the batch */
        bool has_position;               /* there was one when the program began */
        uint64_t due_ns; /* CLOCK_MONOTONIC when the batch is to be delivered; NSEC_INFINITY */
        char *rejected;  /* lines that wait for the batch they belong to */
        size_t rejected_size;
        size_t n_rejected;
        struct totals totals;
        struct uplink uplink;
        struct progress progress;
        int held_error; /* why there was no room the last time; 0: there was */
        uint64_t next_look_ns;
};

/* 0, or a negative errno, told. */
int collector_init(struct collector *collector, const struct collector_options *options);
void collector_deinit(struct collector *collector);

/* What the records are of: their catalog, and what batch_meta calls the source. -ENOMEM. */
int collector_set_source(struct collector *collector, const i4_catalog *catalog, const char *source,
                uint64_t sequence);

/* Room in the batch, within what is still to be read; 0: deliver. */
uint64_t collector_get_room(const struct collector *collector);
/* Records to go. */
uint64_t collector_get_left(const struct collector *collector);
bool collector_is_finished(const struct collector *collector);

/* After something was added. */
void collector_mark(struct collector *collector);
/* Nanoseconds until there is something to do. */
uint64_t collector_get_timeout(const struct collector *collector);

/* @number: of the line, which begins at @offset. Errors as collector_deliver(). */
int collector_reject(struct collector *collector, uint64_t number, uint64_t offset, const char *reason,
                struct json_span line);

/*
 * Delivers what there is. 0; -EINTR: a signal asks to stop, and there was no room; or a negative errno, told.
 */
int collector_deliver(struct collector *collector);
/* What is due: to be called at least once a second. Errors as collector_deliver(). */
int collector_tend(struct collector *collector);

/* After the last delivery: until all is uploaded. 0, or a negative errno, told. */
int collector_finish(struct collector *collector);

/* both read until they end or are asked to: 0, or a negative errno, told; -EINTR as collector_deliver() */

int collect_ring(struct collector *collector);
int collect_lines(struct collector *collector);
