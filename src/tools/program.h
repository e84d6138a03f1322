/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The program that runs, and the files it was started from
 *
 * A daemon that was updated may have a ring that this program's library does not know. Then the program was
 * updated, too, or is about to be: it executes itself anew, with the arguments it was given and in the
 * environment where it goes on, as soon as other files lie where those it is made of did. Never without:
 * what is executed anew twice has found other files twice.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct program_file {
        char path[PATH_MAX];
        dev_t device;
        ino_t inode;
        struct timespec modified;
};

/* Where it goes on. */
struct program_place {
        uint64_t sequence; /* of the next record */
        uint64_t n_left;   /* records to go; UINT64_MAX: no end */
        bool has_lost;     /* records, be it before it began, which its exit status is to tell */
};

struct program {
        struct program_file executable;
        struct program_file library; /* libi4, which may be the same */
        bool is_successor;           /* of itself: @place is to be gone on from */
        struct program_place place;
};

/* At the start: takes @place out of the environment. */
void program_init(struct program *program);

/* Whether others lie where its files did, whole ones. */
bool program_is_replaced(const struct program *program);

/* Executes what lies there now, to go on from @place; what was lost before this one began stays lost. Returns
 * only if that failed, and why. */
int program_restart(const struct program *program, const struct program_place *place);
