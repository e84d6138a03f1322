/* SPDX-License-Identifier: Apache-2.0 */

#include "dirt/unit.h"

#include "util/macros.h"

#include <stddef.h>
#include <string.h>

struct conversion {
        const char *unit;
        int32_t offset_e2; /* taken away first */
        int64_t numerator, denominator;
};

static const struct conversion conversions[] = {
        { "psi", 0, 689476, 10000000 },   /* bar */
        { "fahrenheit", 3200, 5, 9 },     /* celsius */
        { "bbl/hr", 0, 158987, 1000000 }, /* m³/h */
        { "mm/s", 0, 10, 254 },           /* in/s */
        { "mpy", 0, 254, 10000 },         /* mm/a */
        { "percent", 0, 1, 100 },         /* a fraction of one */
        { "ppm", 0, 1, 10000 },           /* percent */
};

int32_t unit_mix_up(const char *unit, int32_t value_e2) {
        struct conversion conversion = { .numerator = 1, .denominator = 1000 };

        for (size_t i = 0; i < ELEMENTSOF(conversions); ++i)
                if (unit && strcmp(conversions[i].unit, unit) == 0)
                        conversion = conversions[i];

        return (int32_t) (((int64_t) value_e2 - conversion.offset_e2) * conversion.numerator /
                          conversion.denominator);
}
