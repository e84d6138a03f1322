/* SPDX-License-Identifier: Apache-2.0 */

#include "util/mount.h"

#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "rw" or "ro" is always first. */
static bool options_are_read_only(const char *options) {
        return strncmp(options, "ro", 2) == 0 && strchr(", \n", options[2]);
}

int mount_parse(struct mount *mount, const char *line) {
        const char *options = strrchr(line, ' ');
        uint64_t id;
        int n = 0;

        /* id, parent, device, root, place, options; what comes behind them differs in length. */
        if (sscanf(line, "%" SCNu64 " %*s %*s %*s %*s %n", &id, &n) != 1 || n == 0 || line[n] == 0 ||
                        !options)
                return -EBADMSG;

        *mount = (struct mount){
                .id = id,
                .is_read_only = options_are_read_only(line + n),
                .is_file_system_read_only = options_are_read_only(options + 1),
        };
        return 0;
}

static int mount_find_id(uint64_t id, struct mount *mount) {
        _cleanup_(fclosep) FILE *file = fopen("/proc/self/mountinfo", "re");
        _cleanup_(freep) char *line = NULL;
        struct mount found;
        size_t size = 0;

        if (!file)
                return -errno;

        while (getline(&line, &size, file) >= 0)
                if (mount_parse(&found, line) >= 0 && found.id == id) {
                        *mount = found;
                        return 0;
                }

        return -ENODATA;
}

int mount_find(struct mount *mount, const char *path) {
        struct statx st;

        if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) < 0)
                return -errno;
        if (!(st.stx_mask & STATX_MNT_ID))
                return -ENODATA;

        return mount_find_id(st.stx_mnt_id, mount);
}
