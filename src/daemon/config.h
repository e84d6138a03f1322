/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Settings of i4d
 *
 * A setting is a row of one table: section, name, default as text, parser, place in struct config, and what
 * it takes to change it in a running daemon. Loading, defaults, comparing and reloading follow from the
 * table. The struct is plain data: copy it by assignment.
 */

#include "daemon/value.h"
#include "model/model.h"
#include "model/profile.h"
#include "storage/retention.h"
#include "storage/writer.h"
#include "util/complaint.h"
#include "util/parse.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_PATH "/etc/i4/i4d.conf"

/* Whether stored lines tell what is really wrong. */
enum labels {
        LABELS_NONE,
        LABELS_INLINE,
        LABELS_SIDECAR, /* the lines do not, a file beside them does */
};

/* What to do with readings that the disk cannot take in time. */
enum overflow {
        OVERFLOW_AUTO,  /* block at Rate=max, else drop: see config_get_overflow() */
        OVERFLOW_DROP,  /* the generator goes on; storage skips and counts */
        OVERFLOW_BLOCK, /* the generator waits */
};

struct config {
        /* [Generator] */
        struct rate rate;
        struct profile profile; /* Schedule=; without phases: the rate is constant */
        uint64_t seed;
        struct shard shard; /* Shard= */
        uint32_t n_sensors;
        char catalog[PATH_MAX];  /* empty: the compiled-in one */
        char scenario[PATH_MAX]; /* empty: none */
        enum model_kind model;
        uint32_t anomalies_e4; /* hundredths of a percent */
        struct mix mix;        /* all zero: the usual one */
        uint64_t batch_ns;
        uint64_t catch_up_ns; /* NSEC_INFINITY: catch up whatever the delay was */

        /* [Ring] */
        uint64_t n_records; /* a power of two */
        uint32_t max_readers;

        /* [Storage] */
        bool storage_enabled;
        enum engine_kind engine;
        enum direct_io direct_io;
        enum labels labels;
        bool sequence; /* in stored lines */
        enum overflow overflow;
        uint64_t flush_ns;
        uint64_t sync_ns;                    /* NSEC_INFINITY: never */
        struct retention_settings retention; /* MaxUse= … MaxRetentionSec= */

        /* [Stats] */
        uint64_t stats_interval_ns; /* NSEC_INFINITY: none */
};

/* What it takes for a changed setting to come into force. */
enum config_class {
        CONFIG_LIVE,     /* a reload */
        CONFIG_RESTART,  /* a restart of the daemon; readers stay attached */
        CONFIG_NEW_RING, /* a restart, which makes a new ring: readers reattach, numbers go on */
};

struct config_key; /* a row of the table */

/* Every default. */
void config_init(struct config *config);

/*
 * Defaults, then @path, then @path.d/?*.conf in the order of their names; a later value wins. @path NULL:
 * CONFIG_PATH, which need not exist. Every mistake is told to @complaints; if there was one, -EINVAL, and
 * *@config is as it was. -ENOMEM.
 */
int config_load(struct config *config, const char *path, struct complaints *complaints);

/*
 * One file's text on top of what @config holds. @file is a name for complaints; a mistake is told and leaves
 * its key as it was. -ENOMEM.
 */
int config_parse(struct config *config, const char *file, const char *text, size_t size,
                struct complaints *complaints);

/* One setting, as text; an empty @value is the default. A mistake is told to @complaints. */
void config_set(struct config *config, const char *section, const char *name, const char *value,
                const char *file, unsigned int line, struct complaints *complaints);

/* Tells values that contradict each other as mistakes of @file as a whole; config_load() does so. */
void config_verify(const struct config *config, const char *file, struct complaints *complaints);

/* keys */

/* The row after @key (NULL: the first) whose value differs between @a and @b, NULL if there is no more. */
const struct config_key *config_next_change(
                const struct config_key *key, const struct config *a, const struct config *b);

/* Takes over from @loaded what a reload can change; all else stays as the daemon was started with. */
void config_take_live(struct config *config, const struct config *loaded);

/* The row after @key, NULL: the first. */
const struct config_key *config_next_key(const struct config_key *key);
const char *config_key_get_section(const struct config_key *key);
const char *config_key_get_name(const struct config_key *key);
const char *config_key_get_default(const struct config_key *key);
enum config_class config_key_get_class(const struct config_key *key);

/* values that depend on others */

/* OVERFLOW_DROP or OVERFLOW_BLOCK */
enum overflow config_get_overflow(const struct config *config);
