/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The truth, as much of it as is kept in memory
 *
 * 32 bytes a record, and for each way in which records are known an index of 6 to 12 bytes each. What else a
 * record says is compared by its digest, and read again where it stands when that is another.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_DIGEST_BITS 48
#define TABLE_OFFSET_MAX  ((UINT64_C(1) << 46) - 1)
#define TABLE_NONE        UINT32_MAX

struct table_record {
        uint64_t sequence;
        uint64_t time_ns;
        uint32_t sensor;
        uint32_t digest_low;
        uint64_t digest_high : 16;
        uint64_t offset : 46; /* of its line */
        uint64_t is_delivered : 1;
        uint64_t is_detected : 1;
};

_Static_assert(sizeof(struct table_record) == 32, "as the manual says");

enum table_key {
        TABLE_BY_SEQUENCE,
        TABLE_BY_SENSOR, /* and time */
        TABLE_N_KEYS,
};

struct table;

int table_new(struct table **tablep);
struct table *table_free(struct table *table);

/* -ENOMEM; -EFBIG: more than there are numbers for. */
int table_add(struct table *table, struct table_record record);

uint32_t table_get_n(const struct table *table);
struct table_record *table_get(struct table *table, uint32_t i);
/* Bytes, indices and all. */
uint64_t table_get_size(const struct table *table);

/*
 * Makes the index, once; nothing may be added after it. -ENOMEM; -EEXIST: two records, @twins, cannot be told
 * apart by this key.
 */
int table_index(struct table *table, enum table_key key, uint32_t twins[static 2]);

/* With the index of that key; TABLE_NONE: no such record. */
uint32_t table_find_sequence(struct table *table, uint64_t sequence);
uint32_t table_find_sensor(struct table *table, uint32_t sensor, uint64_t time_ns);

static inline void table_record_set_digest(struct table_record *record, uint64_t digest) {
        record->digest_low = (uint32_t) digest;
        record->digest_high = digest >> 32 & UINT16_MAX;
}

static inline bool table_record_has_digest(const struct table_record *record, uint64_t digest) {
        return record->digest_low == (uint32_t) digest && record->digest_high == (digest >> 32 & UINT16_MAX);
}

static inline void table_freep(struct table **table) {
        if (*table)
                (void) table_free(*table);
}
