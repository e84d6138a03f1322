/* SPDX-License-Identifier: Apache-2.0 */

#include "util/decimal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define DECIMAL_SCALE_MAX UINT64_C(1000000000000000000)

int decimal_append_digit(uint64_t *valuep, char digit) {
        uint64_t value;

        if (__builtin_mul_overflow(*valuep, UINT64_C(10), &value) ||
                        __builtin_add_overflow(value, (uint64_t) (digit - '0'), &value))
                return -ERANGE;

        *valuep = value;
        return 0;
}

int decimal_parse(struct decimal *decimal, const char **textp) {
        const char *text = *textp;
        bool is_number = false, is_full = false;

        *decimal = (struct decimal){ .scale = 1 };

        for (; is_digit(*text); ++text) {
                is_number = true;
                if (decimal_append_digit(&decimal->digits, *text) < 0)
                        return -ERANGE;
        }

        if (*text == '.')
                for (++text; is_digit(*text); ++text) {
                        is_number = true;
                        is_full = is_full || decimal->scale == DECIMAL_SCALE_MAX ||
                                  decimal_append_digit(&decimal->digits, *text) < 0;
                        if (!is_full)
                                decimal->scale *= 10;
                }

        if (!is_number)
                return -EINVAL;

        *textp = text;
        return 0;
}

int decimal_scale(struct decimal decimal, uint64_t unit, uint64_t *valuep) {
        uint128 value = (uint128) decimal.digits * unit / decimal.scale;

        if (value > UINT64_MAX)
                return -ERANGE;

        *valuep = (uint64_t) value;
        return 0;
}

size_t decimal_format(uint64_t digits, uint64_t scale, char *buffer, size_t size) {
        uint64_t fraction = digits % scale;
        int n_digits = 0, n;

        for (uint64_t i = scale; i > 1; i /= 10)
                ++n_digits;
        for (; n_digits > 0 && fraction % 10 == 0; --n_digits)
                fraction /= 10;

        n = snprintf(buffer, size, "%" PRIu64, digits / scale);
        if (n_digits > 0)
                n += snprintf(buffer + n, size - (size_t) n, ".%0*" PRIu64, n_digits, fraction);

        return (size_t) n;
}
