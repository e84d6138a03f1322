/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon as one object
 *
 * Owns everything, in the order of its making, and the event loop; the generator and the recorder have
 * threads of their own and tell it what happened. It alone talks to systemd and to the journal.
 */

#include "daemon/options.h"

struct service;

/*
 * Reads the settings, blocks the signals it handles, takes back what systemd kept, makes or adopts the ring
 * and starts the threads. What goes wrong is told, once. -EINVAL: the settings are wrong.
 */
int service_new(struct service **servicep, const struct options *options);
struct service *service_free(struct service *service);

/*
 * Says ready and runs until it is told to end; then drains to disk. An error if it failed, or if readings
 * were left that nobody keeps.
 */
int service_run(struct service *service);

static inline void service_freep(struct service **service) {
        if (*service)
                (void) service_free(*service);
}
