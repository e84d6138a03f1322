/* SPDX-License-Identifier: Apache-2.0 */

/* The producer on librdkafka's own cluster, which it starts in this process for who asks for it in a file. */

#include "kafka/producer.h"

#include "util/macros.h"

#include <errno.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOPIC "i4-readings"

static const char properties[] = "test.mock.num.brokers = 1\n"
                                 "topic.metadata.refresh.interval.ms = 10\n";

struct fixture {
        char path[32];
        struct producer_settings settings;
        struct producer producer;
        rd_kafka_mock_cluster_t *cluster;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));
        int fd;

        assert_non_null(f);
        (void) strcpy(f->path, "/tmp/i4-test-XXXXXX");
        fd = mkstemp(f->path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, properties, strlen(properties)), strlen(properties));
        (void) close(fd);

        f->settings = (struct producer_settings){ .who = "test",
                .brokers = "in this process",
                .topic = TOPIC,
                .node = "node-1",
                .properties = f->path };
        assert_int_equal(producer_init(&f->producer, &f->settings), 0);
        f->cluster = rd_kafka_handle_mock_cluster(f->producer.kafka);
        assert_non_null(f->cluster);
        assert_int_equal(rd_kafka_mock_topic_create(f->cluster, TOPIC, 1, 1), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        producer_deinit(&f->producer);
        (void) unlink(f->path);
        free(f);
        return 0;
}

static int send_one(struct fixture *f, uint64_t sequence) {
        char key[] = "SNS-flo-0001", text[] = "{}";

        return producer_send(&f->producer, &(struct message){ .sequence = sequence,
                                                           .time_ms = 1,
                                                           .key = key,
                                                           .n_key = strlen(key),
                                                           .text = text,
                                                           .n_text = strlen(text) });
}

static void send_until_arrived(struct fixture *f) {
        assert_int_equal(send_one(f, 7), 0);
        while (!producer_flush(&f->producer, 100))
                ;
        assert_int_equal(f->producer.error, 0);
        assert_int_equal(f->producer.n_acknowledged, 1);
        assert_int_equal(producer_get_position(&f->producer, 8), 8);
}

/* Refused before it is sent, by what was learnt of the topic meanwhile. */
static void test_topic_gone(void **state) {
        struct fixture *f = *state;
        uint64_t sequence = 8;
        int r;

        send_until_arrived(f);
        rd_kafka_mock_topic_set_error(f->cluster, TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
        while ((r = send_one(f, sequence)) == 0)
                ++sequence;

        assert_int_equal(r, -EIO);
        assert_int_equal(f->producer.error, -EIO);
        assert_true(producer_get_position(&f->producer, sequence) >= 8);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_topic_gone, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
