/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where sensors are, and in which order they are read
 */

#include "fleet-fixture.h"

#include "util/macros.h"

#include <math.h>

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
                struct plant_route route;
                struct plant_way_point place;
                uint32_t station = plant_pipeline_find_station(pipeline, a->mile_post_e2);

                plant_route_init(&route, pipeline);
                place = plant_route_locate(&route, a->mile_post_e2);
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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mile_posts_and_positions),
                cmocka_unit_test(test_even_spacing),
                cmocka_unit_test(test_scan_is_no_lockstep),
                cmocka_unit_test(test_ids),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
