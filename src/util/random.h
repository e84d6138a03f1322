/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Random numbers by number
 *
 * A draw is a pure function of a key and a counter, so any reading can be made without the ones before it.
 * The function is the output of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
 * Generators, OOPSLA 2014): its state is key + counter × γ and its finalizer is Stafford's variant 13 of
 * MurmurHash3's. It passes BigCrush, is a bijection, and costs two multiplications.
 */

#include <stdint.h>

#define RANDOM_GAMMA UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / the golden ratio, odd */

/* A bijection in which every bit of @x changes every bit of the result with a probability of one half. */
static inline uint64_t random_mix(uint64_t x) {
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        return x ^ (x >> 31);
}

/* Draw @counter of the stream @key. */
static inline uint64_t random_draw(uint64_t key, uint64_t counter) {
        return random_mix(key + (counter + 1) * RANDOM_GAMMA);
}

/* A key of its own for each @index, from a key or a seed. */
static inline uint64_t random_derive(uint64_t key, uint64_t index) {
        return random_draw(random_mix(key), index);
}

/* Scales @draw to 0 … @n - 1, by its high bits; no value is more than 2^-64 × @n likelier than another. */
static inline uint64_t random_scale(uint64_t draw, uint64_t n) {
        return (uint64_t) (((unsigned __int128) draw * n) >> 64);
}
