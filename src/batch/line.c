/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/line.h"

#include "util/macros.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Longer ones are no numbers that anybody measured. */
#define NUMBER_MAX 63u

enum {
        FIELD_SENSOR_ID,
        FIELD_TIMESTAMP,
        FIELD_TYPE,
        FIELD_VALUE,
        FIELD_QUALITY,
        FIELD_LABEL,
        FIELD_LINEAGE,
        FIELD_DATA_QUALITY,
        N_FIELDS,
};

static const char *const field_names[N_FIELDS] = {
        [FIELD_SENSOR_ID] = "sensor_id",
        [FIELD_TIMESTAMP] = "timestamp",
        [FIELD_TYPE] = "type",
        [FIELD_VALUE] = "value",
        [FIELD_QUALITY] = "quality_score",
        [FIELD_LABEL] = "label",
        [FIELD_LINEAGE] = "lineage",
        [FIELD_DATA_QUALITY] = "data_quality",
};

#define FIELDS_NEEDED (1u << FIELD_SENSOR_ID | 1u << FIELD_TIMESTAMP | 1u << FIELD_TYPE | 1u << FIELD_VALUE)

static int _printf_(2, 3) line_refuse(struct line *line, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(line->reason, sizeof(line->reason), format, arguments);
        va_end(arguments);
        return -EBADMSG;
}

/* timestamps */

/* @pattern: 0 is a digit, anything else stands for itself. */
static bool text_fits(const char *text, size_t size, const char *pattern) {
        for (; *pattern; ++pattern, ++text, --size)
                if (size == 0 || (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern))
                        return false;

        return true;
}

static int two_digits(const char *text) {
        return (text[0] - '0') * 10 + (text[1] - '0');
}

static bool zone_is_valid(const char *p, size_t size) {
        if (size == 1)
                return *p == 'Z' || *p == 'z';

        return size == 6 && (text_fits(p, size, "+00:00") || text_fits(p, size, "-00:00")) &&
               two_digits(p + 1) < 24 && two_digits(p + 4) < 60;
}

static bool date_is_valid(const char *p) {
        static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        int century = two_digits(p), year = two_digits(p + 2), month = two_digits(p + 5);
        bool is_leap = year % 4 == 0 && (year != 0 || century % 4 == 0);
        int day = two_digits(p + 8);

        return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && is_leap);
}

/* RFC 3339; a leap second may be one. */
static bool timestamp_is_valid(struct json_span span) {
        const char *p = span.text, *end = span.text + span.size;

        if (!text_fits(p, span.size, "0000-00-00T00:00:00") || !date_is_valid(p) || two_digits(p + 11) > 23 ||
                        two_digits(p + 14) > 59 || two_digits(p + 17) > 60)
                return false;

        p += strlen("0000-00-00T00:00:00");
        if (p < end && *p == '.') {
                const char *digits = ++p;

                while (p < end && *p >= '0' && *p <= '9')
                        ++p;
                if (p == digits)
                        return false;
        }

        return zone_is_valid(p, (size_t) (end - p));
}

/* fields */

static int parse_number(struct line *line, const char *name, struct json_span span, double *valuep) {
        char text[NUMBER_MAX + 1];
        double value;

        if (span.size > NUMBER_MAX)
                return line_refuse(line, "%s is a number of %zu characters", name, span.size);

        memcpy(text, span.text, span.size);
        text[span.size] = 0;
        value = strtod(text, NULL);
        if (!isfinite(value))
                return line_refuse(line, "%s is too large a number", name);

        *valuep = value;
        return 0;
}

static int take_string(struct line *line, const char *name, const struct json_member *member) {
        if (member->kind == JSON_STRING && member->value.size > 2)
                return 0;

        return line_refuse(line, "%s is not a string with something in it", name);
}

static struct json_span span_inside(struct json_span string) {
        return (struct json_span){ string.text + 1, string.size - 2 };
}

static int take_timestamp(struct line *line, const struct json_member *member) {
        if (member->kind == JSON_STRING && timestamp_is_valid(span_inside(member->value)))
                return 0;

        return line_refuse(line, "timestamp is not a time such as \"2026-11-23T10:49:43.7Z\"");
}

static int take_value(struct line *line, const struct json_member *member) {
        return member->kind == JSON_NUMBER ? parse_number(line, "value", member->value, &line->value)
                                           : line_refuse(line, "value is not a number");
}

static int take_quality(struct line *line, const struct json_member *member) {
        int r;

        if (member->kind != JSON_NUMBER)
                return line_refuse(line, "quality_score is not a number");

        r = parse_number(line, "quality_score", member->value, &line->quality);
        if (r < 0)
                return r;

        return line->quality >= 0 && line->quality <= 1
                               ? 0
                               : line_refuse(line, "quality_score is not within 0 and 1");
}

static int line_take_field(struct line *line, unsigned int field, const struct json_member *member) {
        switch (field) {
        case FIELD_SENSOR_ID:
                return take_string(line, "sensor_id", member);
        case FIELD_TYPE:
                line->type = span_inside(member->value);
                return take_string(line, "type", member);
        case FIELD_TIMESTAMP:
                return take_timestamp(line, member);
        case FIELD_VALUE:
                return take_value(line, member);
        case FIELD_QUALITY:
                return take_quality(line, member);
        case FIELD_LABEL:
                line->is_faulty = member->kind == JSON_STRING &&
                                  !json_string_equals(span_inside(member->value), "none");
                return 0;
        default:
                line->replaced[line->n_replaced++] = member->all;
                return 0;
        }
}

static int line_visit(void *userdata, const struct json_member *member) {
        struct line *line = userdata;

        for (unsigned int field = 0; field < N_FIELDS; ++field) {
                if (!json_string_equals(member->key, field_names[field]))
                        continue;
                /* Which of two is meant, every reader decides for itself. */
                if (line->seen & 1u << field)
                        return line_refuse(line, "%s is there twice", field_names[field]);

                line->seen |= 1u << field;
                return line_take_field(line, field, member);
        }

        return 0;
}

static struct json_span span_trim(const char *text, size_t size) {
        while (size > 0 && strchr(" \t\r\n", *text) && *text) {
                ++text;
                --size;
        }
        while (size > 0 && strchr(" \t\r\n", text[size - 1]) && text[size - 1])
                --size;

        return (struct json_span){ text, size };
}

int line_parse(struct line *line, const char *text, size_t size) {
        struct json_mistake mistake = {};
        unsigned int missing;
        int r;

        *line = (struct line){ .text = span_trim(text, size), .quality = 1 };
        r = json_visit(line->text.text, line->text.size, &mistake, line_visit, line);
        if (r < 0 && mistake.expected)
                return line_refuse(line, "no JSON: byte %zu should be %s",
                                mistake.offset + (size_t) (line->text.text - text), mistake.expected);
        if (r < 0)
                return r;

        missing = FIELDS_NEEDED & ~line->seen;
        if (missing)
                return line_refuse(line, "there is no %s", field_names[__builtin_ctz(missing)]);

        return 0;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t line_copy(const struct line *line, char *buffer) {
        const char *p = line->text.text, *end = line->text.text + line->text.size - 1;
        char *out = buffer;

        for (unsigned int i = 0; i < line->n_replaced; ++i) {
                const struct json_span *span = &line->replaced[i];

                out = mempcpy(out, p, (size_t) (span->text - p));
                p = span->text + span->size;

                /* With the comma behind it, or else the one before: needed fields always leave a neighbour.
                 */
                while (p < end && is_blank(*p))
                        ++p;
                if (*p == ',')
                        ++p;
                else
                        while (out[-1] == ',' || is_blank(out[-1]))
                                --out;
        }

        out = mempcpy(out, p, (size_t) (end - p));
        while (is_blank(out[-1]))
                --out;

        return (size_t) (out - buffer);
}
