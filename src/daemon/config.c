/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of settings
 *
 * A row says everything about a setting but what it is for, which stands in i4d.conf(5) and etc/i4d.conf; a
 * test holds the three together. Defaults are text and go through the same parsers as a file.
 */

#include "daemon/config.h"

#include "ring/layout.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* A model may keep tens of bytes of state for each. */
#define SENSORS_MAX 10000000

/* Two files of the least size: one sealed, one live. */
#define USE_MIN (2 * RETENTION_FILE_SIZE_MIN)

struct config_key {
        const char *section;
        const char *name;
        const char *text; /* the default */
        const struct value_type *type;
        size_t offset;
        enum config_class class;
        struct value_bounds bounds;
};

/* the table */

static const char *const model_names[] = { "network", "uniform", NULL };
static_assert(ELEMENTSOF(model_names) == MODEL_N_KINDS + 1, "every model has a name");

static const char *const label_names[] = { "none", "inline", "sidecar", NULL };
static const char *const engine_names[] = { "auto", "io_uring", "pwrite", NULL };
static const char *const direct_io_names[] = { "auto", "yes", "no", NULL };
static const char *const overflow_names[] = { "auto", "drop", "block", NULL };

static_assert(sizeof(enum model_kind) == sizeof(unsigned int) &&
                                sizeof(enum engine_kind) == sizeof(unsigned int) &&
                                sizeof(enum direct_io) == sizeof(unsigned int) &&
                                sizeof(enum labels) == sizeof(unsigned int) &&
                                sizeof(enum overflow) == sizeof(unsigned int),
                "every enumeration is stored by one function");

#define MEMBER(member) offsetof(struct config, member)

/* clang-format off */
static const struct config_key keys[] = {
        { "Generator", "Rate",            "10000",    &value_rate,      MEMBER(rate),                       CONFIG_LIVE },
        { "Generator", "Schedule",        "",         &value_profile,   MEMBER(profile),                    CONFIG_LIVE },
        { "Generator", "Shard",           "0/1",      &value_shard,     MEMBER(shard),                      CONFIG_RESTART },
        { "Generator", "Seed",            "machine",  &value_seed,      MEMBER(seed),                       CONFIG_RESTART },
        { "Generator", "Sensors",         "8000",     &value_count,     MEMBER(n_sensors),                  CONFIG_NEW_RING, { 1, SENSORS_MAX } },
        { "Generator", "Catalog",         "",         &value_path,      MEMBER(catalog),                    CONFIG_NEW_RING },
        { "Generator", "Model",           "network",  &value_choice,    MEMBER(model),                      CONFIG_RESTART, { .names = model_names } },
        { "Generator", "Scenario",        "",         &value_path,      MEMBER(scenario),                   CONFIG_RESTART },
        { "Generator", "Anomalies",       "2%",       &value_share,     MEMBER(anomalies_e4),               CONFIG_RESTART },
        { "Generator", "AnomalyMix",      "",         &value_mix,       MEMBER(mix),                        CONFIG_RESTART },
        { "Generator", "Labels",          "none",     &value_choice,    MEMBER(labels),                     CONFIG_RESTART, { .names = label_names } },
        { "Generator", "BatchSec",        "250ms",    &value_span,      MEMBER(batch_ns),                   CONFIG_LIVE, { NSEC_PER_MSEC, NSEC_PER_SEC } },
        { "Generator", "CatchUpSec",      "10s",      &value_span,      MEMBER(catch_up_ns),                CONFIG_LIVE, { 2 * NSEC_PER_SEC, NSEC_INFINITY } },

        { "Ring",      "Records",         "262144",   &value_power,     MEMBER(n_records),                  CONFIG_NEW_RING, { RING_RECORDS_MIN, RING_RECORDS_MAX } },
        { "Ring",      "MaxReaders",      "1024",     &value_count,     MEMBER(max_readers),                CONFIG_NEW_RING, { 1, RING_CONSUMERS_MAX } },

        { "Storage",   "Enabled",         "yes",      &value_switch,    MEMBER(storage_enabled),            CONFIG_RESTART },
        { "Storage",   "Engine",          "auto",     &value_choice,    MEMBER(engine),                     CONFIG_RESTART, { .names = engine_names } },
        { "Storage",   "DirectIO",        "auto",     &value_choice,    MEMBER(direct_io),                  CONFIG_RESTART, { .names = direct_io_names } },
        { "Storage",   "Sequence",        "no",       &value_switch,    MEMBER(sequence),                   CONFIG_RESTART },
        { "Storage",   "Overflow",        "auto",     &value_choice,    MEMBER(overflow),                   CONFIG_LIVE, { .names = overflow_names } },
        { "Storage",   "FlushSec",        "250ms",    &value_span,      MEMBER(flush_ns),                   CONFIG_LIVE, { NSEC_PER_MSEC, NSEC_PER_MIN } },
        { "Storage",   "SyncSec",         "5s",       &value_span,      MEMBER(sync_ns),                    CONFIG_LIVE, { 100 * NSEC_PER_MSEC, NSEC_INFINITY } },
        { "Storage",   "MaxFileSize",     "auto",     &value_file_size, MEMBER(retention.max_file_size),    CONFIG_LIVE, { RETENTION_FILE_SIZE_MIN, INT64_MAX } },
        { "Storage",   "MaxFileSec",      "1day",     &value_span,      MEMBER(retention.max_file_ns),      CONFIG_LIVE, { NSEC_PER_SEC, NSEC_INFINITY } },
        { "Storage",   "MaxUse",          "10% 4G",   &value_limit,     MEMBER(retention.max_use),          CONFIG_LIVE, { USE_MIN, UINT64_MAX } },
        { "Storage",   "KeepFree",        "15%",      &value_limit,     MEMBER(retention.keep_free),        CONFIG_LIVE, { 0, INT64_MAX } },
        { "Storage",   "MaxRetentionSec", "infinity", &value_span,      MEMBER(retention.max_retention_ns), CONFIG_LIVE, { NSEC_PER_SEC, NSEC_INFINITY } },

        { "Stats",     "IntervalSec",     "1min",     &value_span,      MEMBER(stats_interval_ns),          CONFIG_LIVE, { NSEC_PER_SEC, NSEC_INFINITY } },
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
        return key->type->parse(&key->bounds, *text ? text : key->text, key_get_value(key, config));
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

        key->type->describe(&key->bounds, expected, sizeof(expected));
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
