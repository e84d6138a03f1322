/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finding the daemon, and saying what to do when that fails
 */

#include "i4.h"

#include "tools/program.h"

#include <stdbool.h>

struct attachment {
        const char *who;  /* as the daemon and messages name this program */
        const char *path; /* of the socket; NULL: as libi4 finds it */
        bool is_observer;
        bool is_verbose; /* tells that the daemon is gone, and when it is back with another ring */
        bool is_service; /* tells the service manager that it waits */
        bool wait;       /* for a daemon that is not there yet, and is not to be started */
        const struct program *program; /* who attaches */
};

/* The socket that is meant, for messages. */
const char *attachment_get_path(const struct attachment *attachment);

/*
 * There is a socket, and no daemon ready at it: connecting would start one. A restart is waited for, some
 * seconds.
 */
bool attachment_finds_nobody(const struct attachment *attachment);

/*
 * 0; 1 a signal asked to stop while waiting; negative errno, told on stderr; but -ERESTART: the daemon is of
 * another version, and so is the program by now: end in order, then program_restart(). A program that was
 * executed anew has the patience of attachment_renew().
 */
int attachment_open(const struct attachment *attachment, i4_reader **readerp);

/*
 * As attachment_open(), for a reader whose ring is stale. A daemon in between two rings is given 30 s, a
 * program that is to be replaced after its daemon 10 s.
 */
int attachment_renew(const struct attachment *attachment, i4_reader *reader);

/*
 * A reader found that the daemon has been gone for 30 s: 0 where that is waited for, else -ECONNRESET, told.
 * @is_toldp: whether it was told of this absence; the caller's, who makes it false when there are records
 * again.
 */
int attachment_tell_gone(const struct attachment *attachment, bool *is_toldp);

/* The ring could not be read at @sequence: tells it, and returns @error. */
int attachment_tell_unreadable(const struct attachment *attachment, int error, uint64_t sequence);

/* Of a program that was executed anew: where it goes on, or at the oldest record if the numbers begin anew.
 */
int attachment_seek_place(const struct attachment *attachment, i4_reader *reader);

/* Ends a program after -ERESTART: returns only if that fails, which is told. */
void attachment_restart(const struct attachment *attachment, const struct program_place *place);
