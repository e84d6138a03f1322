/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/sealed.h"

#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX  "readings-"
#define SUFFIX  ".jsonl"
#define SUSPECT ".suspect"

void sealed_format_name(
                char name[static SEALED_NAME_MAX], uint64_t sequence, uint64_t time_ns, bool is_suspect) {
        time_t time = (time_t) (time_ns / NSEC_PER_SEC);
        char text[sizeof("20261123T104943Z") + 8];
        struct tm tm = {};

        (void) gmtime_r(&time, &tm);
        (void) strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
        (void) snprintf(name, SEALED_NAME_MAX, PREFIX "%020" PRIu64 "-%s%s" SUFFIX, sequence, text,
                        is_suspect ? SUSPECT : "");
}

/* Behind what @pattern says, in which 0 is any digit; NULL: it is not that. */
static const char *name_skip(const char *name, const char *pattern) {
        for (; *pattern; ++pattern, ++name)
                if (*pattern == '0' ? !isdigit((unsigned char) *name) : *name != *pattern)
                        return NULL;

        return name;
}

static bool sealed_is_ours(const char *name) {
        const char *end = name_skip(name, PREFIX "00000000000000000000-00000000T000000Z");

        return end && (strcmp(end, SUFFIX) == 0 || strcmp(end, SUSPECT SUFFIX) == 0);
}

static int sealed_list_add(struct sealed_list *list, const char *name, const struct stat *st) {
        struct sealed_file *files;
        char *copy;

        if (list->n_files == list->n_allocated) {
                size_t n = 2 * list->n_allocated + 64;

                files = reallocarray(list->files, n, sizeof(*files));
                if (!files)
                        return -ENOMEM;
                list->files = files;
                list->n_allocated = n;
        }

        copy = strdup(name);
        if (!copy)
                return -ENOMEM;

        list->files[list->n_files++] = (struct sealed_file){
                .name = copy,
                .inode = st->st_ino,
                .bytes = (uint64_t) st->st_blocks * STAT_BLOCK,
                .time_ns = timespec_to_ns(st->st_mtim),
        };
        return 0;
}

/* One that cannot be looked at is not passed over: what is newer would be taken for the oldest. */
static int sealed_list_look(struct sealed_list *list, int fd, const char *name) {
        struct stat st;

        if (!sealed_is_ours(name))
                return 0;
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;

        return S_ISREG(st.st_mode) ? sealed_list_add(list, name, &st) : 0;
}

static int sealed_compare(const void *a, const void *b) {
        return strcmp(((const struct sealed_file *) a)->name, ((const struct sealed_file *) b)->name);
}

/* The order of the names is that of the readings. Consumers may remove files too, so it is read anew each
 * time. */
int sealed_list_read(struct sealed_list *list, int fd) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int r;

        r = file_open_entries(fd, &dir);
        if (r < 0)
                return r;

        while ((errno = 0, entry = readdir(dir))) {
                r = sealed_list_look(list, fd, entry->d_name);
                if (r < 0)
                        return r;
        }
        if (errno > 0)
                return -errno;

        if (list->n_files > 1)
                qsort(list->files, list->n_files, sizeof(*list->files), sealed_compare);
        return 0;
}

void sealed_list_deinit(struct sealed_list *list) {
        for (size_t i = 0; i < list->n_files; ++i)
                free(list->files[i].name);
        free(list->files);
        *list = (struct sealed_list){};
}
