/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The generator's thread
 *
 * Sleeps until readings are due, makes all that are, each with its own due time, in place in the ring, and
 * wakes who waits for them. The pacer knows what is due and when.
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
#include "daemon/pacer.h"
#include "model/model.h"
#include "ring/ring.h"

struct generator;
struct recorder;

struct generator_settings {
        struct pacer_settings pacer;
        bool is_blocking; /* Overflow=block */
};

/*
 * @recorder NULL: nothing is stored. All but @settings must outlive the generator, which is the only writer
 * of the ring's records, of the generator lines of its statistics and of @state.
 */
int generator_new(struct generator **generatorp, const struct generator_settings *settings, struct ring *ring,
                struct model *model, struct recorder *recorder, struct audience *audience,
                struct pacer_state *state);

/* Stops it if it runs. */
struct generator *generator_free(struct generator *generator);

/* Sets the first anchor, or finds the last; before generator_start(), so that it can be noted before there
 * are readings. */
void generator_begin(struct generator *generator);

/* Signals as the caller has them: block them first. */
int generator_start(struct generator *generator);

/* Returns when the last claim is published and the thread has ended. Nothing is torn, nothing is waited for.
 */
void generator_stop(struct generator *generator);

/* In force within one claim, without a pause or gap. -EINVAL: not a rate. */
int generator_set_settings(struct generator *generator, const struct generator_settings *settings);

/*
 * The model goes by @scenario, which is consumed, from the next round on: a round that begins after this was
 * called knows it. The list before it is freed by the caller's next call, or at the end.
 */
void generator_set_scenario(struct generator *generator, struct scenario *scenario);

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
int generator_next_event(struct generator *generator, struct pacer_event *eventp);

/*
 * Differs from the answer a little more than a second ago as long as the generator does its work, has none,
 * or waits for storage because Overflow=block says so (the recorder answers for itself).
 */
uint64_t generator_get_progress(const struct generator *generator);

static inline void generator_freep(struct generator **generator) {
        if (*generator)
                (void) generator_free(*generator);
}
