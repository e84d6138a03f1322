/* SPDX-License-Identifier: Apache-2.0 */

#include "model/mix.h"

#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define WEIGHT_MAX 1000000u
#define TEXT_MAX   512u
#define BLANKS     " \t"

struct mix mix_get_usual(void) {
        /* They come to 100, and read as percentages. */
        return (struct mix){ {
                        [I4_FAULT_LEAK] = 6,
                        [I4_FAULT_BLOCKAGE] = 3,
                        [I4_FAULT_PUMP_TRIP] = 3,
                        [I4_FAULT_VALVE_CLOSURE] = 3,
                        [I4_FAULT_SPIKE] = 1,
                        [I4_FAULT_STUCK] = 12,
                        [I4_FAULT_DRIFT] = 12,
                        [I4_FAULT_OFFSET] = 12,
                        [I4_FAULT_NOISE] = 12,
                        [I4_FAULT_DROPOUT] = 12,
                        [I4_FAULT_CLIPPING] = 12,
                        [I4_FAULT_OUT_OF_RANGE] = 12,
        } };
}

uint64_t mix_get_sum(const struct mix *mix) {
        uint64_t sum = 0;

        for (size_t i = 0; i < I4_N_FAULT; ++i)
                sum += mix->weights[i];

        return sum;
}

/* @part: "leak=2" */
static int part_parse(char *part, bool *is_named, struct mix *mix) {
        char *value = strchr(part, '=');
        uint64_t weight;
        int kind, r;

        if (!value)
                return -EINVAL;
        *value++ = '\0';

        kind = i4_fault_from_string(part);
        if (kind <= I4_FAULT_NONE || is_named[kind])
                return -EINVAL;
        r = parse_uint64(value, &weight);
        if (r < 0)
                return r;
        if (weight > WEIGHT_MAX)
                return -ERANGE;

        is_named[kind] = true;
        mix->weights[kind] = (uint32_t) weight;
        return 0;
}

int mix_parse(const char *text, struct mix *mixp) {
        bool is_named[I4_N_FAULT] = {};
        struct mix mix = {};
        char copy[TEXT_MAX], *rest = copy;
        int r;

        if (strlen(text) >= sizeof(copy))
                return -EINVAL;
        memcpy(copy, text, strlen(text) + 1);

        for (char *part; (part = strsep(&rest, ","));) {
                r = part_parse(part + strspn(part, BLANKS), is_named, &mix);
                if (r < 0)
                        return r;
        }
        if (mix_get_sum(&mix) == 0)
                return -EINVAL;

        *mixp = mix;
        return 0;
}

const char *mix_format(const struct mix *mix, char text[static MIX_TEXT_MAX]) {
        size_t n = 0;

        *text = 0;
        for (int kind = 0; kind < (int) I4_N_FAULT && n < MIX_TEXT_MAX; ++kind)
                if (mix->weights[kind] > 0)
                        n += (size_t) snprintf(text + n, MIX_TEXT_MAX - n, "%s%s=%" PRIu32, n > 0 ? "," : "",
                                        i4_fault_to_string(kind), mix->weights[kind]);

        return text;
}

const char *mix_describe(char buffer[static MIX_DESCRIPTION_MAX]) {
        int n = snprintf(buffer, MIX_DESCRIPTION_MAX, "weights such as leak=2,stuck=1, not all 0, of");

        for (unsigned int kind = I4_FAULT_NONE + 1; kind < I4_N_FAULT && n < (int) MIX_DESCRIPTION_MAX;
                        ++kind)
                n += snprintf(buffer + n, MIX_DESCRIPTION_MAX - (size_t) n, "%s %s",
                                kind > I4_FAULT_NONE + 1 ? "," : "", i4_fault_to_string(kind));

        return buffer;
}
