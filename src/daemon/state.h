/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What only the daemon knows, and its successor has to
 *
 * A second sealed memfd beside the ring, kept in systemd's store under a name of its own and handed to nobody
 * else. It holds what each thread notes about its work; how that is changed so that a kill at any instruction
 * leaves it whole is told where the parts are declared.
 */

#include "daemon/pacer.h"
#include "daemon/recorder_state.h"
#include "daemon/spool.h"

#define STATE_MAGIC   UINT64_C(0x0a65746174733469) /* "i4state\n" */
#define STATE_VERSION UINT32_C(3)
#define STATE_SIZE    (36u * 4096u)

struct state_memory {
        uint64_t magic;
        uint32_t version;
        uint32_t size;
        uint8_t instance[16]; /* of the ring it belongs to */
        uint8_t reserved[32];
        struct pacer_state pacer;
        struct recorder_state recorder;
        struct spool_memory anchors; /* lines for the lists beside the readings */
        struct spool_memory orders;
};

static_assert(offsetof(struct state_memory, pacer) == 64, "outlives the process that wrote it");
static_assert(offsetof(struct state_memory, recorder) == 64 + sizeof(struct pacer_state), "as above");
static_assert(sizeof(struct state_memory) <= STATE_SIZE, "so much is allocated");

struct state {
        struct state_memory *memory;
        int fd;
};

/* All zero but for the header, and for the ring @instance. */
int state_new(struct state **statep, const uint8_t instance[static 16]);

/*
 * Takes over what is in @fd, consumed on success only. -EBADMSG: not a state, or damaged; -EPROTONOSUPPORT:
 * of another version; -ESTALE: of another ring than @instance.
 */
int state_adopt(struct state **statep, int fd, const uint8_t instance[static 16]);

/* It goes on with another ring, whose sequence numbers follow those of the last. */
void state_set_instance(struct state *state, const uint8_t instance[static 16]);

struct state *state_free(struct state *state);

static inline void state_freep(struct state **state) {
        if (*state)
                (void) state_free(*state);
}
