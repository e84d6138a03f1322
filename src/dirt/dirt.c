/* SPDX-License-Identifier: Apache-2.0 */

#include "dirt/dirt.h"

#include "dirt/edit.h"
#include "dirt/holdback.h"
#include "dirt/unit.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define ALL_E4 10000u

#define LATE_NS_MIN   (10 * NSEC_PER_SEC)
#define LATE_NS_MAX   (300 * NSEC_PER_SEC)
#define BEHIND_MAX    16u
#define SKEW_SECS_MAX 3600u

/* More than these wait at rates where the readings of 5 minutes would fill the memory: then the next ones in
 * turn come out early. */
#define LATE_CAPACITY 65536u

#define RENAMED_FROM "quality_score"
#define RENAMED_TO   "quality"
#define ADDED_FIELD  "firmware"
#define ADDED_VALUE  "\"2.0.1\""

/* One line with the three edits that it can go through. */
#define LINE_SIZE (I4_LINE_MAX + 3 * EDIT_GROWTH_MAX + 1)

static_assert(DIRT_SIZE_MIN >= 3 * LINE_SIZE, "one record: itself, a copy, one that had to come out");

/* What records wait for; one of each kind of key. */
enum wait {
        WAIT_LATE,   /* for a time */
        WAIT_BEHIND, /* for so many records to pass */
        WAIT_COPY,   /* the same, what waits has come out once */
        N_WAITS,
};

/* Streams of random numbers. */
enum stream {
        STREAM_DEFECT,
        STREAM_DETAIL,
        STREAM_SKEW,
        N_STREAMS,
};

struct dirt {
        struct dirt_settings settings;
        uint64_t keys[N_STREAMS];
        const i4_catalog *catalog;
        i4_encoder *encoder;
        unsigned int extras;
        FILE *log;

        struct holdback waiting[N_WAITS];
        bool has_begun;
        uint64_t n_records; /* that came in */
        uint64_t newest;    /* sequence of the last one that came out, of those that did not wait */

        uint64_t *told; /* a bit a sensor: its skew is in the log */
        bool is_rename_told, is_added_told;
        uint64_t counters[N_DIRT_KINDS];
        char text[LINE_SIZE];
};

int dirt_new(struct dirt **dirtp, const struct dirt_settings *settings, const i4_catalog *catalog,
                unsigned int extras, FILE *log) {
        static const size_t capacities[N_WAITS] = { LATE_CAPACITY, BEHIND_MAX + 1, BEHIND_MAX + 1 };
        _cleanup_(dirt_freep) struct dirt *dirt = calloc(1, sizeof(*dirt));
        int r;

        if (!dirt)
                return -ENOMEM;

        dirt->settings = *settings;
        dirt->extras = extras;
        dirt->log = log;
        for (size_t i = 0; i < N_STREAMS; ++i)
                dirt->keys[i] = random_derive(settings->seed, i);
        for (size_t i = 0; i < N_WAITS; ++i) {
                r = holdback_init(&dirt->waiting[i], capacities[i]);
                if (r < 0)
                        return r;
        }

        r = dirt_set_catalog(dirt, catalog);
        if (r < 0)
                return r;

        *dirtp = TAKE_PTR(dirt);
        return 0;
}

struct dirt *dirt_free(struct dirt *dirt) {
        if (!dirt)
                return NULL;

        for (size_t i = 0; i < N_WAITS; ++i)
                holdback_deinit(&dirt->waiting[i]);
        (void) i4_encoder_free(dirt->encoder);
        free(dirt->told);
        free(dirt);
        return NULL;
}

int dirt_set_catalog(struct dirt *dirt, const i4_catalog *catalog) {
        size_t n_words = i4_catalog_get_n_sensors(catalog) / 64 + 1;
        _cleanup_(freep) uint64_t *told = calloc(n_words, sizeof(*told));
        i4_encoder *encoder = NULL;
        int r;

        if (!told)
                return -ENOMEM;
        r = i4_encoder_new(&encoder, catalog);
        if (r < 0)
                return r;
        i4_encoder_set_extras(encoder, dirt->extras);

        (void) i4_encoder_free(dirt->encoder);
        free(dirt->told);
        dirt->encoder = encoder;
        dirt->told = TAKE_PTR(told);
        dirt->catalog = catalog;
        dirt->newest = 0;
        return 0;
}

/* the log */

/* @member: what else there is to say, begins with a comma, or "" */
static void dirt_tell(
                struct dirt *dirt, enum dirt_kind kind, const struct i4_record *record, const char *member) {
        char line_text[I4_LINE_MAX + 1];
        struct line line = { .text = line_text };
        const char *sensor, *timestamp;
        size_t n, n_sensor, n_timestamp;

        if (!dirt->log)
                return;

        line.n = i4_encoder_encode(dirt->encoder, record, 1, line_text, I4_LINE_MAX, &n);
        line_text[line.n] = '\0';
        sensor = edit_find(&line, "sensor_id", &n_sensor);
        timestamp = edit_find(&line, "timestamp", &n_timestamp);
        (void) fprintf(dirt->log,
                        "{\"seq\":%" PRIu64 ",\"sensor_id\":%.*s,\"timestamp\":%.*s,\"defect\":\"%s\"%s}\n",
                        record->sequence, (int) n_sensor, sensor, (int) n_timestamp, timestamp,
                        dirt_kind_to_string(kind), member);
}

static void dirt_note(
                struct dirt *dirt, enum dirt_kind kind, const struct i4_record *record, const char *member) {
        ++dirt->counters[kind];
        dirt_tell(dirt, kind, record, member);
}

/* what a record is in for */

/* N_DIRT_DEFECTS: nothing */
static enum dirt_kind defect_draw(const struct dirt *dirt, const struct i4_record *record) {
        uint64_t draw = random_scale(random_draw(dirt->keys[STREAM_DEFECT], record->sequence), ALL_E4);
        size_t kind = 0;

        while (kind < N_DIRT_DEFECTS && draw >= dirt->settings.shares_e4[kind])
                draw -= dirt->settings.shares_e4[kind++];

        return kind;
}

static uint64_t detail_draw(const struct dirt *dirt, const struct i4_record *record) {
        return random_draw(dirt->keys[STREAM_DETAIL], record->sequence);
}

/* By how much the clock of its sensor is off; 0: it is right. */
static int64_t skew_get(const struct dirt *dirt, uint32_t sensor) {
        uint64_t draw = random_draw(dirt->keys[STREAM_SKEW], sensor), seconds;

        if (random_scale(draw, ALL_E4) >= dirt->settings.skew_e4)
                return 0;

        draw = random_mix(draw);
        seconds = 1 + random_scale(draw, SKEW_SECS_MAX);
        return (int64_t) (seconds * NSEC_PER_SEC) * (draw & 1 ? 1 : -1);
}

static bool moment_is_reached(const struct dirt_moment *moment, const struct i4_record *record) {
        return record->time_ns >= moment->ns;
}

/* Spans count from the first record there is. */
static void dirt_begin(struct dirt *dirt, const struct i4_record *record) {
        struct dirt_moment *moments[] = { &dirt->settings.rename, &dirt->settings.added };

        if (dirt->has_begun)
                return;

        dirt->has_begun = true;
        for (size_t i = 0; i < ELEMENTSOF(moments); ++i)
                if (moments[i]->is_relative && moments[i]->ns < NSEC_INFINITY - record->time_ns)
                        moments[i]->ns += record->time_ns;
}

/* lines */

static void record_skew(struct dirt *dirt, struct i4_record *record) {
        int64_t skew_ns = skew_get(dirt, record->sensor);
        uint64_t *word, bit = UINT64_C(1) << record->sensor % 64;
        char member[48];

        if (skew_ns == 0 || record->time_ns < SKEW_SECS_MAX * NSEC_PER_SEC ||
                        record->sensor >= i4_catalog_get_n_sensors(dirt->catalog))
                return;

        word = &dirt->told[record->sensor / 64];

        ++dirt->counters[DIRT_SKEW];
        if (!(*word & bit)) {
                (void) snprintf(member, sizeof(member), ",\"skew_s\":%" PRId64,
                                skew_ns / (int64_t) NSEC_PER_SEC);
                dirt_tell(dirt, DIRT_SKEW, record, member);
                *word |= bit;
        }
        record->time_ns += (uint64_t) skew_ns;
}

static void line_drift(struct dirt *dirt, const struct i4_record *record, struct line *line) {
        if (moment_is_reached(&dirt->settings.rename, record)) {
                edit_rename(line, RENAMED_FROM, RENAMED_TO);
                ++dirt->counters[DIRT_RENAME];
                if (!dirt->is_rename_told)
                        dirt_tell(dirt, DIRT_RENAME, record,
                                        ",\"field\":\"" RENAMED_FROM "\",\"name\":\"" RENAMED_TO "\"");
                dirt->is_rename_told = true;
        }

        if (moment_is_reached(&dirt->settings.added, record)) {
                edit_append(line, "\"" ADDED_FIELD "\":" ADDED_VALUE);
                ++dirt->counters[DIRT_ADDED];
                if (!dirt->is_added_told)
                        dirt_tell(dirt, DIRT_ADDED, record, ",\"field\":\"" ADDED_FIELD "\"");
                dirt->is_added_told = true;
        }
}

static void line_spoil_field(
                struct dirt *dirt, enum dirt_kind kind, const struct i4_record *record, struct line *line) {
        size_t field = (size_t) random_scale(detail_draw(dirt, record), edit_get_n_fields());
        const char *name = edit_get_field(field);
        char member[48];

        if (kind == DIRT_MISSING)
                edit_remove(line, name);
        else if (kind == DIRT_NULL)
                edit_set_null(line, name);
        else
                edit_change_type(line, name);

        (void) snprintf(member, sizeof(member), ",\"field\":\"%s\"", name);
        dirt_note(dirt, kind, record, member);
}

static void line_spoil(
                struct dirt *dirt, enum dirt_kind kind, const struct i4_record *record, struct line *line) {
        switch (kind) {
        case DIRT_MISSING:
        case DIRT_NULL:
        case DIRT_TYPE:
                line_spoil_field(dirt, kind, record, line);
                break;
        case DIRT_MALFORMED:
                edit_break(line, detail_draw(dirt, record));
                dirt_note(dirt, kind, record, "");
                break;
        case DIRT_TRUNCATED:
                edit_truncate(line, detail_draw(dirt, record));
                dirt_note(dirt, kind, record, "");
                break;
        default:
                break;
        }
}

/* A value that is the same in both units is not mixed up. */
static void record_mix_up(struct dirt *dirt, const struct i4_record *true_record, struct i4_record *record) {
        char member[48];

        record->value_e2 =
                        unit_mix_up(i4_catalog_get_type_unit(dirt->catalog, record->type), record->value_e2);
        if (record->value_e2 == true_record->value_e2)
                return;

        (void) snprintf(member, sizeof(member), ",\"value\":%.2f", i4_record_get_value(true_record));
        dirt_note(dirt, DIRT_UNIT, true_record, member);
}

static size_t record_write(
                struct dirt *dirt, const struct i4_record *true_record, enum dirt_kind kind, char *buffer) {
        struct line line = { .text = dirt->text };
        struct i4_record record = *true_record;
        size_t n;

        record_skew(dirt, &record);
        if (kind == DIRT_UNIT)
                record_mix_up(dirt, true_record, &record);

        line.n = i4_encoder_encode(dirt->encoder, &record, 1, line.text, I4_LINE_MAX, &n);
        line.text[line.n] = '\0';
        line_spoil(dirt, kind, true_record, &line);
        if (kind != DIRT_MALFORMED && kind != DIRT_TRUNCATED)
                line_drift(dirt, true_record, &line);

        memcpy(buffer, line.text, line.n);
        return line.n;
}

/* the order of lines */

/* It is out of order only if one that should follow it is out. */
static size_t dirt_release(struct dirt *dirt, enum wait wait, const struct i4_record *record, char *buffer) {
        static const enum dirt_kind kinds[N_WAITS] = { DIRT_LATE, DIRT_DISORDER, DIRT_DUPLICATE };

        if (wait == WAIT_COPY || record->sequence < dirt->newest)
                dirt_note(dirt, kinds[wait], record, "");

        return record_write(dirt, record, N_DIRT_DEFECTS, buffer);
}

/* One that has waited for long enough when @record is the next one; 0: there is none. */
static size_t dirt_write_waiting(struct dirt *dirt, const struct i4_record *record, char *buffer) {
        struct i4_record waiting;

        for (size_t i = 0; i < N_WAITS; ++i)
                if (holdback_pop(&dirt->waiting[i], i == WAIT_LATE ? record->time_ns : dirt->n_records,
                                    &waiting))
                        return dirt_release(dirt, i, &waiting, buffer);

        return 0;
}

static size_t dirt_hold_late(struct dirt *dirt, const struct i4_record *record, char *buffer) {
        struct holdback *late = &dirt->waiting[WAIT_LATE];
        uint64_t span_ns = random_scale(detail_draw(dirt, record), LATE_NS_MAX - LATE_NS_MIN + 1);
        struct i4_record first;
        size_t n = 0;

        if (holdback_is_full(late) && holdback_pop(late, UINT64_MAX, &first))
                n = dirt_release(dirt, WAIT_LATE, &first, buffer);

        holdback_push(late, record->time_ns + LATE_NS_MIN + span_ns, record);
        return n;
}

/* Behind one other record at least, so that it is not the next one. */
static void dirt_hold_behind(struct dirt *dirt, enum wait wait, const struct i4_record *record) {
        uint64_t n = 1 + random_scale(detail_draw(dirt, record), BEHIND_MAX);

        holdback_push(&dirt->waiting[wait], dirt->n_records + n, record);
}

static size_t dirt_write_next(struct dirt *dirt, const struct i4_record *record, char *buffer) {
        enum dirt_kind kind = defect_draw(dirt, record);

        ++dirt->n_records;
        if (kind == DIRT_LATE)
                return dirt_hold_late(dirt, record, buffer);
        if (kind == DIRT_DISORDER) {
                dirt_hold_behind(dirt, WAIT_BEHIND, record);
                return 0;
        }

        if (kind == DIRT_DUPLICATE)
                dirt_hold_behind(dirt, WAIT_COPY, record);
        dirt->newest = record->sequence;
        return record_write(dirt, record, kind, buffer);
}

size_t dirt_encode(struct dirt *dirt, const struct i4_record *records, size_t n_records, char *buffer,
                size_t size, size_t *n_takenp) {
        size_t n = 0, n_taken = 0, n_line;

        while (n_taken < n_records && size - n >= DIRT_SIZE_MIN) {
                dirt_begin(dirt, &records[n_taken]);
                n_line = dirt_write_waiting(dirt, &records[n_taken], buffer + n);
                if (n_line == 0)
                        n_line = dirt_write_next(dirt, &records[n_taken++], buffer + n);
                n += n_line;
        }

        *n_takenp = n_taken;
        return n;
}

size_t dirt_finish(struct dirt *dirt, char *buffer, size_t size) {
        struct i4_record record;
        size_t n = 0;

        for (size_t i = N_WAITS; i-- > 0;)
                while (size - n >= DIRT_SIZE_MIN && holdback_pop(&dirt->waiting[i], UINT64_MAX, &record))
                        n += dirt_release(dirt, i, &record, buffer + n);

        return n;
}

/* counters */

const uint64_t *dirt_get_counters(const struct dirt *dirt) {
        return dirt->counters;
}

void dirt_print_counters(const struct dirt *dirt, FILE *file) {
        const char *separator = "";

        for (size_t i = 0; i < N_DIRT_KINDS; ++i)
                if (dirt->counters[i] > 0) {
                        (void) fprintf(file, "%s%s %" PRIu64, separator, dirt_kind_to_string(i),
                                        dirt->counters[i]);
                        separator = ", ";
                }

        if (!*separator)
                (void) fputs("none", file);
}
