/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/news.h"

#include "util/macros.h"

#include <errno.h>
#include <string.h>

static struct rate anchor_get_rate(const struct pacer_anchor *anchor) {
        return (struct rate){ anchor->rate_records, anchor->rate_period_ns };
}

/* How long it takes to make @n at the rate of @anchor. */
static uint64_t anchor_get_span(const struct pacer_anchor *anchor, uint64_t n) {
        if (anchor->rate_period_ns == 0)
                return 0;

        return (uint64_t) ((unsigned __int128) n * anchor->rate_period_ns / anchor->rate_records);
}

static void tell_anchor(struct report *report, const struct pacer_anchor *anchor, const char *why) {
        report_anchor(report, anchor->step, anchor->sequence, anchor->time_ns, anchor_get_rate(anchor), why);
}

void news_tell_generator(struct report *report, const struct pacer_event *event) {
        switch (event->kind) {
        case PACER_STARTED:
                tell_anchor(report, &event->anchor, "start");
                break;
        case PACER_RESUMED:
                tell_anchor(report, &event->anchor, "resumed");
                break;
        case PACER_RATE_CHANGED:
                tell_anchor(report, &event->anchor, "rate change");
                break;
        case PACER_CLOCK_STEPPED:
                report_clock_stepped(report, event->clock_ns);
                tell_anchor(report, &event->anchor, "clock step");
                break;
        case PACER_SKIPPED:
                report_skipped(report, event->n_records, anchor_get_span(&event->anchor, event->n_records));
                tell_anchor(report, &event->anchor, "skip");
                break;
        case PACER_SCHEDULED:
                break;
        }
}

static void tell_opened(struct report *report, const struct recorder_event *event) {
        report_storage_opened(report, event->name, event->value, event->records);
        if (event->error < 0)
                report_storage_engine(report, event->error);
}

void news_tell_recorder(struct report *report, const struct recorder_event *event) {
        switch (event->kind) {
        case RECORDER_STARTED:
                tell_opened(report, event);
                break;
        case RECORDER_LINE_ENDED:
                report_storage_line_ended(report);
                break;
        case RECORDER_ENGINE_CHANGED:
                report_storage_engine(report, event->error);
                break;
        case RECORDER_FULL:
                report_storage_full(report, event->error);
                break;
        case RECORDER_LIMITED:
                report_storage_limited(report, event->value);
                break;
        case RECORDER_FAILING:
                report_storage_failed(report, event->error, event->name);
                break;
        case RECORDER_RECOVERED:
                report_storage_recovered(report, event->value);
                break;
        case RECORDER_DROPPED:
                report_storage_dropped(report, event->records, event->value);
                break;
        case RECORDER_SEALED:
                report_storage_sealed(report, event->name, event->value);
                break;
        case RECORDER_DELETED:
                report_storage_deleted(report, event->name, event->value, event->error == -ETIME);
                break;
        case RECORDER_REPLACED:
                report_storage_replaced(report);
                break;
        case RECORDER_GONE:
                report_storage_gone(report, event->error);
                break;
        case RECORDER_SHUT_OUT:
                report_storage_shut_out(report);
                break;
        case RECORDER_CUT:
                report_storage_cut(report, event->value);
                break;
        case RECORDER_N_EVENTS:
                break;
        }
}

static void tell_exhausted(struct report *report, const struct publisher_notice *notice) {
        char why[128];

        (void) snprintf(why, sizeof(why), "no descriptor for another connection: %s",
                        strerror(-notice->error));
        report_reader_refused(report, notice->name, notice->pid, why);
}

/* Observers come and go with every look at the daemon; nobody acts on that. */
void news_tell_reader(struct report *report, const struct publisher_notice *notice) {
        switch (notice->kind) {
        case PUBLISHER_ATTACHED:
                if (!notice->is_observer)
                        report_reader_attached(report, notice->name, notice->pid, notice->uid);
                break;
        case PUBLISHER_LEFT:
                if (!notice->is_observer && *notice->name)
                        report_reader_left(report, notice->name, notice->pid, notice->cursor, notice->lost);
                break;
        case PUBLISHER_REFUSED:
                report_reader_refused(report, notice->name, notice->pid, notice->reason);
                break;
        case PUBLISHER_MUTE:
                report_reader_refused(report, notice->name, notice->pid, "it connected and said nothing");
                break;
        case PUBLISHER_LOST:
                report_reader_lost(report, notice->name, notice->pid, notice->n_lost, notice->lost);
                break;
        case PUBLISHER_SILENT:
                report_reader_silent(report, notice->name, notice->pid, notice->since_ns);
                break;
        case PUBLISHER_EXHAUSTED:
                tell_exhausted(report, notice);
                break;
        case PUBLISHER_N_NOTICES:
                break;
        }
}
