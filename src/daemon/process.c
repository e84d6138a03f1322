/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/process.h"

#include "util/macros.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

int process_block_signals(void) {
        static const int blocked[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
        sigset_t set;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGXFSZ, SIG_IGN);

        (void) sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(blocked); ++i)
                (void) sigaddset(&set, blocked[i]);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

void process_allow_descriptors(uint64_t n) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= n)
                return;

        limit.rlim_cur = MIN(n, limit.rlim_max);
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}
