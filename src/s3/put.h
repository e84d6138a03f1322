/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One object into a bucket: one PUT, signed and verified by libcurl
 */

#include "batch/target.h"
#include "s3/credentials.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum put_outcome {
        PUT_DONE,
        PUT_STOPPED, /* a signal asks to stop; whether the object is there is not known */
        PUT_LATER,   /* may go by itself: no network, a server that is busy */
        PUT_DENIED,  /* will not: the key, the bucket, the certificate */
};

#define PUT_TEXT_MAX 512u

struct put_result {
        enum put_outcome outcome;
        long status;             /* of HTTP, 0: none came */
        char text[PUT_TEXT_MAX]; /* what went wrong, for a person */
};

struct putter;

/* One for the life of the program: connections are kept. -ENOMEM. */
int putter_new(struct putter **putterp);
struct putter *putter_free(struct putter *putter);

/* @size bytes at @data become the object @key. @sequence: the range of the batch, kept with it; "": not
 * known. */
void putter_put(struct putter *putter, const struct target *target, const struct credentials *credentials,
                const char *key, const char *data, size_t size, const char *sequence,
                struct put_result *result);

static inline void putter_freep(struct putter **putter) {
        if (*putter)
                (void) putter_free(*putter);
}
