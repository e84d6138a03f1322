/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/progress.h"

#include "tools/status-file.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define LINE_SIZE 512u

void progress_init(struct progress *progress, const char *who, const char *directory, const char *target) {
        *progress = (struct progress){
                .who = who,
                .directory = directory,
                .target = target,
                .is_terminal = isatty(STDERR_FILENO),
                .is_service = getenv("RUNTIME_DIRECTORY") || getenv("NOTIFY_SOCKET"),
        };
}

static void format_line(char line[static LINE_SIZE], const struct totals *totals,
                const struct uplink_report *report, const char *trouble) {
        size_t n;

        n = (size_t) snprintf(line, LINE_SIZE,
                        "%" PRIu64 " batches, %" PRIu64 " records, %" PRIu64 " anomalies; %" PRIu64
                        " lost, %" PRIu64 " rejected",
                        totals->n_batches, totals->n_records, totals->n_anomalies, totals->n_lost,
                        totals->n_rejected);
        if (report)
                n += (size_t) snprintf(line + n, LINE_SIZE - n, "; %" PRIu64 " uploaded, %" PRIu64 " waiting",
                                report->n_sent, report->n_waiting);
        if (trouble)
                (void) snprintf(line + n, LINE_SIZE - n, "; waiting for room: %s", trouble);
        else if (report && report->is_failing)
                (void) snprintf(line + n, LINE_SIZE - n, "; %s", report->text);
}

static void add_text(cJSON *object, const char *key, const char *text) {
        if (text)
                (void) cJSON_AddStringToObject(object, key, text);
        else
                (void) cJSON_AddNullToObject(object, key);
}

static char *format_status(const struct progress *progress, const struct totals *totals,
                const struct uplink_report *report, const char *trouble) {
        _cleanup_(json_freep) cJSON *root = cJSON_CreateObject();

        if (report && report->is_failing && !trouble)
                trouble = report->text;

        json_add_count(root, "pid", (uint64_t) getpid());
        add_text(root, "name", progress->who);
        add_text(root, "directory", progress->directory);
        add_text(root, "target", progress->target);
        json_add_count(root, "batches", totals->n_batches);
        json_add_count(root, "records", totals->n_records);
        json_add_count(root, "anomalies", totals->n_anomalies);
        json_add_count(root, "bytes", totals->n_bytes);
        json_add_count(root, "lost_records", totals->n_lost);
        json_add_count(root, "rejected_lines", totals->n_rejected);
        if (report) {
                json_add_count(root, "uploaded_batches", report->n_sent);
                json_add_count(root, "uploaded_bytes", report->n_bytes);
                json_add_count(root, "waiting_batches", report->n_waiting);
                json_add_count(root, "failed_tries", report->n_tries_failed);
        }
        add_text(root, "error", trouble);

        return cJSON_PrintUnformatted(root);
}

static void progress_tell_service(const struct progress *progress, const char *line,
                const struct totals *totals, const struct uplink_report *report, const char *trouble) {
        _cleanup_(json_text_freep) char *status = NULL;

        (void) sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", line);
        status = format_status(progress, totals, report, trouble);
        if (status)
                status_file_write(status);
}

void progress_show(struct progress *progress, const struct totals *totals, const struct uplink_report *report,
                const char *trouble) {
        char line[LINE_SIZE];

        if (!progress->is_terminal && !progress->is_service)
                return;

        format_line(line, totals, report, trouble);
        if (progress->is_service)
                progress_tell_service(progress, line, totals, report, trouble);
        if (progress->is_terminal) {
                (void) dprintf(STDERR_FILENO, "\r\033[K%.120s", line);
                progress->is_shown = true;
        }
}

void progress_hide(struct progress *progress) {
        if (progress->is_shown)
                (void) dprintf(STDERR_FILENO, "\r\033[K");
        progress->is_shown = false;
}
