/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/filter.h"

#include "tools/say.h"
#include "tools/suggest.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* lists of names */

static void name_list_deinit(struct name_list *list) {
        for (size_t i = 0; i < list->n_names; ++i)
                free(list->names[i]);
        free(list->names);
        *list = (struct name_list){};
}

static int name_list_add(struct name_list *list, const char *name, size_t size) {
        char **names;

        names = reallocarray(list->names, list->n_names + 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        list->names = names;

        names[list->n_names] = strndup(name, size);
        if (!names[list->n_names])
                return -ENOMEM;

        ++list->n_names;
        return 0;
}

static int name_list_split(struct name_list *list, const char *who, const char *what, const char *names) {
        for (;;) {
                size_t n = strcspn(names, ",");
                int r;

                if (n == 0) {
                        say(who, "--%s needs names with commas between them, and one is empty", what);
                        return -EINVAL;
                }

                r = name_list_add(list, names, n);
                if (r < 0)
                        return r;
                if (!names[n])
                        return 0;
                names += n + 1;
        }
}

void filter_deinit(struct filter *filter) {
        name_list_deinit(&filter->types);
        name_list_deinit(&filter->pipelines);
        name_list_deinit(&filter->sensors);
        free(filter->wanted_types);
        free(filter->wanted_pipelines);
        free(filter->wanted_sensors);
        *filter = FILTER_INIT;
}

int filter_add_types(struct filter *filter, const char *who, const char *names) {
        return name_list_split(&filter->types, who, "type", names);
}

int filter_add_pipelines(struct filter *filter, const char *who, const char *names) {
        return name_list_split(&filter->pipelines, who, "pipeline", names);
}

int filter_add_sensors(struct filter *filter, const char *who, const char *names) {
        return name_list_split(&filter->sensors, who, "sensor", names);
}

/* what would be right */

struct vocabulary {
        const char *what;
        const void *source;
        unsigned int n;
        const char *(*get)(const void *source, unsigned int i);
};

/* As many names as one reads. */
#define LISTED_MAX 24u

static void say_unknown(const char *who, const struct vocabulary *vocabulary, const char *name) {
        struct suggestion suggestion = SUGGESTION_INIT(name);
        char list[LISTED_MAX * 34 + 32] = "", hint[64] = "";
        size_t n = 0;

        for (unsigned int i = 0; i < vocabulary->n; ++i) {
                const char *candidate = vocabulary->get(vocabulary->source, i);

                suggestion_offer(&suggestion, candidate);
                if (i < LISTED_MAX)
                        n += (size_t) snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", candidate);
        }
        if (vocabulary->n > LISTED_MAX)
                (void) snprintf(list + n, sizeof(list) - n, " and %u more", vocabulary->n - LISTED_MAX);
        if (suggestion.best)
                (void) snprintf(hint, sizeof(hint), ", did you mean '%s'?", suggestion.best);

        say(who, "there is no %s '%s'%s (%s)", vocabulary->what, name, hint, list);
}

static const char *status_get(const void *source, unsigned int i) {
        return i4_status_to_string(i);
}

static const char *alert_get(const void *source, unsigned int i) {
        return i4_alert_to_string(i);
}

static const char *type_get(const void *source, unsigned int i) {
        return i4_catalog_get_type_name(source, i);
}

static const char *pipeline_get(const void *source, unsigned int i) {
        return i4_catalog_get_pipeline_id(source, i);
}

/* fields whose names are fixed */

static int mask_add(uint32_t *mask, const char *who, const struct vocabulary *vocabulary,
                int (*find)(const char *name), const char *names) {
        struct name_list list = {};
        int r;

        r = name_list_split(&list, who, vocabulary->what, names);
        for (size_t i = 0; r >= 0 && i < list.n_names; ++i) {
                r = find(list.names[i]);
                if (r >= 0)
                        *mask |= UINT32_C(1) << r;
                else
                        say_unknown(who, vocabulary, list.names[i]);
        }

        name_list_deinit(&list);
        return MIN(r, 0);
}

int filter_add_statuses(struct filter *filter, const char *who, const char *names) {
        const struct vocabulary vocabulary = { "status", NULL, I4_N_STATUS, status_get };

        return mask_add(&filter->statuses, who, &vocabulary, i4_status_from_string, names);
}

int filter_add_alerts(struct filter *filter, const char *who, const char *names) {
        const struct vocabulary vocabulary = { "alert", NULL, I4_N_ALERT, alert_get };

        return mask_add(&filter->alerts, who, &vocabulary, i4_alert_from_string, names);
}

/* fields whose names are the catalog's */

static bool bit_get(const uint64_t *bits, uint64_t i) {
        return bits[i / 64] >> (i % 64) & 1;
}

static void bit_set(uint64_t *bits, uint64_t i) {
        bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static int bitmap_renew(uint64_t **bitsp, const struct name_list *list, uint64_t n) {
        free(*bitsp);
        *bitsp = NULL;
        if (list->n_names == 0)
                return 0;

        *bitsp = calloc(n / 64 + 1, sizeof(**bitsp));
        return *bitsp ? 0 : -ENOMEM;
}

static int resolve_names(uint64_t **bitsp, const char *who, const struct name_list *list,
                const struct vocabulary *vocabulary,
                int (*find)(const i4_catalog *catalog, const char *name)) {
        int r;

        r = bitmap_renew(bitsp, list, vocabulary->n);
        for (size_t i = 0; r >= 0 && i < list->n_names; ++i) {
                r = find(vocabulary->source, list->names[i]);
                if (r >= 0)
                        bit_set(*bitsp, (uint64_t) r);
                else
                        say_unknown(who, vocabulary, list->names[i]);
        }

        return MIN(r, 0);
}

static int name_compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void say_unknown_sensor(const char *who, const i4_catalog *catalog, const char *id) {
        struct i4_record first = {}, last = { .sensor = i4_catalog_get_n_sensors(catalog) - 1 };
        char first_id[I4_SENSOR_ID_MAX] = "", last_id[I4_SENSOR_ID_MAX] = "";

        (void) i4_catalog_format_sensor_id(catalog, &first, first_id, sizeof(first_id));
        (void) i4_catalog_format_sensor_id(catalog, &last, last_id, sizeof(last_id));
        say(who,
                        "there is no sensor '%s' (ids look like %s, with the first letters of the type, and go up "
                        "to %s)",
                        id, first_id, last_id);
}

static int resolve_sensors(struct filter *filter, const char *who) {
        struct name_list *list = &filter->sensors;
        int r;

        r = bitmap_renew(&filter->wanted_sensors, list, i4_catalog_get_n_sensors(filter->catalog));
        for (size_t i = 0; r >= 0 && i < list->n_names; ++i) {
                uint32_t sensor;

                r = i4_catalog_find_sensor(filter->catalog, list->names[i], &sensor);
                if (r >= 0)
                        bit_set(filter->wanted_sensors, sensor);
                else
                        say_unknown_sensor(who, filter->catalog, list->names[i]);
        }

        if (list->n_names > 0)
                qsort(list->names, list->n_names, sizeof(*list->names), name_compare);
        return r;
}

int filter_set_catalog(struct filter *filter, const char *who, const i4_catalog *catalog) {
        const struct vocabulary types = { "type", catalog, i4_catalog_get_n_types(catalog), type_get };
        const struct vocabulary pipelines = { "pipeline", catalog, i4_catalog_get_n_pipelines(catalog),
                pipeline_get };
        int r;

        filter->catalog = catalog;

        r = resolve_names(&filter->wanted_types, who, &filter->types, &types, i4_catalog_find_type);
        if (r < 0)
                return r;
        r = resolve_names(&filter->wanted_pipelines, who, &filter->pipelines, &pipelines,
                        i4_catalog_find_pipeline);
        if (r < 0)
                return r;

        return resolve_sensors(filter, who);
}

/* records */

/* The number is right; so is the type, if the whole id is. */
static bool sensor_is_named(const struct filter *filter, const struct i4_record *record) {
        char id[I4_SENSOR_ID_MAX];
        const char *key = id;

        return i4_catalog_format_sensor_id(filter->catalog, record, id, sizeof(id)) >= 0 &&
               bsearch(&key, filter->sensors.names, filter->sensors.n_names, sizeof(key), name_compare);
}

static bool sensor_is_wanted(const struct filter *filter, const struct i4_record *record) {
        return record->sensor < i4_catalog_get_n_sensors(filter->catalog) &&
               bit_get(filter->wanted_sensors, record->sensor) && sensor_is_named(filter, record);
}

static bool mask_has(uint32_t mask, unsigned int number) {
        return mask == 0 || (number < 32 && (mask >> number & 1));
}

static bool record_is_wanted(const struct filter *filter, const struct i4_record *record) {
        if (filter->is_anomaly && record->fault == I4_FAULT_NONE)
                return false;
        if (!mask_has(filter->statuses, record->status) || !mask_has(filter->alerts, record->alert))
                return false;
        if (filter->wanted_types && (record->type >= i4_catalog_get_n_types(filter->catalog) ||
                                                    !bit_get(filter->wanted_types, record->type)))
                return false;
        if (filter->wanted_pipelines && (record->pipeline >= i4_catalog_get_n_pipelines(filter->catalog) ||
                                                        !bit_get(filter->wanted_pipelines, record->pipeline)))
                return false;

        return !filter->wanted_sensors || sensor_is_wanted(filter, record);
}

static bool filter_takes_all(const struct filter *filter) {
        return !filter->is_anomaly && filter->statuses == 0 && filter->alerts == 0 && !filter->wanted_types &&
               !filter->wanted_pipelines && !filter->wanted_sensors;
}

size_t filter_apply(const struct filter *filter, struct i4_record *records, size_t n_records) {
        size_t n = 0;

        if (filter_takes_all(filter))
                return n_records;

        for (size_t i = 0; i < n_records; ++i)
                if (record_is_wanted(filter, &records[i]))
                        records[n++] = records[i];

        return n;
}
