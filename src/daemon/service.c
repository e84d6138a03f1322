/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/service.h"

#include "daemon/process.h"
#include "daemon/service-private.h"
#include "storage/directory.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* How long the end may take while the disk takes what is left, and where it takes nothing anyway. */
#define DRAIN_NS      (60 * NSEC_PER_SEC)
#define DRAIN_FULL_NS (2 * NSEC_PER_SEC)

/* Descriptors beside those of readers: files, sockets, what libraries open. */
#define DESCRIPTORS_OWN 64u

int service_fail(struct service *service, int error, const char *format, ...) {
        char what[PATH_MAX + 128];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(what, sizeof(what), format, args);
        va_end(args);

        report_failed(service->report, error, strerror(-error), what);
        return error;
}

int service_fail_directory(struct service *service, int error, const char *path) {
        char what[PATH_MAX + 128];

        (void) snprintf(what, sizeof(what), "Cannot keep readings in %s, see --directory", path);
        report_failed(service->report, error, directory_explain(error), what);
        return error;
}

int service_new(struct service **servicep, const struct options *options) {
        _cleanup_(service_freep) struct service *service = NULL;
        int r;

        r = process_block_signals();
        if (r < 0)
                return r;

        service = calloc(1, sizeof(*service));
        if (!service)
                return -ENOMEM;
        service->options = options;
        service->store = STORE_INIT;

        r = report_new(&service->report, NULL, NULL);
        if (r < 0)
                return r;
        r = service_make(service);
        if (r < 0)
                return r;

        *servicep = TAKE_PTR(service);
        return 0;
}

/* running */

/* The lists first, for the readings that come. */
static int service_start_storage(struct service *service) {
        int r;

        /* Written by the storage thread, in front of the first reading: READY does not wait for the disk. */
        r = anchors_begin(service->anchors, service->store.ring->head);
        service_tell_note(service, r);

        r = recorder_start(service->recorder);
        return r < 0 ? service_fail(service, r, "Cannot start the storage thread") : 0;
}

static void service_keep_ring(struct service *service) {
        int r;

        r = store_keep(&service->store);
        if (r < 0)
                report_ring_not_kept(service->report, r);
}

static void service_tell_ready(struct service *service) {
        int r;

        r = sockets_tell_ready(&service->sockets);
        if (r < 0)
                report_readers_not_told(service->report, service->sockets.readers, r);
}

static int service_start(struct service *service) {
        const struct config *config = &service->config;
        struct ring *ring = service->store.ring;
        uint64_t sequence = ring->head;
        int r;

        generator_begin(service->generator);
        if (service->recorder) {
                r = service_start_storage(service);
                if (r < 0)
                        return r;
        }

        /* Kept before there is anything in it to lose. */
        service_keep_ring(service);
        ring_set_running(ring);
        r = generator_start(service->generator);
        if (r < 0)
                return service_fail(service, r, "Cannot start the generator thread");

        service_tell_ready(service);
        report_started(service->report, config->rate, config->n_sensors, config->seed, sequence);
        monitor_refresh(service->monitor);
        (void) sd_notifyf(false, "READY=1\nSTATUS=%s", monitor_get_status(service->monitor));
        return 0;
}

/* What the disk will take; nothing, where it takes nothing now. */
static uint64_t service_get_drain_span(const struct service *service) {
        uint32_t state = atomic_load_explicit(
                        &service->store.ring->statistics->storage_state, memory_order_relaxed);

        if (service->is_directory_lost)
                return 0;

        return state == I4_STORAGE_WRITING ? DRAIN_NS : DRAIN_FULL_NS;
}

/* All that is in the ring is on disk, or it is said how much is not. */
static uint64_t service_drain(struct service *service) {
        struct ring *ring = service->store.ring;
        uint64_t span_ns = service_get_drain_span(service), next;
        int r;

        if (!service->recorder)
                return 0;

        (void) sd_notifyf(false, "EXTEND_TIMEOUT_USEC=%" PRIu64 "\nWATCHDOG=1\nSTATUS=Storing what is left",
                        (span_ns + 10 * NSEC_PER_SEC) / NSEC_PER_USEC);
        r = recorder_stop(service->recorder, clock_now_ns(CLOCK_MONOTONIC) + span_ns);
        if (r == -ETIMEDOUT)
                service->is_abandoned = true;
        if (r < 0)
                (void) service_fail(service, r, "Cannot store all that is left");
        r = service->event_log && !service->is_abandoned ? event_log_finish(service->event_log) : 0;
        if (r < 0)
                (void) service_fail(service, r, "Cannot write the rest of " EVENTS_NAME);

        next = atomic_load_explicit(&ring->statistics->storage_next, memory_order_relaxed);
        return ring->head > next ? ring->head - next : 0;
}

/* The generator first, so that there is an end to what is to be stored. Readers read on meanwhile. */
static int service_stop(struct service *service) {
        struct ring *ring = service->store.ring;
        uint64_t n_left;

        (void) sd_notify(false, "STOPPING=1\nSTATUS=Stopping");
        sockets_tell_stopped(&service->sockets);
        generator_stop(service->generator);
        ring_set_state(ring, I4_RING_STOPPED);
        (void) ring_wake(ring, INT_MAX);
        publisher_wake(service->publisher);
        service_note_anchors(service);

        n_left = service_drain(service);
        service_tell_events(service);
        service_tell_orders(service);
        report_stopping(service->report,
                        atomic_load_explicit(&ring->statistics->achieved, memory_order_relaxed), n_left);

        /* systemd keeps the ring, and a successor takes up what is left; nobody else does. */
        return n_left > 0 && !getenv("NOTIFY_SOCKET") ? -EIO : 0;
}

int service_run(struct service *service) {
        int r, stopped;

        process_allow_descriptors(DESCRIPTORS_OWN + PUBLISHER_OBSERVERS_MAX + PUBLISHER_MUTE_MAX +
                                  service->config.max_readers);

        r = service_start(service);
        if (r >= 0) {
                r = sd_event_loop(service->event);
                if (r < 0)
                        (void) service_fail(service, r, "The event loop failed");
        }

        stopped = service_stop(service);
        if (service->is_directory_lost)
                return -ENOENT;
        return r < 0 ? r : stopped;
}

struct service *service_free(struct service *service) {
        if (!service)
                return NULL;

        sockets_remove(&service->sockets);
        if (service->is_abandoned)
                return NULL;

        service->monitor = monitor_free(service->monitor);
        service->control = control_free(service->control);
        service->publisher = publisher_free(service->publisher);
        service->event = sd_event_unref(service->event);
        service->generator = generator_free(service->generator);
        service->recorder = recorder_free(service->recorder);
        store_deinit(&service->store);
        service->anchors = anchors_free(service->anchors);
        service->anchors_spool = spool_free(service->anchors_spool);
        service->orders_spool = spool_free(service->orders_spool);
        service->event_log = event_log_free(service->event_log);
        service->incidents = incidents_free(service->incidents);
        service->model = model_free(service->model);
        service->catalog = catalog_free(service->catalog);
        service->report = report_free(service->report);
        free(service);
        return NULL;
}
