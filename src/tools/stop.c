/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/stop.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* The one thing that a signal handler can reach. */
static volatile sig_atomic_t is_requested;

/*
 * A signal may arrive after the program has looked and before it sleeps, and would then interrupt nothing:
 * the alarm comes back every second until the program has ended.
 */
static void handle_signal(int number) {
        (void) number;
        is_requested = 1;
        (void) alarm(1);
}

void stop_init(void) {
        /* Without SA_RESTART: sleeping calls return. */
        struct sigaction stop = { .sa_handler = handle_signal };
        struct sigaction ignore = { .sa_handler = SIG_IGN };

        (void) sigaction(SIGINT, &stop, NULL);
        (void) sigaction(SIGTERM, &stop, NULL);
        (void) sigaction(SIGALRM, &stop, NULL);
        (void) sigaction(SIGPIPE, &ignore, NULL);
}

bool stop_is_requested(void) {
        return is_requested;
}
