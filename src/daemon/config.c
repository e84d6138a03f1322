/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of settings
 *
 * A row says everything about a setting but what it is for, which stands in i4d.conf(5) and etc/i4d.conf; a
 * test holds the three together. A value's type knows how to parse, compare and describe it, so that a
 * mistake is answered with what would be right. Defaults are text and go through the same parsers as a file.
 */

#include "daemon/config.h"

#include "ring/layout.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <systemd/sd-id128.h>

/* A reader costs a row of 128 bytes, a descriptor and a wake-up: more than this is a mistake in writing. */

/* A model may keep tens of bytes of state for each. */
#define SENSORS_MAX 10000000

/* Two files of the least size: one sealed, one live. */
#define USE_MIN (2 * RETENTION_FILE_SIZE_MIN)

/* What makes a node's default seed its own, and tells nobody the machine id it comes from. */
#define SEED_APPLICATION_ID SD_ID128_MAKE(3f, f4, 33, 17, 77, ed, 47, 16, 9b, 12, 43, 92, 2c, fc, 21, cd)

struct value_type {
        size_t size; /* of the value in struct config */
        /* -EINVAL, -ERANGE; writes on success only */
        int (*parse)(const struct config_key *key, const char *text, void *value);
        /* goes on after "must be " */
        void (*describe)(const struct config_key *key, char *buffer, size_t size);
        bool (*is_equal)(const void *a, const void *b); /* NULL: the same bytes */
};

struct config_key {
        const char *section;
        const char *name;
        const char *text; /* the default */
        const struct value_type *type;
        size_t offset;
        enum config_class class;
        uint64_t minimum,
                        maximum;  /* of numbers, spans and sizes; a maximum of UINT64_MAX allows "infinity" */
        const char *const *names; /* of an enumeration, from 0; ends in NULL */
};

/* types: numbers */

static int range_check(const struct config_key *key, uint64_t number) {
        return number < key->minimum || number > key->maximum ? -ERANGE : 0;
}

static int number_parse(const struct config_key *key, const char *text, uint64_t *numberp) {
        uint64_t number;
        int r;

        r = parse_uint64(text, &number);
        if (r < 0)
                return r;
        r = range_check(key, number);
        if (r < 0)
                return r;

        *numberp = number;
        return 0;
}

static int count_parse(const struct config_key *key, const char *text, void *value) {
        uint64_t number;
        int r;

        r = number_parse(key, text, &number);
        if (r < 0)
                return r;

        *(uint32_t *) value = (uint32_t) number;
        return 0;
}

static void count_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "a number from %" PRIu64 " to %" PRIu64, key->minimum, key->maximum);
}

static const struct value_type type_count = {
        .size = sizeof(uint32_t),
        .parse = count_parse,
        .describe = count_describe,
};

static int power_parse(const struct config_key *key, const char *text, void *value) {
        uint64_t number;
        int r;

        r = number_parse(key, text, &number);
        if (r < 0)
                return r;
        if (number & (number - 1))
                return -EINVAL;

        *(uint64_t *) value = number;
        return 0;
}

static void power_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size,
                        "a power of two from %" PRIu64 " to %" PRIu64 ", such as 131072, 262144 or 524288",
                        key->minimum, key->maximum);
}

static const struct value_type type_power = {
        .size = sizeof(uint64_t),
        .parse = power_parse,
        .describe = power_describe,
};

/* types: rate, shard, seed, share */

static int rate_parse(const struct config_key *key, const char *text, void *value) {
        return parse_rate(text, value);
}

static void rate_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size,
                        "readings a second (10000), a minute (90/min), an hour (5/h) or a day "
                        "(1/day), at most 1000000000 a second, or \"max\"");
}

static int profile_type_parse(const struct config_key *key, const char *text, void *value) {
        return profile_parse(text, value);
}

static void profile_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size,
                        "phases such as \"1000 for 50s, 20000 for 10s, repeat\", \"100..5000 for 10min, 5000\" or "
                        "\"daily 2000..20000\"");
}

static bool profile_is_equal(const void *a, const void *b) {
        return profile_get_id(a) == profile_get_id(b);
}

static const struct value_type type_profile = {
        .size = sizeof(struct profile),
        .parse = profile_type_parse,
        .describe = profile_describe,
        .is_equal = profile_is_equal,
};

static const struct value_type type_rate = {
        .size = sizeof(struct rate),
        .parse = rate_parse,
        .describe = rate_describe,
};

static int shard_parse(const struct config_key *key, const char *text, void *value) {
        struct shard *shard = value;

        return parse_shard(text, &shard->index, &shard->n);
}

static void shard_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "I/N with I from 0 to N - 1 and N up to %u, such as 2/4", SHARDS_MAX);
}

static const struct value_type type_shard = {
        .size = sizeof(struct shard),
        .parse = shard_parse,
        .describe = shard_describe,
};

/* A container may have no machine id; then every such one is the same machine. */
static uint64_t machine_get_seed(void) {
        sd_id128_t id = SD_ID128_NULL;
        uint64_t seed;

        (void) sd_id128_get_machine_app_specific(SEED_APPLICATION_ID, &id);
        memcpy(&seed, id.bytes, sizeof(seed));
        return seed;
}

static int seed_parse(const struct config_key *key, const char *text, void *value) {
        if (strcmp(text, "machine") != 0)
                return parse_uint64(text, value);

        *(uint64_t *) value = machine_get_seed();
        return 0;
}

static void seed_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "a number from 0 to %" PRIu64 ", or \"machine\"", UINT64_MAX);
}

static const struct value_type type_seed = {
        .size = sizeof(uint64_t),
        .parse = seed_parse,
        .describe = seed_describe,
};

static int share_parse(const struct config_key *key, const char *text, void *value) {
        return parse_percent(text, value);
}

static void share_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "a percentage from 0%% to 100%%, with at most two decimals");
}

static const struct value_type type_share = {
        .size = sizeof(uint32_t),
        .parse = share_parse,
        .describe = share_describe,
};

static int mix_type_parse(const struct config_key *key, const char *text, void *value) {
        if (!*text) {
                *(struct mix *) value = (struct mix){};
                return 0;
        }

        return mix_parse(text, value);
}

static void mix_type_describe(const struct config_key *key, char *buffer, size_t size) {
        char description[MIX_DESCRIPTION_MAX];

        (void) snprintf(buffer, size, "%s", mix_describe(description));
}

static const struct value_type type_mix = {
        .size = sizeof(struct mix),
        .parse = mix_type_parse,
        .describe = mix_type_describe,
};

/* types: spans, sizes, limits */

static int span_parse(const struct config_key *key, const char *text, void *value) {
        uint64_t span;
        int r;

        r = parse_span(text, &span);
        if (r < 0)
                return r;
        r = range_check(key, span);
        if (r < 0)
                return r;

        *(uint64_t *) value = span;
        return 0;
}

static void span_describe(const struct config_key *key, char *buffer, size_t size) {
        char minimum[FORMAT_MAX], maximum[FORMAT_MAX];

        if (key->maximum == NSEC_INFINITY)
                (void) snprintf(buffer, size, "a span of time of at least %s (\"1min 30s\"), or \"infinity\"",
                                format_span(key->minimum, minimum));
        else
                (void) snprintf(buffer, size, "a span of time from %s to %s",
                                format_span(key->minimum, minimum), format_span(key->maximum, maximum));
}

static const struct value_type type_span = {
        .size = sizeof(uint64_t),
        .parse = span_parse,
        .describe = span_describe,
};

static int file_size_parse(const struct config_key *key, const char *text, void *value) {
        uint64_t bytes = 0;
        int r;

        if (strcmp(text, "auto") != 0) {
                r = parse_size(text, &bytes);
                if (r < 0)
                        return r;
                r = range_check(key, bytes);
                if (r < 0)
                        return r;
        }

        *(uint64_t *) value = bytes;
        return 0;
}

static void file_size_describe(const struct config_key *key, char *buffer, size_t size) {
        char minimum[FORMAT_MAX];

        (void) snprintf(buffer, size, "a size of at least %s (\"64M\"), or \"auto\"",
                        format_size(key->minimum, minimum));
}

static const struct value_type type_file_size = {
        .size = sizeof(uint64_t),
        .parse = file_size_parse,
        .describe = file_size_describe,
};

#define LIMIT_NONE                                                                                           \
        (struct retention_limit) {                                                                           \
                .share_e4 = UINT32_MAX, .bytes = UINT64_MAX                                                  \
        }

/* One word of "10% 4G". */
static int limit_parse_word(const struct config_key *key, const char *word, struct retention_limit *limit) {
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
        return range_check(key, bytes);
}

static int limit_parse(const struct config_key *key, const char *text, void *value) {
        struct retention_limit limit = LIMIT_NONE;
        char words[64], *rest = NULL, *word;
        int r = -EINVAL;

        if (strlen(text) >= sizeof(words))
                return -EINVAL;
        memcpy(words, text, strlen(text) + 1);

        for (word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
                r = limit_parse_word(key, word, &limit);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        *(struct retention_limit *) value = limit;
        return 0;
}

static void limit_describe(const struct config_key *key, char *buffer, size_t size) {
        char minimum[FORMAT_MAX];

        (void) snprintf(buffer, size,
                        "a size of at least %s (\"4G\"), a share of the file system below 100%% (\"10%%\"), both "
                        "(\"10%% 4G\", the smaller counts)%s",
                        key->minimum ? format_size(key->minimum, minimum) : "0",
                        key->maximum == UINT64_MAX ? ", or \"infinity\"" : "");
}

/* By member: the struct has padding. */
static bool limit_is_equal(const void *a, const void *b) {
        const struct retention_limit *left = a, *right = b;

        return left->share_e4 == right->share_e4 && left->bytes == right->bytes;
}

static const struct value_type type_limit = {
        .size = sizeof(struct retention_limit),
        .parse = limit_parse,
        .describe = limit_describe,
        .is_equal = limit_is_equal,
};

/* types: words */

static int switch_parse(const struct config_key *key, const char *text, void *value) {
        return parse_bool(text, value);
}

static void switch_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "yes or no");
}

static const struct value_type type_switch = {
        .size = sizeof(bool),
        .parse = switch_parse,
        .describe = switch_describe,
};

static_assert(sizeof(enum model_kind) == sizeof(unsigned int) &&
                                sizeof(enum engine_kind) == sizeof(unsigned int) &&
                                sizeof(enum direct_io) == sizeof(unsigned int) &&
                                sizeof(enum labels) == sizeof(unsigned int) &&
                                sizeof(enum overflow) == sizeof(unsigned int),
                "every enumeration is stored by one function");

static int choice_parse(const struct config_key *key, const char *text, void *value) {
        for (unsigned int i = 0; key->names[i]; ++i)
                if (strcmp(text, key->names[i]) == 0) {
                        memcpy(value, &i, sizeof(i));
                        return 0;
                }

        return -EINVAL;
}

static void choice_describe(const struct config_key *key, char *buffer, size_t size) {
        size_t n = 0;

        for (size_t i = 0; key->names[i] && n < size; ++i)
                n += (size_t) snprintf(buffer + n, size - n, "%s%s",
                                i == 0              ? ""
                                : key->names[i + 1] ? ", "
                                                    : " or ",
                                key->names[i]);
}

static const struct value_type type_choice = {
        .size = sizeof(unsigned int),
        .parse = choice_parse,
        .describe = choice_describe,
};

static int path_parse(const struct config_key *key, const char *text, void *value) {
        if (*text && *text != '/')
                return -EINVAL;
        if (strlen(text) >= PATH_MAX)
                return -ERANGE;

        /* Filled with zeros to the end: values are compared as bytes. */
        (void) strncpy(value, text, PATH_MAX);
        return 0;
}

static void path_describe(const struct config_key *key, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "an absolute path, or empty");
}

static const struct value_type type_path = {
        .size = PATH_MAX,
        .parse = path_parse,
        .describe = path_describe,
};

/* the table */

static const char *const model_names[] = { "network", "uniform", NULL };
static_assert(ELEMENTSOF(model_names) == MODEL_N_KINDS + 1, "every model has a name");

static const char *const label_names[] = { "none", "inline", "sidecar", NULL };
static const char *const engine_names[] = { "auto", "io_uring", "pwrite", NULL };
static const char *const direct_io_names[] = { "auto", "yes", "no", NULL };
static const char *const overflow_names[] = { "auto", "drop", "block", NULL };

#define MEMBER(member) offsetof(struct config, member)

/* clang-format off */
static const struct config_key keys[] = {
        { "Generator", "Rate",            "10000",    &type_rate,      MEMBER(rate),                       CONFIG_LIVE },
        { "Generator", "Schedule",        "",         &type_profile,   MEMBER(profile),                    CONFIG_LIVE },
        { "Generator", "Shard",           "0/1",      &type_shard,     MEMBER(shard),                      CONFIG_RESTART },
        { "Generator", "Seed",            "machine",  &type_seed,      MEMBER(seed),                       CONFIG_RESTART },
        { "Generator", "Sensors",         "8000",     &type_count,     MEMBER(n_sensors),                  CONFIG_NEW_RING, 1, SENSORS_MAX },
        { "Generator", "Catalog",         "",         &type_path,      MEMBER(catalog),                    CONFIG_NEW_RING },
        { "Generator", "Model",           "network",  &type_choice,    MEMBER(model),                      CONFIG_RESTART, .names = model_names },
        { "Generator", "Scenario",        "",         &type_path,      MEMBER(scenario),                   CONFIG_RESTART },
        { "Generator", "Anomalies",       "2%",       &type_share,     MEMBER(anomalies_e4),               CONFIG_RESTART },
        { "Generator", "AnomalyMix",      "",         &type_mix,       MEMBER(mix),                        CONFIG_RESTART },
        { "Generator", "Labels",          "none",     &type_choice,    MEMBER(labels),                     CONFIG_RESTART, .names = label_names },
        { "Generator", "BatchSec",        "100ms",    &type_span,      MEMBER(batch_ns),                   CONFIG_LIVE, NSEC_PER_MSEC, NSEC_PER_SEC },
        { "Generator", "CatchUpSec",      "10s",      &type_span,      MEMBER(catch_up_ns),                CONFIG_LIVE, 2 * NSEC_PER_SEC, NSEC_INFINITY },

        { "Ring",      "Records",         "262144",   &type_power,     MEMBER(n_records),                  CONFIG_NEW_RING, RING_RECORDS_MIN, RING_RECORDS_MAX },
        { "Ring",      "MaxReaders",      "1024",     &type_count,     MEMBER(max_readers),                CONFIG_NEW_RING, 1, RING_CONSUMERS_MAX },

        { "Storage",   "Enabled",         "yes",      &type_switch,    MEMBER(storage_enabled),            CONFIG_RESTART },
        { "Storage",   "Engine",          "auto",     &type_choice,    MEMBER(engine),                     CONFIG_RESTART, .names = engine_names },
        { "Storage",   "DirectIO",        "auto",     &type_choice,    MEMBER(direct_io),                  CONFIG_RESTART, .names = direct_io_names },
        { "Storage",   "Sequence",        "no",       &type_switch,    MEMBER(sequence),                   CONFIG_RESTART },
        { "Storage",   "Overflow",        "auto",     &type_choice,    MEMBER(overflow),                   CONFIG_LIVE, .names = overflow_names },
        { "Storage",   "FlushSec",        "250ms",    &type_span,      MEMBER(flush_ns),                   CONFIG_LIVE, NSEC_PER_MSEC, NSEC_PER_MIN },
        { "Storage",   "SyncSec",         "5s",       &type_span,      MEMBER(sync_ns),                    CONFIG_LIVE, 100 * NSEC_PER_MSEC, NSEC_INFINITY },
        { "Storage",   "MaxFileSize",     "auto",     &type_file_size, MEMBER(retention.max_file_size),    CONFIG_LIVE, RETENTION_FILE_SIZE_MIN, INT64_MAX },
        { "Storage",   "MaxFileSec",      "1day",     &type_span,      MEMBER(retention.max_file_ns),      CONFIG_LIVE, NSEC_PER_SEC, NSEC_INFINITY },
        { "Storage",   "MaxUse",          "10% 4G",   &type_limit,     MEMBER(retention.max_use),          CONFIG_LIVE, USE_MIN, UINT64_MAX },
        { "Storage",   "KeepFree",        "15%",      &type_limit,     MEMBER(retention.keep_free),        CONFIG_LIVE, 0, INT64_MAX },
        { "Storage",   "MaxRetentionSec", "infinity", &type_span,      MEMBER(retention.max_retention_ns), CONFIG_LIVE, NSEC_PER_SEC, NSEC_INFINITY },

        { "Stats",     "IntervalSec",     "1min",     &type_span,      MEMBER(stats_interval_ns),          CONFIG_LIVE, NSEC_PER_SEC, NSEC_INFINITY },
};
/* clang-format on */

static void *key_get_value(const struct config_key *key, const struct config *config) {
        return (char *) config + key->offset;
}

static bool key_is_equal(const struct config_key *key, const struct config *a, const struct config *b) {
        const void *left = key_get_value(key, a), *right = key_get_value(key, b);

        return key->type->is_equal ? key->type->is_equal(left, right)
                                   : memcmp(left, right, key->type->size) == 0;
}

static int key_parse(const struct config_key *key, const char *text, struct config *config) {
        return key->type->parse(key, *text ? text : key->text, key_get_value(key, config));
}

const struct config_key *config_next_key(const struct config_key *key) {
        key = key ? key + 1 : keys;
        return key < keys + ELEMENTSOF(keys) ? key : NULL;
}

const char *config_key_get_section(const struct config_key *key) {
        return key->section;
}

const char *config_key_get_name(const struct config_key *key) {
        return key->name;
}

const char *config_key_get_default(const struct config_key *key) {
        return key->text;
}

enum config_class config_key_get_class(const struct config_key *key) {
        return key->class;
}

void config_init(struct config *config) {
        memset(config, 0, sizeof(*config));

        for (const struct config_key *key = NULL; (key = config_next_key(key));) {
                _unused_ int r = key_parse(key, "", config);

                assert(r >= 0);
        }
}

const struct config_key *config_next_change(
                const struct config_key *key, const struct config *a, const struct config *b) {
        while ((key = config_next_key(key)))
                if (!key_is_equal(key, a, b))
                        return key;

        return NULL;
}

void config_take_live(struct config *config, const struct config *loaded) {
        for (const struct config_key *key = NULL; (key = config_next_key(key));)
                if (key->class == CONFIG_LIVE)
                        memcpy(key_get_value(key, config), key_get_value(key, loaded), key->type->size);
}

enum overflow config_get_overflow(const struct config *config) {
        if (config->overflow != OVERFLOW_AUTO)
                return config->overflow;

        return config->rate.period_ns == 0 ? OVERFLOW_BLOCK : OVERFLOW_DROP;
}

/* What only shows when all are known. */
void config_verify(const struct config *config, const char *file, struct complaints *complaints) {
        const struct shard *shard = &config->shard;

        if (shard->n <= 1)
                return;

        if (config->n_sensors % shard->n != 0)
                complain(complaints, file, 0,
                                "Shard=%u/%u: %u does not divide Sensors=%u, so sensors would change machines",
                                shard->index, shard->n, shard->n, config->n_sensors);
        if (config->rate.period_ns == 0)
                complain(complaints, file, 0,
                                "Shard=%u/%u needs a Rate= that is a number: machines have no other way to "
                                "agree on who makes what",
                                shard->index, shard->n);
        if (config->seed == machine_get_seed())
                complain(complaints, file, 0,
                                "Shard=%u/%u needs a Seed= that is a number, the same one on all machines",
                                shard->index, shard->n);
        if (config->profile.n_phases > 0)
                complain(complaints, file, 0,
                                "Shard=%u/%u needs a constant rate: leave out Schedule=", shard->index,
                                shard->n);
}

/* setting one, and what to say when that goes wrong */

static const struct config_key *key_find(const char *section, const char *name) {
        for (const struct config_key *key = NULL; (key = config_next_key(key));)
                if ((!section || strcmp(key->section, section) == 0) && strcmp(key->name, name) == 0)
                        return key;

        return NULL;
}

/* "Rate=, Seed=": the keys of @section; "[Generator], [Ring]": all sections where it is NULL */
static void keys_list(const char *section, char *buffer, size_t size) {
        const char *previous = "", *separator = "";
        size_t n = 0;

        *buffer = 0;
        for (const struct config_key *key = NULL; (key = config_next_key(key)) && n < size;) {
                if (section ? strcmp(key->section, section) != 0 : strcmp(key->section, previous) == 0)
                        continue;

                n += (size_t) snprintf(buffer + n, size - n, section ? "%s%s=" : "%s[%s]", separator,
                                section ? key->name : key->section);
                previous = key->section;
                separator = ", ";
        }
}

static void complain_unknown(const char *section, const char *name, const char *file, unsigned int line,
                struct complaints *complaints) {
        const struct config_key *elsewhere = key_find(NULL, name);
        char known[512];

        if (elsewhere) {
                complain(complaints, file, line, "%s= belongs below [%s]%s", name, elsewhere->section,
                                *section ? "" : ", and no section has begun here");
                return;
        }

        keys_list(section, known, sizeof(known));
        if (*known) {
                complain(complaints, file, line, "There is no key %s= in [%s]; there are %s", name, section,
                                known);
                return;
        }

        keys_list(NULL, known, sizeof(known));
        complain(complaints, file, line, "There is no section [%s] for %s=; there are %s", section, name,
                        known);
}

static void complain_value(const struct config_key *key, const char *value, const char *file,
                unsigned int line, struct complaints *complaints) {
        char expected[256];

        key->type->describe(key, expected, sizeof(expected));
        complain(complaints, file, line, "%s=%s: must be %s%s", key->name, value, expected,
                        strstr(value, " #") ? "; a comment needs a line of its own" : "");
}

void config_set(struct config *config, const char *section, const char *name, const char *value,
                const char *file, unsigned int line, struct complaints *complaints) {
        const struct config_key *key;

        key = key_find(section, name);
        if (!key)
                complain_unknown(section, name, file, line, complaints);
        else if (key_parse(key, value, config) < 0)
                complain_value(key, value, file, line, complaints);
}
