/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/catalog.h"

#include <errno.h>
#include <string.h>

/* Types, units and ranges as the reference documents them; sensor ids carry the first three letters. */
static const struct catalog_type default_types[] = {
        { "pressure", "psi", "pre", 200 * 100, 1500 * 100 },
        { "temperature", "fahrenheit", "tem", -20 * 100, 180 * 100 },
        { "flow_rate", "bbl/hr", "flo", 0, 50000 * 100 },
        { "vibration", "mm/s", "vib", 0, 25 * 100 },
        { "corrosion", "mpy", "cor", 0, 50 * 100 },
        { "humidity", "percent", "hum", 0, 100 * 100 },
        { "gas_detector", "ppm", "gas", 0, 1000 * 100 },
        { "valve_position", "percent", "val", 0, 100 * 100 },
};

static const struct catalog_pipeline default_pipelines[] = {
        { "PIPE-TX-001" },
        { "PIPE-TX-002" },
        { "PIPE-OK-001" },
        { "PIPE-LA-001" },
        { "PIPE-NM-001" },
        { "PIPE-CO-001" },
        { "PIPE-WY-001" },
        { "PIPE-ND-001" },
};

static const struct i4_catalog default_catalog = {
        .n_types = ELEMENTSOF(default_types),
        .n_pipelines = ELEMENTSOF(default_pipelines),
        .n_sensors = 8000,
        .types = default_types,
        .pipelines = default_pipelines,
};

_public_ const i4_catalog *i4_catalog_get_default(void) {
        return &default_catalog;
}

/* Printable ASCII that means itself in a JSON string. */
static bool name_is_valid(const char *name, size_t size) {
        size_t n = strnlen(name, size);

        if (n == 0 || n == size)
                return false;
        for (size_t i = 0; i < n; ++i)
                if (name[i] < ' ' || name[i] > '~' || name[i] == '"' || name[i] == '\\')
                        return false;

        return true;
}

static bool type_is_valid(const struct catalog_type *type) {
        return name_is_valid(type->name, sizeof(type->name)) &&
               name_is_valid(type->unit, sizeof(type->unit)) &&
               name_is_valid(type->prefix, sizeof(type->prefix)) && type->minimum_e2 < type->maximum_e2;
}

static int catalog_verify(const struct i4_catalog *catalog) {
        for (uint32_t i = 0; i < catalog->n_types; ++i)
                if (!type_is_valid(&catalog->types[i]))
                        return -EINVAL;
        for (uint32_t i = 0; i < catalog->n_pipelines; ++i)
                if (!name_is_valid(catalog->pipelines[i].id, sizeof(catalog->pipelines[i].id)))
                        return -EINVAL;

        return 0;
}

static bool counts_are_valid(uint32_t n_types, uint32_t n_pipelines, uint32_t n_sensors) {
        return n_types >= 1 && n_types <= CATALOG_TYPES_MAX && n_pipelines >= 1 &&
               n_pipelines <= CATALOG_PIPELINES_MAX && n_sensors >= 1;
}

int catalog_new(struct i4_catalog **catalogp, const struct catalog_type *types, uint32_t n_types,
                const struct catalog_pipeline *pipelines, uint32_t n_pipelines, uint32_t n_sensors) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        size_t types_size = n_types * sizeof(*types), pipelines_size = n_pipelines * sizeof(*pipelines);
        char *memory;
        int r;

        if (!counts_are_valid(n_types, n_pipelines, n_sensors))
                return -EINVAL;

        catalog = calloc(1, sizeof(*catalog));
        if (!catalog)
                return -ENOMEM;

        catalog->memory = memory = malloc(types_size + pipelines_size);
        if (!memory)
                return -ENOMEM;

        catalog->n_types = n_types;
        catalog->n_pipelines = n_pipelines;
        catalog->n_sensors = n_sensors;
        catalog->types = copy_once(memory, types, types_size);
        catalog->pipelines = copy_once(memory + types_size, pipelines, pipelines_size);

        /* The copy is checked, not the source: that may lie in memory which others write. */
        r = catalog_verify(catalog);
        if (r < 0)
                return r;

        *catalogp = TAKE_PTR(catalog);
        return 0;
}

struct i4_catalog *catalog_free(struct i4_catalog *catalog) {
        if (catalog)
                free(catalog->memory);
        free(catalog);
        return NULL;
}

size_t catalog_get_size(const struct i4_catalog *catalog) {
        return sizeof(struct catalog_header) + catalog->n_types * sizeof(*catalog->types) +
               catalog->n_pipelines * sizeof(*catalog->pipelines);
}

void catalog_write(const struct i4_catalog *catalog, void *bytes) {
        struct catalog_header header = {
                .n_types = catalog->n_types,
                .n_pipelines = catalog->n_pipelines,
                .n_sensors = catalog->n_sensors,
                .type_size = sizeof(struct catalog_type),
                .pipeline_size = sizeof(struct catalog_pipeline),
        };
        size_t types_size = catalog->n_types * sizeof(*catalog->types);
        char *p = bytes;

        memcpy(p, &header, sizeof(header));
        p += sizeof(header);
        memcpy(p, catalog->types, types_size);
        p += types_size;
        memcpy(p, catalog->pipelines, catalog->n_pipelines * sizeof(*catalog->pipelines));
}

int catalog_read(struct i4_catalog **catalogp, const void *bytes, size_t size) {
        struct catalog_header header;
        const char *p = bytes;
        size_t types_size;
        int r;

        if (size < sizeof(header))
                return -EBADMSG;
        copy_once(&header, p, sizeof(header));

        if (header.type_size != sizeof(struct catalog_type) ||
                        header.pipeline_size != sizeof(struct catalog_pipeline) ||
                        !counts_are_valid(header.n_types, header.n_pipelines, header.n_sensors))
                return -EBADMSG;

        types_size = header.n_types * sizeof(struct catalog_type);
        if (size - sizeof(header) < types_size + header.n_pipelines * sizeof(struct catalog_pipeline))
                return -EBADMSG;

        p += sizeof(header);
        r = catalog_new(catalogp, (const void *) p, header.n_types, (const void *) (p + types_size),
                        header.n_pipelines, header.n_sensors);
        return r == -EINVAL ? -EBADMSG : r;
}

_public_ unsigned int i4_catalog_get_n_types(const i4_catalog *catalog) {
        return catalog->n_types;
}

_public_ unsigned int i4_catalog_get_n_pipelines(const i4_catalog *catalog) {
        return catalog->n_pipelines;
}

_public_ unsigned int i4_catalog_get_n_sensors(const i4_catalog *catalog) {
        return catalog->n_sensors;
}

_public_ const char *i4_catalog_get_type_name(const i4_catalog *catalog, unsigned int type) {
        return type < catalog->n_types ? catalog->types[type].name : NULL;
}

_public_ const char *i4_catalog_get_type_unit(const i4_catalog *catalog, unsigned int type) {
        return type < catalog->n_types ? catalog->types[type].unit : NULL;
}

_public_ int i4_catalog_get_type_range(
                const i4_catalog *catalog, unsigned int type, double *minimump, double *maximump) {
        if (type >= catalog->n_types)
                return -EINVAL;

        *minimump = catalog->types[type].minimum_e2 / 1e2;
        *maximump = catalog->types[type].maximum_e2 / 1e2;
        return 0;
}

_public_ const char *i4_catalog_get_pipeline_id(const i4_catalog *catalog, unsigned int pipeline) {
        return pipeline < catalog->n_pipelines ? catalog->pipelines[pipeline].id : NULL;
}

_public_ int i4_catalog_find_type(const i4_catalog *catalog, const char *name) {
        for (uint32_t i = 0; i < catalog->n_types; ++i)
                if (strcmp(catalog->types[i].name, name) == 0)
                        return (int) i;

        return -EINVAL;
}

_public_ int i4_catalog_find_pipeline(const i4_catalog *catalog, const char *id) {
        for (uint32_t i = 0; i < catalog->n_pipelines; ++i)
                if (strcmp(catalog->pipelines[i].id, id) == 0)
                        return (int) i;

        return -EINVAL;
}

static bool prefix_is_known(const i4_catalog *catalog, const char *prefix, size_t n) {
        for (uint32_t i = 0; i < catalog->n_types; ++i)
                if (strlen(catalog->types[i].prefix) == n && memcmp(catalog->types[i].prefix, prefix, n) == 0)
                        return true;

        return false;
}

_public_ int i4_catalog_find_sensor(const i4_catalog *catalog, const char *id, uint32_t *sensorp) {
        const char *prefix, *digits;
        uint64_t sensor = 0;
        size_t n;

        if (strncmp(id, "SNS-", 4) != 0)
                return -EINVAL;
        prefix = id + 4;

        digits = strrchr(prefix, '-');
        if (!digits || !prefix_is_known(catalog, prefix, (size_t) (digits - prefix)))
                return -EINVAL;
        ++digits;

        n = strspn(digits, "0123456789");
        /* One spelling a sensor: four digits, more only where the number needs them. */
        if (n < 4 || n > 10 || digits[n] || (n > 4 && digits[0] == '0'))
                return -EINVAL;
        for (size_t i = 0; i < n; ++i)
                sensor = sensor * 10 + (uint64_t) (digits[i] - '0');
        if (sensor >= catalog->n_sensors)
                return -EINVAL;

        *sensorp = (uint32_t) sensor;
        return 0;
}

_public_ int i4_catalog_format_sensor_id(
                const i4_catalog *catalog, const struct i4_record *record, char *buffer, size_t size) {
        int n;

        if (record->type >= catalog->n_types)
                return -EINVAL;

        n = snprintf(buffer, size, "SNS-%s-%04u", catalog->types[record->type].prefix, record->sensor);
        return (size_t) n < size ? n : -ENOBUFS;
}
