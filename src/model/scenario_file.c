/* SPDX-License-Identifier: Apache-2.0 */

#include "model/scenario_file.h"

#include "model/fleet.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"
#include "util/parse.h"
#include "util/timestamp.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t) 32 * 1024 * 1024)
/* A leak in a fleet of millions has a list of all pressures along its pipeline. */
#define LINE_SIZE_MAX ((size_t) 16 * 1024 * 1024)

/* Until the year 2200: sums of two such times do not overflow. */
#define TIME_NS_MAX (UINT64_C(7258118400) * NSEC_PER_SEC)

#define STRENGTH_DEFAULT_Q16 32768u

struct line {
        const struct scenario_context *context;
        const char *file;
        unsigned int number;
        struct complaints *complaints;
        struct scenario_entry *entry;
        const char *key; /* at which we are */
        bool has_kind, has_pipeline, has_sensor, has_mile, has_start, has_end;
        uint64_t span_ns; /* 0: none given */
};

#define COMPLAIN(line, ...) complain((line)->complaints, (line)->file, (line)->number, __VA_ARGS__)

static const char *line_get_string(struct line *line, const cJSON *json) {
        const char *text = cJSON_GetStringValue(json);

        if (!text)
                COMPLAIN(line, "\"%s\" must be a string", line->key);
        return text;
}

/* keys */

static void kind_take(struct line *line, const cJSON *json) {
        const char *text = line_get_string(line, json);
        int kind = text ? i4_fault_from_string(text) : -EINVAL;

        if (kind > 0) {
                line->entry->incident.kind = (uint8_t) kind;
                line->has_kind = true;
        } else if (text) {
                COMPLAIN(line,
                                "\"kind\" must be leak, blockage, pump_trip or valve_closure for a pipeline, "
                                "spike, stuck, drift, offset, noise, dropout, clipping or out_of_range for a "
                                "sensor, not \"%s\"",
                                text);
        }
}

static void pipeline_take(struct line *line, const cJSON *json) {
        const char *text = line_get_string(line, json);
        int pipeline = text ? i4_catalog_find_pipeline(line->context->catalog, text) : -EINVAL;

        line->has_pipeline = true;
        if (pipeline >= 0)
                line->entry->target = (uint32_t) pipeline;
        else if (text)
                COMPLAIN(line, "There is no pipeline \"%s\" in the catalog", text);
}

static void sensor_take(struct line *line, const cJSON *json) {
        const char *text = line_get_string(line, json);
        struct i4_record record = {};
        char id[64];

        line->has_sensor = true;
        if (!text)
                return;
        if (i4_catalog_find_sensor(line->context->catalog, text, &record.sensor) < 0) {
                COMPLAIN(line, "There is no sensor \"%s\" among the %u of the fleet", text,
                                line->context->catalog->n_sensors);
                return;
        }

        record.type = fleet_get_type(line->context->catalog, record.sensor);
        (void) i4_catalog_format_sensor_id(line->context->catalog, &record, id, sizeof(id));
        if (strcmp(id, text) != 0)
                COMPLAIN(line, "There is no sensor \"%s\": number %u is %s", text, record.sensor, id);
        line->entry->target = record.sensor;
}

static void mile_take(struct line *line, const cJSON *json) {
        double mile = cJSON_GetNumberValue(json);

        line->has_mile = true;
        /* also without a number, which is a NaN */
        if (!(mile >= 0 && mile <= 1e6))
                COMPLAIN(line, "\"mile\" must be a number of miles from the beginning of the pipeline");
        else
                line->entry->incident.place_e2 = (uint32_t) (mile * 100 + 0.5);
}

static void time_take(struct line *line, const cJSON *json, uint64_t *nsp) {
        const char *text = line_get_string(line, json);
        int r = -EINVAL;

        if (!text)
                return;

        if (*text != '+') {
                r = parse_time(text, nsp);
        } else if (line->context->start_ns == 0) {
                COMPLAIN(line, "\"%s\" must be a time like 2026-11-24T10:00:00Z here, not a span", line->key);
                return;
        } else {
                r = parse_span(text + 1, nsp);
                if (r >= 0)
                        *nsp = *nsp < TIME_NS_MAX ? *nsp + line->context->start_ns : TIME_NS_MAX;
        }

        if (r < 0 || *nsp >= TIME_NS_MAX)
                COMPLAIN(line, "\"%s\" must be a time like 2026-11-24T10:00:00Z%s, not \"%s\"", line->key,
                                line->context->start_ns ? ", or +10m after the start" : "", text);
}

static void start_take(struct line *line, const cJSON *json) {
        line->has_start = true;
        time_take(line, json, &line->entry->incident.start_ns);
}

static void end_take(struct line *line, const cJSON *json) {
        line->has_end = true;
        time_take(line, json, &line->entry->incident.end_ns);
}

static void span_take(struct line *line, const cJSON *json) {
        const char *text = line_get_string(line, json);

        if (text && (parse_span(text, &line->span_ns) < 0 || line->span_ns == 0 ||
                                    line->span_ns >= TIME_NS_MAX))
                COMPLAIN(line, "\"for\" must be a span of time like 10m or 1h30m, not \"%s\"", text);
}

static void strength_take(struct line *line, const cJSON *json) {
        double strength = cJSON_GetNumberValue(json);

        if (!(strength >= 0 && strength <= 1))
                COMPLAIN(line, "\"strength\" must be a number from 0 to 1");
        else
                line->entry->incident.strength_q16 = (uint32_t) (strength * 65536 + 0.5);
}

static void direction_take(struct line *line, const cJSON *json) {
        const char *text = line_get_string(line, json);

        if (text && strcmp(text, "up") != 0 && strcmp(text, "down") != 0)
                COMPLAIN(line, "\"direction\" must be up or down, not \"%s\"", text);
        else if (text)
                line->entry->incident.is_negative = *text == 'd';
}

static void event_take(struct line *line, const cJSON *json) {
        double event = cJSON_GetNumberValue(json);

        if (!(event >= 1 && event <= UINT32_MAX))
                COMPLAIN(line, "\"event\" must be a whole number from 1 to %" PRIu32, UINT32_MAX);
        else
                line->entry->incident.id = (uint32_t) event;
}

/* What a list of incidents tells besides, and what follows from the rest. */
static void surplus_take(struct line *line, const cJSON *json) {}

static const struct {
        const char *name;
        void (*take)(struct line *line, const cJSON *json);
} keys[] = {
        { "kind", kind_take },
        { "pipeline", pipeline_take },
        { "sensor", sensor_take },
        { "mile", mile_take },
        { "start", start_take },
        { "end", end_take },
        { "for", span_take },
        { "strength", strength_take },
        { "direction", direction_take },
        { "event", event_take },
        { "n_sensors", surplus_take },
        { "sensors", surplus_take },
        { "sequence", surplus_take },
};

static void line_take_key(struct line *line, const cJSON *json) {
        line->key = json->string;
        for (size_t i = 0; i < ELEMENTSOF(keys); ++i)
                if (strcmp(keys[i].name, json->string) == 0) {
                        keys[i].take(line, json);
                        return;
                }

        COMPLAIN(line, "There is no key \"%s\" in an incident", json->string);
}

/* the whole */

static void line_check_target(struct line *line) {
        const struct incident *incident = &line->entry->incident;
        const char *kind = i4_fault_to_string(incident->kind);

        if (!line->has_kind) {
                COMPLAIN(line, "An incident lacks its \"kind\"");
        } else if (incident_is_of_pipeline(incident)) {
                if (!line->has_pipeline || !line->has_mile || line->has_sensor)
                        COMPLAIN(line, "A %s needs a \"pipeline\" and a \"mile\", and no \"sensor\"", kind);
        } else if (!line->has_sensor || line->has_pipeline || line->has_mile) {
                COMPLAIN(line, "A fault of kind %s needs a \"sensor\", and no \"pipeline\" or \"mile\"",
                                kind);
        }
}

static void line_check_times(struct line *line) {
        struct incident *incident = &line->entry->incident;

        if (!line->has_start) {
                incident->start_ns = line->context->now_ns;
                if (incident->start_ns == 0)
                        COMPLAIN(line, "An incident lacks its \"start\"");
        }
        if (line->has_end == (line->span_ns > 0))
                COMPLAIN(line, "An incident needs either \"for\" or \"end\"");
        else if (line->span_ns > 0)
                incident->end_ns = incident->start_ns + line->span_ns;
        else if (incident->end_ns <= incident->start_ns)
                COMPLAIN(line, "\"end\" must be after \"start\"");
}

static int line_complete(struct line *line) {
        int r = model_complete_entry(line->context->model, line->entry);

        if (r == -ERANGE)
                COMPLAIN(line, "\"mile\" is beyond the end of that pipeline");
        else if (r == -EOPNOTSUPP)
                COMPLAIN(line, "Only the network model has incidents, see Model=");
        return r == -ERANGE || r == -EOPNOTSUPP ? -EINVAL : r;
}

int scenario_entry_parse(struct scenario_entry *entry, const struct scenario_context *context,
                const char *text, size_t size, const char *file, unsigned int number,
                struct complaints *complaints) {
        struct line line = { context, file, number, complaints, entry };
        unsigned int n_before = complaints->n;
        cJSON *json;

        *entry = (struct scenario_entry){ .incident.strength_q16 = STRENGTH_DEFAULT_Q16 };
        json = size <= LINE_SIZE_MAX ? cJSON_ParseWithLength(text, size) : NULL;
        if (!cJSON_IsObject(json)) {
                cJSON_Delete(json);
                COMPLAIN(&line, "An incident must be a JSON object on a line of its own, {\"kind\":…}");
                return -EINVAL;
        }

        for (const cJSON *child = json->child; child; child = child->next)
                line_take_key(&line, child);
        cJSON_Delete(json);

        line_check_target(&line);
        line_check_times(&line);
        return complaints->n > n_before ? -EINVAL : line_complete(&line);
}

static bool line_is_void(const char *text, size_t size) {
        const char *end = text + size;

        while (text < end && (*text == ' ' || *text == '\t' || *text == '\r'))
                ++text;
        return text == end || *text == '#';
}

static bool scenario_has(const struct scenario *scenario, const struct scenario_entry *entry) {
        struct scenario_span span = scenario_find(scenario, incident_is_of_pipeline(&entry->incident),
                        entry->target, entry->incident.start_ns);

        return span.incident && span.incident->id == entry->incident.id &&
               span.incident->start_ns == entry->incident.start_ns &&
               span.incident->end_ns == entry->incident.end_ns;
}

static int scenario_take_line(struct scenario *scenario, const struct scenario_context *context,
                const char *text, size_t size, const char *file, unsigned int number,
                struct complaints *complaints) {
        struct scenario_entry entry;
        int r;

        if (line_is_void(text, size))
                return 0;

        r = scenario_entry_parse(&entry, context, text, size, file, number, complaints);
        if (r < 0)
                return r;

        r = scenario_add(scenario, &entry);
        if (r == -EBUSY && context->is_lenient && scenario_has(scenario, &entry))
                return 0;
        if (r == -EBUSY)
                complain(complaints, file, number, "There is another incident of the same %s at that time",
                                incident_is_of_pipeline(&entry.incident) ? "pipeline" : "sensor");
        if (r == -ENOBUFS)
                complain(complaints, file, number, "There may be %u incidents at most",
                                SCENARIO_INCIDENTS_MAX);
        return r;
}

int scenario_parse(struct scenario **scenariop, const struct scenario_context *context, const char *file,
                const char *text, size_t size, struct complaints *complaints) {
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        unsigned int number = 0, n_before = complaints->n;
        const char *end = text + size;
        int r;

        scenario = calloc(1, sizeof(*scenario));
        if (!scenario)
                return -ENOMEM;

        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                size_t n = (size_t) ((newline ? newline : end) - text);

                r = scenario_take_line(scenario, context, text, n, file, ++number, complaints);
                if (r == -ENOMEM || r == -ENOBUFS)
                        return r == -ENOMEM ? r : -EINVAL;
                text += n + 1;
        }
        if (complaints->n > n_before && !context->is_lenient)
                return -EINVAL;

        *scenariop = TAKE_PTR(scenario);
        return 0;
}

static void complain_of_file(struct complaints *complaints, const char *path, int error) {
        complain(complaints, path, 0, "Cannot read it: %s", strerror(-error));
}

int scenario_load(struct scenario **scenariop, const struct scenario_context *context, const char *path,
                struct complaints *complaints) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(path, FILE_SIZE_MAX, &text, &size);
        if (r < 0) {
                complain_of_file(complaints, path, r);
                return -EINVAL;
        }

        return scenario_parse(scenariop, context, path, text, size, complaints);
}

int scenario_load_record(struct scenario *scenario, const struct scenario_context *context, const char *path,
                struct complaints *complaints) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(path, FILE_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                complain_of_file(complaints, path, r);
                return -EINVAL;
        }

        return scenario_parse_record(scenario, context, path, text, size, complaints);
}

int scenario_parse_record(struct scenario *scenario, const struct scenario_context *context, const char *file,
                const char *text, size_t size, struct complaints *complaints) {
        _cleanup_(scenario_freep) struct scenario *record = NULL;
        struct scenario_context lenient = *context;
        int r;

        lenient.is_lenient = true;
        r = scenario_parse(&record, &lenient, file, text, size, complaints);
        if (r < 0)
                return r;

        for (size_t i = 0; i < record->n_entries; ++i) {
                r = scenario_add(scenario, &record->entries[i]);
                if (r < 0 && r != -EBUSY)
                        return r;
        }

        return 0;
}

/* writing */

static void format_target(
                const struct scenario_entry *entry, const struct i4_catalog *catalog, char text[static 128]) {
        struct i4_record record = { .sensor = entry->target };
        char id[64];

        if (incident_is_of_pipeline(&entry->incident)) {
                (void) snprintf(text, 128, "\"pipeline\":\"%s\",\"mile\":%u.%02u",
                                i4_catalog_get_pipeline_id(catalog, entry->target),
                                entry->incident.place_e2 / 100, entry->incident.place_e2 % 100);
                return;
        }

        record.type = fleet_get_type(catalog, entry->target);
        (void) i4_catalog_format_sensor_id(catalog, &record, id, sizeof(id));
        (void) snprintf(text, 128, "\"sensor\":\"%s\"", id);
}

void scenario_entry_format(const struct scenario_entry *entry, const struct i4_catalog *catalog,
                char text[static SCENARIO_TEXT_MAX]) {
        const struct incident *incident = &entry->incident;
        char target[128], start[TIMESTAMP_MAX], end[TIMESTAMP_MAX];

        format_target(entry, catalog, target);
        (void) snprintf(text, SCENARIO_TEXT_MAX,
                        "\"event\":%u,\"kind\":\"%s\",%s,\"start\":\"%s\",\"end\":\"%s\","
                        "\"strength\":%.6f,\"direction\":\"%s\"",
                        incident->id, i4_fault_to_string(incident->kind), target,
                        format_time(incident->start_ns, 9, start), format_time(incident->end_ns, 9, end),
                        incident->strength_q16 / 65536.0, incident->is_negative ? "down" : "up");
}
