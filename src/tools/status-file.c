/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/status-file.h"

#include "util/macros.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* Who cannot read it learns less; what is carried is what counts. */
void status_file_write(const char *text) {
        const char *directory = getenv("RUNTIME_DIRECTORY");
        char path[PATH_MAX], new_path[PATH_MAX];
        size_t n_text = strlen(text);
        ssize_t n;
        int fd;

        if (!directory)
                return;

        (void) snprintf(path, sizeof(path), "%.4000s/status.json", directory);
        (void) snprintf(new_path, sizeof(new_path), "%.4000s/status.json.new", directory);
        fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return;

        n = write(fd, text, n_text);
        (void) close(fd);
        if (n == (ssize_t) n_text)
                (void) rename(new_path, path);
}
