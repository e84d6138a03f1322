/* SPDX-License-Identifier: Apache-2.0 */

/*
 * New settings for a service that runs
 */

#include "daemon/config_parts.h"
#include "daemon/service-private.h"

static void service_tell_pending(struct service *service, const struct config *loaded) {
        const struct config_key *key = NULL;

        while ((key = config_next_change(key, &service->config, loaded))) {
                enum config_class class = config_key_get_class(key);

                if (class != CONFIG_LIVE)
                        report_settings_pending(service->report, config_key_get_section(key),
                                        config_key_get_name(key), class == CONFIG_NEW_RING);
        }
}

static int service_apply(struct service *service) {
        struct generator_settings generator = config_get_generator_settings(&service->config);
        struct recorder_settings recorder = config_get_recorder_settings(&service->config);
        int r;

        /* First who stores, then who may begin to wait for it. */
        if (service->recorder) {
                r = recorder_set_settings(service->recorder, &recorder);
                if (r < 0)
                        return r;
        }

        r = generator_set_settings(service->generator, &generator);
        if (r < 0)
                return r;

        return monitor_set_statistics_interval(service->monitor, service->config.stats_interval_ns);
}

void service_reload(struct service *service) {
        struct complaints complaints = { .report = report_settings_mistake, .userdata = service->report };
        struct config loaded;
        int r;

        r = config_load(&loaded, service->options->config_path, &complaints);
        if (r < 0) {
                report_settings_kept(service->report, complaints.n);
                return;
        }

        service_tell_pending(service, &loaded);
        service_note_anchors(service);
        config_take_live(&service->config, &loaded);
        r = service_set_note_settings(service);
        if (r >= 0)
                r = service_apply(service);
        if (r < 0)
                (void) service_fail(service, r, "Cannot apply the new settings");
        else
                report_settings_reloaded(service->report);
}
