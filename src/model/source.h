/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * JSON with line numbers
 *
 * cJSON reads the file but forgets where things stood. As its tree has the same shape and order as the text,
 * a node here is both: a cJSON item and the place in the text, and stepping from one child to the next steps
 * over its text as well. That needs no second parser: the text is known to be well-formed by then, so
 * brackets and strings are all there is to look at, and going astray would mean a wrong line number at worst.
 *
 * What is wrong with a node is told with its line, and counted in @complaints; so the functions that read a
 * value return nothing, and leave the value alone.
 */

#include "util/complaint.h"

#include <cjson/cJSON.h>

struct source {
        struct complaints *complaints;
        const char *file;
        const char *text, *end;
        /* lines are counted on from the last place that was asked for */
        const char *counted;
        unsigned int line;
        cJSON *json;
};

struct node {
        const cJSON *json; /* NULL: there is none */
        const char *text;  /* of a member: at its key */
};

/*
 * @complaints, @file and @text must outlive it. -EINVAL: not JSON, and that is told. source_deinit() in any
 * case.
 */
int source_init(struct source *source, struct complaints *complaints, const char *file, const char *text,
                size_t size);
void source_deinit(struct source *source);

struct node source_get_root(struct source *source);

void source_complain(struct source *source, struct node node, const char *format, ...) _printf_(3, 4);

/* Of an object or array; the last one is followed by one without @json. */
struct node node_get_first(struct source *source, struct node parent);
struct node node_get_next(struct source *source, struct node node);

struct member {
        const char *name;
        bool is_optional;
};

/*
 * The members @known (up to one without a name) of the object @parent, in that order, into @members, which is
 * zero before. -EINVAL: not an object, called @what in complaints; one is missing, there a second time, or
 * unknown.
 */
int node_get_members(struct source *source, struct node parent, const char *what, const struct member *known,
                struct node *members);

/* A string of 1 to @size - 1 printable ASCII characters that mean themselves in JSON. */
void node_read_name(struct source *source, struct node node, char *name, size_t size);

/*
 * A number from @minimum to @maximum with as many decimals as @scale, a power of ten, has zeros, times
 * @scale; called @what in complaints, or by its key where that is NULL.
 */
void node_read_number(struct source *source, struct node node, const char *what, int32_t minimum,
                int32_t maximum, uint32_t scale, int32_t *numberp);
