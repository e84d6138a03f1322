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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        unsigned int n_lines = 1;
        struct complaints complaints = { .report = report_check, .userdata = &n_lines };
        int r;

        for (size_t i = 0; i < size; ++i)
                n_lines += data[i] == '\n';

        r = catalog_parse(&catalog, "fuzz.json", (const char *) data, size, 8000, &complaints);
        if (r >= 0 ? complaints.n != 0 || !catalog : r != -EINVAL || complaints.n == 0 || catalog)
                abort();
        if (catalog)
                catalog_check(catalog);

        return 0;
}
