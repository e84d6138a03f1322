/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4 tail: the stream as text
 *
 * Reads what is there, prints what is wanted of it, and sleeps when there is nothing more. All that may
 * happen to a reader on the way (records lost, a new ring, a daemon that is gone) is an answer of libi4 and
 * has its function here.
 */

#include "i4.h"

#include "tools/attach.h"
#include "tools/filter.h"
#include "tools/output.h"
#include "tools/printer.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "tools/verbs.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BATCH_RECORDS 2048u

/* How often to look whether anybody still reads, while there is nothing to print for him. */
#define LOOK_INTERVAL_NS NSEC_PER_SEC

struct tail_options {
        struct attachment attachment;
        enum printer_format format;
        unsigned int extras;
        uint64_t from;      /* sequence, I4_OLDEST, I4_NEWEST */
        uint64_t n_records; /* to print; UINT64_MAX: no end */
        bool is_dirty;
        struct dirt_settings dirt;
        const char *dirty_log_path; /* NULL: none */
        struct filter filter;
};

struct tail {
        struct tail_options *options;
        i4_reader *reader;
        struct output output;
        struct printer printer;
        FILE *dirty_log;
        struct i4_record *records;
        uint64_t n_left;       /* to print */
        uint64_t next_look_ns; /* CLOCK_MONOTONIC_COARSE */
        bool has_lost;
        bool is_gone; /* the daemon, and this has been told */
};

/* options */

enum {
        FLAG_N,
        FLAG_FROM,
        FLAG_FORMAT,
        FLAG_TYPE,
        FLAG_PIPELINE,
        FLAG_SENSOR,
        FLAG_STATUS,
        FLAG_ALERT,
        FLAG_ANOMALY,
        FLAG_LABELS,
        FLAG_SEQUENCE,
        FLAG_DIRTY,
        FLAG_DIRTY_LOG,
        FLAG_WAIT,
        FLAG_SOCKET,
        FLAG_VERBOSE,
};

static const struct flag tail_flags[] = {
        [FLAG_N] = { "lines", 'n', "N", "end after N readings" },
        [FLAG_FROM] = { "from", 0, "WHERE",
                        "oldest (all that the ring still holds), newest (what comes\n"
                        "from now on, the default), or a sequence number" },
        [FLAG_FORMAT] = { "format", 0, "FORMAT",
                        "json (JSON Lines, the default), pretty (columns, coloured on\n"
                        "a terminal), csv (with a header line, sequence number first)" },
        [FLAG_TYPE] = { "type", 0, "NAMES", "only these types: pressure,flow_rate" },
        [FLAG_PIPELINE] = { "pipeline", 0, "IDS", "only these pipelines: PIPE-TX-001" },
        [FLAG_SENSOR] = { "sensor", 0, "IDS", "only these sensors: SNS-flo-2977" },
        [FLAG_STATUS] = { "status", 0, "NAMES", "only normal, warning, maintenance" },
        [FLAG_ALERT] = { "alert", 0, "NAMES", "only none, low, medium, high" },
        [FLAG_ANOMALY] = { "anomaly", 0, NULL, "only readings that i4 made wrong on purpose" },
        [FLAG_LABELS] = { "labels", 0, NULL,
                        "each line of json says what is really wrong, as label and event" },
        [FLAG_SEQUENCE] = { "sequence", 0, NULL, "each line of json says its sequence number, as seq" },
        [FLAG_DIRTY] = { "dirty", 0, "SPEC",
                        "spoil lines of json: 1% (of every kind alike), or some kinds,\n"
                        "missing=0.5%,late=1%,rename=10m; see i4-dirt(7)" },
        [FLAG_DIRTY_LOG] = { "dirty-log", 0, "FILE", "a JSON line for each line that was spoilt" },
        [FLAG_WAIT] = { "wait", 'w', NULL, "wait for a daemon that is not there, as long as it takes" },
        [FLAG_SOCKET] = { "socket", 0, "PATH", "instead of $I4_SOCKET or /run/i4/ring.sock" },
        [FLAG_VERBOSE] = { "verbose", 'v', NULL, "tell on stderr when the daemon goes and comes" },
};

static const char tail_text[] =
                "Lists may be given with commas or by repeating the flag: any of the names will do, and all\n"
                "flags given must agree. Records that were overwritten before they could be read are told\n"
                "on stderr, where they are missing, and by exit status 3.\n"
                "\n"
                "Examples:\n"
                "  i4 tail -n 10                            the next ten readings\n"
                "  i4 tail --format pretty --alert high     a picture of what is wrong now\n"
                "  i4 tail --from oldest --format csv -n 100000 > readings.csv\n"
                "  i4 tail --type pressure,flow_rate --pipeline PIPE-TX-001 | jq .value\n"
                "  i4 tail --wait | my-consumer             survives every restart of the daemon\n"
                "\n"
                "Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but records were lost. See i4(1).\n";

static int parse_from(const char *who, const char *text, uint64_t *fromp) {
        if (strcmp(text, "oldest") == 0)
                *fromp = I4_OLDEST;
        else if (strcmp(text, "newest") == 0)
                *fromp = I4_NEWEST;
        else if (parse_uint64(text, fromp) < 0 || *fromp >= I4_OLDEST) {
                say(who, "--from '%s' is none of oldest, newest, or a sequence number such as 125000", text);
                return -EINVAL;
        }

        return 0;
}

static int parse_count(const char *who, const char *text, uint64_t *countp) {
        if (parse_uint64(text, countp) >= 0)
                return 0;

        say(who, "-n '%s' is no number of readings such as 100", text);
        return -EINVAL;
}

static int parse_format(const char *who, const char *text, enum printer_format *formatp) {
        int r;

        r = printer_format_from_string(text);
        if (r < 0) {
                say(who, "--format '%s' is none of json, pretty, csv", text);
                return r;
        }

        *formatp = (enum printer_format) r;
        return 0;
}

static int parse_dirty(struct tail_options *options, const char *text) {
        char complaint[DIRT_COMPLAINT_MAX];
        int r;

        r = dirt_settings_parse(&options->dirt, text, complaint);
        if (r < 0)
                say(options->attachment.who, "--dirty: %s", complaint);

        options->is_dirty = true;
        return r;
}

static int tail_take_flag(void *userdata, size_t flag, const char *argument) {
        struct tail_options *options = userdata;
        const char *who = options->attachment.who;

        switch (flag) {
        case FLAG_N:
                return parse_count(who, argument, &options->n_records);
        case FLAG_FROM:
                return parse_from(who, argument, &options->from);
        case FLAG_FORMAT:
                return parse_format(who, argument, &options->format);
        case FLAG_TYPE:
                return filter_add_types(&options->filter, who, argument);
        case FLAG_PIPELINE:
                return filter_add_pipelines(&options->filter, who, argument);
        case FLAG_SENSOR:
                return filter_add_sensors(&options->filter, who, argument);
        case FLAG_STATUS:
                return filter_add_statuses(&options->filter, who, argument);
        case FLAG_ALERT:
                return filter_add_alerts(&options->filter, who, argument);
        case FLAG_ANOMALY:
                options->filter.is_anomaly = true;
                return 0;
        case FLAG_LABELS:
                options->extras |= I4_EXTRA_LABEL;
                return 0;
        case FLAG_SEQUENCE:
                options->extras |= I4_EXTRA_SEQUENCE;
                return 0;
        case FLAG_DIRTY:
                return parse_dirty(options, argument);
        case FLAG_DIRTY_LOG:
                options->dirty_log_path = argument;
                return 0;
        case FLAG_WAIT:
                options->attachment.wait = true;
                return 0;
        case FLAG_SOCKET:
                options->attachment.path = argument;
                return 0;
        default:
                assert(flag == FLAG_VERBOSE);
                options->attachment.is_verbose = true;
                return 0;
        }
}

/* the stream */

static int tail_set_catalog(struct tail *tail) {
        const i4_catalog *catalog = i4_reader_get_catalog(tail->reader);
        int r;

        r = filter_set_catalog(&tail->options->filter, tail->options->attachment.who, catalog);
        if (r >= 0)
                r = printer_set_catalog(&tail->printer, catalog);
        if (r == -ENOMEM)
                say(tail->options->attachment.who, "%s", strerror(ENOMEM));

        return r;
}

static int tail_print(struct tail *tail, size_t n_records) {
        size_t n = filter_apply(&tail->options->filter, tail->records, n_records);
        int r;

        tail->is_gone = false;
        n = (size_t) MIN(n, tail->n_left);
        r = printer_write(&tail->printer, tail->records, n);
        if (r < 0)
                return r;

        tail->n_left -= n;
        return output_flush_late(&tail->output);
}

/* In band: what was read before the gap is on its way when the gap is told. */
static int tail_tell_gap(struct tail *tail, uint64_t first) {
        uint64_t next = i4_reader_get_cursor(tail->reader);
        int r;

        r = output_flush(&tail->output);
        if (r < 0)
                return r;

        say(tail->options->attachment.who, "lost %" PRIu64 " records (sequence %" PRIu64 " to %" PRIu64 ")",
                        next - first, first, next - 1);
        tail->has_lost = true;
        return 0;
}

static int tail_renew(struct tail *tail) {
        int r;

        r = attachment_renew(&tail->options->attachment, tail->reader);
        return r == 0 ? tail_set_catalog(tail) : MIN(r, 0);
}

/* What libi4 answers besides records. @first: where the reader stood before it was asked. */
static int tail_handle(struct tail *tail, int answer, uint64_t first) {
        switch (answer) {
        case -EINTR:
                return 0;
        case -EOVERFLOW:
                return tail_tell_gap(tail, first);
        case -ESTALE:
                return tail_renew(tail);
        case -EPIPE:
                return attachment_tell_gone(&tail->options->attachment, &tail->is_gone);
        default:
                return attachment_tell_unreadable(&tail->options->attachment, answer, first);
        }
}

/* A consumer that has left is noticed also when nothing matches the filter. */
static int tail_look(struct tail *tail) {
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC_COARSE);

        if (likely(now_ns < tail->next_look_ns))
                return 0;

        tail->next_look_ns = now_ns + LOOK_INTERVAL_NS;
        return output_check(&tail->output);
}

static int tail_sleep(struct tail *tail) {
        uint64_t cursor = i4_reader_get_cursor(tail->reader);
        int r;

        r = output_flush(&tail->output);
        if (r < 0)
                return r;

        r = i4_reader_wait(tail->reader, (int64_t) LOOK_INTERVAL_NS);
        return r < 0 ? tail_handle(tail, r, cursor) : 0;
}

static int tail_step(struct tail *tail) {
        uint64_t cursor = i4_reader_get_cursor(tail->reader);
        int n, r;

        r = tail_look(tail);
        if (r < 0)
                return r;

        n = i4_reader_read(tail->reader, tail->records, (size_t) MIN(tail->n_left, BATCH_RECORDS));
        if (n > 0)
                return tail_print(tail, (size_t) n);
        if (n < 0)
                return tail_handle(tail, n, cursor);

        return tail_sleep(tail);
}

/* What is held back as well, at a good end. */
static int tail_finish(struct tail *tail) {
        int r = printer_finish(&tail->printer);

        return r < 0 ? r : output_flush(&tail->output);
}

/* -ERESTART: all that was read is out, and the rest is for another. */
static int tail_follow(struct tail *tail) {
        int r = 0, finished;

        while (r >= 0 && tail->n_left > 0 && !stop_is_requested())
                r = tail_step(tail);
        if (r < 0 && r != -ERESTART)
                return r;

        finished = tail_finish(tail);
        return finished < 0 ? finished : r;
}

static int tail_seek(struct tail *tail) {
        const struct tail_options *options = tail->options;

        if (options->attachment.program->is_successor)
                return attachment_seek_place(&options->attachment, tail->reader);
        if (i4_reader_seek(tail->reader, options->from) >= 0)
                return 0;

        say(options->attachment.who, "--from %" PRIu64 " is not published yet: the next one is %" PRIu64,
                        options->from, i4_reader_get_newest(tail->reader));
        return -ERANGE;
}

/* A consumer that wants no more, and a signal, are good ends; any other has been told unless it is of output.
 */
static int tail_get_status(const struct tail *tail, int r) {
        int error = tail->output.error;

        if (error < 0 && error != -EPIPE && error != -EINTR) {
                say(tail->options->attachment.who, "cannot write: %s", strerror(-error));
                return STATUS_FAILED;
        }
        if (r < 0 && error == 0)
                return STATUS_FAILED;

        return tail->has_lost ? STATUS_LOST : STATUS_DONE;
}

static int tail_end_dirt(const struct tail *tail) {
        const struct tail_options *options = tail->options;

        if (!tail->printer.dirt)
                return 0;

        (void) fprintf(stderr, "%s: dirty lines: ", options->attachment.who);
        dirt_print_counters(tail->printer.dirt, stderr);
        (void) fputc('\n', stderr);

        if (tail->dirty_log && (fflush(tail->dirty_log) != 0 || ferror(tail->dirty_log))) {
                say(options->attachment.who, "%s: could not be written", options->dirty_log_path);
                return -EIO;
        }

        return 0;
}

static void tail_restart(const struct tail *tail) {
        struct program_place place = {
                .sequence = i4_reader_get_cursor(tail->reader),
                .n_left = tail->n_left,
                .has_lost = tail->has_lost,
        };

        attachment_restart(&tail->options->attachment, &place);
}

static int tail_run_attached(struct tail *tail) {
        int r;

        r = tail_set_catalog(tail);
        if (r < 0)
                return r == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
        r = tail_seek(tail);
        if (r < 0)
                return STATUS_FAILED;

        r = tail->options->attachment.program->is_successor ? 0 : printer_begin(&tail->printer);
        if (r >= 0)
                r = tail_follow(tail);
        if (tail_end_dirt(tail) < 0)
                return STATUS_FAILED;
        if (r == -ERESTART)
                tail_restart(tail);

        return tail_get_status(tail, r);
}

static void tail_deinit(struct tail *tail) {
        tail->reader = i4_reader_close(tail->reader);
        printer_deinit(&tail->printer);
        output_deinit(&tail->output);
        if (tail->dirty_log)
                (void) fclose(tail->dirty_log);
        free(tail->records);
}

static int tail_init(struct tail *tail, struct tail_options *options) {
        const struct program *program = options->attachment.program;
        int r;

        *tail = (struct tail){
                .options = options,
                .n_left = program->is_successor ? program->place.n_left : options->n_records,
                .has_lost = program->place.has_lost,
        };

        r = output_init(&tail->output, STDOUT_FILENO);
        if (r < 0)
                return r;
        printer_init(&tail->printer, options->format, options->extras, &tail->output);

        tail->records = calloc(BATCH_RECORDS, sizeof(*tail->records));
        return tail->records ? 0 : -ENOMEM;
}

static int tail_init_dirt(struct tail *tail) {
        struct tail_options *options = tail->options;

        if (!options->is_dirty)
                return 0;

        if (options->dirty_log_path) {
                tail->dirty_log = fopen(options->dirty_log_path,
                                options->attachment.program->is_successor ? "ae" : "we");
                if (!tail->dirty_log) {
                        int error = -errno;

                        say(options->attachment.who, "%s: %s", options->dirty_log_path, strerror(-error));
                        return error;
                }
                /* Whoever follows the lines follows this too. */
                (void) setvbuf(tail->dirty_log, NULL, _IOLBF, 0);
        }

        printer_set_dirt(&tail->printer, &options->dirt, tail->dirty_log);
        return 0;
}

/* Told if it makes no sense. */
static int tail_check_options(const struct tail_options *options) {
        const char *who = options->attachment.who;

        if (options->is_dirty && options->format != FORMAT_JSON)
                say(who, "--dirty spoils lines of json; leave out --format");
        else if (options->dirty_log_path && !options->is_dirty)
                say(who, "--dirty-log has nothing to tell without --dirty");
        else
                return 0;

        return -EINVAL;
}

static int tail_run_options(struct tail_options *options) {
        _cleanup_(tail_deinit) struct tail tail;
        int r;

        r = tail_init(&tail, options);
        if (r < 0) {
                say(options->attachment.who, "%s", strerror(-r));
                return STATUS_FAILED;
        }

        r = tail_init_dirt(&tail);
        if (r < 0)
                return STATUS_FAILED;

        stop_init();
        r = attachment_open(&options->attachment, &tail.reader);
        if (r == -ERESTART)
                attachment_restart(&options->attachment, &options->attachment.program->place);
        if (r != 0)
                return r < 0 ? STATUS_FAILED : STATUS_DONE;

        return tail_run_attached(&tail);
}

static void tail_options_deinit(struct tail_options *options) {
        filter_deinit(&options->filter);
}

static int tail_run(const struct verb *verb, int argc, char *argv[]) {
        struct program program;
        _cleanup_(tail_options_deinit) struct tail_options options = {
                .attachment = { .who = verb->who, .program = &program },
                .from = I4_NEWEST,
                .n_records = UINT64_MAX,
        };
        int r;

        program_init(&program);
        r = flags_parse(verb, argc, argv, tail_take_flag, &options);
        if (r > 0 && tail_check_options(&options) < 0)
                r = -EINVAL;
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        return tail_run_options(&options);
}

const struct verb verb_tail = {
        .name = "tail",
        .who = "i4 tail",
        .summary = "Print readings as they come.",
        .text = tail_text,
        .flags = tail_flags,
        .n_flags = ELEMENTSOF(tail_flags),
        .run = tail_run,
};
