/* SPDX-License-Identifier: Apache-2.0 */

/*
 * JSON with line numbers
 *
 * cJSON reads the file but forgets where things stood. As its tree has the same shape and order as the text,
 * a node here is both: a cJSON item and the place in the text, and stepping from one child to the next steps
 * over its text as well. That needs no second parser: the text is known to be well-formed by then, so
 * brackets and strings are all there is to look at, and going astray would mean a wrong line number at worst.
 *
 *     { "types":     [ { "name": …, "unit": …, "prefix": …, "minimum": …, "maximum": … }, … ],
 *       "pipelines": [ { "id": … }, … ] }
 */

#include "model/catalog_file.h"

#include "util/file.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t) 8 * 1024 * 1024)

/* Two decimals of it, and of what exceeds it, fit into a record. */
#define RANGE_MAX 17000000

struct source {
        struct complaints *complaints;
        const char *file;
        const char *text, *end;
        /* lines are counted on from the last place that was asked for */
        const char *counted;
        unsigned int line;
};

struct node {
        const cJSON *json;
        const char *text; /* of a member: at its key */
};

/* text */

static const char *text_skip_blanks(const char *p, const char *end) {
        while (p < end && (unsigned char) *p <= ' ')
                ++p;
        return p;
}

/* @p is at the opening quote; returns what follows the closing one. */
static const char *text_skip_string(const char *p, const char *end) {
        for (++p; p < end && *p != '"'; ++p)
                if (*p == '\\' && p + 1 < end)
                        ++p;
        return p < end ? p + 1 : end;
}

/* From a value, or a member's key, to the comma or bracket that ends it. */
static const char *text_skip_value(const char *p, const char *end) {
        size_t depth = 0;

        while (p < end) {
                if (depth == 0 && (*p == ',' || *p == ']' || *p == '}'))
                        break;
                if (*p == '"') {
                        p = text_skip_string(p, end);
                        continue;
                }
                if (*p == '{' || *p == '[')
                        ++depth;
                if (*p == '}' || *p == ']')
                        --depth;
                ++p;
        }

        return p;
}

static unsigned int source_get_line(struct source *source, const char *p) {
        if (p < source->counted) {
                source->counted = source->text;
                source->line = 1;
        }

        while (source->counted < p)
                if (*source->counted++ == '\n')
                        ++source->line;

        return source->line;
}

#define COMPLAIN(source, node, ...)                                                                          \
        complain((source)->complaints, (source)->file, source_get_line(source, (node).text), __VA_ARGS__)

/* nodes */

static struct node node_get_first(struct source *source, struct node parent) {
        const char *p = parent.text;

        /* over the key of a member */
        if (parent.json->string) {
                p = text_skip_blanks(text_skip_string(p, source->end), source->end);
                p = text_skip_blanks(MIN(p + 1, source->end), source->end);
        }

        return (struct node){ parent.json->child, text_skip_blanks(MIN(p + 1, source->end), source->end) };
}

static struct node node_get_next(struct source *source, struct node node) {
        const char *p = text_skip_value(node.text, source->end);

        return (struct node){ node.json->next, text_skip_blanks(MIN(p + 1, source->end), source->end) };
}

/*
 * The members @names (up to a NULL) of the object @parent, in that order. All of them must be there, once,
 * and nothing else.
 */
static int node_get_members(struct source *source, struct node parent, const char *what,
                const char *const *names, struct node *members) {
        unsigned int n_before = source->complaints->n;
        size_t i;

        if (!cJSON_IsObject(parent.json)) {
                COMPLAIN(source, parent, "A %s must be an object, {…}", what);
                return -EINVAL;
        }

        for (struct node node = node_get_first(source, parent); node.json;
                        node = node_get_next(source, node)) {
                for (i = 0; names[i] && strcmp(names[i], node.json->string) != 0; ++i)
                        ;

                if (!names[i])
                        COMPLAIN(source, node, "There is no key \"%s\" in a %s", node.json->string, what);
                else if (members[i].json)
                        COMPLAIN(source, node, "The key \"%s\" stands here a second time", names[i]);
                else
                        members[i] = node;
        }

        for (i = 0; names[i]; ++i)
                if (!members[i].json)
                        COMPLAIN(source, parent, "A %s lacks its \"%s\"", what, names[i]);

        return source->complaints->n > n_before ? -EINVAL : 0;
}

static void node_copy_name(struct source *source, struct node node, char *name, size_t size) {
        const char *text = cJSON_GetStringValue(node.json);
        size_t n = text ? strlen(text) : 0;
        bool is_plain = true;

        for (size_t i = 0; i < n; ++i)
                if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
                        is_plain = false;

        if (n == 0 || n >= size || !is_plain)
                COMPLAIN(source, node,
                                "\"%s\" must be a string of 1 to %zu ASCII characters without quotes and "
                                "backslashes",
                                node.json->string, size - 1);
        else
                memcpy(name, text, n + 1);
}

static void node_copy_number(struct source *source, struct node node, int32_t *number_e2p) {
        double number = cJSON_GetNumberValue(node.json), scaled, rest;
        int32_t number_e2;

        /* also without a number, which is a NaN */
        if (!(number >= -RANGE_MAX && number <= RANGE_MAX)) {
                COMPLAIN(source, node, "\"%s\" must be a number from %d to %d", node.json->string, -RANGE_MAX,
                                RANGE_MAX);
                return;
        }

        scaled = number * 100;
        number_e2 = (int32_t) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
        rest = scaled - number_e2;
        if (rest > 1e-5 || rest < -1e-5) {
                COMPLAIN(source, node, "\"%s\" must have two decimals at most", node.json->string);
                return;
        }

        *number_e2p = number_e2;
}

/* what they say */

static void type_parse(struct source *source, struct node node, void *item) {
        static const char *const names[] = { "name", "unit", "prefix", "minimum", "maximum", NULL };
        struct catalog_type *type = item;
        struct node members[ELEMENTSOF(names)] = {};
        unsigned int n_before = source->complaints->n;

        if (node_get_members(source, node, "type", names, members) < 0)
                return;

        node_copy_name(source, members[0], type->name, sizeof(type->name));
        node_copy_name(source, members[1], type->unit, sizeof(type->unit));
        node_copy_name(source, members[2], type->prefix, sizeof(type->prefix));
        node_copy_number(source, members[3], &type->minimum_e2);
        node_copy_number(source, members[4], &type->maximum_e2);

        if (source->complaints->n == n_before && type->minimum_e2 >= type->maximum_e2)
                COMPLAIN(source, members[4], "\"maximum\" must be above \"minimum\"");
}

static void pipeline_parse(struct source *source, struct node node, void *item) {
        static const char *const names[] = { "id", NULL };
        struct catalog_pipeline *pipeline = item;
        struct node members[ELEMENTSOF(names)] = {};

        if (node_get_members(source, node, "pipeline", names, members) < 0)
                return;

        node_copy_name(source, members[0], pipeline->id, sizeof(pipeline->id));
}

struct list {
        size_t size; /* of an item, which begins with its name */
        unsigned int n_max;
        void (*parse)(struct source *source, struct node node, void *item);
};

static_assert(offsetof(struct catalog_type, name) == 0, "a type begins with its name");
static_assert(offsetof(struct catalog_pipeline, id) == 0, "a pipeline begins with its id");

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

static int list_parse_items(struct source *source, struct node parent, const struct list *list, char *items,
                void **names) {
        int r;

        for (struct node node = node_get_first(source, parent); node.json;
                        node = node_get_next(source, node)) {
                list->parse(source, node, items);

                r = *items ? names_insert(names, items) : 0;
                if (r < 0)
                        return r;
                if (r > 0)
                        COMPLAIN(source, node, "\"%s\" is listed a second time", items);

                items += list->size;
        }

        return 0;
}

static int list_parse(struct source *source, struct node node, const struct list *list, void **itemsp,
                uint32_t *np) {
        _cleanup_(freep) void *items = NULL;
        void *names = NULL;
        int n, r;

        n = cJSON_IsArray(node.json) ? cJSON_GetArraySize(node.json) : 0;
        if (n < 1 || (unsigned int) n > list->n_max) {
                COMPLAIN(source, node, "\"%s\" must be a list, [{…}, …], of 1 to %u", node.json->string,
                                list->n_max);
                return -EINVAL;
        }

        items = calloc((size_t) n, list->size);
        if (!items)
                return -ENOMEM;

        r = list_parse_items(source, node, list, items, &names);
        tdestroy(names, name_keep);
        if (r < 0)
                return r;

        *itemsp = TAKE_PTR(items);
        *np = (uint32_t) n;
        return 0;
}

static int catalog_build(
                struct i4_catalog **catalogp, struct source *source, struct node root, uint32_t n_sensors) {
        static const char *const names[] = { "types", "pipelines", NULL };
        static const struct list lists[] = {
                { sizeof(struct catalog_type), CATALOG_TYPES_MAX, type_parse },
                { sizeof(struct catalog_pipeline), CATALOG_PIPELINES_MAX, pipeline_parse },
        };
        _cleanup_(freep) void *types = NULL, *pipelines = NULL;
        struct node members[ELEMENTSOF(names)] = {};
        uint32_t n_types = 0, n_pipelines = 0;
        int r;

        r = node_get_members(source, root, "catalog", names, members);
        if (r < 0)
                return r;

        r = list_parse(source, members[0], &lists[0], &types, &n_types);
        if (r < 0 && r != -EINVAL)
                return r;
        r = list_parse(source, members[1], &lists[1], &pipelines, &n_pipelines);
        if (r < 0 && r != -EINVAL)
                return r;
        if (source->complaints->n > 0)
                return -EINVAL;

        return catalog_new(catalogp, types, n_types, pipelines, n_pipelines, n_sensors);
}

static void json_deletep(cJSON **json) {
        cJSON_Delete(*json);
}

/* cJSON stops at the end of the value, or where it understood nothing more. */
static int source_parse(struct source *source, cJSON **jsonp) {
        _cleanup_(json_deletep) cJSON *json = NULL;
        const char *stop = source->text;

        json = cJSON_ParseWithLengthOpts(source->text, (size_t) (source->end - source->text), &stop, 0);
        stop = text_skip_blanks(MAX(stop, source->text), source->end);
        if (!json || stop < source->end) {
                struct node node = { .text = stop };

                COMPLAIN(source, node, "This is not JSON%s", json ? ": the text goes on after its end" : "");
                return -EINVAL;
        }

        *jsonp = TAKE_PTR(json);
        return 0;
}

int catalog_parse(struct i4_catalog **catalogp, const char *file, const char *text, size_t size,
                uint32_t n_sensors, struct complaints *complaints) {
        _cleanup_(json_deletep) cJSON *json = NULL;
        struct complaints own = { .report = complaints->report, .userdata = complaints->userdata };
        struct source source = {
                .complaints = &own,
                .file = file,
                .text = text,
                .end = text + size,
                .counted = text,
                .line = 1,
        };
        int r;

        if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                source.text += 3;

        r = source_parse(&source, &json);
        if (r >= 0) {
                struct node root = { .json = json, .text = text_skip_blanks(source.text, source.end) };

                r = catalog_build(catalogp, &source, root, n_sensors);
        }

        complaints->n += own.n;
        return r;
}

int catalog_load(struct i4_catalog **catalogp, const char *path, uint32_t n_sensors,
                struct complaints *complaints) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(path, FILE_SIZE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                complain(complaints, path, 0, "Cannot be read: %s", strerror(-r));
                return -EINVAL;
        }

        return catalog_parse(catalogp, path, text, size, n_sensors, complaints);
}
