/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Records to lines as a bad line, a bad clock or a bad programmer would deliver them
 *
 * Stands where text leaves, in the place of the encoder. What happens to a record is a function of the seed
 * and its sequence number, so the same records come out equally dirty however they were handed over. All that
 * is done is counted, and told in a log if there is one: a JSON object a line, with "seq", "sensor_id" and
 * "timestamp" of the true record, "defect", and where it makes sense "field" or "value", the true one.
 */

#include "dirt/settings.h"
#include "i4.h"

#include <stdio.h>

struct dirt;

/* A buffer of this size has room for what one record can become. */
#define DIRT_SIZE_MIN (4 * I4_LINE_MAX)

/* @extras: enum i4_extra. @log: NULL, or stays the caller's, who also looks at ferror(). */
int dirt_new(struct dirt **dirtp, const struct dirt_settings *settings, const i4_catalog *catalog,
                unsigned int extras, FILE *log);
struct dirt *dirt_free(struct dirt *dirt);

/* For records of another ring, after dirt_finish(). @catalog must outlive its use. */
int dirt_set_catalog(struct dirt *dirt, const i4_catalog *catalog);

/*
 * Takes as many of @records as have room in @buffer, DIRT_SIZE_MIN bytes at least, for sure. What came to be
 * there is more or less than them: some are held back, some come twice. Return: bytes written.
 */
size_t dirt_encode(struct dirt *dirt, const struct i4_record *records, size_t n_records, char *buffer,
                size_t size, size_t *n_takenp);

/* What is still held back; call it until there is nothing more, 0. */
size_t dirt_finish(struct dirt *dirt, char *buffer, size_t size);

/* Lines that were dirty in each way; late and out of order only if another one did come before. */
const uint64_t *dirt_get_counters(const struct dirt *dirt);

/* "missing 12, null 7", of the kinds that occurred; "none". */
void dirt_print_counters(const struct dirt *dirt, FILE *file);

static inline void dirt_freep(struct dirt **dirt) {
        if (*dirt)
                (void) dirt_free(*dirt);
}
