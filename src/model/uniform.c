/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Independent draws
 *
 * The contract of the generator that i4 succeeds, made exact. Every reading is drawn by itself:
 *
 *     value    uniform over the range of its type, both ends included
 *     anomaly  a share of the readings instead exceeds the maximum, by up to a fifth of it; the excess is at
 *              least one hundredth, so it is one in print too, and it always carries an alert
 *     status   normal 4/6, warning 1/6, maintenance 1/6
 *     quality  uniform over 0.85 … 1
 *     alert    none 5/8, low, medium, high 1/8 each; an anomaly that drew none gets medium
 *
 * Two 64-bit draws make a reading. The first is the value. The second is cut into three by multiplication:
 * the integer part of b × 1501 / 2^64 is the quality, the fraction decides whether it is an anomaly, and the
 * low half of that fraction, which the comparison hardly sees, picks one of 48 equally likely pairs of status
 * and alert. What depends on the outcome is looked up and not branched on.
 */

#include "model/fleet.h"
#include "model/model-private.h"
#include "util/random.h"

#include <errno.h>

#define QUALITY_MIN_E4 8500u
#define QUALITY_MAX_E4 10000u

#define N_STATUS_CASES 6u
#define N_ALERT_CASES  8u

/* The values a reading can have: @base_e2 … @base_e2 + @n - 1. */
struct uniform_range {
        int32_t base_e2;
        uint32_t n_less_one;
};

struct uniform_place {
        uint64_t key;
        struct fleet_sensor sensor;
};

/* One outcome of the throw for status and alert, for a good reading or an anomaly. */
struct uniform_mood {
        uint8_t status;
        uint8_t alert;
};

struct uniform {
        struct model model;
        uint64_t anomalies; /* a fraction of 2^64 below this is an anomaly */
        uint32_t n_places;
        struct uniform_range ranges[CATALOG_TYPES_MAX][2]; /* good, anomalous */
        struct uniform_mood moods[2][N_STATUS_CASES * N_ALERT_CASES];
        struct uniform_place places[];
};

static struct uniform_range range_good(const struct catalog_type *type) {
        return (struct uniform_range){
                .base_e2 = type->minimum_e2,
                .n_less_one = (uint32_t) type->maximum_e2 - (uint32_t) type->minimum_e2,
        };
}

/* -ERANGE: nothing above the maximum can be written in a record. */
static int range_anomalous(const struct catalog_type *type, struct uniform_range *rangep) {
        int64_t maximum_e2 = type->maximum_e2, excess_e2;

        excess_e2 = (maximum_e2 < 0 ? -maximum_e2 : maximum_e2) / 5;
        /* A maximum of zero has no fifth: then the range's. */
        if (maximum_e2 == 0)
                excess_e2 = -(int64_t) type->minimum_e2 / 5;

        excess_e2 = MIN(MAX(excess_e2, 1), INT32_MAX - maximum_e2);
        if (excess_e2 < 1)
                return -ERANGE;

        *rangep = (struct uniform_range){
                .base_e2 = (int32_t) maximum_e2 + 1,
                .n_less_one = (uint32_t) excess_e2 - 1,
        };
        return 0;
}

static void moods_fill(struct uniform *uniform) {
        static const uint8_t statuses[N_STATUS_CASES] = { I4_STATUS_NORMAL, I4_STATUS_NORMAL,
                I4_STATUS_NORMAL, I4_STATUS_NORMAL, I4_STATUS_WARNING, I4_STATUS_MAINTENANCE };
        static const uint8_t alerts[N_ALERT_CASES] = { I4_ALERT_NONE, I4_ALERT_NONE, I4_ALERT_NONE,
                I4_ALERT_NONE, I4_ALERT_NONE, I4_ALERT_LOW, I4_ALERT_MEDIUM, I4_ALERT_HIGH };

        for (size_t i = 0; i < N_STATUS_CASES * N_ALERT_CASES; ++i) {
                uint8_t status = statuses[i % N_STATUS_CASES], alert = alerts[i / N_STATUS_CASES];

                uniform->moods[0][i] = (struct uniform_mood){ .status = status, .alert = alert };
                if (alert == I4_ALERT_NONE)
                        alert = I4_ALERT_MEDIUM;
                uniform->moods[1][i] = (struct uniform_mood){ .status = status, .alert = alert };
        }
}

static int places_fill(struct uniform *uniform, uint64_t seed, const struct i4_catalog *catalog) {
        _cleanup_(freep) struct fleet_sensor *sensors = NULL;

        sensors = calloc(catalog->n_sensors, sizeof(*sensors));
        if (!sensors)
                return -ENOMEM;

        fleet_lay_out(catalog, sensors);

        uniform->n_places = catalog->n_sensors;
        for (uint32_t i = 0; i < uniform->n_places; ++i)
                uniform->places[i] = (struct uniform_place){
                        .key = random_derive(seed, sensors[i].number),
                        .sensor = sensors[i],
                };

        return 0;
}

static struct model *uniform_free(struct model *model) {
        free(model);
        return NULL;
}

/* The reading of @place at @step; every one of the 64 bytes is written. */
static inline void uniform_read(const struct uniform *uniform, const struct uniform_place *place,
                uint64_t step, uint64_t sequence, uint64_t time_ns, struct i4_record *record) {
        uint64_t state = place->key + (2 * step + 1) * RANDOM_GAMMA;
        unsigned __int128 cut = (unsigned __int128) random_mix(state + RANDOM_GAMMA) *
                                (QUALITY_MAX_E4 - QUALITY_MIN_E4 + 1);
        uint64_t fraction = (uint64_t) cut;
        bool is_anomaly = fraction >> 1 < uniform->anomalies;
        const struct uniform_mood *mood =
                        &uniform->moods[is_anomaly]
                                       [(fraction & UINT32_MAX) * N_STATUS_CASES * N_ALERT_CASES >> 32];
        const struct uniform_range *range = &uniform->ranges[place->sensor.type][is_anomaly];

        *record = (struct i4_record){
                .sequence = sequence,
                .time_ns = time_ns,
                .sensor = place->sensor.number,
                .value_e2 = (int32_t) ((uint32_t) range->base_e2 +
                                       (uint32_t) random_scale(
                                                       random_mix(state), (uint64_t) range->n_less_one + 1)),
                .latitude_e6 = place->sensor.latitude_e6,
                .longitude_e6 = place->sensor.longitude_e6,
                .mile_post_e2 = place->sensor.mile_post_e2,
                .quality_e4 = (uint16_t) (QUALITY_MIN_E4 + (uint32_t) (cut >> 64)),
                .pipeline = place->sensor.pipeline,
                .type = place->sensor.type,
                .status = mood->status,
                .alert = mood->alert,
                .fault = is_anomaly ? I4_FAULT_OUT_OF_RANGE : I4_FAULT_NONE,
        };
}

static void uniform_generate(struct model *model, uint64_t step, uint64_t sequence, struct timeline *timeline,
                struct i4_record *records, size_t n) {
        const struct uniform *uniform = (const struct uniform *) model;
        const struct uniform_place *end = uniform->places + uniform->n_places;
        const struct uniform_place *place = uniform->places + step % uniform->n_places;
        /* A copy stays in registers: the records might, for all the compiler knows, overlap the original. */
        struct timeline local = *timeline;

        for (size_t i = 0; i < n; ++i) {
                uniform_read(uniform, place, step + i * local.stride, sequence + i * local.stride,
                                timeline_next(&local), &records[i]);
                place += local.stride;
                if (unlikely(place >= end))
                        place -= uniform->n_places;
        }

        *timeline = local;
}

static const struct model_class uniform_class = {
        .generate = uniform_generate,
        .free = uniform_free,
};

int uniform_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog) {
        _cleanup_(freep) struct uniform *uniform = NULL;
        int r;

        uniform = calloc(1, sizeof(*uniform) + catalog->n_sensors * sizeof(*uniform->places));
        if (!uniform)
                return -ENOMEM;

        uniform->model.class = &uniform_class;
        uniform->anomalies = (uint64_t) (((unsigned __int128) settings->anomalies_e4 << 63) / 10000);

        for (uint32_t i = 0; i < catalog->n_types; ++i) {
                uniform->ranges[i][0] = range_good(&catalog->types[i]);
                r = range_anomalous(&catalog->types[i], &uniform->ranges[i][1]);
                if (r < 0)
                        return r;
        }

        moods_fill(uniform);
        r = places_fill(uniform, settings->seed, catalog);
        if (r < 0)
                return r;

        *modelp = &TAKE_PTR(uniform)->model;
        return 0;
}
