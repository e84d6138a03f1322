/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The command line of sensor-gen
 */

#include "dirt/settings.h"
#include "model/model.h"
#include "model/profile.h"
#include "util/parse.h"

#include <stdbool.h>
#include <stdint.h>

struct options {
        const char *path; /* "-": standard output */
        struct rate rate;
        struct profile profile; /* -schedule: goes before the rate, until it ends */
        uint64_t duration_ns;   /* NSEC_INFINITY: until interrupted */
        bool is_verbose;
        bool is_append;

        bool has_seed, has_from, has_to;
        bool is_then_live; /* at the end of the past it goes on with the present */
        uint64_t seed;
        uint64_t from_ns; /* CLOCK_REALTIME of the first reading */
        uint64_t to_ns;   /* before which the last one is due */
        uint64_t speed;   /* seconds of the plant in one of ours; 0: not said */

        uint32_t n_sensors;
        uint32_t anomalies_e4;     /* hundredths of a percent */
        struct mix mix;            /* all zero: the usual one */
        const char *catalog_path;  /* NULL: the compiled-in one */
        const char *scenario_path; /* NULL: none */
        const char *record_path;   /* incidents that a daemon took orders for; NULL: none */
        const char *replay_path;   /* where a daemon kept readings that are to be made again; NULL: nowhere */
        enum model_kind model;
        unsigned int extras; /* of lines, enum i4_extra */
        bool has_extras;     /* and a flag said so */
        bool has_sidecar;    /* incidents go into a file of their own */
        bool is_dirty;
        struct dirt_settings dirt;
        const char *dirty_log_path; /* NULL: none */
        bool has_shard;
        uint32_t shard, n_shards; /* which of how many machines this is, from 0 */
        uint64_t batch_ns;
        uint64_t catch_up_ns;
};

/*
 * Strings point into @argv. 1: go on; 0: done (--help, --version), exit 0; -EINVAL: wrong usage, told on
 * stderr, exit 2.
 */
int options_parse(struct options *options, int argc, char *argv[]);
