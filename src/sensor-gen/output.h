/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the lines go
 */

#include <stdbool.h>
#include <stdint.h>

struct output {
        int fd;
        bool is_stream;  /* cannot seek: a pipe, a device, standard output whatever it is */
        uint64_t offset; /* where the first line goes */
};

#define OUTPUT_INIT                                                                                          \
        { .fd = -1 }

/*
 * Opens @path, "-" for standard output. A regular file is emptied, or with @is_append kept; a last line that
 * was torn is ended then, so that it spoils no other.
 */
int output_open(struct output *output, const char *path, bool is_append);

/* Size of the file, or -errno. -ESPIPE: a stream has none. */
int64_t output_get_size(const struct output *output);

/* Some file systems tell about a failed write no earlier than here. */
int output_close(struct output *output);

static inline void output_deinit(struct output *output) {
        (void) output_close(output);
}
