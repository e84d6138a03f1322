/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/uplink.h"

#include "tools/libexec.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PROGRAM "i4-s3"

#define ARGUMENTS_MAX 24u

/* starting it */

static void __attribute__((noreturn)) child_run(const char *path, char *const argv[]) {
        sigset_t none;

        /* As a program expects to find them. */
        (void) signal(SIGPIPE, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) execv(path, argv);
        _exit(errno == ENOENT ? 127 : 126);
}

static void arguments_make(const char *argv[static ARGUMENTS_MAX], const char *directory,
                const struct target *target, const char *fd, bool gives_up) {
        const char *all[] = { PROGRAM, "--directory", directory, "--bucket", target->bucket, "--prefix",
                target->prefix, "--region", target->region, "--node", target->node, "--uplink", fd };
        size_t n = ELEMENTSOF(all);

        memcpy(argv, all, sizeof(all));
        if (target->endpoint) {
                argv[n++] = "--endpoint";
                argv[n++] = target->endpoint;
        }
        if (target->is_path_style)
                argv[n++] = "--path-style";
        if (gives_up)
                argv[n++] = "--give-up";
        argv[n] = NULL;
}

int uplink_start(struct uplink *uplink, const char *who, const char *directory, const struct target *target,
                bool gives_up) {
        const char *argv[ARGUMENTS_MAX];
        char path[PATH_MAX], fd[16];
        int fds[2];

        uplink->who = who;
        (void) snprintf(path, sizeof(path), "%s/" PROGRAM, libexec_get());
        if (access(path, X_OK) < 0) {
                say(who, "there is no %s (%s): this i4 comes without S3", path, strerror(errno));
                return -errno;
        }

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
                say(who, "cannot start %s: %s", path, strerror(errno));
                return -errno;
        }
        (void) snprintf(fd, sizeof(fd), "%i", fds[1]);
        arguments_make(argv, directory, target, fd, gives_up);

        uplink->pid = fork();
        if (uplink->pid == 0) {
                (void) fcntl(fds[1], F_SETFD, 0);
                child_run(path, (char *const *) argv);
        }

        (void) close(fds[1]);
        uplink->fd = fds[0];
        if (uplink->pid < 0) {
                uplink->pid = 0;
                say(who, "cannot start %s: %s", path, strerror(errno));
                return -errno;
        }

        return 0;
}

/* looking after it */

void uplink_wake(const struct uplink *uplink) {
        if (uplink->pid > 0)
                (void) send(uplink->fd, "+", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* False: it has closed its end. */
static bool uplink_receive(struct uplink *uplink) {
        struct uplink_report report;
        ssize_t n;

        while ((n = recv(uplink->fd, &report, sizeof(report), MSG_DONTWAIT)) > 0)
                if ((size_t) n == sizeof(report)) {
                        report.text[sizeof(report.text) - 1] = 0;
                        uplink->report = report;
                }

        return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Its exit status, or 128 and the number of a signal. */
static int uplink_reap(struct uplink *uplink) {
        int status = 0;

        while (waitpid(uplink->pid, &status, 0) < 0 && errno == EINTR)
                ;

        uplink->pid = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int uplink_look(struct uplink *uplink) {
        int status;

        if (uplink->pid == 0 || uplink_receive(uplink))
                return 0;

        status = uplink_reap(uplink);
        /* It ends well only when it is asked to, and then we are too, this moment or the next. */
        if (status == 0 && !stop_is_requested())
                (void) poll(NULL, 0, 1000);
        if (stop_is_requested())
                return 0;

        /* What has a status of ours has told why. */
        if (status > 2)
                say(uplink->who, PROGRAM " ended unexpectedly (status %i)", status);
        return -ECHILD;
}

static void uplink_stop(struct uplink *uplink) {
        (void) kill(uplink->pid, SIGTERM);
        (void) uplink_reap(uplink);
}

void uplink_deinit(struct uplink *uplink) {
        if (uplink->pid > 0)
                uplink_stop(uplink);
        closep(&uplink->fd);
        uplink->fd = -1;
}

int uplink_finish(struct uplink *uplink, void (*look)(void *userdata), void *userdata) {
        int status;

        if (uplink->pid == 0)
                return 0;

        (void) shutdown(uplink->fd, SHUT_WR);
        while (!stop_is_requested() && uplink_receive(uplink)) {
                struct pollfd pollfd = { .fd = uplink->fd, .events = POLLIN };

                (void) poll(&pollfd, 1, 1000);
                look(userdata);
        }

        if (stop_is_requested()) {
                uplink_stop(uplink);
                return 0;
        }

        (void) uplink_receive(uplink);
        status = uplink_reap(uplink);
        if (status > 2)
                say(uplink->who, PROGRAM " ended unexpectedly (status %i)", status);
        return status == 0 ? 0 : -ECHILD;
}
