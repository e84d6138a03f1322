/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A catalog file of a stranger: it becomes a catalog that the ring takes, or is complained about.
 */

#include "model/catalog_file.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report_check(void *userdata, const char *file, unsigned int line, const char *text) {
        const unsigned int *n_lines = userdata;

        if (line < 1 || line > *n_lines || !*text)
                abort();
}

static void catalog_check(const struct i4_catalog *catalog) {
        _cleanup_(catalog_freep) struct i4_catalog *copy = NULL;
        _cleanup_(freep) void *bytes = NULL;

        bytes = malloc(catalog_get_size(catalog));
        if (!bytes)
                abort();

        catalog_write(catalog, bytes);
        if (catalog_read(&copy, bytes, catalog_get_size(catalog)) < 0)
                abort();
}

static void require(bool condition) {
        if (!condition)
                abort();
}

/* What hydraulics and maps rely on. */
static void pipeline_check(const struct plant_pipeline *pipeline) {
        struct plant_route route;
        uint32_t before_e2 = 0;

        require(pipeline->length_e2 >= 100 && pipeline->length_e2 <= PLANT_LENGTH_MAX_E2);
        require(pipeline->n_way_points >= 2 && pipeline->n_stations >= 1 && pipeline->stations_e2[0] == 0);
        for (uint32_t i = 1; i < pipeline->n_stations; ++i) {
                require(pipeline->stations_e2[i] > before_e2);
                require(pipeline->stations_e2[i] - before_e2 <= PLANT_STRETCH_MAX_E2);
                before_e2 = pipeline->stations_e2[i];
        }
        require(pipeline->length_e2 > before_e2);
        require(pipeline->length_e2 - before_e2 <= PLANT_STRETCH_MAX_E2);

        plant_route_init(&route, pipeline);
        for (uint32_t mile_post_e2 = 0; mile_post_e2 <= pipeline->length_e2; mile_post_e2 += 997) {
                struct plant_way_point here = plant_route_locate(&route, mile_post_e2);

                require(abs(here.latitude_e6) <= 90000000 && abs(here.longitude_e6) <= 180000000);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        _cleanup_(plant_freep) struct plant *plant = NULL;
        unsigned int n_lines = 1;
        struct complaints complaints = { .report = report_check, .userdata = &n_lines };
        int r;

        for (size_t i = 0; i < size; ++i)
                n_lines += data[i] == '\n';

        r = catalog_parse(&catalog, &plant, "fuzz.json", (const char *) data, size, 8000, &complaints);
        if (r >= 0 ? complaints.n != 0 || !catalog || !plant
                   : r != -EINVAL || complaints.n == 0 || catalog || plant)
                abort();
        if (catalog)
                catalog_check(catalog);
        for (uint32_t i = 0; plant && i < plant->n_pipelines; ++i)
                pipeline_check(&plant->pipelines[i]);

        return 0;
}
