/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How far a topic has come, kept in a directory
 *
 * The directory is one sender's at a time.
 */

#include "tools/origin.h"

#include <stdint.h>

struct position {
        char origin[ORIGIN_SIZE]; /* the ring */
        uint64_t sequence;        /* acknowledged is what is before */
};

/* The directory, made if need be: a descriptor; -EBUSY another sender has it; or another negative errno. */
int position_open(const char *directory);

/* 0; -ENOENT there is none of @topic; -EBADMSG what is there makes no sense; or another negative errno. */
int position_load(struct position *position, int fd, const char *topic);

/* As a whole and for good. 0, or a negative errno. */
int position_save(const struct position *position, int fd, const char *topic);
