/* SPDX-License-Identifier: Apache-2.0 */

#include "verify/truth.h"

#include "util/macros.h"
#include "util/timestamp.h"

#include <errno.h>
#include <inttypes.h>

struct truth {
        struct complaints *complaints;
        struct names *names;
        struct events *events;
        struct table *table;
        struct sources *sources;
        struct reading_parser parser;
        struct reading reading;
        unsigned int ignored;
        bool has_sequence; /* all have one */
        bool has_labels;   /* at least one has one */
        bool is_ambiguous; /* by sensor and time */
        uint64_t first_time_ns;
        uint64_t last_time_ns;
        uint64_t n_wrong[I4_N_FAULT];
};

int truth_new(struct truth **truthp, unsigned int ignored, struct complaints *complaints) {
        _cleanup_(truth_freep) struct truth *truth = calloc(1, sizeof(*truth));

        if (!truth)
                return -ENOMEM;

        truth->complaints = complaints;
        truth->ignored = ignored;
        truth->has_sequence = !(ignored & READING_BIT(READING_SEQUENCE));
        truth->first_time_ns = UINT64_MAX;
        if (names_new(&truth->names) < 0 || events_new(&truth->events, truth->names) < 0 ||
                        table_new(&truth->table) < 0 || sources_new(&truth->sources, true, complaints) < 0 ||
                        reading_parser_init(&truth->parser, NULL) < 0)
                return -ENOMEM;

        *truthp = TAKE_PTR(truth);
        return 0;
}

struct truth *truth_free(struct truth *truth) {
        if (truth) {
                (void) events_free(truth->events);
                (void) names_free(truth->names);
                (void) table_free(truth->table);
                (void) sources_free(truth->sources);
                reading_parser_deinit(&truth->parser);
        }
        free(truth);
        return NULL;
}

int truth_add(struct truth *truth, const char *path) {
        return sources_add(truth->sources, path);
}

int truth_load_events(struct truth *truth, const char *path) {
        return events_load(truth->events, path, truth->complaints);
}

static int truth_refuse(struct truth *truth, const char *reason) {
        complain(truth->complaints, sources_get_path(truth->sources),
                        (unsigned int) sources_get_number(truth->sources), "%s", reason);
        return -EBADMSG;
}

static int truth_count_event(struct truth *truth, uint32_t sensor) {
        struct event *event;
        uint32_t number;
        int r;

        r = events_find(truth->events, &truth->reading, sensor, true, &number);
        if (r == -EBADMSG)
                return truth_refuse(truth, "the label is not the kind of anything that i4 does");
        if (r < 0 || number == EVENTS_NONE)
                return r;

        event = events_get(truth->events, number);
        event->first_ns = MIN(event->first_ns, truth->reading.time_ns);
        ++truth->n_wrong[event->kind];
        return 0;
}

static int truth_add_reading(struct truth *truth) {
        const struct reading *reading = &truth->reading;
        struct table_record record = { .sequence = reading->sequence, .time_ns = reading->time_ns };
        int r;

        record.offset = sources_get_offset(truth->sources) & TABLE_OFFSET_MAX;
        if (record.offset != sources_get_offset(truth->sources))
                return truth_refuse(truth, "there is more of the truth than can be verified at once");

        r = names_add(truth->names, reading->sensor.text, reading->sensor.size, &record.sensor);
        if (r < 0)
                return r;
        r = truth_count_event(truth, record.sensor);
        if (r < 0)
                return r;

        table_record_set_digest(&record, reading_get_digest(reading, truth->ignored));
        truth->has_sequence = truth->has_sequence && reading->has_sequence;
        truth->has_labels = truth->has_labels || reading->seen & READING_BIT(READING_LABEL);
        truth->first_time_ns = MIN(truth->first_time_ns, reading->time_ns);
        truth->last_time_ns = MAX(truth->last_time_ns, reading->time_ns);
        r = table_add(truth->table, record);
        return r == -EFBIG ? truth_refuse(truth, "this is one reading more than can be verified at once") : r;
}

static int truth_complain_twins(struct truth *truth, enum table_key key, const uint32_t twins[static 2]) {
        struct finding_record record = truth_describe(truth, twins[0]);
        char time[TIMESTAMP_MAX];

        if (key == TABLE_BY_SEQUENCE)
                complain(truth->complaints, "truth", 0,
                                "two readings have the number %" PRIu64 ", of %s and %s: is it of two runs?",
                                record.sequence, record.sensor, truth_describe(truth, twins[1]).sensor);
        else
                complain(truth->complaints, "truth", 0,
                                "two readings are of %s at %s and cannot be told apart; numbers would help, from "
                                "Sequence=yes or sensor-gen -sequence, in the truth and in what is delivered",
                                record.sensor, format_time(record.time_ns, 6, time));

        return -EEXIST;
}

static int truth_index(struct truth *truth, enum table_key key) {
        uint32_t twins[2];
        int r;

        r = table_index(truth->table, key, twins);
        return r == -EEXIST ? truth_complain_twins(truth, key, twins) : r;
}

int truth_load(struct truth *truth) {
        struct reading *reading = &truth->reading;
        struct json_span line;
        int r;

        r = sources_next(truth->sources, &line);
        if (r == 0)
                return truth_index(truth, truth->has_sequence ? TABLE_BY_SEQUENCE : TABLE_BY_SENSOR);
        if (r == -EMSGSIZE)
                return truth_refuse(truth, "this line is too long to be a reading");
        if (r < 0)
                return r;

        r = reading_parse(&truth->parser, reading, line.text, line.size);
        if (r < 0)
                return truth_refuse(truth, reading->reason);
        if (reading->sensor.size == 0 || !reading->has_time)
                return truth_refuse(truth, "this is no reading: it needs sensor_id and timestamp");

        r = truth_add_reading(truth);
        return r < 0 ? r : 1;
}

/* Made when the first line comes that needs it. Where all have numbers, ambiguity is the line's fault. */
static int truth_need_sensors(struct truth *truth) {
        uint32_t twins[2];
        int r;

        if (!truth->has_sequence)
                return 0;
        if (truth->is_ambiguous)
                return -EBADMSG;

        r = table_index(truth->table, TABLE_BY_SENSOR, twins);
        truth->is_ambiguous = r == -EEXIST;
        return r == -EEXIST ? -EBADMSG : r;
}

int truth_find(struct truth *truth, const struct reading *reading, uint32_t *recordp) {
        uint32_t sensor;
        int r;

        if (truth->has_sequence && reading->has_sequence) {
                *recordp = table_find_sequence(truth->table, reading->sequence);
                return 0;
        }
        if (reading->sensor.size == 0 || !reading->has_time)
                return -EBADMSG;

        r = truth_need_sensors(truth);
        if (r < 0)
                return r;

        *recordp = TABLE_NONE;
        if (names_find(truth->names, reading->sensor.text, reading->sensor.size, &sensor) >= 0)
                *recordp = table_find_sensor(truth->table, sensor, reading->time_ns);
        return 0;
}

int truth_read(struct truth *truth, uint32_t record, const struct reading **readingp) {
        struct json_span line;
        int r;

        r = sources_read(truth->sources, table_get(truth->table, record)->offset, &line);
        if (r < 0)
                return r;

        r = reading_parse(&truth->parser, &truth->reading, line.text, line.size);
        if (r < 0 || truth->reading.time_ns != table_get(truth->table, record)->time_ns) {
                complain(truth->complaints, "truth", 0, "it was changed while it was read");
                return -ESTALE;
        }

        *readingp = &truth->reading;
        return 0;
}

unsigned int truth_get_ignored(const struct truth *truth) {
        return truth->ignored |
               (truth->has_labels ? 0 : READING_BIT(READING_LABEL) | READING_BIT(READING_EVENT));
}

struct finding_record truth_describe(const struct truth *truth, uint32_t record) {
        const struct table_record *entry = table_get(truth->table, record);

        return (struct finding_record){
                .sensor = names_get(truth->names, entry->sensor),
                .time_ns = entry->time_ns,
                .sequence = entry->sequence,
                .has_sequence = truth->has_sequence,
        };
}

uint64_t truth_get_position(const struct truth *truth, uint32_t record) {
        const struct table_record *entry = table_get(truth->table, record);

        return truth->has_sequence ? entry->sequence : entry->time_ns;
}

bool truth_has_sequence(const struct truth *truth) {
        return truth->has_sequence;
}

uint64_t truth_get_first_time(const struct truth *truth) {
        return truth->first_time_ns;
}

uint64_t truth_get_last_time(const struct truth *truth) {
        return truth->last_time_ns;
}

uint64_t truth_get_n_wrong(const struct truth *truth, enum i4_fault kind) {
        return truth->n_wrong[kind];
}

struct table *truth_get_table(const struct truth *truth) {
        return truth->table;
}

struct events *truth_get_events(const struct truth *truth) {
        return truth->events;
}

const struct names *truth_get_names(const struct truth *truth) {
        return truth->names;
}

const struct sources *truth_get_sources(const struct truth *truth) {
        return truth->sources;
}
