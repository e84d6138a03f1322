/* SPDX-License-Identifier: Apache-2.0 */

#include "util/macros.h"
#include "util/timestamp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_parse(void **state) {
        static const struct {
                const char *text;
                int r;
                uint64_t value;
        } examples[] = {
                { "1970-01-01T00:00:00Z", 0, 0 },
                { "2026-11-23T10:49:43.7Z", 0, UINT64_C(1795430983700000000) },
                { "2026-11-23t10:49:43.700000001z", 0, UINT64_C(1795430983700000001) },
                { "2026-11-23 10:49:43Z", 0, UINT64_C(1795430983000000000) },
                { "2026-11-23T10:49:43+00:00", 0, UINT64_C(1795430983000000000) },
                { "2026-11-23T16:19:43+05:30", 0, UINT64_C(1795430983000000000) },
                { "2026-11-23T02:49:43-08:00", 0, UINT64_C(1795430983000000000) },
                { "2024-02-29T00:00:00Z", 0, UINT64_C(1709164800000000000) },
                { "2000-02-29T00:00:00Z", 0, UINT64_C(951782400000000000) },
                { "2016-12-31T23:59:60Z", 0, UINT64_C(1483228800000000000) },
                { "1970-01-01T01:00:00+01:00", 0, 0 },
                { "2554-07-21T23:34:33.709551615Z", 0, UINT64_MAX },
                { "2554-07-21T23:34:33.709551616Z", -ERANGE },
                { "9999-12-31T23:59:59Z", -ERANGE },
                { "1969-12-31T23:59:59Z", -ERANGE },
                { "1970-01-01T00:00:00+00:01", -ERANGE },
                { "@0", 0, 0 },
                { "@1795430983", 0, UINT64_C(1795430983000000000) },
                { "@1795430983.25", 0, UINT64_C(1795430983250000000) },
                { "@99999999999", -ERANGE },
                { "@", -EINVAL },
                { "@-1", -EINVAL },
                { "@1s", -EINVAL },
                { "", -EINVAL },
                { "now", -EINVAL },
                { "2026-11-23", -EINVAL },
                { "2026-11-23T10:49:43", -EINVAL },
                { "2026-11-23T10:49:43.Z", -EINVAL },
                { "2026-11-23T10:49:43Zx", -EINVAL },
                { "2026-11-23T10:49:43+0530", -EINVAL },
                { "2026-11-23T24:00:00Z", -EINVAL },
                { "2026-13-01T00:00:00Z", -EINVAL },
                { "2026-00-01T00:00:00Z", -EINVAL },
                { "2026-02-29T00:00:00Z", -EINVAL },
                { "2100-02-29T00:00:00Z", -EINVAL },
                { "2026-04-31T00:00:00Z", -EINVAL },
                { "26-11-23T10:49:43Z", -EINVAL },
        };

        /* On success the value, on failure nothing, is written. */
        for (size_t i = 0; i < ELEMENTSOF(examples); ++i) {
                uint64_t value = 4711;
                int r = parse_time(examples[i].text, &value);

                if (r != examples[i].r || value != (r < 0 ? 4711 : examples[i].value))
                        fail_msg("\"%s\": %d, %llu", examples[i].text, r, (unsigned long long) value);
        }
}

static void test_format(void **state) {
        char buffer[TIMESTAMP_MAX];

        assert_string_equal(format_time(0, 6, buffer), "1970-01-01T00:00:00.000000Z");
        assert_string_equal(
                        format_time(UINT64_C(1795411362436377999), 6, buffer), "2026-11-23T05:22:42.436377Z");
        assert_string_equal(format_time(UINT64_C(1795411362436377009), 9, buffer),
                        "2026-11-23T05:22:42.436377009Z");
        assert_string_equal(format_time(UINT64_MAX, 1, buffer), "2554-07-21T23:34:33.7Z");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
