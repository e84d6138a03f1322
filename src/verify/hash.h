/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bytes to a number, and a number to one that looks like any other
 *
 * What is compared by these has to be told from what is damaged by accident, not from what is forged.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_STEP UINT64_C(0xd1b54a32d192ed03) /* odd, and its bits look like nothing */

/* Every bit of @value changes about half of the result's; different values have different results. */
static inline uint64_t hash_mix(uint64_t value) {
        value = (value ^ value >> 32) * UINT64_C(0xe9846af9b1a615d5);
        value = (value ^ value >> 29) * HASH_STEP;
        return value ^ value >> 32;
}

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

        return hash_mix(hash ^ word);
}
