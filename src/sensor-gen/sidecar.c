/* SPDX-License-Identifier: Apache-2.0 */

#include "sensor-gen/sidecar.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define LINES_SUFFIX  ".jsonl"
#define EVENTS_SUFFIX ".events.jsonl"

int sidecar_open(FILE **filep, const char *output_path, bool is_append) {
        size_t n = strlen(output_path), n_suffix = strlen(LINES_SUFFIX);
        char path[PATH_MAX];
        FILE *file;

        if (n > n_suffix && strcmp(output_path + n - n_suffix, LINES_SUFFIX) == 0)
                n -= n_suffix;
        if (n + sizeof(EVENTS_SUFFIX) > sizeof(path))
                return -ENAMETOOLONG;

        (void) snprintf(path, sizeof(path), "%.*s" EVENTS_SUFFIX, (int) n, output_path);
        file = fopen(path, is_append ? "ae" : "we");
        if (!file)
                return -errno;

        *filep = file;
        return 0;
}

int sidecar_close(FILE *file) {
        return file && fclose(file) != 0 ? -errno : 0;
}
