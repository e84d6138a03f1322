/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How much of what is read is anomalous, of which kind, and what holds for each reading
 */

#include "fleet-fixture.h"

#include "model/signal.h"
#include "util/macros.h"

struct tally {
        uint64_t n, n_anomalous, n_alerts, n_groundless, n_maintenance;
        uint64_t kinds[I4_N_FAULT];
};

static bool fault_is_known_to_sensor(unsigned int fault) {
        return fault == I4_FAULT_NOISE || fault == I4_FAULT_DROPOUT || fault == I4_FAULT_OUT_OF_RANGE;
}

/* What holds for each reading, whatever the settings. */
static void record_check(const struct fleet *fleet, const struct i4_record *record) {
        const struct catalog_type *type = &fleet->catalog.types[record->type];
        bool is_bad = fault_is_known_to_sensor(record->fault);

        assert_int_equal(record->event == 0, record->fault == I4_FAULT_NONE);
        assert_int_equal(record->quality_e4 < 8000, is_bad);
        assert_in_range(record->quality_e4, 1, 10000);

        /* Nothing but what is told to be out of range is. */
        assert_int_equal(record->value_e2 > type->maximum_e2, record->fault == I4_FAULT_OUT_OF_RANGE);
        assert_true(record->value_e2 >= type->minimum_e2);

        /* Who works on a sensor is not called to it. */
        if (record->status == I4_STATUS_MAINTENANCE)
                assert_int_equal(record->alert, I4_ALERT_NONE);
        else
                assert_int_equal(record->status == I4_STATUS_NORMAL, record->alert == I4_ALERT_NONE);
        if (is_bad && record->status != I4_STATUS_MAINTENANCE)
                assert_int_not_equal(record->alert, I4_ALERT_NONE);
}

/* 100 days, a reading of each sensor every 26 hours or so. */
static struct tally tally_make(uint32_t anomalies_e4, struct mix mix) {
        _cleanup_(fleet_deinit) struct fleet fleet = fleet_make(800, UINT64_C(94600) * NSEC_PER_SEC,
                        (struct model_settings){ .seed = 11, .anomalies_e4 = anomalies_e4, .mix = mix });
        struct tally tally = {};

        for (uint64_t round = 0; round < 90; ++round) {
                fleet_read(&fleet, round);
                for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i) {
                        const struct i4_record *record = &fleet.records[i];

                        record_check(&fleet, record);
                        ++tally.n;
                        ++tally.kinds[record->fault];
                        tally.n_anomalous += record->fault != I4_FAULT_NONE;
                        tally.n_alerts += record->alert != I4_ALERT_NONE;
                        tally.n_groundless +=
                                        record->alert != I4_ALERT_NONE && record->fault == I4_FAULT_NONE;
                        tally.n_maintenance += record->status == I4_STATUS_MAINTENANCE;
                }
        }

        return tally;
}

static void test_shares(void **state) {
        struct tally tally = tally_make(200, (struct mix){});
        struct mix usual = mix_get_usual();

        assert_in_range(tally.n_anomalous * 10000 / tally.n, 170, 230);
        /* Limits are set for a plant that runs well: where nothing is wrong nobody is called. */
        assert_int_equal(tally.n_groundless, 0);
        assert_in_range(tally.n_alerts * 10000 / tally.n, 50, 150);
        /* two hours in thirty days: 28 of 10000 */
        assert_in_range(tally.n_maintenance * 10000 / tally.n, 24, 32);

        for (unsigned int kind = I4_FAULT_NONE + 1; kind < I4_N_FAULT; ++kind) {
                uint64_t percent_e1 = tally.kinds[kind] * 1000 / tally.n_anomalous;
                uint64_t expected_e1 = usual.weights[kind] * 10;

                /* Few incidents of pipelines, each of which many sensors see, scatter most. */
                assert_in_range(percent_e1, expected_e1 / 2, expected_e1 * 3 / 2);
        }
}

static void test_no_anomalies(void **state) {
        struct tally tally = tally_make(0, (struct mix){});

        assert_int_equal(tally.n_anomalous, 0);
        assert_int_equal(tally.n_alerts, 0);
}

static void test_all_anomalous(void **state) {
        struct tally tally = tally_make(10000, (struct mix){});

        assert_in_range(tally.n_anomalous * 100 / tally.n, 80, 100);
}

/* The total does not depend on how it is divided, though kinds show in such different ways. */
static void test_mix(void **state) {
        static const struct {
                struct mix mix;
                uint32_t anomalies_e4;
        } cases[] = {
                { { { [I4_FAULT_SPIKE] = 1 } }, 500 },
                { { { [I4_FAULT_LEAK] = 7 } }, 500 },
                { { { [I4_FAULT_STUCK] = 1, [I4_FAULT_OUT_OF_RANGE] = 3 } }, 1000 },
                { { { [I4_FAULT_SPIKE] = 2,
                                  [I4_FAULT_DRIFT] = 2,
                                  [I4_FAULT_BLOCKAGE] = 1,
                                  [I4_FAULT_VALVE_CLOSURE] = 3 } },
                                2000 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                const struct mix *mix = &cases[i].mix;
                struct tally tally = tally_make(cases[i].anomalies_e4, *mix);
                uint64_t expected = cases[i].anomalies_e4;

                assert_in_range(tally.n_anomalous * 10000 / tally.n, expected * 85 / 100,
                                expected * 115 / 100);
                for (unsigned int kind = I4_FAULT_NONE + 1; kind < I4_N_FAULT; ++kind) {
                        uint64_t share_e3 = mix->weights[kind] * 1000 / mix_get_sum(mix);

                        assert_in_range(tally.kinds[kind] * 1000 / tally.n_anomalous, share_e3 * 3 / 4,
                                        share_e3 * 5 / 4);
                }
        }
}

/* More than all that a pipeline touches cannot be a leak's: then they all are. */
static void test_mix_beyond_reach(void **state) {
        struct tally tally = tally_make(10000, (struct mix){ { [I4_FAULT_LEAK] = 1 } });

        assert_int_equal(tally.n_anomalous, tally.kinds[I4_FAULT_LEAK]);
        assert_in_range(tally.n_anomalous * 100 / tally.n, 18, 25);
}

/* Whatever types there are, the share is as asked. */
static void test_share_with_other_types(void **state) {
        static const struct catalog_type types[] = {
                { "pressure", "psi", "pre", 20000, 150000 },
                { "flow_rate", "bbl/hr", "flo", 0, 5000000 },
                { "level", "m", "lev", -100, 2000 },
        };
        static const struct catalog_pipeline pipelines[] = { { "A" }, { "B" }, { "C" } };
        static struct i4_record records[600];

        for (uint32_t first = 0; first < ELEMENTSOF(types); ++first) {
                struct i4_catalog catalog = {
                        .types = types + first,
                        .n_types = (uint32_t) ELEMENTSOF(types) - first,
                        .pipelines = pipelines,
                        .n_pipelines = ELEMENTSOF(pipelines),
                        .n_sensors = ELEMENTSOF(records),
                };
                struct model_settings settings = { .seed = 5, .anomalies_e4 = 1000 };
                struct anchor anchor = { .time_ns = EPOCH_NS, .rate = { 600, 24 * NSEC_PER_HOUR } };
                _cleanup_(model_freep) struct model *model = NULL;
                uint64_t n_anomalous = 0;

                assert_int_equal(model_new(&model, &settings, &catalog), 0);
                for (uint64_t day = 0; day < 100; ++day) {
                        struct timeline timeline;

                        timeline_init(&timeline, &anchor, day * 600);
                        model_generate(model, day * 600, day * 600, &timeline, records, 600);
                        for (size_t i = 0; i < ELEMENTSOF(records); ++i)
                                n_anomalous += records[i].fault != I4_FAULT_NONE;
                }
                assert_in_range(n_anomalous, 60000 * 9 / 100, 60000 * 11 / 100);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shares),
                cmocka_unit_test(test_no_anomalies),
                cmocka_unit_test(test_all_anomalous),
                cmocka_unit_test(test_mix),
                cmocka_unit_test(test_mix_beyond_reach),
                cmocka_unit_test(test_share_with_other_types),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
