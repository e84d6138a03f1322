/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/output.h"

#include "tools/stop.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <poll.h>

#define OUTPUT_SIZE     (UINT64_C(1) << 18) /* bytes; stays in a core's own cache */
#define OUTPUT_DELAY_NS (50 * NSEC_PER_MSEC)

int output_init(struct output *output, int fd) {
        *output = (struct output){ .fd = fd, .size = OUTPUT_SIZE };
        output->buffer = malloc(output->size);
        if (!output->buffer)
                return -ENOMEM;

        file_widen_pipe(fd);
        return 0;
}

void output_deinit(struct output *output) {
        free(output->buffer);
        *output = (struct output){ .fd = -1 };
}

/* The descriptor may be shared with one who has made it non-blocking. */
static int output_wait(const struct output *output) {
        struct pollfd pollfd = { .fd = output->fd, .events = POLLOUT };

        return poll(&pollfd, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int output_write(struct output *output, size_t *n_writtenp) {
        ssize_t n;

        n = write(output->fd, output->buffer + *n_writtenp, output->n - *n_writtenp);
        if (n >= 0) {
                *n_writtenp += (size_t) n;
                return 0;
        }
        if (errno == EAGAIN)
                return output_wait(output);

        return errno == EINTR ? 0 : -errno;
}

/* A slow consumer gets whole lines, but one that takes nothing for a second cannot hold the program. */
static int output_may_stop(const struct output *output) {
        struct pollfd pollfd = { .fd = output->fd, .events = POLLOUT };

        return stop_is_requested() && poll(&pollfd, 1, 1000) <= 0 ? -EINTR : 0;
}

int output_flush(struct output *output) {
        size_t n_written = 0;
        int r = output->error;

        while (r >= 0 && n_written < output->n) {
                r = output_write(output, &n_written);
                if (r >= 0 && n_written < output->n)
                        r = output_may_stop(output);
        }

        output->n = 0;
        output->error = r;
        return r;
}

int output_reserve(struct output *output, size_t size) {
        if (output->n == 0)
                output->waiting_since_ns = clock_now_ns(CLOCK_MONOTONIC_COARSE);

        return output->size - output->n < size ? output_flush(output) : output->error;
}

int output_flush_late(struct output *output) {
        if (output->n == 0 ||
                        clock_now_ns(CLOCK_MONOTONIC_COARSE) - output->waiting_since_ns < OUTPUT_DELAY_NS)
                return 0;

        return output_flush(output);
}

int output_check(struct output *output) {
        struct pollfd pollfd = { .fd = output->fd };

        if (poll(&pollfd, 1, 0) > 0 && (pollfd.revents & (POLLERR | POLLHUP)))
                output->error = -EPIPE;

        return output->error;
}
