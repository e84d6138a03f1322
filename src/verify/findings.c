/* SPDX-License-Identifier: Apache-2.0 */

#include "verify/findings.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/timestamp.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_MAX 1024u /* bytes of a path or a reason that are told */

static void put_text(FILE *file, const char *key, const char *text) {
        char escaped[JSON_ESCAPED_MAX(TEXT_MAX)];
        size_t n = json_escape(escaped, text, strnlen(text, TEXT_MAX));

        fprintf(file, ",\"%s\":\"%.*s\"", key, (int) n, escaped);
}

static void put_begin(FILE *file, const char *what, struct finding_place place) {
        fprintf(file, "{\"finding\":\"%s\"", what);
        if (!place.path)
                return;

        put_text(file, "file", place.path);
        fprintf(file, ",\"line\":%" PRIu64, place.line);
}

static void put_record(FILE *file, struct finding_record record) {
        char time[TIMESTAMP_MAX];

        if (record.has_sequence)
                fprintf(file, ",\"seq\":%" PRIu64, record.sequence);
        put_text(file, "sensor_id", record.sensor);
        put_text(file, "timestamp",
                        format_time(record.time_ns, record.time_ns % NSEC_PER_USEC == 0 ? 6 : 9, time));
}

static void put_json(FILE *file, const char *key, struct json_span json) {
        if (json.size > 0)
                fprintf(file, ",\"%s\":%.*s", key, (int) json.size, json.text);
        else
                fprintf(file, ",\"%s\":null", key);
}

void findings_tell(FILE *file, const char *what, struct finding_place place, struct finding_record record,
                uint64_t late_ns) {
        if (!file)
                return;

        put_begin(file, what, place);
        put_record(file, record);
        if (late_ns > 0)
                fprintf(file, ",\"late_seconds\":%" PRIu64 ".%09" PRIu64, late_ns / NSEC_PER_SEC,
                                late_ns % NSEC_PER_SEC);
        fputs("}\n", file);
}

void findings_tell_line(FILE *file, const char *what, struct finding_place place, const char *reason) {
        if (!file)
                return;

        put_begin(file, what, place);
        put_text(file, "reason", reason);
        fputs("}\n", file);
}

void findings_tell_field(FILE *file, struct finding_place place, struct finding_record record,
                const char *field, struct json_span expected, struct json_span found) {
        if (!file)
                return;

        put_begin(file, "damage", place);
        put_record(file, record);
        put_text(file, "field", field);
        put_json(file, "expected", expected);
        put_json(file, "found", found);
        fputs("}\n", file);
}
