/* SPDX-License-Identifier: Apache-2.0 */

#include "disk-history.h"

#include <string.h>

void history_forget(struct disk_history *history) {
        for (size_t i = 0; i < history->n; ++i)
                free(history->changes[i].bytes);
        history->n = 0;
}

struct change *history_add(struct disk_history *history, enum change_kind kind) {
        struct change *change = &history->changes[history->n++];

        require(history->n <= CHANGES_MAX);
        *change = (struct change){ .kind = kind };
        return change;
}

void name_copy(char name[static NAME_SIZE], const char *from) {
        require(strlen(from) < NAME_SIZE);
        (void) strcpy(name, from);
}

void history_add_name(struct disk_history *history, enum change_kind kind, enum place place, const char *name,
                unsigned int file) {
        struct change *change = history_add(history, kind);

        change->place = place;
        change->file = file;
        name_copy(change->name, name);
}

void history_add_move(struct disk_history *history, enum change_kind kind, enum place place, const char *name,
                enum place new_place, const char *new_name) {
        struct change *change;

        if (place == PLACE_NONE)
                return;

        change = history_add(history, kind);
        change->place = place;
        change->new_place = new_place;
        name_copy(change->name, name);
        name_copy(change->new_name, new_name);
}

void history_add_truncation(struct disk_history *history, unsigned int file, uint64_t size) {
        struct change *change = history_add(history, CHANGE_TRUNCATE);

        change->file = file;
        change->offset = size;
}

void history_add_write(struct disk_history *history, unsigned int file, const void *bytes, size_t size,
                uint64_t offset) {
        struct change *change = history_add(history, CHANGE_WRITE);

        change->file = file;
        change->offset = offset;
        change->size = size;
        change->bytes = malloc(size);
        require(change->bytes);
        memcpy(change->bytes, bytes, size);
}

bool change_is_of_names(const struct change *change) {
        return change->kind >= CHANGE_CREATE && change->kind <= CHANGE_UNLINK;
}

static bool change_concerns(const struct change *change, enum place place) {
        bool is_move = change->kind == CHANGE_RENAME || change->kind == CHANGE_LINK;

        return change->place == place || (is_move && change->new_place == place);
}

size_t history_get_n_sure(const struct disk_history *history, size_t n_changes) {
        size_t n_sure = 0;

        for (size_t i = 0; i < n_changes; ++i)
                if (history->changes[i].kind == CHANGE_SYNC_PLACE)
                        for (size_t k = n_sure; k < i; ++k)
                                if (change_is_of_names(&history->changes[k]) &&
                                                change_concerns(&history->changes[k],
                                                                history->changes[i].place))
                                        n_sure = k + 1;

        return n_sure;
}

size_t history_get_n_outcomes(const struct disk_history *history, size_t n_changes) {
        size_t n = 1;

        for (size_t i = history_get_n_sure(history, n_changes); i < n_changes; ++i)
                n += change_is_of_names(&history->changes[i]);

        return n;
}

/* By a change of @kind to the same file, among the first @n_changes. */
static bool history_is_followed(
                const struct disk_history *history, size_t number, size_t n_changes, enum change_kind kind) {
        for (size_t i = number + 1; i < n_changes; ++i)
                if (history->changes[i].kind == kind &&
                                history->changes[i].file == history->changes[number].file)
                        return true;

        return false;
}

bool history_is_synced(const struct disk_history *history, size_t number, size_t n_changes) {
        return history_is_followed(history, number, n_changes, CHANGE_SYNC);
}

bool history_is_last_write(const struct disk_history *history, size_t number, size_t n_changes) {
        return !history_is_followed(history, number, n_changes, CHANGE_WRITE);
}
