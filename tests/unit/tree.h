/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Removes what a test has left below its directory, and the directory. */

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

static inline void tree_remove(const char *path) {
        (void) nftw(path, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
