/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The directory of a test: what is called how in it, and its end. */

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static int tree_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where) {
        (void) st;
        (void) kind;
        (void) where;
        (void) remove(path);
        return 0;
}

/* Path of @name in @directory, until the next call. */
static inline const char *tree_path(const char *directory, const char *name) {
        static char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        return path;
}

/* With all that is left in it. */
static inline void tree_remove(const char *path) {
        (void) nftw(path, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
