/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What moves bytes to a file
 *
 * One file and one operation at a time: submit it, then reap its result. Two kinds of failure are kept apart.
 * A result that is negative says that the operation failed, on a full disk for instance, and the engine is as
 * good as before. A call that fails says that the engine is of no use any more: free it, and do the same with
 * another. What was submitted may still happen then, with the bytes that are in the buffer at that time.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum engine_operation {
        ENGINE_WRITE,    /* @size bytes of @data at @offset; the result may be less */
        ENGINE_ALLOCATE, /* space for @size bytes at @offset, without changing the file's size */
        ENGINE_SYNC,     /* data, and of the metadata what is needed to find it */
};

struct engine_request {
        enum engine_operation operation;
        unsigned int buffer; /* the one that holds @data */
        const void *data;
        uint64_t offset;
        size_t size;
        bool is_direct; /* a write around the page cache: through the descriptor for that */
};

struct engine;

struct engine_interface {
        const char *name;
        /* What is in flight keeps its pinned memory, which may be unmapped at any time, but not changed. */
        void (*free)(struct engine *engine);
        int (*set_file)(struct engine *engine, int fd);
        /* NULL: writes nothing directly */
        int (*set_direct_file)(struct engine *engine, int fd);
        int (*submit)(struct engine *engine, const struct engine_request *request);
        int (*reap)(struct engine *engine, uint64_t timeout_ns, int *resultp);
};

/* Implementations begin with this. */
struct engine {
        const struct engine_interface *interface;
};

/* Makes an engine for these buffers, which stay the caller's. */
struct engine_factory {
        int (*new)(struct engine **enginep, const struct iovec *buffers, unsigned int n_buffers,
                        void *userdata);
        void *userdata;
};

/*
 * Buffers are registered, which pins them; the ring can do nothing but the three operations on one file.
 * -EPERM, -EACCES, -ENOSYS and others where io_uring is not to be had; -ENOMEM where the limit of locked
 * memory is too low, and, after a second, where the user's processes have pinned as much as they may.
 */
int engine_new_uring(struct engine **enginep, const struct iovec *buffers, unsigned int n_buffers);
/* Works in submit(), on the caller's thread. */
int engine_new_pwrite(struct engine **enginep);
/* The same for what cannot seek: pipes, sockets, terminals. Nothing to allocate, nothing to sync. */
int engine_new_stream(struct engine **enginep);

static inline void engine_free(struct engine *engine) {
        if (engine)
                engine->interface->free(engine);
}

/* @fd -1: none. Nothing may be in flight. */
static inline int engine_set_file(struct engine *engine, int fd) {
        return engine->interface->set_file(engine, fd);
}

/* The same file opened with O_DIRECT, for requests that are; -1: none. -EOPNOTSUPP. Nothing may be in flight.
 */
static inline int engine_set_direct_file(struct engine *engine, int fd) {
        if (!engine->interface->set_direct_file)
                return -EOPNOTSUPP;

        return engine->interface->set_direct_file(engine, fd);
}

/* Nothing may be in flight. */
static inline int engine_submit(struct engine *engine, const struct engine_request *request) {
        return engine->interface->submit(engine, request);
}

/* 1: *@resultp is what the operation gave, as its system call would, errors negative. 0: not within
 * @timeout_ns. */
static inline int engine_reap(struct engine *engine, uint64_t timeout_ns, int *resultp) {
        return engine->interface->reap(engine, timeout_ns, resultp);
}
