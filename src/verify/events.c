/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Events are in a hash table by id and target. Those of a list are besides in an order by sensor and start;
 * the latest end up to each place tells where to stop looking backwards.
 */

#include "verify/events.h"

#include "util/file.h"
#include "util/json.h"
#include "util/macros.h"
#include "util/timestamp.h"
#include "verify/hash.h"

#include <errno.h>
#include <string.h>

#define TABLE_SIZE_MIN ((size_t) 256)
#define LIST_SIZE_MAX  ((size_t) 1 << 30) /* bytes; a year of a large fleet has less */
#define LABEL_SIZE_MAX 32u

struct interval {
        uint32_t sensor;
        uint32_t event;
        uint64_t start_ns;
        uint64_t latest_end_ns; /* of this and those before it, of the same sensor */
};

struct events {
        struct names *names;
        struct event *list;
        uint32_t n;
        uint32_t *table;
        size_t table_size; /* a power of two */
        struct interval *intervals;
        size_t n_intervals;
        size_t capacity; /* of @intervals */
        bool has_labels;
        bool has_list;
};

/* the table */

static uint32_t *events_find_place(const struct events *events, uint32_t id, uint32_t target) {
        size_t i = random_mix((uint64_t) target << 32 | id) & (events->table_size - 1);

        for (; events->table[i] != EVENTS_NONE; i = (i + 1) & (events->table_size - 1)) {
                const struct event *event = &events->list[events->table[i]];

                if (event->id == id && event->target == target)
                        break;
        }

        return &events->table[i];
}

/* At most half of it is in use. */
static int events_grow(struct events *events, size_t size) {
        struct event *list;
        uint32_t *table;

        list = reallocarray(events->list, size / 2, sizeof(*list));
        if (!list)
                return -ENOMEM;
        events->list = list;

        table = reallocarray(events->table, size, sizeof(*table));
        if (!table)
                return -ENOMEM;
        events->table = table;
        events->table_size = size;

        memset(table, 0xff, size * sizeof(*table));
        for (uint32_t i = 0; i < events->n; ++i)
                *events_find_place(events, events->list[i].id, events->list[i].target) = i;
        return 0;
}

int events_new(struct events **eventsp, struct names *names) {
        _cleanup_(events_freep) struct events *events = calloc(1, sizeof(*events));
        int r;

        if (!events)
                return -ENOMEM;

        events->names = names;
        r = events_grow(events, TABLE_SIZE_MIN);
        if (r < 0)
                return r;

        *eventsp = TAKE_PTR(events);
        return 0;
}

struct events *events_free(struct events *events) {
        if (events) {
                free(events->list);
                free(events->table);
                free(events->intervals);
        }
        free(events);
        return NULL;
}

static int events_add(struct events *events, uint32_t id, uint32_t target, uint8_t kind, uint32_t *eventp) {
        int r;

        if (events->n == events->table_size / 2) {
                r = events_grow(events, 2 * events->table_size);
                if (r < 0)
                        return r;
        }

        *eventp = events->n++;
        events->list[*eventp] = (struct event){
                .id = id, .target = target, .kind = kind, .first_ns = UINT64_MAX, .detected_ns = UINT64_MAX
        };
        *events_find_place(events, id, target) = *eventp;
        return 0;
}

/* labels */

/* -EINVAL: it is none of i4's. */
static int label_parse(struct json_span value) {
        char text[LABEL_SIZE_MAX + 1];

        if (value.size < 2 || value.size - 2 > LABEL_SIZE_MAX || *value.text != '"')
                return -EINVAL;

        text[json_unescape(text, (struct json_span){ value.text + 1, value.size - 2 })] = 0;
        return i4_fault_from_string(text);
}

static uint32_t number_parse(struct json_span value) {
        uint32_t number = 0;

        for (size_t i = 0; i < value.size && value.text[i] >= '0' && value.text[i] <= '9'; ++i)
                number = number * 10 + (uint32_t) (value.text[i] - '0');

        return number;
}

/* What happens to a pipeline is shared by its sensors. */
static int events_find_target(const struct events *events, const struct reading *reading, uint32_t sensor,
                int kind, uint32_t *targetp) {
        struct json_span pipeline = reading->values[READING_PIPELINE_ID];

        *targetp = sensor;
        if (kind < I4_FAULT_LEAK || !(reading->seen & READING_BIT(READING_PIPELINE_ID)) || pipeline.size < 2)
                return 0;

        return names_add(events->names, pipeline.text + 1, pipeline.size - 2, targetp);
}

static int events_find_labelled(struct events *events, const struct reading *reading, uint32_t sensor,
                bool is_new, uint32_t *eventp) {
        int kind = label_parse(reading->values[READING_LABEL]), r;
        uint32_t id = 0, target, found;

        if (kind < 0)
                return -EBADMSG;
        if (kind == I4_FAULT_NONE) {
                *eventp = EVENTS_NONE;
                return 0;
        }

        if (reading->seen & READING_BIT(READING_EVENT))
                id = number_parse(reading->values[READING_EVENT]);
        r = events_find_target(events, reading, sensor, kind, &target);
        if (r < 0)
                return r;

        found = *events_find_place(events, id, target);
        if (found == EVENTS_NONE && is_new) {
                r = events_add(events, id, target, (uint8_t) kind, &found);
                if (r < 0)
                        return r;
        }

        *eventp = found;
        return 0;
}

/* intervals */

static int interval_compare(const void *a, const void *b) {
        const struct interval *x = a, *y = b;

        if (x->sensor != y->sensor)
                return x->sensor < y->sensor ? -1 : 1;

        return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

static void events_sort(struct events *events) {
        struct interval *intervals = events->intervals;

        if (events->n_intervals > 0)
                qsort(intervals, events->n_intervals, sizeof(*intervals), interval_compare);

        for (size_t i = 0; i < events->n_intervals; ++i) {
                intervals[i].latest_end_ns = events->list[intervals[i].event].end_ns;
                if (i > 0 && intervals[i - 1].sensor == intervals[i].sensor)
                        intervals[i].latest_end_ns =
                                        MAX(intervals[i].latest_end_ns, intervals[i - 1].latest_end_ns);
        }
}

/* How many begin no later, in the order of sensors. */
static size_t events_count_begun(const struct events *events, uint32_t sensor, uint64_t time_ns) {
        const struct interval key = { .sensor = sensor, .start_ns = time_ns };
        size_t low = 0, high = events->n_intervals;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (interval_compare(&events->intervals[middle], &key) <= 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        return low;
}

static uint32_t events_find_listed(const struct events *events, uint32_t sensor, uint64_t time_ns) {
        for (size_t i = events_count_begun(events, sensor, time_ns); i > 0; --i) {
                const struct interval *interval = &events->intervals[i - 1];

                if (interval->sensor != sensor || interval->latest_end_ns <= time_ns)
                        break;
                if (events->list[interval->event].end_ns > time_ns)
                        return interval->event;
        }

        return EVENTS_NONE;
}

int events_find(struct events *events, const struct reading *reading, uint32_t sensor, bool is_new,
                uint32_t *eventp) {
        if (reading->seen & READING_BIT(READING_LABEL)) {
                events->has_labels = true;
                return events_find_labelled(events, reading, sensor, is_new, eventp);
        }

        *eventp = events_find_listed(events, sensor, reading->time_ns);
        return 0;
}

/* the list */

static int events_add_interval(struct events *events, uint32_t event, const char *sensor) {
        struct interval *intervals = events->intervals;
        uint32_t number;
        int r;

        if (events->n_intervals == events->capacity) {
                size_t capacity = MAX(2 * events->capacity, TABLE_SIZE_MIN);

                intervals = reallocarray(intervals, capacity, sizeof(*intervals));
                if (!intervals)
                        return -ENOMEM;
                events->intervals = intervals;
                events->capacity = capacity;
        }

        r = names_add(events->names, sensor, strlen(sensor), &number);
        if (r < 0)
                return r;

        intervals[events->n_intervals++] = (struct interval){
                .sensor = number, .event = event, .start_ns = events->list[event].start_ns
        };
        return 0;
}

static const char *object_get(const cJSON *object, const char *key) {
        return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static int object_get_time(const cJSON *object, const char *key, uint64_t *nsp) {
        const char *text = object_get(object, key);

        return text ? parse_time(text, nsp) : -EINVAL;
}

static int events_add_object(struct events *events, const cJSON *object, uint32_t *eventp) {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(object, "event");
        const char *kind_text = object_get(object, "kind"), *target;
        int kind = kind_text ? i4_fault_from_string(kind_text) : -EINVAL, r;
        uint64_t start_ns, end_ns;
        uint32_t number;

        if (kind <= I4_FAULT_NONE || !cJSON_IsNumber(id) || id->valuedouble < 0 ||
                        id->valuedouble > UINT32_MAX || object_get_time(object, "start", &start_ns) < 0 ||
                        object_get_time(object, "end", &end_ns) < 0)
                return -EBADMSG;
        target = object_get(object, kind >= I4_FAULT_LEAK ? "pipeline" : "sensor");
        if (!target)
                return -EBADMSG;

        r = names_add(events->names, target, strlen(target), &number);
        if (r < 0)
                return r;
        *eventp = *events_find_place(events, (uint32_t) id->valuedouble, number);
        r = *eventp == EVENTS_NONE
                            ? events_add(events, (uint32_t) id->valuedouble, number, (uint8_t) kind, eventp)
                            : 0;
        if (r < 0)
                return r;

        events->list[*eventp].is_listed = true;
        events->list[*eventp].start_ns = start_ns;
        events->list[*eventp].end_ns = end_ns;
        return 0;
}

static int events_take_line(struct events *events, const char *text, size_t size) {
        _cleanup_(json_freep) cJSON *object = cJSON_ParseWithLength(text, size);
        const cJSON *sensors = cJSON_GetObjectItemCaseSensitive(object, "sensors"), *sensor;
        uint32_t event = 0;
        int r;

        if (!cJSON_IsObject(object) || !cJSON_IsArray(sensors))
                return -EBADMSG;

        r = events_add_object(events, object, &event);
        for (sensor = sensors->child; sensor && r >= 0; sensor = sensor->next)
                r = cJSON_IsString(sensor) ? events_add_interval(events, event, sensor->valuestring)
                                           : -EBADMSG;

        return r;
}

static int events_complain(struct complaints *complaints, const char *path, unsigned int line, int error) {
        if (error == -EBADMSG)
                complain(complaints, path, line,
                                "this is no incident with event, kind, pipeline or sensor, start, end and sensors, "
                                "as sensor-gen -labels sidecar writes them");
        else
                complain(complaints, path, line, "%s", strerror(-error));

        return error;
}

int events_load(struct events *events, const char *path, struct complaints *complaints) {
        _cleanup_(freep) char *text = NULL;
        unsigned int number = 1;
        size_t size, n;
        int r;

        r = file_read(path, LIST_SIZE_MAX, &text, &size);
        if (r < 0)
                return events_complain(complaints, path, 0, r);

        for (const char *line = text, *end = text + size; line < end; line += n + 1, ++number) {
                const char *newline = memchr(line, '\n', (size_t) (end - line));

                n = (size_t) ((newline ? newline : end) - line);
                r = n > 0 ? events_take_line(events, line, n) : 0;
                if (r < 0)
                        return events_complain(complaints, path, number, r);
        }

        events->has_list = true;
        events_sort(events);
        return 0;
}

uint32_t events_get_n(const struct events *events) {
        return events->n;
}

struct event *events_get(struct events *events, uint32_t event) {
        assert(event < events->n);
        return &events->list[event];
}

bool events_are_known(const struct events *events) {
        return events->has_labels || events->has_list;
}
