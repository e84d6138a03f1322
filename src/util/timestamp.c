/* SPDX-License-Identifier: Apache-2.0 */

#include "util/timestamp.h"

#include "util/clock.h"
#include "util/decimal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

const char *format_time(uint64_t ns, unsigned int n_digits, char buffer[static TIMESTAMP_MAX]) {
        const time_t seconds = (time_t) (ns / NSEC_PER_SEC);
        char fraction[10];
        struct tm tm;
        size_t n;

        (void) snprintf(fraction, sizeof(fraction), "%09u", (unsigned int) (ns % NSEC_PER_SEC));
        n = strftime(buffer, TIMESTAMP_MAX, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
        (void) snprintf(buffer + n, TIMESTAMP_MAX - n, ".%.*sZ", (int) n_digits, fraction);
        return buffer;
}
