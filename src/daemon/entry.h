/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An entry of the journal
 *
 * It is built on the stack as the journal takes it, an array of FIELD=value, and sent in one call. Names of
 * fields are capital letters and underscores, since the catalog replaces only such in its texts. The message
 * comes last: the same entry serves a person at a terminal, who gets the message alone.
 *
 * A value that is too long is cut. How many fields there are is the program's doing, and asserted.
 */

#include "daemon/condition.h"
#include "util/macros.h"

#include <stdarg.h>
#include <sys/uio.h>

#define ENTRY_FIELDS_MAX 40
#define ENTRY_SIZE       16384

struct entry {
        enum condition condition;
        struct iovec fields[ENTRY_FIELDS_MAX];
        size_t n_fields;
        char text[ENTRY_SIZE];
        size_t size;
};

/* With the fields that every entry has. */
void entry_init(struct entry *entry, enum condition condition);

void entry_add(struct entry *entry, const char *name, const char *format, ...) _printf_(3, 4);
void entry_add_number(struct entry *entry, const char *name, uint64_t number);
void entry_add_span(struct entry *entry, const char *name, uint64_t ns);
/* @error: a negative errno */
void entry_add_error(struct entry *entry, int error);

/* Adds the message. @n_held_back: entries of the condition that were not told before this one */
void entry_end(struct entry *entry, uint64_t n_held_back, const char *format, va_list args) _printf_(3, 0);
