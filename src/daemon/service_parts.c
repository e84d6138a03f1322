/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The parts of the service, each made of those before it
 */

#include "daemon/config_parts.h"
#include "daemon/service-private.h"
#include "model/catalog_file.h"
#include "storage/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static int service_load(struct service *service) {
        struct complaints complaints = { .report = report_settings_mistake, .userdata = service->report };
        const struct config *config = &service->config;
        _cleanup_(plant_freep) struct plant *plant = NULL;
        int r;

        r = config_load(&service->config, service->options->config_path, &complaints);
        if (r < 0)
                return complaints.n ? r : service_fail(service, r, "Cannot read the settings");

        r = catalog_load(&service->catalog, &plant, config->catalog, config->n_sensors, &complaints);
        if (r < 0)
                return complaints.n ? r : service_fail(service, r, "Cannot set up the catalog");

        r = model_new(&service->model,
                        &(struct model_settings){
                                        .kind = config->model,
                                        .seed = config->seed,
                                        .anomalies_e4 = config->anomalies_e4,
                                        .mix = config->mix,
                                        .plant = plant,
                        },
                        service->catalog);
        return r < 0 ? service_fail(service, r, "Cannot set up the model") : 0;
}

/* Above all that is stored, for a ring that knows of no other. */
static int service_get_first_sequence(struct service *service, uint64_t *sequencep) {
        char buffer[PATH_MAX];
        const char *path = options_get_directory(service->options, buffer);
        int r;

        *sequencep = 0;
        if (!service->config.storage_enabled)
                return 0;

        r = ledger_read(path, sequencep);
        if (r == -EBADMSG)
                return service_fail(service, r,
                                "%s/.sequence is damaged: write the number that the next reading shall have, with 20 digits, "
                                "or remove it and what is in sealed, to begin at 0",
                                path);
        if (r == -ELOOP || r == -EMLINK || r == -EMEDIUMTYPE)
                return service_fail_directory(service, r, path);
        /* What else may be wrong with the directory is told when it is opened. */
        return 0;
}

static int service_open_ring(struct service *service) {
        struct ring_settings settings = {
                .n_records = service->config.n_records,
                .n_consumers = service->config.max_readers,
        };
        struct ring *ring;
        char size[FORMAT_MAX];
        int result;

        result = service_get_first_sequence(service, &settings.first_sequence);
        if (result < 0)
                return result;
        result = store_open(&service->store, &settings, service->catalog);
        if (result < 0)
                return service_fail(service, result,
                                "Cannot make a ring of %" PRIu64 " records (%s), see Records=",
                                settings.n_records,
                                format_size(settings.n_records * sizeof(struct i4_record), size));

        ring = service->store.ring;
        if (result == STORE_REPLACED)
                report_ring_retired(service->report, store_get_reason(&service->store));
        if (result == STORE_ADOPTED)
                report_ring_adopted(service->report, ring->header->identity.instance, ring->head);
        else
                report_ring_new(service->report, ring->header->identity.instance, ring->n_records,
                                ring->head);

        return 0;
}

/* of the recorder's thread */

static void service_look(void *userdata, const struct i4_record *records, size_t n) {
        struct service *service = userdata;

        event_log_look(service->event_log, records, n);
}

static int service_open_event_log(struct service *service, const char *path) {
        int r;

        /* Only the network has incidents. */
        if (service->config.labels != LABELS_SIDECAR || service->config.model != MODEL_NETWORK)
                return 0;

        r = event_log_new(&service->event_log, path, service->model, service->catalog);
        return r < 0 ? service_fail(service, r, "Cannot read %s/" EVENTS_NAME, path) : 0;
}

static int service_open_storage(struct service *service) {
        struct recorder_settings settings = config_get_recorder_settings(&service->config);
        struct ring *ring = service->store.ring;
        char buffer[PATH_MAX];
        const char *path = options_get_directory(service->options, buffer);
        int r;

        r = ring_view_init(&service->view, ring->header, ring->size);
        if (r < 0)
                return service_fail(service, r, "Cannot look at the ring");
        if (!service->config.storage_enabled)
                return 0;

        r = service_open_event_log(service, path);
        if (r < 0)
                return r;
        settings.look = service->event_log ? service_look : NULL;
        settings.write = service_write;
        settings.userdata = service;
        r = recorder_new(&service->recorder, &settings, path, &service->view, ring->statistics,
                        service->catalog, &service->store.state->memory->recorder);
        if (r < 0)
                return service_fail_directory(service, r, path);

        return service_open_spools(service, path);
}

/* In front of the generator, so that the first reading knows of them. */
static int service_load_incidents(struct service *service) {
        struct complaints complaints = { .report = report_settings_mistake, .userdata = service->report };
        const char *path = *service->config.scenario ? service->config.scenario : NULL;
        struct scenario *scenario = NULL;
        int r;

        r = incidents_new(&service->incidents, service->model, service->catalog, path, service->orders_spool,
                        &complaints);
        if (r >= 0)
                r = incidents_copy(service->incidents, &scenario);
        if (r >= 0 && service->event_log)
                r = incidents_set_event_log(service->incidents, service->event_log);
        if (r < 0)
                return complaints.n ? r : service_fail(service, r, "Cannot set up the incidents");

        model_exchange_scenario(service->model, &scenario);
        (void) scenario_free(scenario);
        return 0;
}

static int service_listen(struct service *service) {
        char buffer[PATH_MAX];
        const char *path;
        int fd = -1, r;

        if (service->store.listen_fd >= 0 && !service->options->socket_path)
                return 0;

        path = options_get_socket_path(service->options, buffer);
        r = sockets_listen(&service->sockets, path, &fd);
        if (r == -EADDRINUSE)
                return service_fail(service, r, "Another program has %s, see --socket", path);
        if (r < 0)
                return service_fail(service, r, "Cannot listen on %s, see --socket", path);

        closep(&service->store.listen_fd);
        service->store.listen_fd = fd;
        return 0;
}

static int service_open_socket(struct service *service) {
        struct publisher_settings settings = { .notice = service_take_notice, .userdata = service };
        int r;

        r = service_listen(service);
        if (r < 0)
                return r;
        sockets_name(&service->sockets, service->store.listen_fd);

        r = publisher_new(&service->publisher, &settings, service->event, service->store.ring,
                        &service->audience, service->store.listen_fd);
        if (r < 0)
                return service_fail(service, r, "Cannot let readers in");

        (void) TAKE_FD(service->store.listen_fd);
        return 0;
}

static int service_make_generator(struct service *service) {
        struct generator_settings settings = config_get_generator_settings(&service->config);
        int r;

        r = generator_new(&service->generator, &settings, service->store.ring, service->model,
                        service->recorder, &service->audience, &service->store.state->memory->pacer);
        return r < 0 ? service_fail(service, r, "Cannot set up the generator") : 0;
}

static int service_open_control(struct service *service) {
        int r;

        service->orders = (struct orders){ service->report, service->catalog, service->incidents,
                service->generator, service->recorder };

        /* Where systemd did not make one. */
        r = service->store.control_fd < 0
                            ? sockets_listen_control(&service->sockets, &service->store.control_fd)
                            : 0;
        if (r < 0)
                return service_fail(
                                service, r, "Cannot listen on %s" CONTROL_SUFFIX, service->sockets.readers);
        if (service->store.control_fd < 0)
                return 0;

        r = control_new(&service->control, service->event, service->store.control_fd, orders_answer,
                        &service->orders);
        if (r < 0)
                return service_fail(service, r, "Cannot take orders");

        (void) TAKE_FD(service->store.control_fd);
        return 0;
}

static int service_make_loop(struct service *service) {
        struct monitor_subjects subjects = {
                .report = service->report,
                .ring = service->store.ring,
                .generator = service->generator,
                .recorder = service->recorder,
                .publisher = service->publisher,
        };
        int r;

        r = service_add_sources(service);
        if (r < 0)
                return service_fail(service, r, "Cannot set up the event loop");

        r = monitor_new(&service->monitor, &subjects, service->event, service->config.stats_interval_ns);
        return r < 0 ? service_fail(service, r, "Cannot set up the event loop") : 0;
}

/* In the order in which each needs the one before. */
int service_make(struct service *service) {
        static int (*const steps[])(struct service * service) = {
                service_load,
                service_open_ring,
                service_open_storage,
                service_load_incidents,
                service_open_socket,
                service_make_generator,
                service_open_control,
                service_make_loop,
        };
        int r;

        r = store_take(&service->store);
        if (r < 0)
                return service_fail(service, r, "Cannot take what systemd hands over");
        r = sd_event_new(&service->event);
        if (r < 0)
                return service_fail(service, r, "Cannot set up the event loop");

        for (size_t i = 0; i < ELEMENTSOF(steps); ++i) {
                r = steps[i](service);
                if (r < 0)
                        return r;
        }

        return 0;
}
