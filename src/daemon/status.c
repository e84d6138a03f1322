/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/status.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/parse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* Who is behind by less, storage and readers, has merely not looked yet. */
#define BEHIND_MIN 2.0 /* seconds */

struct line {
        char *buffer;
        size_t n;
};

static void line_add(struct line *line, const char *format, ...) _printf_(2, 3);

static void line_add(struct line *line, const char *format, ...) {
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(line->buffer + line->n, STATUS_MAX - line->n, format, args);
        va_end(args);

        if (n > 0)
                line->n += MIN((size_t) n, STATUS_MAX - line->n - 1);
}

/* numbers */

static void line_add_count(struct line *line, uint64_t n) {
        static const uint64_t groups[] = { UINT64_C(1000000000000000000), UINT64_C(1000000000000000),
                UINT64_C(1000000000000), UINT64_C(1000000000), 1000000, 1000, 1 };
        size_t i = 0;

        while (groups[i] > 1 && n < groups[i])
                ++i;

        line_add(line, "%" PRIu64, n / groups[i]);
        for (++i; i < ELEMENTSOF(groups); ++i)
                line_add(line, ",%03" PRIu64, n / groups[i] % 1000);
}

/* Two digits that matter: "1.2", "12", "120". */
static void line_add_short(struct line *line, double value) {
        if (value < 9.95)
                line_add(line, "%.1f", value);
        else if (value < 99.5)
                line_add(line, "%.0f", value);
        else
                line_add_count(line, value < 1e18 ? (uint64_t) (value / 10 + 0.5) * 10 : UINT64_MAX);
}

static void line_add_size(struct line *line, uint64_t bytes) {
        static const char units[] = "KMGTPE";
        double value = (double) bytes / 1024;
        size_t i = 0;

        for (; value >= 1000 && i < strlen(units) - 1; ++i)
                value /= 1024;

        line_add_short(line, value);
        line_add(line, "%c", units[i]);
}

/* Seconds it takes to make @n records at the set rate; 0 if there is none. */
static double stats_get_span(const struct i4_stats *stats, uint64_t n) {
        if (stats->rate_period_ns == 0 || stats->rate_records == 0)
                return 0;

        return (double) n * ((double) stats->rate_period_ns / (double) NSEC_PER_SEC) /
               (double) stats->rate_records;
}

/* At a set rate a span says more than a number, and changes less. */
static void line_add_behind(struct line *line, const struct i4_stats *stats, uint64_t n) {
        double span = stats_get_span(stats, n);

        if (span > 0) {
                line_add_short(line, span);
                line_add(line, " s behind");
        } else {
                line_add_short(line, (double) n / 1e6);
                line_add(line, " million behind");
        }
}

/* One that is on its way this moment is nothing, however long it took to come. */
static bool stats_is_behind(const struct i4_stats *stats, uint64_t n) {
        if (stats->rate_period_ns == 0)
                return n > stats->ring_records / 2;

        return n > 0 && stats_get_span(stats, n - 1) > BEHIND_MIN;
}

/* parts */

static void line_add_rate(struct line *line, const struct i4_stats *now, const struct i4_stats *before,
                uint64_t elapsed_ns) {
        char text[FORMAT_MAX];

        if (now->rate_period_ns == 0 && elapsed_ns > 0) {
                line_add_short(line, (double) (now->achieved_records - before->achieved_records) * 1e3 /
                                                     (double) elapsed_ns);
                line_add(line, " million readings/s");
        } else if (now->rate_period_ns == 0) {
                line_add(line, "readings as fast as the machine makes them");
        } else if (now->rate_period_ns == NSEC_PER_SEC) {
                line_add_count(line, now->rate_records);
                line_add(line, " readings/s");
        } else {
                line_add(line, "%s readings",
                                format_rate((struct rate){ now->rate_records, now->rate_period_ns }, text));
        }

        if (now->behind_records > 0) {
                line_add(line, ", ");
                line_add_behind(line, now, now->behind_records);
        }
        if (elapsed_ns > 0 && now->skipped_records > before->skipped_records)
                line_add(line, ", too slow: some were skipped");
}

static void line_add_readers(struct line *line, const struct i4_stats *now, uint64_t lag) {
        if (now->n_readers == 0)
                line_add(line, ", no readers");
        else
                line_add(line, ", %" PRIu32 " reader%s", now->n_readers, now->n_readers == 1 ? "" : "s");

        if (now->n_readers > 0 && stats_is_behind(now, lag)) {
                line_add(line, now->n_readers == 1 ? " (" : " (the slowest ");
                line_add_behind(line, now, lag);
                line_add(line, ")");
        }
}

static void line_add_storage(struct line *line, const struct i4_stats *now, const struct i4_stats *before,
                uint64_t elapsed_ns) {
        uint64_t n_waiting = now->ring_next > now->storage_next ? now->ring_next - now->storage_next : 0;

        switch (now->storage_state) {
        case I4_STORAGE_OFF:
                line_add(line, ", nothing is stored");
                return;
        case I4_STORAGE_FULL:
                line_add(line, ", storage is full: %s",
                                now->storage_errno ? strerror((int) now->storage_errno)
                                                   : "see MaxUse= and KeepFree=");
                break;
        case I4_STORAGE_FAILED:
                line_add(line, ", storage fails: %s", strerror((int) now->storage_errno));
                break;
        case I4_STORAGE_HANGS:
                line_add(line, ", storage waits: the disk does not answer");
                break;
        default:
                line_add(line, ", ");
                line_add_size(line, now->storage_use_bytes);
                line_add(line, " kept");
                if (stats_is_behind(now, n_waiting)) {
                        line_add(line, ", storage ");
                        line_add_behind(line, now, n_waiting);
                }
        }

        if (elapsed_ns > 0 && now->storage_dropped_records > before->storage_dropped_records)
                line_add(line, ", dropping readings");
}

const char *status_format(const struct i4_stats *now, const struct i4_stats *before, uint64_t elapsed_ns,
                uint64_t lag, char buffer[static STATUS_MAX]) {
        struct line line = { .buffer = buffer };

        buffer[0] = 0;
        line_add_rate(&line, now, before, elapsed_ns);
        line_add_readers(&line, now, lag);
        line_add_storage(&line, now, before, elapsed_ns);
        return buffer;
}
