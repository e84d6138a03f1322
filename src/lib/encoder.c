/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Records to JSON Lines
 *
 * The one place that knows how a record looks as text. All that depends on the catalog alone is laid out
 * once, in pieces that are copied by a fixed number of bytes: the surplus of each copy is overwritten by what
 * comes next, which is why a line needs I4_LINE_MAX of room and not just its length. Numbers are made the
 * same way, from groups of up to three digits: a division by a thousand, and each half is a copy from a
 * table. The tables hold the lengths too, so that no ordinary value is branched on. The date changes once a
 * second.
 *
 * The cost is instructions rather than memory: prefetching gained nothing, and texts kept for each sensor
 * lost more to cache misses than they saved.
 *
 * Records may come from memory that others write. Any 64 bytes give a line that parses: numbers without a
 * name select the last entry of each table.
 */

#include "lib/catalog.h"

#include "util/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define PIECE_SIZE 64u

/* Static text between two numbers. */
struct piece {
        char text[PIECE_SIZE];
        size_t size;
};

struct type_pieces {
        struct piece head;  /* {"sensor_id":"SNS-flo- */
        struct piece value; /* Z","type":"flow_rate","value": */
        struct piece unit;  /* ,"unit":"bbl/hr","location":{"lat": */
};

/* Up to three digits and what follows them. */
struct group {
        char text[4];
        uint32_t size;
};

enum {
        GROUP_TRIMMED, /* 7. */
        GROUP_PADDED,  /* 007. */
        N_GROUPS,
};

#define N_THOUSANDS 100u
#define N_TENTHS    (UINT16_MAX / 1000u + 1)

struct i4_encoder {
        uint32_t n_types;
        uint32_t n_pipelines;
        unsigned int extras;                    /* enum i4_extra */
        uint64_t second_ns;                     /* that @date shows */
        struct piece date;                      /* ","timestamp":"2026-11-23T10:49:43. */
        struct piece statuses[I4_N_STATUS + 1]; /* normal","quality_score": */
        struct piece alerts[I4_N_ALERT + 1];    /* ,"alert_level":"low"} and the end of the line */
        struct piece *pipelines;                /* },"pipeline_id":"PIPE-LA-001","status":" */
        struct type_pieces *types;
        struct group groups[N_GROUPS][1000];
        struct group thousands[N_THOUSANDS]; /* what precedes a padded group: 7, nothing for 0 */
        char tenths[N_TENTHS][4];            /* 0.7 */
};

/* Six pieces, numbers at their longest, and the last piece as it is copied. */
static_assert(6 * PIECE_SIZE + sizeof(",\"lon\":,\"mile_post\":") + 10 /* sensor */ + 6 /* microseconds */ +
                                                3 * 12 /* value, latitude, longitude */ + 11 /* mile post */ +
                                                6 /* quality */ + 32 /* alert */
                                <= I4_LINE_MAX,
                "the longest line fits");

_printf_(2, 3) static void piece_format(struct piece *piece, const char *format, ...) {
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vsnprintf(piece->text, sizeof(piece->text), format, arguments);
        va_end(arguments);

        assert(n >= 0 && (size_t) n < sizeof(piece->text));
        piece->size = (size_t) n;
}

static void type_pieces_init(
                struct type_pieces *pieces, const char *prefix, const char *name, const char *unit) {
        piece_format(&pieces->head, "{\"sensor_id\":\"SNS-%s-", prefix);
        piece_format(&pieces->value, "Z\",\"type\":\"%s\",\"value\":", name);
        piece_format(&pieces->unit, ",\"unit\":\"%s\",\"location\":{\"lat\":", unit);
}

static void encoder_init_catalog(struct i4_encoder *encoder, const i4_catalog *catalog) {
        for (uint32_t i = 0; i < catalog->n_types; ++i)
                type_pieces_init(&encoder->types[i], catalog->types[i].prefix, catalog->types[i].name,
                                catalog->types[i].unit);
        type_pieces_init(&encoder->types[catalog->n_types], "unknown", "unknown", "unknown");

        for (uint32_t i = 0; i <= catalog->n_pipelines; ++i)
                piece_format(&encoder->pipelines[i], "},\"pipeline_id\":\"%s\",\"status\":\"",
                                i < catalog->n_pipelines ? catalog->pipelines[i].id : "unknown");
}

static void encoder_init_names(struct i4_encoder *encoder) {
        for (unsigned int i = 0; i <= I4_N_STATUS; ++i)
                piece_format(&encoder->statuses[i], "%s\",\"quality_score\":",
                                i < I4_N_STATUS ? i4_status_to_string(i) : "unknown");

        for (unsigned int i = 0; i <= I4_N_ALERT; ++i)
                piece_format(&encoder->alerts[i], ",\"alert_level\":\"%s\"}\n",
                                i < I4_N_ALERT ? i4_alert_to_string(i) : "unknown");
        piece_format(&encoder->alerts[I4_ALERT_NONE], "}\n");
}

static void encoder_init_group(struct i4_encoder *encoder, uint32_t value) {
        const char text[] = {
                (char) ('0' + value / 100),
                (char) ('0' + value / 10 % 10),
                (char) ('0' + value % 10),
                '.',
        };
        size_t n_zeros = (value < 100) + (value < 10);
        struct group *padded = &encoder->groups[GROUP_PADDED][value];
        struct group *trimmed = &encoder->groups[GROUP_TRIMMED][value];

        padded->size = sizeof(text);
        memcpy(padded->text, text, sizeof(text));
        trimmed->size = (uint32_t) (sizeof(text) - n_zeros);
        memcpy(trimmed->text, text + n_zeros, sizeof(text) - n_zeros);
}

static void encoder_init_numbers(struct i4_encoder *encoder) {
        for (uint32_t i = 0; i < 1000; ++i)
                encoder_init_group(encoder, i);

        for (uint32_t i = 1; i < N_THOUSANDS; ++i) {
                encoder->thousands[i] = encoder->groups[GROUP_TRIMMED][i];
                --encoder->thousands[i].size;
        }

        for (uint32_t i = 0; i < N_TENTHS; ++i) {
                encoder->tenths[i][0] = (char) ('0' + i / 10);
                encoder->tenths[i][1] = '.';
                encoder->tenths[i][2] = (char) ('0' + i % 10);
        }
}

static void encoder_set_second(struct i4_encoder *encoder, uint64_t second) {
        time_t time = (time_t) second;
        struct tm tm;

        /* 64 bits of nanoseconds end in 2554: years have four digits and gmtime_r() cannot fail. */
        (void) gmtime_r(&time, &tm);
        piece_format(&encoder->date, "\",\"timestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        encoder->second_ns = second * NSEC_PER_SEC;
}

/**
 * i4_encoder_new() - make an encoder for the records of one catalog
 * @encoderp:           return argument
 * @catalog:            what the numbers stand for; not needed afterwards
 *
 * Return: 0, -ENOMEM.
 */
_public_ int i4_encoder_new(i4_encoder **encoderp, const i4_catalog *catalog) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;

        encoder = calloc(1, sizeof(*encoder));
        if (!encoder)
                return -ENOMEM;

        encoder->n_types = catalog->n_types;
        encoder->n_pipelines = catalog->n_pipelines;
        encoder->types = calloc(catalog->n_types + 1, sizeof(*encoder->types));
        encoder->pipelines = calloc(catalog->n_pipelines + 1, sizeof(*encoder->pipelines));
        if (!encoder->types || !encoder->pipelines)
                return -ENOMEM;

        encoder_init_catalog(encoder, catalog);
        encoder_init_names(encoder);
        encoder_init_numbers(encoder);
        encoder_set_second(encoder, 0);

        *encoderp = TAKE_PTR(encoder);
        return 0;
}

_public_ i4_encoder *i4_encoder_free(i4_encoder *encoder) {
        if (encoder) {
                free(encoder->pipelines);
                free(encoder->types);
        }
        free(encoder);
        return NULL;
}

/* Copies @n bytes, a constant that no text in its place exceeds, and moves on by the length of the text. */
static inline char *put_piece(char *p, const struct piece *piece, size_t n) {
        memcpy(p, piece->text, n);
        return p + piece->size;
}

/* The same with a literal, padded to @n bytes that are copied at once. */
#define put_literal(p, literal, n)                                                                           \
        __extension__({                                                                                      \
                static const char _text[n] = literal;                                                        \
                memcpy((p), _text, sizeof(_text));                                                           \
                (p) + sizeof(literal) - 1;                                                                   \
        })

static inline char *put_group(char *p, const struct group *group) {
        memcpy(p, group->text, sizeof(group->text));
        return p + group->size;
}

/* Whatever is too large for the tables, and for a pipeline. */
static char *put_long(char *p, uint64_t value) {
        char digits[20];
        size_t n = 0;

        do
                digits[n++] = (char) ('0' + value % 10);
        while ((value /= 10) > 0);

        while (n > 0)
                *p++ = digits[--n];
        return p;
}

static char *put_long_point(char *p, uint32_t value) {
        p = put_long(p, value);
        *p++ = '.';
        return p;
}

static inline char *put_digits2(const struct i4_encoder *encoder, char *p, uint32_t value) {
        memcpy(p, encoder->groups[GROUP_PADDED][value].text + 1, 2);
        return p + 2;
}

static inline char *put_digits3(const struct i4_encoder *encoder, char *p, uint32_t value) {
        memcpy(p, encoder->groups[GROUP_PADDED][value].text, 4);
        return p + 3;
}

static inline char *put_digits6(const struct i4_encoder *encoder, char *p, uint32_t value) {
        return put_digits3(encoder, put_digits3(encoder, p, value / 1000), value % 1000);
}

static inline char *put_sign(char *p, int32_t value) {
        *p = '-';
        return p + (value < 0);
}

static inline uint32_t magnitude(int32_t value) {
        return value < 0 ? 0u - (uint32_t) value : (uint32_t) value;
}

/* Up to the decimal point. Some types reach into the thousands, others do not: that part may be empty. */
static inline char *put_whole(const struct i4_encoder *encoder, char *p, uint32_t value) {
        uint32_t thousands = value / 1000;

        if (unlikely(thousands >= N_THOUSANDS))
                return put_long_point(p, value);

        p = put_group(p, &encoder->thousands[thousands]);
        return put_group(p, &encoder->groups[thousands > 0 ? GROUP_PADDED : GROUP_TRIMMED][value % 1000]);
}

/* The same for degrees and miles, which hardly ever do. */
static inline char *put_whole_short(const struct i4_encoder *encoder, char *p, uint32_t value) {
        if (unlikely(value >= 1000))
                return put_long_point(p, value);

        return put_group(p, &encoder->groups[GROUP_TRIMMED][value]);
}

static inline char *put_value(const struct i4_encoder *encoder, char *p, int32_t value_e2) {
        uint32_t u = magnitude(value_e2);

        p = put_whole(encoder, put_sign(p, value_e2), u / 100);
        return put_digits2(encoder, p, u % 100);
}

static inline char *put_degrees(const struct i4_encoder *encoder, char *p, int32_t value_e6) {
        uint32_t u = magnitude(value_e6);

        p = put_whole_short(encoder, put_sign(p, value_e6), u / 1000000);
        return put_digits6(encoder, p, u % 1000000);
}

static inline char *put_mile_post(const struct i4_encoder *encoder, char *p, uint32_t value_e2) {
        p = put_whole_short(encoder, p, value_e2 / 100);
        return put_digits2(encoder, p, value_e2 % 100);
}

static inline char *put_quality(const struct i4_encoder *encoder, char *p, uint32_t value_e4) {
        memcpy(p, encoder->tenths[value_e4 / 1000], sizeof(encoder->tenths[0]));
        return put_digits3(encoder, p + 3, value_e4 % 1000);
}

/* Four digits at least. */
static inline char *put_sensor(const struct i4_encoder *encoder, char *p, uint32_t sensor) {
        if (unlikely(sensor >= 10000))
                return put_long(p, sensor);

        *p = (char) ('0' + sensor / 1000);
        return put_digits3(encoder, p + 1, sensor % 1000);
}

/* Inlined twice: left to itself the compiler calls it, which costs each record 24 instructions. */
__attribute__((always_inline)) static inline char *put_record(
                struct i4_encoder *encoder, const struct i4_record *record, char *p) {
        const struct type_pieces *type = &encoder->types[MIN(record->type, encoder->n_types)];
        uint64_t fraction_ns = record->time_ns - encoder->second_ns;

        if (unlikely(fraction_ns >= NSEC_PER_SEC)) {
                encoder_set_second(encoder, record->time_ns / NSEC_PER_SEC);
                fraction_ns = record->time_ns - encoder->second_ns;
        }

        p = put_piece(p, &type->head, 32);
        p = put_sensor(encoder, p, record->sensor);
        p = put_piece(p, &encoder->date, 48);
        p = put_digits6(encoder, p, (uint32_t) fraction_ns / 1000);
        p = put_piece(p, &type->value, 64);
        p = put_value(encoder, p, record->value_e2);
        p = put_piece(p, &type->unit, 48);
        p = put_degrees(encoder, p, record->latitude_e6);
        p = put_literal(p, ",\"lon\":", 8);
        p = put_degrees(encoder, p, record->longitude_e6);
        p = put_literal(p, ",\"mile_post\":", 16);
        p = put_mile_post(encoder, p, record->mile_post_e2);
        p = put_piece(p, &encoder->pipelines[MIN(record->pipeline, encoder->n_pipelines)], 64);
        p = put_piece(p, &encoder->statuses[MIN(record->status, I4_N_STATUS)], 32);
        p = put_quality(encoder, p, record->quality_e4);
        return put_piece(p, &encoder->alerts[MIN(record->alert, I4_N_ALERT)], 32);
}

/* In the place of the brace and the line feed that end a line. */
static char *put_extras(const struct i4_encoder *encoder, const struct i4_record *record, char *p) {
        p -= strlen("}\n");

        if (encoder->extras & I4_EXTRA_SEQUENCE)
                p = put_long(put_literal(p, ",\"seq\":", 8), record->sequence);
        if (encoder->extras & I4_EXTRA_LABEL) {
                const char *label = i4_fault_to_string(record->fault);

                p = put_literal(p, ",\"label\":\"", 12);
                p = stpcpy(p, label ? label : "unknown");
                *p++ = '"';
                if (record->event != 0)
                        p = put_long(put_literal(p, ",\"event\":", 12), record->event);
        }

        return put_literal(p, "}\n", 4);
}

/**
 * i4_encoder_set_extras() - choose what lines say beside the reading
 * @encoder:            encoder to operate on
 * @extras:             enum i4_extra, or'ed; 0 as at first: nothing
 */
_public_ void i4_encoder_set_extras(i4_encoder *encoder, unsigned int extras) {
        encoder->extras = extras;
}

static size_t encode_with_extras(struct i4_encoder *encoder, const struct i4_record *records,
                size_t n_records, char *buffer, const char *last, char **endp) {
        char *p = buffer;
        size_t i = 0;

        for (; i < n_records && p <= last; ++i)
                p = put_extras(encoder, &records[i], put_record(encoder, &records[i], p));

        *endp = p;
        return i;
}

/**
 * i4_encoder_encode() - write records as JSON Lines
 * @encoder:            encoder to operate on
 * @records:            what to encode
 * @n_records:          how many
 * @buffer:             where the lines go, without a terminating NUL
 * @size:               bytes in @buffer
 * @n_encodedp:         return argument for the number of records encoded
 *
 * Stops before the first record for which less than I4_LINE_MAX bytes of @buffer are left, since it may write
 * that far; so a buffer smaller than I4_LINE_MAX takes none. Any content of a record gives a line that
 * parses.
 *
 * Return: bytes of the lines in @buffer.
 */
_public_ size_t i4_encoder_encode(i4_encoder *encoder, const struct i4_record *records, size_t n_records,
                char *buffer, size_t size, size_t *n_encodedp) {
        const char *last = buffer + size - I4_LINE_MAX;
        char *p = buffer;
        size_t i = 0;

        if (unlikely(encoder->extras != 0) && size >= I4_LINE_MAX)
                i = encode_with_extras(encoder, records, n_records, buffer, last, &p);
        else if (size >= I4_LINE_MAX)
                for (; i < n_records && p <= last; ++i)
                        p = put_record(encoder, &records[i], p);

        *n_encodedp = i;
        return (size_t) (p - buffer);
}
