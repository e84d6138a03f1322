/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4 batch: readings as files, so many in each
 *
 * Every setting is a flag and a variable of the environment, of the same name: what a service is given in a
 * file, a person types. Flags win.
 */

#include "i4.h"

#include "tools/collector.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "tools/verbs.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define BATCH_RECORDS_MAX UINT64_C(1000000)
#define BATCH_PERIOD_MIN  (10 * NSEC_PER_MSEC)
#define NODE_SIZE         256u
#define PIPELINE_PLAIN    "sensor-batched"
#define PIPELINE_S3       "sensor-batched-to-s3"
#define PIPELINE_ENRICHED "sensor-batched-enriched"

enum {
        FLAG_INPUT_FILE,
        FLAG_OUTPUT_DIR,
        FLAG_BATCH_SIZE,
        FLAG_BATCH_PERIOD,
        FLAG_EDGE_NODE_ID,
        FLAG_ENRICH,
        FLAG_RULES,
        FLAG_SCORE,
        FLAG_LABELS,
        FLAG_SEQUENCE,
        FLAG_PIPELINE_NAME,
        FLAG_MAX_USE,
        FLAG_S3,
        FLAG_S3_BUCKET,
        FLAG_S3_PREFIX,
        FLAG_S3_ENDPOINT,
        FLAG_S3_PATH_STYLE,
        FLAG_AWS_REGION,
        FLAG_FROM,
        FLAG_RECORDS,
        FLAG_WAIT,
        FLAG_SOCKET,
        FLAG_VERBOSE,
        N_FLAGS,
};

static const struct flag batch_flags[N_FLAGS] = {
        [FLAG_INPUT_FILE] = { "input-file", 0, "PATH",
                        "read JSON Lines from there, - is standard input; else the ring" },
        [FLAG_OUTPUT_DIR] = { "output-dir", 0, "DIR", "where batches go (./output)" },
        [FLAG_BATCH_SIZE] = { "batch-size", 0, "N", "records in a batch (1000)" },
        [FLAG_BATCH_PERIOD] = { "batch-period", 0, "SPAN",
                        "no record waits longer for its batch (10s; with S3 60s)" },
        [FLAG_EDGE_NODE_ID] = { "edge-node-id", 0, "NAME",
                        "what this node is called in lineage (its host name)" },
        [FLAG_ENRICH] = { "enrich", 0, NULL, "add lineage, data_quality and batch_meta" },
        [FLAG_RULES] = { "rules", 0, "SET",
                        "reference (pressure, temperature, flow rate and quality by fixed\n"
                        "limits, the default), all (and every type by its catalog)" },
        [FLAG_SCORE] = { "score", 0, NULL, "measure the rules against what i4 made wrong, in batch_meta" },
        [FLAG_LABELS] = { "labels", 0, NULL, "each record says what is really wrong with it, as label" },
        [FLAG_SEQUENCE] = { "sequence", 0, NULL, "each record says its sequence number, as seq" },
        [FLAG_PIPELINE_NAME] = { "pipeline-name", 0, "NAME", "in lineage (" PIPELINE_ENRICHED ")" },
        [FLAG_MAX_USE] = { "max-use", 0, "SIZE",
                        "bytes that may lie in DIR; full, it waits for room (no limit)" },
        [FLAG_S3] = { "s3", 0, NULL, "upload batches; DIR holds those that wait, 1G at most by default" },
        [FLAG_S3_BUCKET] = { "s3-bucket", 0, "NAME", "where they go; implies --s3" },
        [FLAG_S3_PREFIX] = { "s3-prefix", 0, "TEXT", "before the date in an object's key (sensor-data/)" },
        [FLAG_S3_ENDPOINT] = { "s3-endpoint", 0, "URL", "of another service than Amazon's" },
        [FLAG_S3_PATH_STYLE] = { "s3-path-style", 0, "BOOL",
                        "the bucket in the path, not in the host's name (yes with an endpoint)" },
        [FLAG_AWS_REGION] = { "aws-region", 0, "NAME", "of the bucket (us-east-1)" },
        [FLAG_FROM] = { "from", 0, "WHERE",
                        "where to begin in a ring not read before: oldest (the default), newest" },
        [FLAG_RECORDS] = { "records", 'n', "N", "end after N records" },
        [FLAG_WAIT] = { "wait", 'w', NULL, "wait for a daemon that is not there, as long as it takes" },
        [FLAG_SOCKET] = { "socket", 0, "PATH", "instead of $I4_SOCKET or /run/i4/ring.sock" },
        [FLAG_VERBOSE] = { "verbose", 'v', NULL, "tell of each batch on stderr" },
};

/* Those that a person gives by hand have none. */
static const char *const batch_variables[N_FLAGS] = {
        [FLAG_INPUT_FILE] = "INPUT_FILE",
        [FLAG_OUTPUT_DIR] = "OUTPUT_DIR",
        [FLAG_BATCH_SIZE] = "BATCH_SIZE",
        [FLAG_BATCH_PERIOD] = "BATCH_PERIOD",
        [FLAG_EDGE_NODE_ID] = "EDGE_NODE_ID",
        [FLAG_ENRICH] = "ENRICH",
        [FLAG_RULES] = "RULES",
        [FLAG_SCORE] = "SCORE",
        [FLAG_LABELS] = "LABELS",
        [FLAG_SEQUENCE] = "SEQUENCE",
        [FLAG_PIPELINE_NAME] = "PIPELINE_NAME",
        [FLAG_MAX_USE] = "MAX_USE",
        [FLAG_S3] = "S3",
        [FLAG_S3_PREFIX] = "S3_PREFIX",
        [FLAG_S3_BUCKET] = "S3_BUCKET",
        [FLAG_S3_ENDPOINT] = "S3_ENDPOINT",
        [FLAG_S3_PATH_STYLE] = "S3_PATH_STYLE",
        [FLAG_AWS_REGION] = "AWS_REGION",
};

static const char batch_text[] =
                "Collects readings and writes each batch as DIR/batch_<nanoseconds>.json: a JSON array, or with\n"
                "--enrich an object of batch_meta and records. A file appears whole or not at all; after a\n"
                "crash or a restart the next batch begins where the last one ended. Lines of a file that are\n"
                "no records go to DIR/rejected.jsonl with the reason.\n"
                "\n"
                "Flags with a dash in them, and those from --enrich to --sequence and --s3, are also variables\n"
                "of the environment: BATCH_SIZE=500 is --batch-size 500, ENRICH=yes is --enrich. Keys for S3 come\n"
                "from a credential, the environment or ~/.aws/credentials, see i4-batch(1).\n"
                "\n"
                "Examples:\n"
                "  i4 batch --enrich                            the live stream into ./output\n"
                "  INPUT_FILE=s.jsonl OUTPUT_DIR=out i4 batch   a file, once\n"
                "  i4 batch --s3-bucket my-bucket               the live stream into s3://my-bucket/sensor-data\n"
                "  i4 tail --alert high | i4 batch --input-file - --batch-period 1min\n"
                "\n"
                "Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but records were lost. See i4-batch(1).\n";

struct batch_options {
        struct collector_options collector;
        char node[NODE_SIZE];
        bool is_enriched;
        bool is_s3;
        int path_style; /* negative: not said */
        char given[32]; /* how the setting in question is called where it was given */
};

static int complain(const struct batch_options *options, const char *argument, const char *right) {
        say(options->collector.attachment.who, "%s '%s' is not %s", options->given, argument, right);
        return -EINVAL;
}

static int take_size(struct batch_options *options, const char *argument) {
        uint64_t n;

        if (parse_uint64(argument, &n) < 0 || n < 1 || n > BATCH_RECORDS_MAX)
                return complain(options, argument, "a number of records from 1 to 1000000");

        options->collector.batch.n_records = n;
        return 0;
}

static int take_period(struct batch_options *options, const char *argument) {
        uint64_t ns;

        if (parse_span(argument, &ns) < 0 || ns < BATCH_PERIOD_MIN)
                return complain(options, argument, "a span from 10ms on, such as 10s or 1min");

        options->collector.period_ns = ns;
        return 0;
}

static int take_rules(struct batch_options *options, const char *argument) {
        int kind = rules_kind_from_string(argument);

        if (kind < 0)
                return complain(options, argument, "one of reference, all");

        options->collector.rules = (enum rules_kind) kind;
        return 0;
}

static int take_from(struct batch_options *options, const char *argument) {
        if (strcmp(argument, "oldest") == 0)
                options->collector.from = I4_OLDEST;
        else if (strcmp(argument, "newest") == 0)
                options->collector.from = I4_NEWEST;
        else
                return complain(options, argument, "one of oldest, newest");

        return 0;
}

/* @argument: NULL if it was given as a flag. */
static int take_bool(struct batch_options *options, const char *argument, bool *valuep) {
        if (!argument)
                *valuep = true;
        else if (parse_bool(argument, valuep) < 0)
                return complain(options, argument, "yes or no");

        return 0;
}

static int take_extra(struct batch_options *options, const char *argument, unsigned int extra) {
        bool value;
        int r;

        r = take_bool(options, argument, &value);
        if (r < 0)
                return r;

        options->collector.extras =
                        value ? options->collector.extras | extra : options->collector.extras & ~extra;
        return 0;
}

static int take_max_use(struct batch_options *options, const char *argument) {
        if (parse_size(argument, &options->collector.max_use) < 0)
                return complain(options, argument, "a size such as 500M, 4G or infinity");

        return options->collector.max_use > 0 ? 0 : complain(options, argument, "more than nothing");
}

static int take_records(struct batch_options *options, const char *argument) {
        if (parse_uint64(argument, &options->collector.n_records) < 0)
                return complain(options, argument, "a number of records such as 1000");

        return 0;
}

/* An empty name is none. */
static int take_name(struct batch_options *options, const char *argument, const char **namep) {
        if (!*argument || strlen(argument) >= NODE_SIZE)
                return complain(options, argument, "a name of 1 to 255 bytes");

        *namep = argument;
        return 0;
}

static int take_bucket(struct batch_options *options, const char *argument) {
        if (!target_bucket_is_valid(argument))
                return complain(options, argument, "the name of a bucket: 3 to 63 of a-z, 0-9, - and .");

        options->collector.target.bucket = argument;
        return 0;
}

static int take_region(struct batch_options *options, const char *argument) {
        if (!target_region_is_valid(argument))
                return complain(options, argument, "a region such as us-east-1");

        options->collector.target.region = argument;
        return 0;
}

static int take_endpoint(struct batch_options *options, const char *argument) {
        if (!target_endpoint_is_valid(argument))
                return complain(options, argument, "an address such as https://minio.example:9000");

        options->collector.target.endpoint = argument;
        return 0;
}

static int take_path_style(struct batch_options *options, const char *argument) {
        bool value;
        int r;

        r = take_bool(options, argument, &value);
        if (r >= 0)
                options->path_style = value;

        return r;
}

/* A bucket that is merely in the environment, where other programs have theirs too, uploads nothing. */
static int take_s3_setting(struct batch_options *options, size_t flag, const char *argument) {
        switch (flag) {
        case FLAG_S3:
                return take_bool(options, argument, &options->is_s3);
        case FLAG_S3_BUCKET:
                options->is_s3 |= *options->given == '-';
                return take_bucket(options, argument);
        case FLAG_S3_PREFIX:
                options->collector.target.prefix = argument;
                return 0;
        case FLAG_S3_ENDPOINT:
                return take_endpoint(options, argument);
        case FLAG_S3_PATH_STYLE:
                return take_path_style(options, argument);
        default:
                assert(flag == FLAG_AWS_REGION);
                return take_region(options, argument);
        }
}

static int take_setting(struct batch_options *options, size_t flag, const char *argument) {
        struct collector_options *collector = &options->collector;

        switch (flag) {
        case FLAG_INPUT_FILE:
                collector->input_file = argument;
                return 0;
        case FLAG_OUTPUT_DIR:
                collector->output_dir = argument;
                return *argument ? 0 : complain(options, argument, "the name of a directory");
        case FLAG_BATCH_SIZE:
                return take_size(options, argument);
        case FLAG_BATCH_PERIOD:
                return take_period(options, argument);
        case FLAG_EDGE_NODE_ID:
                return take_name(options, argument, &collector->batch.edge_node);
        case FLAG_ENRICH:
                return take_bool(options, argument, &options->is_enriched);
        case FLAG_RULES:
                return take_rules(options, argument);
        case FLAG_SCORE:
                return take_bool(options, argument, &collector->batch.is_scored);
        case FLAG_LABELS:
                return take_extra(options, argument, I4_EXTRA_LABEL);
        case FLAG_SEQUENCE:
                return take_extra(options, argument, I4_EXTRA_SEQUENCE);
        case FLAG_PIPELINE_NAME:
                return take_name(options, argument, &collector->batch.pipeline);
        case FLAG_MAX_USE:
                return take_max_use(options, argument);
        case FLAG_FROM:
                return take_from(options, argument);
        case FLAG_RECORDS:
                return take_records(options, argument);
        case FLAG_WAIT:
                collector->attachment.wait = true;
                return 0;
        case FLAG_SOCKET:
                collector->attachment.path = argument;
                return 0;
        case FLAG_VERBOSE:
                collector->attachment.is_verbose = true;
                return 0;
        default:
                return take_s3_setting(options, flag, argument);
        }
}

static int batch_take_flag(void *userdata, size_t flag, const char *argument) {
        struct batch_options *options = userdata;

        (void) snprintf(options->given, sizeof(options->given), "--%s", batch_flags[flag].name);
        return take_setting(options, flag, argument);
}

/* One that is set to nothing is not set. */
static int batch_take_environment(struct batch_options *options) {
        for (size_t flag = 0; flag < N_FLAGS; ++flag) {
                const char *name = batch_variables[flag];
                const char *value = name ? getenv(name) : NULL;
                int r;

                if (!value || !*value)
                        continue;

                (void) snprintf(options->given, sizeof(options->given), "%s", name);
                r = take_setting(options, flag, value);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* A node without a name has one all the same. */
static void set_default_node(struct batch_options *options) {
        if (options->collector.batch.edge_node)
                return;

        if (gethostname(options->node, sizeof(options->node) - 1) < 0 || !*options->node)
                (void) snprintf(options->node, sizeof(options->node), "localhost");
        options->collector.batch.edge_node = options->node;
}

/* Where other programs are told of the service, unless we are. */
static void set_default_target(struct batch_options *options) {
        struct target *target = &options->collector.target;
        const char *url = getenv("AWS_ENDPOINT_URL_S3");

        if (!url || !*url)
                url = getenv("AWS_ENDPOINT_URL");
        if (!target->endpoint && url && *url)
                target->endpoint = url;

        target->node = options->collector.batch.edge_node;
        /* No certificate is for a bucket whose name has dots, and few services but Amazon's name hosts so. */
        target->is_path_style =
                        options->path_style >= 0
                                        ? options->path_style
                                        : target->endpoint || (target->bucket && strchr(target->bucket, '.'));
}

static void batch_set_defaults(struct batch_options *options) {
        struct collector_options *collector = &options->collector;
        struct batch_settings *batch = &collector->batch;
        const char *pipeline = options->is_enriched ? PIPELINE_ENRICHED : PIPELINE_PLAIN;

        set_default_node(options);
        set_default_target(options);
        collector->is_uploading = options->is_s3;

        if (!batch->pipeline)
                batch->pipeline = options->is_s3 ? PIPELINE_S3 : pipeline;
        if (collector->period_ns == 0)
                collector->period_ns = options->is_s3 ? 60 * NSEC_PER_SEC : 10 * NSEC_PER_SEC;
        if (collector->max_use == 0)
                collector->max_use = options->is_s3 ? UINT64_C(1) << 30 : UINT64_MAX;

        if (options->is_enriched)
                batch->form = BATCH_ENRICHED;
        else
                batch->form = options->is_s3 ? BATCH_COMPACT : BATCH_PLAIN;
}

static int batch_check(const struct batch_options *options) {
        const struct collector_options *collector = &options->collector;
        const char *who = collector->attachment.who;

        if (collector->batch.is_scored && collector->batch.form == BATCH_PLAIN) {
                say(who, "--score goes into batch_meta, which needs --enrich");
                return -EINVAL;
        }
        if (options->is_s3 && !collector->target.bucket) {
                say(who, "--s3 needs S3_BUCKET or --s3-bucket, the name of a bucket");
                return -EINVAL;
        }
        if (options->is_s3 && collector->target.endpoint &&
                        !target_endpoint_is_valid(collector->target.endpoint)) {
                say(who, "AWS_ENDPOINT_URL '%s' is not an address such as https://minio.example:9000",
                                collector->target.endpoint);
                return -EINVAL;
        }

        return 0;
}

/* To a person who looks on, or asked. */
static void print_summary(const struct collector *collector) {
        const struct collector_options *options = collector->options;
        const struct totals *totals = &collector->totals;

        if (totals->n_rejected > 0)
                say(options->attachment.who, "%" PRIu64 " lines were no records, see %s/rejected.jsonl",
                                totals->n_rejected, options->output_dir);
        if (options->attachment.is_verbose || isatty(STDERR_FILENO))
                say(options->attachment.who,
                                "%" PRIu64 " batches of %" PRIu64 " records, %" PRIu64 " anomalies, in %s",
                                totals->n_batches, totals->n_records, totals->n_anomalies,
                                options->output_dir);
}

/* All is delivered, and what is not uploaded its successor does. Returns only if that failed, which is told.
 */
static void batch_restart(struct collector *collector) {
        struct program_place place = {
                .sequence = collector->position.sequence,
                .n_left = collector_get_left(collector),
                .has_lost = collector->totals.n_lost > 0,
        };

        progress_hide(&collector->progress);
        uplink_deinit(&collector->uplink);
        attachment_restart(&collector->options->attachment, &place);
}

static int batch_run_options(const struct batch_options *options) {
        _cleanup_(collector_deinit) struct collector collector = {};
        int r;

        stop_init();
        r = collector_init(&collector, &options->collector);
        if (r < 0)
                return STATUS_FAILED;

        (void) sd_notify(0, "READY=1\nSTATUS=Waiting for readings");
        r = options->collector.input_file ? collect_lines(&collector) : collect_ring(&collector);
        if (r >= 0)
                r = collector_finish(&collector);
        if (r == -ERESTART)
                batch_restart(&collector);
        (void) sd_notify(0, "STOPPING=1");

        progress_hide(&collector.progress);
        print_summary(&collector);
        if (r < 0 && r != -EINTR)
                return STATUS_FAILED;

        return collector.totals.n_lost > 0 || options->collector.attachment.program->place.has_lost
                               ? STATUS_LOST
                               : STATUS_DONE;
}

static int batch_run(const struct verb *verb, int argc, char *argv[]) {
        struct program program;
        struct batch_options options = {
                .collector = {
                        .attachment = { .who = verb->who, .is_service = true, .program = &program },
                        .output_dir = "./output",
                        .batch.n_records = 1000,
                        .n_records = UINT64_MAX,
                        .from = I4_OLDEST,
                        .target = { .prefix = "sensor-data/", .region = "us-east-1" },
                },
                .path_style = -1,
        };
        int r;

        program_init(&program);
        r = batch_take_environment(&options);
        if (r < 0)
                return STATUS_USAGE;
        r = flags_parse(verb, argc, argv, batch_take_flag, &options);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        if (program.is_successor)
                options.collector.n_records = program.place.n_left;
        batch_set_defaults(&options);
        r = batch_check(&options);
        if (r < 0)
                return STATUS_USAGE;

        return batch_run_options(&options);
}

const struct verb verb_batch = {
        .name = "batch",
        .who = "i4 batch",
        .summary = "Write readings as files, so many in each.",
        .text = batch_text,
        .flags = batch_flags,
        .n_flags = ELEMENTSOF(batch_flags),
        .run = batch_run,
};
