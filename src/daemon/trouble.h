/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Why nothing is written
 *
 * One reason at a time; one that gives way to another has lasted since the first. All zero is a valid
 * beginning: all is well.
 */

#include "daemon/recorder_events.h"
#include "i4.h"

#include <stdbool.h>
#include <stdint.h>

/* The gravest last. */
enum trouble_kind {
        TROUBLE_NONE,
        TROUBLE_LIMITED,
        TROUBLE_FULL,
        TROUBLE_FAILING,
};

struct trouble {
        enum trouble_kind kind;
        int error;         /* negative errno or 0 */
        uint64_t since_ns; /* CLOCK_MONOTONIC */
        uint64_t n_bytes;  /* written when it began: more tell that it is over */
};

/* TROUBLE_FULL or TROUBLE_FAILING */
enum trouble_kind trouble_from_error(int error);

bool trouble_is(const struct trouble *trouble, enum trouble_kind kind, int error);
void trouble_begin(struct trouble *trouble, enum trouble_kind kind, int error, uint64_t n_bytes,
                uint64_t now_ns);
/* For how long it lasted, ns. */
uint64_t trouble_end(struct trouble *trouble, uint64_t now_ns);

/* While there is one. */
enum recorder_event_kind trouble_get_event(const struct trouble *trouble);
enum i4_storage_state trouble_get_state(const struct trouble *trouble);
