/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/attach.h"

#include "tools/say.h"
#include "tools/stop.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/socket_mark.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#define DEFAULT_PATH  "/run/i4/ring.sock"
#define DEFAULT_GROUP "i4"

#define RESTART_TIMEOUT_NS (3 * NSEC_PER_SEC)
#define RENEW_TIMEOUT_NS   (30 * NSEC_PER_SEC)
#define UPDATE_TIMEOUT_NS  (10 * NSEC_PER_SEC)

#define LOOK_INTERVAL_NS (50 * NSEC_PER_MSEC)

const char *attachment_get_path(const struct attachment *attachment) {
        const char *path = attachment->path ? attachment->path : getenv("I4_SOCKET");

        return path && *path ? path : DEFAULT_PATH;
}

bool attachment_finds_nobody(const struct attachment *attachment) {
        const struct timespec pause = timespec_from_ns(LOOK_INTERVAL_NS);
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + RESTART_TIMEOUT_NS;
        bool is_deserted;

        while ((is_deserted = socket_is_deserted(attachment_get_path(attachment))) && !stop_is_requested() &&
                        clock_now_ns(CLOCK_MONOTONIC) < deadline_ns)
                (void) nanosleep(&pause, NULL);

        return is_deserted;
}

/* The group that may connect. A socket that cannot even be looked at is the installed one. */
static const struct group *socket_get_group(const char *path) {
        const struct group *group = NULL;
        struct stat st;

        if (stat(path, &st) >= 0)
                group = getgrgid(st.st_gid);

        return group ? group : getgrnam(DEFAULT_GROUP);
}

static bool user_is_member(const char *user, const struct group *group) {
        for (char **member = group->gr_mem; *member; ++member)
                if (strcmp(*member, user) == 0)
                        return true;

        return false;
}

static void explain_access(const struct attachment *attachment) {
        const char *path = attachment_get_path(attachment);
        const struct group *group = socket_get_group(path);
        const char *name = group ? group->gr_name : DEFAULT_GROUP;
        const struct passwd *passwd = getpwuid(geteuid());
        const char *user = passwd ? passwd->pw_name : "$USER";

        if (group && user_is_member(user, group))
                say(attachment->who,
                                "not allowed to connect to %s: %s is in group %s, but not yet in this session; "
                                "log in again, or try 'newgrp %s'",
                                path, user, name, name);
        else
                say(attachment->who,
                                "not allowed to connect to %s: this is for group %s; "
                                "run 'sudo usermod -aG %s %s' and log in again",
                                path, name, name, user);
}

static void explain_absence(const struct attachment *attachment, int error) {
        const char *path = attachment_get_path(attachment);
        const char *reason = error == -ENOENT ? "there is no such socket" : "nobody answers";

        if (strcmp(path, DEFAULT_PATH) == 0)
                say(attachment->who,
                                "i4d does not run: %s at %s; "
                                "start it with 'sudo systemctl start i4d.socket i4d.service'%s",
                                reason, path,
                                error == -ENOENT ? "" : ", or see why in 'systemctl status i4d'");
        else
                say(attachment->who, "no i4d at %s: %s; is it the path given to 'i4d --socket'?", path,
                                reason);
}

static void explain(const struct attachment *attachment, int error) {
        const char *path = attachment_get_path(attachment);

        switch (error) {
        case -EACCES:
                explain_access(attachment);
                return;
        case -ENOENT:
        case -ECONNREFUSED:
                explain_absence(attachment, error);
                return;
        case -EUSERS:
                say(attachment->who,
                                "i4d at %s has no place for another reader; raise MaxReaders= in i4d.conf(5)",
                                path);
                return;
        case -ETIMEDOUT:
                say(attachment->who, "i4d at %s does not answer; 'systemctl status i4d' may tell why", path);
                return;
        case -EPROTO:
        case -EPROTONOSUPPORT:
        case -EPROTOTYPE:
                say(attachment->who,
                                "what listens at %s is no i4d that this i4 (%s) understands; update the older",
                                path, I4_VERSION);
                return;
        case -EBADMSG:
                say(attachment->who,
                                "the ring of i4d at %s is damaged; 'sudo systemctl restart i4d' makes another",
                                path);
                return;
        default:
                say(attachment->who, "cannot attach to i4d at %s: %s", path, strerror(-error));
        }
}

/* Nobody is there now, which may change by itself. */
static bool error_is_absence(int error) {
        return error == -ENOENT || error == -ECONNREFUSED || error == -ETIMEDOUT;
}

static bool error_is_version(int error) {
        return error == -EPROTO || error == -EPROTONOSUPPORT || error == -EPROTOTYPE;
}

static void sleep_a_second(const struct attachment *attachment) {
        const struct timespec second = { .tv_sec = 1 };

        /* Its watchdog would take it for dead. */
        if (attachment->is_service)
                (void) sd_notify(0, "WATCHDOG=1");
        (void) nanosleep(&second, NULL);
}

static int attachment_try(const struct attachment *attachment, i4_reader **readerp) {
        /* Who waits for a daemon, or goes on reading from one, does not start it. */
        if ((attachment->wait || attachment->program->is_successor) &&
                        socket_is_deserted(attachment_get_path(attachment)))
                return -ECONNREFUSED;

        return attachment->is_observer ? i4_reader_open_observer(readerp, attachment->path, attachment->who)
                                       : i4_reader_open(readerp, attachment->path, attachment->who);
}

static void tell_waiting(const struct attachment *attachment) {
        const char *path = attachment_get_path(attachment);

        say(attachment->who, "waiting for i4d at %s", path);
        if (attachment->is_service)
                (void) sd_notifyf(0, "STATUS=Waiting for i4d at %s", path);
}

/* The daemon was updated; so is what it is read with, before or after. */
static int attachment_await_update(const struct attachment *attachment, int error) {
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + UPDATE_TIMEOUT_NS;
        bool is_told = false;

        while (!program_is_replaced(attachment->program)) {
                if (stop_is_requested())
                        return 1;
                if (clock_now_ns(CLOCK_MONOTONIC) >= deadline_ns) {
                        say(attachment->who, "this i4 was not replaced; update it, and start this again");
                        return error;
                }

                if (!is_told)
                        say(attachment->who,
                                        "i4d was replaced by another version, whose ring this i4 (%s) does not "
                                        "understand; waiting %" PRIu64 " s for this one to be replaced, too",
                                        I4_VERSION, UPDATE_TIMEOUT_NS / NSEC_PER_SEC);
                is_told = true;
                sleep_a_second(attachment);
        }

        /* Who replaces one of program and library is about to replace the other, if it is another, too. */
        sleep_a_second(attachment);
        return -ERESTART;
}

int attachment_open(const struct attachment *attachment, i4_reader **readerp) {
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + RENEW_TIMEOUT_NS;
        bool is_successor = attachment->program->is_successor, is_told = false;
        int r;

        /* It starts no daemon, and may look during a restart. */
        if (attachment->is_observer)
                (void) attachment_finds_nobody(attachment);

        while ((r = attachment_try(attachment, readerp)) < 0) {
                bool is_patient = attachment->wait ||
                                  (is_successor && clock_now_ns(CLOCK_MONOTONIC) < deadline_ns);

                if (stop_is_requested())
                        return 1;
                if (r == -EINTR)
                        continue;
                if (is_successor && error_is_version(r))
                        return attachment_await_update(attachment, r);
                if (!is_patient || !error_is_absence(r)) {
                        explain(attachment, r);
                        return r;
                }

                if (!is_told)
                        tell_waiting(attachment);
                is_told = true;
                sleep_a_second(attachment);
        }

        return 0;
}

static void tell_renewed(const struct attachment *attachment, const i4_reader *reader) {
        if (attachment->is_verbose)
                say(attachment->who, "i4d has a new ring; going on at sequence %" PRIu64,
                                i4_reader_get_cursor(reader));
}

int attachment_renew(const struct attachment *attachment, i4_reader *reader) {
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + RENEW_TIMEOUT_NS;
        int r;

        while ((r = i4_reader_reattach(reader)) < 0) {
                bool is_late = !attachment->wait && clock_now_ns(CLOCK_MONOTONIC) >= deadline_ns;

                if (stop_is_requested())
                        return 1;
                if (r == -EINTR)
                        continue;
                if (error_is_version(r))
                        return attachment_await_update(attachment, r);
                if (is_late || !error_is_absence(r)) {
                        explain(attachment, r);
                        return r;
                }

                sleep_a_second(attachment);
        }

        tell_renewed(attachment, reader);
        return 0;
}

int attachment_tell_gone(const struct attachment *attachment, bool *is_toldp) {
        if (!attachment->wait) {
                say(attachment->who, "i4d has been gone for 30 s; with --wait this stays until it is back");
                return -ECONNRESET;
        }

        if (!*is_toldp && attachment->is_verbose)
                say(attachment->who, "i4d is gone; waiting for it");
        *is_toldp = true;
        return 0;
}

int attachment_tell_unreadable(const struct attachment *attachment, int error, uint64_t sequence) {
        if (error == -EBADMSG)
                say(attachment->who, "the ring is damaged at sequence %" PRIu64, sequence);
        else
                say(attachment->who, "cannot read the ring at sequence %" PRIu64 ": %s", sequence,
                                strerror(-error));
        return error;
}

int attachment_seek_place(const struct attachment *attachment, i4_reader *reader) {
        uint64_t sequence = attachment->program->place.sequence;
        struct i4_stats stats;
        int r;

        r = i4_reader_get_stats(reader, &stats, sizeof(stats));
        if (r < 0)
                return r;

        r = i4_reader_seek(reader, stats.ring_first >= sequence ? sequence : I4_OLDEST);
        if (r >= 0)
                tell_renewed(attachment, reader);
        return r;
}

void attachment_restart(const struct attachment *attachment, const struct program_place *place) {
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + UPDATE_TIMEOUT_NS;
        int r;

        /* Who has written all of it may still have it open, or be about to put another in its place. */
        while ((r = program_restart(attachment->program, place)) < 0 && !stop_is_requested() &&
                        clock_now_ns(CLOCK_MONOTONIC) < deadline_ns)
                sleep_a_second(attachment);

        if (!stop_is_requested())
                say(attachment->who, "i4 was replaced, and what lies at %s now cannot be started: %s",
                                attachment->program->executable.path, strerror(-r));
}
