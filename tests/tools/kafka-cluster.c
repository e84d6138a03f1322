/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A Kafka cluster for tests: librdkafka's own, which speaks the real protocol on loopback
 *
 * Prints its brokers, then obeys lines on stdin, and answers each with "done":
 *
 *      down, up        all brokers
 *      refuse          the next message, for good
 *      slow MS         every answer
 *
 * Ends with stdin.
 */

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_BROKERS    3
#define N_PARTITIONS 16
#define TOPIC        "i4-readings"
#define API_PRODUCE  0

static void brokers_set(rd_kafka_mock_cluster_t *cluster, bool is_up) {
        for (int id = 1; id <= N_BROKERS; ++id)
                (void) (is_up ? rd_kafka_mock_broker_set_up : rd_kafka_mock_broker_set_down)(cluster, id);
}

static bool obey(rd_kafka_mock_cluster_t *cluster, const char *order) {
        int ms;

        if (strcmp(order, "down\n") == 0)
                brokers_set(cluster, false);
        else if (strcmp(order, "up\n") == 0)
                brokers_set(cluster, true);
        else if (strcmp(order, "refuse\n") == 0)
                rd_kafka_mock_push_request_errors(
                                cluster, API_PRODUCE, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
        else if (sscanf(order, "slow %i", &ms) == 1)
                for (int id = 1; id <= N_BROKERS; ++id)
                        (void) rd_kafka_mock_broker_set_rtt(cluster, id, ms);
        else
                return false;

        return true;
}

int main(void) {
        char reason[256], order[64];
        rd_kafka_mock_cluster_t *cluster;
        rd_kafka_t *kafka;

        kafka = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof(reason));
        cluster = kafka ? rd_kafka_mock_cluster_new(kafka, N_BROKERS) : NULL;
        if (!cluster || rd_kafka_mock_topic_create(cluster, TOPIC, N_PARTITIONS, 1)) {
                fprintf(stderr, "no cluster: %s\n", kafka ? "librdkafka does not say why" : reason);
                return EXIT_FAILURE;
        }

        printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
        (void) fflush(stdout);
        while (fgets(order, sizeof(order), stdin)) {
                printf("%s\n", obey(cluster, order) ? "done" : "no such order");
                (void) fflush(stdout);
        }

        rd_kafka_mock_cluster_destroy(cluster);
        rd_kafka_destroy(kafka);
        return EXIT_SUCCESS;
}
