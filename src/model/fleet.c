/* SPDX-License-Identifier: Apache-2.0 */

#include "model/fleet.h"

#include "util/random.h"

/* Changing any of these moves every sensor of every installation. */
#define FLEET_PLACES_KEY UINT64_C(0x706c616365730000)
#define FLEET_SCAN_KEY   UINT64_C(0x7363616e00000000)

#define LATITUDE_MIN_E6  INT32_C(25000000)
#define LATITUDE_MAX_E6  INT32_C(45000000)
#define LONGITUDE_MIN_E6 INT32_C(-105000000)
#define LONGITUDE_MAX_E6 INT32_C(-90000000)
#define MILE_POST_MAX_E2 UINT32_C(50000)

static int32_t draw_between(uint64_t draw, int32_t minimum, int32_t maximum) {
        return minimum + (int32_t) random_scale(draw, (uint64_t) (maximum - minimum) + 1);
}

uint32_t fleet_get_mile_post_e2(uint32_t number, uint32_t length_e2) {
        return (uint32_t) random_scale(
                        random_draw(random_derive(FLEET_PLACES_KEY, number), 2), (uint64_t) length_e2 + 1);
}

uint8_t fleet_get_type(const struct i4_catalog *catalog, uint32_t number) {
        return (uint8_t) ((uint64_t) number * catalog->n_types / catalog->n_sensors);
}

static struct fleet_sensor sensor_place(const struct i4_catalog *catalog, uint32_t number) {
        uint64_t key = random_derive(FLEET_PLACES_KEY, number);

        return (struct fleet_sensor){
                .number = number,
                .latitude_e6 = draw_between(random_draw(key, 0), LATITUDE_MIN_E6, LATITUDE_MAX_E6),
                .longitude_e6 = draw_between(random_draw(key, 1), LONGITUDE_MIN_E6, LONGITUDE_MAX_E6),
                .mile_post_e2 = fleet_get_mile_post_e2(number, MILE_POST_MAX_E2),
                .pipeline = (uint16_t) (number % catalog->n_pipelines),
                .type = fleet_get_type(catalog, number),
        };
}

void fleet_lay_out(const struct i4_catalog *catalog, struct fleet_sensor *sensors) {
        uint32_t n = catalog->n_sensors;

        for (uint32_t i = 0; i < n; ++i)
                sensors[i] = sensor_place(catalog, i);

        /* Fisher and Yates's shuffle */
        for (uint32_t i = n; i > 1; --i) {
                uint32_t j = (uint32_t) random_scale(random_draw(FLEET_SCAN_KEY, i), i);
                struct fleet_sensor sensor = sensors[j];

                sensors[j] = sensors[i - 1];
                sensors[i - 1] = sensor;
        }
}
