/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What should have been delivered
 */

#include "verify/events.h"
#include "verify/findings.h"
#include "verify/sources.h"
#include "verify/table.h"

struct truth;

/* @ignored: fields that are not compared, a bit each; the sequence: nothing is known by it. -ENOMEM. */
int truth_new(struct truth **truthp, unsigned int ignored, struct complaints *complaints);
struct truth *truth_free(struct truth *truth);

/* Each complains, or returns -ENOMEM. Incidents come before readings. */
int truth_add(struct truth *truth, const char *path);
int truth_load_events(struct truth *truth, const char *path);

/*
 * Takes the next of the readings. 1; 0: that was all, and they can be told apart; else as above.
 */
int truth_load(struct truth *truth);

/*
 * Which record @reading is: by its sequence if both have one, else by sensor and time. TABLE_NONE: none of
 * these. -EBADMSG: it has nothing to be known by. -EEXIST: complained, since by sensor and time records of
 * the truth cannot be told apart; -ENOMEM.
 */
int truth_find(struct truth *truth, const struct reading *reading, uint32_t *recordp);

/* The record as its line says it; stands until the next call. Complains. */
int truth_read(struct truth *truth, uint32_t record, const struct reading **readingp);

/* What is not compared with it. */
unsigned int truth_get_ignored(const struct truth *truth);

struct finding_record truth_describe(const struct truth *truth, uint32_t record);
/* What comes later has a larger one: the sequence where all have one, else the time. */
uint64_t truth_get_position(const struct truth *truth, uint32_t record);

bool truth_has_sequence(const struct truth *truth);
uint64_t truth_get_first_time(const struct truth *truth);
uint64_t truth_get_last_time(const struct truth *truth);
/* Readings with which something of @kind is wrong. */
uint64_t truth_get_n_wrong(const struct truth *truth, enum i4_fault kind);

struct table *truth_get_table(const struct truth *truth);
struct events *truth_get_events(const struct truth *truth);
const struct names *truth_get_names(const struct truth *truth);
const struct sources *truth_get_sources(const struct truth *truth);

static inline void truth_freep(struct truth **truth) {
        if (*truth)
                (void) truth_free(*truth);
}
