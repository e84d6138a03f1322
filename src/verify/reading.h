/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A line that a pipeline delivered, or the truth about one
 *
 * Of each field that i4 writes a hash of its value is made, so that two readings are compared by numbers. The
 * value counts and not how it is written: 1.50 is 1.5, times are instants, strings are what their escapes
 * stand for, members come in any order, and null is the same as nothing there.
 */

#include "batch/json.h"

#include <stdint.h>

#define READING_SENSOR_MAX 64u /* bytes of an id that has escapes, which i4 writes none of */
#define READING_EXTRAS_MAX 16u /* keys; more of them are only counted */
#define READING_KEY_MAX    64u

enum reading_field {
        READING_SENSOR_ID,
        READING_TIMESTAMP,
        READING_TYPE,
        READING_VALUE,
        READING_UNIT,
        READING_LATITUDE,
        READING_LONGITUDE,
        READING_MILE_POST,
        READING_PIPELINE_ID,
        READING_STATUS,
        READING_QUALITY_SCORE,
        READING_ALERT_LEVEL,
        /* Not of the reading itself: what is wrong with it, and its number. */
        READING_LABEL,
        READING_EVENT,
        READING_SEQUENCE,
        READING_N_FIELDS,
};

#define READING_BIT(field) (1u << (field))

/* Without these a reading is still whole. */
#define READING_OPTIONAL                                                                                     \
        (READING_BIT(READING_LABEL) | READING_BIT(READING_EVENT) | READING_BIT(READING_SEQUENCE))

struct reading {
        unsigned int seen; /* fields that are there, a bit each */
        uint64_t hashes[READING_N_FIELDS];
        struct json_span values[READING_N_FIELDS]; /* as they stand in the line */

        struct json_span sensor; /* the id itself; empty: there is none */
        uint64_t time_ns;
        uint64_t sequence;
        bool has_time;
        bool has_sequence;

        bool has_verdict;
        bool is_detected;           /* by what the parser looks for */
        struct json_span detection; /* the inside of the string that says so; empty: another value does */
        struct json_span extras[READING_EXTRAS_MAX]; /* keys that i4 does not write */
        unsigned int n_extras;

        char sensor_text[READING_SENSOR_MAX];
        char reason[128]; /* why it is no reading */
};

/* What several lines have in common. */
struct reading_parser {
        char detection[READING_KEY_MAX];       /* key of a detector's verdict, empty: none */
        char detection_inner[READING_KEY_MAX]; /* and the one inside of its value, empty: none */
        char second[sizeof("0000-00-00T00:00:00")];
        uint64_t second_ns; /* what the last line's second was */
        char *scratch;
};

/* @detection: a key, or two with a dot between; NULL: none. -ENAMETOOLONG, -ENOMEM. */
int reading_parser_init(struct reading_parser *parser, const char *detection);
void reading_parser_deinit(struct reading_parser *parser);

/*
 * @size: at most LINES_SIZE_MAX. Spans point into @text or @reading. -EBADMSG: not one JSON object, or a
 * key is there twice; reading->reason tells.
 */
int reading_parse(struct reading_parser *parser, struct reading *reading, const char *text, size_t size);

/* Fields, one bit each, in which two readings differ, and which of these are missing from @reading. */
unsigned int reading_compare(const struct reading *reading, const struct reading *truth, unsigned int ignored,
                unsigned int *missingp);

/*
 * One number of all fields but the sequence, equal for equal readings. One with no label and one with none
 * wrong have the same.
 */
uint64_t reading_get_digest(const struct reading *reading, unsigned int ignored);

/* "location.lat" */
const char *reading_field_to_string(enum reading_field field);
/* -EINVAL: there is no such field. */
int reading_field_from_string(const char *name);
