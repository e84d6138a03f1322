/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A catalog from a file
 *
 * It names types and pipelines, which is what readers of the ring are told, and may describe the plant behind
 * the names. i4-catalog(5) is its reference.
 */

#include "lib/catalog.h"
#include "model/plant.h"
#include "util/complaint.h"

/*
 * Reads @path, or takes what is compiled in where that is NULL or empty; the fleet gets @n_sensors. Every
 * mistake is told to @complaints with its line: -EINVAL. -ENOMEM.
 */
int catalog_load(struct i4_catalog **catalogp, struct plant **plantp, const char *path, uint32_t n_sensors,
                struct complaints *complaints);

/* The same from memory. @file is a name for complaints. */
int catalog_parse(struct i4_catalog **catalogp, struct plant **plantp, const char *file, const char *text,
                size_t size, uint32_t n_sensors, struct complaints *complaints);
