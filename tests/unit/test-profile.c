/* SPDX-License-Identifier: Apache-2.0 */

#include "model/profile.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PHASE "1 for 1s,"

/* midnight, UTC */
#define ORIGIN_NS (UINT64_C(1700006400) * NSEC_PER_SEC)

static struct profile make(const char *text) {
        struct profile profile;

        assert_int_equal(profile_parse(text, &profile), 0);
        return profile;
}

static double get_rate(const struct profile *profile, uint64_t ns, uint64_t *untilp) {
        struct rate rate;

        assert_true(profile_get_rate(profile, ORIGIN_NS, ORIGIN_NS + ns, &rate, untilp));
        assert_true(*untilp > ORIGIN_NS + ns);
        *untilp -= ORIGIN_NS;
        return (double) rate.n_records * 1e9 / (double) rate.period_ns;
}

static void assert_rate(const struct profile *profile, uint64_t ns, double rate, uint64_t until_ns) {
        uint64_t until;

        assert_float_equal(get_rate(profile, ns, &until), rate, rate / 1e6);
        assert_int_equal(until, until_ns);
}

static void test_constant(void **state) {
        struct profile profile = make("1000 for 50s, 20000 for 10s, repeat");

        (void) state;
        assert_rate(&profile, 0, 1000, 50 * NSEC_PER_SEC);
        assert_rate(&profile, 50 * NSEC_PER_SEC - 1, 1000, 50 * NSEC_PER_SEC);
        assert_rate(&profile, 50 * NSEC_PER_SEC, 20000, 60 * NSEC_PER_SEC);
        assert_rate(&profile, 60 * NSEC_PER_SEC, 1000, 110 * NSEC_PER_SEC);
        assert_rate(&profile, 3600 * NSEC_PER_SEC + 55 * NSEC_PER_SEC, 20000, 3660 * NSEC_PER_SEC);
}

static void test_end(void **state) {
        struct profile profile = make("1000 for 50s"), endless = make("5 for 1s, 7");
        struct rate rate;
        uint64_t until;

        (void) state;
        assert_false(profile_get_rate(&profile, ORIGIN_NS, ORIGIN_NS + 50 * NSEC_PER_SEC, &rate, &until));
        assert_false(profile_get_rate(&profile, ORIGIN_NS, ORIGIN_NS - 1, &rate, &until));
        assert_true(profile_get_rate(&endless, ORIGIN_NS, ORIGIN_NS + NSEC_PER_DAY, &rate, &until));
        assert_int_equal(rate.n_records, 7);
        assert_true(until == UINT64_MAX);
}

static void test_ramp(void **state) {
        struct profile profile = make("100..200 for 10s"), down = make("10000..1 for 2h");

        (void) state;
        assert_rate(&profile, 0, 105, NSEC_PER_SEC);
        assert_rate(&profile, 9 * NSEC_PER_SEC + 5, 195, 10 * NSEC_PER_SEC);
        assert_rate(&down, 0, 10000 - 9999.0 / 7200, 2 * NSEC_PER_SEC);
        assert_rate(&down, NSEC_PER_HOUR * 2 - 1, 1 + 9999.0 / 7200, NSEC_PER_HOUR * 2);
}

/* Step by step, each begins where the last one ended, whatever the span is divisible by. */
static void test_steps(void **state) {
        struct profile profile = make("7..11 for 3601s 1ns, 5 for 1s");
        uint64_t ns = 0, until, n = 0;
        double rate = 0;

        (void) state;
        while (ns < 3601 * NSEC_PER_SEC + 1) {
                double next = get_rate(&profile, ns, &until);
                uint64_t same;

                assert_true(next > rate);
                assert_float_equal(get_rate(&profile, until - 1, &same), next, 0);
                assert_int_equal(same, until);
                rate = next;
                ns = until;
                ++n;
        }
        assert_int_equal(n, 3600);
        assert_int_equal(ns, 3601 * NSEC_PER_SEC + 1);
}

static void test_daily(void **state) {
        struct profile profile = make("daily 2000..20000");
        uint64_t until;
        double before = 0;

        (void) state;
        assert_rate(&profile, 2 * NSEC_PER_HOUR, 2000, 2 * NSEC_PER_HOUR + NSEC_PER_MIN);
        assert_rate(&profile, 14 * NSEC_PER_HOUR, 20000, 14 * NSEC_PER_HOUR + NSEC_PER_MIN);
        assert_rate(&profile, 8 * NSEC_PER_HOUR, 11000, 8 * NSEC_PER_HOUR + NSEC_PER_MIN);
        assert_rate(&profile, 20 * NSEC_PER_HOUR, 11000, 20 * NSEC_PER_HOUR + NSEC_PER_MIN);
        for (uint64_t ns = 2 * NSEC_PER_HOUR; ns <= 14 * NSEC_PER_HOUR; ns += NSEC_PER_MIN) {
                double rate = get_rate(&profile, ns, &until);

                assert_true(rate > before);
                before = rate;
        }
}

static void test_parse(void **state) {
        static const char *const wrong[] = { "fast", "max", "100..max for 1s", "1000 for", "repeat",
                "1000, repeat", "1000, 2000 for 1s", "100..200", "daily 100 for 1h", "1000 for 1s,", ",",
                "1000 for 1s, repeat, 5", "daily", "1..2..3 for 1s", "1000 for infinity, 5", "0 for 1s" };
        struct profile profile = make("");
        char many[PROFILE_N_PHASES * sizeof(PHASE) + 2] = "";
        size_t n = 0;

        (void) state;
        assert_int_equal(profile.n_phases, 0);
        assert_true(profile_get_id(&profile) == 0);
        for (size_t i = 0; i < ELEMENTSOF(wrong); ++i)
                if (profile_parse(wrong[i], &profile) >= 0)
                        fail_msg("'%s' is taken", wrong[i]);
        assert_int_equal(profile.n_phases, 0);

        assert_int_equal(profile_parse("1 for 999ms", &profile), -ERANGE);
        for (size_t i = 0; i < PROFILE_N_PHASES; ++i)
                n += (size_t) snprintf(many + n, sizeof(many) - n, PHASE);
        many[n] = '9';
        assert_int_equal(profile_parse(many, &profile), -ERANGE);
        profile = make(" 2.5 .. 5  for 1min 30s ,\tdaily 5/h..6/h ");
        assert_int_equal(profile.n_phases, 2);
        assert_int_equal(profile.phases[0].span_ns, 90 * NSEC_PER_SEC);
        assert_int_equal(profile.phases[1].kind, PHASE_DAILY);
}

static void test_id(void **state) {
        struct profile a = make("1 for 1s, 2 for 1s"), b = make("1 for 1000ms,2 for 1s"),
                       c = make("1 for 1s, 2 for 1s, repeat"), d = make("1 for 1s, 2 for 2s");

        (void) state;
        assert_true(profile_get_id(&a) == profile_get_id(&b));
        assert_true(profile_get_id(&a) != profile_get_id(&c));
        assert_true(profile_get_id(&a) != profile_get_id(&d));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_constant),
                cmocka_unit_test(test_end),
                cmocka_unit_test(test_ramp),
                cmocka_unit_test(test_steps),
                cmocka_unit_test(test_daily),
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_id),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
