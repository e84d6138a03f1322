/* SPDX-License-Identifier: Apache-2.0 */

#include "kafka/report.h"

#include "tools/status-file.h"
#include "util/json.h"
#include "util/macros.h"

#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define LINE_SIZE 512u

static char *format_status(const struct report *report) {
        _cleanup_(json_freep) cJSON *root = cJSON_CreateObject();

        json_add_count(root, "pid", (uint64_t) getpid());
        (void) cJSON_AddStringToObject(root, "name", report->who);
        (void) cJSON_AddStringToObject(root, "target", report->topic);
        json_add_count(root, "records", report->n_acknowledged);
        json_add_count(root, "bytes", report->n_bytes);
        json_add_count(root, "waiting_records", report->n_waiting);
        json_add_count(root, "lost_records", report->n_lost);
        json_add_count(root, "held_up", report->n_held);
        if (*report->trouble)
                (void) cJSON_AddStringToObject(root, "error", report->trouble);
        else
                (void) cJSON_AddNullToObject(root, "error");

        return cJSON_PrintUnformatted(root);
}

void report_begin(void) {
        (void) sd_notify(0, "READY=1\nSTATUS=Waiting for readings");
}

void report_show(const struct report *report) {
        _cleanup_(json_text_freep) char *status = format_status(report);
        char line[LINE_SIZE];

        (void) snprintf(line, sizeof(line),
                        "%" PRIu64 " readings arrived, %" PRIu64 " on their way, %" PRIu64 " lost%s%s",
                        report->n_acknowledged, report->n_waiting, report->n_lost,
                        *report->trouble ? "; " : "", report->trouble);
        (void) sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", line);
        if (status)
                status_file_write(status);
        if (isatty(STDERR_FILENO))
                (void) dprintf(STDERR_FILENO, "\r\033[K%.120s", line);
}

void report_hide(void) {
        if (isatty(STDERR_FILENO))
                (void) dprintf(STDERR_FILENO, "\r\033[K");
}
