/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Text on its way out
 *
 * Collected in one large buffer and written when that is full or when the program has nothing better to do:
 * as few system calls as the stream allows, and never a line that waits.
 */

#include <stddef.h>
#include <stdint.h>

struct output {
        int fd;
        int error; /* negative errno of the call that failed; nothing is written after it */
        char *buffer;
        size_t size;
        size_t n;                  /* bytes that wait in @buffer */
        uint64_t waiting_since_ns; /* CLOCK_MONOTONIC_COARSE, of the first of them */
};

/* @fd stays the caller's. -ENOMEM. */
int output_init(struct output *output, int fd);
void output_deinit(struct output *output);

/* At least @size free bytes, at most a hundred kilobytes; written to by the caller, who then adds to @n. */
int output_reserve(struct output *output, size_t size);

/* -EPIPE: nobody reads any more; -EINTR: a signal asks to stop, the rest is kept; or what write() says. */
int output_flush(struct output *output);

/* Flushes what has waited for longer than a person notices. */
int output_flush_late(struct output *output);

/* -EPIPE if the reader of a pipe has gone away, noticed without writing. */
int output_check(struct output *output);
