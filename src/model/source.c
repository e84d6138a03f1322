/* SPDX-License-Identifier: Apache-2.0 */

#include "model/source.h"

#include <errno.h>
#include <string.h>

#define WHAT_MAX 64

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

/* Over what it stands on, and the blanks behind that. */
static const char *text_go_on(const char *p, const char *end) {
        return text_skip_blanks(MIN(p + 1, end), end);
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

void source_complain(struct source *source, struct node node, const char *format, ...) {
        char text[COMPLAINT_MAX];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(text, sizeof(text), format, args);
        va_end(args);

        complain(source->complaints, source->file, source_get_line(source, node.text), "%s", text);
}

/* nodes */

struct node node_get_first(struct source *source, struct node parent) {
        const char *p = parent.text;

        /* over the key of a member */
        if (parent.json->string) {
                p = text_skip_blanks(text_skip_string(p, source->end), source->end);
                p = text_go_on(p, source->end);
        }

        return (struct node){ parent.json->child, text_go_on(p, source->end) };
}

struct node node_get_next(struct source *source, struct node node) {
        return (struct node){ node.json->next,
                text_go_on(text_skip_value(node.text, source->end), source->end) };
}

int node_get_members(struct source *source, struct node parent, const char *what, const struct member *known,
                struct node *members) {
        unsigned int n_before = source->complaints->n;
        size_t i;

        if (!cJSON_IsObject(parent.json)) {
                source_complain(source, parent, "A %s must be an object, {…}", what);
                return -EINVAL;
        }

        for (struct node node = node_get_first(source, parent); node.json;
                        node = node_get_next(source, node)) {
                for (i = 0; known[i].name && strcmp(known[i].name, node.json->string) != 0; ++i)
                        ;

                if (!known[i].name)
                        source_complain(source, node, "There is no key \"%s\" in a %s", node.json->string,
                                        what);
                else if (members[i].json)
                        source_complain(source, node, "The key \"%s\" stands here a second time",
                                        known[i].name);
                else
                        members[i] = node;
        }

        for (i = 0; known[i].name; ++i)
                if (!members[i].json && !known[i].is_optional)
                        source_complain(source, parent, "A %s lacks its \"%s\"", what, known[i].name);

        return source->complaints->n > n_before ? -EINVAL : 0;
}

void node_read_name(struct source *source, struct node node, char *name, size_t size) {
        const char *text = cJSON_GetStringValue(node.json);
        size_t n = text ? strlen(text) : 0;
        bool is_plain = true;

        for (size_t i = 0; i < n; ++i)
                if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
                        is_plain = false;

        if (n == 0 || n >= size || !is_plain)
                source_complain(source, node,
                                "\"%s\" must be a string of 1 to %zu ASCII characters without quotes and "
                                "backslashes",
                                node.json->string, size - 1);
        else
                memcpy(name, text, n + 1);
}

static const char *scale_describe(uint32_t scale) {
        return scale == 1     ? "be a whole number"
               : scale == 100 ? "have two decimals at most"
                              : "have six decimals at most";
}

void node_read_number(struct source *source, struct node node, const char *what, int32_t minimum,
                int32_t maximum, uint32_t scale, int32_t *numberp) {
        double number = cJSON_GetNumberValue(node.json), scaled, rest;
        char key[WHAT_MAX];
        int32_t whole;

        if (!what) {
                (void) snprintf(key, sizeof(key), "\"%s\"", node.json->string);
                what = key;
        }

        /* also without a number, which is a NaN */
        if (!(number >= minimum && number <= maximum)) {
                source_complain(source, node, "%s must be a number from %d to %d", what, minimum, maximum);
                return;
        }

        scaled = number * scale;
        whole = (int32_t) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
        rest = scaled - whole;
        if (rest > 1e-5 || rest < -1e-5) {
                source_complain(source, node, "%s must %s", what, scale_describe(scale));
                return;
        }

        *numberp = whole;
}

/* life cycle */

int source_init(struct source *source, struct complaints *complaints, const char *file, const char *text,
                size_t size) {
        const char *stop;

        if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                text += 3;
                size -= 3;
        }
        *source = (struct source){
                .complaints = complaints,
                .file = file,
                .text = text,
                .end = text + size,
                .counted = text,
                .line = 1,
        };

        /* cJSON stops at the end of the value, or where it understood nothing more. */
        stop = text;
        source->json = cJSON_ParseWithLengthOpts(text, size, &stop, 0);
        stop = text_skip_blanks(MAX(stop, text), source->end);
        if (!source->json || stop < source->end) {
                source_complain(source, (struct node){ .text = stop }, "This is not JSON%s",
                                source->json ? ": the text goes on after its end" : "");
                return -EINVAL;
        }

        return 0;
}

void source_deinit(struct source *source) {
        cJSON_Delete(source->json);
        source->json = NULL;
}

struct node source_get_root(struct source *source) {
        return (struct node){ source->json, text_skip_blanks(source->text, source->end) };
}
