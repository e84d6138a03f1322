/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lines of the encoder, spoilt
 *
 * A line that is edited here was made by i4 itself: an object of known keys, without blanks, whose text needs
 * no escapes. It is changed in place and grows by at most EDIT_GROWTH_MAX bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDIT_GROWTH_MAX 32

struct line {
        char *text; /* ends with a newline and NUL */
        size_t n;   /* bytes, with the newline, without NUL */
};

/* What the edits below choose from: the keys that every line has. */
size_t edit_get_n_fields(void);
const char *edit_get_field(size_t field);

/* The value of the key @name as it stands in the line, with its quotes; NULL: no such key. */
const char *edit_find(const struct line *line, const char *name, size_t *np);

void edit_remove(struct line *line, const char *name);
void edit_set_null(struct line *line, const char *name);

/* Text becomes a number, a number text, an object an array. */
void edit_change_type(struct line *line, const char *name);

/* Takes or doubles a character of the syntax; @draw chooses which. The result is not JSON. */
void edit_break(struct line *line, uint64_t draw);

/* Cuts the line anywhere behind its first byte, before its last one. */
void edit_truncate(struct line *line, uint64_t draw);

void edit_rename(struct line *line, const char *name, const char *new_name);

/* Another key at the end; @member is its text: "\"firmware\":\"2.1\"". */
void edit_append(struct line *line, const char *member);
