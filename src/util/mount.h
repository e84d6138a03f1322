/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A file system may be writable and a mount of it not. A service that may write to a few places sees them
 * through mounts of its own, which are as the system's were when it was started.
 */
struct mount {
        uint64_t id;
        bool is_read_only;             /* what is seen through it */
        bool is_file_system_read_only; /* for everybody */
};

/* Of a line of /proc/self/mountinfo. -EBADMSG: it is none. */
int mount_parse(struct mount *mount, const char *line);

/* The one through which this process sees @path. -ENODATA: the kernel does not say which. */
int mount_find(struct mount *mount, const char *path);
