/* SPDX-License-Identifier: Apache-2.0 */

#include "model/mix.h"

#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_good(void **state) {
        struct mix mix = mix_get_usual();

        assert_int_equal(mix_get_sum(&mix), 100);
        assert_int_equal(mix_parse("leak=2, stuck=1000000,spike=0", &mix), 0);
        assert_int_equal(mix_get_sum(&mix), 1000002);
        assert_int_equal(mix.weights[I4_FAULT_LEAK], 2);
        assert_int_equal(mix.weights[I4_FAULT_STUCK], 1000000);
}

/* Every kind that records tell of can be asked for, under the name that they tell. */
static void test_every_kind(void **state) {
        for (unsigned int kind = I4_FAULT_NONE + 1; kind < I4_N_FAULT; ++kind) {
                struct mix mix;
                char text[64];

                (void) snprintf(text, sizeof(text), "%s=3", i4_fault_to_string(kind));
                assert_int_equal(mix_parse(text, &mix), 0);
                assert_int_equal(mix.weights[kind], 3);
                assert_int_equal(mix_get_sum(&mix), 3);
                assert_true(mix_get_usual().weights[kind] > 0);
        }
}

static void test_bad(void **state) {
        static const struct {
                const char *text;
                int error;
        } bad[] = {
                { "", -EINVAL },
                { "leak", -EINVAL },
                { "leak=", -EINVAL },
                { "leak=0", -EINVAL },
                { "leak=-1", -EINVAL },
                { "leak=1.5", -EINVAL },
                { "leak=1000001", -ERANGE },
                { "leak=1,", -EINVAL },
                { "leak=1,,stuck=1", -EINVAL },
                { "leak=1,leak=2", -EINVAL },
                { "leek=1", -EINVAL },
                { "none=1", -EINVAL },
                { "LEAK=1", -EINVAL },
        };
        struct mix mix = mix_get_usual(), before = mix;
        char text[2048];

        for (size_t i = 0; i < ELEMENTSOF(bad); ++i)
                assert_int_equal(mix_parse(bad[i].text, &mix), bad[i].error);

        memset(text, ' ', sizeof(text) - 1);
        memcpy(text + sizeof(text) - sizeof("leak=1"), "leak=1", sizeof("leak=1"));
        assert_int_equal(mix_parse(text, &mix), -EINVAL);
        assert_memory_equal(&mix, &before, sizeof(mix));
}

static void test_description(void **state) {
        char description[MIX_DESCRIPTION_MAX];

        /* It has room for all of it. */
        assert_non_null(strstr(mix_describe(description), ", valve_closure"));
        assert_non_null(strstr(description, " of out_of_range, "));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_every_kind),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_description),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
