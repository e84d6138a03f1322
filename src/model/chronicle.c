/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of those that go on is a hash table with open addressing, keyed by what tells an incident from
 * others: its id and its target. When it is full, what has passed is left out, and if that is less than half
 * the table doubles.
 */

#include "model/chronicle.h"

#include "model/scenario_file.h"
#include "util/macros.h"
#include "util/random.h"

#include <errno.h>
#include <stdlib.h>

#define TABLE_SIZE_MIN 256u

struct known {
        uint64_t key; /* 0: an empty place */
        uint64_t until_ns;
};

struct chronicle {
        const struct model *model;
        const struct scenario *scenario;
        const struct i4_catalog *catalog;
        FILE *file;
        struct known *table;
        size_t size; /* a power of two */
        size_t n_known;
        uint64_t n_incidents;
};

/* Ids are unique within a target; an id is never 0, and so is no key. */
static uint64_t get_key(uint32_t id, bool is_pipeline, uint32_t target) {
        return (uint64_t) id << 32 | (is_pipeline ? UINT32_MAX - target : target);
}

static uint64_t record_get_key(const struct i4_record *record) {
        bool is_pipeline = record->fault >= I4_FAULT_LEAK;

        return get_key(record->event, is_pipeline, is_pipeline ? record->pipeline : record->sensor);
}

static struct known *table_find(struct known *table, size_t size, uint64_t key) {
        size_t i = random_mix(key) & (size - 1);

        while (table[i].key != 0 && table[i].key != key)
                i = (i + 1) & (size - 1);
        return &table[i];
}

static size_t table_count_later(const struct chronicle *chronicle, uint64_t now_ns) {
        size_t n = 0;

        for (size_t i = 0; i < chronicle->size; ++i)
                n += chronicle->table[i].key != 0 && chronicle->table[i].until_ns > now_ns;
        return n;
}

/* Leaves out what had passed at @now_ns. */
static int chronicle_make_room(struct chronicle *chronicle, uint64_t now_ns) {
        size_t n_later = table_count_later(chronicle, now_ns), size = TABLE_SIZE_MIN;
        struct known *table;

        while (size < 4 * n_later)
                size *= 2;
        table = calloc(size, sizeof(*table));
        if (!table)
                return -ENOMEM;

        for (size_t i = 0; i < chronicle->size; ++i)
                if (chronicle->table[i].key != 0 && chronicle->table[i].until_ns > now_ns)
                        *table_find(table, size, chronicle->table[i].key) = chronicle->table[i];

        free(chronicle->table);
        chronicle->table = table;
        chronicle->size = size;
        chronicle->n_known = n_later;
        return 0;
}

/* @key, which is new, at @now_ns. */
static int chronicle_add(struct chronicle *chronicle, uint64_t key, uint64_t until_ns, uint64_t now_ns) {
        int r;

        if (chronicle->n_known >= chronicle->size / 2) {
                r = chronicle_make_room(chronicle, now_ns);
                if (r < 0)
                        return r;
        }

        *table_find(chronicle->table, chronicle->size, key) = (struct known){ key, until_ns };
        ++chronicle->n_known;
        return 0;
}

int chronicle_remember(struct chronicle *chronicle, const struct scenario_entry *entry) {
        uint64_t key = get_key(entry->incident.id, incident_is_of_pipeline(&entry->incident), entry->target);

        if (table_find(chronicle->table, chronicle->size, key)->key == key)
                return 0;

        return chronicle_add(chronicle, key, entry->until_ns, entry->incident.start_ns);
}

struct listing {
        const struct i4_catalog *catalog;
        FILE *file;
        unsigned int n;
};

static void listing_add(void *userdata, const struct i4_record *sensor) {
        struct listing *listing = userdata;
        char id[64];

        (void) i4_catalog_format_sensor_id(listing->catalog, sensor, id, sizeof(id));
        (void) fprintf(listing->file, "%s\"%s\"", listing->n++ > 0 ? "," : "", id);
}

static int chronicle_write(struct chronicle *chronicle, const struct scenario_entry *entry) {
        struct listing listing = { .catalog = chronicle->catalog, .file = chronicle->file };
        char text[SCENARIO_TEXT_MAX];

        scenario_entry_format(entry, chronicle->catalog, text);
        (void) fprintf(chronicle->file, "{%s,\"sensors\":[", text);
        model_visit_touched(chronicle->model, entry, listing_add, &listing);
        (void) fprintf(chronicle->file, "],\"n_sensors\":%u}\n", listing.n);

        ++chronicle->n_incidents;
        return ferror(chronicle->file) ? -EIO : 0;
}

static int chronicle_look_at(struct chronicle *chronicle, const struct i4_record *record) {
        uint64_t key = record_get_key(record);
        struct scenario_entry entry;
        int r;

        if (table_find(chronicle->table, chronicle->size, key)->key == key)
                return 0;

        r = model_describe(chronicle->model, chronicle->scenario, record, &entry);
        if (r < 0)
                return r;
        r = chronicle_add(chronicle, key, entry.until_ns, record->time_ns);
        if (r < 0)
                return r;

        return chronicle_write(chronicle, &entry);
}

int chronicle_look(struct chronicle *chronicle, const struct i4_record *records, size_t n) {
        int r;

        for (size_t i = 0; i < n; ++i)
                if (unlikely(records[i].event != 0)) {
                        r = chronicle_look_at(chronicle, &records[i]);
                        if (r < 0)
                                return r;
                }

        return 0;
}

void chronicle_set_scenario(struct chronicle *chronicle, const struct scenario *scenario) {
        chronicle->scenario = scenario;
}

void chronicle_set_file(struct chronicle *chronicle, FILE *file) {
        chronicle->file = file;
}

uint64_t chronicle_get_n_incidents(const struct chronicle *chronicle) {
        return chronicle->n_incidents;
}

int chronicle_new(struct chronicle **chroniclep, const struct model *model, const struct scenario *scenario,
                const struct i4_catalog *catalog, FILE *file) {
        _cleanup_(chronicle_freep) struct chronicle *chronicle = NULL;
        int r;

        chronicle = calloc(1, sizeof(*chronicle));
        if (!chronicle)
                return -ENOMEM;

        chronicle->model = model;
        chronicle->scenario = scenario;
        chronicle->catalog = catalog;
        chronicle->file = file;
        r = chronicle_make_room(chronicle, 0);
        if (r < 0)
                return r;

        *chroniclep = TAKE_PTR(chronicle);
        return 0;
}

struct chronicle *chronicle_free(struct chronicle *chronicle) {
        if (chronicle)
                free(chronicle->table);
        free(chronicle);
        return NULL;
}
