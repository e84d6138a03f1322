/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What somebody meant who mistyped a word
 *
 * Offer every word there is; @best is then the nearest, or NULL if none is near enough to be meant.
 */

struct suggestion {
        const char *word;
        const char *best;
        unsigned int distance; /* of @best */
};

#define SUGGESTION_INIT(word_) ((struct suggestion){ .word = (word_) })

void suggestion_offer(struct suggestion *suggestion, const char *candidate);
