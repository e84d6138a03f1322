/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What outlives the process
 *
 * The ring (two descriptors, one of them read-only) and the private state beside it wait in systemd's store
 * while no daemon runs. A start takes them back by name and goes on with them; where they do not fit any more
 * it tells the readers of the old ring, and makes another that goes on with the same numbers if the old one
 * can be trusted to know them.
 *
 * Without systemd, or without FileDescriptorStoreMax= in the unit, all of this is simply made anew.
 */

#include "daemon/state.h"
#include "ring/ring.h"

enum store_result {
        STORE_NEW,      /* nothing was kept */
        STORE_ADOPTED,  /* the ring goes on */
        STORE_REPLACED, /* what was kept is retired, see store_get_reason() */
};

struct store {
        int listen_fd; /* the listening sockets that came along, -1: none */
        int control_fd;
        int ring_fd; /* taken back and not yet used, as the next two */
        int reader_fd;
        int state_fd;
        struct ring *ring;
        struct state *state;
        char reason[128];
};

#define STORE_INIT                                                                                           \
        (struct store) {                                                                                     \
                .listen_fd = -1, .control_fd = -1, .ring_fd = -1, .reader_fd = -1, .state_fd = -1            \
        }

/* Takes what systemd hands over; closes what nobody knows. */
int store_take(struct store *store);

/*
 * Makes ring and state, out of what was taken as far as possible: enum store_result, or -ENOMEM, -ENOSPC and
 * others of ring_new(). @settings says first_sequence where nothing is known. Nothing that was taken is
 * changed before store_keep(): a start that fails for another reason leaves it for the next.
 */
int store_open(struct store *store, const struct ring_settings *settings, const struct i4_catalog *catalog);

/* Why the old ring was not taken: "it holds 1024 records, Records= asks for 4096". */
const char *store_get_reason(const struct store *store);

/*
 * Retires a ring that was replaced, leaves all that is new with systemd, and lets go of what was not used. 0,
 * also where there is no systemd, or why it was not kept.
 */
int store_keep(struct store *store);

void store_deinit(struct store *store);
