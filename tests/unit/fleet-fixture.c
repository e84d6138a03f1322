/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet-fixture.h"

#include <stdlib.h>

struct fleet fleet_make(uint32_t n_sensors, uint64_t round_ns, struct model_settings settings) {
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

void fleet_deinit(struct fleet *fleet) {
        model_free(fleet->model);
        free(fleet->records);
        free(fleet->scan);
}

void fleet_read(struct fleet *fleet, uint64_t round) {
        uint32_t n = fleet->catalog.n_sensors;
        struct timeline timeline;

        timeline_init(&timeline, &fleet->anchor, round * n);
        model_generate(fleet->model, round * n, round * n, &timeline, fleet->scan, n);
        for (uint32_t i = 0; i < n; ++i)
                fleet->records[fleet->scan[i].sensor] = fleet->scan[i];
}

void fleet_read_at(struct fleet *fleet, uint64_t time_ns) {
        fleet_read(fleet, (time_ns - EPOCH_NS) / fleet->anchor.rate.period_ns);
}
