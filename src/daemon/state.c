/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/state.h"

#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define STATE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int state_alloc(struct state **statep) {
        struct state *state;

        state = calloc(1, sizeof(*state));
        if (!state)
                return -ENOMEM;

        state->fd = -1;
        *statep = state;
        return 0;
}

static int state_map(struct state *state, int fd) {
        void *memory;

        memory = mmap(NULL, STATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                return -errno;

        state->memory = memory;
        return 0;
}

static int memory_create(int *fdp) {
        _cleanup_(closep) int fd = -1;
        int r;

        fd = memfd_create("i4-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        if (fchmod(fd, 0600) < 0)
                return -errno;

        r = posix_fallocate(fd, 0, STATE_SIZE);
        if (r > 0)
                return -r;
        if (fcntl(fd, F_ADD_SEALS, STATE_SEALS) < 0)
                return -errno;

        *fdp = TAKE_FD(fd);
        return 0;
}

int state_new(struct state **statep, const uint8_t instance[static 16]) {
        _cleanup_(state_freep) struct state *state = NULL;
        int r;

        r = state_alloc(&state);
        if (r < 0)
                return r;
        r = memory_create(&state->fd);
        if (r < 0)
                return r;
        r = state_map(state, state->fd);
        if (r < 0)
                return r;

        /* Nobody is given the descriptor before this is complete. */
        state->memory->magic = STATE_MAGIC;
        state->memory->version = STATE_VERSION;
        state->memory->size = sizeof(*state->memory);
        memcpy(state->memory->instance, instance, sizeof(state->memory->instance));

        *statep = TAKE_PTR(state);
        return 0;
}

static int memory_verify(int fd) {
        struct stat st;
        int seals;

        if (fstat(fd, &st) < 0)
                return -errno;

        seals = fcntl(fd, F_GET_SEALS);
        return seals >= 0 && (seals & STATE_SEALS) == STATE_SEALS && st.st_size == STATE_SIZE ? 0 : -EBADMSG;
}

static int header_verify(const struct state_memory *memory, const uint8_t instance[static 16]) {
        if (memory->magic != STATE_MAGIC)
                return -EBADMSG;
        if (memory->version != STATE_VERSION || memory->size != sizeof(*memory))
                return -EPROTONOSUPPORT;

        return memcmp(memory->instance, instance, sizeof(memory->instance)) == 0 ? 0 : -ESTALE;
}

int state_adopt(struct state **statep, int fd, const uint8_t instance[static 16]) {
        _cleanup_(state_freep) struct state *state = NULL;
        int r;

        r = memory_verify(fd);
        if (r < 0)
                return r;
        r = state_alloc(&state);
        if (r < 0)
                return r;
        r = state_map(state, fd);
        if (r < 0)
                return r;
        r = header_verify(state->memory, instance);
        if (r < 0)
                return r;

        state->fd = fd;
        *statep = TAKE_PTR(state);
        return 0;
}

void state_set_instance(struct state *state, const uint8_t instance[static 16]) {
        memcpy(state->memory->instance, instance, sizeof(state->memory->instance));
}

struct state *state_free(struct state *state) {
        if (!state)
                return NULL;

        if (state->memory)
                (void) munmap(state->memory, STATE_SIZE);
        closep(&state->fd);
        free(state);
        return NULL;
}
