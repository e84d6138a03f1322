/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Text to values, strictly
 *
 * Formatting is the inverse: what it prints, the parser of the same kind reads back to the same value.
 */

#include "util/parse.h"

#include "util/clock.h"
#include "util/decimal.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
        const char *name;
        uint64_t value;
};

int parse_uint64(const char *text, uint64_t *valuep) {
        uint64_t value = 0;
        int r;

        if (!*text)
                return -EINVAL;
        if (text[strspn(text, "0123456789")])
                return -EINVAL;

        for (; *text; ++text) {
                r = decimal_append_digit(&value, *text);
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
