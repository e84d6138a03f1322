/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Plain system calls
 *
 * The operation is done when submit() returns; reap() only tells. The stream variant writes where the
 * descriptor stands.
 */

#include "storage/engine.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>

struct engine_pwrite {
        struct engine engine;
        int fd;
        int direct_fd;
        int result;
};

static struct engine_pwrite *engine_pwrite_from(struct engine *engine) {
        return (struct engine_pwrite *) (void *) engine;
}

static void pwrite_free(struct engine *engine) {
        free(engine_pwrite_from(engine));
}

static int pwrite_set_file(struct engine *engine, int fd) {
        engine_pwrite_from(engine)->fd = fd;
        return 0;
}

static int pwrite_set_direct_file(struct engine *engine, int fd) {
        engine_pwrite_from(engine)->direct_fd = fd;
        return 0;
}

static int result_of(ssize_t n) {
        return n < 0 ? -errno : (int) n;
}

static int pwrite_perform(int fd, const struct engine_request *request) {
        switch (request->operation) {
        case ENGINE_WRITE:
                return result_of(pwrite(fd, request->data, request->size, (off_t) request->offset));
        case ENGINE_ALLOCATE:
                return result_of(fallocate(
                                fd, FALLOC_FL_KEEP_SIZE, (off_t) request->offset, (off_t) request->size));
        case ENGINE_SYNC:
                return result_of(fdatasync(fd));
        }
        return -EINVAL;
}

static int pwrite_submit(struct engine *engine, const struct engine_request *request) {
        struct engine_pwrite *self = engine_pwrite_from(engine);

        self->result = pwrite_perform(request->is_direct ? self->direct_fd : self->fd, request);
        return 0;
}

static int pwrite_reap(struct engine *engine, uint64_t timeout_ns, int *resultp) {
        *resultp = engine_pwrite_from(engine)->result;
        return 1;
}

/* Whoever shares the descriptor may have made it non-blocking; here waiting is what is wanted. */
static int stream_write(int fd, const void *data, size_t size) {
        struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
        ssize_t n;

        for (;;) {
                n = write(fd, data, size);
                if (n >= 0 || errno != EAGAIN)
                        return result_of(n);
                if (poll(&poll_fd, 1, -1) < 0)
                        return -errno;
        }
}

static int stream_submit(struct engine *engine, const struct engine_request *request) {
        struct engine_pwrite *self = engine_pwrite_from(engine);

        if (request->operation == ENGINE_WRITE)
                self->result = stream_write(self->fd, request->data, request->size);
        else
                self->result = -EOPNOTSUPP;
        return 0;
}

static const struct engine_interface pwrite_interface = {
        .name = "pwrite",
        .free = pwrite_free,
        .set_file = pwrite_set_file,
        .set_direct_file = pwrite_set_direct_file,
        .submit = pwrite_submit,
        .reap = pwrite_reap,
};

static const struct engine_interface stream_interface = {
        .name = "write",
        .free = pwrite_free,
        .set_file = pwrite_set_file,
        .submit = stream_submit,
        .reap = pwrite_reap,
};

static int engine_pwrite_new(struct engine **enginep, const struct engine_interface *interface) {
        struct engine_pwrite *self;

        self = calloc(1, sizeof(*self));
        if (!self)
                return -ENOMEM;

        self->engine.interface = interface;
        self->fd = self->direct_fd = -1;
        *enginep = &self->engine;
        return 0;
}

int engine_new_pwrite(struct engine **enginep) {
        return engine_pwrite_new(enginep, &pwrite_interface);
}

int engine_new_stream(struct engine **enginep) {
        return engine_pwrite_new(enginep, &stream_interface);
}
