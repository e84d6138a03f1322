/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/suggest.h"

#include "util/macros.h"

#include <string.h>
#include <strings.h>

/* Longer words are names that nobody types by hand. */
#define WORD_MAX 48u

/* Letters to insert, remove, replace or swap with their neighbour: Damerau and Levenshtein's distance. */
static unsigned int word_distance(const char *a, size_t n_a, const char *b, size_t n_b) {
        unsigned int rows[3][WORD_MAX + 1] = {};

        for (size_t j = 0; j <= n_b; ++j)
                rows[0][j] = (unsigned int) j;

        for (size_t i = 1; i <= n_a; ++i) {
                const unsigned int *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
                unsigned int *row = rows[i % 3];

                row[0] = (unsigned int) i;
                for (size_t j = 1; j <= n_b; ++j) {
                        unsigned int replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

                        row[j] = MIN(replaced, MIN(above[j], row[j - 1]) + 1);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                row[j] = MIN(row[j], above2[j - 2] + 1);
                }
        }

        return rows[n_a % 3][n_b];
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate) {
        size_t n_word = strlen(suggestion->word), n_candidate = strlen(candidate);
        unsigned int distance, limit;

        if (n_word == 0 || n_word > WORD_MAX || n_candidate > WORD_MAX)
                return;

        limit = (unsigned int) MAX(n_word, n_candidate) / 3 + 1;
        distance = strncasecmp(suggestion->word, candidate, n_word) == 0
                                   ? 1 /* begun and not finished, or in other case */
                                   : word_distance(suggestion->word, n_word, candidate, n_candidate);
        if (distance > limit || (suggestion->best && distance >= suggestion->distance))
                return;

        suggestion->best = candidate;
        suggestion->distance = distance;
}
