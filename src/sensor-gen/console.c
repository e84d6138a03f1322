/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What sensor-gen says
 *
 * The words and numbers are those of the generator that this one succeeds, as scripts read them: spans as Go
 * prints them, megabytes of 2^20 bytes. What they cannot say (a rate that was not reached) is a line of its
 * own.
 */

#include "sensor-gen/console.h"

#include "util/clock.h"
#include "util/macros.h"

#include <inttypes.h>
#include <string.h>

#define REPORT_NS (5 * NSEC_PER_SEC)
#define LINE_NS   NSEC_PER_SEC

/* "1h2m3.5s", "1m0s", "500ms", "1.5µs", "0s", to the last nanosecond */
static const char *go_format(uint64_t ns, char buffer[static FORMAT_MAX]) {
        static const struct {
                uint64_t ns;
                const char *name;
                int n_digits;
        } units[] = { { NSEC_PER_SEC, "s", 9 }, { NSEC_PER_MSEC, "ms", 6 }, { NSEC_PER_USEC, "\xc2\xb5s", 3 },
                { 1, "ns", 0 } };
        uint64_t hours = ns / NSEC_PER_HOUR, minutes = ns / NSEC_PER_MIN % 60, fraction;
        size_t i = 0, n = 0;
        int n_digits;

        if (hours > 0)
                n += (size_t) snprintf(buffer, FORMAT_MAX, "%" PRIu64 "h", hours);
        if (hours > 0 || minutes > 0) {
                n += (size_t) snprintf(buffer + n, FORMAT_MAX - n, "%" PRIu64 "m", minutes);
                ns %= NSEC_PER_MIN;
        } else
                while (ns > 0 && ns < units[i].ns)
                        ++i;

        n += (size_t) snprintf(buffer + n, FORMAT_MAX - n, "%" PRIu64, ns / units[i].ns);

        fraction = ns % units[i].ns;
        for (n_digits = units[i].n_digits; n_digits > 0 && fraction % 10 == 0; --n_digits)
                fraction /= 10;
        if (n_digits > 0)
                n += (size_t) snprintf(buffer + n, FORMAT_MAX - n, ".%0*" PRIu64, n_digits, fraction);

        (void) snprintf(buffer + n, FORMAT_MAX - n, "%s", units[i].name);
        return buffer;
}

static double per_second(uint64_t n, uint64_t ns) {
        return ns > 0 ? (double) n * (double) NSEC_PER_SEC / (double) ns : 0;
}

/* Slow rates need their decimals. */
static int rate_decimals(double rate) {
        return rate > 0 && rate < 10 ? 2 : 0;
}

static void line_clear(struct console *console) {
        if (!console->is_line_shown)
                return;

        (void) fputs("\r\033[K", stderr);
        (void) fflush(stderr);
        console->is_line_shown = false;
}

void console_init(struct console *console, const struct options *options) {
        bool is_stdout = strcmp(options->path, "-") == 0;

        *console = (struct console){
                .file = is_stdout ? stderr : stdout,
                .is_verbose = options->is_verbose,
                /* Not into the lines themselves, when a terminal shows them too. */
                .is_live = isatty(STDERR_FILENO) && !(is_stdout && isatty(STDOUT_FILENO)),
        };
}

static void rate_tell(FILE *file, struct rate rate) {
        char buffer[FORMAT_MAX];
        const char *slash;

        if (rate.period_ns == 0) {
                (void) fprintf(file, "as fast as the machine goes\n");
                return;
        }

        slash = strchr(format_rate(rate, buffer), '/');
        (void) fprintf(file, "at ~%.*s entries/%s\n", (int) (slash ? slash - buffer : FORMAT_MAX), buffer,
                        slash ? slash + 1 : "sec");
}

void console_begin(struct console *console, const struct options *options) {
        bool is_stdout = strcmp(options->path, "-") == 0;
        char buffer[FORMAT_MAX];
        FILE *file = console->file;

        (void) fprintf(file, "Generating sensor data to %s (%s) ",
                        is_stdout ? "standard output" : options->path,
                        is_stdout            ? "streaming"
                        : options->is_append ? "appending"
                                             : "overwriting");
        if (options->replay_path)
                (void) fprintf(file, "as i4d made it in %s\n", options->replay_path);
        else if (options->profile.n_phases > 0)
                (void) fprintf(file, "by schedule\n");
        else
                rate_tell(file, options->rate);
        if (options->duration_ns != NSEC_INFINITY)
                (void) fprintf(file, "Duration: %s\n", go_format(options->duration_ns, buffer));
        if (options->is_verbose && !options->replay_path)
                (void) fprintf(file, "Seed: %" PRIu64 "\n", options->seed);
        (void) fprintf(file, "Press Ctrl+C to stop...\n");
        (void) fflush(file);

        console->start_ns = clock_now_ns(CLOCK_MONOTONIC);
        console->report_ns = console->is_verbose ? console->start_ns + REPORT_NS : NSEC_INFINITY;
        console->line_ns = console->is_live ? console->start_ns + LINE_NS : NSEC_INFINITY;
}

uint64_t console_get_deadline(const struct console *console) {
        return MIN(console->report_ns, console->line_ns);
}

/* The first multiple of @interval_ns after @now_ns. */
static uint64_t next_time(const struct console *console, uint64_t now_ns, uint64_t interval_ns) {
        return now_ns + interval_ns - (now_ns - console->start_ns) % interval_ns;
}

void console_report(struct console *console, uint64_t n_records, uint64_t now_ns) {
        double rate = per_second(n_records, now_ns - console->start_ns);

        if (now_ns >= console->report_ns) {
                line_clear(console);
                (void) fprintf(console->file, "  %" PRIu64 " entries written (%.*f/sec avg)\n", n_records,
                                rate_decimals(rate), rate);
                (void) fflush(console->file);
                console->report_ns = next_time(console, now_ns, REPORT_NS);
        }

        if (now_ns >= console->line_ns) {
                (void) fprintf(stderr, "\r  %" PRIu64 " entries written (%.*f/sec avg)\033[K", n_records,
                                rate_decimals(rate), rate);
                (void) fflush(stderr);
                console->is_line_shown = true;
                console->line_ns = next_time(console, now_ns, LINE_NS);
        }
}

void console_end(struct console *console, const struct console_statistics *statistics) {
        uint64_t elapsed_ns = clock_now_ns(CLOCK_MONOTONIC) - console->start_ns;
        double rate = per_second(statistics->n_records, elapsed_ns);
        char buffer[FORMAT_MAX];
        FILE *file = console->file;

        line_clear(console);
        elapsed_ns = (elapsed_ns + NSEC_PER_MSEC / 2) / NSEC_PER_MSEC * NSEC_PER_MSEC;

        (void) fprintf(file,
                        "\n"
                        "--- Final Stats ---\n"
                        "Total entries: %" PRIu64 "\n"
                        "Duration: %s\n"
                        "Average rate: %.*f entries/sec\n"
                        "File size: %.2f MB\n"
                        "Avg entry size: %" PRIu64 " bytes\n",
                        statistics->n_records, go_format(elapsed_ns, buffer), rate_decimals(rate), rate,
                        (double) statistics->size / (1024 * 1024),
                        statistics->n_records > 0 ? statistics->n_bytes / statistics->n_records : 0);
        if (statistics->n_missing > 0)
                (void) fprintf(file, "Not made in time: %" PRIu64 " entries\n", statistics->n_missing);
        if (statistics->dirt) {
                (void) fprintf(file, "Dirty lines: ");
                dirt_print_counters(statistics->dirt, file);
                (void) fputc('\n', file);
        }
        (void) fflush(file);
}
