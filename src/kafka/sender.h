/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From the ring to a topic, until it is asked to stop
 *
 * A cluster that is slow or away holds the sender up, never the daemon: what the ring overwrites meanwhile is
 * lost, told and counted.
 */

#include "kafka/producer.h"
#include "tools/attach.h"

struct sender_options {
        struct attachment attachment;
        struct producer_settings producer;
        const char *state_dir; /* where the position is kept; NULL: nowhere */
        uint64_t from;         /* where to begin in a ring that is new to us: I4_OLDEST, I4_NEWEST */
        uint64_t n_records;    /* to end after; UINT64_MAX: no end */
        unsigned int extras;   /* enum i4_extra */
};

/* Return: exit status */
int sender_run(const struct sender_options *options);
