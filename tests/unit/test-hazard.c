/* SPDX-License-Identifier: Apache-2.0 */

#include "model/hazard.h"

#include "model/fault.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN_NS  (UINT64_C(1780000000) * NSEC_PER_SEC)
#define LENGTH_E2 50000u
#define N_SLOTS   40000u

static uint64_t incident_get_span_ns(const struct incident *incident) {
        return incident->kind == I4_FAULT_NONE ? 0 : incident->end_ns - incident->start_ns;
}

static struct hazard hazard_make(uint32_t anomalies_e4, const char *mix, uint32_t n_touched) {
        struct model_settings settings = { .anomalies_e4 = anomalies_e4 };
        struct hazard hazard;

        assert_int_equal(mix_parse(mix, &settings.mix), 0);
        hazard_init(&hazard, &settings, n_touched, 4);
        return hazard;
}

/* Of all the time of many, in hundredths of a percent, one that is troubled. */
static uint64_t pipelines_get_share_e4(const struct hazard *hazard) {
        uint64_t sum_ns = 0;

        for (uint32_t i = 0; i < N_SLOTS; ++i) {
                struct incident incident;

                (void) hazard_find_pipeline(
                                hazard, NULL, i, random_derive(1, i), LENGTH_E2, BEGIN_NS, &incident);
                sum_ns += incident_get_span_ns(&incident);
        }
        return sum_ns / N_SLOTS * 10000 / INCIDENT_PIPELINE_SLOT_NS;
}

static uint64_t sensors_get_share_e4(const struct hazard *hazard) {
        uint64_t sum_ns = 0;

        for (uint32_t i = 0; i < N_SLOTS; ++i) {
                struct incident incident;

                (void) hazard_find_sensor(hazard, NULL, i, random_derive(1, i), BEGIN_NS, &incident);
                sum_ns += incident_get_span_ns(&incident);
        }
        return sum_ns / N_SLOTS * 10000 / INCIDENT_SENSOR_SLOT_NS;
}

/* Each is in trouble for as long as the share of readings asks for, given in how many readings it shows. */
static void test_shares(void **state) {
        struct hazard hazard = hazard_make(200, "stuck=1", 2);

        assert_in_range(sensors_get_share_e4(&hazard), 180, 220);
        assert_int_equal(pipelines_get_share_e4(&hazard), 0);

        /* One reading in so many. */
        hazard = hazard_make(200, "spike=1", 2);
        assert_in_range(sensors_get_share_e4(&hazard), 180 * FAULT_SPIKE_ODDS, 220 * FAULT_SPIKE_ODDS);

        /* Half of the types show it, for a little longer than it lasts. */
        hazard = hazard_make(200, "leak=1", 2);
        assert_int_equal(sensors_get_share_e4(&hazard), 0);
        assert_in_range(pipelines_get_share_e4(&hazard), 350, 430);

        hazard = hazard_make(0, "leak=1,stuck=1", 2);
        assert_int_equal(sensors_get_share_e4(&hazard) + pipelines_get_share_e4(&hazard), 0);
}

/* Where no type shows what happens to a pipeline, sensors have all of it. */
static void test_untouched(void **state) {
        struct hazard hazard = hazard_make(200, "leak=3,stuck=1", 0);

        assert_in_range(sensors_get_share_e4(&hazard), 180, 220);
        assert_int_equal(pipelines_get_share_e4(&hazard), 0);
}

/* One span begins where the last one ends, and what is found holds for all of it. */
static void test_spans(void **state) {
        struct hazard hazard = hazard_make(5000, "stuck=1", 2);
        uint64_t key = random_derive(1, 2), time_ns = BEGIN_NS;
        struct scenario_span span;

        for (unsigned int i = 0; i < 100; ++i, time_ns = span.until_ns) {
                struct incident at_begin, at_end;
                struct scenario_span again;

                span = hazard_find_sensor(&hazard, NULL, 2, key, time_ns, &at_begin);
                again = hazard_find_sensor(&hazard, NULL, 2, key, span.until_ns - 1, &at_end);
                if (i > 0)
                        assert_int_equal(span.from_ns, time_ns);
                assert_int_equal(again.from_ns, span.from_ns);
                assert_int_equal(again.until_ns, span.until_ns);
                assert_int_equal(at_begin.id, at_end.id);
                if (at_begin.kind != I4_FAULT_NONE) {
                        assert_true(at_begin.start_ns >= span.from_ns);
                        assert_true(at_begin.end_ns <= span.until_ns);
                }
        }
}

/* What is wanted goes before chance, and chance goes on around it. */
static void test_scenario(void **state) {
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        struct hazard hazard = hazard_make(5000, "stuck=1,leak=1", 2);
        struct scenario_entry entry = {
                .incident = { .start_ns = BEGIN_NS,
                                .end_ns = BEGIN_NS + NSEC_PER_MIN,
                                .id = 7,
                                .kind = I4_FAULT_LEAK },
                .until_ns = BEGIN_NS + 2 * NSEC_PER_MIN,
                .target = 3,
        };
        struct incident wanted, drawn;
        struct scenario_span span;

        assert_int_equal(scenario_new(&scenario), 0);
        assert_int_equal(scenario_add(scenario, &entry), 0);
        span = hazard_find_pipeline(&hazard, scenario, 3, 99, LENGTH_E2, BEGIN_NS, &wanted);
        assert_int_equal(wanted.id, 7);
        assert_int_equal(span.from_ns, BEGIN_NS);
        assert_int_equal(span.until_ns, entry.until_ns);

        (void) hazard_find_pipeline(&hazard, NULL, 3, 99, LENGTH_E2, entry.until_ns, &drawn);
        span = hazard_find_pipeline(&hazard, scenario, 3, 99, LENGTH_E2, entry.until_ns, &wanted);
        assert_int_equal(span.from_ns, entry.until_ns);
        assert_int_equal(wanted.id, drawn.id);

        /* Neither another pipeline's nor a sensor's. */
        (void) hazard_find_pipeline(&hazard, scenario, 4, 99, LENGTH_E2, BEGIN_NS, &wanted);
        assert_int_not_equal(wanted.id, 7);
        (void) hazard_find_sensor(&hazard, scenario, 3, 99, BEGIN_NS, &wanted);
        assert_int_not_equal(wanted.id, 7);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shares),
                cmocka_unit_test(test_untouched),
                cmocka_unit_test(test_spans),
                cmocka_unit_test(test_scenario),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
