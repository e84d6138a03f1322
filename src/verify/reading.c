/* SPDX-License-Identifier: Apache-2.0 */

#include "verify/reading.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/parse.h"
#include "util/timestamp.h"
#include "verify/hash.h"
#include "verify/lines.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define TEXT_MAX 63u /* bytes of a number or a time; longer ones were never measured */

/* What a hash is of, so that "1" is not 1. */
enum value_seed {
        SEED_OTHER,
        SEED_STRING,
        SEED_NUMBER,
        SEED_TIME,
};

static const char *const field_names[READING_N_FIELDS] = {
        [READING_SENSOR_ID] = "sensor_id",
        [READING_TIMESTAMP] = "timestamp",
        [READING_TYPE] = "type",
        [READING_VALUE] = "value",
        [READING_UNIT] = "unit",
        [READING_LATITUDE] = "location.lat",
        [READING_LONGITUDE] = "location.lon",
        [READING_MILE_POST] = "location.mile_post",
        [READING_PIPELINE_ID] = "pipeline_id",
        [READING_STATUS] = "status",
        [READING_QUALITY_SCORE] = "quality_score",
        [READING_ALERT_LEVEL] = "alert_level",
        [READING_LABEL] = "label",
        [READING_EVENT] = "event",
        [READING_SEQUENCE] = "seq",
};

struct visit {
        struct reading_parser *parser;
        struct reading *reading;
        bool is_inside;    /* of location */
        unsigned int next; /* the field that i4 writes after the last one */
};

static int _printf_(2, 3) reading_refuse(struct reading *reading, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(reading->reason, sizeof(reading->reason), format, arguments);
        va_end(arguments);
        return -EBADMSG;
}

/* values */

static struct json_span span_inside(struct json_span string) {
        return (struct json_span){ string.text + 1, string.size - 2 };
}

static inline bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/*
 * Both digits and power of ten are exact as doubles, so their quotient is the nearest there is: what strtod()
 * says. False: it has to say it.
 */
static bool number_parse_short(struct json_span span, double *valuep) {
        static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
                1e13, 1e14 };
        const char *p = span.text, *end = p + span.size, *point = NULL;
        bool is_negative = *p == '-';
        uint64_t digits = 0;

        if (span.size > 15)
                return false;

        for (p += is_negative; p < end; ++p)
                if (is_digit(*p))
                        digits = digits * 10 + (uint64_t) (*p - '0');
                else if (*p == '.')
                        point = p;
                else
                        return false;

        *valuep = (double) digits / powers[point ? end - point - 1 : 0];
        if (is_negative)
                *valuep = -*valuep;
        return true;
}

static double number_parse(struct json_span span) {
        char text[TEXT_MAX + 1];
        double value;

        if (number_parse_short(span, &value))
                return value;

        memcpy(text, span.text, span.size);
        text[span.size] = 0;
        return strtod(text, NULL);
}

static uint64_t number_hash(struct json_span span) {
        double value;
        uint64_t bits;

        if (span.size > TEXT_MAX)
                return hash_bytes(SEED_OTHER, span.text, span.size);

        value = number_parse(span);
        if (value == 0)
                value = 0; /* and not -0 */
        memcpy(&bits, &value, sizeof(bits));
        return random_mix(bits + SEED_NUMBER * HASH_STEP);
}

static uint64_t string_hash(const struct reading_parser *parser, struct json_span inside) {
        if (likely(!memchr(inside.text, '\\', inside.size)))
                return hash_bytes(SEED_STRING, inside.text, inside.size);

        return hash_bytes(SEED_STRING, parser->scratch, json_unescape(parser->scratch, inside));
}

static uint64_t value_hash(const struct reading_parser *parser, const struct json_member *member) {
        switch (member->kind) {
        case JSON_STRING:
                return string_hash(parser, span_inside(member->value));
        case JSON_NUMBER:
                return number_hash(member->value);
        default:
                return hash_bytes(SEED_OTHER, member->value.text, member->value.size);
        }
}

/* times */

static int time_parse_any(const char *text, size_t size, uint64_t *nsp) {
        char copy[TEXT_MAX + 1];

        if (size > TEXT_MAX || size == 0 || !is_digit(*text))
                return -EINVAL;

        memcpy(copy, text, size);
        copy[size] = 0;
        return parse_time(copy, nsp);
}

/* ".436377Z", to the nanosecond: 0 if it is not of this form */
static bool fraction_parse(const char *text, size_t size, uint64_t *nsp) {
        uint64_t ns = 0, unit = NSEC_PER_SEC;

        if (size < 3 || size > 11 || text[0] != '.' || text[size - 1] != 'Z')
                return false;

        for (size_t i = 1; i + 1 < size; ++i) {
                if (!is_digit(text[i]))
                        return false;
                unit /= 10;
                ns += (uint64_t) (text[i] - '0') * unit;
        }

        *nsp = ns;
        return true;
}

/* Most lines are of the same second as the one before. */
static int time_parse(struct reading_parser *parser, struct json_span span, uint64_t *nsp) {
        const size_t n = sizeof(parser->second) - 1;
        uint64_t fraction_ns, second_ns;
        char second[sizeof(parser->second) + 1];

        if (span.size <= n || !fraction_parse(span.text + n, span.size - n, &fraction_ns))
                return time_parse_any(span.text, span.size, nsp);

        if (memcmp(parser->second, span.text, n) != 0) {
                memcpy(second, span.text, n);
                second[n] = 'Z';
                if (time_parse_any(second, n + 1, &second_ns) < 0)
                        return -EINVAL;

                memcpy(parser->second, span.text, n);
                parser->second_ns = second_ns;
        }

        *nsp = parser->second_ns + fraction_ns;
        return 0;
}

/* fields */

static void take_timestamp(
                struct reading_parser *parser, struct reading *reading, const struct json_member *member) {
        if (member->kind != JSON_STRING ||
                        time_parse(parser, span_inside(member->value), &reading->time_ns) < 0)
                return;

        reading->has_time = true;
        reading->hashes[READING_TIMESTAMP] = random_mix(reading->time_ns + SEED_TIME * HASH_STEP);
}

static void take_sensor(struct reading *reading, const struct json_member *member) {
        struct json_span inside = span_inside(member->value);

        if (member->kind != JSON_STRING)
                return;

        if (likely(!memchr(inside.text, '\\', inside.size)))
                reading->sensor = inside;
        else if (inside.size <= sizeof(reading->sensor_text))
                reading->sensor = (struct json_span){ reading->sensor_text,
                        json_unescape(reading->sensor_text, inside) };
}

/* Whole numbers as i4 writes them; what has passed a parser of doubles may end in ".0". */
static void take_sequence(struct reading *reading, const struct json_member *member) {
        const char *p = member->value.text, *end = p + member->value.size;
        uint64_t number = 0;

        if (member->kind != JSON_NUMBER || !is_digit(*p))
                return;

        for (; p < end && is_digit(*p); ++p)
                if (__builtin_mul_overflow(number, 10, &number) ||
                                __builtin_add_overflow(number, (uint64_t) (*p - '0'), &number))
                        return;
        if (p < end && (end - p != 2 || memcmp(p, ".0", 2) != 0))
                return;

        reading->sequence = number;
        reading->has_sequence = true;
}

static int visit_take_field(struct visit *visit, unsigned int field, const struct json_member *member) {
        struct reading *reading = visit->reading;

        if (member->kind == JSON_NULL)
                return 0;
        if (reading->seen & READING_BIT(field))
                return reading_refuse(reading, "%s is there twice", field_names[field]);

        reading->seen |= READING_BIT(field);
        reading->values[field] = member->value;
        reading->hashes[field] = value_hash(visit->parser, member);
        if (field == READING_TIMESTAMP)
                take_timestamp(visit->parser, reading, member);
        else if (field == READING_SENSOR_ID)
                take_sensor(reading, member);
        else if (field == READING_SEQUENCE)
                take_sequence(reading, member);

        return 0;
}

/* A name without what stands before it, as a key is in its own object. */
struct key_name {
        const char *text;
        uint8_t size;
        bool is_inside; /* of location */
};

#define KEY(name)                                                                                            \
        { name, sizeof(name) - 1, false }
#define INSIDE(name)                                                                                         \
        { name, sizeof(name) - 1, true }

static const struct key_name key_names[READING_N_FIELDS] = {
        [READING_SENSOR_ID] = KEY("sensor_id"),
        [READING_TIMESTAMP] = KEY("timestamp"),
        [READING_TYPE] = KEY("type"),
        [READING_VALUE] = KEY("value"),
        [READING_UNIT] = KEY("unit"),
        [READING_LATITUDE] = INSIDE("lat"),
        [READING_LONGITUDE] = INSIDE("lon"),
        [READING_MILE_POST] = INSIDE("mile_post"),
        [READING_PIPELINE_ID] = KEY("pipeline_id"),
        [READING_STATUS] = KEY("status"),
        [READING_QUALITY_SCORE] = KEY("quality_score"),
        [READING_ALERT_LEVEL] = KEY("alert_level"),
        [READING_LABEL] = KEY("label"),
        [READING_EVENT] = KEY("event"),
        [READING_SEQUENCE] = KEY("seq"),
};

static inline bool key_is_plainly(struct json_span key, const struct key_name *name) {
        return key.size == name->size && memcmp(key.text, name->text, key.size) == 0;
}

/* Begins with the one that comes next in what i4 writes. */
static unsigned int visit_find_field(const struct visit *visit, struct json_span key) {
        unsigned int field = visit->next;

        for (unsigned int i = 0; i < READING_N_FIELDS; ++i, ++field) {
                field = field < READING_N_FIELDS ? field : 0;
                if (key_names[field].is_inside == visit->is_inside && key_is_plainly(key, &key_names[field]))
                        return field;
        }

        if (!memchr(key.text, '\\', key.size))
                return READING_N_FIELDS;
        for (field = 0; field < READING_N_FIELDS; ++field)
                if (key_names[field].is_inside == visit->is_inside &&
                                json_string_equals(key, key_names[field].text))
                        break;

        return field;
}

static void reading_add_extra(struct reading *reading, struct json_span key) {
        if (reading->n_extras < READING_EXTRAS_MAX)
                reading->extras[reading->n_extras] = key;
        ++reading->n_extras;
}

/* verdicts */

/* Nothing between the brackets, no number but 0, no word that says that all is well. */
static bool value_is_true(const struct json_member *member) {
        struct json_span inside = span_inside(member->value);

        switch (member->kind) {
        case JSON_BOOLEAN:
                return *member->value.text == 't';
        case JSON_NUMBER:
                return member->value.size > TEXT_MAX || number_parse(member->value) != 0;
        case JSON_STRING:
                return inside.size > 0 && !json_string_equals(inside, "none");
        case JSON_ARRAY:
        case JSON_OBJECT:
                for (size_t i = 0; i < inside.size; ++i)
                        if (!strchr(" \t\r\n", inside.text[i]))
                                return true;
                return false;
        default:
                return false;
        }
}

static void take_verdict(struct reading *reading, const struct json_member *member) {
        reading->has_verdict = true;
        reading->is_detected = value_is_true(member);
        if (reading->is_detected && member->kind == JSON_STRING)
                reading->detection = span_inside(member->value);
}

static int visit_inside_verdict(void *userdata, const struct json_member *member) {
        struct visit *visit = userdata;

        if (json_string_equals(member->key, visit->parser->detection_inner))
                take_verdict(visit->reading, member);
        return 0;
}

/* True: the key is the detector's. */
static bool visit_take_verdict(struct visit *visit, const struct json_member *member) {
        struct json_mistake mistake;

        if (likely(!*visit->parser->detection) || !json_string_equals(member->key, visit->parser->detection))
                return false;

        if (!*visit->parser->detection_inner)
                take_verdict(visit->reading, member);
        else if (member->kind == JSON_OBJECT)
                (void) json_visit(member->value.text, member->value.size, &mistake, visit_inside_verdict,
                                visit);
        return true;
}

/* objects */

static int visit_location(void *userdata, const struct json_member *member) {
        struct visit *visit = userdata;
        unsigned int field = visit_find_field(visit, member->key);

        if (field < READING_N_FIELDS) {
                visit->next = field + 1;
                return visit_take_field(visit, field, member);
        }

        reading_add_extra(visit->reading, member->key);
        return 0;
}

static int visit_reading(void *userdata, const struct json_member *member) {
        struct visit *visit = userdata;
        bool is_verdict = visit_take_verdict(visit, member);
        unsigned int field;

        if (member->kind == JSON_OBJECT && json_string_equals(member->key, "location")) {
                struct visit inside = { visit->parser, visit->reading, true, READING_LATITUDE };
                struct json_mistake mistake;

                visit->next = READING_PIPELINE_ID;
                return json_visit(member->value.text, member->value.size, &mistake, visit_location, &inside);
        }

        field = visit_find_field(visit, member->key);
        if (field < READING_N_FIELDS) {
                visit->next = field + 1;
                return visit_take_field(visit, field, member);
        }

        if (!is_verdict)
                reading_add_extra(visit->reading, member->key);
        return 0;
}

int reading_parser_init(struct reading_parser *parser, const char *detection) {
        size_t n = detection ? strcspn(detection, ".") : 0;

        *parser = (struct reading_parser){};
        if (detection) {
                const char *inner = detection[n] ? detection + n + 1 : "";

                if (n >= sizeof(parser->detection) || strlen(inner) >= sizeof(parser->detection_inner))
                        return -ENAMETOOLONG;
                memcpy(parser->detection, detection, n);
                memcpy(parser->detection_inner, inner, strlen(inner));
        }

        parser->scratch = malloc(LINES_SIZE_MAX);
        return parser->scratch ? 0 : -ENOMEM;
}

void reading_parser_deinit(struct reading_parser *parser) {
        free(parser->scratch);
        parser->scratch = NULL;
}

static void reading_clear(struct reading *reading) {
        reading->seen = 0;
        reading->sensor = reading->detection = (struct json_span){ "", 0 };
        reading->has_time = reading->has_sequence = reading->has_verdict = reading->is_detected = false;
        reading->n_extras = 0;
        *reading->reason = 0;
}

int reading_parse(struct reading_parser *parser, struct reading *reading, const char *text, size_t size) {
        struct visit visit = { parser, reading, false, READING_SENSOR_ID };
        struct json_mistake mistake = {};
        int r;

        reading_clear(reading);
        r = json_visit(text, size, &mistake, visit_reading, &visit);
        if (r < 0 && mistake.expected)
                return reading_refuse(
                                reading, "no JSON: byte %zu should be %s", mistake.offset, mistake.expected);

        return r;
}

/* comparing */

unsigned int reading_compare(const struct reading *reading, const struct reading *truth, unsigned int ignored,
                unsigned int *missingp) {
        unsigned int seen = reading->seen | (truth->seen & ~READING_OPTIONAL), differing = 0;

        ignored |= READING_BIT(READING_SEQUENCE);
        /* No label means that the truth was kept away, not that it is another. */
        if (!(truth->seen & READING_BIT(READING_LABEL)))
                ignored |= READING_OPTIONAL;
        if (!(reading->seen & READING_BIT(READING_LABEL)))
                ignored |= READING_BIT(READING_EVENT);

        for (seen &= ~ignored; seen != 0; seen &= seen - 1) {
                unsigned int field = (unsigned int) __builtin_ctz(seen), bit = READING_BIT(field);

                if (!(reading->seen & truth->seen & bit) || reading->hashes[field] != truth->hashes[field])
                        differing |= bit;
        }

        *missingp = differing & ~reading->seen;
        return differing;
}

static bool reading_is_well(const struct reading *reading) {
        struct json_span label = reading->values[READING_LABEL];

        return !(reading->seen & READING_BIT(READING_LABEL)) ||
               (*label.text == '"' && json_string_equals(span_inside(label), "none"));
}

uint64_t reading_get_digest(const struct reading *reading, unsigned int ignored) {
        unsigned int seen = reading->seen & ~ignored & ~READING_BIT(READING_SEQUENCE);
        uint64_t digest = 0;

        if (seen & READING_OPTIONAL && reading_is_well(reading))
                seen &= ~READING_OPTIONAL;

        for (; seen != 0; seen &= seen - 1) {
                unsigned int field = (unsigned int) __builtin_ctz(seen);

                /* Multiplied, so that fields that change places change the sum. */
                digest += (reading->hashes[field] + field) * (2 * field * HASH_STEP + 1);
        }

        return random_mix(digest);
}

const char *reading_field_to_string(enum reading_field field) {
        return field_names[field];
}

int reading_field_from_string(const char *name) {
        for (int field = 0; field < READING_N_FIELDS; ++field)
                if (strcmp(field_names[field], name) == 0)
                        return field;

        return -EINVAL;
}
