/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finding the daemon, and saying what to do when that fails
 */

#include "i4.h"

#include <stdbool.h>

struct attachment {
        const char *who;  /* as the daemon and messages name this program */
        const char *path; /* of the socket; NULL: as libi4 finds it */
        bool is_observer;
        bool wait; /* for a daemon that is not there yet */
};

/* The socket that is meant, for messages. */
const char *attachment_get_path(const struct attachment *attachment);

/* 0; 1 a signal asked to stop while waiting; negative errno, told on stderr. */
int attachment_open(const struct attachment *attachment, i4_reader **readerp);

/* As attachment_open(), for a reader whose ring is stale; a daemon in between two rings is given 30 s. */
int attachment_renew(const struct attachment *attachment, i4_reader *reader);
