/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Orders of whoever got as far as ring.sock.control: each packet is answered by one JSON object that fits,
 * that says "done" or "error", and that says of an incident what a second daemon would read.
 */

#include "daemon/control.h"
#include "daemon/orders.h"
#include "util/clock.h"
#include "util/json.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#define START_NS (UINT64_C(1780000000) * NSEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An order depends on what time it is. The program's own functions come before libc's; the fuzzer has its own
 * time. */
static bool is_ordering;

int clock_gettime(clockid_t clock, struct timespec *ts) {
        if (!is_ordering)
                return (int) syscall(SYS_clock_gettime, clock, ts);

        *ts = (struct timespec){ .tv_sec = START_NS / NSEC_PER_SEC };
        return 0;
}

struct daemon {
        struct ring *ring;
        struct model *model;
        struct generator *generator;
        struct report *report;
        struct audience audience;
        struct pacer_state state;
};

static void require(bool condition) {
        if (!condition)
                abort();
}

static void take_entry(void *userdata, const struct iovec *fields, size_t n_fields) {
        require(n_fields > 0);
}

/* All but the incidents, which each input has to itself; the generator is there and does not run. */
static struct daemon *daemon_get(void) {
        static const struct ring_settings ring_settings = { .n_records = 8, .n_consumers = 1 };
        static const struct model_settings model_settings = { .kind = MODEL_NETWORK };
        static const struct generator_settings settings = { .pacer = { .rate = { 1, NSEC_PER_SEC },
                                                                            .batch_ns = NSEC_PER_MSEC,
                                                                            .catch_up_ns = NSEC_INFINITY } };
        static struct daemon daemon;

        if (daemon.generator)
                return &daemon;

        require(ring_new(&daemon.ring, &ring_settings, i4_catalog_get_default()) >= 0);
        require(model_new(&daemon.model, &model_settings, i4_catalog_get_default()) >= 0);
        require(report_new(&daemon.report, take_entry, NULL) >= 0);
        require(generator_new(&daemon.generator, &settings, daemon.ring, daemon.model, NULL, &daemon.audience,
                                &daemon.state) >= 0);
        return &daemon;
}

static void incident_check(const cJSON *incident, const struct orders *orders) {
        const struct scenario_context context = {
                .catalog = orders->catalog,
                .model = daemon_get()->model,
                .start_ns = START_NS,
                .now_ns = START_NS,
        };
        struct complaints complaints = {};
        struct scenario_entry entry;
        char *text;

        require(cJSON_IsObject(incident));
        text = cJSON_PrintUnformatted(incident);
        require(text);
        require(scenario_entry_parse(&entry, &context, text, strlen(text), "answer", 1, &complaints) >= 0);
        require(entry.incident.start_ns > context.now_ns);
        cJSON_free(text);
}

static void answer_check(const char *answer, const struct orders *orders) {
        _cleanup_(json_freep) cJSON *json = NULL;
        const cJSON *incident;

        require(memchr(answer, 0, CONTROL_PACKET_MAX));
        json = cJSON_Parse(answer);
        require(cJSON_IsObject(json));
        require(cJSON_HasObjectItem(json, "done") != cJSON_HasObjectItem(json, "error"));
        for (const char *p = answer; *p; ++p)
                require((unsigned char) *p >= ' ');

        incident = cJSON_GetObjectItemCaseSensitive(json, "incident");
        if (incident)
                incident_check(incident, orders);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct daemon *daemon = daemon_get();
        struct orders orders = {
                .report = daemon->report,
                .catalog = i4_catalog_get_default(),
                .generator = daemon->generator,
        };
        struct complaints complaints = {};
        char answer[CONTROL_PACKET_MAX];

        /* What control.c hands on. */
        if (size == 0 || size > CONTROL_PACKET_MAX)
                return 0;
        require(incidents_new(&orders.incidents, daemon->model, orders.catalog, NULL, NULL, &complaints) >=
                        0);

        /* Twice: the second meets the first. */
        for (unsigned int i = 0; i < 2; ++i) {
                memset(answer, 'x', sizeof(answer));
                is_ordering = true;
                (void) orders_answer(&orders, (const char *) data, size, answer);
                is_ordering = false;
                answer_check(answer, &orders);
        }

        (void) incidents_free(orders.incidents);
        return 0;
}
