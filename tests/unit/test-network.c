/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the network is made of, by the properties of each part; test-physics.c looks at what comes out.
 */

#include "model/alarm.h"
#include "model/hydraulics.h"
#include "model/incident.h"
#include "model/model.h"
#include "model/noise.h"
#include "model/plant.h"
#include "model/signal.h"
#include "model/weather.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define EPOCH_NS (UINT64_C(1780000000) * NSEC_PER_SEC)

static struct model *make(uint64_t seed, uint32_t anomalies_e4) {
        struct model_settings settings = {
                .kind = MODEL_NETWORK, .seed = seed, .anomalies_e4 = anomalies_e4
        };
        struct model *model = NULL;

        assert_int_equal(model_new(&model, &settings, i4_catalog_get_default()), 0);
        return model;
}

static void generate(struct model *model, const struct anchor *anchor, uint64_t step,
                struct i4_record *records, size_t n) {
        struct timeline timeline;

        timeline_init(&timeline, anchor, step);
        model_generate(model, step, step, &timeline, records, n);
}

static struct anchor anchor_of(uint64_t n_records, uint64_t period_ns) {
        return (struct anchor){
                .time_ns = EPOCH_NS,
                .rate = { .n_records = n_records, .period_ns = period_ns },
        };
}

/* the same bytes by any way */

/* One model goes through all of it, others begin anywhere, jump back, or make it in pieces. */
static void test_any_way(void **state) {
        static const struct {
                uint64_t n_records, period_ns;
        } rates[] = {
                { 10000, NSEC_PER_SEC },
                { 100, NSEC_PER_SEC },
                { 8000, UINT64_C(3600) * NSEC_PER_SEC },
                { 10000000, NSEC_PER_SEC },
        };
        const size_t n = 40000;
        _cleanup_(freep) struct i4_record *all = calloc(n, sizeof(*all)), *some = calloc(n, sizeof(*some));

        for (size_t i = 0; i < ELEMENTSOF(rates); ++i) {
                struct anchor anchor = anchor_of(rates[i].n_records, rates[i].period_ns);
                _cleanup_(model_freep) struct model *one = make(7, 1000), *other = make(7, 1000);

                generate(one, &anchor, 0, all, n);
                for (uint64_t step = n; step > 0; step -= 8000) {
                        generate(other, &anchor, step - 8000, some + step - 8000, 8000);
                        generate(other, &anchor, step - 8000, some + step - 8000, 3000);
                }
                assert_memory_equal(all, some, n * sizeof(*all));
                for (uint64_t step = 0; step + 100 <= n; step += 9967) {
                        _cleanup_(model_freep) struct model *late = make(7, 1000);

                        generate(late, &anchor, step, some, 100);
                        assert_memory_equal(all + step, some, 100 * sizeof(*all));
                }
        }
}

/* noise */

static void test_noise(void **state) {
        const uint64_t n = 400000;
        struct noise_bridge bridge;
        struct noise_walk walk;
        double sum = 0, squares = 0, lagged[3] = {}, past[9] = {};

        noise_bridge_init(&bridge);
        noise_walk_seek(&walk, &bridge, 42, 0);
        for (uint64_t i = 0; i < n; ++i) {
                double x = (double) walk.here / NOISE_ONE;

                sum += x;
                squares += x * x;
                if (i >= 8) {
                        lagged[0] += x * past[(i - 1) % 9];
                        lagged[1] += x * past[(i - 4) % 9];
                        lagged[2] += x * past[(i - 8) % 9];
                }
                past[i % 9] = x;
                noise_walk_step(&walk, &bridge, 42);
        }

        /* 400,000 points are 25,000 independent ones: a standard error of 0.0063. */
        assert_true(sum / (double) n > -0.03 && sum / (double) n < 0.03);
        assert_true(squares / (double) n > 0.96 && squares / (double) n < 1.04);
        /* e^(-1/8), e^(-1/2), e^-1 */
        assert_true(lagged[0] / squares > 0.872 && lagged[0] / squares < 0.892);
        assert_true(lagged[1] / squares > 0.585 && lagged[1] / squares < 0.628);
        assert_true(lagged[2] / squares > 0.340 && lagged[2] / squares < 0.395);
}

/* It is continuous where blocks meet: no step is larger than chance allows. */
static void test_noise_has_no_seams(void **state) {
        struct noise_bridge bridge;
        struct noise_walk walk;

        noise_bridge_init(&bridge);
        noise_walk_seek(&walk, &bridge, 3, 0);
        for (unsigned int i = 0; i < 200000; ++i) {
                int64_t change = (int64_t) walk.next - walk.here;

                assert_true(change < INT64_C(3) * NOISE_ONE && change > -INT64_C(3) * NOISE_ONE);
                noise_walk_step(&walk, &bridge, 3);
        }
}

/*
 * The same mean and variance wherever in a block, of many processes: what lies between two points that were
 * drawn by themselves is as wide as they are.
 */
static void test_noise_is_stationary(void **state) {
        const uint64_t n = 4000;
        double sums[NOISE_BLOCK_POINTS] = {}, squares[NOISE_BLOCK_POINTS] = {};
        struct noise_bridge bridge;

        noise_bridge_init(&bridge);
        for (uint64_t key = 0; key < n; ++key) {
                struct noise_walk walk;

                noise_walk_seek(&walk, &bridge, random_mix(key), 5 * NOISE_BLOCK_POINTS);
                for (size_t i = 0; i < NOISE_BLOCK_POINTS; ++i) {
                        double x = (double) walk.here / NOISE_ONE;

                        sums[i] += x;
                        squares[i] += x * x;
                        noise_walk_step(&walk, &bridge, random_mix(key));
                }
        }

        /* standard errors of 0.016 and 0.022 */
        for (size_t i = 0; i < NOISE_BLOCK_POINTS; ++i) {
                assert_true(sums[i] / (double) n > -0.08 && sums[i] / (double) n < 0.08);
                assert_true(squares[i] / (double) n > 0.89 && squares[i] / (double) n < 1.11);
        }
}

static void test_noise_series(void **state) {
        struct noise_bridge bridge;
        struct noise_series series;
        struct noise_walk walk;

        noise_bridge_init(&bridge);
        noise_series_init(&series, 9, 80 * NSEC_PER_SEC);
        for (uint64_t point = 0; point < 1000; ++point) {
                uint64_t somewhere = random_scale(random_draw(1, point), 100000);

                noise_walk_seek(&walk, &bridge, 9, somewhere);
                assert_int_equal(
                                noise_series_get(&series, &bridge, somewhere * 10 * NSEC_PER_SEC), walk.here);
                assert_int_equal(noise_series_get(&series, &bridge,
                                                 somewhere * 10 * NSEC_PER_SEC + 5 * NSEC_PER_SEC),
                                noise_between(walk.here, walk.next, 32768));
        }
}

/* All sensors of one type, if it is named. */
static struct model *make_of_type(const char *name) {
        const struct model_settings settings = { .kind = MODEL_NETWORK, .seed = 5, .anomalies_e4 = 2000 };
        struct i4_catalog catalog = *i4_catalog_get_default();
        struct model *model = NULL;

        for (uint32_t i = 0; name && i < catalog.n_types; ++i)
                if (strcmp(catalog.types[i].name, name) == 0) {
                        catalog.types += i;
                        catalog.n_types = 1;
                }

        assert_int_equal(model_new(&model, &settings, &catalog), 0);
        return model;
}

/*
 * A model that is made to forget what it knows before each round never reads a sensor the short way. There
 * and back again, since what holds has a beginning and an end. A type whose noise is slow is calm the
 * longest.
 */
static void test_long_way(void **state) {
        static const struct {
                const char *type;
                uint64_t period_ns;
        } cases[] = {
                { NULL, NSEC_PER_MSEC },
                { NULL, 700 * NSEC_PER_MSEC },
                { "valve_position", 5 * NSEC_PER_SEC },
                { "corrosion", 10 * NSEC_PER_MIN },
        };
        static struct i4_record short_way[8000], long_way[8000];

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                _cleanup_(model_freep) struct model *one = make_of_type(cases[i].type);
                _cleanup_(model_freep) struct model *other = make_of_type(cases[i].type);
                struct anchor anchor = anchor_of(8000, cases[i].period_ns);

                for (uint64_t round = 0; round < 80; ++round) {
                        uint64_t step = 8000 * (round < 40 ? round : 80 - round);
                        struct scenario *none = NULL;

                        model_exchange_scenario(other, &none);
                        assert_null(none);
                        generate(one, &anchor, step, short_way, ELEMENTSOF(short_way));
                        generate(other, &anchor, step, long_way, ELEMENTSOF(long_way));
                        assert_memory_equal(short_way, long_way, sizeof(short_way));
                }
        }
}

/* signals */

static void test_terms(void **state) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        const struct incident none = {};
        struct signal_surroundings around = {
                .hydraulics = { .incident = &none, .time_ns = EPOCH_NS, .load_q16 = 61234 },
                .season_e2 = 5123,
                .daily_e2 = -777,
                .daily_fluid_e2 = -233,
        };

        assert_int_equal(plant_new(&plant, i4_catalog_get_default()), 0);
        around.hydraulics.pipeline = &plant->pipelines[0];

        for (unsigned int i = 0; i < 20000; ++i) {
                struct signal_type type;
                enum signal_kind kind = (enum signal_kind)(i % N_SIGNAL_KINDS);
                uint64_t draw = random_draw(3, i);
                uint32_t mile_post = (uint32_t) random_scale(draw, plant->pipelines[0].length_e2 + 1);
                uint32_t station = plant_pipeline_find_station(around.hydraulics.pipeline, mile_post);
                struct signal_place place = {
                        .place = {
                                .mile_post_e2 = mile_post,
                                .station_e2 = plant->pipelines[0].stations_e2[station],
                                .stretch_end_e2 = plant_pipeline_get_stretch_end_e2(
                                                &plant->pipelines[0], station),
                        },
                        .key = draw,
                };
                struct signal_own own;
                struct signal_shared shared = signal_get_shared(kind, &around);
                int32_t noise = noise_draw_normal(draw, 1);

                signal_type_init(&type, kind, INT32_MIN, INT32_MAX);
                own = signal_get_own(&type, &place, around.hydraulics.time_ns);
                assert_int_equal(signal_add_up(&type, &own, &shared, noise),
                                signal_get_e2(&type, &place, &around, noise));
        }
}

/* As the division that it stands for does: towards zero. */
static void test_quanta(void **state) {
        for (unsigned int i = 0; i < 20000; ++i) {
                struct signal_type type;
                struct signal_own own = { .level_e2 = (int32_t) random_draw(4, i) >> i % 31 };
                const struct signal_shared shared = { .least_e2 = INT32_MIN };

                signal_type_init(&type, (enum signal_kind)(i % N_SIGNAL_KINDS), INT32_MIN, INT32_MAX);
                assert_int_equal(signal_add_up(&type, &own, &shared, 0),
                                own.level_e2 - own.level_e2 % (int32_t) type.quantum_e2);
        }
}

static void test_valve_rests(void **state) {
        for (unsigned int i = 0; i < 2000; ++i) {
                uint64_t key = random_draw(5, i), time_ns = EPOCH_NS + random_scale(key, 20 * NSEC_PER_HOUR);
                uint64_t back_ns, ahead_ns;
                int32_t value_e2 = signal_get_valve_e2(key, time_ns);

                if (!signal_get_valve_rest(key, time_ns, &back_ns, &ahead_ns))
                        continue;
                assert_true(back_ns + ahead_ns <= 8 * NSEC_PER_HOUR - NSEC_PER_MIN);
                assert_int_equal(signal_get_valve_e2(key, time_ns - back_ns), value_e2);
                assert_int_equal(signal_get_valve_e2(key, time_ns + ahead_ns - 1), value_e2);
        }
}

/* weather */

static void test_sine(void **state) {
        assert_int_equal(weather_sine_q16(0), 0);
        assert_int_equal(weather_sine_q16(0x4000), 65536);
        assert_int_equal(weather_sine_q16(0x8000), 0);
        assert_int_equal(weather_sine_q16(0xc000), -65536);
        /* sin 30° */
        assert_in_range(weather_sine_q16(65536 / 12), 32768 - 150, 32768 + 150);
}

static void test_weather(void **state) {
        const uint64_t day = UINT64_C(86400) * NSEC_PER_SEC, january = UINT64_C(1768521600) * NSEC_PER_SEC;

        /* Houston and Williston, July and January */
        assert_true(weather_get_season_e2(january, 29760000) >
                        weather_get_season_e2(january, 48150000) + 2500);
        assert_true(weather_get_season_e2(january + 182 * day, 29760000) >
                        weather_get_season_e2(january, 29760000) + 3500);
        /* At 90° west three in the afternoon is 21 h UTC. */
        assert_in_range(weather_get_daily_e2(january + day * 21 / 24, -90000000, 0), 1090, 1100);
        assert_in_range(-weather_get_daily_e2(january + day * 9 / 24, -90000000, 0), 1090, 1100);
}

/* hydraulics */

static const struct plant_pipeline *pipeline_of(const struct plant *plant) {
        return &plant->pipelines[0];
}

static struct hydraulics_place place_at(const struct plant_pipeline *pipeline, uint32_t mile_post_e2) {
        uint32_t station = plant_pipeline_find_station(pipeline, mile_post_e2);

        return (struct hydraulics_place){
                .mile_post_e2 = mile_post_e2,
                .station_e2 = pipeline->stations_e2[station],
                .stretch_end_e2 = plant_pipeline_get_stretch_end_e2(pipeline, station),
        };
}

static void test_steady_state(void **state) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        const struct incident none = {};
        struct hydraulics hydraulics = { .incident = &none, .time_ns = EPOCH_NS };
        int64_t before = INT64_MAX;

        assert_int_equal(plant_new(&plant, i4_catalog_get_default()), 0);
        hydraulics.pipeline = pipeline_of(plant);

        for (uint32_t load = 50000; load < 85000; load += 5000) {
                hydraulics.load_q16 = load;
                for (uint32_t mile_post = 0; mile_post <= hydraulics.pipeline->length_e2; mile_post += 100) {
                        struct hydraulics_place place = place_at(hydraulics.pipeline, mile_post);
                        int64_t pressure = hydraulics_get_pressure_e2(&hydraulics, &place);

                        /* All that goes in passes everywhere; the pressure falls until a station lifts it. */
                        assert_int_equal(hydraulics_get_flow_e2(&hydraulics, &place),
                                        (int64_t) hydraulics.pipeline->flow_e2 * load >> 16);
                        if (mile_post != 0 && mile_post - place.station_e2 >= 100)
                                assert_true(pressure < before);
                        else if (mile_post > 0)
                                assert_true(pressure > before);
                        before = pressure;
                }
        }
}

/* Twice the flow takes four times the pressure. */
static void test_friction(void **state) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        const struct incident none = {};
        struct hydraulics hydraulics = { .incident = &none, .time_ns = EPOCH_NS };
        struct hydraulics_place station, place;
        int64_t drops[2];

        assert_int_equal(plant_new(&plant, i4_catalog_get_default()), 0);
        hydraulics.pipeline = pipeline_of(plant);
        station = place_at(hydraulics.pipeline, 0);
        place = place_at(hydraulics.pipeline, 4000);
        for (size_t i = 0; i < 2; ++i) {
                hydraulics.load_q16 = i == 0 ? 40000 : 80000;
                drops[i] = hydraulics_get_pressure_e2(&hydraulics, &station) -
                           hydraulics_get_pressure_e2(&hydraulics, &place);
        }

        assert_in_range(drops[1], drops[0] * 4 - 10, drops[0] * 4 + 10);
        /* 5 to 20 psi a mile is usual at the design load. */
        assert_in_range(drops[1] * 65536 / 80000 * 65536 / 80000 / 40, 500, 2000);
}

static void test_leak(void **state) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        struct incident leak = {
                .kind = I4_FAULT_LEAK,
                .place_e2 = 12000,
                .strength_q16 = 65536,
                .start_ns = EPOCH_NS,
                .end_ns = EPOCH_NS + 3600 * NSEC_PER_SEC,
        };
        const struct incident none = {};
        struct hydraulics hydraulics = { .load_q16 = 65536 }, calm;
        struct hydraulics_place above, below, far;
        int64_t missing;

        assert_int_equal(plant_new(&plant, i4_catalog_get_default()), 0);
        hydraulics.pipeline = pipeline_of(plant);
        hydraulics.incident = &leak;
        above = place_at(hydraulics.pipeline, 11900);
        below = place_at(hydraulics.pipeline, 12100);
        far = place_at(hydraulics.pipeline, 40000);

        /* The wave has 280 miles to go, 1.46 s each. */
        hydraulics.time_ns = EPOCH_NS + 300 * NSEC_PER_SEC;
        assert_int_equal(hydraulics_get_flow_e2(&hydraulics, &far), hydraulics.pipeline->flow_e2);
        assert_true(hydraulics_get_flow_e2(&hydraulics, &below) < hydraulics.pipeline->flow_e2);

        /* What is missing is the leak: a tenth at full strength. */
        hydraulics.time_ns = EPOCH_NS + 1800 * NSEC_PER_SEC;
        missing = hydraulics_get_flow_e2(&hydraulics, &above) - hydraulics_get_flow_e2(&hydraulics, &far);
        assert_in_range(missing, hydraulics.pipeline->flow_e2 / 10 - 500,
                        hydraulics.pipeline->flow_e2 / 10 + 500);

        /* More flow before it: the pressure falls faster; less behind it, on other stretches too. */
        calm = hydraulics;
        calm.incident = &none;
        assert_true(hydraulics_get_pressure_e2(&hydraulics, &above) <
                        hydraulics_get_pressure_e2(&calm, &above));
        assert_true(hydraulics_get_pressure_e2(&hydraulics, &far) > hydraulics_get_pressure_e2(&calm, &far));

        hydraulics.time_ns = EPOCH_NS + 3600 * NSEC_PER_SEC * 2;
        assert_int_equal(hydraulics_get_flow_e2(&hydraulics, &far), hydraulics.pipeline->flow_e2);
}

/* What a sensor shows is what was there a lag ago, which differs from sensor to sensor. */
static void test_lag(void **state) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        const struct incident leak = {
                .kind = I4_FAULT_LEAK,
                .start_ns = EPOCH_NS,
                .end_ns = EPOCH_NS + NSEC_PER_HOUR,
                .place_e2 = 12000,
                .strength_q16 = 65536,
        };
        struct hydraulics hydraulics = { .incident = &leak, .load_q16 = 65536 }, before;
        struct hydraulics_place prompt, late;
        uint64_t shortest_ns = UINT64_MAX, longest_ns = 0;

        assert_int_equal(plant_new(&plant, i4_catalog_get_default()), 0);
        hydraulics.pipeline = pipeline_of(plant);
        late = prompt = place_at(hydraulics.pipeline, 12500);
        late.lag_ns = 4 * NSEC_PER_SEC;

        for (uint64_t s = 0; s < 120; ++s) {
                hydraulics.time_ns = EPOCH_NS + s * NSEC_PER_SEC;
                before = hydraulics;
                before.time_ns -= late.lag_ns;
                assert_int_equal(hydraulics_get_flow_e2(&hydraulics, &late),
                                hydraulics_get_flow_e2(&before, &prompt));
                assert_int_equal(hydraulics_get_pressure_e2(&hydraulics, &late),
                                hydraulics_get_pressure_e2(&before, &prompt));
        }
        assert_true(hydraulics_get_flow_e2(&hydraulics, &late) < hydraulics.pipeline->flow_e2);

        for (uint64_t key = 0; key < 1000; ++key) {
                uint64_t lag_ns = signal_get_lag_ns(SIGNAL_FLOW, random_mix(key));

                assert_true(signal_get_lag_ns(SIGNAL_PRESSURE, random_mix(key)) < lag_ns);
                shortest_ns = MIN(shortest_ns, lag_ns);
                longest_ns = MAX(longest_ns, lag_ns);
        }
        assert_in_range(shortest_ns, NSEC_PER_SEC, NSEC_PER_SEC * 11 / 10);
        assert_in_range(longest_ns, INCIDENT_LAG_MAX_NS * 98 / 100, INCIDENT_LAG_MAX_NS);
}

/* routes */

static void test_routes(void **state) {
        _cleanup_(plant_freep) struct plant *plant = NULL;
        const struct i4_catalog *catalog = i4_catalog_get_default();

        assert_int_equal(plant_new(&plant, catalog), 0);
        for (uint32_t i = 0; i < catalog->n_pipelines; ++i) {
                const struct plant_pipeline *pipeline = &plant->pipelines[i];
                struct plant_way_point first, last, before;
                struct plant_route route;

                plant_route_init(&route, pipeline);
                first = before = plant_route_locate(&route, 0);
                last = plant_route_locate(&route, pipeline->length_e2);
                assert_int_equal(first.latitude_e6, pipeline->way_points[0].latitude_e6);
                assert_int_equal(last.longitude_e6,
                                pipeline->way_points[pipeline->n_way_points - 1].longitude_e6);
                for (uint32_t mile_post = 0; mile_post <= pipeline->length_e2; mile_post += 100) {
                        struct plant_way_point here = plant_route_locate(&route, mile_post);

                        /* A mile is never more than 0.06°, and never nothing. */
                        assert_in_range(abs(here.latitude_e6 - before.latitude_e6) +
                                                        abs(here.longitude_e6 - before.longitude_e6),
                                        mile_post == 0 ? 0 : 1000, 60000);
                        before = here;
                }
        }
}

/* alarms */

static void test_deadband(void **state) {
        const struct plant_limits limits = { 10, 20, 80, 90, 5 };

        assert_int_equal(alarm_judge(&limits, ALARM_NONE, 80), ALARM_NONE);
        assert_int_equal(alarm_judge(&limits, ALARM_NONE, 81), ALARM_HIGH);
        assert_int_equal(alarm_judge(&limits, ALARM_HIGH, 76), ALARM_HIGH);
        assert_int_equal(alarm_judge(&limits, ALARM_HIGH, 75), ALARM_NONE);
        assert_int_equal(alarm_judge(&limits, ALARM_HIGH, 91), ALARM_HIGH_HIGH);
        assert_int_equal(alarm_judge(&limits, ALARM_HIGH_HIGH, 86), ALARM_HIGH_HIGH);
        assert_int_equal(alarm_judge(&limits, ALARM_HIGH_HIGH, 85), ALARM_HIGH);
        assert_int_equal(alarm_judge(&limits, ALARM_NONE, 19), ALARM_LOW);
        assert_int_equal(alarm_judge(&limits, ALARM_LOW, 24), ALARM_LOW);
        assert_int_equal(alarm_judge(&limits, ALARM_LOW, 25), ALARM_NONE);
        assert_int_equal(alarm_judge(&limits, ALARM_NONE, 9), ALARM_LOW_LOW);
}

static bool is_always_quiet(const struct plant_limits *limits, int32_t value) {
        for (unsigned int before = ALARM_NONE; before <= ALARM_HIGH_HIGH; ++before)
                if (alarm_judge(limits, (enum alarm) before, value) != ALARM_NONE)
                        return false;

        return true;
}

static void test_quiet(void **state) {
        const struct plant_limits limits[] = {
                { 10, 20, 80, 90, 5 },
                { PLANT_NO_LOW, PLANT_NO_LOW, 80, 90, 5 },
                { PLANT_NO_LOW, PLANT_NO_LOW, PLANT_NO_HIGH, PLANT_NO_HIGH, 5 },
                { 10, 90, 20, 80, 5 },
                { 10, 20, 26, 90, 5 },
        };
        const int32_t extremes[] = { INT32_MIN, INT32_MIN + 1, INT32_MAX - 1, INT32_MAX };

        for (size_t i = 0; i < ELEMENTSOF(limits); ++i) {
                struct alarm_quiet quiet = alarm_get_quiet(&limits[i]);

                for (int32_t value = -5; value <= 105; ++value)
                        assert_int_equal(alarm_is_quiet(&quiet, value), is_always_quiet(&limits[i], value));
                for (size_t j = 0; j < ELEMENTSOF(extremes); ++j)
                        assert_int_equal(alarm_is_quiet(&quiet, extremes[j]),
                                        is_always_quiet(&limits[i], extremes[j]));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_any_way),
                cmocka_unit_test(test_long_way),
                cmocka_unit_test(test_terms),
                cmocka_unit_test(test_quanta),
                cmocka_unit_test(test_valve_rests),
                cmocka_unit_test(test_noise),
                cmocka_unit_test(test_noise_has_no_seams),
                cmocka_unit_test(test_noise_is_stationary),
                cmocka_unit_test(test_noise_series),
                cmocka_unit_test(test_sine),
                cmocka_unit_test(test_weather),
                cmocka_unit_test(test_steady_state),
                cmocka_unit_test(test_friction),
                cmocka_unit_test(test_leak),
                cmocka_unit_test(test_lag),
                cmocka_unit_test(test_routes),
                cmocka_unit_test(test_deadband),
                cmocka_unit_test(test_quiet),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
