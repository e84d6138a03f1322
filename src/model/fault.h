/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a sensor makes of a value while something is wrong with it
 *
 * A function of its incident, its key, and the moment.
 */

#include "model/incident.h"
#include "model/signal.h"

/* Spikes show in so few readings of their time: one of these. */
#define FAULT_SPIKE_ODDS 8u

struct observation {
        int32_t value_e2;
        uint32_t event;
        enum i4_fault fault;
        bool is_bad; /* and the sensor knows it */
};

/* Nothing shows of an incident before it starts, after it ends, and between spikes. */
bool fault_shows(const struct incident *incident, uint64_t key, uint64_t time_ns);

/* What @incident, which shows, makes of @value_e2. @held_e2: what the sensor would have shown at its start.
 */
struct observation fault_apply(const struct incident *incident, uint64_t key, int32_t held_e2,
                const struct signal_type *type, uint64_t time_ns, int32_t value_e2);
