/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/orders.h"

#include "daemon/control.h"
#include "util/json.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>

/* Never fails: what does not fit says so. */
static void answer_error(char *answer, const char *what) {
        _cleanup_(json_freep) cJSON *json = cJSON_CreateObject();

        if (!cJSON_AddStringToObject(json, "error", what) ||
                        !cJSON_PrintPreallocated(json, answer, (int) CONTROL_PACKET_MAX, false))
                (void) snprintf(answer, CONTROL_PACKET_MAX,
                                "{\"error\":\"there is an error too long to tell\"}");
}

static void rotate(struct orders *orders, char *answer) {
        if (!orders->recorder) {
                answer_error(answer, "nothing is stored, see Enabled= in section Storage");
                return;
        }

        recorder_rotate(orders->recorder);
        (void) snprintf(answer, CONTROL_PACKET_MAX, "{\"done\":true}");
}

/* The first mistake is answered. */
static void take_mistake(void *userdata, const char *file, unsigned int line, const char *text) {
        char *answer = userdata;

        if (!*answer)
                answer_error(answer, text);
}

/* False: done, and not recorded yet. */
static bool inject(struct orders *orders, const cJSON *incident, char *answer) {
        _cleanup_(json_text_freep) char *text = cJSON_PrintUnformatted(incident);
        struct complaints complaints = { .report = take_mistake, .userdata = answer };
        char members[SCENARIO_TEXT_MAX];
        struct scenario_entry entry;
        int r = -ENOMEM;

        *answer = 0;
        if (text)
                r = incidents_order(orders->incidents, orders->generator, text, strlen(text), &complaints,
                                &entry);
        if (r < 0) {
                if (!*answer)
                        answer_error(answer, strerror(-r));
                return true;
        }

        scenario_entry_format(&entry, orders->catalog, members);
        report_injected(orders->report, entry.incident.id, i4_fault_to_string(entry.incident.kind), members);
        (void) snprintf(answer, CONTROL_PACKET_MAX, "{\"done\":true,\"incident\":{%s}}", members);
        if (orders->recorder)
                recorder_wake(orders->recorder);
        return incidents_are_recorded(orders->incidents);
}

void orders_explain(int error, char *answer) {
        char text[256];

        (void) snprintf(text, sizeof(text),
                        "it will happen, but cannot be recorded: %s; i4d tries on as long as it runs",
                        strerror(-error));
        answer_error(answer, text);
}

bool orders_answer(void *userdata, const char *text, size_t size, char *answer) {
        struct orders *orders = userdata;
        _cleanup_(json_freep) cJSON *request = cJSON_ParseWithLength(text, size);
        const char *order = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "order"));
        const cJSON *incident = cJSON_GetObjectItemCaseSensitive(request, "incident");

        if (order && strcmp(order, "inject") == 0 && incident)
                return inject(orders, incident, answer);

        if (order && strcmp(order, "rotate") == 0)
                rotate(orders, answer);
        else
                answer_error(answer, "that is no order: it may be another version of i4d");
        return true;
}
