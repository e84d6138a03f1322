/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The lists beside the readings: anchors, and incidents that were ordered
 */

#include "daemon/config_parts.h"
#include "daemon/service-private.h"

void service_tell_note(struct service *service, int error) {
        if (error >= 0)
                error = spool_get_error(service->anchors_spool);
        if (error < 0 && !service->is_anchor_missing)
                report_anchor_not_noted(service->report, error);
        service->is_anchor_missing = error < 0;
}

void service_note_anchors(struct service *service) {
        if (!service->anchors)
                return;

        service_tell_note(service, anchors_note(service->anchors));
        recorder_wake(service->recorder);
}

void service_tell_orders(struct service *service) {
        char answer[CONTROL_PACKET_MAX];
        int error;

        if (!service->orders_spool || !service->control)
                return;

        error = spool_get_error(service->orders_spool);
        if (error < 0 && !service->is_order_missing)
                report_order_not_recorded(service->report, error);
        service->is_order_missing = error < 0;

        if (error < 0)
                orders_explain(error, answer);
        if (error < 0 || spool_is_empty(service->orders_spool))
                control_release(service->control, error < 0 ? answer : NULL);
}

int service_set_note_settings(struct service *service) {
        struct note_settings settings = config_get_note_settings(&service->config);

        return service->anchors ? anchors_set_settings(service->anchors, &settings) : 0;
}

void service_write(void *userdata) {
        struct service *service = userdata;

        spool_write(service->anchors_spool);
        if (service->orders_spool)
                spool_write(service->orders_spool);
}

int service_open_spools(struct service *service, const char *path) {
        struct state_memory *memory = service->store.state->memory;
        int r;

        r = spool_new(&service->anchors_spool,
                        &(struct spool_settings){ path, NOTES_NAME, NOTES_OLD_NAME, ANCHORS_SIZE_MAX },
                        &memory->anchors);
        /* Only the network has incidents. */
        if (r >= 0 && service->config.model == MODEL_NETWORK)
                r = spool_new(&service->orders_spool,
                                &(struct spool_settings){ .directory = path, .name = INJECTED_NAME },
                                &memory->orders);
        if (r >= 0)
                r = anchors_new(&service->anchors, service->anchors_spool, &memory->pacer);
        if (r >= 0)
                r = service_set_note_settings(service);

        return r < 0 ? service_fail(service, r, "Cannot set up the lists beside the readings") : 0;
}
