/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/config_parts.h"

#include "util/macros.h"

/* A reader that sleeps through one still has the time of seven to read it in. */
#define BATCHES_PER_RING 8u

struct generator_settings config_get_generator_settings(const struct config *config) {
        return (struct generator_settings){
                .pacer = {
                        .rate = config->rate,
                        .profile = config->profile,
                        .shard = config->shard.index,
                        .n_shards = config->shard.n,
                        .batch_ns = config->batch_ns,
                        .batch_max = MAX(config->n_records / BATCHES_PER_RING, UINT64_C(1)),
                        .catch_up_ns = config->catch_up_ns,
                },
                .is_blocking = config_get_overflow(config) == OVERFLOW_BLOCK,
        };
}

static unsigned int config_get_extras(const struct config *config) {
        return (config->sequence ? I4_EXTRA_SEQUENCE : 0u) |
               (config->labels == LABELS_INLINE ? I4_EXTRA_LABEL : 0u);
}

struct recorder_settings config_get_recorder_settings(const struct config *config) {
        return (struct recorder_settings){
                .engine = config->engine,
                .direct_io = config->direct_io,
                .extras = config_get_extras(config),
                .flush_ns = config->flush_ns,
                .sync_ns = config->sync_ns,
                .retention = config->retention,
        };
}

struct note_settings config_get_note_settings(struct config *config) {
        struct note_settings settings = {
                .seed = config->seed,
                .n_sensors = config->n_sensors,
                .anomalies_e4 = config->anomalies_e4,
                .mix = config->mix,
                .shard = config->shard.index,
                .n_shards = config->shard.n,
                .model = config->model,
                .extras = config_get_extras(config),
                .rate = config->rate,
                .profile = config->profile,
                .catalog = *config->catalog ? config->catalog : NULL,
                .scenario = *config->scenario ? config->scenario : NULL,
        };

        if (settings.catalog)
                (void) note_digest_file(settings.catalog, &settings.catalog_digest);
        if (settings.scenario)
                (void) note_digest_file(settings.scenario, &settings.scenario_digest);

        return settings;
}
