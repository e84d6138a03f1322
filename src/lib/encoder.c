/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Records to JSON Lines
 *
 * The one place that knows how a record looks as text. All that depends on the catalog alone is laid out
 * once, in pieces that are copied by a fixed number of bytes: the surplus of each copy is overwritten by what
 * comes next, which is why a line needs I4_LINE_MAX of room and not just its length. What is left per record
 * is four short numbers, three long ones and a time of day whose date changes once a second.
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

struct i4_encoder {
        uint32_t n_types;
        uint32_t n_pipelines;
        uint64_t second;                        /* that @date shows */
        struct piece date;                      /* ","timestamp":"2026-11-23T10:49:43. */
        struct piece statuses[I4_N_STATUS + 1]; /* normal","quality_score": */
        struct piece alerts[I4_N_ALERT + 1];    /* ,"alert_level":"low"} and the end of the line */
        struct piece *pipelines;                /* },"pipeline_id":"PIPE-LA-001","status":" */
        struct type_pieces *types;
};

/* Six pieces, ids and numbers at their longest, and the surplus of the last copy. */
static_assert(6 * PIECE_SIZE + sizeof(",\"lon\":,\"mile_post\":") + 10 /* sensor */ + 6 /* microseconds */ +
                                                3 * 12 /* value, latitude, longitude */ + 11 /* mile post */ +
                                                6 /* quality */
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

static void encoder_set_second(struct i4_encoder *encoder, uint64_t second) {
        time_t time = (time_t) second;
        struct tm tm;

        /* 64 bits of nanoseconds end in 2554: years have four digits and gmtime_r() cannot fail. */
        (void) gmtime_r(&time, &tm);
        piece_format(&encoder->date, "\",\"timestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        encoder->second = second;
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

static const char digit_pairs[200] =
                "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Copies @n bytes, a constant that no text in its place exceeds, and moves on by the length of the text. */
static inline char *put_piece(char *p, const struct piece *piece, size_t n) {
        memcpy(p, piece->text, n);
        return p + piece->size;
}

/* Copies exactly what @size bytes of a literal need, and moves on by its length. */
#define put_literal(p, literal)                                                                              \
        __extension__({                                                                                      \
                memcpy((p), (literal), sizeof(literal) - 1);                                                 \
                (p) + sizeof(literal) - 1;                                                                   \
        })

/* Digits as they stand in memory, the first in the lowest byte: they stay in a register until they are
 * stored. */
static inline uint32_t digits2(uint32_t value) {
        uint16_t pair;

        memcpy(&pair, digit_pairs + 2 * value, sizeof(pair));
        return pair;
}

static inline uint32_t digits4(uint32_t value) {
        return digits2(value / 100) | digits2(value % 100) << 16;
}

static inline uint64_t digits8(uint32_t value) {
        return digits4(value / 10000) | (uint64_t) digits4(value % 10000) << 32;
}

static inline char *put_digits2(char *p, uint32_t value) {
        memcpy(p, digit_pairs + 2 * value, 2);
        return p + 2;
}

static inline char *put_digits4(char *p, uint32_t value) {
        uint32_t word = digits4(value);

        memcpy(p, &word, sizeof(word));
        return p + sizeof(word);
}

static inline char *put_digits6(char *p, uint32_t value) {
        return put_digits4(put_digits2(p, value / 10000), value % 10000);
}

/* Without leading zeros and without a branch: they are shifted out. Below 10^8, as all hundredths of 32 bits.
 */
static inline char *put_unsigned8(char *p, uint32_t value) {
        uint64_t word = digits8(value);
        int n_zeros = 7 - (value >= 10) - (value >= 100) - (value >= 1000) - (value >= 10000) -
                      (value >= 100000) - (value >= 1000000) - (value >= 10000000);

        word >>= 8 * n_zeros;
        memcpy(p, &word, sizeof(word));
        return p + 8 - n_zeros;
}

/* The same below 10^4: degrees. */
static inline char *put_unsigned4(char *p, uint32_t value) {
        uint32_t word = digits4(value);
        int n_zeros = (value < 1000) + (value < 100) + (value < 10);

        word >>= 8 * n_zeros;
        memcpy(p, &word, sizeof(word));
        return p + 4 - n_zeros;
}

static char *put_sensor_long(char *p, uint32_t sensor) {
        if (sensor < 100000000)
                return put_unsigned8(p, sensor);

        p = put_unsigned4(p, sensor / 100000000);
        sensor %= 100000000;
        return put_digits4(put_digits4(p, sensor / 10000), sensor % 10000);
}

static inline char *put_sign(char *p, int32_t value) {
        *p = '-';
        return p + (value < 0);
}

static inline uint32_t magnitude(int32_t value) {
        return value < 0 ? 0u - (uint32_t) value : (uint32_t) value;
}

static inline char *put_e2(char *p, uint32_t value) {
        uint32_t whole = value / 100;
        p = likely(whole < 10000) ? put_unsigned4(p, whole) : put_unsigned8(p, whole);
        *p++ = '.';
        return put_digits2(p, value % 100);
}

static inline char *put_e6(char *p, int32_t value) {
        uint32_t u = magnitude(value);

        p = put_unsigned4(put_sign(p, value), u / 1000000);
        *p++ = '.';
        return put_digits6(p, u % 1000000);
}

static inline char *put_quality(char *p, uint32_t value_e4) {
        *p++ = (char) ('0' + value_e4 / 10000);
        *p++ = '.';
        return put_digits4(p, value_e4 % 10000);
}

static inline char *put_sensor(char *p, uint32_t sensor) {
        return likely(sensor < 10000) ? put_digits4(p, sensor) : put_sensor_long(p, sensor);
}

static inline char *put_record(struct i4_encoder *encoder, const struct i4_record *record, char *p) {
        const struct type_pieces *type = &encoder->types[MIN(record->type, encoder->n_types)];
        uint64_t second = record->time_ns / NSEC_PER_SEC;

        if (unlikely(second != encoder->second))
                encoder_set_second(encoder, second);

        p = put_piece(p, &type->head, 32);
        p = put_sensor(p, record->sensor);
        p = put_piece(p, &encoder->date, 48);
        p = put_digits6(p, (uint32_t) (record->time_ns - second * NSEC_PER_SEC) / 1000);
        p = put_piece(p, &type->value, 64);
        p = put_e2(put_sign(p, record->value_e2), magnitude(record->value_e2));
        p = put_piece(p, &type->unit, 48);
        p = put_e6(p, record->latitude_e6);
        p = put_literal(p, ",\"lon\":");
        p = put_e6(p, record->longitude_e6);
        p = put_literal(p, ",\"mile_post\":");
        p = put_e2(p, record->mile_post_e2);
        p = put_piece(p, &encoder->pipelines[MIN(record->pipeline, encoder->n_pipelines)], 64);
        p = put_piece(p, &encoder->statuses[MIN(record->status, I4_N_STATUS)], 32);
        p = put_quality(p, record->quality_e4);
        return put_piece(p, &encoder->alerts[MIN(record->alert, I4_N_ALERT)], 32);
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

        if (size >= I4_LINE_MAX)
                for (; i < n_records && p <= last; ++i)
                        p = put_record(encoder, &records[i], p);

        *n_encodedp = i;
        return (size_t) (p - buffer);
}
