/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4 verify: what became of the readings on their way
 *
 * Reads all of the truth, then what was delivered, then detections. Needs no daemon.
 */

#include "tools/say.h"
#include "tools/text.h"
#include "tools/verbs.h"
#include "tools/verification.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

/* 1 is the answer that it is too much; what keeps from an answer is as wrong usage. */
enum {
        STATUS_PASSED = STATUS_DONE,
        STATUS_EXCEEDED = STATUS_FAILED,
        STATUS_NO_ANSWER = STATUS_USAGE,
};

#define SHOW_INTERVAL_NS (200 * NSEC_PER_MSEC)
#define SHOW_LINES       (UINT64_C(1) << 13) /* between looks at the clock */

struct paths {
        const char **list;
        size_t n;
};

struct verify_options {
        const char *who;
        struct paths truth;
        struct paths delivered;
        struct paths events;
        struct paths detections;
        const char *detected_by;
        const char *findings;
        unsigned int ignored;
        struct verdict_limits limits;
        bool needs_detections;
        bool is_json;
};

struct verify {
        const struct verify_options *options;
        struct complaints complaints;
        struct truth *truth;
        struct audit *audit;
        struct score *score; /* NULL: nobody detects */
        FILE *findings;      /* NULL: nobody wants them */
        uint64_t n_lines;
        uint64_t shown_ns;
        bool is_shown;
};

enum {
        FLAG_TRUTH,
        FLAG_IGNORE,
        FLAG_MAX_LOSS,
        FLAG_MAX_DUPLICATES,
        FLAG_MAX_DISORDER,
        FLAG_MAX_DAMAGE,
        FLAG_MAX_UNKNOWN,
        FLAG_EVENTS,
        FLAG_DETECTIONS,
        FLAG_DETECTED_BY,
        FLAG_MIN_PRECISION,
        FLAG_MIN_RECALL,
        FLAG_MIN_EVENTS,
        FLAG_FINDINGS,
        FLAG_JSON,
        N_FLAGS,
};

static const struct flag verify_flags[] = {
        [FLAG_TRUTH] = { "truth", 't', "PATH",
                        "a file of readings, i4d's directory, or - for standard input;\nmay be given again" },
        [FLAG_IGNORE] = { "ignore", 0, "FIELDS", "do not compare these: location.lat,unit; nor know by seq" },
        [FLAG_MAX_LOSS] = { "max-loss", 0, "N", "a number, a share as 0.1% of the truth, or any (0)" },
        [FLAG_MAX_DUPLICATES] = { "max-duplicates", 0, "N", "lines that came before; limits are as above" },
        [FLAG_MAX_DISORDER] = { "max-disorder", 0, "N", "readings that come after a later one" },
        [FLAG_MAX_DAMAGE] = { "max-damage", 0, "N", "lines that say something else, or nothing" },
        [FLAG_MAX_UNKNOWN] = { "max-unknown", 0, "N", "lines that are not in the truth" },
        [FLAG_EVENTS] = { "events", 0, "FILE", "what is wrong, as sensor-gen -labels sidecar tells it" },
        [FLAG_DETECTIONS] = { "detections", 0, "FILE",
                        "what a detector found: seq, or sensor_id and timestamp" },
        [FLAG_DETECTED_BY] = { "detected-by", 0, "KEY",
                        "key of the detector's verdict in delivered lines, or A.B" },
        [FLAG_MIN_PRECISION] = { "min-precision", 0, "SHARE",
                        "of detections that are right: 0.9 or 90% (0)" },
        [FLAG_MIN_RECALL] = { "min-recall", 0, "SHARE", "of wrong readings that are detected (0)" },
        [FLAG_MIN_EVENTS] = { "min-events", 0, "SHARE", "of events that are detected in a reading (0)" },
        [FLAG_FINDINGS] = { "findings", 0, "FILE", "write there each thing found, as JSON Lines" },
        [FLAG_JSON] = { "json", 0, NULL, "one object; keys as in i4-verify(1)" },
};

_Static_assert(ELEMENTSOF(verify_flags) == N_FLAGS, "one row for each");

static const char verify_text[] =
                "Tells exactly what was lost, doubled, disordered and damaged between the truth and FILE\n"
                "(standard input), JSON Lines both; and how good a detector is. Readings are known by seq where\n"
                "both have it, else by sensor_id and timestamp. Values are compared, not their spelling.\n"
                "\n"
                "Examples:\n"
                "  i4 verify --truth /var/lib/i4 delivered.jsonl         what i4d stored is the truth\n"
                "  my-pipeline < truth.jsonl | i4 verify -t truth.jsonl  what my-pipeline makes of it\n"
                "  i4 verify --truth <(sensor-gen -o - -seed 7 -from 2026-01-01T00:00:00Z -d 60s) out.jsonl\n"
                "                                                        the truth made again\n"
                "  i4 verify -t t.jsonl --detected-by anomaly --min-recall 0.9 out.jsonl\n"
                "                                                        is the detector good enough?\n"
                "\n"
                "Exit status: 0 within the limits, 1 beyond, 2 wrong usage or input. See i4-verify(1).\n";

/* flags */

static int paths_add(struct paths *paths, const char *path) {
        const char **list = reallocarray(paths->list, paths->n + 1, sizeof(*list));

        if (!list)
                return -ENOMEM;

        paths->list = list;
        paths->list[paths->n++] = path;
        return 0;
}

static int complain_value(
                const struct verify_options *options, size_t flag, const char *what, const char *argument) {
        say(options->who, "--%s takes %s, not '%s'", verify_flags[flag].name, what, argument);
        return -EINVAL;
}

static int take_limit(struct verify_options *options, size_t flag, const char *argument) {
        struct verdict_limit *limit = &options->limits.counts[VERDICT_LOSS + flag - FLAG_MAX_LOSS];

        return verdict_limit_parse(argument, limit) < 0
                               ? complain_value(options, flag, "a number, a share as 0.1%, or any", argument)
                               : 0;
}

static int take_share(struct verify_options *options, size_t flag, const char *argument) {
        uint32_t *share_e4 = &options->limits.shares_e4[VERDICT_PRECISION + flag - FLAG_MIN_PRECISION];

        options->needs_detections = true;
        return verdict_share_parse(argument, share_e4) < 0
                               ? complain_value(options, flag, "a share as 0.9 or 90%", argument)
                               : 0;
}

static int take_fields(struct verify_options *options, const char *argument) {
        char name[READING_KEY_MAX];
        size_t n;

        for (const char *p = argument; *p; p += n + (p[n] == ',')) {
                int field;

                n = strcspn(p, ",");
                (void) snprintf(name, sizeof(name), "%.*s", (int) n, p);
                field = reading_field_from_string(name);
                if (field < 0)
                        return complain_value(
                                        options, FLAG_IGNORE, "names such as value, location.lat, seq", name);
                options->ignored |= READING_BIT((unsigned int) field);
        }

        return 0;
}

static int verify_take_flag(void *userdata, size_t flag, const char *argument) {
        struct verify_options *options = userdata;

        switch (flag) {
        case FLAG_TRUTH:
                return paths_add(&options->truth, argument);
        case FLAG_EVENTS:
                return paths_add(&options->events, argument);
        case FLAG_DETECTIONS:
                return paths_add(&options->detections, argument);
        case FLAG_IGNORE:
                return take_fields(options, argument);
        case FLAG_MAX_LOSS ... FLAG_MAX_UNKNOWN:
                return take_limit(options, flag, argument);
        case FLAG_MIN_PRECISION ... FLAG_MIN_EVENTS:
                return take_share(options, flag, argument);
        case FLAG_DETECTED_BY:
                options->detected_by = argument;
                return 0;
        case FLAG_FINDINGS:
                options->findings = argument;
                return 0;
        case FLAG_JSON:
                options->is_json = true;
                return 0;
        default:
                assert(flag == N_FLAGS);
                return paths_add(&options->delivered, argument);
        }
}

static unsigned int paths_count_stdin(const struct paths *paths) {
        unsigned int n = 0;

        for (size_t i = 0; i < paths->n; ++i)
                n += strcmp(paths->list[i], "-") == 0;

        return n;
}

static bool options_have_detections(const struct verify_options *options) {
        return options->detections.n > 0 || options->detected_by;
}

static int options_check(struct verify_options *options) {
        if (options->delivered.n == 0 && paths_add(&options->delivered, "-") < 0)
                return -ENOMEM;

        if (options->truth.n == 0) {
                say(options->who,
                                "what is the truth? --truth names a file of readings or i4d's directory, /var/lib/i4");
                return -EINVAL;
        }
        if (paths_count_stdin(&options->truth) + paths_count_stdin(&options->delivered) +
                                        paths_count_stdin(&options->detections) >
                        1) {
                say(options->who, "standard input is only one of truth, what was delivered, and detections");
                return -EINVAL;
        }
        if (options->needs_detections && !options_have_detections(options)) {
                say(options->who,
                                "--min-... is about detections: name them by --detections or --detected-by");
                return -EINVAL;
        }

        return 0;
}

static void verify_options_deinit(struct verify_options *options) {
        free(options->truth.list);
        free(options->delivered.list);
        free(options->events.list);
        free(options->detections.list);
}

/* reading */

static void verify_report(void *userdata, const char *file, unsigned int line, const char *text) {
        const struct verify *verify = userdata;

        if (line > 0)
                say(verify->options->who, "%s:%u: %s", file, line, text);
        else
                say(verify->options->who, "%s: %s", file, text);
}

static void verify_show(struct verify *verify, const char *what, const struct sources *sources) {
        uint64_t now_ns, done, total;

        if (++verify->n_lines % SHOW_LINES != 0 || !isatty(STDERR_FILENO))
                return;
        now_ns = clock_now_ns(CLOCK_MONOTONIC_COARSE);
        if (now_ns - verify->shown_ns < SHOW_INTERVAL_NS)
                return;

        sources_get_progress(sources, &done, &total);
        if (total > 0)
                (void) dprintf(STDERR_FILENO, "\r\033[K%s: %.0f %% of %s", what,
                                100.0 * (double) done / (double) total, size_text(total).text);
        else
                (void) dprintf(STDERR_FILENO, "\r\033[K%s: %s", what, size_text(done).text);
        verify->shown_ns = now_ns;
        verify->is_shown = true;
}

static void verify_hide(struct verify *verify) {
        if (verify->is_shown)
                (void) dprintf(STDERR_FILENO, "\r\033[K");
        verify->is_shown = false;
}

static int verify_load_truth(struct verify *verify) {
        const struct verify_options *options = verify->options;
        int r;

        r = truth_new(&verify->truth, options->ignored, &verify->complaints);
        for (size_t i = 0; i < options->events.n && r >= 0; ++i)
                r = truth_load_events(verify->truth, options->events.list[i]);
        for (size_t i = 0; i < options->truth.n && r >= 0; ++i)
                r = truth_add(verify->truth, options->truth.list[i]);
        if (r < 0)
                return r;

        while ((r = truth_load(verify->truth)) > 0)
                verify_show(verify, "truth", truth_get_sources(verify->truth));
        if (r < 0)
                return r;

        if (table_get_n(truth_get_table(verify->truth)) == 0) {
                complain(&verify->complaints, "truth", 0, "there are no readings in it");
                return -ENODATA;
        }
        if (options_have_detections(options) && !events_are_known(truth_get_events(verify->truth))) {
                complain(&verify->complaints, "truth", 0,
                                "it does not say what is wrong; labels do (Labels=inline, sensor-gen -labels "
                                "inline), or --events");
                return -ENODATA;
        }

        return 0;
}

static int verify_open_sources(struct verify *verify, const struct paths *paths, struct sources **sourcesp) {
        _cleanup_(sources_freep) struct sources *sources = NULL;
        int r;

        r = sources_new(&sources, false, &verify->complaints);
        for (size_t i = 0; i < paths->n && r >= 0; ++i)
                r = sources_add(sources, paths->list[i]);
        if (r < 0)
                return r;

        *sourcesp = TAKE_PTR(sources);
        return 0;
}

static int verify_take_delivered(struct verify *verify, struct json_span line, struct finding_place place) {
        const struct reading *reading;
        uint32_t record;
        int r;

        r = audit_take(verify->audit, line, place, &record, &reading);
        if (r < 0 || !reading || !reading->is_detected)
                return r;

        return score_take(verify->score, record, reading->detection);
}

static int verify_read_delivered(struct verify *verify) {
        _cleanup_(sources_freep) struct sources *sources = NULL;
        struct json_span line;
        int r;

        r = verify_open_sources(verify, &verify->options->delivered, &sources);
        if (r < 0)
                return r;

        while ((r = sources_next(sources, &line)) != 0) {
                struct finding_place place = { sources_get_path(sources), sources_get_number(sources) };

                if (r == -EMSGSIZE)
                        audit_take_long(verify->audit, place);
                else if (r > 0)
                        r = verify_take_delivered(verify, line, place);
                if (r < 0 && r != -EMSGSIZE)
                        return r;
                verify_show(verify, "delivered", sources);
        }

        audit_finish(verify->audit);
        return 0;
}

static int verify_read_detections(struct verify *verify) {
        _cleanup_(sources_freep) struct sources *sources = NULL;
        const char *reason;
        struct json_span line;
        int r;

        r = verify_open_sources(verify, &verify->options->detections, &sources);
        if (r < 0)
                return r;

        while ((r = sources_next(sources, &line)) != 0) {
                reason = "this line is too long to be a detection";
                if (r > 0)
                        r = score_take_line(verify->score, line, &reason);
                if (r == -EBADMSG || r == -EMSGSIZE)
                        complain(&verify->complaints, sources_get_path(sources),
                                        (unsigned int) sources_get_number(sources), "%s", reason);
                if (r < 0)
                        return r;
                verify_show(verify, "detections", sources);
        }

        return score_finish(verify->score);
}

/* the verb */

uint64_t verification_get_n_truth(const struct verification *verification) {
        return table_get_n(truth_get_table(verification->truth));
}

bool verification_passes(const struct verification *verification) {
        return verdict_passes(verification->limits, verification->counts, verification->score,
                        verification_get_n_truth(verification));
}

static int verify_print(struct verify *verify, int *statusp) {
        const struct verify_options *options = verify->options;
        const struct verification verification = {
                .truth = verify->truth,
                .n_files = (unsigned int) options->delivered.n,
                .counts = audit_get_counts(verify->audit),
                .score = verify->score ? score_get_counts(verify->score) : NULL,
                .limits = &options->limits,
        };
        int r = 0;

        if (options->is_json)
                r = verification_print_json(&verification, stdout);
        else
                verification_print_text(&verification, stdout, text_has_colours(STDOUT_FILENO));
        if (r >= 0 && fflush(stdout) != 0)
                r = -errno;
        if (r < 0) {
                complain(&verify->complaints, "standard output", 0, "%s", strerror(-r));
                return r;
        }

        *statusp = verification_passes(&verification) ? STATUS_PASSED : STATUS_EXCEEDED;
        return 0;
}

static int verify_open_findings(struct verify *verify) {
        const char *path = verify->options->findings;

        if (!path)
                return 0;

        verify->findings = fopen(path, "we");
        if (verify->findings)
                return 0;

        complain(&verify->complaints, path, 0, "%s", strerror(errno));
        return -EIO;
}

static int verify_close_findings(struct verify *verify) {
        bool failed = verify->findings && ferror(verify->findings);

        if (!verify->findings || (fclose(TAKE_PTR(verify->findings)) == 0 && !failed))
                return 0;

        complain(&verify->complaints, verify->options->findings, 0, "not all could be written");
        return -EIO;
}

static int verify_all(struct verify *verify, int *statusp) {
        const struct verify_options *options = verify->options;
        int r;

        r = verify_open_findings(verify);
        if (r < 0)
                return r;
        r = verify_load_truth(verify);
        if (r < 0)
                return r;
        r = audit_new(&verify->audit, verify->truth, options->detected_by, verify->findings);
        if (r >= 0 && options_have_detections(options))
                r = score_new(&verify->score, verify->truth);
        if (r < 0)
                return r;

        r = verify_read_delivered(verify);
        if (r >= 0 && verify->score)
                r = verify_read_detections(verify);
        verify_hide(verify);
        if (r < 0)
                return r;

        r = verify_close_findings(verify);
        return r < 0 ? r : verify_print(verify, statusp);
}

static void verify_deinit(struct verify *verify) {
        (void) audit_free(verify->audit);
        (void) score_free(verify->score);
        (void) truth_free(verify->truth);
        fclosep(&verify->findings);
}

/* Every sealed file stays open. */
static void raise_limit_of_files(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}

static int verify_run_options(const struct verify_options *options) {
        _cleanup_(verify_deinit) struct verify verify = { .options = options };
        int status = STATUS_NO_ANSWER, r;

        raise_limit_of_files();
        verify.complaints = (struct complaints){ .report = verify_report, .userdata = &verify };
        r = verify_all(&verify, &status);
        verify_hide(&verify);
        /* Whatever else it was has been told. */
        if (r < 0 && verify.complaints.n == 0)
                say(options->who, "%s", strerror(-r));

        return status;
}

static int verify_run(const struct verb *verb, int argc, char *argv[]) {
        _cleanup_(verify_options_deinit) struct verify_options options = { .who = verb->who };
        int r;

        r = flags_parse(verb, argc, argv, verify_take_flag, &options);
        if (r == 0)
                return STATUS_DONE;
        if (r < 0 || options_check(&options) < 0)
                return STATUS_USAGE;

        return verify_run_options(&options);
}

const struct verb verb_verify = {
        .name = "verify",
        .who = "i4 verify",
        .summary = "Tell what was lost, doubled, disordered or damaged on the way.",
        .text = verify_text,
        .operands = "[FILE...]",
        .flags = verify_flags,
        .n_flags = ELEMENTSOF(verify_flags),
        .run = verify_run,
};
