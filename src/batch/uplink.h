/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Between i4 batch and the program that carries its batches away
 *
 * A SEQPACKET pair of sockets. Whatever i4 batch sends means: there is more to fetch; its end of the pair
 * closed means that nothing more comes, and the other is to end when all is carried. The other tells how it
 * is doing.
 */

#include <stdint.h>

#define UPLINK_TEXT_MAX 256u

struct uplink_report {
        uint64_t n_sent;         /* batches carried away since the start, */
        uint64_t n_bytes;        /* so many bytes in them */
        uint64_t n_tries_failed; /* since the start */
        uint64_t n_waiting;      /* batches in the directory */
        uint32_t is_failing;     /* the last try failed, for the reason in @text */
        char text[UPLINK_TEXT_MAX];
};
