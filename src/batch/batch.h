/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The text of one batch, while it is collected and when it is whole
 *
 * Records become text as they come and are never looked at again; what is only known at the end, the head, is
 * put before them then, into room that was left. A batch covers a range of its source without a hole: what
 * was lost or rejected on the way is counted in it, and the next one begins where it ends.
 */

#include "i4.h"

#include "batch/json.h"
#include "batch/line.h"
#include "batch/rules.h"

#include <stdbool.h>
#include <stdint.h>

enum batch_form {
        BATCH_PLAIN,    /* an array of records */
        BATCH_ENRICHED, /* {batch_meta, records}, each with lineage and data_quality */
        BATCH_COMPACT,  /* the same without anomaly_reasons, and without the pipeline in batch_meta */
};

/* Beyond this a batch is full whatever its number of records: it is built in memory. */
#define BATCH_SIZE_MAX (UINT64_C(256) << 20)

/* Numbers of a ring's records, or of a file's lines from 1 on. */
struct batch_range {
        uint64_t first;
        uint64_t next;
};

struct batch_settings {
        enum batch_form form;
        uint64_t n_records;    /* that fill it */
        const char *edge_node; /* this and those below as they are; they stay the caller's */
        const char *pipeline;
        const struct rules *rules;
        bool is_scored; /* against what the ring knows to be wrong */
};

struct batch_score {
        uint64_t n_faulty; /* records that i4 made wrong */
        uint64_t n_found;  /* of those, how many the rules took for anomalies */
        uint64_t n_false;  /* records that are right, which the rules took for anomalies */
};

struct batch {
        struct batch_settings settings;
        char *source; /* these three as the inside of JSON strings */
        char *edge_node;
        char *pipeline;

        char *text;
        size_t size; /* of the memory */
        size_t n;    /* bytes used, the room for the head included */
        size_t head_size;
        size_t record_size; /* room that a record of the ring needs at most */

        char *tail; /* of a record that is right, as of @tail_ms */
        size_t n_tail;
        size_t n_lineage;
        uint64_t tail_ms; /* CLOCK_REALTIME, milliseconds */

        uint64_t n_records;
        uint64_t n_anomalies;
        uint64_t n_lost;
        uint64_t n_rejected;
        struct batch_range range;
        struct batch_score score;
};

/* -ENOMEM. */
int batch_init(struct batch *batch, const struct batch_settings *settings);
void batch_deinit(struct batch *batch);

/* Where the records come from, as text. Forgets what was collected. -ENOMEM. */
int batch_set_source(struct batch *batch, const char *source);

/* An empty batch that begins at @first. */
void batch_begin(struct batch *batch, uint64_t first);

/*
 * The next records, all of one read, at @now_ns (CLOCK_REALTIME). Those whose numbers do not follow say by
 * that how many were lost. -ENOMEM: none was taken.
 */
int batch_add_records(struct batch *batch, i4_encoder *encoder, const struct i4_record *records,
                size_t n_records, uint64_t now_ns);
/* The next line, a record. -ENOMEM: it was not taken. */
int batch_add_line(struct batch *batch, const struct line *line, uint64_t now_ns);
/* The next line is not a record, or there is nothing on it. */
void batch_skip_line(struct batch *batch, bool is_rejected);

/* How many more fit, 0: it is full. */
uint64_t batch_get_room(const struct batch *batch);

/* The whole text of a batch that is not empty, valid until the next begins; nothing is added in between. */
struct json_span batch_close(struct batch *batch, uint64_t now_ns);
