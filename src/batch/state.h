/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is remembered between two runs, a small JSON file beside the batches
 */

#include "batch/outbox.h"

struct state {
        char name[OUTBOX_NAME_MAX]; /* of the last batch; "": none yet */
        uint64_t name_ns;
        struct outbox_position position;
};

/* In the directory @fd. -ENOENT; -EBADMSG: it makes no sense. */
int state_load(struct state *state, int fd);
/* The file is exchanged whole. Errors of open(), write(), rename(). */
int state_save(const struct state *state, int fd);
