/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Records to JSON Lines
 *
 * The one place that knows how a record looks as text. All that depends on the catalog alone is laid out
 * once, in pieces that are copied by a fixed number of bytes: the surplus of each copy is overwritten by what
 * comes next, which is why a line needs I4_LINE_MAX of room and not just its length. Numbers are put together
 * in a register from groups of three digits and stored at once, with up to eight bytes and the same surplus.
 * The date changes once a second.
 *
 * Where a sensor stands, three numbers that never change, is kept as text: a cache line a sensor, in fleets
 * of up to PLACES_MAX, looked up some records ahead, since sensors come in no order. That saves a quarter of
 * the time; without looking ahead half of it would be lost to a fleet of 8000. Pieces are copied by 32 bytes
 * where the processor can, which saves a sixth.
 *
 * Records may come from memory that others write. Any 64 bytes give a line that parses: numbers without a
 * name select the last entry of each table.
 */

#include "lib/encoder.h"

#include "util/clock.h"

#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first character is the lowest byte of a word");

#define PIECE_SIZE 64u
#define N_BYTE     (UINT8_MAX + 1u)

/* Static text between two numbers: one cache line. */
struct piece {
        alignas(PIECE_SIZE) char text[PIECE_SIZE - 1];
        uint8_t size;
};

static_assert(sizeof(struct piece) == PIECE_SIZE, "a piece is copied with its size");

struct type_pieces {
        struct piece head;  /* {"sensor_id":"SNS-flo- */
        struct piece value; /* Z","type":"flow_rate","value": */
        struct piece unit;  /* ,"unit":"bbl/hr","location":{"lat": */
};

#define N_TENTHS (UINT16_MAX / 1000u + 1)

#define DATE_SIZE    32u /* ,"timestamp":"2026-11-23T10:49:4 */
#define PLACE_SIZE   48u /* any on Earth, on a pipeline of less than 1000 miles */
/* 8 MiB: more of them cost a processor as much as they save it. */
#define PLACES_MAX   131072u
#define PLACES_AHEAD 16u

/* 31.463800,"lon":-100.437000,"mile_post":123.45 and what it stands for */
struct place {
        alignas(64) char text[PLACE_SIZE];
        int32_t latitude_e6;
        int32_t longitude_e6;
        uint32_t mile_post_e2;
        uint32_t size;
};

static_assert(sizeof(struct place) == 64, "one cache line a sensor");

/* As i4_encoder_encode(), given the last byte at which a line may begin; *@endp is where the last one ends.
 */
typedef size_t encode_t(struct i4_encoder *encoder, const struct i4_record *records, size_t n_records,
                char *buffer, const char *last, char **endp);

/*
 * Where a record holds a byte there is an entry for each that it can be, and nothing to check. What every
 * record needs comes first: instructions with small offsets are short.
 */
struct i4_encoder {
        char date[DATE_SIZE];    /* but for its last two characters */
        uint64_t date_end;       /* 3. */
        uint64_t second_ns;      /* that they show */
        struct piece *pipelines; /* },"pipeline_id":"PIPE-LA-001","status":" */
        struct place *places;    /* by sensor */
        encode_t *encode;
        uint32_t n_pipelines;
        uint32_t n_places;
        unsigned int extras;           /* enum i4_extra */
        uint32_t digits[1000];         /* three of them */
        uint64_t hundredths[100];      /* .07, at the end of a word */
        uint32_t tenths[N_TENTHS];     /* 0.7 */
        struct piece statuses[N_BYTE]; /* normal","quality_score": */
        struct piece alerts[N_BYTE];   /* ,"alert_level":"low"} and the end of the line */
        struct type_pieces types[N_BYTE];
};

/* Six pieces, numbers at their longest, and the last piece as it is copied. */
static_assert(6 * PIECE_SIZE + sizeof(",\"lon\":,\"mile_post\":") + 10 /* sensor */ + 6 /* microseconds */ +
                                                3 * 12 /* value, latitude, longitude */ + 11 /* mile post */ +
                                                6 /* quality */ + 32 /* alert */
                                <= I4_LINE_MAX,
                "the longest line fits");

#define DIGIT(value) ('0' + (uint32_t) (value))

_printf_(2, 3) static void piece_format(struct piece *piece, const char *format, ...) {
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vsnprintf(piece->text, sizeof(piece->text), format, arguments);
        va_end(arguments);

        assert(n >= 0 && (size_t) n < sizeof(piece->text));
        piece->size = (uint8_t) n;
}

static void type_pieces_init(
                struct type_pieces *pieces, const char *prefix, const char *name, const char *unit) {
        piece_format(&pieces->head, "{\"sensor_id\":\"SNS-%s-", prefix);
        piece_format(&pieces->value, "Z\",\"type\":\"%s\",\"value\":", name);
        piece_format(&pieces->unit, ",\"unit\":\"%s\",\"location\":{\"lat\":", unit);
}

static void encoder_init_catalog(struct i4_encoder *encoder, const i4_catalog *catalog) {
        struct type_pieces unknown = {};

        type_pieces_init(&unknown, "unknown", "unknown", "unknown");
        for (uint32_t i = 0; i < N_BYTE; ++i)
                encoder->types[i] = unknown;
        for (uint32_t i = 0; i < catalog->n_types; ++i)
                type_pieces_init(&encoder->types[i], catalog->types[i].prefix, catalog->types[i].name,
                                catalog->types[i].unit);

        for (uint32_t i = 0; i <= catalog->n_pipelines; ++i)
                piece_format(&encoder->pipelines[i], "},\"pipeline_id\":\"%s\",\"status\":\"",
                                i < catalog->n_pipelines ? catalog->pipelines[i].id : "unknown");
}

static void encoder_init_names(struct i4_encoder *encoder) {
        struct piece status = {}, alert = {};

        piece_format(&status, "unknown\",\"quality_score\":");
        piece_format(&alert, ",\"alert_level\":\"unknown\"}\n");
        for (unsigned int i = 0; i < N_BYTE; ++i) {
                encoder->statuses[i] = status;
                encoder->alerts[i] = alert;
        }

        for (unsigned int i = 0; i < I4_N_STATUS; ++i)
                piece_format(&encoder->statuses[i], "%s\",\"quality_score\":", i4_status_to_string(i));
        for (unsigned int i = 0; i < I4_N_ALERT; ++i)
                piece_format(&encoder->alerts[i], ",\"alert_level\":\"%s\"}\n", i4_alert_to_string(i));
        piece_format(&encoder->alerts[I4_ALERT_NONE], "}\n");
}

static void encoder_init_numbers(struct i4_encoder *encoder) {
        for (uint32_t i = 0; i < ELEMENTSOF(encoder->digits); ++i)
                encoder->digits[i] = DIGIT(i / 100) | DIGIT(i / 10 % 10) << 8 | DIGIT(i % 10) << 16;

        for (uint64_t i = 0; i < ELEMENTSOF(encoder->hundredths); ++i)
                encoder->hundredths[i] = (uint64_t) '.' << 40 | (uint64_t) DIGIT(i / 10) << 48 |
                                         (uint64_t) DIGIT(i % 10) << 56;

        for (uint32_t i = 0; i < N_TENTHS; ++i)
                encoder->tenths[i] = DIGIT(i / 10) | (uint32_t) '.' << 8 | DIGIT(i % 10) << 16;
}

static void encoder_set_second(struct i4_encoder *encoder, uint64_t second) {
        time_t time = (time_t) second;
        char text[sizeof(",\"timestamp\":\"2026-11-23T10:49:43.")];
        struct tm tm;

        /* 64 bits of nanoseconds end in 2554: years have four digits and gmtime_r() cannot fail. */
        (void) gmtime_r(&time, &tm);
        (void) strftime(text, sizeof(text), ",\"timestamp\":\"%Y-%m-%dT%H:%M:%S.", &tm);
        memcpy(encoder->date, text, DATE_SIZE);
        encoder->date_end = (uint8_t) text[DATE_SIZE] | (uint64_t) (uint8_t) text[DATE_SIZE + 1] << 8;
        encoder->second_ns = second * NSEC_PER_SEC;
}

static void *allocate_lines(size_t n, size_t size) {
        void *memory = aligned_alloc(64, n * size);

        if (memory)
                memset(memory, 0, n * size);
        return memory;
}

static int encoder_allocate(struct i4_encoder *encoder) {
        encoder->pipelines = allocate_lines(encoder->n_pipelines + 1, sizeof(*encoder->pipelines));
        encoder->places = allocate_lines(MAX(encoder->n_places, 1u), sizeof(*encoder->places));

        return encoder->pipelines && encoder->places ? 0 : -ENOMEM;
}

/* Where an argument decides how code is made, all of it is to be inlined: left to itself the compiler calls
 * it. */
#define _inline_ __attribute__((always_inline)) static inline

typedef char word32 __attribute__((vector_size(32), aligned(1), may_alias));

/* memcpy() of a constant stays with 16 bytes at a time even where 32 are to be had. */
_inline_ void copy_words(char *to, const char *from, size_t n, enum encoder_copy copy) {
        if (copy == ENCODER_COPY_32)
                for (; n >= 32; to += 32, from += 32, n -= 32)
                        *(word32 *) to = *(const word32 *) from;

        memcpy(to, from, n);
}

/*
 * How far the entry is from the first of a table. Left to itself the compiler makes the address of an entry
 * anew for its text and for its size; what it knows nothing of it makes once, and adds to each access.
 */
_inline_ size_t distance(size_t index, size_t size) {
        size_t bytes = index * size;

        __asm__("" : "+r"(bytes));
        return bytes;
}

/* Copies @n bytes, a constant that no text in its place exceeds, and moves on by the length of the text. */
_inline_ char *put_piece(
                char *p, const struct piece *first, size_t distance, size_t n, enum encoder_copy copy) {
        const struct piece *piece = (const void *) ((const char *) first + distance);

        copy_words(p, (const char *) piece, n, copy);
        return p + piece->size;
}

/* The same with a literal, padded to @n bytes that are copied at once. */
#define put_literal(p, literal, n)                                                                           \
        __extension__({                                                                                      \
                static const char _text[n] = literal;                                                        \
                memcpy((p), _text, sizeof(_text));                                                           \
                (p) + sizeof(literal) - 1;                                                                   \
        })

/* Up to eight characters. */
struct word {
        uint64_t text;
        size_t size;
};

static inline char *put_text(char *p, uint64_t text, size_t size) {
        memcpy(p, &text, sizeof(text));
        return p + size;
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

/*
 * Quotients of any 32 bits, and of less than 15 millions, as the compiler would make them; but it makes sure
 * of the upper half of a register each time.
 */
static inline uint64_t quotient_100(uint64_t value) {
        return value * UINT64_C(0x51eb851f) >> 37;
}

static inline uint64_t quotient_1000(uint64_t value) {
        return value * UINT64_C(0x10624dd3) >> 38;
}

static inline uint64_t quotient_100000(uint64_t value) {
        return value * UINT64_C(0xa7c5ad) >> 40;
}

static inline uint64_t digits6_get(const struct i4_encoder *encoder, uint64_t value) {
        uint64_t thousands = quotient_1000(value);

        return encoder->digits[thousands] | (uint64_t) encoder->digits[value - thousands * 1000] << 24;
}

/*
 * Like printf()'s %u: without the zeros before the last of the first @n_digits characters. In a word with
 * fewer than eight of text the rest is zero.
 */
static inline struct word word_trim(uint64_t text, size_t n_digits, size_t size) {
        uint64_t ends = (text ^ UINT64_C(0x3030303030303030)) | UINT64_C(1) << 8 * (n_digits - 1);
        unsigned int n_zero_bits = (unsigned int) __builtin_ctzll(ends) & ~7u;

        return (struct word){ .text = text >> n_zero_bits, .size = size - n_zero_bits / 8 };
}

static inline char *put_trimmed(char *p, uint64_t text, size_t n_digits, size_t size) {
        struct word word = word_trim(text, n_digits, size);

        return put_text(p, word.text, word.size);
}

static char *put_negative(char *p, uint32_t *magnitudep) {
        *p = '-';
        *magnitudep = 0u - *magnitudep;
        return p + 1;
}

/* "12345.67", and zeros before what is shorter. The three quotients do not wait for each other. */
static inline uint64_t digits7_get(const struct i4_encoder *encoder, uint64_t value_e2) {
        uint64_t thousands = quotient_100000(value_e2), units = quotient_100(value_e2);

        return encoder->digits[thousands] >> 8 | (uint64_t) encoder->digits[units - thousands * 1000] << 16 |
               encoder->hundredths[value_e2 - units * 100];
}

static char *put_large_e2(const struct i4_encoder *encoder, char *p, uint32_t value_e2) {
        return put_text(put_long_point(p, value_e2 / 100), encoder->digits[value_e2 % 100] >> 8, 2);
}

/* No size: too large for a word. */
static inline struct word word_e2(const struct i4_encoder *encoder, uint32_t value_e2) {
        if (unlikely(value_e2 >= 10000000))
                return (struct word){};

        return word_trim(digits7_get(encoder, value_e2), 5, 8);
}

static char *put_e2(const struct i4_encoder *encoder, char *p, uint32_t value_e2) {
        struct word word = word_e2(encoder, value_e2);

        return word.size > 0 ? put_text(p, word.text, word.size) : put_large_e2(encoder, p, value_e2);
}

/* What no word holds: as an unsigned number a negative one is among the largest. */
__attribute__((noinline)) static char *put_long_value(
                const struct i4_encoder *encoder, char *p, int32_t value_e2) {
        uint32_t magnitude_e2 = (uint32_t) value_e2;

        if (value_e2 < 0)
                p = put_negative(p, &magnitude_e2);
        return put_e2(encoder, p, magnitude_e2);
}

static inline char *put_degrees(const struct i4_encoder *encoder, char *p, int32_t value_e6) {
        uint32_t magnitude_e6 = (uint32_t) value_e6, degrees;

        if (value_e6 < 0)
                p = put_negative(p, &magnitude_e6);

        degrees = magnitude_e6 / 1000000;
        if (likely(degrees < 1000))
                p = put_trimmed(p, encoder->digits[degrees] | (uint64_t) '.' << 24, 3, 4);
        else
                p = put_long_point(p, degrees);
        return put_text(p, digits6_get(encoder, magnitude_e6 % 1000000), 6);
}

static char *put_numbers_of_place(const struct i4_encoder *encoder, char *p, const struct i4_record *record) {
        p = put_degrees(encoder, p, record->latitude_e6);
        p = put_literal(p, ",\"lon\":", 8);
        p = put_degrees(encoder, p, record->longitude_e6);
        p = put_literal(p, ",\"mile_post\":", 16);
        return put_e2(encoder, p, record->mile_post_e2);
}

/* The long way, which is remembered if this sensor has a line for it. */
__attribute__((noinline)) static char *put_new_place(
                struct i4_encoder *encoder, char *begin, const struct i4_record *record) {
        char *end = put_numbers_of_place(encoder, begin, record);
        size_t size = (size_t) (end - begin);
        struct place *place;

        if (record->sensor >= encoder->n_places || size > PLACE_SIZE)
                return end;

        place = &encoder->places[record->sensor];
        memcpy(place->text, begin, PLACE_SIZE);
        place->latitude_e6 = record->latitude_e6;
        place->longitude_e6 = record->longitude_e6;
        place->mile_post_e2 = record->mile_post_e2;
        place->size = (uint32_t) size;
        return end;
}

static inline bool place_is_of(const struct place *place, const struct i4_record *record) {
        return (((uint32_t) place->latitude_e6 ^ (uint32_t) record->latitude_e6) |
                               ((uint32_t) place->longitude_e6 ^ (uint32_t) record->longitude_e6) |
                               (place->mile_post_e2 ^ record->mile_post_e2)) == 0;
}

_inline_ char *put_place(
                struct i4_encoder *encoder, char *p, const struct i4_record *record, enum encoder_copy copy) {
        const struct place *place;

        if (unlikely(record->sensor >= encoder->n_places))
                return put_new_place(encoder, p, record);

        place = &encoder->places[record->sensor];
        if (unlikely(!place_is_of(place, record)))
                return put_new_place(encoder, p, record);

        copy_words(p, place->text, PLACE_SIZE, copy);
        return p + place->size;
}

static char *put_large_sensor(const struct i4_encoder *encoder, char *p, uint32_t sensor) {
        if (likely(sensor < 1000000))
                return put_trimmed(p, digits6_get(encoder, sensor) | (uint64_t) '"' << 48, 3, 7);

        p = put_long(p, sensor);
        *p++ = '"';
        return p;
}

/* Four digits at least, and the quote behind them. */
static inline char *put_sensor(const struct i4_encoder *encoder, char *p, uint32_t sensor) {
        uint64_t thousands;

        if (unlikely(sensor >= 10000))
                return put_large_sensor(encoder, p, sensor);

        thousands = quotient_1000(sensor);
        return put_text(p,
                        (thousands + ('0' | (uint64_t) '"' << 32)) |
                                        (uint64_t) encoder->digits[sensor - thousands * 1000] << 8,
                        5);
}

/* The date's last characters go with the fraction, since they are as many as are missing to a word. */
_inline_ char *put_time(
                struct i4_encoder *encoder, char *p, const struct i4_record *record, enum encoder_copy copy) {
        uint64_t fraction_ns = record->time_ns - encoder->second_ns;

        if (unlikely(fraction_ns >= NSEC_PER_SEC)) {
                encoder_set_second(encoder, record->time_ns / NSEC_PER_SEC);
                fraction_ns = record->time_ns - encoder->second_ns;
        }

        copy_words(p, encoder->date, DATE_SIZE, copy);
        return put_text(p + DATE_SIZE,
                        encoder->date_end | digits6_get(encoder, quotient_1000(fraction_ns)) << 16, 8);
}

static inline char *put_quality(const struct i4_encoder *encoder, char *p, uint64_t value_e4) {
        uint64_t tenths = quotient_1000(value_e4);

        return put_text(p,
                        encoder->tenths[tenths] | (uint64_t) encoder->digits[value_e4 - tenths * 1000] << 24,
                        6);
}

_inline_ char *put_pipeline(
                struct i4_encoder *encoder, char *p, const struct i4_record *record, enum encoder_copy copy) {
        size_t index = MIN(record->pipeline, encoder->n_pipelines);

        return put_piece(p, encoder->pipelines, distance(index, sizeof(struct piece)), 64, copy);
}

/*
 * The value begins: how long it is takes long to find out, and where all that follows goes depends on it. The
 * compiler must not move a look at a table before a byte that is written, and a processor looks ahead no
 * further than a record.
 */
_inline_ char *put_record(
                struct i4_encoder *encoder, char *p, const struct i4_record *record, enum encoder_copy copy) {
        struct word value = word_e2(encoder, (uint32_t) record->value_e2);
        size_t type = distance(record->type, sizeof(struct type_pieces));

        p = put_piece(p, &encoder->types->head, type, 32, copy);
        p = put_sensor(encoder, p, record->sensor);
        p = put_time(encoder, p, record, copy);
        p = put_piece(p, &encoder->types->value, type, 64, copy);
        if (likely(value.size > 0))
                p = put_text(p, value.text, value.size);
        else
                p = put_long_value(encoder, p, record->value_e2);
        p = put_piece(p, &encoder->types->unit, type, 48, copy);
        p = put_place(encoder, p, record, copy);
        p = put_pipeline(encoder, p, record, copy);
        p = put_piece(p, encoder->statuses, distance(record->status, sizeof(struct piece)), 32, copy);
        p = put_quality(encoder, p, record->quality_e4);
        return put_piece(p, encoder->alerts, distance(record->alert, sizeof(struct piece)), 32, copy);
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

/* A place that is none yet stands where all of its numbers are 0. */
static void encoder_init_places(struct i4_encoder *encoder) {
        static const struct i4_record nowhere;
        struct place place = {};
        char text[I4_LINE_MAX];

        place.size = (uint32_t) (put_numbers_of_place(encoder, text, &nowhere) - text);
        assert(place.size <= PLACE_SIZE);
        memcpy(place.text, text, place.size);
        for (uint32_t i = 0; i < encoder->n_places; ++i)
                encoder->places[i] = place;
}

static inline void place_fetch(const struct i4_encoder *encoder, const struct i4_record *record) {
        __builtin_prefetch((const char *) encoder->places + sizeof(struct place) * record->sensor);
}

/* @n_records lines, for which there is room. With @ahead there are PLACES_AHEAD records behind the last. */
_inline_ char *put_records(struct i4_encoder *encoder, char *p, const struct i4_record *record,
                size_t n_records, bool ahead, enum encoder_copy copy) {
        for (const struct i4_record *end = record + n_records; record < end; ++record) {
                if (ahead)
                        place_fetch(encoder, record + PLACES_AHEAD);
                p = put_record(encoder, p, record, copy);
                if (unlikely(encoder->extras != 0))
                        p = put_extras(encoder, record, p);
        }

        return p;
}

/* How many lines are sure to have room is known for many at once, and seldom looked at. */
_inline_ size_t encode_records(struct i4_encoder *encoder, const struct i4_record *records, size_t n_records,
                char *buffer, const char *last, char **endp, enum encoder_copy copy) {
        char *p = buffer;
        size_t i = 0;

        for (size_t j = 0; j < MIN(n_records, PLACES_AHEAD); ++j)
                place_fetch(encoder, &records[j]);

        while (i < n_records && p <= last) {
                size_t n_left = n_records - i, n = MIN(n_left, (size_t) (last - p) / I4_LINE_MAX + 1);

                if (n_left > PLACES_AHEAD) {
                        n = MIN(n, n_left - PLACES_AHEAD);
                        p = put_records(encoder, p, records + i, n, true, copy);
                } else
                        p = put_records(encoder, p, records + i, n, false, copy);
                i += n;
        }

        *endp = p;
        return i;
}

static size_t encode_by_16(struct i4_encoder *encoder, const struct i4_record *records, size_t n_records,
                char *buffer, const char *last, char **endp) {
        return encode_records(encoder, records, n_records, buffer, last, endp, ENCODER_COPY_16);
}

#if defined(__x86_64__)
__attribute__((target("avx2,bmi2"))) static size_t encode_by_32(struct i4_encoder *encoder,
                const struct i4_record *records, size_t n_records, char *buffer, const char *last,
                char **endp) {
        return encode_records(encoder, records, n_records, buffer, last, endp, ENCODER_COPY_32);
}

static bool processor_has_32(void) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}
#else
#define encode_by_32 encode_by_16

static bool processor_has_32(void) {
        return false;
}
#endif

int encoder_set_copy(i4_encoder *encoder, enum encoder_copy copy) {
        if (copy == ENCODER_COPY_32 && !processor_has_32())
                return -EOPNOTSUPP;

        encoder->encode = copy == ENCODER_COPY_32 ? encode_by_32 : encode_by_16;
        return 0;
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
        int r;

        encoder = allocate_lines(1, sizeof(*encoder));
        if (!encoder)
                return -ENOMEM;

        encoder->n_pipelines = catalog->n_pipelines;
        /* Not some of more: to find out which costs more than those save. */
        encoder->n_places = catalog->n_sensors <= PLACES_MAX ? catalog->n_sensors : 0;
        r = encoder_allocate(encoder);
        if (r < 0)
                return r;

        encoder_init_catalog(encoder, catalog);
        encoder_init_names(encoder);
        encoder_init_numbers(encoder);
        encoder_init_places(encoder);
        encoder_set_second(encoder, 0);
        if (encoder_set_copy(encoder, ENCODER_COPY_32) < 0)
                (void) encoder_set_copy(encoder, ENCODER_COPY_16);

        *encoderp = TAKE_PTR(encoder);
        return 0;
}

_public_ i4_encoder *i4_encoder_free(i4_encoder *encoder) {
        if (encoder) {
                free(encoder->places);
                free(encoder->pipelines);
        }
        free(encoder);
        return NULL;
}

/**
 * i4_encoder_set_extras() - choose what lines say beside the reading
 * @encoder:            encoder to operate on
 * @extras:             enum i4_extra, or'ed; 0 as at first: nothing
 */
_public_ void i4_encoder_set_extras(i4_encoder *encoder, unsigned int extras) {
        encoder->extras = extras;
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
        char *p = buffer;
        size_t n = 0;

        if (size >= I4_LINE_MAX)
                n = encoder->encode(encoder, records, n_records, buffer, buffer + size - I4_LINE_MAX, &p);

        *n_encodedp = n;
        return (size_t) (p - buffer);
}
