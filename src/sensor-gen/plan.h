/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What readings are made of
 *
 * None of it depends on where they go, so a mistake in it shows before anything is written.
 */

#include "sensor-gen/options.h"

#include "lib/catalog.h"

struct plan {
        const struct options *options;
        struct i4_catalog *catalog;
        struct model *model;
        const struct scenario *scenario; /* the model's */
};

/* @options must outlive it. -EINVAL was told already. plan_deinit() in any case. */
int plan_init(struct plan *plan, const struct options *options);
void plan_deinit(struct plan *plan);
