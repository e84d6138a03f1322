/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/monitor.h"

#include "daemon/status.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define LOOK_INTERVAL_NS (5 * NSEC_PER_SEC)
/* Timers may come later by so much, so that they come together. */
#define TIMER_SLACK_US   UINT64_C(250000)
/* A thread shows progress at least once a second: less than this without it says nothing. */
#define HUNG_MIN_NS      (2 * NSEC_PER_SEC)
/* Told after so long where no watchdog asks for it earlier. */
#define HUNG_TOLD_NS     (10 * NSEC_PER_SEC)
/* A rate that was measured over less is none. */
#define STATUS_MIN_NS    NSEC_PER_SEC
/* Late by more is told. */
#define BEHIND_TOLD_NS   NSEC_PER_SEC

/* A thread that has to show progress. */
struct watch {
        const char *name;
        uint64_t progress;
        uint64_t since_ns; /* CLOCK_MONOTONIC: when it last changed */
        bool is_told;
};

struct monitor {
        struct monitor_subjects subjects;
        i4_reader *observer; /* the counters, as everyone sees them */

        sd_event_source *statistics_timer;
        uint64_t statistics_interval_ns;
        struct i4_stats statistics; /* as last told */
        uint64_t statistics_ns;     /* CLOCK_MONOTONIC, as all times here */

        sd_event_source *look_timer;
        uint64_t look_interval_ns;
        struct i4_stats looked;
        uint64_t looked_ns;
        char status[STATUS_MAX];
        uint64_t hung_told_ns;
        bool has_watchdog;
        bool is_behind;
        bool is_disk_hung;
        struct watch generator;
        struct watch recorder;
};

static struct i4_stats monitor_get_stats(const struct monitor *monitor) {
        struct i4_stats stats;

        (void) i4_reader_get_stats(monitor->observer, &stats, sizeof(stats));
        return stats;
}

/* threads */

static void watch_start(struct watch *watch, const char *name, uint64_t now_ns) {
        *watch = (struct watch){ .name = name, .since_ns = now_ns };
}

static bool monitor_look_thread(
                struct monitor *monitor, struct watch *watch, uint64_t progress, uint64_t now_ns) {
        uint64_t still_ns;

        if (progress != watch->progress) {
                watch->progress = progress;
                watch->since_ns = now_ns;
                watch->is_told = false;
        }

        still_ns = now_ns - watch->since_ns;
        if (still_ns < HUNG_MIN_NS)
                return true;

        if (!watch->is_told && still_ns >= monitor->hung_told_ns) {
                watch->is_told = true;
                report_hung(monitor->subjects.report, watch->name, still_ns);
        }
        return false;
}

/* A disk that does not answer is no reason for a restart, which would have to wait for it as well. */
static bool monitor_look_recorder(struct monitor *monitor, uint64_t now_ns) {
        const struct monitor_subjects *subjects = &monitor->subjects;
        struct watch *watch = &monitor->recorder;
        uint64_t progress = recorder_get_progress(subjects->recorder);

        if (progress == watch->progress && recorder_is_at_disk(subjects->recorder)) {
                if (!monitor->is_disk_hung && now_ns - watch->since_ns >= monitor->hung_told_ns) {
                        monitor->is_disk_hung = true;
                        recorder_set_hanging(subjects->recorder, true);
                        report_storage_hangs(subjects->report, now_ns - watch->since_ns);
                }
                return true;
        }

        if (progress != watch->progress && TAKE(monitor->is_disk_hung, false)) {
                recorder_set_hanging(subjects->recorder, false);
                report_storage_recovered(subjects->report, now_ns - watch->since_ns);
        }
        return monitor_look_thread(monitor, watch, progress, now_ns);
}

static void monitor_look_threads(struct monitor *monitor, uint64_t now_ns) {
        const struct monitor_subjects *subjects = &monitor->subjects;
        bool is_alive;

        is_alive = monitor_look_thread(
                        monitor, &monitor->generator, generator_get_progress(subjects->generator), now_ns);
        if (subjects->recorder)
                is_alive &= monitor_look_recorder(monitor, now_ns);

        if (is_alive && monitor->has_watchdog)
                (void) sd_notify(false, "WATCHDOG=1");
}

/* counters */

static uint64_t stats_get_behind_span(const struct i4_stats *stats) {
        if (stats->rate_records == 0)
                return 0;

        return (uint64_t) ((unsigned __int128) stats->behind_records * stats->rate_period_ns /
                           stats->rate_records);
}

static void monitor_look_pace(struct monitor *monitor, const struct i4_stats *now) {
        uint64_t behind_ns = stats_get_behind_span(now);

        if (!monitor->is_behind && behind_ns > BEHIND_TOLD_NS) {
                monitor->is_behind = true;
                report_behind(monitor->subjects.report, now->behind_records, behind_ns);
        } else if (monitor->is_behind && now->behind_records == 0) {
                monitor->is_behind = false;
                report_caught_up(monitor->subjects.report, now->behind_max_records);
        }
}

/* Told again only if it reads differently. */
static void monitor_look_status(struct monitor *monitor, const struct i4_stats *now, uint64_t now_ns) {
        uint64_t elapsed_ns = now_ns - monitor->looked_ns;
        char status[STATUS_MAX];

        /* Nothing can be said of a moment. */
        if (monitor->looked_ns == 0 || elapsed_ns < STATUS_MIN_NS)
                elapsed_ns = 0;

        (void) status_format(now, &monitor->looked, elapsed_ns,
                        publisher_get_lag(monitor->subjects.publisher), status);
        if (strcmp(status, monitor->status) == 0)
                return;

        (void) snprintf(monitor->status, sizeof(monitor->status), "%s", status);
        (void) sd_notifyf(false, "STATUS=%s", status);
}

const char *monitor_get_status(const struct monitor *monitor) {
        return monitor->status;
}

void monitor_refresh(struct monitor *monitor) {
        struct i4_stats now = monitor_get_stats(monitor);

        monitor_look_status(monitor, &now, clock_now_ns(CLOCK_MONOTONIC));
}

static void monitor_look(struct monitor *monitor) {
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
        struct i4_stats now = monitor_get_stats(monitor);

        monitor_look_threads(monitor, now_ns);
        publisher_check(monitor->subjects.publisher);
        monitor_look_pace(monitor, &now);
        monitor_look_status(monitor, &now, now_ns);

        monitor->looked = now;
        monitor->looked_ns = now_ns;
}

/* timers */

static int timer_set(sd_event_source *source, uint64_t time_ns) {
        int r;

        if (time_ns == NSEC_INFINITY)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);

        r = sd_event_source_set_time(source, time_ns / NSEC_PER_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static uint64_t time_after(uint64_t ns) {
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

        return ns > NSEC_INFINITY - now_ns ? NSEC_INFINITY : now_ns + ns;
}

static int monitor_dispatch_look(sd_event_source *source, uint64_t usec, void *userdata) {
        struct monitor *monitor = userdata;

        monitor_look(monitor);
        return timer_set(source, time_after(monitor->look_interval_ns));
}

static int monitor_dispatch_statistics(sd_event_source *source, uint64_t usec, void *userdata) {
        struct monitor *monitor = userdata;
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
        struct i4_stats now = monitor_get_stats(monitor);

        report_statistics(monitor->subjects.report, &now, &monitor->statistics,
                        now_ns - monitor->statistics_ns);
        monitor->statistics = now;
        monitor->statistics_ns = now_ns;
        return timer_set(source, time_after(monitor->statistics_interval_ns));
}

int monitor_set_statistics_interval(struct monitor *monitor, uint64_t interval_ns) {
        if (interval_ns == monitor->statistics_interval_ns)
                return 0;

        monitor->statistics_interval_ns = interval_ns;
        return timer_set(monitor->statistics_timer, time_after(interval_ns));
}

/* Often enough that one look which came late, or found a slow disk, does no harm. */
static void monitor_init_watchdog(struct monitor *monitor) {
        uint64_t watchdog_us = 0;

        monitor->has_watchdog = sd_watchdog_enabled(false, &watchdog_us) > 0;
        monitor->look_interval_ns = LOOK_INTERVAL_NS;
        monitor->hung_told_ns = HUNG_TOLD_NS;
        if (monitor->has_watchdog) {
                monitor->look_interval_ns = MIN(LOOK_INTERVAL_NS, watchdog_us * NSEC_PER_USEC / 4);
                monitor->hung_told_ns = MIN(HUNG_TOLD_NS, watchdog_us * NSEC_PER_USEC / 2);
        }
}

static int monitor_add_timers(struct monitor *monitor, sd_event *event) {
        int r;

        r = sd_event_add_time(event, &monitor->look_timer, CLOCK_MONOTONIC, 0, TIMER_SLACK_US,
                        monitor_dispatch_look, monitor);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &monitor->statistics_timer, CLOCK_MONOTONIC, 0, TIMER_SLACK_US,
                        monitor_dispatch_statistics, monitor);
        if (r < 0)
                return r;

        r = timer_set(monitor->look_timer, time_after(monitor->look_interval_ns));
        if (r < 0)
                return r;
        return timer_set(monitor->statistics_timer, time_after(monitor->statistics_interval_ns));
}

int monitor_new(struct monitor **monitorp, const struct monitor_subjects *subjects, sd_event *event,
                uint64_t statistics_interval_ns) {
        _cleanup_(monitor_freep) struct monitor *monitor = NULL;
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
        int r;

        monitor = calloc(1, sizeof(*monitor));
        if (!monitor)
                return -ENOMEM;

        r = i4_reader_open_fd(&monitor->observer, subjects->ring->reader_fd);
        if (r < 0)
                return r;

        monitor->subjects = *subjects;
        monitor->statistics_interval_ns = statistics_interval_ns;
        monitor->statistics_ns = now_ns;
        monitor->statistics = monitor_get_stats(monitor);
        watch_start(&monitor->generator, "generator", now_ns);
        watch_start(&monitor->recorder, "storage", now_ns);
        monitor_init_watchdog(monitor);

        r = monitor_add_timers(monitor, event);
        if (r < 0)
                return r;

        monitor_look(monitor);
        *monitorp = TAKE_PTR(monitor);
        return 0;
}

struct monitor *monitor_free(struct monitor *monitor) {
        if (!monitor)
                return NULL;

        (void) sd_event_source_disable_unref(monitor->look_timer);
        (void) sd_event_source_disable_unref(monitor->statistics_timer);
        i4_reader_closep(&monitor->observer);
        free(monitor);
        return NULL;
}
