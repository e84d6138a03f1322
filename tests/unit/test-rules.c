/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/rules.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state, enum rules_kind kind) {
        struct rules *rules;

        assert_int_equal(rules_new(&rules, kind, i4_catalog_get_default()), 0);
        *state = rules;
        return 0;
}

static int setup_reference(void **state) {
        return setup(state, RULES_REFERENCE);
}

static int setup_all(void **state) {
        return setup(state, RULES_ALL);
}

static int teardown(void **state) {
        assert_null(rules_free(*state));
        return 0;
}

static unsigned int find(const struct rules *rules, const char *type) {
        return rules_find_type(rules, (struct json_span){ type, strlen(type) });
}

static void require_reasons(const struct rules *rules, const char *type, double value, double quality,
                const char *expected) {
        unsigned int verdict = rules_judge(rules, find(rules, type), value, quality);
        struct json_span reasons = rules_get_reasons(rules, verdict);

        assert_int_equal(verdict == 0, strcmp(expected, "[]") == 0);
        if (reasons.size != strlen(expected) || memcmp(reasons.text, expected, reasons.size) != 0)
                fail_msg("%s %g %g: %.*s instead of %s", type, value, quality, (int) reasons.size,
                                reasons.text, expected);
}

/* The reference's rules, at their edges. */
static void test_reference(void **state) {
        const struct rules *rules = *state;

        require_reasons(rules, "pressure", 1500, 1, "[]");
        require_reasons(rules, "pressure", 1500.01, 1, "[\"pressure_exceeded\"]");
        require_reasons(rules, "pressure", 0, 1, "[]");
        require_reasons(rules, "temperature", -20, 1, "[]");
        require_reasons(rules, "temperature", -20.01, 1, "[\"temperature_out_of_range\"]");
        require_reasons(rules, "temperature", 180, 1, "[]");
        require_reasons(rules, "temperature", 180.01, 1, "[\"temperature_out_of_range\"]");
        require_reasons(rules, "flow_rate", 50000, 1, "[]");
        require_reasons(rules, "flow_rate", 50000.01, 1, "[\"flow_rate_exceeded\"]");
        require_reasons(rules, "flow_rate", -1, 1, "[]");
        require_reasons(rules, "humidity", 1e9, 1, "[]");
}

static void test_quality(void **state) {
        const struct rules *rules = *state;

        require_reasons(rules, "humidity", 50, 8000 / 10000.0, "[]");
        require_reasons(rules, "humidity", 50, 7999 / 10000.0, "[\"low_quality_score\"]");
        require_reasons(rules, "pressure", 2000, 0, "[\"pressure_exceeded\",\"low_quality_score\"]");
        require_reasons(rules, "nobody_knows", 2000, 0.5, "[\"low_quality_score\"]");
        require_reasons(rules, "nobody_knows", 2000, 0.9, "[]");
}

/* Every type has the limits of the catalog; what the reference has a name for keeps it. */
static void test_all(void **state) {
        const struct rules *rules = *state;

        require_reasons(rules, "pressure", 1500.01, 1, "[\"pressure_exceeded\"]");
        require_reasons(rules, "pressure", 199.99, 1, "[\"pressure_out_of_range\"]");
        require_reasons(rules, "flow_rate", -0.01, 1, "[\"flow_rate_out_of_range\"]");
        require_reasons(rules, "temperature", -20.01, 1, "[\"temperature_out_of_range\"]");
        require_reasons(rules, "vibration", 25, 1, "[]");
        require_reasons(rules, "vibration", 25.01, 0.1, "[\"vibration_out_of_range\",\"low_quality_score\"]");
        require_reasons(rules, "corrosion", 50.01, 1, "[\"corrosion_out_of_range\"]");
        require_reasons(rules, "humidity", 100.01, 1, "[\"humidity_out_of_range\"]");
        require_reasons(rules, "gas_detector", 1000.01, 1, "[\"gas_detector_out_of_range\"]");
        require_reasons(rules, "valve_position", -0.01, 1, "[\"valve_position_out_of_range\"]");
}

/* A name may be spelt with escapes, and need not be one. */
static void test_names(void **state) {
        const struct rules *rules = *state;

        assert_int_equal(find(rules, "pressure"), find(rules, "\\u0070ressure"));
        assert_int_equal(find(rules, "pressur"), RULES_NO_TYPE);
        assert_int_equal(find(rules, ""), RULES_NO_TYPE);
        assert_int_equal(find(rules, "pressure\\u0000"), RULES_NO_TYPE);

        assert_int_equal(rules_kind_from_string("reference"), RULES_REFERENCE);
        assert_int_equal(rules_kind_from_string("all"), RULES_ALL);
        assert_int_equal(rules_kind_from_string("none"), -EINVAL);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_reference, setup_reference, teardown),
                cmocka_unit_test_setup_teardown(test_quality, setup_reference, teardown),
                cmocka_unit_test_setup_teardown(test_all, setup_all, teardown),
                cmocka_unit_test_setup_teardown(test_names, setup_all, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
