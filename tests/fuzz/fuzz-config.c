/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A settings file of a stranger: whatever it says, the settings stay what the daemon can work with, and each
 * complaint names a line that exists.
 */

#include "daemon/config.h"
#include "ring/layout.h"
#include "util/clock.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

static void text_check(const char *file, const char *text) {
        require(strcmp(file, "fuzz.conf") == 0);
        require(*text && strlen(text) < COMPLAINT_MAX);
        for (; *text; ++text)
                require((unsigned char) *text >= ' ' && *text != 0x7f);
}

static void report_check(void *userdata, const char *file, unsigned int line, const char *text) {
        const unsigned int *n_lines = userdata;

        require(line >= 1 && line <= *n_lines);
        text_check(file, text);
}

/* What only shows when all are known is of no line. */
static void contradiction_check(void *userdata, const char *file, unsigned int line, const char *text) {
        require(line == 0);
        text_check(file, text);
}

static void config_check(const struct config *config) {
        require(config->rate.n_records > 0 || config->rate.period_ns == 0);
        require(config->n_sensors > 0);
        require(!*config->catalog || *config->catalog == '/');
        require(config->model < MODEL_N_KINDS);
        require(config->anomalies_e4 <= 10000);
        require(config->batch_ns >= NSEC_PER_MSEC && config->batch_ns < config->catch_up_ns);
        require(config->n_records >= RING_RECORDS_MIN && config->n_records <= RING_RECORDS_MAX);
        require((config->n_records & (config->n_records - 1)) == 0);
        require(config->max_readers > 0);
        require(config->engine <= ENGINE_PWRITE);
        require(config_get_overflow(config) != OVERFLOW_AUTO);
        require(config->flush_ns > 0 && config->sync_ns > 0 && config->stats_interval_ns > 0);
        require(config->retention.max_use.bytes > 0);
        require(config->retention.keep_free.bytes < UINT64_MAX ||
                        config->retention.keep_free.share_e4 < 10000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        unsigned int n_lines = 1;
        struct complaints complaints = { .report = report_check, .userdata = &n_lines };
        struct complaints contradictions = { .report = contradiction_check };
        struct config config, untouched;

        for (size_t i = 0; i < size; ++i)
                n_lines += data[i] == '\n';

        config_init(&config);
        config_init(&untouched);
        require(config_parse(&config, "fuzz.conf", (const char *) data, size, &complaints) == 0);
        config_check(&config);
        config_verify(&config, "fuzz.conf", &contradictions);

        config_take_live(&untouched, &config);
        for (const struct config_key *key = NULL; (key = config_next_change(key, &untouched, &config));)
                require(config_key_get_class(key) != CONFIG_LIVE);

        return 0;
}
