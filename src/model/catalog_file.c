/* SPDX-License-Identifier: Apache-2.0 */

#include "model/catalog_file.h"

#include "model/source.h"
#include "util/file.h"

#include <errno.h>
#include <search.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t) 8 * 1024 * 1024)

/* Two decimals of it, and of what exceeds it, fit into a record. */
#define RANGE_MAX 17000000

#define LENGTH_MAX  ((int32_t) PLANT_LENGTH_MAX_E2 / 100)
#define STRETCH_MAX ((int32_t) PLANT_STRETCH_MAX_E2 / 100)
#define FLOW_MAX    1000000

#define N_LIMITS 4u /* without the deadband */

/* Names and what is behind them, while they are read. */
struct draft {
        struct source source;
        struct catalog_type *types;
        struct catalog_pipeline *pipelines;
        struct plant *plant;
};

static void draft_deinit(struct draft *draft) {
        source_deinit(&draft->source);
        free(draft->types);
        free(draft->pipelines);
        plant_free(draft->plant);
}

/* types */

static bool limits_ascend(const struct plant_limits *limits) {
        int64_t above = PLANT_NO_LOW;
        const int32_t all[] = { limits->low_low_e2, limits->low_e2, limits->high_e2, limits->high_high_e2 };

        for (size_t i = 0; i < ELEMENTSOF(all); ++i)
                if (all[i] != PLANT_NO_LOW && all[i] != PLANT_NO_HIGH) {
                        if (all[i] < above)
                                return false;
                        above = all[i];
                }

        return true;
}

static void limits_parse(struct source *source, struct node node, const struct catalog_type *type,
                struct plant_limits *limitsp) {
        static const struct member known[] = {
                { "low_low", true },
                { "low", true },
                { "high", true },
                { "high_high", true },
                { "deadband", true },
                {},
        };
        struct plant_limits limits = {
                PLANT_NO_LOW,
                PLANT_NO_LOW,
                PLANT_NO_HIGH,
                PLANT_NO_HIGH,
                plant_get_usual_deadband_e2(type),
        };
        int32_t *const fields[] = { &limits.low_low_e2, &limits.low_e2, &limits.high_e2, &limits.high_high_e2,
                &limits.deadband_e2 };
        struct node members[ELEMENTSOF(known)] = {};
        unsigned int n_before = source->complaints->n;

        if (node_get_members(source, node, "set of limits", known, members) < 0)
                return;

        for (size_t i = 0; i < ELEMENTSOF(fields); ++i)
                if (members[i].json)
                        node_read_number(source, members[i], NULL, i < N_LIMITS ? -RANGE_MAX : 0, RANGE_MAX,
                                        100, fields[i]);
        if (source->complaints->n > n_before)
                return;

        for (size_t i = 0; i < N_LIMITS; ++i)
                if (members[i].json && (*fields[i] < type->minimum_e2 || *fields[i] > type->maximum_e2))
                        source_complain(source, members[i],
                                        "\"%s\" must lie within the range of its type, %.2f to %.2f",
                                        known[i].name, type->minimum_e2 / 100.0, type->maximum_e2 / 100.0);
        if (source->complaints->n > n_before)
                return;

        if (!limits_ascend(&limits))
                source_complain(source, node, "\"low_low\", \"low\", \"high\" and \"high_high\" must ascend");
        else
                *limitsp = limits;
}

static void site_parse(struct source *source, struct node node, enum plant_site *sitep) {
        static const char *const names[] = { [PLANT_LINE] = "line", [PLANT_STATION] = "station" };
        const char *text = cJSON_GetStringValue(node.json);

        static_assert(ELEMENTSOF(names) == PLANT_N_SITES, "each site has its name");

        for (size_t i = 0; text && i < ELEMENTSOF(names); ++i)
                if (strcmp(names[i], text) == 0) {
                        *sitep = (enum plant_site) i;
                        return;
                }

        source_complain(source, node, "\"site\" must be \"line\" or \"station\"");
}

static const char *type_parse(struct draft *draft, struct node node, uint32_t i) {
        static const struct member known[] = {
                { "name" },
                { "unit" },
                { "prefix" },
                { "minimum" },
                { "maximum" },
                { "limits", true },
                { "site", true },
                {},
        };
        struct source *source = &draft->source;
        struct catalog_type *type = &draft->types[i];
        struct plant_type *plant = &draft->plant->types[i];
        struct node members[ELEMENTSOF(known)] = {};
        unsigned int n_before = source->complaints->n;

        if (node_get_members(source, node, "type", known, members) < 0)
                return type->name;

        node_read_name(source, members[0], type->name, sizeof(type->name));
        node_read_name(source, members[1], type->unit, sizeof(type->unit));
        node_read_name(source, members[2], type->prefix, sizeof(type->prefix));
        node_read_number(source, members[3], NULL, -RANGE_MAX, RANGE_MAX, 100, &type->minimum_e2);
        node_read_number(source, members[4], NULL, -RANGE_MAX, RANGE_MAX, 100, &type->maximum_e2);

        if (source->complaints->n == n_before && type->minimum_e2 >= type->maximum_e2)
                source_complain(source, members[4], "\"maximum\" must be above \"minimum\"");

        if (source->complaints->n > n_before)
                return type->name;

        plant_type_init(plant, type);
        if (members[5].json)
                limits_parse(source, members[5], type, &plant->limits);
        if (members[6].json)
                site_parse(source, members[6], &plant->site);

        return type->name;
}

/* pipelines */

static bool list_is_sized(struct source *source, struct node node, unsigned int minimum, unsigned int maximum,
                const char *items) {
        int n = cJSON_IsArray(node.json) ? cJSON_GetArraySize(node.json) : 0;

        if (n >= (int) minimum && n <= (int) maximum)
                return true;

        source_complain(source, node, "\"%s\" must be a list, [%s, …], of %u to %u", node.json->string, items,
                        minimum, maximum);
        return false;
}

static void route_parse(struct source *source, struct node node, struct plant_pipeline *pipeline) {
        static const struct member known[] = { { "lat" }, { "lon" }, {} };

        if (!list_is_sized(source, node, 2, PLANT_WAY_POINTS_MAX, "{…}"))
                return;

        pipeline->n_way_points = 0;
        for (struct node child = node_get_first(source, node); child.json;
                        child = node_get_next(source, child)) {
                struct plant_way_point *point = &pipeline->way_points[pipeline->n_way_points++];
                struct node members[ELEMENTSOF(known)] = {};

                *point = (struct plant_way_point){};
                if (node_get_members(source, child, "way point", known, members) < 0)
                        continue;
                node_read_number(source, members[0], NULL, -90, 90, 1000000, &point->latitude_e6);
                node_read_number(source, members[1], NULL, -180, 180, 1000000, &point->longitude_e6);
        }
}

/* A pipe is at least as long as the straight lines that it follows. */
static void length_parse(struct source *source, struct node route, struct node length,
                struct plant_pipeline *pipeline) {
        uint32_t route_e2 = plant_pipeline_measure_route_e2(pipeline);
        int32_t length_e2 = (int32_t) MAX(route_e2, 1u);
        unsigned int n_before = source->complaints->n;

        if (length.json)
                node_read_number(source, length, NULL, 1, LENGTH_MAX, 100, &length_e2);
        if (source->complaints->n > n_before)
                return;

        if (route_e2 < 100 || route_e2 > PLANT_LENGTH_MAX_E2)
                source_complain(source, route, "\"route\" must be 1 to %d miles long, and is %.2f",
                                LENGTH_MAX, route_e2 / 100.0);
        else if ((uint32_t) length_e2 < route_e2)
                source_complain(source, length,
                                "\"length_miles\" must not be less than its route, which is %.2f miles long",
                                route_e2 / 100.0);
        else
                pipeline->length_e2 = (uint32_t) length_e2;
}

static void station_check(
                struct source *source, struct node node, const struct plant_pipeline *pipeline, uint32_t i) {
        int64_t here_e2 = pipeline->stations_e2[i], before_e2 = i > 0 ? pipeline->stations_e2[i - 1] : 0;

        if (i == 0 && here_e2 != 0)
                source_complain(source, node, "The first station must be at mile 0");
        else if (i > 0 && here_e2 <= before_e2)
                source_complain(source, node, "Stations must ascend");
        else if (here_e2 >= pipeline->length_e2)
                source_complain(source, node, "A station must be before the end, at mile %.2f",
                                pipeline->length_e2 / 100.0);
        else if (here_e2 - before_e2 > PLANT_STRETCH_MAX_E2)
                source_complain(source, node, "A station must be %d miles at most from the one before it",
                                STRETCH_MAX);
        else if (i + 1 == pipeline->n_stations && pipeline->length_e2 - here_e2 > PLANT_STRETCH_MAX_E2)
                source_complain(source, node,
                                "The last station must be %d miles at most from the end, at mile %.2f",
                                STRETCH_MAX, pipeline->length_e2 / 100.0);
}

static void stations_parse(struct source *source, struct node node, struct plant_pipeline *pipeline) {
        unsigned int n_before = source->complaints->n;
        uint32_t i = 0;

        if (!list_is_sized(source, node, 1, PLANT_STATIONS_MAX, "0"))
                return;

        pipeline->n_stations = (uint32_t) cJSON_GetArraySize(node.json);
        for (struct node child = node_get_first(source, node); child.json;
                        child = node_get_next(source, child), ++i) {
                int32_t station_e2 = 0;

                node_read_number(source, child, "A station", 0, LENGTH_MAX, 100, &station_e2);
                pipeline->stations_e2[i] = (uint32_t) station_e2;
                if (source->complaints->n == n_before)
                        station_check(source, child, pipeline, i);
        }
}

static const char *pipeline_parse(struct draft *draft, struct node node, uint32_t i) {
        static const struct member known[] = {
                { "id" },
                { "length_miles", true },
                { "flow_bbl_hr", true },
                { "route", true },
                { "stations", true },
                {},
        };
        struct source *source = &draft->source;
        struct catalog_pipeline *pipeline = &draft->pipelines[i];
        struct plant_pipeline *plant = &draft->plant->pipelines[i];
        struct node members[ELEMENTSOF(known)] = {};
        struct node id, length, flow, route, stations;
        unsigned int n_before = source->complaints->n;
        int32_t flow_e2;

        if (node_get_members(source, node, "pipeline", known, members) < 0)
                return pipeline->id;
        id = members[0], length = members[1], flow = members[2], route = members[3], stations = members[4];

        node_read_name(source, id, pipeline->id, sizeof(pipeline->id));
        plant_pipeline_init(plant, pipeline->id);

        flow_e2 = (int32_t) plant->flow_e2;
        if (flow.json)
                node_read_number(source, flow, NULL, 1, FLOW_MAX, 100, &flow_e2);
        plant->flow_e2 = (uint32_t) flow_e2;

        if (route.json)
                route_parse(source, route, plant);
        else if (length.json || stations.json)
                source_complain(source, node, "A pipeline with a \"%s\" must have a \"route\"",
                                length.json ? "length_miles" : "stations");
        if (!route.json || source->complaints->n > n_before)
                return pipeline->id;

        length_parse(source, route, length, plant);
        if (source->complaints->n > n_before)
                return pipeline->id;
        plant_pipeline_set_stations(plant);
        if (stations.json)
                stations_parse(source, stations, plant);

        return pipeline->id;
}

/* lists */

/* Reads item @i; returns its name, or "". */
typedef const char *parse_item_t(struct draft *draft, struct node node, uint32_t i);

static int name_compare(const void *a, const void *b) {
        return strcmp(a, b);
}

static void name_keep(void *name) {}

/* 1: @name is in the set already; else it now is. */
static int names_insert(void **names, const char *name) {
        const char **found;

        found = tsearch(name, names, name_compare);
        if (!found)
                return -ENOMEM;

        return *found != name;
}

static int list_parse_items(struct draft *draft, struct node parent, parse_item_t *parse, void **names) {
        uint32_t i = 0;
        int r;

        for (struct node node = node_get_first(&draft->source, parent); node.json;
                        node = node_get_next(&draft->source, node)) {
                const char *name = parse(draft, node, i++);

                r = *name ? names_insert(names, name) : 0;
                if (r < 0)
                        return r;
                if (r > 0)
                        source_complain(&draft->source, node, "\"%s\" is listed a second time", name);
        }

        return 0;
}

static int list_parse(struct draft *draft, struct node node, parse_item_t *parse) {
        void *names = NULL;
        int r;

        r = list_parse_items(draft, node, parse, &names);
        tdestroy(names, name_keep);
        return r;
}

static int types_parse(struct draft *draft, struct node node) {
        struct plant *plant = draft->plant;

        if (!list_is_sized(&draft->source, node, 1, CATALOG_TYPES_MAX, "{…}"))
                return 0;

        plant->n_types = (uint32_t) cJSON_GetArraySize(node.json);
        plant->types = calloc(plant->n_types, sizeof(*plant->types));
        draft->types = calloc(plant->n_types, sizeof(*draft->types));
        return plant->types && draft->types ? list_parse(draft, node, type_parse) : -ENOMEM;
}

static int pipelines_parse(struct draft *draft, struct node node) {
        struct plant *plant = draft->plant;

        if (!list_is_sized(&draft->source, node, 1, CATALOG_PIPELINES_MAX, "{…}"))
                return 0;

        plant->n_pipelines = (uint32_t) cJSON_GetArraySize(node.json);
        plant->pipelines = calloc(plant->n_pipelines, sizeof(*plant->pipelines));
        draft->pipelines = calloc(plant->n_pipelines, sizeof(*draft->pipelines));
        return plant->pipelines && draft->pipelines ? list_parse(draft, node, pipeline_parse) : -ENOMEM;
}

/* the whole */

/* What is wrong is told to the complaints of its source; only what else fails is returned. */
static int draft_parse(struct draft *draft) {
        static const struct member known[] = { { "types" }, { "pipelines" }, {} };
        struct node members[ELEMENTSOF(known)] = {};
        int r;

        draft->plant = calloc(1, sizeof(*draft->plant));
        if (!draft->plant)
                return -ENOMEM;
        if (node_get_members(&draft->source, source_get_root(&draft->source), "catalog", known, members) < 0)
                return 0;

        r = types_parse(draft, members[0]);
        return r < 0 ? r : pipelines_parse(draft, members[1]);
}

int catalog_parse(struct i4_catalog **catalogp, struct plant **plantp, const char *file, const char *text,
                size_t size, uint32_t n_sensors, struct complaints *complaints) {
        struct complaints own = { .report = complaints->report, .userdata = complaints->userdata };
        _cleanup_(draft_deinit) struct draft draft = {};
        int r;

        r = source_init(&draft.source, &own, file, text, size);
        if (r >= 0)
                r = draft_parse(&draft);

        complaints->n += own.n;
        if (r >= 0 && own.n > 0)
                r = -EINVAL;
        if (r >= 0)
                r = catalog_new(catalogp, draft.types, draft.plant->n_types, draft.pipelines,
                                draft.plant->n_pipelines, n_sensors);
        if (r >= 0)
                *plantp = TAKE_PTR(draft.plant);
        return r;
}

static int catalog_load_builtin(struct i4_catalog **catalogp, struct plant **plantp, uint32_t n_sensors) {
        const struct i4_catalog *builtin = i4_catalog_get_default();
        _cleanup_(plant_freep) struct plant *plant = NULL;
        int r;

        r = plant_new(&plant, builtin);
        if (r < 0)
                return r;
        r = catalog_new(catalogp, builtin->types, builtin->n_types, builtin->pipelines, builtin->n_pipelines,
                        n_sensors);
        if (r < 0)
                return r;

        *plantp = TAKE_PTR(plant);
        return 0;
}

int catalog_load(struct i4_catalog **catalogp, struct plant **plantp, const char *path, uint32_t n_sensors,
                struct complaints *complaints) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (!path || !*path)
                return catalog_load_builtin(catalogp, plantp, n_sensors);

        r = file_read(path, FILE_SIZE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                complain(complaints, path, 0, "Cannot be read: %s", strerror(-r));
                return -EINVAL;
        }

        return catalog_parse(catalogp, plantp, path, text, size, n_sensors, complaints);
}
