/* SPDX-License-Identifier: Apache-2.0 */

#include "util/clock.h"
#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct example {
        const char *text;
        int r;
        uint64_t value;
};

/* On success the value, on failure nothing, is written. */
static void examples_check(const struct example *examples, size_t n, int (*parse)(const char *, uint64_t *)) {
        for (size_t i = 0; i < n; ++i) {
                uint64_t value = 4711;
                int r = parse(examples[i].text, &value);

                if (r != examples[i].r || value != (r < 0 ? 4711 : examples[i].value))
                        fail_msg("\"%s\": %d, %llu", examples[i].text, r, (unsigned long long) value);
        }
}

static void test_uint64(void **state) {
        static const struct example examples[] = {
                { "0", 0, 0 },
                { "007", 0, 7 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -ERANGE },
                { "99999999999999999999", -ERANGE },
                { "", -EINVAL },
                { "-1", -EINVAL },
                { "+1", -EINVAL },
                { " 1", -EINVAL },
                { "1 ", -EINVAL },
                { "0x10", -EINVAL },
                { "1e3", -EINVAL },
                { "99999999999999999999x", -EINVAL },
        };

        examples_check(examples, ELEMENTSOF(examples), parse_uint64);
}

static void test_bool(void **state) {
        static const char *const words[] = { "no", "yes", "false", "TRUE", "Off", "oN", "0", "1" };
        static const char *const others[] = { "", "y", "n", "2", "yes ", "tru", "truer" };
        bool value;

        for (size_t i = 0; i < ELEMENTSOF(words); ++i) {
                value = i % 2 == 0;
                assert_int_equal(parse_bool(words[i], &value), 0);
                assert_int_equal(value, i % 2);
        }

        for (size_t i = 0; i < ELEMENTSOF(others); ++i)
                assert_int_equal(parse_bool(others[i], &value), -EINVAL);
}

static void test_span(void **state) {
        static const struct example examples[] = {
                { "0", 0, 0 },
                { "10", 0, 10 * NSEC_PER_SEC },
                { "0.5", 0, NSEC_PER_SEC / 2 },
                { ".5s", 0, NSEC_PER_SEC / 2 },
                { "1.s", 0, NSEC_PER_SEC },
                { "10ms", 0, 10 * NSEC_PER_MSEC },
                { "500ms", 0, 500 * NSEC_PER_MSEC },
                { "1.5us", 0, 1500 },
                { "1\xc2\xb5s", 0, 1000 },
                { "1\xce\xbcs", 0, 1000 },
                { "1ns", 0, 1 },
                { "0.9ns", 0, 0 },
                { "1h2m3.5s", 0, NSEC_PER_HOUR + 2 * NSEC_PER_MIN + 3 * NSEC_PER_SEC + NSEC_PER_SEC / 2 },
                { "5min 20s", 0, 320 * NSEC_PER_SEC },
                { "5min20s", 0, 320 * NSEC_PER_SEC },
                { "2 weeks", 0, 14 * NSEC_PER_DAY },
                { "1d 1hr", 0, 25 * NSEC_PER_HOUR },
                { "1M", 0, 2629800 * NSEC_PER_SEC },
                { "1m", 0, NSEC_PER_MIN },
                { "1y", 0, 31557600 * NSEC_PER_SEC },
                { "1.1s", 0, 1100 * NSEC_PER_MSEC },
                { "infinity", 0, NSEC_INFINITY },
                { "18446744073709551614ns", 0, UINT64_MAX - 1 },
                { "18446744073709551615ns", -ERANGE },
                { "18446744073709551614ns 1ns", -ERANGE },
                { "18446744073709551614ns 2ns", -ERANGE },
                { "99999999999999999999ns", -ERANGE },
                { "600y", -ERANGE },
                { "0.00000000000000000000000001s", 0, 0 },
                { "", -EINVAL },
                { "s", -EINVAL },
                { ".", -EINVAL },
                { ".s", -EINVAL },
                { "1x", -EINVAL },
                { "1 2", -EINVAL },
                { "1s 2", -EINVAL },
                { "1..2s", -EINVAL },
                { "-1s", -EINVAL },
                { " 1s", -EINVAL },
                { "1sm", -EINVAL },
                { "1s,2m", -EINVAL },
                { "Infinity", -EINVAL },
        };

        examples_check(examples, ELEMENTSOF(examples), parse_span);
}

static void test_size(void **state) {
        static const struct example examples[] = {
                { "0", 0, 0 },
                { "512", 0, 512 },
                { "512B", 0, 512 },
                { "64K", 0, 65536 },
                { "64KB", 0, 65536 },
                { "64 K", 0, 65536 },
                { "1.5G", 0, UINT64_C(3) << 29 },
                { "1T", 0, UINT64_C(1) << 40 },
                { "15E", 0, UINT64_C(15) << 60 },
                { "0.3K", 0, 307 },
                { "infinity", 0, UINT64_MAX },
                { "18446744073709551614", 0, UINT64_MAX - 1 },
                { "18446744073709551615", -ERANGE },
                { "16E", -ERANGE },
                { "", -EINVAL },
                { "K", -EINVAL },
                { "1k", -EINVAL },
                { "1KBB", -EINVAL },
                { "1KiB", -EINVAL },
                { "1K ", -EINVAL },
                { "-1K", -EINVAL },
                { "10%", -EINVAL },
        };

        examples_check(examples, ELEMENTSOF(examples), parse_size);
}

static int parse_percent_wide(const char *text, uint64_t *valuep) {
        uint32_t value = 0;
        int r = parse_percent(text, &value);

        if (r >= 0)
                *valuep = value;
        return r;
}

static void test_percent(void **state) {
        static const struct example examples[] = {
                { "0%", 0, 0 },
                { "2%", 0, 200 },
                { "2.5%", 0, 250 },
                { "0.01%", 0, 1 },
                { "2.500%", 0, 250 },
                { "100%", 0, 10000 },
                { "100.01%", -ERANGE },
                { "101%", -ERANGE },
                { "0.001%", -EINVAL },
                { "2", -EINVAL },
                { "2%%", -EINVAL },
                { "%", -EINVAL },
                { "-1%", -EINVAL },
                { "", -EINVAL },
        };

        examples_check(examples, ELEMENTSOF(examples), parse_percent_wide);
}

static int parse_shard_wide(const char *text, uint64_t *valuep) {
        uint32_t shard = 0, n_shards = 0;
        int r = parse_shard(text, &shard, &n_shards);

        if (r >= 0)
                *valuep = (uint64_t) shard << 32 | n_shards;
        return r;
}

static void test_shard(void **state) {
        static const struct example examples[] = {
                { "0/1", 0, 1 },
                { "2/4", 0, UINT64_C(2) << 32 | 4 },
                { "1023/1024", 0, UINT64_C(1023) << 32 | 1024 },
                { "4/4", -ERANGE },
                { "0/0", -ERANGE },
                { "0/1025", -ERANGE },
                { "0/18446744073709551616", -ERANGE },
                { "1", -EINVAL },
                { "/2", -EINVAL },
                { "1/", -EINVAL },
                { "1/2/4", -EINVAL },
                { "1 / 2", -EINVAL },
                { "00000000000000000/2", -EINVAL },
                { "", -EINVAL },
        };

        examples_check(examples, ELEMENTSOF(examples), parse_shard_wide);
}

static void test_rate(void **state) {
        static const struct {
                const char *text;
                int r;
                struct rate rate;
        } examples[] = {
                { "10000", 0, { 10000, NSEC_PER_SEC } },
                { "10000/s", 0, { 10000, NSEC_PER_SEC } },
                { "90/min", 0, { 90, NSEC_PER_MIN } },
                { "5/h", 0, { 5, NSEC_PER_HOUR } },
                { "1/day", 0, { 1, NSEC_PER_DAY } },
                { "2.5", 0, { 25, 10 * NSEC_PER_SEC } },
                { "2.50", 0, { 25, 10 * NSEC_PER_SEC } },
                { "1000000000", 0, { 1000000000, NSEC_PER_SEC } },
                { "max", 0, {} },
                { "1000000001", -ERANGE },
                { "18446744073709551616", -ERANGE },
                { "0", -ERANGE },
                { "0.5/d", -ERANGE },
                { "0.000001", -ERANGE },
                { "", -EINVAL },
                { "-1", -EINVAL },
                { "10/", -EINVAL },
                { "10/y", -EINVAL },
                { "10 /s", -EINVAL },
                { "fast", -EINVAL },
                { "MAX", -EINVAL },
                { "1e4", -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(examples); ++i) {
                struct rate rate = {};

                if (parse_rate(examples[i].text, &rate) != examples[i].r)
                        fail_msg("\"%s\"", examples[i].text);
                assert_memory_equal(&rate, &examples[i].rate, sizeof(rate));
        }
}

static void test_format_span(void **state) {
        static const struct {
                uint64_t ns;
                const char *text;
        } examples[] = {
                { 0, "0s" },
                { 1, "1ns" },
                { 1500, "1.5us" },
                { 10 * NSEC_PER_MSEC, "10ms" },
                { 1500 * NSEC_PER_MSEC, "1.5s" },
                { 60 * NSEC_PER_SEC, "1min" },
                { 90 * NSEC_PER_SEC, "1min 30s" },
                { 3723500 * NSEC_PER_MSEC, "1h 2min 3.5s" },
                { NSEC_PER_DAY + 5, "1d 5ns" },
                { UINT64_MAX - 1, "213503d 23h 34min 33.709551614s" },
                { NSEC_INFINITY, "infinity" },
        };
        char buffer[FORMAT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(examples); ++i) {
                uint64_t ns;

                assert_string_equal(format_span(examples[i].ns, buffer), examples[i].text);
                assert_int_equal(parse_span(buffer, &ns), 0);
                assert_true(ns == examples[i].ns);
        }
}

static void test_format_size(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } examples[] = {
                { 0, "0B" },
                { 1000, "1000B" },
                { 1024, "1K" },
                { 1536, "1.5K" },
                { UINT64_C(4) << 30, "4G" },
                { UINT64_C(3) << 29, "1.5G" },
                { (UINT64_C(1) << 30) + 1, "1073741825B" },
                { UINT64_C(9) << 60, "9E" },
                { UINT64_MAX - 1, "18446744073709551614B" },
                { UINT64_MAX, "infinity" },
        };
        char buffer[FORMAT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(examples); ++i) {
                uint64_t bytes;

                assert_string_equal(format_size(examples[i].bytes, buffer), examples[i].text);
                assert_int_equal(parse_size(buffer, &bytes), 0);
                assert_true(bytes == examples[i].bytes);
        }
}

/* What was given comes back as it was given. */
static void test_format_rate(void **state) {
        static const char *const texts[] = { "10000", "90/min", "7/min", "5/h", "1/d", "2.5", "0.125",
                "999983", "2.5/min", "0.001", "1000000000", "86400/d", "max" };
        char buffer[FORMAT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(texts); ++i) {
                struct rate rate;

                assert_int_equal(parse_rate(texts[i], &rate), 0);
                assert_string_equal(format_rate(rate, buffer), texts[i]);
        }

        assert_string_equal(
                        format_rate((struct rate){ .n_records = 2, .period_ns = 3 * NSEC_PER_SEC }, buffer),
                        "0.666");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_uint64),
                cmocka_unit_test(test_bool),
                cmocka_unit_test(test_span),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_percent),
                cmocka_unit_test(test_shard),
                cmocka_unit_test(test_rate),
                cmocka_unit_test(test_format_span),
                cmocka_unit_test(test_format_size),
                cmocka_unit_test(test_format_rate),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
