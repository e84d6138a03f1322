/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/value.h"

#include "model/mix.h"
#include "model/profile.h"
#include "storage/retention.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <systemd/sd-id128.h>

/* What makes a node's default seed its own, and tells nobody the machine id it comes from. */
#define SEED_APPLICATION_ID SD_ID128_MAKE(3f, f4, 33, 17, 77, ed, 47, 16, 9b, 12, 43, 92, 2c, fc, 21, cd)

/* numbers */

static int range_check(const struct value_bounds *bounds, uint64_t number) {
        return number < bounds->minimum || number > bounds->maximum ? -ERANGE : 0;
}

static int number_parse(const struct value_bounds *bounds, const char *text, uint64_t *numberp) {
        uint64_t number;
        int r;

        r = parse_uint64(text, &number);
        if (r < 0)
                return r;
        r = range_check(bounds, number);
        if (r < 0)
                return r;

        *numberp = number;
        return 0;
}

static int count_parse(const struct value_bounds *bounds, const char *text, void *value) {
        uint64_t number;
        int r;

        r = number_parse(bounds, text, &number);
        if (r < 0)
                return r;

        *(uint32_t *) value = (uint32_t) number;
        return 0;
}

static void count_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "a number from %" PRIu64 " to %" PRIu64, bounds->minimum,
                        bounds->maximum);
}

const struct value_type value_count = {
        .size = sizeof(uint32_t),
        .parse = count_parse,
        .describe = count_describe,
};

static int power_parse(const struct value_bounds *bounds, const char *text, void *value) {
        uint64_t number;
        int r;

        r = number_parse(bounds, text, &number);
        if (r < 0)
                return r;
        if (number & (number - 1))
                return -EINVAL;

        *(uint64_t *) value = number;
        return 0;
}

static void power_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size,
                        "a power of two from %" PRIu64 " to %" PRIu64 ", such as 131072, 262144 or 524288",
                        bounds->minimum, bounds->maximum);
}

const struct value_type value_power = {
        .size = sizeof(uint64_t),
        .parse = power_parse,
        .describe = power_describe,
};

/* rate, shard, seed, share */

static int rate_parse(const struct value_bounds *bounds, const char *text, void *value) {
        return parse_rate(text, value);
}

static void rate_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size,
                        "readings a second (10000), a minute (90/min), an hour (5/h) or a day "
                        "(1/day), at most 1000000000 a second, or \"max\"");
}

static int profile_type_parse(const struct value_bounds *bounds, const char *text, void *value) {
        return profile_parse(text, value);
}

static void profile_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size,
                        "phases such as \"1000 for 50s, 20000 for 10s, repeat\", \"100..5000 for 10min, 5000\" or "
                        "\"daily 2000..20000\"");
}

static bool profile_is_equal(const void *a, const void *b) {
        return profile_get_id(a) == profile_get_id(b);
}

const struct value_type value_profile = {
        .size = sizeof(struct profile),
        .parse = profile_type_parse,
        .describe = profile_describe,
        .is_equal = profile_is_equal,
};

const struct value_type value_rate = {
        .size = sizeof(struct rate),
        .parse = rate_parse,
        .describe = rate_describe,
};

static int shard_parse(const struct value_bounds *bounds, const char *text, void *value) {
        struct shard *shard = value;

        return parse_shard(text, &shard->index, &shard->n);
}

static void shard_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "I/N with I from 0 to N - 1 and N up to %u, such as 2/4", SHARDS_MAX);
}

const struct value_type value_shard = {
        .size = sizeof(struct shard),
        .parse = shard_parse,
        .describe = shard_describe,
};

uint64_t machine_get_seed(void) {
        sd_id128_t id = SD_ID128_NULL;
        uint64_t seed;

        (void) sd_id128_get_machine_app_specific(SEED_APPLICATION_ID, &id);
        memcpy(&seed, id.bytes, sizeof(seed));
        return seed;
}

static int seed_parse(const struct value_bounds *bounds, const char *text, void *value) {
        if (strcmp(text, "machine") != 0)
                return parse_uint64(text, value);

        *(uint64_t *) value = machine_get_seed();
        return 0;
}

static void seed_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "a number from 0 to %" PRIu64 ", or \"machine\"", UINT64_MAX);
}

const struct value_type value_seed = {
        .size = sizeof(uint64_t),
        .parse = seed_parse,
        .describe = seed_describe,
};

static int share_parse(const struct value_bounds *bounds, const char *text, void *value) {
        return parse_percent(text, value);
}

static void share_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "a percentage from 0%% to 100%%, with at most two decimals");
}

const struct value_type value_share = {
        .size = sizeof(uint32_t),
        .parse = share_parse,
        .describe = share_describe,
};

static int mix_type_parse(const struct value_bounds *bounds, const char *text, void *value) {
        if (!*text) {
                *(struct mix *) value = (struct mix){};
                return 0;
        }

        return mix_parse(text, value);
}

static void mix_type_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        char description[MIX_DESCRIPTION_MAX];

        (void) snprintf(buffer, size, "%s", mix_describe(description));
}

const struct value_type value_mix = {
        .size = sizeof(struct mix),
        .parse = mix_type_parse,
        .describe = mix_type_describe,
};

/* spans, sizes, limits */

static int span_parse(const struct value_bounds *bounds, const char *text, void *value) {
        uint64_t span;
        int r;

        r = parse_span(text, &span);
        if (r < 0)
                return r;
        r = range_check(bounds, span);
        if (r < 0)
                return r;

        *(uint64_t *) value = span;
        return 0;
}

static void span_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        char minimum[FORMAT_MAX], maximum[FORMAT_MAX];

        if (bounds->maximum == NSEC_INFINITY)
                (void) snprintf(buffer, size, "a span of time of at least %s (\"1min 30s\"), or \"infinity\"",
                                format_span(bounds->minimum, minimum));
        else
                (void) snprintf(buffer, size, "a span of time from %s to %s",
                                format_span(bounds->minimum, minimum), format_span(bounds->maximum, maximum));
}

const struct value_type value_span = {
        .size = sizeof(uint64_t),
        .parse = span_parse,
        .describe = span_describe,
};

static int file_size_parse(const struct value_bounds *bounds, const char *text, void *value) {
        uint64_t bytes = 0;
        int r;

        if (strcmp(text, "auto") != 0) {
                r = parse_size(text, &bytes);
                if (r < 0)
                        return r;
                r = range_check(bounds, bytes);
                if (r < 0)
                        return r;
        }

        *(uint64_t *) value = bytes;
        return 0;
}

static void file_size_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        char minimum[FORMAT_MAX];

        (void) snprintf(buffer, size, "a size of at least %s (\"64M\"), or \"auto\"",
                        format_size(bounds->minimum, minimum));
}

const struct value_type value_file_size = {
        .size = sizeof(uint64_t),
        .parse = file_size_parse,
        .describe = file_size_describe,
};

#define LIMIT_NONE                                                                                           \
        (struct retention_limit) {                                                                           \
                .share_e4 = UINT32_MAX, .bytes = UINT64_MAX                                                  \
        }

/* One word of "10% 4G". */
static int limit_parse_word(
                const struct value_bounds *bounds, const char *word, struct retention_limit *limit) {
        uint32_t share_e4;
        uint64_t bytes;
        int r;

        r = parse_percent(word, &share_e4);
        if (r >= 0) {
                /* All of a file system and none of it are no shares that anybody means. */
                if (share_e4 == 0 || share_e4 >= 10000)
                        return -ERANGE;
                if (limit->share_e4 != UINT32_MAX)
                        return -EINVAL;
                limit->share_e4 = share_e4;
                return 0;
        }

        r = parse_size(word, &bytes);
        if (r < 0)
                return r;
        if (limit->bytes != UINT64_MAX)
                return -EINVAL;
        limit->bytes = bytes;
        return range_check(bounds, bytes);
}

static int limit_parse(const struct value_bounds *bounds, const char *text, void *value) {
        struct retention_limit limit = LIMIT_NONE;
        char words[64], *rest = NULL, *word;
        int r = -EINVAL;

        if (strlen(text) >= sizeof(words))
                return -EINVAL;
        memcpy(words, text, strlen(text) + 1);

        for (word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
                r = limit_parse_word(bounds, word, &limit);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        *(struct retention_limit *) value = limit;
        return 0;
}

static void limit_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        char minimum[FORMAT_MAX];

        (void) snprintf(buffer, size,
                        "a size of at least %s (\"4G\"), a share of the file system below 100%% (\"10%%\"), both "
                        "(\"10%% 4G\", the smaller counts)%s",
                        bounds->minimum ? format_size(bounds->minimum, minimum) : "0",
                        bounds->maximum == UINT64_MAX ? ", or \"infinity\"" : "");
}

/* By member: the struct has padding. */
static bool limit_is_equal(const void *a, const void *b) {
        const struct retention_limit *left = a, *right = b;

        return left->share_e4 == right->share_e4 && left->bytes == right->bytes;
}

const struct value_type value_limit = {
        .size = sizeof(struct retention_limit),
        .parse = limit_parse,
        .describe = limit_describe,
        .is_equal = limit_is_equal,
};

/* words */

static int switch_parse(const struct value_bounds *bounds, const char *text, void *value) {
        return parse_bool(text, value);
}

static void switch_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "yes or no");
}

const struct value_type value_switch = {
        .size = sizeof(bool),
        .parse = switch_parse,
        .describe = switch_describe,
};

static int choice_parse(const struct value_bounds *bounds, const char *text, void *value) {
        for (unsigned int i = 0; bounds->names[i]; ++i)
                if (strcmp(text, bounds->names[i]) == 0) {
                        memcpy(value, &i, sizeof(i));
                        return 0;
                }

        return -EINVAL;
}

static void choice_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        size_t n = 0;

        for (size_t i = 0; bounds->names[i] && n < size; ++i)
                n += (size_t) snprintf(buffer + n, size - n, "%s%s",
                                i == 0                 ? ""
                                : bounds->names[i + 1] ? ", "
                                                       : " or ",
                                bounds->names[i]);
}

const struct value_type value_choice = {
        .size = sizeof(unsigned int),
        .parse = choice_parse,
        .describe = choice_describe,
};

static int path_parse(const struct value_bounds *bounds, const char *text, void *value) {
        if (*text && *text != '/')
                return -EINVAL;
        if (strlen(text) >= PATH_MAX)
                return -ERANGE;

        /* Filled with zeros to the end: values are compared as bytes. */
        (void) strncpy(value, text, PATH_MAX);
        return 0;
}

static void path_describe(const struct value_bounds *bounds, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "an absolute path, or empty");
}

const struct value_type value_path = {
        .size = PATH_MAX,
        .parse = path_parse,
        .describe = path_describe,
};
