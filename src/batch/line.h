/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A line of input as a record
 *
 * Records keep their text, whatever it holds besides the fields that make a record: sensor_id and type
 * (strings that are not empty), timestamp (RFC 3339) and value (a number); quality_score, where there is one,
 * is a number from 0 to 1, and a label, where i4 has put one, says whether the reading was made wrong. Spans
 * point into the line.
 */

#include "batch/json.h"

#define LINE_MAX_SIZE     65536u /* bytes, without the newline; nothing longer is a record */
#define LINE_REPLACED_MAX 2u

struct line {
        struct json_span text; /* the object, without white space around it */
        struct json_span type;
        double value;
        double quality; /* 1 if the record does not say */
        bool is_faulty; /* by its label */

        /* Members that enrichment puts its own in the place of, in the order of the text. */
        struct json_span replaced[LINE_REPLACED_MAX];
        unsigned int n_replaced;

        unsigned int seen; /* fields that were there, a bit each */
        char reason[128];  /* why it is no record */
};

/* @size: at most LINE_MAX_SIZE. -EBADMSG: not a record, line->reason says why. */
int line_parse(struct line *line, const char *text, size_t size);

/*
 * Writes the record without its closing brace and without what is replaced, and returns the bytes written; at
 * most as many as the text has.
 */
size_t line_copy(const struct line *line, char *buffer);
