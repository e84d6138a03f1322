/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Readings as an engineer would look at those of a real plant
 *
 * Properties of what leaves the model, not of its parts (test-network.c has those), and no remembered
 * numbers. Seeds are fixed, so a test passes always or never; bounds are such that hardly any seed fails.
 */

#include "fleet-fixture.h"

#include "model/signal.h"
#include "util/clock.h"
#include "util/macros.h"

#include <math.h>
#include <string.h>

static double value_of(const struct i4_record *record) {
        return record->value_e2 / 100.0;
}

/* Pearson's, of sums */
struct correlation {
        double n, x, y, xx, yy, xy;
};

static void correlation_add(struct correlation *c, double x, double y) {
        ++c->n;
        c->x += x, c->y += y;
        c->xx += x * x, c->yy += y * y, c->xy += x * y;
}

static double correlation_get(const struct correlation *c) {
        return (c->n * c->xy - c->x * c->y) /
               sqrt((c->n * c->xx - c->x * c->x) * (c->n * c->yy - c->y * c->y));
}

/* flow and pressure */

/* What goes in comes out: all flow meters of a healthy pipeline agree to within their noise of 0.4 %. */
static void test_mass_balance(void **state) {
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(1600, 60 * NSEC_PER_SEC, (struct model_settings){ .seed = 3 });

        for (uint64_t round = 0; round < 60; ++round) {
                double means[N_PIPELINES] = {}, n[N_PIPELINES] = {};

                fleet_read(&fleet, round * 24);
                for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i)
                        if (fleet.records[i].type == FLOW) {
                                means[fleet.records[i].pipeline] += value_of(&fleet.records[i]);
                                ++n[fleet.records[i].pipeline];
                        }
                for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i)
                        if (fleet.records[i].type == FLOW) {
                                double mean = means[fleet.records[i].pipeline] / n[fleet.records[i].pipeline];

                                /* The round takes a minute, in which the load moves too. */
                                assert_true(fabs(value_of(&fleet.records[i]) / mean - 1) < 0.03);
                        }
        }
}

/* A leak's flow is missing behind it and nowhere else, and it arrives with the speed of sound. */
static void test_leak_in_readings(void **state) {
        const uint64_t start_ns = EPOCH_NS + 600 * NSEC_PER_SEC;
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(1600, NSEC_PER_SEC, (struct model_settings){ .seed = 3 });
        struct scenario_entry leak = {
                .incident = {
                        .kind = I4_FAULT_LEAK,
                        .start_ns = start_ns,
                        .end_ns = start_ns + 3600 * NSEC_PER_SEC,
                        .place_e2 = 20000,
                        .strength_q16 = 65536,
                },
        };
        double before = 0, after = 0, n_before = 0, n_after = 0;

        assert_int_equal(scenario_new(&scenario), 0);
        assert_int_equal(model_complete_entry(fleet.model, &leak), 0);
        assert_int_equal(scenario_add(scenario, &leak), 0);
        model_exchange_scenario(fleet.model, &scenario);

        /* The wave has been on its way for 200 s: 137 miles, and a sensor shows it up to 5 s, or 3 miles,
         * late. */
        fleet_read_at(&fleet, start_ns + 200 * NSEC_PER_SEC);
        for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i) {
                const struct i4_record *record = &fleet.records[i];
                double distance = fabs(record->mile_post_e2 / 100.0 - 200);

                if (record->pipeline != 0 || (record->type != FLOW && record->type != PRESSURE))
                        assert_int_equal(record->fault, I4_FAULT_NONE);
                else if (distance < 133 || distance > 138)
                        assert_int_equal(record->fault, distance < 137 ? I4_FAULT_LEAK : I4_FAULT_NONE);
        }

        fleet_read_at(&fleet, start_ns + 1800 * NSEC_PER_SEC);
        for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i) {
                const struct i4_record *record = &fleet.records[i];

                if (record->pipeline != 0 || record->type != FLOW)
                        continue;
                if (record->mile_post_e2 < 20000)
                        before += value_of(record), ++n_before;
                else
                        after += value_of(record), ++n_after;
        }
        /* A leak of full strength takes a tenth of the flow. */
        assert_true(n_before > 5 && n_after > 5);
        before /= n_before, after /= n_after;
        assert_true((before - after) / before > 0.08 && (before - after) / before < 0.12);
}

/* However short: what lasts for less than it is counted in must not divide by it. */
static void test_short_incidents(void **state) {
        const uint64_t start_ns = EPOCH_NS + 3600 * NSEC_PER_SEC;
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(8, 1000, (struct model_settings){ .seed = 3 });

        assert_int_equal(scenario_new(&scenario), 0);
        for (unsigned int kind = I4_FAULT_NONE + 1; kind < I4_FAULT_LEAK; ++kind) {
                struct scenario_entry entry = {
                        .incident = { .kind = (uint8_t) kind,
                                        .start_ns = start_ns,
                                        .end_ns = start_ns + 1000 },
                        .target = kind - 1u,
                };

                assert_int_equal(model_complete_entry(fleet.model, &entry), 0);
                assert_int_equal(scenario_add(scenario, &entry), 0);
        }
        model_exchange_scenario(fleet.model, &scenario);

        fleet_read_at(&fleet, start_ns);
        for (uint32_t i = 0; i < 8; ++i)
                if (fleet.records[i].fault != I4_FAULT_NONE || i + 1 != I4_FAULT_SPIKE)
                        assert_int_equal(fleet.records[i].fault, i + 1);
        fleet_read_at(&fleet, start_ns + 1000);
        for (uint32_t i = 0; i < 8; ++i)
                assert_int_equal(fleet.records[i].fault, I4_FAULT_NONE);
}

/* Between two stations it falls with distance, by more than the noise of two sensors hides in ten miles. */
static void test_pressure_falls(void **state) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(1600, 60 * NSEC_PER_SEC, (struct model_settings){ .seed = 3 });
        uint64_t n_pairs = 0;

        assert_int_equal(plant_new(&plant, &fleet.catalog), 0);
        fleet_read(&fleet, 0);
        for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i)
                for (uint32_t j = 0; j < fleet.catalog.n_sensors; ++j) {
                        const struct i4_record *a = &fleet.records[i], *b = &fleet.records[j];
                        const struct plant_pipeline *pipeline = &plant->pipelines[a->pipeline];

                        if (a->type != PRESSURE || b->type != PRESSURE || a->pipeline != b->pipeline ||
                                        b->mile_post_e2 < a->mile_post_e2 + 1000 ||
                                        plant_pipeline_find_station(pipeline, a->mile_post_e2) !=
                                                        plant_pipeline_find_station(
                                                                        pipeline, b->mile_post_e2))
                                continue;
                        assert_true(value_of(a) > value_of(b));
                        ++n_pairs;
                }
        assert_true(n_pairs > 100);
}

/* the other types */

/* A sensor that is well changes from one second to the next by a fraction of its range. */
static void test_smooth(void **state) {
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(1600, NSEC_PER_SEC, (struct model_settings){ .seed = 5 });
        static struct i4_record before[1600];

        fleet_read(&fleet, 0);
        for (uint64_t second = 1; second < 200; ++second) {
                memcpy(before, fleet.records, sizeof(before));
                fleet_read(&fleet, second);
                for (size_t i = 0; i < ELEMENTSOF(before); ++i) {
                        const struct catalog_type *type = &fleet.catalog.types[before[i].type];
                        int64_t change = (int64_t) fleet.records[i].value_e2 - before[i].value_e2;

                        assert_in_range(llabs(change), 0, (type->maximum_e2 - type->minimum_e2) / 30);
                }
        }
}

/* What is left of a deviation after one time constant is 1/e of it: the vibrations of many machines. */
static void test_autocorrelation(void **state) {
        uint64_t tau_ns = signal_get_time_constant_ns(SIGNAL_VIBRATION);
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(8000, tau_ns, (struct model_settings){ .seed = 5 });
        struct correlation next = {}, later = {}, neighbour = {};
        static double means[8000], series[8000][9];

        for (uint64_t round = 0; round < 9; ++round) {
                fleet_read(&fleet, round);
                for (uint32_t i = 0; i < 8000; ++i)
                        series[i][round] = value_of(&fleet.records[i]);
        }
        /* Each machine has a level of its own, which its mean over many time constants tells. */
        for (uint64_t round = 0; round < 40; ++round) {
                fleet_read(&fleet, 1000 + 16 * round);
                for (uint32_t i = 0; i < 8000; ++i)
                        means[i] += value_of(&fleet.records[i]) / 40;
        }

        for (uint32_t i = 0; i < 8000; ++i) {
                if (fleet.records[i].type != VIBRATION)
                        continue;
                for (size_t round = 0; round < 8; ++round)
                        correlation_add(&next, series[i][round] - means[i], series[i][round + 1] - means[i]);
                correlation_add(&later, series[i][0] - means[i], series[i][8] - means[i]);
                if (fleet.records[i + 1].type == VIBRATION)
                        correlation_add(&neighbour, series[i][0] - means[i], series[i + 1][0] - means[i + 1]);
        }

        assert_true(correlation_get(&next) > 0.30 && correlation_get(&next) < 0.43);
        assert_true(fabs(correlation_get(&later)) < 0.12);
        /* Neighbours are not in step. */
        assert_true(fabs(correlation_get(&neighbour)) < 0.12);
}

/* The same mean and spread over all machines at any time, years apart. */
static void test_stationary(void **state) {
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(8000, 3600 * NSEC_PER_SEC, (struct model_settings){ .seed = 8 });
        double first_mean = 0, first_deviation = 0;

        for (uint64_t round = 0; round < 12; ++round) {
                double sum = 0, squares = 0, n = 0, mean, deviation;

                fleet_read(&fleet, round * 2003);
                for (uint32_t i = 0; i < 8000; ++i)
                        if (fleet.records[i].type == VIBRATION) {
                                double value = value_of(&fleet.records[i]);

                                sum += value, squares += value * value, ++n;
                        }
                mean = sum / n;
                deviation = sqrt(squares / n - mean * mean);
                if (round == 0)
                        first_mean = mean, first_deviation = deviation;
                assert_true(fabs(mean - first_mean) < 0.3 * first_deviation);
                assert_true(fabs(deviation / first_deviation - 1) < 0.15);
        }
}

/* Over a day the air is driest when it is warmest; what flows in the pipe feels it three hours later. */
static void test_humidity_against_temperature(void **state) {
        enum {
                LAG = 12,
                N_ROUNDS = 2 * 96 + LAG
        };
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(1600, 900 * NSEC_PER_SEC, (struct model_settings){ .seed = 5 });
        static double sums[N_ROUNDS][N_TYPES][N_PIPELINES];

        for (size_t round = 0; round < N_ROUNDS; ++round) {
                fleet_read(&fleet, round);
                for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i)
                        sums[round][fleet.records[i].type][fleet.records[i].pipeline] +=
                                        value_of(&fleet.records[i]);
        }

        for (size_t i = 0; i < N_PIPELINES; ++i) {
                struct correlation now = {}, lagged = {};

                for (size_t round = LAG; round < N_ROUNDS; ++round) {
                        correlation_add(&now, sums[round][TEMPERATURE][i], sums[round][HUMIDITY][i]);
                        correlation_add(&lagged, sums[round][TEMPERATURE][i], sums[round - LAG][HUMIDITY][i]);
                }
                assert_true(correlation_get(&now) < -0.5);
                assert_true(correlation_get(&lagged) < correlation_get(&now) - 0.1);
        }
}

/* At an end stop but for a minute now and then, in which it moves by 100 % at most. */
static void test_valves(void **state) {
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(1600, 10 * NSEC_PER_SEC, (struct model_settings){ .seed = 5 });
        int32_t before[1600];
        uint64_t n = 0, n_open = 0, n_shut = 0, n_moves = 0;

        for (uint64_t round = 0; round < 600; ++round) {
                fleet_read(&fleet, round * 6 / 5);
                for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i) {
                        int32_t now = fleet.records[i].value_e2;

                        if (fleet.records[i].type != VALVE)
                                continue;
                        ++n;
                        n_open += now == 10000;
                        n_shut += now == 0;
                        /* In 20 s at most a third of the way. */
                        if (round > 0)
                                assert_in_range(abs(now - before[i]), 0, 10000 * 20 / 60 + 100);
                        n_moves += round > 0 && now != before[i];
                        before[i] = now;
                }
        }

        assert_true(n_open * 100 / n > 80);
        assert_true(n_shut * 100 / n > 5);
        assert_in_range((n - n_open - n_shut) * 1000 / n, 0, 10);
        assert_true(n_moves > 0);
}

/* Nothing almost always, and never so much that it would be an alarm. */
static void test_gas_is_near_zero(void **state) {
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(8000, 60 * NSEC_PER_SEC, (struct model_settings){ .seed = 5 });
        uint64_t n = 0, n_zero = 0;

        for (uint64_t round = 0; round < 20; ++round) {
                fleet_read(&fleet, round);
                for (uint32_t i = 0; i < fleet.catalog.n_sensors; ++i)
                        if (fleet.records[i].type == GAS) {
                                ++n;
                                n_zero += fleet.records[i].value_e2 == 0;
                                assert_in_range(fleet.records[i].value_e2, 0, 2000);
                        }
        }
        assert_in_range(n_zero * 100 / n, 75, 95);
}

/* alarms */

static uint64_t count_alarms(int32_t deadband_e2) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        struct model_settings settings = { .seed = 5 };
        static uint8_t before[1600];
        uint64_t n = 0;

        assert_int_equal(plant_new(&plant, i4_catalog_get_default()), 0);
        /* A limit in the midst of where the values are. */
        plant->types[VIBRATION].limits = (struct plant_limits){
                PLANT_NO_LOW,
                PLANT_NO_LOW,
                180,
                PLANT_NO_HIGH,
                deadband_e2,
        };
        settings.plant = plant;

        _cleanup_(fleet_deinit) struct fleet fleet = fleet_make(1600, NSEC_PER_SEC, settings);

        memset(before, 0, sizeof(before));
        for (uint64_t round = 0; round < 300; ++round) {
                fleet_read(&fleet, round);
                for (uint32_t i = 0; i < 1600; ++i) {
                        n += fleet.records[i].alert != I4_ALERT_NONE && before[i] == I4_ALERT_NONE;
                        before[i] = fleet.records[i].alert;
                }
        }

        return n;
}

/* A value that hovers around its limit raises fewer alarms with a deadband, and few at all. */
static void test_chatter(void **state) {
        uint64_t n_with = count_alarms(40), n_without = count_alarms(0);

        assert_true(n_with > 0);
        assert_true(n_with * 3 < n_without * 2);
        /* 200 sensors, 300 s: 15 time constants of the noise, in each of which one may begin. */
        assert_true(n_with < 200 * 15);
}

/* Two hours in thirty days in one piece, at a time of its own for each sensor. */
static void test_maintenance(void **state) {
        const uint64_t step_ns = 600 * NSEC_PER_SEC, n_rounds = UINT64_C(60) * 144;
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(24, step_ns, (struct model_settings){ .seed = 5, .anomalies_e4 = 200 });
        uint64_t n_rounds_of[24] = {}, n_begun[24] = {}, begins[24] = {};
        bool was[24] = {};

        for (uint64_t round = 0; round < n_rounds; ++round) {
                fleet_read(&fleet, round);
                for (uint32_t i = 0; i < 24; ++i) {
                        bool is = fleet.records[i].status == I4_STATUS_MAINTENANCE;

                        n_rounds_of[i] += is;
                        if (is && !was[i] && round > 0) {
                                ++n_begun[i];
                                begins[i] = round % (UINT64_C(30) * 144);
                        }
                        was[i] = is;
                }
        }

        for (uint32_t i = 0; i < 24; ++i) {
                assert_in_range(n_rounds_of[i], 22, 26);
                assert_in_range(n_begun[i], 1, 2);
                for (uint32_t j = 0; j < i; ++j)
                        assert_true(begins[i] != begins[j]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mass_balance),
                cmocka_unit_test(test_leak_in_readings),
                cmocka_unit_test(test_short_incidents),
                cmocka_unit_test(test_pressure_falls),
                cmocka_unit_test(test_smooth),
                cmocka_unit_test(test_autocorrelation),
                cmocka_unit_test(test_stationary),
                cmocka_unit_test(test_humidity_against_temperature),
                cmocka_unit_test(test_valves),
                cmocka_unit_test(test_gas_is_near_zero),
                cmocka_unit_test(test_chatter),
                cmocka_unit_test(test_maintenance),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
