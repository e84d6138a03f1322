/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Numbers with a fraction
 *
 * Everything is computed in integers: a number is kept as digits and a power of ten, so "2.5", "0.1s" and
 * "1.1G" mean exactly what they say, or the nearest smaller unit, on every machine and in every locale.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Holds the product of any two numbers. */
typedef unsigned __int128 uint128;

/* digits / scale, a power of ten */
struct decimal {
        uint64_t digits;
        uint64_t scale;
};

static inline bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* value × 10 + @digit; -ERANGE */
int decimal_append_digit(uint64_t *valuep, char digit);

/* Reads "3", "3.5", ".5" or "3." and moves on. Digits that are too small to matter are dropped. -EINVAL: no
 * number, -ERANGE. */
int decimal_parse(struct decimal *decimal, const char **textp);

/* decimal × @unit, rounded down; -ERANGE */
int decimal_scale(struct decimal decimal, uint64_t unit, uint64_t *valuep);

/* "12.5" from 125 and 10; @scale is a power of ten. Returns the length. */
size_t decimal_format(uint64_t digits, uint64_t scale, char *buffer, size_t size);
