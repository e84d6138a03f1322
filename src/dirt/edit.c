/* SPDX-License-Identifier: Apache-2.0 */

#include "dirt/edit.h"

#include "util/macros.h"
#include "util/random.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const fields[] = {
        "sensor_id",
        "timestamp",
        "type",
        "value",
        "unit",
        "location",
        "pipeline_id",
        "status",
        "quality_score",
};

size_t edit_get_n_fields(void) {
        return ELEMENTSOF(fields);
}

const char *edit_get_field(size_t field) {
        return fields[field];
}

/* A member of the object: where its key begins, where its value does, and what comes after it. */
struct member {
        char *key, *value, *end;
};

static char *value_skip(char *value) {
        switch (*value) {
        case '"':
                return strchr(value + 1, '"') + 1;
        case '{':
                return strchr(value, '}') + 1;
        default:
                return value + strcspn(value, ",}");
        }
}

/* Keys of the object in a line are not keys of the line: they are stepped over with their object. */
static bool member_find(const struct line *line, const char *name, struct member *member) {
        size_t n = strlen(name);
        char *key = line->text + 1;

        while (*key == '"') {
                char *value = strchr(key + 1, '"') + 2;

                *member = (struct member){ .key = key, .value = value, .end = value_skip(value) };
                if ((size_t) (value - key) == n + 3 && memcmp(key + 1, name, n) == 0)
                        return true;
                key = member->end + (*member->end == ',');
        }

        return false;
}

/* Puts @n bytes of @text in the place of those from @begin to @end. */
static void line_replace(struct line *line, char *begin, const char *end, const char *text, size_t n) {
        size_t n_rest = (size_t) (line->text + line->n - end);

        memmove(begin + n, end, n_rest + 1);
        memcpy(begin, text, n);
        line->n = (size_t) (begin - line->text) + n + n_rest;
}

const char *edit_find(const struct line *line, const char *name, size_t *np) {
        struct member member;

        if (!member_find(line, name, &member))
                return NULL;

        *np = (size_t) (member.end - member.value);
        return member.value;
}

void edit_remove(struct line *line, const char *name) {
        struct member member;

        if (!member_find(line, name, &member))
                return;

        /* With the comma after it, or if it is the last one, before it. */
        if (*member.end == ',')
                ++member.end;
        else if (member.key[-1] == ',')
                --member.key;
        line_replace(line, member.key, member.end, "", 0);
}

static void member_set(struct line *line, const struct member *member, const char *text) {
        line_replace(line, member->value, member->end, text, strlen(text));
}

void edit_set_null(struct line *line, const char *name) {
        struct member member;

        if (member_find(line, name, &member))
                member_set(line, &member, "null");
}

static uint32_t text_hash(const char *text, const char *end) {
        uint64_t hash = 0;

        for (; text < end; ++text)
                hash = random_mix(hash ^ (unsigned char) *text);

        return (uint32_t) hash;
}

void edit_change_type(struct line *line, const char *name) {
        struct member member;
        char text[64];

        if (!member_find(line, name, &member))
                return;

        if (*member.value == '"')
                (void) snprintf(text, sizeof(text), "%u", text_hash(member.value, member.end));
        else if (*member.value == '{')
                (void) snprintf(text, sizeof(text), "[]");
        else
                (void) snprintf(text, sizeof(text), "\"%.*s\"", (int) (member.end - member.value),
                                member.value);

        member_set(line, &member, text);
}

void edit_break(struct line *line, uint64_t draw) {
        struct member member;
        bool is_found = member_find(line, fields[random_scale(draw, ELEMENTSOF(fields))], &member);

        assert(is_found);
        (void) is_found;

        switch (draw % 4) {
        case 0: /* a key without its first quote */
                line_replace(line, member.key, member.key + 1, "", 0);
                break;
        case 1: /* two commas; and one before the first key, which is as wrong */
                line_replace(line, member.key, member.key, ",", 1);
                break;
        case 2: /* an assignment, as in other languages */
                line_replace(line, member.value - 1, member.value, "=", 1);
                break;
        default: /* an object that does not end */
                line_replace(line, line->text + line->n - 2, line->text + line->n - 1, "", 0);
        }
}

void edit_truncate(struct line *line, uint64_t draw) {
        size_t n = 1 + (size_t) random_scale(draw, line->n - 2);

        line->text[n++] = '\n';
        line->text[n] = '\0';
        line->n = n;
}

void edit_rename(struct line *line, const char *name, const char *new_name) {
        struct member member;

        if (member_find(line, name, &member))
                line_replace(line, member.key + 1, member.value - 2, new_name, strlen(new_name));
}

void edit_append(struct line *line, const char *member) {
        char text[EDIT_GROWTH_MAX + 1];
        char *end = line->text + line->n - 2;
        int n = snprintf(text, sizeof(text), ",%s", member);

        assert(n > 0 && n <= EDIT_GROWTH_MAX);
        line_replace(line, end, end, text, (size_t) n);
}
