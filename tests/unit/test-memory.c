/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the model takes; a program of its own, since a peak that others have raised hides that of a fleet
 */

#include "fleet-fixture.h"

#include "util/macros.h"

#include <sys/resource.h>

static long get_peak_kb(void) {
        struct rusage usage;

        assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
        return usage.ru_maxrss;
}

/* Readings of a thousandth of the fleet, once every @stride rounds: the buffer is not what is measured. */
static void fleet_run(struct fleet *fleet, uint64_t from, uint64_t to, uint64_t stride) {
        struct i4_record records[100];
        uint32_t n = fleet->catalog.n_sensors;

        for (uint64_t round = from; round < to; round += stride) {
                uint64_t step = round * n + round * ELEMENTSOF(records) % n;
                struct timeline timeline;

                timeline_init(&timeline, &fleet->anchor, step);
                model_generate(fleet->model, step, step, &timeline, records, ELEMENTSOF(records));
        }
}

/* The state of a sensor is 128 bytes at most, and there is as much of it after a year as after a day. */
static void test_memory(void **state) {
        const uint32_t n = 100000;
        long before_kb = get_peak_kb(), day_kb;
        _cleanup_(fleet_deinit) struct fleet fleet = fleet_make(
                        n, 3600 * NSEC_PER_SEC, (struct model_settings){ .seed = 5, .anomalies_e4 = 200 });

        fleet_run(&fleet, 0, 24, 1);
        day_kb = get_peak_kb();
        fleet_run(&fleet, 24, 8760, 9);
        assert_true(get_peak_kb() - day_kb < 1024);
        /* With a list of the fleet that is gone by then, and what any program takes. */
        assert_true(day_kb - before_kb < (long) (n / 1024 * (128 + 32)) + 4096);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
