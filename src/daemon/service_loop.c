/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the event loop is woken for, and what is done then
 */

#include "daemon/news.h"
#include "daemon/service-private.h"
#include "util/clock.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

static int service_dispatch_reload(
                sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct service *service = userdata;

        (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reading the settings",
                        clock_now_ns(CLOCK_MONOTONIC) / NSEC_PER_USEC);
        service_reload(service);
        (void) sd_notifyf(false, "READY=1\nSTATUS=%s", monitor_get_status(service->monitor));
        return 0;
}

static int service_dispatch_stop(
                sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int service_dispatch_rotate(
                sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct service *service = userdata;

        if (service->recorder)
                recorder_rotate(service->recorder);
        return 0;
}

/* Given by --directory, it may come back any time; a StateDirectory= is made, and let be written to, at a
 * start. */
static void service_leave_directory(struct service *service) {
        if (service->options->directory_path || !getenv("STATE_DIRECTORY"))
                return;

        /* Not while it stops anyway. */
        service->is_directory_lost |= sd_event_exit(service->event, EXIT_FAILURE) >= 0;
}

static void service_tell_recorder(struct service *service, const struct recorder_event *event) {
        news_tell_recorder(service->report, event);
        if (event->kind == RECORDER_GONE || event->kind == RECORDER_SHUT_OUT)
                service_leave_directory(service);
}

void service_tell_events(struct service *service) {
        struct pacer_event generator_event;
        struct recorder_event recorder_event;

        service_note_anchors(service);
        while (generator_next_event(service->generator, &generator_event) > 0)
                news_tell_generator(service->report, &generator_event);
        while (service->recorder && recorder_next_event(service->recorder, &recorder_event) > 0)
                service_tell_recorder(service, &recorder_event);
}

static int service_dispatch_generator(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct service *service = userdata;
        unsigned int calls = generator_take_calls(service->generator);

        if (calls & GENERATOR_CALL_SLEEPERS)
                (void) ring_wake(service->store.ring, INT_MAX);
        if (calls & GENERATOR_CALL_ARMED)
                publisher_wake(service->publisher);
        if (calls & GENERATOR_CALL_EVENT) {
                service_tell_events(service);
                monitor_refresh(service->monitor);
        }

        return 0;
}

static int service_dispatch_recorder(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct service *service = userdata;

        service_tell_events(service);
        monitor_refresh(service->monitor);
        return 0;
}

static int service_dispatch_event_log(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct service *service = userdata;
        int error = event_log_get_error(service->event_log);

        if (error < 0)
                report_events_not_written(service->report, error);
        return 0;
}

static int service_dispatch_anchors_spool(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct service *service = userdata;

        spool_quieten(service->anchors_spool);
        service_note_anchors(service);
        return 0;
}

static int service_dispatch_orders_spool(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct service *service = userdata;

        spool_quieten(service->orders_spool);
        service_tell_orders(service);
        return 0;
}

void service_take_notice(void *userdata, const struct publisher_notice *notice) {
        struct service *service = userdata;

        news_tell_reader(service->report, notice);
}

static int service_add_signal(struct service *service, int signal, sd_event_signal_handler_t handler) {
        /* Floating: it goes when the loop goes. */
        return sd_event_add_signal(service->event, NULL, signal, handler, service);
}

static int service_add_io(struct service *service, int fd, sd_event_io_handler_t handler) {
        /* Floating as well. */
        return sd_event_add_io(service->event, NULL, fd, EPOLLIN, handler, service);
}

static int service_add_storage_sources(struct service *service) {
        int r;

        r = service_add_io(service, recorder_get_fd(service->recorder), service_dispatch_recorder);
        if (r >= 0)
                r = service_add_io(service, spool_get_fd(service->anchors_spool),
                                service_dispatch_anchors_spool);
        if (r >= 0 && service->orders_spool)
                r = service_add_io(
                                service, spool_get_fd(service->orders_spool), service_dispatch_orders_spool);
        if (r >= 0 && service->event_log)
                r = service_add_io(service, event_log_get_fd(service->event_log), service_dispatch_event_log);

        return r;
}

int service_add_sources(struct service *service) {
        static const struct {
                int signal;
                sd_event_signal_handler_t handler;
        } signals[] = {
                { SIGTERM, service_dispatch_stop },
                { SIGINT, service_dispatch_stop },
                { SIGHUP, service_dispatch_reload },
                { SIGUSR1, service_dispatch_rotate },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(signals); ++i) {
                r = service_add_signal(service, signals[i].signal, signals[i].handler);
                if (r < 0)
                        return r;
        }

        r = service_add_io(service, generator_get_fd(service->generator), service_dispatch_generator);
        return r < 0 || !service->recorder ? r : service_add_storage_sources(service);
}
