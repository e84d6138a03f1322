/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was changed in a directory of readings, in its order, and what a power cut may take of that
 *
 * Files have numbers, whatever they are called. A misuse ends the program.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define FILES_MAX   64u
#define CHANGES_MAX 1024u
#define NAME_SIZE   96u

enum place {
        PLACE_TOP,
        PLACE_SEALED,
        PLACE_NONE,
};

enum change_kind {
        CHANGE_WRITE,
        CHANGE_TRUNCATE,
        CHANGE_SYNC,
        CHANGE_CREATE,
        CHANGE_RENAME,
        CHANGE_LINK,
        CHANGE_UNLINK,
        CHANGE_SYNC_PLACE,
};

struct change {
        enum change_kind kind;
        unsigned int file;
        uint64_t offset; /* of a write; the size after a truncation */
        size_t size;
        char *bytes;
        enum place place, new_place;
        char name[NAME_SIZE], new_name[NAME_SIZE];
};

struct disk_history {
        struct change changes[CHANGES_MAX];
        size_t n;
};

static inline void require(bool condition) {
        if (!condition)
                abort();
}

void name_copy(char name[static NAME_SIZE], const char *from);

void history_forget(struct disk_history *history);

struct change *history_add(struct disk_history *history, enum change_kind kind);
void history_add_name(struct disk_history *history, enum change_kind kind, enum place place, const char *name,
                unsigned int file);
void history_add_move(struct disk_history *history, enum change_kind kind, enum place place, const char *name,
                enum place new_place, const char *new_name);
void history_add_truncation(struct disk_history *history, unsigned int file, uint64_t size);
void history_add_write(struct disk_history *history, unsigned int file, const void *bytes, size_t size,
                uint64_t offset);

/* Of the first @n_changes. */

bool change_is_of_names(const struct change *change);
/* The number of changes up to the last of a name that is sure to be kept. */
size_t history_get_n_sure(const struct disk_history *history, size_t n_changes);
/* How many different outcomes a cut behind them has as to names. */
size_t history_get_n_outcomes(const struct disk_history *history, size_t n_changes);
/* Whether the file of change @number was synced behind it. */
bool history_is_synced(const struct disk_history *history, size_t number, size_t n_changes);
bool history_is_last_write(const struct disk_history *history, size_t number, size_t n_changes);
