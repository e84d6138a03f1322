/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An index is a hash table with open addressing of the records' numbers, at most two thirds full. Records
 * come in about the order of the truth, so the one behind the last that was found is looked at before the
 * index.
 */

#include "verify/table.h"

#include "util/macros.h"
#include "verify/hash.h"

#include <errno.h>
#include <string.h>

#define RECORDS_MIN ((size_t) 4096)

struct index {
        uint32_t *places;
        size_t size;   /* a power of two; 0: not made */
        uint32_t next; /* behind the one found last */
};

struct table {
        struct table_record *records;
        uint32_t n_records;
        size_t capacity;
        struct index indices[TABLE_N_KEYS];
};

int table_new(struct table **tablep) {
        struct table *table = calloc(1, sizeof(*table));

        if (!table)
                return -ENOMEM;

        *tablep = table;
        return 0;
}

struct table *table_free(struct table *table) {
        if (table) {
                for (size_t i = 0; i < TABLE_N_KEYS; ++i)
                        free(table->indices[i].places);
                free(table->records);
        }
        free(table);
        return NULL;
}

/* Memory that was never written to is none: the C library moves pages, and copies nothing. */
static int table_grow(struct table *table) {
        size_t capacity = MAX(table->capacity + table->capacity / 2, RECORDS_MIN);
        struct table_record *records = reallocarray(table->records, capacity, sizeof(*records));

        if (!records)
                return -ENOMEM;

        table->records = records;
        table->capacity = capacity;
        return 0;
}

int table_add(struct table *table, struct table_record record) {
        int r;

        if (table->n_records == TABLE_NONE)
                return -EFBIG;
        if (table->n_records == table->capacity) {
                r = table_grow(table);
                if (r < 0)
                        return r;
        }

        table->records[table->n_records++] = record;
        return 0;
}

uint32_t table_get_n(const struct table *table) {
        return table->n_records;
}

struct table_record *table_get(struct table *table, uint32_t i) {
        assert(i < table->n_records);
        return &table->records[i];
}

uint64_t table_get_size(const struct table *table) {
        uint64_t size = (uint64_t) table->n_records * sizeof(*table->records);

        for (size_t i = 0; i < TABLE_N_KEYS; ++i)
                size += table->indices[i].size * sizeof(*table->indices[i].places);

        return size;
}

/* What a record is known by: a number and one to go with it. */
struct key {
        uint64_t number;
        uint32_t sensor;
};

static inline struct key record_get_key(const struct table_record *record, enum table_key key) {
        return key == TABLE_BY_SEQUENCE ? (struct key){ record->sequence, 0 }
                                        : (struct key){ record->time_ns, record->sensor };
}

static inline bool record_has_key(const struct table_record *record, enum table_key by, struct key key) {
        struct key own = record_get_key(record, by);

        return own.number == key.number && own.sensor == key.sensor;
}

static inline size_t key_hash(struct key key) {
        return random_mix(key.number + key.sensor * HASH_STEP);
}

static uint32_t *index_find_place(const struct table *table, enum table_key by, struct key key) {
        const struct index *index = &table->indices[by];
        size_t i = key_hash(key) & (index->size - 1);

        while (index->places[i] != TABLE_NONE && !record_has_key(&table->records[index->places[i]], by, key))
                i = (i + 1) & (index->size - 1);

        return &index->places[i];
}

static int index_fill(struct table *table, enum table_key by, uint32_t twins[static 2]) {
        for (uint32_t i = 0; i < table->n_records; ++i) {
                uint32_t *place = index_find_place(table, by, record_get_key(&table->records[i], by));

                if (*place != TABLE_NONE) {
                        twins[0] = *place;
                        twins[1] = i;
                        return -EEXIST;
                }
                *place = i;
        }

        return 0;
}

static void index_clear(struct index *index) {
        free(index->places);
        *index = (struct index){};
}

int table_index(struct table *table, enum table_key key, uint32_t twins[static 2]) {
        struct index *index = &table->indices[key];
        size_t size = 16;
        int r;

        if (index->size > 0)
                return 0;

        while (size / 3 * 2 <= table->n_records)
                size *= 2;
        index->places = malloc(size * sizeof(*index->places));
        if (!index->places)
                return -ENOMEM;

        memset(index->places, 0xff, size * sizeof(*index->places));
        index->size = size;
        r = index_fill(table, key, twins);
        if (r < 0)
                index_clear(index);

        return r;
}

static uint32_t table_find(struct table *table, enum table_key by, struct key key) {
        struct index *index = &table->indices[by];
        uint32_t found = index->next;

        assert(index->size > 0);
        if (found >= table->n_records || !record_has_key(&table->records[found], by, key))
                found = *index_find_place(table, by, key);
        if (found != TABLE_NONE)
                index->next = found + 1;

        return found;
}

uint32_t table_find_sequence(struct table *table, uint64_t sequence) {
        return table_find(table, TABLE_BY_SEQUENCE, (struct key){ sequence, 0 });
}

uint32_t table_find_sensor(struct table *table, uint32_t sensor, uint64_t time_ns) {
        return table_find(table, TABLE_BY_SENSOR, (struct key){ time_ns, sensor });
}
