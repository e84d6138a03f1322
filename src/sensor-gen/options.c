/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The command line of sensor-gen
 *
 * A flag is a row of one table: the parser, what getopt needs and the list in --help follow from it. Flags
 * are taken as the generator that this one succeeds took them: with one dash or two, "-rate 5" or "-rate=5",
 * and
 * "-append=false" for those without a value.
 */

#include "sensor-gen/options.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/timestamp.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define SENSORS_MAX     UINT64_C(10000000)
#define SPEED_MAX       UINT64_C(1000000)
#define BATCH_NS_MIN    NSEC_PER_MSEC
#define BATCH_NS_MAX    NSEC_PER_SEC
#define CATCH_UP_NS_MIN (2 * NSEC_PER_SEC)

struct flag {
        const char *name;
        const char *value; /* what it is called in --help, NULL: none */
        const char *help;
        const char *expected; /* "is not …" */
        /* 0; 1: nothing else is to be done; -EINVAL or -ERANGE: no such value; -EBADMSG: the same, told */
        int (*parse)(struct options *options, const char *text);
};

static int path_parse(struct options *options, const char *text) {
        options->path = text;
        return *text ? 0 : -EINVAL;
}

static int rate_parse(struct options *options, const char *text) {
        return parse_rate(text, &options->rate);
}

static int schedule_parse(struct options *options, const char *text) {
        return profile_parse(text, &options->profile);
}

static int duration_parse(struct options *options, const char *text) {
        uint64_t ns;
        int r;

        r = parse_span(text, &ns);
        if (r < 0)
                return r;

        options->duration_ns = ns > 0 ? ns : NSEC_INFINITY;
        return 0;
}

static int switch_parse(bool *valuep, const char *text) {
        if (text)
                return parse_bool(text, valuep);

        *valuep = true;
        return 0;
}

static int verbose_parse(struct options *options, const char *text) {
        return switch_parse(&options->is_verbose, text);
}

static int append_parse(struct options *options, const char *text) {
        return switch_parse(&options->is_append, text);
}

static int seed_parse(struct options *options, const char *text) {
        options->has_seed = true;
        return parse_uint64(text, &options->seed);
}

static int from_parse(struct options *options, const char *text) {
        options->has_from = true;
        return parse_time(text, &options->from_ns);
}

static int to_parse(struct options *options, const char *text) {
        options->has_to = true;
        return parse_time(text, &options->to_ns);
}

static int then_live_parse(struct options *options, const char *text) {
        return switch_parse(&options->is_then_live, text);
}

static int speed_parse(struct options *options, const char *text) {
        int r;

        r = parse_uint64(text, &options->speed);
        if (r < 0)
                return r;

        return options->speed >= 1 && options->speed <= SPEED_MAX ? 0 : -ERANGE;
}

static int sensors_parse(struct options *options, const char *text) {
        uint64_t n;
        int r;

        r = parse_uint64(text, &n);
        if (r < 0)
                return r;
        if (n < 1 || n > SENSORS_MAX)
                return -ERANGE;

        options->n_sensors = (uint32_t) n;
        return 0;
}

static int anomalies_parse(struct options *options, const char *text) {
        return parse_percent(text, &options->anomalies_e4);
}

/* Says itself which kinds there are. */
static int anomaly_mix_parse(struct options *options, const char *text) {
        char description[MIX_DESCRIPTION_MAX];
        int r;

        r = mix_parse(text, &options->mix);
        if (r >= 0)
                return 0;

        (void) fprintf(stderr, "sensor-gen: -anomalymix: '%s' is not %s\n", text, mix_describe(description));
        return -EBADMSG;
}

static int catalog_parse_path(struct options *options, const char *text) {
        options->catalog_path = text;
        return *text ? 0 : -EINVAL;
}

static int scenario_parse_path(struct options *options, const char *text) {
        options->scenario_path = text;
        return *text ? 0 : -EINVAL;
}

static int replay_parse_path(struct options *options, const char *text) {
        options->replay_path = text;
        return *text ? 0 : -EINVAL;
}

static int model_parse(struct options *options, const char *text) {
        return model_kind_from_string(text, &options->model);
}

static int labels_parse(struct options *options, const char *text) {
        static const struct {
                const char *name;
                unsigned int extras;
                bool has_sidecar;
        } places[] = { { "none" }, { "inline", I4_EXTRA_LABEL }, { "sidecar", .has_sidecar = true } };

        for (size_t i = 0; i < ELEMENTSOF(places); ++i)
                if (strcmp(text, places[i].name) == 0) {
                        /* The incidents are beside the lines, which stay as they would be. */
                        options->has_extras |= !places[i].has_sidecar;
                        options->extras &= ~(unsigned int) I4_EXTRA_LABEL;
                        options->extras |= places[i].extras;
                        options->has_sidecar = places[i].has_sidecar;
                        return 0;
                }

        return -EINVAL;
}

static int shard_parse(struct options *options, const char *text) {
        options->has_shard = true;
        return parse_shard(text, &options->shard, &options->n_shards);
}

static int sequence_parse(struct options *options, const char *text) {
        bool is_wanted;
        int r;

        r = switch_parse(&is_wanted, text);
        if (r < 0)
                return r;

        options->has_extras = true;
        options->extras &= ~(unsigned int) I4_EXTRA_SEQUENCE;
        options->extras |= is_wanted ? I4_EXTRA_SEQUENCE : 0u;
        return 0;
}

static int span_between_parse(uint64_t *nsp, const char *text, uint64_t minimum_ns, uint64_t maximum_ns) {
        uint64_t ns;
        int r;

        r = parse_span(text, &ns);
        if (r < 0)
                return r;
        if (ns < minimum_ns || ns > maximum_ns)
                return -ERANGE;

        *nsp = ns;
        return 0;
}

static int batch_parse(struct options *options, const char *text) {
        return span_between_parse(&options->batch_ns, text, BATCH_NS_MIN, BATCH_NS_MAX);
}

static int catch_up_parse(struct options *options, const char *text) {
        return span_between_parse(&options->catch_up_ns, text, CATCH_UP_NS_MIN, NSEC_INFINITY);
}

/* Says itself which part is wrong. */
static int dirty_parse(struct options *options, const char *text) {
        char complaint[DIRT_COMPLAINT_MAX];

        options->is_dirty = true;
        if (dirt_settings_parse(&options->dirt, text, complaint) >= 0)
                return 0;

        (void) fprintf(stderr, "sensor-gen: -dirty: %s\n", complaint);
        return -EBADMSG;
}

static int dirty_log_parse(struct options *options, const char *text) {
        options->dirty_log_path = text;
        return *text ? 0 : -EINVAL;
}

static int help_parse(struct options *options, const char *text);

static int version_parse(struct options *options, const char *text) {
        (void) puts("sensor-gen " I4_VERSION);
        return 1;
}

static const struct flag flags[] = {
        { "o", "FILE", "write to FILE, \"-\" is standard output (output.jsonl)", "a file name", path_parse },
        { "rate", "RATE", "entries a second, or 90/min, 5/h, max (10000)",
                        "a rate: 2.5, 10000, 90/min or max, from 1/d to 1000000000", rate_parse },
        { "schedule", "PHASES", "a rate that changes: 1000 for 50s, 20000 for 10s, repeat (none)",
                        "phases such as \"1000 for 50s, 20000 for 10s, repeat\", \"100..5000 for 10min, 5000\" or "
                        "\"daily 2000..20000\"",
                        schedule_parse },
        { "d", "SPAN", "stop after 500ms, 30s, 1h2m3.5s; 0 is never (0)",
                        "a span of time: 500ms, 30s or 1h2m3.5s", duration_parse },
        { "v", NULL, "tell the seed, and the progress every 5 s", "yes or no", verbose_parse },
        { "append", NULL, "keep what FILE holds and go on after it", "yes or no", append_parse },
        { "seed", "N", "same seed, same readings (random)", "a whole number below 2^64", seed_parse },
        { "from", "TIME", "begin at TIME and do not wait for the clock",
                        "a time: 2026-11-23T10:49:43Z or @1795430983", from_parse },
        { "to", "TIME", "end before TIME, instead of -d", "a time: 2026-11-23T10:49:43Z or @1795430983",
                        to_parse },
        { "then-live", NULL, "after all up to now, which -from began, go on with the clock", "yes or no",
                        then_live_parse },
        { "speed", "N", "so many seconds of the plant in one of ours (1)", "a whole number, 1 to 1000000",
                        speed_parse },
        { "sensors", "N", "size of the fleet (8000)", "a number of sensors, 1 to 10000000", sensors_parse },
        { "anomalies", "SHARE", "readings with something wrong (2%)",
                        "a share: 2% or 0.05%, in steps of 0.01%", anomalies_parse },
        { "anomalymix", "MIX", "how they divide among kinds, by weight: leak=2,stuck=1 (all kinds)",
                        "told by itself", anomaly_mix_parse },
        { "catalog", "FILE", "types, pipelines and their plant, as JSON (built in)", "a file name",
                        catalog_parse_path },
        { "scenario", "FILE", "incidents that shall happen, a JSON object a line (none)", "a file name",
                        scenario_parse_path },
        { "replay", "DIR", "what the i4d that keeps its readings in DIR has made, once more", "a directory",
                        replay_parse_path },
        { "model", "NAME", "how readings come about: network, uniform (network)", "a model: network, uniform",
                        model_parse },
        { "labels", "WHERE",
                        "what is wrong: inline in each line, or sidecar: a line for each incident in FILE.events.jsonl (none)",
                        "none, inline or sidecar", labels_parse },
        { "sequence", NULL, "each line says its number, from 0", "yes or no", sequence_parse },
        { "dirty", "SPEC", "spoil lines: 1% of every kind alike, or missing=0.5%,late=1%,rename=10m (none)",
                        "told by itself", dirty_parse },
        { "dirty-log", "FILE", "a JSON line for each line that was spoilt", "a file name", dirty_log_parse },
        { "shard", "I/N", "make only what falls to machine I of N, from 0 (0/1)",
                        "I/N with I from 0 to N - 1 and N up to 1024, as 2/4", shard_parse },
        { "batchsec", "SPAN", "make entries this often, 1ms to 1s (10ms)", "a span from 1ms to 1s",
                        batch_parse },
        { "catchupsec", "SPAN", "skip what is later than this (10s)", "a span of 2s or more, or infinity",
                        catch_up_parse },
        { "help", NULL, "show this text", "a flag without a value", help_parse },
        { "version", NULL, "show the version", "a flag without a value", version_parse },
};

static int help_parse(struct options *options, const char *text) {
        (void) puts("Usage: sensor-gen [FLAGS]\n"
                    "\n"
                    "Writes the readings of an oil and gas pipeline network to a file, one JSON object a line.\n"
                    "\n"
                    "Flags, with one dash or two (defaults in parentheses):");

        for (size_t i = 0; i < ELEMENTSOF(flags); ++i)
                (void) printf("  -%-10s %-6s  %s\n", flags[i].name, flags[i].value ? flags[i].value : "",
                                flags[i].help);

        (void) puts("\n"
                    "Examples:\n"
                    "  sensor-gen -d 30s -v                           30 s at 10000 entries a second\n"
                    "  sensor-gen -rate 50000 -o sensors.jsonl        until Ctrl-C, statistics at the end\n"
                    "  sensor-gen -rate max -d 10s -o /dev/null       how fast is this machine?\n"
                    "  sensor-gen -o - | jq .value                    into a pipe; messages go to stderr\n"
                    "  sensor-gen -d 1h --append                      add an hour to output.jsonl\n"
                    "  sensor-gen -seed 7 -from 2026-01-01T00:00:00Z -d 24h -rate 100\n"
                    "                                                 a day at once, the same bytes every time\n"
                    "\n"
                    "Exit status: 0 done, 1 failed, 2 wrong usage. More in sensor-gen(1).");
        return 1;
}

/* One row more for the end, and one for -h. */
static void flags_to_getopt(struct option long_options[static ELEMENTSOF(flags) + 2]) {
        size_t i;

        for (i = 0; i < ELEMENTSOF(flags); ++i)
                long_options[i] = (struct option){
                        .name = flags[i].name,
                        .has_arg = flags[i].value ? required_argument : optional_argument,
                        .val = (int) i,
                };

        long_options[i++] = (struct option){ .name = "h", .has_arg = no_argument, .val = 'h' };
        long_options[i] = (struct option){};
}

static int flag_apply(const struct flag *flag, struct options *options, const char *text) {
        int r;

        r = flag->parse(options, text);
        if (r < 0 && r != -EBADMSG)
                (void) fprintf(stderr, "sensor-gen: -%s: '%s' is not %s\n", flag->name, text, flag->expected);

        return r < 0 ? -EINVAL : r;
}

/* What only shows when all flags are known. */
/* NULL: it makes sense */
static const char *options_check_shard(const struct options *options) {
        if (options->n_shards > 1 && options->rate.period_ns == 0)
                return "-shard needs a rate: machines have no other way to agree on who makes what";
        if (options->profile.n_phases > 0 && options->rate.period_ns == 0)
                return "-schedule needs a -rate that is a number, for what comes after its end";
        if (options->n_sensors % options->n_shards != 0)
                return "-shard I/N: N has to divide the number of sensors, so that each stays with one machine";

        return NULL;
}

static const char *options_check_clock(const struct options *options, uint64_t now_ns) {
        if (options->speed && options->rate.period_ns == 0)
                return "-speed needs a rate: max is as fast as it goes already";
        if (options->is_then_live && (!options->has_from || options->from_ns >= now_ns))
                return "-then-live needs a -from in the past";
        if (options->is_then_live && (options->has_to || options->speed))
                return "-then-live ends in the present, at its speed: leave out -to and -speed";
        if (options->has_to && (!options->has_from || options->from_ns >= options->to_ns))
                return "-to needs a -from before it";
        if (options->has_to && options->duration_ns != NSEC_INFINITY)
                return "-to and -d say the same: leave out one";
        if (options->has_from && options->rate.period_ns == 0)
                return "-from needs a rate: how many entries fall on a second of the past is not for the machine "
                       "to say";
        if (options->has_from && options->duration_ns != NSEC_INFINITY &&
                        options->duration_ns > NSEC_INFINITY - options->from_ns)
                return "-d ends after the year 2554";

        return NULL;
}

/* All that decides what is in a reading is noted in the directory. */
static const char *options_check_replay(const struct options *options, uint64_t given) {
        static const char *const others[] = { "rate", "schedule", "d", "seed", "then-live", "speed",
                "sensors", "anomalies", "anomalymix", "model", "dirty", "dirty-log" };

        for (size_t i = 0; i < ELEMENTSOF(flags); ++i)
                for (size_t j = 0; j < ELEMENTSOF(others); ++j)
                        if ((given & UINT64_C(1) << i) && strcmp(flags[i].name, others[j]) == 0)
                                return "-replay takes settings from the directory; -from, -to, -shard, -labels and "
                                       "-sequence go with it, and a -catalog or -scenario that has moved";

        return options->has_from && options->has_to && options->from_ns >= options->to_ns
                               ? "-to needs a -from before it"
                               : NULL;
}

/* Whether it runs by a clock, which can go on for ever. */
static bool options_has_clock(const struct options *options) {
        return !options->has_from || options->is_then_live || options->speed;
}

static int options_check(struct options *options, uint64_t given) {
        uint64_t now_ns = clock_now_ns(CLOCK_REALTIME);
        const char *complaint;

        if (options->replay_path) {
                complaint = options_check_replay(options, given);
        } else {
                complaint = options_check_shard(options);
                if (!complaint)
                        complaint = options_check_clock(options, now_ns);
        }
        if (!complaint && options->dirty_log_path && !options->is_dirty)
                complaint = "-dirty-log has nothing to tell without -dirty";
        if (!complaint && options->has_sidecar && strcmp(options->path, "-") == 0)
                complaint = "-labels sidecar needs a file to write beside: name one with -o";

        if (options->has_to && !options->replay_path)
                options->duration_ns = options->to_ns - MIN(options->from_ns, options->to_ns);
        if (!complaint && options->duration_ns == NSEC_INFINITY && !options_has_clock(options) &&
                        !options->replay_path) {
                if (options->from_ns >= now_ns)
                        complaint = "-from lies in the future: say with -d how long to go on";
                options->duration_ns = now_ns - MIN(options->from_ns, now_ns);
        }

        if (complaint) {
                (void) fprintf(stderr, "sensor-gen: %s\n", complaint);
                return -EINVAL;
        }

        return 1;
}

int options_parse(struct options *options, int argc, char *argv[]) {
        struct option long_options[ELEMENTSOF(flags) + 2];
        uint64_t given = 0;
        int c, r;

        static_assert(ELEMENTSOF(flags) <= 64, "a bit for each");
        *options = (struct options){
                .path = "output.jsonl",
                .rate = { .n_records = 10000, .period_ns = NSEC_PER_SEC },
                .duration_ns = NSEC_INFINITY,
                .n_sensors = 8000,
                .n_shards = 1,
                .anomalies_e4 = 200,
                .model = MODEL_NETWORK,
                .batch_ns = 10 * NSEC_PER_MSEC,
                .catch_up_ns = 10 * NSEC_PER_SEC,
        };
        flags_to_getopt(long_options);

        /* No short options: "-d5s" and "-vh" are mistakes, as they are with one dash and a long name. */
        while ((c = getopt_long_only(argc, argv, "+:", long_options, NULL)) >= 0) {
                if (c == ':') {
                        (void) fprintf(stderr, "sensor-gen: %s needs a value, see sensor-gen --help\n",
                                        argv[optind - 1]);
                        return -EINVAL;
                }
                if (c == '?') {
                        (void) fprintf(stderr, "sensor-gen: %s is not a flag, see sensor-gen --help\n",
                                        argv[optind - 1]);
                        return -EINVAL;
                }

                r = c == 'h' ? help_parse(options, NULL) : flag_apply(&flags[c], options, optarg);
                if (r != 0)
                        return r < 0 ? r : 0;
                given |= c == 'h' ? 0 : UINT64_C(1) << c;
        }

        if (optind < argc) {
                (void) fprintf(stderr, "sensor-gen: '%s' is not a flag; the output is named with -o\n",
                                argv[optind]);
                return -EINVAL;
        }

        return options_check(options, given);
}
