/* SPDX-License-Identifier: Apache-2.0 */

#include "fault-engine.h"

#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fault_engine {
        struct engine engine;
        struct fault_script *script;
        int fd;
        bool is_busy;
        unsigned int n_delays;
        struct engine_request request;
        void *copy; /* of the bytes as they were when submitted */
};

static struct fault_engine *fault_engine_from(struct engine *engine) {
        return (struct fault_engine *) (void *) engine;
}

static bool memory_is_mapped(const void *memory) {
        struct iovec from = { .iov_base = (void *) (uintptr_t) memory, .iov_len = 1 };
        struct iovec to = { .iov_base = &(char){ 0 }, .iov_len = 1 };

        return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

static void fault_free(struct engine *engine) {
        struct fault_engine *self = fault_engine_from(engine);

        /* The kernel would still read what is under way: whoever frees us has to have taken it away from
         * himself. */
        assert(!self->copy || !memory_is_mapped(self->request.data));
        ++self->script->n_freed;
        free(self->copy);
        free(self);
}

static int fault_set_file(struct engine *engine, int fd) {
        struct fault_engine *self = fault_engine_from(engine);

        assert(!self->is_busy);
        self->fd = fd;
        self->script->allocated = 0;
        return 0;
}

static int fault_submit(struct engine *engine, const struct engine_request *request) {
        struct fault_engine *self = fault_engine_from(engine);

        assert(!self->is_busy);
        if (self->script->n_submits != UINT32_MAX && self->script->n_submits-- == 0)
                return self->script->broken;

        self->request = *request;
        self->is_busy = true;
        self->n_delays = self->script->n_delays;
        if (request->operation == ENGINE_WRITE) {
                self->copy = malloc(request->size);
                assert(self->copy && request->size > 0);
                memcpy(self->copy, request->data, request->size);
        }
        return 0;
}

static int fault_write(struct fault_engine *self) {
        struct fault_script *script = self->script;
        const struct engine_request *request = &self->request;
        size_t size = request->size;

        assert(memcmp(self->copy, request->data, size) == 0);
        free(TAKE_PTR(self->copy));
        ++script->n_writes;

        if (script->n_write_errors > 0) {
                --script->n_write_errors;
                return script->write_error;
        }
        if (script->write_max > 0)
                size = MIN(size, script->write_max);
        if (request->offset + size > MAX(script->space, script->allocated)) {
                if (request->offset >= MAX(script->space, script->allocated))
                        return script->space_error;
                size = MAX(script->space, script->allocated) - request->offset;
        }
        return (int) pwrite(self->fd, request->data, size, (off_t) request->offset);
}

static int fault_allocate(struct fault_engine *self) {
        struct fault_script *script = self->script;
        uint64_t end = self->request.offset + self->request.size;

        ++script->n_allocations;
        if (script->allocate_error < 0)
                return script->allocate_error;
        if (end > script->space && end > script->allocated)
                return script->space_error;

        script->allocated = MAX(script->allocated, end);
        return 0;
}

static int fault_sync(struct fault_engine *self) {
        ++self->script->n_syncs;
        if (self->script->n_sync_errors == 0)
                return 0;

        --self->script->n_sync_errors;
        return self->script->sync_error;
}

static int fault_perform(struct fault_engine *self) {
        switch (self->request.operation) {
        case ENGINE_WRITE:
                return fault_write(self);
        case ENGINE_ALLOCATE:
                return fault_allocate(self);
        case ENGINE_SYNC:
                return fault_sync(self);
        }
        return -EINVAL;
}

static int fault_reap(struct engine *engine, uint64_t timeout_ns, int *resultp) {
        struct fault_engine *self = fault_engine_from(engine);
        struct fault_script *script = self->script;

        assert(self->is_busy);
        if (script->n_reaps != UINT32_MAX && script->n_reaps-- == 0)
                return script->broken;

        if (script->is_hanging) {
                (void) nanosleep(&(struct timespec){ .tv_nsec = (long) MIN(timeout_ns, 1000000u) }, NULL);
                return 0;
        }
        if (self->n_delays > 0) {
                --self->n_delays;
                return 0;
        }

        self->is_busy = false;
        *resultp = fault_perform(self);
        return 1;
}

static const struct engine_interface fault_interface = {
        .name = "fault",
        .free = fault_free,
        .set_file = fault_set_file,
        .submit = fault_submit,
        .reap = fault_reap,
};

int fault_engine_new(struct engine **enginep, const struct iovec *buffers, unsigned int n_buffers,
                void *userdata) {
        struct fault_engine *self;

        self = calloc(1, sizeof(*self));
        if (!self)
                return -ENOMEM;

        self->engine.interface = &fault_interface;
        self->script = userdata;
        self->fd = -1;
        *enginep = &self->engine;
        return 0;
}
