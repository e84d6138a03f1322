/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The generator's thread
 *
 * Sleeps until readings are due, makes all that are, each with its own due time, in place in the ring, and
 * wakes who waits for them. What is due follows from an anchor (struct generator_anchor) and the time since:
 * nothing is accumulated, so nothing drifts, and a successor that finds the last anchor and the ring goes on
 * as if it had never been away.
 *
 *     main loop                        generator                          recorder, readers
 *     generator_set_settings()   ──►   control word, slept on
 *     audience                   ──►   publish, wake up to 16     ──►     futex
 *     generator_take_calls()     ◄──   eventfd: more sleepers, armed readers, events
 *     generator_get_progress()   ◄──   one more round
 *
 * It wakes readers itself instead of having another thread do so: up to 16 sleepers cost it one bounded
 * system call, which spares each batch a second wake-up of the daemon and each reader its latency. Only the
 * rest of a larger audience, and readers that wait for a message, are left to the main loop.
 */

#include "daemon/audience.h"
#include "model/model.h"
#include "ring/ring.h"

struct generator;
struct recorder;

/*
 * From here on: @step is due at @time_ns, when the node has been up for @boot_ns, and becomes record
 * @sequence. The list of these, with seed, catalog and settings, decides every byte. CLOCK_BOOTTIME, so that
 * a node which slept is late like one that was stopped; a clock that was set is what moves time_ns against
 * boot_ns.
 */
struct generator_anchor {
        uint64_t step;
        uint64_t sequence;
        uint64_t time_ns; /* CLOCK_REALTIME */
        uint64_t boot_ns; /* CLOCK_BOOTTIME */
        uint64_t rate_records;
        uint64_t rate_period_ns; /* 0: as fast as the machine goes */
        uint64_t reason;         /* enum generator_event_kind */
        uint64_t reserved;
};

#define GENERATOR_N_ANCHORS 32u

/*
 * Lies in memory that survives the process; all zero is a valid beginning. The next anchor goes where the
 * oldest was and counts only once n_anchors says so: a kill at any instruction leaves a whole one in force.
 */
struct generator_state {
        _Atomic uint64_t n_anchors; /* ever set; the last one is in force */
        uint64_t reserved[7];
        struct generator_anchor anchors[GENERATOR_N_ANCHORS];
};

static_assert(sizeof(struct generator_anchor) == 64, "outlives the process that wrote it");
static_assert(sizeof(struct generator_state) == 64 + 64 * GENERATOR_N_ANCHORS, "outlives its process");

struct generator_settings {
        struct rate rate;
        uint64_t batch_ns;    /* BatchSec= */
        uint64_t catch_up_ns; /* CatchUpSec=; NSEC_INFINITY: always catch up */
        bool is_blocking;     /* Overflow=block */
};

enum generator_event_kind {
        GENERATOR_STARTED = 1,   /* with an anchor of its own, there was none to go on from */
        GENERATOR_RESUMED,       /* from the last anchor; n_records: due meanwhile, being made now */
        GENERATOR_RATE_CHANGED,  /* new anchor */
        GENERATOR_CLOCK_STEPPED, /* new anchor; clock_ns: by how much */
        GENERATOR_SKIPPED,       /* new anchor; n_records: due, late by more than CatchUpSec=, never made */
};

struct generator_event {
        enum generator_event_kind kind;
        struct generator_anchor anchor; /* in force after it */
        uint64_t n_records;
        int64_t clock_ns;
};

/*
 * @recorder NULL: nothing is stored. All but @settings must outlive the generator, which is the only writer
 * of the ring's records, of the generator lines of its statistics and of @state.
 */
int generator_new(struct generator **generatorp, const struct generator_settings *settings, struct ring *ring,
                struct model *model, struct recorder *recorder, struct audience *audience,
                struct generator_state *state);

/* Stops it if it runs. */
struct generator *generator_free(struct generator *generator);

/* Signals as the caller has them: block them first. */
int generator_start(struct generator *generator);

/* Returns when the last claim is published and the thread has ended. Nothing is torn, nothing is waited for.
 */
void generator_stop(struct generator *generator);

/* In force within one claim, without a pause or gap. -EINVAL: not a rate. */
int generator_set_settings(struct generator *generator, const struct generator_settings *settings);

/* main loop's side */

enum generator_call {
        GENERATOR_CALL_SLEEPERS = 1 << 0, /* more sleep on the ring than the generator woke: ring_wake() */
        GENERATOR_CALL_ARMED = 1 << 1,    /* there is something for armed readers: publisher_wake() */
        GENERATOR_CALL_EVENT = 1 << 2,    /* generator_next_event() */
};

/* Readable when there are calls. */
int generator_get_fd(const struct generator *generator);

/* Mask of enum generator_call; quietens the descriptor. */
unsigned int generator_take_calls(struct generator *generator);

/* 1 and the oldest event, or 0. When nobody takes them the latest give way. */
int generator_next_event(struct generator *generator, struct generator_event *eventp);

/*
 * Differs from the answer a little more than a second ago as long as the generator does its work, has none,
 * or waits for storage because Overflow=block says so (the recorder answers for itself).
 */
uint64_t generator_get_progress(const struct generator *generator);

static inline void generator_freep(struct generator **generator) {
        if (*generator)
                (void) generator_free(*generator);
}
