/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/entry.h"

#include "util/parse.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#define VALUE_MAX (PATH_MAX + 256) /* of one field; two paths leave room for all else */

static void entry_close(struct entry *entry, const char *begin) {
        entry->fields[entry->n_fields++] =
                        (struct iovec){ (char *) begin, entry->size - (size_t) (begin - entry->text) };
}

static void entry_append_list(struct entry *entry, const char *format, va_list args) _printf_(2, 0);

/* What is too long is cut, so that the message, which comes last, always has its place. */
static void entry_append_list(struct entry *entry, const char *format, va_list args) {
        size_t room = MIN(sizeof(entry->text) - entry->size, (size_t) VALUE_MAX);
        int n = vsnprintf(entry->text + entry->size, room, format, args);

        if (n > 0)
                entry->size += MIN((size_t) n, room - 1);
}

static void entry_append(struct entry *entry, const char *format, ...) _printf_(2, 3);

static void entry_append(struct entry *entry, const char *format, ...) {
        va_list args;

        va_start(args, format);
        entry_append_list(entry, format, args);
        va_end(args);
}

void entry_add(struct entry *entry, const char *name, const char *format, ...) {
        const char *begin = entry->text + entry->size;
        va_list args;

        assert(entry->n_fields < ENTRY_FIELDS_MAX);

        va_start(args, format);
        entry_append(entry, "%s=", name);
        entry_append_list(entry, format, args);
        va_end(args);

        entry_close(entry, begin);
}

void entry_add_number(struct entry *entry, const char *name, uint64_t number) {
        entry_add(entry, name, "%" PRIu64, number);
}

void entry_add_span(struct entry *entry, const char *name, uint64_t ns) {
        char span[FORMAT_MAX];

        entry_add(entry, name, "%s", format_span(ns, span));
}

void entry_add_error(struct entry *entry, int error) {
        entry_add(entry, "ERRNO", "%d", -error);
        entry_add(entry, "ERROR", "%s", strerror(-error));
}

void entry_init(struct entry *entry, enum condition condition) {
        entry->condition = condition;
        entry->n_fields = 0;
        entry->size = 0;

        entry_add(entry, "MESSAGE_ID", "%s", condition_get_id(condition));
        entry_add(entry, "PRIORITY", "%d", condition_get_priority(condition));
        entry_add(entry, "SYSLOG_IDENTIFIER", "i4d");
}

void entry_end(struct entry *entry, uint64_t n_held_back, const char *format, va_list args) {
        const char *begin;

        if (n_held_back > 0)
                entry_add_number(entry, "REPORT_HELD_BACK", n_held_back);

        begin = entry->text + entry->size;
        entry_append(entry, "MESSAGE=");
        entry_append_list(entry, format, args);
        if (n_held_back > 0)
                entry_append(entry, " (%" PRIu64 " more of these were not told)", n_held_back);
        entry_close(entry, begin);
}
