/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A catalog from a file
 */

#include "lib/catalog.h"
#include "util/complaint.h"

/*
 * Reads @path; the fleet gets @n_sensors. Every mistake is told to @complaints with its line: -EINVAL.
 * -ENOMEM.
 */
int catalog_load(struct i4_catalog **catalogp, const char *path, uint32_t n_sensors,
                struct complaints *complaints);

/* The same from memory. @file is a name for complaints. */
int catalog_parse(struct i4_catalog **catalogp, const char *file, const char *text, size_t size,
                uint32_t n_sensors, struct complaints *complaints);
