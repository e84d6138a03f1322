/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4 inject: something goes wrong
 *
 * The words of the command line become an incident as scenario files have them; whether it makes sense is for
 * the daemon to say, which knows the plant.
 */

#include "tools/order.h"
#include "tools/say.h"
#include "tools/verbs.h"
#include "util/macros.h"

#include <errno.h>
#include <stdlib.h>

struct inject_options {
        struct order order;
        cJSON *incident;
        bool is_json;
};

enum {
        FLAG_PIPELINE,
        FLAG_MILE,
        FLAG_SENSOR,
        FLAG_FOR,
        FLAG_START,
        FLAG_END,
        FLAG_STRENGTH,
        FLAG_DIRECTION,
        FLAG_JSON,
        FLAG_SOCKET,
        N_FLAGS,
};

static const struct flag inject_flags[N_FLAGS] = {
        [FLAG_PIPELINE] = { "pipeline", 0, "ID", "which pipeline has it: PIPE-TX-001" },
        [FLAG_MILE] = { "mile", 0, "MILES", "where on it" },
        [FLAG_SENSOR] = { "sensor", 0, "ID", "which sensor has it: SNS-pre-0042" },
        [FLAG_FOR] = { "for", 0, "SPAN", "how long it lasts: 10m" },
        [FLAG_START] = { "start", 0, "WHEN", "a time, or +10m from now (a second from now)" },
        [FLAG_END] = { "end", 0, "WHEN", "instead of --for" },
        [FLAG_STRENGTH] = { "strength", 0, "SHARE", "from 0 to 1, of what is usual for its kind (0.5)" },
        [FLAG_DIRECTION] = { "direction", 0, "up|down", "to which side a sensor is off (up)" },
        [FLAG_JSON] = { "json", 0, NULL, "tell the incident as a JSON object, as a scenario has it" },
        [FLAG_SOCKET] = { "socket", 0, "PATH", "of the readers, instead of $I4_SOCKET or /run/i4/ring.sock" },
};

static const char inject_text[] =
                "Orders an incident of the running daemon. KIND is leak, blockage, pump_trip or valve_closure of a\n"
                "pipeline; spike, stuck, drift, offset, noise, dropout, clipping or out_of_range of a sensor. It is\n"
                "added to /var/lib/i4/injected.jsonl, so that the run can be repeated. For root.\n"
                "\n"
                "Examples:\n"
                "  i4 inject leak --pipeline PIPE-TX-001 --mile 120 --for 10m\n"
                "  i4 inject stuck --sensor SNS-pre-0042 --start +1m --for 30s\n"
                "\n"
                "Exit status: 0 it is in force, 1 it is not, 2 wrong usage. See i4-inject(1).\n";

static int inject_add_number(struct inject_options *options, const struct flag *flag, const char *argument) {
        char *end;
        double number = strtod(argument, &end);

        if (*end || end == argument) {
                say(options->order.who, "--%s takes a number, not '%s'", flag->name, argument);
                return -EINVAL;
        }

        return cJSON_AddNumberToObject(options->incident, flag->name, number) ? 0 : -ENOMEM;
}

static int inject_add_kind(struct inject_options *options, const char *kind) {
        if (cJSON_HasObjectItem(options->incident, "kind")) {
                say(options->order.who, "'%s' is one argument too many, see '%s --help'", kind,
                                options->order.who);
                return -EINVAL;
        }

        return cJSON_AddStringToObject(options->incident, "kind", kind) ? 0 : -ENOMEM;
}

static int inject_take_flag(void *userdata, size_t flag, const char *argument) {
        struct inject_options *options = userdata;

        switch (flag) {
        case N_FLAGS:
                return inject_add_kind(options, argument);
        case FLAG_JSON:
                options->is_json = true;
                return 0;
        case FLAG_SOCKET:
                options->order.path = argument;
                return 0;
        case FLAG_MILE:
        case FLAG_STRENGTH:
                return inject_add_number(options, &inject_flags[flag], argument);
        default:
                return cJSON_AddStringToObject(options->incident, inject_flags[flag].name, argument)
                                       ? 0
                                       : -ENOMEM;
        }
}

static const char *member_get(const cJSON *object, const char *name) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

        return text ? text : "";
}

static void inject_tell(const struct inject_options *options, const cJSON *incident) {
        const cJSON *mile = cJSON_GetObjectItemCaseSensitive(incident, "mile");
        char place[32] = "";
        char *text;

        if (options->is_json) {
                text = cJSON_PrintUnformatted(incident);
                (void) puts(text ? text : "{}");
                cJSON_free(text);
                return;
        }

        if (mile)
                (void) snprintf(place, sizeof(place), " at mile %.2f", cJSON_GetNumberValue(mile));
        printf("%s of %s%s%s from %s to %s, event %.0f\n", member_get(incident, "kind"),
                        member_get(incident, "pipeline"), member_get(incident, "sensor"), place,
                        member_get(incident, "start"), member_get(incident, "end"),
                        cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(incident, "event")));
}

static int inject_order(struct inject_options *options) {
        cJSON *request = cJSON_CreateObject(), *answer = NULL;
        int r;

        (void) cJSON_AddStringToObject(request, "order", "inject");
        (void) cJSON_AddItemReferenceToObject(request, "incident", options->incident);
        r = order_send(&options->order, request, &answer);
        if (r >= 0)
                inject_tell(options, cJSON_GetObjectItemCaseSensitive(answer, "incident"));
        cJSON_Delete(answer);
        cJSON_Delete(request);
        return r < 0 ? STATUS_FAILED : STATUS_DONE;
}

static void inject_options_deinit(struct inject_options *options) {
        cJSON_Delete(options->incident);
}

static int inject_run(const struct verb *verb, int argc, char *argv[]) {
        _cleanup_(inject_options_deinit) struct inject_options options = { .order = { .who = verb->who } };
        int r;

        options.incident = cJSON_CreateObject();
        r = flags_parse(verb, argc, argv, inject_take_flag, &options);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        if (!cJSON_HasObjectItem(options.incident, "kind")) {
                say(verb->who, "what shall go wrong? A kind is needed: leak, stuck, ...; see 'i4 inject --help'");
                return STATUS_USAGE;
        }

        return inject_order(&options);
}

const struct verb verb_inject = {
        .name = "inject",
        .who = "i4 inject",
        .summary = "Have something go wrong in the running plant: a leak, a stuck sensor, ...",
        .text = inject_text,
        .operands = "KIND",
        .flags = inject_flags,
        .n_flags = ELEMENTSOF(inject_flags),
        .run = inject_run,
};
