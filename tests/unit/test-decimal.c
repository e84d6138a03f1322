/* SPDX-License-Identifier: Apache-2.0 */

#include "util/decimal.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What it reads, and where it stops. */
static void test_parse(void **state) {
        static const struct {
                const char *text;
                int r;
                uint64_t digits, scale;
                const char *rest;
        } examples[] = {
                { "3", 0, 3, 1, "" },
                { "3.5s", 0, 35, 10, "s" },
                { ".5", 0, 5, 10, "" },
                { "3.", 0, 3, 1, "" },
                { "0.10 m", 0, 10, 100, " m" },
                { "1.2.3", 0, 12, 10, ".3" },
                { "18446744073709551615", 0, UINT64_MAX, 1, "" },
                { "18446744073709551616", -ERANGE },
                /* Too small to matter. */
                { "1.23456789012345678901", 0, UINT64_C(1234567890123456789), UINT64_C(1000000000000000000),
                                "" },
                { "18446744073709551615.5", 0, UINT64_MAX, 1, "" },
                /* Nor is anything read behind what was left out. */
                { "1844674407370955161.95", 0, UINT64_C(1844674407370955161), 1, "" },
                { "", -EINVAL },
                { ".", -EINVAL },
                { "-1", -EINVAL },
                { "s", -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(examples); ++i) {
                const char *text = examples[i].text;
                struct decimal decimal;

                assert_int_equal(decimal_parse(&decimal, &text), examples[i].r);
                if (examples[i].r < 0) {
                        assert_ptr_equal(text, examples[i].text);
                        continue;
                }
                assert_true(decimal.digits == examples[i].digits);
                assert_true(decimal.scale == examples[i].scale);
                assert_string_equal(text, examples[i].rest);
        }
}

static void test_scale(void **state) {
        uint64_t value = 4711;

        assert_int_equal(decimal_scale((struct decimal){ 25, 10 }, 1000, &value), 0);
        assert_true(value == 2500);
        assert_int_equal(decimal_scale((struct decimal){ 19, 10 }, 1, &value), 0);
        assert_true(value == 1);
        assert_int_equal(decimal_scale((struct decimal){ UINT64_MAX, 10 }, 10, &value), 0);
        assert_true(value == UINT64_MAX);

        assert_int_equal(decimal_scale((struct decimal){ UINT64_MAX, 1 }, 2, &value), -ERANGE);
        assert_true(value == UINT64_MAX);
}

static void test_format(void **state) {
        static const struct {
                uint64_t digits, scale;
                const char *text;
        } examples[] = {
                { 0, 1, "0" },
                { 125, 1, "125" },
                { 125, 10, "12.5" },
                { 120, 10, "12" },
                { 1050, 1000, "1.05" },
                { 5, 100, "0.05" },
                { UINT64_MAX, 1, "18446744073709551615" },
        };

        for (size_t i = 0; i < ELEMENTSOF(examples); ++i) {
                char buffer[32];
                size_t n = decimal_format(examples[i].digits, examples[i].scale, buffer, sizeof(buffer));

                assert_string_equal(buffer, examples[i].text);
                assert_int_equal(n, strlen(examples[i].text));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_scale),
                cmocka_unit_test(test_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
