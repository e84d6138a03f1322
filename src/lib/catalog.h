/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the numbers in a record stand for
 *
 * The same catalog three times: compiled in, read from JSON by the model, and as bytes in the ring. It is
 * small, never changes once made, and owns its memory.
 */

#include "i4.h"

#include "ring/layout.h"
#include "util/macros.h"

struct i4_catalog {
        uint32_t n_types;
        uint32_t n_pipelines;
        uint32_t n_sensors; /* numbers of sensors are 0 … n_sensors - 1 */
        const struct catalog_type *types;
        const struct catalog_pipeline *pipelines;
        void *memory; /* what free() gets; types and pipelines point into it */
};

/*
 * Copies and checks. -EINVAL: no types, too many, a name that is empty, unterminated or would need escaping
 * in JSON, a range upside down.
 */
int catalog_new(struct i4_catalog **catalogp, const struct catalog_type *types, uint32_t n_types,
                const struct catalog_pipeline *pipelines, uint32_t n_pipelines, uint32_t n_sensors);
struct i4_catalog *catalog_free(struct i4_catalog *catalog);

/* bytes as they lie in the ring */

size_t catalog_get_size(const struct i4_catalog *catalog);
void catalog_write(const struct i4_catalog *catalog, void *bytes);
/* @bytes may change under our hands and may say anything: -EBADMSG. */
int catalog_read(struct i4_catalog **catalogp, const void *bytes, size_t size);

static inline void catalog_freep(struct i4_catalog **catalog) {
        if (*catalog)
                (void) catalog_free(*catalog);
}
