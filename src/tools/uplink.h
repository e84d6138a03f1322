/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The program that carries batches away, and how it is doing
 *
 * It is another process, found in I4_LIBEXEC: what it suffers from a network holds nobody up here.
 */

#include "batch/target.h"
#include "batch/uplink.h"

#include <stdbool.h>
#include <sys/types.h>

struct uplink {
        const char *who;
        pid_t pid; /* 0: there is none */
        int fd;
        struct uplink_report report; /* the latest */
};

#define UPLINK_INIT ((struct uplink){ .fd = -1 })

/* @gives_up: it ends on what another try will not change. A negative errno, told. */
int uplink_start(struct uplink *uplink, const char *who, const char *directory, const struct target *target,
                bool gives_up);
/* Kills what still runs. */
void uplink_deinit(struct uplink *uplink);

/* There is more to fetch. */
void uplink_wake(const struct uplink *uplink);

/* Takes in what it says. -ECHILD: it has ended, told. */
int uplink_look(struct uplink *uplink);

/*
 * Nothing more comes. Waits until all is carried, calling @look once a second, or until a signal asks to
 * stop. A negative errno if something is left, told.
 */
int uplink_finish(struct uplink *uplink, void (*look)(void *userdata), void *userdata);
