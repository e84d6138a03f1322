/* SPDX-License-Identifier: Apache-2.0 */

#include "model/plant.h"

#include "model/weather.h"
#include "util/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLANT_KEY UINT64_C(0x726f757465730000) /* for routes of pipelines that i4 does not know */

#define STATION_DISTANCE_E2 5000u /* where nothing is said: as is usual for crude oil, 40 to 60 miles */

#define MILE_E2         100u
#define DEGREE_MILES_E2 UINT64_C(6905) /* of latitude: 111.13 km */
#define DEGREE_E6       UINT64_C(1000000)
#define UNKNOWN_MILES   250u
#define UNKNOWN_BARRELS 15000u

/* Plausible routes between places where oil is produced, stored or refined; none is a real pipeline's. */
static const struct {
        const char *id;
        uint32_t miles;
        uint32_t barrels_hour;
        struct plant_way_point way_points[6];
} known_routes[] = {
        /* Midland, San Angelo, Austin, Houston */
        { "PIPE-TX-001", 480, 25000,
                        { { 31997300, -102077900 }, { 31463800, -100437000 }, { 30267200, -97743100 },
                                        { 29760400, -95369800 } } },
        /* Three Rivers, Corpus Christi, Freeport, Beaumont */
        { "PIPE-TX-002", 350, 18000,
                        { { 28460600, -98182900 }, { 27800600, -97396400 }, { 28954100, -95359700 },
                                        { 30080200, -94126600 } } },
        /* Woodward, Enid, Cushing, Tulsa, Bartlesville */
        { "PIPE-OK-001", 260, 21000,
                        { { 36433600, -99390400 }, { 36395600, -97878400 }, { 35985100, -96767000 },
                                        { 36154000, -95992800 }, { 36747300, -95980800 } } },
        /* Lake Charles, Lafayette, Baton Rouge, St. James, Clovelly */
        { "PIPE-LA-001", 290, 23000,
                        { { 30226600, -93217400 }, { 30224100, -92019800 }, { 30451500, -91187100 },
                                        { 30008900, -90836200 }, { 29538800, -90270100 } } },
        /* Farmington, Albuquerque, Artesia, Jal */
        { "PIPE-NM-001", 460, 14000,
                        { { 36728100, -108218700 }, { 35084400, -106650400 }, { 32842300, -104403300 },
                                        { 32113200, -103193500 } } },
        /* Rangely, Craig, Fort Collins, Greeley, Julesburg */
        { "PIPE-CO-001", 390, 12000,
                        { { 40087500, -108804800 }, { 40515200, -107546500 }, { 40585300, -105084400 },
                                        { 40423300, -104709100 }, { 40988300, -102264400 } } },
        /* Elk Basin, Casper, Guernsey, Cheyenne */
        { "PIPE-WY-001", 370, 15000,
                        { { 44984700, -108868000 }, { 42850100, -106325200 }, { 42269700, -104741600 },
                                        { 41140000, -104820200 } } },
        /* Williston, Watford City, Dickinson, Bismarck, Fargo */
        { "PIPE-ND-001", 450, 20000,
                        { { 48147000, -103618000 }, { 47802200, -103283200 }, { 46879200, -102789600 },
                                        { 46808300, -100783700 }, { 46877200, -96789800 } } },
};

/*
 * Limits as an operator might set them, and where such sensors stand: what shakes and what leaks gas are
 * pumps. Vibration: the zone boundaries B/C and C/D of ISO 20816-3 for large machines on rigid foundations,
 * 4.5 and 7.1 mm/s. Corrosion: severe in the classes of NACE SP0775 is more than 10 mpy. Gas stands for
 * hydrogen sulphide: 50 ppm is OSHA's peak (29 CFR 1910.1000, table Z-2), 100 ppm is immediately dangerous
 * (NIOSH).
 */
static const struct {
        const char *name;
        struct plant_type type;
} known_types[] = {
        { "pressure", { { 23000, 30000, 135000, 145000, 1500 }, PLANT_LINE } },
        { "temperature", { { -1000, 500, 14000, 16000, 200 }, PLANT_LINE } },
        { "flow_rate", { { 50000, 200000, 3800000, 4500000, 30000 }, PLANT_LINE } },
        { "vibration", { { PLANT_NO_LOW, PLANT_NO_LOW, 450, 710, 30 }, PLANT_STATION } },
        { "corrosion", { { PLANT_NO_LOW, PLANT_NO_LOW, 1000, 2000, 50 }, PLANT_LINE } },
        { "humidity", { { PLANT_NO_LOW, PLANT_NO_LOW, PLANT_NO_HIGH, PLANT_NO_HIGH, 100 }, PLANT_LINE } },
        { "gas_detector", { { PLANT_NO_LOW, PLANT_NO_LOW, 5000, 10000, 300 }, PLANT_STATION } },
        { "valve_position",
                        { { PLANT_NO_LOW, PLANT_NO_LOW, PLANT_NO_HIGH, PLANT_NO_HIGH, 100 }, PLANT_LINE } },
};

/* routes */

/* Rounded down. Newton's method, from a power of two that is no smaller: falls until it is there. */
static uint64_t root_of(uint64_t x) {
        uint64_t root, next;

        if (x == 0)
                return 0;

        next = UINT64_C(1) << (65 - (unsigned int) __builtin_clzll(x)) / 2;
        do {
                root = next;
                next = (root + x / root) / 2;
        } while (next < root);

        return root;
}

/* Of 2^16; a quarter of a turn ahead of the sine. */
static int64_t cosine_q16(int64_t latitude_e6) {
        return weather_sine_q16(
                        (uint32_t) (0x4000 + latitude_e6 * 65536 / (int64_t) (360 * DEGREE_E6)) & 0xffff);
}

/* In millionths of a degree of latitude, on a map that is true halfway. */
static uint64_t distance_between(struct plant_way_point a, struct plant_way_point b) {
        int64_t north = (int64_t) b.latitude_e6 - a.latitude_e6;
        int64_t east = ((int64_t) b.longitude_e6 - a.longitude_e6) *
                       cosine_q16(((int64_t) a.latitude_e6 + b.latitude_e6) / 2) / 65536;

        return root_of((uint64_t) (north * north + east * east));
}

static int32_t interpolate(int32_t a, int32_t b, uint64_t part, uint64_t whole) {
        int64_t difference = (int64_t) b - a;

        return (int32_t) (a + difference * (int64_t) part / (int64_t) whole);
}

void plant_route_init(struct plant_route *route, const struct plant_pipeline *pipeline) {
        *route = (struct plant_route){ .pipeline = pipeline };
        for (uint32_t i = 1; i < pipeline->n_way_points; ++i) {
                route->legs_e6[i] = distance_between(pipeline->way_points[i - 1], pipeline->way_points[i]);
                route->length_e6 += route->legs_e6[i];
        }
}

struct plant_way_point plant_route_locate(const struct plant_route *route, uint32_t mile_post_e2) {
        const struct plant_pipeline *pipeline = route->pipeline;
        const struct plant_way_point *points = pipeline->way_points;
        uint64_t rest = route->length_e6 * MIN(mile_post_e2, pipeline->length_e2) / pipeline->length_e2;

        for (uint32_t i = 1; i < pipeline->n_way_points; ++i) {
                uint64_t leg = route->legs_e6[i];

                if (rest <= leg && leg > 0)
                        return (struct plant_way_point){
                                interpolate(points[i - 1].latitude_e6, points[i].latitude_e6, rest, leg),
                                interpolate(points[i - 1].longitude_e6, points[i].longitude_e6, rest, leg),
                        };
                rest -= MIN(rest, leg);
        }

        return points[pipeline->n_way_points - 1];
}

uint32_t plant_pipeline_measure_route_e2(const struct plant_pipeline *pipeline) {
        struct plant_route route;

        plant_route_init(&route, pipeline);
        return (uint32_t) (route.length_e6 * DEGREE_MILES_E2 / DEGREE_E6);
}

uint32_t plant_pipeline_find_station(const struct plant_pipeline *pipeline, uint32_t mile_post_e2) {
        uint32_t station = 0;

        while (station + 1 < pipeline->n_stations && pipeline->stations_e2[station + 1] <= mile_post_e2)
                ++station;

        return station;
}

uint32_t plant_pipeline_get_stretch_end_e2(const struct plant_pipeline *pipeline, uint32_t station) {
        return station + 1 < pipeline->n_stations ? pipeline->stations_e2[station + 1] : pipeline->length_e2;
}

void plant_pipeline_set_stations(struct plant_pipeline *pipeline) {
        uint32_t n = (pipeline->length_e2 + STATION_DISTANCE_E2 / 2) / STATION_DISTANCE_E2;

        n = MIN(MAX(n, 1u), PLANT_STATIONS_MAX);
        pipeline->n_stations = n;
        for (uint32_t i = 0; i < n; ++i)
                pipeline->stations_e2[i] = (uint32_t) ((uint64_t) pipeline->length_e2 * i / n);
}

/* A straight line to the east. */
static void pipeline_set_unknown(struct plant_pipeline *pipeline, const char *id) {
        uint64_t key = PLANT_KEY;
        struct plant_way_point from;

        for (const char *p = id; *p; ++p)
                key = random_derive(key, (unsigned char) *p);
        from = (struct plant_way_point){
                .latitude_e6 = 31000000 + (int32_t) random_scale(random_draw(key, 0), 14000000),
                .longitude_e6 = -104000000 + (int32_t) random_scale(random_draw(key, 1), 8000000),
        };

        pipeline->length_e2 = UNKNOWN_MILES * MILE_E2;
        pipeline->flow_e2 = UNKNOWN_BARRELS * 100;
        pipeline->n_way_points = 2;
        pipeline->way_points[0] = pipeline->way_points[1] = from;
        pipeline->way_points[1].longitude_e6 +=
                        (int32_t) (UNKNOWN_MILES * MILE_E2 * DEGREE_E6 / DEGREE_MILES_E2 * 65536 /
                                        (uint64_t) cosine_q16(from.latitude_e6));
}

void plant_pipeline_init(struct plant_pipeline *pipeline, const char *id) {
        *pipeline = (struct plant_pipeline){};

        for (size_t i = 0; i < ELEMENTSOF(known_routes); ++i)
                if (strcmp(known_routes[i].id, id) == 0) {
                        pipeline->length_e2 = known_routes[i].miles * MILE_E2;
                        pipeline->flow_e2 = known_routes[i].barrels_hour * 100;
                        while (pipeline->n_way_points < ELEMENTSOF(known_routes[i].way_points) &&
                                        known_routes[i].way_points[pipeline->n_way_points].latitude_e6 != 0) {
                                pipeline->way_points[pipeline->n_way_points] =
                                                known_routes[i].way_points[pipeline->n_way_points];
                                ++pipeline->n_way_points;
                        }
                }

        if (pipeline->n_way_points == 0)
                pipeline_set_unknown(pipeline, id);
        plant_pipeline_set_stations(pipeline);
}

/* types */

int32_t plant_get_usual_deadband_e2(const struct catalog_type *type) {
        return (int32_t) (((int64_t) type->maximum_e2 - type->minimum_e2) / 100);
}

void plant_type_init(struct plant_type *type, const struct catalog_type *named) {
        int64_t range_e2 = (int64_t) named->maximum_e2 - named->minimum_e2;

        *type = (struct plant_type){
                .limits = {
                        .low_low_e2 = (int32_t) (named->minimum_e2 + range_e2 / 20),
                        .low_e2 = (int32_t) (named->minimum_e2 + range_e2 / 10),
                        .high_e2 = (int32_t) (named->maximum_e2 - range_e2 / 10),
                        .high_high_e2 = (int32_t) (named->maximum_e2 - range_e2 / 20),
                        .deadband_e2 = plant_get_usual_deadband_e2(named),
                },
                .site = PLANT_LINE,
        };

        for (size_t i = 0; i < ELEMENTSOF(known_types); ++i)
                if (strcmp(known_types[i].name, named->name) == 0)
                        *type = known_types[i].type;
}

/* life cycle */

static int plant_allocate(struct plant **plantp, uint32_t n_pipelines, uint32_t n_types) {
        _cleanup_(plant_freep) struct plant *plant = NULL;

        plant = calloc(1, sizeof(*plant));
        if (!plant)
                return -ENOMEM;

        plant->n_pipelines = n_pipelines;
        plant->n_types = n_types;
        plant->pipelines = calloc(n_pipelines, sizeof(*plant->pipelines));
        plant->types = calloc(n_types, sizeof(*plant->types));
        if (!plant->pipelines || !plant->types)
                return -ENOMEM;

        *plantp = TAKE_PTR(plant);
        return 0;
}

int plant_new(struct plant **plantp, const struct i4_catalog *catalog) {
        struct plant *plant;
        int r;

        r = plant_allocate(&plant, catalog->n_pipelines, catalog->n_types);
        if (r < 0)
                return r;

        for (uint32_t i = 0; i < catalog->n_pipelines; ++i)
                plant_pipeline_init(&plant->pipelines[i], catalog->pipelines[i].id);
        for (uint32_t i = 0; i < catalog->n_types; ++i)
                plant_type_init(&plant->types[i], &catalog->types[i]);

        *plantp = plant;
        return 0;
}

int plant_copy(const struct plant *plant, struct plant **copyp) {
        struct plant *copy;
        int r;

        r = plant_allocate(&copy, plant->n_pipelines, plant->n_types);
        if (r < 0)
                return r;

        memcpy(copy->pipelines, plant->pipelines, plant->n_pipelines * sizeof(*plant->pipelines));
        memcpy(copy->types, plant->types, plant->n_types * sizeof(*plant->types));
        *copyp = copy;
        return 0;
}

struct plant *plant_free(struct plant *plant) {
        if (!plant)
                return NULL;

        free(plant->pipelines);
        free(plant->types);
        free(plant);
        return NULL;
}
