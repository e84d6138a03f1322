/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file system as a power cut leaves it: names and what they stand for, bytes
 *
 * Made of the first changes of a history. Names and bytes are lost by themselves, so they are made by
 * themselves. All zero is an empty one.
 */

#include "disk-history.h"
#include "fault-disk.h"

#include <limits.h>

#define SEALED_NAME "sealed"
#define PATH_SIZE   (PATH_MAX + NAME_MAX + sizeof("/" SEALED_NAME "/"))

struct name {
        char name[NAME_SIZE];
        enum place place;
        unsigned int file;
};

struct image {
        struct name names[FILES_MAX];
        size_t n_names;
        char *bytes[FILES_MAX];
        size_t sizes[FILES_MAX];
};

void image_deinit(struct image *image);

/* @name in @place of the directory @top. @path is returned. */
const char *path_format(char path[static PATH_SIZE], const char *top, enum place place, const char *name);

/* The bytes of all files; @loss: what becomes of those that were not synced. */
void image_fill(struct image *image, const struct disk_history *history, size_t n_changes,
                enum disk_loss loss);

/* Names, but for the last that are not sure: all but @outcome of those are lost. */
void image_name(struct image *image, const struct disk_history *history, size_t n_changes, size_t outcome);

/* Makes it below @path, which must be empty. */
void image_store(const struct image *image, const char *path);

/* What is sealed has its name or bytes from this change, which a power cut behind all may undo. */
bool image_is_unsure(const struct image *image, const struct disk_history *history, size_t number);
