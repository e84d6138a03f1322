/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bytes to a number
 *
 * What is compared by these has to be told from what is damaged by accident, not from what is forged.
 */

#include "util/random.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_STEP UINT64_C(0xd1b54a32d192ed03) /* odd, and its bits look like nothing */

/* Eight bytes at a time; the length counts too. */
static inline uint64_t hash_bytes(uint64_t seed, const char *data, size_t size) {
        uint64_t hash = seed ^ size * HASH_STEP, word;

        for (; size >= sizeof(word); data += sizeof(word), size -= sizeof(word)) {
                memcpy(&word, data, sizeof(word));
                hash = (hash ^ word) * HASH_STEP;
                hash ^= hash >> 32;
        }

        word = 0;
        for (size_t i = 0; i < size; ++i)
                word = word << 8 | (unsigned char) data[i];

        return random_mix(hash ^ word);
}
