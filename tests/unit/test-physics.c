/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Readings as an engineer would look at those of a real plant
 *
 * Properties of what leaves the model, not of its parts (test-network.c has those), and no remembered
 * numbers. Seeds are fixed, so a test passes always or never; bounds are such that hardly any seed fails.
 */

#include "model/fleet.h"
#include "model/model.h"
#include "model/signal.h"
#include "util/clock.h"
#include "util/macros.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define EPOCH_NS (UINT64_C(1780000000) * NSEC_PER_SEC)

/* Types and pipelines of the shipped catalog, in its order. */
enum {
        PRESSURE,
        TEMPERATURE,
        FLOW,
        VIBRATION,
        CORROSION,
        HUMIDITY,
        GAS,
        VALVE,
        N_TYPES
};
enum {
        N_PIPELINES = 8
};

/* A fleet that is looked at as a whole, one reading of each sensor a round. */
struct fleet {
        struct i4_catalog catalog;
        struct model *model;
        struct anchor anchor;
        struct i4_record *records; /* of the last round, by number of sensor */
        struct i4_record *scan;
};

static struct fleet fleet_make(uint32_t n_sensors, uint64_t round_ns, struct model_settings settings) {
        struct fleet fleet = {
                .catalog = *i4_catalog_get_default(),
                .anchor = { .time_ns = EPOCH_NS, .rate = { n_sensors, round_ns } },
                .records = calloc(n_sensors, sizeof(*fleet.records)),
                .scan = calloc(n_sensors, sizeof(*fleet.scan)),
        };

        assert_non_null(fleet.records);
        assert_non_null(fleet.scan);
        fleet.catalog.n_sensors = n_sensors;
        assert_int_equal(model_new(&fleet.model, &settings, &fleet.catalog), 0);
        return fleet;
}

static void fleet_deinit(struct fleet *fleet) {
        model_free(fleet->model);
        free(fleet->records);
        free(fleet->scan);
}

static void fleet_read(struct fleet *fleet, uint64_t round) {
        uint32_t n = fleet->catalog.n_sensors;
        struct timeline timeline;

        timeline_init(&timeline, &fleet->anchor, round * n);
        model_generate(fleet->model, round * n, round * n, &timeline, fleet->scan, n);
        for (uint32_t i = 0; i < n; ++i)
                fleet->records[fleet->scan[i].sensor] = fleet->scan[i];
}

static void fleet_read_at(struct fleet *fleet, uint64_t time_ns) {
        fleet_read(fleet, (time_ns - EPOCH_NS) / fleet->anchor.rate.period_ns);
}

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

/* shares */

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

/* places and the scan */

static double distance_miles(const struct i4_record *a, const struct i4_record *b) {
        const double radian = M_PI / 180e6, north = (b->latitude_e6 - a->latitude_e6) * radian,
                     east = (b->longitude_e6 - a->longitude_e6) * radian;
        double h = pow(sin(north / 2), 2) +
                   cos(a->latitude_e6 * radian) * cos(b->latitude_e6 * radian) * pow(sin(east / 2), 2);

        return 2 * 3958.8 * asin(sqrt(h));
}

/* On the map two sensors are no farther apart than along the pipe, and not much nearer on one leg of it. */
static void test_mile_posts_and_positions(void **state) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(1600, NSEC_PER_SEC, (struct model_settings){ .seed = 5 });
        uint64_t n_stations = 0;

        assert_int_equal(plant_new(&plant, &fleet.catalog), 0);
        fleet_read(&fleet, 0);
        for (uint32_t i = 0; i < 1600; ++i) {
                const struct i4_record *a = &fleet.records[i];
                const struct plant_pipeline *pipeline = &plant->pipelines[a->pipeline];
                struct plant_way_point place = plant_pipeline_locate(pipeline, a->mile_post_e2);
                uint32_t station = plant_pipeline_find_station(pipeline, a->mile_post_e2);

                assert_in_range(a->mile_post_e2, 0, pipeline->length_e2);
                assert_int_equal(a->latitude_e6, place.latitude_e6);
                assert_int_equal(a->longitude_e6, place.longitude_e6);
                if (plant->types[a->type].site == PLANT_STATION) {
                        assert_int_equal(a->mile_post_e2, pipeline->stations_e2[station]);
                        n_stations += station > 0;
                }

                for (uint32_t j = i + N_PIPELINES; j < 1600; j += N_PIPELINES) {
                        const struct i4_record *b = &fleet.records[j];
                        double along = fabs((double) a->mile_post_e2 - b->mile_post_e2) / 100;

                        assert_int_equal(b->pipeline, a->pipeline);
                        assert_true(distance_miles(a, b) < along * 1.01 + 0.01);
                        if (along > 1 && along < 5)
                                assert_true(distance_miles(a, b) > along * 0.4);
                }
        }
        assert_true(n_stations > 100);
}

/* Each sensor has its turn once a round, whatever the rate: readings of one are evenly spaced. */
static void test_even_spacing(void **state) {
        static const struct rate rates[] = {
                { 10000, NSEC_PER_SEC },
                { 7, NSEC_PER_SEC },
                { 90, NSEC_PER_MIN },
                { 1, NSEC_PER_DAY },
                { 999999937, NSEC_PER_SEC },
        };
        static const uint32_t sizes[] = { 1, 8, 17, 1000 };

        for (size_t i = 0; i < ELEMENTSOF(rates) * ELEMENTSOF(sizes); ++i) {
                struct rate rate = rates[i / ELEMENTSOF(sizes)];
                uint32_t n = sizes[i % ELEMENTSOF(sizes)];
                _cleanup_(fleet_deinit) struct fleet fleet =
                                fleet_make(n, NSEC_PER_SEC, (struct model_settings){ .seed = 5 });
                uint64_t times[1000] = {}, period_ns;

                fleet.anchor.rate = rate;
                period_ns = (uint64_t) ((unsigned __int128) n * rate.period_ns / rate.n_records);
                for (uint64_t round = 0; round < 4; ++round) {
                        fleet_read(&fleet, round);
                        for (uint32_t sensor = 0; sensor < n; ++sensor) {
                                uint64_t time_ns = fleet.records[sensor].time_ns;

                                assert_int_equal(fleet.records[sensor].sensor, sensor);
                                /* to the nanosecond that is rounded */
                                if (round > 0)
                                        assert_in_range(time_ns - times[sensor], period_ns, period_ns + 1);
                                times[sensor] = time_ns;
                        }
                }
        }
}

/* Places near each other on a pipeline are not read one after the other. */
static void test_scan_is_no_lockstep(void **state) {
        _cleanup_(fleet_deinit) struct fleet fleet =
                        fleet_make(8000, NSEC_PER_SEC, (struct model_settings){ .seed = 5 });
        uint64_t n_same = 0, n_ascending = 0;

        fleet_read(&fleet, 0);
        for (uint32_t i = 0; i + 1 < 8000; ++i) {
                const struct i4_record *a = &fleet.scan[i], *b = &fleet.scan[i + 1];

                n_same += a->pipeline == b->pipeline && a->type == b->type;
                n_ascending += a->mile_post_e2 < b->mile_post_e2;
        }

        /* one in 64, one in two */
        assert_in_range(n_same, 80, 170);
        assert_in_range(n_ascending, 3700, 4300);
}

/* From the smallest fleet to the largest, ids have four digits or as many as they need. */
static void test_ids(void **state) {
        static const struct {
                uint32_t n_sensors, sensor;
                const char *id;
        } cases[] = {
                { 8, 0, "SNS-pre-0000" },
                { 8, 7, "SNS-val-0007" },
                { 8000, 2977, "SNS-flo-2977" },
                { 20000, 19999, "SNS-val-19999" },
                { 1000000, 0, "SNS-pre-0000" },
                { 1000000, 999999, "SNS-val-999999" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                struct i4_catalog catalog = *i4_catalog_get_default();
                struct i4_record record = { .sensor = cases[i].sensor };
                char id[I4_SENSOR_ID_MAX];
                uint32_t sensor;

                catalog.n_sensors = cases[i].n_sensors;
                record.type = fleet_get_type(&catalog, record.sensor);
                assert_true(i4_catalog_format_sensor_id(&catalog, &record, id, sizeof(id)) > 0);
                assert_string_equal(id, cases[i].id);
                assert_int_equal(i4_catalog_find_sensor(&catalog, id, &sensor), 0);
                assert_int_equal(sensor, record.sensor);
        }
}

/* memory */

static long get_peak_kb(void) {
        struct rusage usage;

        assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
        return usage.ru_maxrss;
}

/* Readings of a thousandth of the fleet, once every @stride rounds: the buffer is not what is measured. */
static void fleet_run(struct fleet *fleet, uint64_t from, uint64_t to, uint64_t stride) {
        struct i4_record records[100];
        uint32_t n = fleet->catalog.n_sensors;

        for (uint64_t round = from; round < to; round += stride) {
                uint64_t step = round * n + round * ELEMENTSOF(records) % n;
                struct timeline timeline;

                timeline_init(&timeline, &fleet->anchor, step);
                model_generate(fleet->model, step, step, &timeline, records, ELEMENTSOF(records));
        }
}

/* The state of a sensor is 128 bytes at most, and there is as much of it after a year as after a day. */
static void test_memory(void **state) {
        const uint32_t n = 100000;
        long before_kb = get_peak_kb(), day_kb;
        _cleanup_(fleet_deinit) struct fleet fleet = fleet_make(
                        n, 3600 * NSEC_PER_SEC, (struct model_settings){ .seed = 5, .anomalies_e4 = 200 });

        fleet_run(&fleet, 0, 24, 1);
        day_kb = get_peak_kb();
        fleet_run(&fleet, 24, 8760, 9);
        assert_true(get_peak_kb() - day_kb < 1024);
        /* With a list of the fleet that is gone by then, and what any program takes. */
        assert_true(day_kb - before_kb < (long) (n / 1024 * (128 + 32)) + 4096);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_memory), /* before others have raised the peak */
                cmocka_unit_test(test_shares),
                cmocka_unit_test(test_no_anomalies),
                cmocka_unit_test(test_all_anomalous),
                cmocka_unit_test(test_mix),
                cmocka_unit_test(test_mix_beyond_reach),
                cmocka_unit_test(test_share_with_other_types),
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
                cmocka_unit_test(test_mile_posts_and_positions),
                cmocka_unit_test(test_even_spacing),
                cmocka_unit_test(test_scan_is_no_lockstep),
                cmocka_unit_test(test_ids),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
