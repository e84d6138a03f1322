/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names as small numbers, from 0, in the order in which they came
 */

#include <stddef.h>
#include <stdint.h>

struct names;

/* -ENOMEM. */
int names_new(struct names **namesp);
struct names *names_free(struct names *names);

/* The number of the name, a new one if it is. -ENOMEM; -EOVERFLOW: no number is left. */
int names_add(struct names *names, const char *text, size_t size, uint32_t *numberp);

/* -ENOENT: never heard of. */
int names_find(const struct names *names, const char *text, size_t size, uint32_t *numberp);

uint32_t names_get_n(const struct names *names);

/* Ends in a NUL; stands until another is added. */
const char *names_get(const struct names *names, uint32_t number);

static inline void names_freep(struct names **names) {
        if (*names)
                (void) names_free(*names);
}
