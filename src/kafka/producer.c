/* SPDX-License-Identifier: Apache-2.0 */

#include "kafka/producer.h"

#include "kafka/properties.h"
#include "tools/notice.h"
#include "tools/say.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* On their way at most: seconds of a full stream, and about 100 MB in librdkafka. */
#define WINDOW_MESSAGES      UINT64_C(131072)
#define WINDOW_MESSAGES_TEXT "131072"

#define REASON_SIZE 512u

#define ID_AWAY "9d0b5f3e7a524c1f8e6a2b49c7d81f36"
#define ID_BACK "4f6e1c8a2d9b4735a0c35e7fb1d2964c"

/* What the promises rest on; properties_read() lets nobody change it. */
static const char *const promises[][2] = {
        { "enable.idempotence", "true" },
        { "message.timeout.ms", "0" },
        { "queue.buffering.max.messages", WINDOW_MESSAGES_TEXT },
};

/* what librdkafka has to say: called from producer_poll() and producer_flush() alone */

static void producer_tell_away(struct producer *producer, const char *reason) {
        struct notice notice;

        if (*producer->trouble)
                return;

        (void) snprintf(producer->trouble, sizeof(producer->trouble), "%s", reason);
        notice_init(&notice, producer->settings->who, LOG_WARNING, ID_AWAY);
        notice_add(&notice, "KAFKA_TOPIC", "%s", producer->settings->topic);
        notice_add(&notice, "KAFKA_REASON", "%s", reason);
        notice_send(&notice, "the cluster is away: %s", reason);
}

static void producer_tell_back(struct producer *producer) {
        struct notice notice;

        if (!*producer->trouble)
                return;

        producer->trouble[0] = 0;
        notice_init(&notice, producer->settings->who, LOG_NOTICE, ID_BACK);
        notice_add(&notice, "KAFKA_TOPIC", "%s", producer->settings->topic);
        notice_send(&notice, "the cluster is back");
}

static void producer_fail(struct producer *producer, const char *reason) {
        if (producer->error == 0)
                say(producer->settings->who, "topic %s: %s", producer->settings->topic, reason);
        producer->error = -EIO;
}

static void on_error(rd_kafka_t *kafka, int error, const char *reason, void *userdata) {
        struct producer *producer = userdata;
        char text[REASON_SIZE];

        switch (error) {
        case RD_KAFKA_RESP_ERR__FATAL:
                (void) rd_kafka_fatal_error(kafka, text, sizeof(text));
                producer_fail(producer, text);
                break;
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
                (void) snprintf(text, sizeof(text), "%s%s%s", reason, *producer->cause ? "; " : "",
                                producer->cause);
                producer_tell_away(producer, text);
                break;
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        case RD_KAFKA_RESP_ERR__SSL:
                producer_tell_away(producer, reason);
                break;
        default:
                /* One broker of several, and a connection that was idle, go and come back unnoticed. */
                (void) snprintf(producer->cause, sizeof(producer->cause), "%s", reason);
        }
}

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *userdata) {
        struct producer *producer = userdata;

        (void) kafka;
        /* Ours, and given up only as the program ends: sent again by the next one. */
        if (message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                        message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
                return;
        if (message->err) {
                producer_fail(producer, rd_kafka_err2str(message->err));
                return;
        }

        window_finish(&producer->window, (uint64_t) (uintptr_t) message->_private);
        ++producer->n_acknowledged;
        producer->n_bytes += message->len;
        producer_tell_back(producer);
}

/* Called by any of librdkafka's threads, so it touches nothing. */
static void on_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text) {
        (void) kafka;
        if (level <= LOG_WARNING)
                say("i4 kafka", "%s: %s", facility, text);
}

/* life cycle */

static int complain(const struct producer_settings *settings, const char *what, const char *reason) {
        say(settings->who, "%s: %s", what, reason);
        return -EINVAL;
}

static int conf_fill(rd_kafka_conf_t *conf, const struct producer_settings *settings) {
        char reason[REASON_SIZE] = "", brokers[REASON_SIZE] = "";
        size_t size = sizeof(brokers);
        int r;

        (void) rd_kafka_conf_set(conf, "client.id", settings->node, NULL, 0);
        if (settings->properties) {
                r = properties_read(settings->who, settings->properties, conf);
                if (r < 0)
                        return r;
        }
        if (settings->brokers && rd_kafka_conf_set(conf, "bootstrap.servers", settings->brokers, reason,
                                                 sizeof(reason)) != RD_KAFKA_CONF_OK)
                return complain(settings, "--brokers", reason);
        if (rd_kafka_conf_get(conf, "bootstrap.servers", brokers, &size) != RD_KAFKA_CONF_OK || !*brokers)
                return complain(settings, "no brokers",
                                "give --brokers host:9092 or KAFKA_BROKERS, or bootstrap.servers in the file");

        for (size_t i = 0; i < ELEMENTSOF(promises); ++i)
                if (rd_kafka_conf_set(conf, promises[i][0], promises[i][1], reason, sizeof(reason)) !=
                                RD_KAFKA_CONF_OK)
                        return complain(settings, promises[i][0], reason);
        return 0;
}

static inline void conf_destroyp(rd_kafka_conf_t **conf) {
        if (*conf)
                rd_kafka_conf_destroy(*conf);
}

int producer_init(struct producer *producer, const struct producer_settings *settings) {
        _cleanup_(conf_destroyp) rd_kafka_conf_t *conf = rd_kafka_conf_new();
        char reason[REASON_SIZE] = "";
        int r;

        *producer = (struct producer){ .settings = settings };
        r = conf_fill(conf, settings);
        if (r < 0)
                return r;

        rd_kafka_conf_set_opaque(conf, producer);
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_log_cb(conf, settings->is_verbose ? on_log : NULL);

        r = window_init(&producer->window, WINDOW_MESSAGES);
        if (r < 0)
                return r;

        producer->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
        if (!producer->kafka)
                return complain(settings, "these settings do not go together", reason);
        conf = NULL;

        producer->topic = rd_kafka_topic_new(producer->kafka, settings->topic, NULL);
        if (!producer->topic)
                return complain(settings, settings->topic, rd_kafka_err2str(rd_kafka_last_error()));

        return 0;
}

void producer_deinit(struct producer *producer) {
        if (producer->topic)
                rd_kafka_topic_destroy(producer->topic);
        if (producer->kafka) {
                (void) rd_kafka_purge(producer->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
                rd_kafka_destroy(producer->kafka);
        }
        window_deinit(&producer->window);
}

/* sending */

uint64_t producer_get_room(const struct producer *producer) {
        return window_get_room(&producer->window);
}

static int producer_handle(struct producer *producer, rd_kafka_error_t *error) {
        int r = -EAGAIN;

        if (rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                producer_fail(producer, rd_kafka_error_string(error));
                r = producer->error;
        }

        rd_kafka_error_destroy(error);
        return r;
}

static inline void headers_destroyp(rd_kafka_headers_t **headers) {
        if (*headers)
                rd_kafka_headers_destroy(*headers);
}

/* Does not fail: only a list that is not to be written to refuses a header. */
static rd_kafka_headers_t *headers_new(const char *node, uint64_t number) {
        rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
        char sequence[32];
        int n;

        n = snprintf(sequence, sizeof(sequence), "%" PRIu64, number);
        (void) rd_kafka_header_add(headers, "node", -1, node, -1);
        (void) rd_kafka_header_add(headers, "sequence", -1, sequence, n);
        return headers;
}

/*
 * The list of headers is ours, and becomes librdkafka's with the message. Of one that it makes itself, of
 * RD_KAFKA_VTYPE_HEADER, it frees the memory twice where it refuses a message for what became of the topic
 * (as of 2.0.2).
 */
int producer_send(struct producer *producer, const struct message *message) {
        _cleanup_(headers_destroyp) rd_kafka_headers_t *headers =
                        headers_new(producer->settings->node, message->sequence);
        uintptr_t ticket = (uintptr_t) producer->window.next;
        rd_kafka_error_t *error;

        error = rd_kafka_produceva(producer->kafka,
                        (rd_kafka_vu_t[]){
                                        { .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->topic },
                                        { .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
                                        { .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message->time_ms },
                                        { .vtype = RD_KAFKA_VTYPE_KEY,
                                                        .u.mem = { message->key, message->n_key } },
                                        { .vtype = RD_KAFKA_VTYPE_VALUE,
                                                        .u.mem = { message->text, message->n_text } },
                                        { .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers },
                                        /* NOLINTNEXTLINE(performance-no-int-to-ptr): a ticket, no address */
                                        { .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *) ticket },
                        },
                        7);
        if (error)
                return producer_handle(producer, error);

        headers = NULL;
        (void) window_add(&producer->window, message->sequence);
        return 0;
}

void producer_poll(struct producer *producer, int timeout_ms) {
        (void) rd_kafka_poll(producer->kafka, timeout_ms);
}

bool producer_flush(struct producer *producer, int timeout_ms) {
        (void) rd_kafka_flush(producer->kafka, timeout_ms);
        return window_is_empty(&producer->window);
}

uint64_t producer_get_position(const struct producer *producer, uint64_t next) {
        return window_get_position(&producer->window, next);
}
