/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the socket of readers says itself, to those who must not connect to find out
 *
 * Where systemd listens, connecting starts a daemon. The socket's modification time is that at which a daemon
 * became ready at it; or that at which it was made, before the first one; or SOCKET_TIME_NOBODY from the
 * moment in which one begins to stop, or was killed. Not every kernel tells when a socket was made; systemd
 * sets its time to SOCKET_TIME_NOBODY as well.
 */

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <time.h>

#define SOCKET_TIME_NOBODY 0 /* tv_sec */

/* Which daemon made itself ready at it. */
struct socket_mark {
        dev_t device;
        ino_t inode; /* 0: there is no socket */
        struct timespec modified;
        bool is_new; /* since it was made */
};

static inline struct socket_mark socket_mark_get(const char *path) {
        struct statx st;

        if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
                return (struct socket_mark){ .modified.tv_sec = SOCKET_TIME_NOBODY };

        return (struct socket_mark){
                .device = makedev(st.stx_dev_major, st.stx_dev_minor),
                .inode = st.stx_ino,
                .modified = { st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec },
                .is_new = (st.stx_mask & STATX_BTIME) && st.stx_btime.tv_sec == st.stx_mtime.tv_sec &&
                          st.stx_btime.tv_nsec == st.stx_mtime.tv_nsec,
        };
}

/* No daemon is ready, or there is no socket. */
static inline bool socket_mark_is_of_nobody(struct socket_mark mark) {
        return mark.modified.tv_sec == SOCKET_TIME_NOBODY || mark.is_new;
}

static inline bool socket_mark_is_same(struct socket_mark a, struct socket_mark b) {
        return a.device == b.device && a.inode == b.inode && a.modified.tv_sec == b.modified.tv_sec &&
               a.modified.tv_nsec == b.modified.tv_nsec;
}

/* There is a socket, and no daemon ready at it: connecting would start one. */
static inline bool socket_is_deserted(const char *path) {
        struct socket_mark mark = socket_mark_get(path);

        return mark.inode != 0 && socket_mark_is_of_nobody(mark);
}
