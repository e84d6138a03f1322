/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which sensors there are, and in which order they are read
 *
 * A sensor keeps its type, pipeline, position and mile post for ever: they follow from the catalog and the
 * sensor's number alone, never from the seed. Two runs with different seeds see different readings of the
 * same plant, and what a consumer has learned about a sensor stays true after a restart.
 *
 * Numbers of one type stand together, and pipelines take turns inside: 0 … 999 are pressures of the default
 * catalog, and SNS-flo-2977 is a flow rate. Every type and every pipeline gets the same share, to within one
 * sensor, in a fleet of any size. The scan visits every sensor once a round, in a fixed shuffled order, so
 * that any stretch of the stream mixes types and pipelines.
 */

#include "lib/catalog.h"

struct fleet_sensor {
        uint32_t number;
        int32_t latitude_e6;
        int32_t longitude_e6;
        uint32_t mile_post_e2;
        uint16_t pipeline;
        uint8_t type;
};

/* Of which type sensor @number is, an index into the catalog's types. */
uint8_t fleet_get_type(const struct i4_catalog *catalog, uint32_t number);

/* Where on a pipeline of that length a sensor stands. */
uint32_t fleet_get_mile_post_e2(uint32_t number, uint32_t length_e2);

/* Fills catalog->n_sensors places in scan order: step n is read from place n mod n_sensors. */
void fleet_lay_out(const struct i4_catalog *catalog, struct fleet_sensor *sensors);
