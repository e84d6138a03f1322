/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Text to values, strictly
 *
 * Everything is computed in integers: a number with a fraction is kept as digits and a power of ten, so
 * "2.5", "0.1s" and "1.1G" mean exactly what they say, or the nearest smaller unit, on every machine and in
 * every locale. Formatting is the inverse: what it prints, the parser of the same kind reads back to the same
 * value.
 */

#include "util/parse.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef unsigned __int128 uint128;

#define DECIMAL_SCALE_MAX UINT64_C(1000000000000000000)

/* digits / scale, a power of ten */
struct decimal {
        uint64_t digits;
        uint64_t scale;
};

struct unit {
        const char *name;
        uint64_t value;
};

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static int uint64_append(uint64_t *valuep, char digit) {
        uint64_t value;

        if (__builtin_mul_overflow(*valuep, UINT64_C(10), &value) ||
                        __builtin_add_overflow(value, (uint64_t) (digit - '0'), &value))
                return -ERANGE;

        *valuep = value;
        return 0;
}

int parse_uint64(const char *text, uint64_t *valuep) {
        uint64_t value = 0;
        int r;

        if (!*text)
                return -EINVAL;
        if (text[strspn(text, "0123456789")])
                return -EINVAL;

        for (; *text; ++text) {
                r = uint64_append(&value, *text);
                if (r < 0)
                        return r;
        }

        *valuep = value;
        return 0;
}

int parse_bool(const char *text, bool *valuep) {
        static const char *const words[][2] = {
                { "no", "yes" },
                { "false", "true" },
                { "off", "on" },
                { "0", "1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(words); ++i)
                for (size_t j = 0; j < 2; ++j)
                        if (strcasecmp(text, words[i][j]) == 0) {
                                *valuep = j;
                                return 0;
                        }

        return -EINVAL;
}

/* Reads "3", "3.5", ".5" or "3." and moves on. Digits that are too small to matter are dropped. */
static int decimal_parse(struct decimal *decimal, const char **textp) {
        const char *text = *textp;
        bool is_number = false, is_full = false;

        *decimal = (struct decimal){ .scale = 1 };

        for (; is_digit(*text); ++text) {
                is_number = true;
                if (uint64_append(&decimal->digits, *text) < 0)
                        return -ERANGE;
        }

        if (*text == '.')
                for (++text; is_digit(*text); ++text) {
                        is_number = true;
                        is_full = is_full || decimal->scale == DECIMAL_SCALE_MAX ||
                                  uint64_append(&decimal->digits, *text) < 0;
                        if (!is_full)
                                decimal->scale *= 10;
                }

        if (!is_number)
                return -EINVAL;

        *textp = text;
        return 0;
}

/* decimal × @unit, rounded down */
static int decimal_scale(struct decimal decimal, uint64_t unit, uint64_t *valuep) {
        uint128 value = (uint128) decimal.digits * unit / decimal.scale;

        if (value > UINT64_MAX)
                return -ERANGE;

        *valuep = (uint64_t) value;
        return 0;
}

/* The unit that is spelled by exactly @size bytes at @text, or NULL. */
static const struct unit *unit_find(const struct unit *units, size_t n_units, const char *text, size_t size) {
        for (size_t i = 0; i < n_units; ++i)
                if (strlen(units[i].name) == size && memcmp(units[i].name, text, size) == 0)
                        return &units[i];

        return NULL;
}

static const struct unit span_units[] = {
        { "ns", 1 },
        { "nsec", 1 },
        { "us", NSEC_PER_USEC },
        { "usec", NSEC_PER_USEC },
        { "\xc2\xb5s", NSEC_PER_USEC }, /* the micro sign */
        { "\xce\xbcs", NSEC_PER_USEC }, /* the Greek letter */
        { "ms", NSEC_PER_MSEC },
        { "msec", NSEC_PER_MSEC },
        { "s", NSEC_PER_SEC },
        { "sec", NSEC_PER_SEC },
        { "second", NSEC_PER_SEC },
        { "seconds", NSEC_PER_SEC },
        { "m", NSEC_PER_MIN },
        { "min", NSEC_PER_MIN },
        { "minute", NSEC_PER_MIN },
        { "minutes", NSEC_PER_MIN },
        { "h", NSEC_PER_HOUR },
        { "hr", NSEC_PER_HOUR },
        { "hour", NSEC_PER_HOUR },
        { "hours", NSEC_PER_HOUR },
        { "d", NSEC_PER_DAY },
        { "day", NSEC_PER_DAY },
        { "days", NSEC_PER_DAY },
        { "w", 7 * NSEC_PER_DAY },
        { "week", 7 * NSEC_PER_DAY },
        { "weeks", 7 * NSEC_PER_DAY },
        /* as systemd.time(7) has them: 30.44 and 365.25 days */
        { "M", UINT64_C(2629800) * NSEC_PER_SEC },
        { "month", UINT64_C(2629800) * NSEC_PER_SEC },
        { "months", UINT64_C(2629800) * NSEC_PER_SEC },
        { "y", UINT64_C(31557600) * NSEC_PER_SEC },
        { "year", UINT64_C(31557600) * NSEC_PER_SEC },
        { "years", UINT64_C(31557600) * NSEC_PER_SEC },
};

/* Reads one "20 s" of a span, and the spaces after it. */
static int span_parse_item(const char **textp, bool is_first, uint64_t *nsp) {
        const struct unit *unit;
        const char *text = *textp;
        struct decimal decimal;
        size_t size;
        int r;

        r = decimal_parse(&decimal, &text);
        if (r < 0)
                return r;

        if (is_first && !*text) {
                *textp = text;
                return decimal_scale(decimal, NSEC_PER_SEC, nsp);
        }

        text += strspn(text, " ");
        size = strcspn(text, " .0123456789");
        unit = unit_find(span_units, ELEMENTSOF(span_units), text, size);
        if (!unit)
                return -EINVAL;

        text += size;
        *textp = text + strspn(text, " ");
        return decimal_scale(decimal, unit->value, nsp);
}

int parse_span(const char *text, uint64_t *nsp) {
        const char *start = text;
        uint64_t sum = 0;
        int r;

        if (strcmp(text, "infinity") == 0) {
                *nsp = NSEC_INFINITY;
                return 0;
        }

        do {
                uint64_t item;

                r = span_parse_item(&text, text == start, &item);
                if (r < 0)
                        return r;
                if (__builtin_add_overflow(sum, item, &sum))
                        return -ERANGE;
        } while (*text);

        /* The largest number is taken: it stands for infinity. */
        if (sum == NSEC_INFINITY)
                return -ERANGE;

        *nsp = sum;
        return 0;
}

static const struct unit size_units[] = {
        { "E", UINT64_C(1) << 60 },
        { "P", UINT64_C(1) << 50 },
        { "T", UINT64_C(1) << 40 },
        { "G", UINT64_C(1) << 30 },
        { "M", UINT64_C(1) << 20 },
        { "K", UINT64_C(1) << 10 },
        { "", 1 },
};

int parse_size(const char *text, uint64_t *bytesp) {
        const struct unit *unit;
        struct decimal decimal;
        uint64_t bytes;
        size_t size;
        int r;

        if (strcmp(text, "infinity") == 0) {
                *bytesp = UINT64_MAX;
                return 0;
        }

        r = decimal_parse(&decimal, &text);
        if (r < 0)
                return r;

        text += strspn(text, " ");
        size = strlen(text);
        if (size > 0 && text[size - 1] == 'B')
                --size;

        unit = unit_find(size_units, ELEMENTSOF(size_units), text, size);
        if (!unit)
                return -EINVAL;

        r = decimal_scale(decimal, unit->value, &bytes);
        if (r < 0)
                return r;
        if (bytes == UINT64_MAX)
                return -ERANGE;

        *bytesp = bytes;
        return 0;
}

int parse_percent(const char *text, uint32_t *value_e4p) {
        struct decimal decimal;
        int r;

        r = decimal_parse(&decimal, &text);
        if (r < 0)
                return r;
        if (strcmp(text, "%") != 0)
                return -EINVAL;

        if ((uint128) decimal.digits > (uint128) 100 * decimal.scale)
                return -ERANGE;
        /* Finer than a hundredth of a percent: not a value that could be kept. */
        if ((uint128) decimal.digits * 100 % decimal.scale != 0)
                return -EINVAL;

        *value_e4p = (uint32_t) ((uint128) decimal.digits * 100 / decimal.scale);
        return 0;
}

int parse_shard(const char *text, uint32_t *shardp, uint32_t *n_shardsp) {
        size_t n = strcspn(text, "/");
        uint64_t shard, n_shards;
        char first[16];
        int r;

        if (n >= sizeof(first) || !text[n])
                return -EINVAL;

        (void) snprintf(first, sizeof(first), "%.*s", (int) n, text);
        r = parse_uint64(first, &shard);
        if (r >= 0)
                r = parse_uint64(text + n + 1, &n_shards);
        if (r < 0)
                return r;
        if (n_shards < 1 || n_shards > SHARDS_MAX || shard >= n_shards)
                return -ERANGE;

        *shardp = (uint32_t) shard;
        *n_shardsp = (uint32_t) n_shards;
        return 0;
}

/* Exactly @n digits, from @minimum to @maximum. */
static int field_parse(const char **textp, size_t n, int minimum, int maximum, int *valuep) {
        int value = 0;

        for (size_t i = 0; i < n; ++i) {
                if (!is_digit((*textp)[i]))
                        return -EINVAL;
                value = value * 10 + ((*textp)[i] - '0');
        }
        if (value < minimum || value > maximum)
                return -EINVAL;

        *textp += n;
        *valuep = value;
        return 0;
}

static int literal_parse(const char **textp, const char *choice) {
        if (!**textp || !strchr(choice, **textp))
                return -EINVAL;

        ++*textp;
        return 0;
}

/* "2026-11-23T10:49:43"; a leap second counts as the first second of the next minute. */
static int civil_parse(const char **textp, struct tm *tm) {
        static const uint8_t n_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        bool is_leap;

        if (field_parse(textp, 4, 0, 9999, &tm->tm_year) < 0 || literal_parse(textp, "-") < 0 ||
                        field_parse(textp, 2, 1, 12, &tm->tm_mon) < 0 || literal_parse(textp, "-") < 0 ||
                        field_parse(textp, 2, 1, 31, &tm->tm_mday) < 0 || literal_parse(textp, "Tt ") < 0 ||
                        field_parse(textp, 2, 0, 23, &tm->tm_hour) < 0 || literal_parse(textp, ":") < 0 ||
                        field_parse(textp, 2, 0, 59, &tm->tm_min) < 0 || literal_parse(textp, ":") < 0 ||
                        field_parse(textp, 2, 0, 60, &tm->tm_sec) < 0)
                return -EINVAL;

        is_leap = (tm->tm_year % 4 == 0 && tm->tm_year % 100 != 0) || tm->tm_year % 400 == 0;
        if (tm->tm_mday > n_days[tm->tm_mon - 1] + (is_leap && tm->tm_mon == 2))
                return -EINVAL;

        tm->tm_year -= 1900;
        tm->tm_mon -= 1;
        return 0;
}

/* "Z" or "+05:30": seconds east of Greenwich */
static int zone_parse(const char **textp, int64_t *offsetp) {
        int sign, hours, minutes;

        if (literal_parse(textp, "Zz") == 0) {
                *offsetp = 0;
                return 0;
        }

        sign = **textp == '-' ? -1 : 1;
        if (literal_parse(textp, "+-") < 0 || field_parse(textp, 2, 0, 23, &hours) < 0 ||
                        literal_parse(textp, ":") < 0 || field_parse(textp, 2, 0, 59, &minutes) < 0)
                return -EINVAL;

        *offsetp = sign * (hours * 3600 + minutes * 60);
        return 0;
}

/* ".7" of a second in nanoseconds; nothing at all is 0 */
static int fraction_parse(const char **textp, uint64_t *nsp) {
        struct decimal decimal;
        int r;

        *nsp = 0;
        if (**textp != '.')
                return 0;
        if (!is_digit((*textp)[1]))
                return -EINVAL;

        r = decimal_parse(&decimal, textp);
        if (r < 0)
                return r;

        return decimal_scale(decimal, NSEC_PER_SEC, nsp);
}

static int seconds_parse(const char *text, uint64_t *nsp) {
        struct decimal decimal;
        int r;

        r = decimal_parse(&decimal, &text);
        if (r < 0)
                return r;
        if (*text)
                return -EINVAL;

        return decimal_scale(decimal, NSEC_PER_SEC, nsp);
}

int parse_time(const char *text, uint64_t *nsp) {
        struct tm tm = {};
        uint64_t fraction_ns, ns;
        int64_t offset, seconds;
        int r;

        if (*text == '@')
                return seconds_parse(text + 1, nsp);

        r = civil_parse(&text, &tm);
        if (r < 0)
                return r;
        r = fraction_parse(&text, &fraction_ns);
        if (r < 0)
                return r;
        r = zone_parse(&text, &offset);
        if (r < 0)
                return r;
        if (*text)
                return -EINVAL;

        seconds = (int64_t) timegm(&tm) - offset;
        if (seconds < 0 || __builtin_mul_overflow((uint64_t) seconds, NSEC_PER_SEC, &ns) ||
                        __builtin_add_overflow(ns, fraction_ns, &ns))
                return -ERANGE;

        *nsp = ns;
        return 0;
}

static const struct unit rate_units[] = {
        { "", NSEC_PER_SEC },
        { "/s", NSEC_PER_SEC },
        { "/sec", NSEC_PER_SEC },
        { "/min", NSEC_PER_MIN },
        { "/m", NSEC_PER_MIN },
        { "/h", NSEC_PER_HOUR },
        { "/hour", NSEC_PER_HOUR },
        { "/d", NSEC_PER_DAY },
        { "/day", NSEC_PER_DAY },
};

int parse_rate(const char *text, struct rate *ratep) {
        const struct unit *unit;
        struct decimal decimal;
        uint64_t period_ns;
        int r;

        if (strcmp(text, "max") == 0) {
                *ratep = (struct rate){};
                return 0;
        }

        r = decimal_parse(&decimal, &text);
        if (r < 0)
                return r;

        unit = unit_find(rate_units, ELEMENTSOF(rate_units), text, strlen(text));
        if (!unit)
                return -EINVAL;

        while (decimal.scale > 1 && decimal.digits % 10 == 0) {
                decimal.digits /= 10;
                decimal.scale /= 10;
        }

        if (__builtin_mul_overflow(unit->value, decimal.scale, &period_ns))
                return -ERANGE;
        if (decimal.digits > period_ns || (uint128) decimal.digits * NSEC_PER_DAY < period_ns)
                return -ERANGE;

        *ratep = (struct rate){ .n_records = decimal.digits, .period_ns = period_ns };
        return 0;
}

/* "12.5" from 125 and 10; @scale is a power of ten. Returns the length. */
static size_t decimal_format(uint64_t digits, uint64_t scale, char *buffer, size_t size) {
        uint64_t fraction = digits % scale;
        int n_digits = 0, n;

        for (uint64_t i = scale; i > 1; i /= 10)
                ++n_digits;
        for (; n_digits > 0 && fraction % 10 == 0; --n_digits)
                fraction /= 10;

        n = snprintf(buffer, size, "%" PRIu64, digits / scale);
        if (n_digits > 0)
                n += snprintf(buffer + n, size - (size_t) n, ".%0*" PRIu64, n_digits, fraction);

        return (size_t) n;
}

/* A span below a minute, in the largest unit that it fills. */
static void span_format_seconds(uint64_t ns, char *buffer, size_t size) {
        static const struct unit units[] = {
                { "s", NSEC_PER_SEC },
                { "ms", NSEC_PER_MSEC },
                { "us", NSEC_PER_USEC },
                { "ns", 1 },
        };
        size_t i = 0, n;

        while (ns > 0 && ns < units[i].value)
                ++i;

        n = decimal_format(ns, units[i].value, buffer, size);
        (void) snprintf(buffer + n, size - n, "%s", units[i].name);
}

const char *format_span(uint64_t ns, char buffer[static FORMAT_MAX]) {
        static const struct unit units[] = {
                { "d", NSEC_PER_DAY },
                { "h", NSEC_PER_HOUR },
                { "min", NSEC_PER_MIN },
        };
        size_t n = 0;

        if (ns == NSEC_INFINITY) {
                (void) snprintf(buffer, FORMAT_MAX, "infinity");
                return buffer;
        }

        for (size_t i = 0; i < ELEMENTSOF(units); ++i)
                if (ns >= units[i].value) {
                        n += (size_t) snprintf(buffer + n, FORMAT_MAX - n, "%s%" PRIu64 "%s", n ? " " : "",
                                        ns / units[i].value, units[i].name);
                        ns %= units[i].value;
                }

        if (n > 0 && ns > 0)
                buffer[n++] = ' ';
        if (n == 0 || ns > 0)
                span_format_seconds(ns, buffer + n, FORMAT_MAX - n);

        return buffer;
}

const char *format_size(uint64_t bytes, char buffer[static FORMAT_MAX]) {
        size_t n;

        if (bytes == UINT64_MAX) {
                (void) snprintf(buffer, FORMAT_MAX, "infinity");
                return buffer;
        }

        for (size_t i = 0; i < ELEMENTSOF(size_units); ++i) {
                uint64_t unit = size_units[i].value;
                /* Three decimals at most: nobody reads more as a size. */
                uint64_t scale = unit > 1 ? 1000 : 1;

                if (bytes < unit || (uint128) bytes * scale % unit != 0)
                        continue;

                n = decimal_format((uint64_t) ((uint128) bytes * scale / unit), scale, buffer, FORMAT_MAX);
                (void) snprintf(buffer + n, FORMAT_MAX - n, "%s", unit > 1 ? size_units[i].name : "B");
                return buffer;
        }

        (void) snprintf(buffer, FORMAT_MAX, "0B");
        return buffer;
}

const char *format_rate(struct rate rate, char buffer[static FORMAT_MAX]) {
        static const struct unit units[] = {
                { "", NSEC_PER_SEC },
                { "/min", NSEC_PER_MIN },
                { "/h", NSEC_PER_HOUR },
                { "/d", NSEC_PER_DAY },
        };
        size_t n;

        if (rate.period_ns == 0) {
                (void) snprintf(buffer, FORMAT_MAX, "max");
                return buffer;
        }

        /* What parse_rate() makes has a unit times a power of ten as its period, and only one unit fits. */
        for (size_t i = 0; i < ELEMENTSOF(units); ++i)
                for (uint64_t scale = 1; scale <= rate.period_ns / units[i].value; scale *= 10)
                        if (units[i].value * scale == rate.period_ns) {
                                n = decimal_format(rate.n_records, scale, buffer, FORMAT_MAX);
                                (void) snprintf(buffer + n, FORMAT_MAX - n, "%s", units[i].name);
                                return buffer;
                        }

        /* Any other is told to a thousandth of a record a second. */
        (void) decimal_format((uint64_t) ((uint128) rate.n_records * NSEC_PER_SEC * 1000 / rate.period_ns),
                        1000, buffer, FORMAT_MAX);
        return buffer;
}

const char *format_time(uint64_t ns, unsigned int n_digits, char buffer[static FORMAT_MAX]) {
        const time_t seconds = (time_t) (ns / NSEC_PER_SEC);
        char fraction[10];
        struct tm tm;
        size_t n;

        (void) snprintf(fraction, sizeof(fraction), "%09u", (unsigned int) (ns % NSEC_PER_SEC));
        n = strftime(buffer, FORMAT_MAX, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
        (void) snprintf(buffer + n, FORMAT_MAX - n, ".%.*sZ", (int) n_digits, fraction);
        return buffer;
}
