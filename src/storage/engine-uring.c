/* SPDX-License-Identifier: Apache-2.0 */

/*
 * io_uring
 *
 * The ring is made disabled, gets its buffers, one empty place for a file, and its restrictions, and is
 * enabled then: from there on it can write, allocate and sync on the registered file, change which file that
 * is, and nothing else. So it cannot serve as a way around the system call filter, not even for somebody who
 * runs code of his own in the process.
 *
 * With IORING_SETUP_SINGLE_ISSUER the ring belongs to the thread that enables it: the one that makes the
 * engine has to use it.
 */

#include "storage/engine.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Kernel interface newer than the oldest headers this is built with. */
#ifndef IORING_SETUP_SUBMIT_ALL
#define IORING_SETUP_SUBMIT_ALL (1U << 7)
#endif
#ifndef IORING_SETUP_COOP_TASKRUN
#define IORING_SETUP_COOP_TASKRUN (1U << 8)
#endif
#ifndef IORING_SETUP_TASKRUN_FLAG
#define IORING_SETUP_TASKRUN_FLAG (1U << 9)
#endif
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif

#define N_ENTRIES 4u

/* The two descriptors of the one file, by their places among the registered ones. */
enum {
        FILE_CACHED,
        FILE_DIRECT,
};

/*
 * What is pinned counts against its user, with that of all the user's processes, and is counted for a while
 * after the process that pinned it has ended: 17 ms, half a second at most were seen on a busy machine. Where
 * a user may pin little, as without a service manager or in a container, a successor has to wait for that.
 */
#define PINNED_TIMEOUT_NS NSEC_PER_SEC
#define PINNED_PAUSE_NS   (5 * NSEC_PER_MSEC)

/* How long engine_free() waits for what is in flight before it leaves that to the kernel. */
#define FREE_TIMEOUT_NS NSEC_PER_SEC

struct engine_uring {
        struct engine engine;
        struct io_uring ring;
        enum engine_operation operation; /* in flight */
        bool is_direct;                  /* as the request said */
        bool is_ready;                   /* @ring is initialised */
        bool is_busy;
};

static struct engine_uring *engine_uring_from(struct engine *engine) {
        return (struct engine_uring *) (void *) engine;
}

/* Newest first; each entry drops what an older kernel answers with EINVAL. */
static const unsigned int setup_ladder[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                        IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_TASKRUN_FLAG,
        0,
};

static int uring_setup(struct io_uring *ring) {
        int r = -EINVAL;

        for (size_t i = 0; i < ELEMENTSOF(setup_ladder) && r == -EINVAL; ++i) {
                struct io_uring_params params = { .flags = setup_ladder[i] | IORING_SETUP_R_DISABLED };

                r = io_uring_queue_init_params(N_ENTRIES, ring, &params);
        }

        return r;
}

/* Not by liburing: the library of Debian 12 does not export these two. */
static int uring_register(const struct io_uring *ring, unsigned int opcode, void *argument, unsigned int n) {
        return syscall(SYS_io_uring_register, ring->ring_fd, opcode, argument, n) < 0 ? -errno : 0;
}

static int uring_restrict(const struct io_uring *ring) {
        struct io_uring_restriction restrictions[] = {
                { .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_REGISTER_ENABLE_RINGS },
                { .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_REGISTER_FILES_UPDATE },
                { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITE_FIXED },
                { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FALLOCATE },
                { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FSYNC },
                { .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_FIXED_FILE },
                { .opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE },
        };

        return uring_register(ring, IORING_REGISTER_RESTRICTIONS, restrictions, ELEMENTSOF(restrictions));
}

static int uring_prepare(struct io_uring *ring, const struct iovec *buffers, unsigned int n_buffers) {
        const int none[] = { -1, -1 };
        int r;

        /* Waiting with a timeout must not need an operation of its own. */
        if (!(ring->features & IORING_FEAT_EXT_ARG))
                return -ENOSYS;

        r = io_uring_register_buffers(ring, buffers, n_buffers);
        if (r < 0)
                return r;
        r = io_uring_register_files(ring, none, ELEMENTSOF(none));
        if (r < 0)
                return r;
        r = uring_restrict(ring);
        if (r < 0)
                return r;

        return uring_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/* Could not be submitted: the engine has failed. Could not be done: the operation has. */
static bool result_is_refusal(enum engine_operation operation, bool is_direct, int result) {
        if (result == -EACCES || result == -EPERM)
                return true;

        /* That a file cannot be written directly is said in the same words, and is no fault of the engine's.
         */
        return operation == ENGINE_WRITE && !is_direct &&
               (result == -EINVAL || result == -EOPNOTSUPP || result == -EFAULT);
}

static int uring_reap(struct engine *engine, uint64_t timeout_ns, int *resultp) {
        struct engine_uring *self = engine_uring_from(engine);
        struct __kernel_timespec timeout = {
                .tv_sec = (long long) (MIN(timeout_ns, NSEC_PER_HOUR) / NSEC_PER_SEC),
                .tv_nsec = (long long) (timeout_ns % NSEC_PER_SEC),
        };
        struct io_uring_cqe *cqe = NULL;
        int r, result;

        if (timeout_ns == 0)
                r = io_uring_peek_cqe(&self->ring, &cqe);
        else
                r = io_uring_wait_cqe_timeout(&self->ring, &cqe, &timeout);
        if (r == -ETIME || r == -EAGAIN || r == -EINTR)
                return 0;
        if (r < 0)
                return r;

        result = cqe->res;
        io_uring_cqe_seen(&self->ring, cqe);
        self->is_busy = false;
        if (result_is_refusal(self->operation, self->is_direct, result))
                return result;

        *resultp = result;
        return 1;
}

static void uring_free(struct engine *engine) {
        struct engine_uring *self = engine_uring_from(engine);
        int result;

        if (self->is_busy)
                (void) uring_reap(engine, FREE_TIMEOUT_NS, &result);
        if (self->is_ready)
                io_uring_queue_exit(&self->ring);
        free(self);
}

static int uring_set(struct engine *engine, unsigned int file, int fd) {
        int r;

        r = io_uring_register_files_update(&engine_uring_from(engine)->ring, file, &fd, 1);
        return r < 0 ? r : 0;
}

static int uring_set_file(struct engine *engine, int fd) {
        return uring_set(engine, FILE_CACHED, fd);
}

static int uring_set_direct_file(struct engine *engine, int fd) {
        return uring_set(engine, FILE_DIRECT, fd);
}

static void sqe_prepare(struct io_uring_sqe *sqe, const struct engine_request *request) {
        switch (request->operation) {
        case ENGINE_WRITE:
                io_uring_prep_write_fixed(sqe, request->is_direct ? FILE_DIRECT : FILE_CACHED, request->data,
                                (unsigned int) request->size, request->offset, (int) request->buffer);
                break;
        case ENGINE_ALLOCATE:
                io_uring_prep_fallocate(sqe, FILE_CACHED, FALLOC_FL_KEEP_SIZE, (off_t) request->offset,
                                (off_t) request->size);
                break;
        case ENGINE_SYNC:
                io_uring_prep_fsync(sqe, FILE_CACHED, IORING_FSYNC_DATASYNC);
                break;
        }
        io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
}

static int uring_submit(struct engine *engine, const struct engine_request *request) {
        struct engine_uring *self = engine_uring_from(engine);
        struct io_uring_sqe *sqe;
        int r;

        sqe = io_uring_get_sqe(&self->ring);
        if (!sqe)
                return -EBUSY;

        sqe_prepare(sqe, request);
        self->operation = request->operation;
        self->is_direct = request->is_direct;

        do
                r = io_uring_submit(&self->ring);
        while (r == -EINTR);
        if (r < 1)
                return r < 0 ? r : -EBUSY;

        self->is_busy = true;
        return 0;
}

static const struct engine_interface uring_interface = {
        .name = "io_uring",
        .free = uring_free,
        .set_file = uring_set_file,
        .set_direct_file = uring_set_direct_file,
        .submit = uring_submit,
        .reap = uring_reap,
};

static int uring_new(struct engine **enginep, const struct iovec *buffers, unsigned int n_buffers) {
        struct engine_uring *self;
        int r;

        self = calloc(1, sizeof(*self));
        if (!self)
                return -ENOMEM;
        self->engine.interface = &uring_interface;

        r = uring_setup(&self->ring);
        if (r >= 0) {
                self->is_ready = true;
                r = uring_prepare(&self->ring, buffers, n_buffers);
        }
        if (r < 0) {
                uring_free(&self->engine);
                return r;
        }

        *enginep = &self->engine;
        return 0;
}

/* Else it is not what others have pinned that is in the way. */
static bool limit_allows(const struct iovec *buffers, unsigned int n_buffers) {
        struct rlimit limit;
        size_t size = 0;

        for (unsigned int i = 0; i < n_buffers; ++i)
                size += buffers[i].iov_len;

        return getrlimit(RLIMIT_MEMLOCK, &limit) >= 0 && size <= limit.rlim_cur;
}

int engine_new_uring(struct engine **enginep, const struct iovec *buffers, unsigned int n_buffers) {
        const struct timespec pause = { .tv_nsec = PINNED_PAUSE_NS };
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + PINNED_TIMEOUT_NS;
        int r;

        while ((r = uring_new(enginep, buffers, n_buffers)) == -ENOMEM && limit_allows(buffers, n_buffers) &&
                        clock_now_ns(CLOCK_MONOTONIC) < deadline_ns)
                (void) nanosleep(&pause, NULL);

        return r;
}
