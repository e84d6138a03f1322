/* SPDX-License-Identifier: Apache-2.0 */

#include "sensor-gen/signals.h"

#include "util/clock.h"
#include "util/macros.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>

static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP };

/* A handler has no argument to reach anything else by. */
static volatile sig_atomic_t n_stops_asked;

static void stop_handle(int signal) {
        if (n_stops_asked < 2)
                ++n_stops_asked;
}

static void stop_mask(int how) {
        sigset_t set;

        (void) sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(stop_signals); ++i)
                (void) sigaddset(&set, stop_signals[i]);
        (void) sigprocmask(how, &set, NULL);
}

void signals_init(void) {
        /* No SA_RESTART: a write into a pipe that nobody empties has to end. */
        struct sigaction action = { .sa_handler = stop_handle }, old;

        signals_defer();

        for (size_t i = 0; i < ELEMENTSOF(stop_signals); ++i) {
                /* nohup(1) wants it ignored. For SIGINT, shells do that to every job in the background. */
                if (stop_signals[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 &&
                                old.sa_handler == SIG_IGN)
                        continue;
                (void) sigaction(stop_signals[i], &action, NULL);
        }

        /* A reader that went away and a file that may not grow are errors of write(): EPIPE, EFBIG. */
        action = (struct sigaction){ .sa_handler = SIG_IGN };
        (void) sigaction(SIGPIPE, &action, NULL);
        (void) sigaction(SIGXFSZ, &action, NULL);
}

int signals_get_n_stops(void) {
        return n_stops_asked;
}

void signals_sleep(uint64_t time_ns, int n_stops) {
        struct timespec timeout;
        uint64_t now_ns;
        sigset_t none;

        (void) sigemptyset(&none);

        while (n_stops_asked <= n_stops && (now_ns = clock_now_ns(CLOCK_MONOTONIC)) < time_ns) {
                /* A span of decades would be refused. */
                timeout = timespec_from_ns(MIN(time_ns - now_ns, NSEC_PER_HOUR));
                (void) ppoll(NULL, 0, &timeout, &none);
        }
}

void signals_allow(void) {
        stop_mask(SIG_UNBLOCK);
}

void signals_defer(void) {
        stop_mask(SIG_BLOCK);
}
