/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Readings to a topic
 *
 * Each is a message: its key the sensor's id, so that a sensor's readings stay in order; its value the line;
 * the node's name and the sequence number as headers. The producer is idempotent and never gives a message
 * up, so within one run each arrives once; how far that is, is told by producer_get_position().
 *
 * Of one thread. librdkafka has others of its own, which do not call back.
 */

#include "kafka/window.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct producer_settings {
        const char *who;
        const char *brokers; /* host:port,…; NULL: in the file */
        const char *topic;
        const char *node;
        const char *properties; /* path of a file for librdkafka; NULL: none */
        bool is_verbose;
};

struct producer {
        const struct producer_settings *settings;
        rd_kafka_t *kafka;
        rd_kafka_topic_t *topic;
        struct window window;
        uint64_t n_acknowledged;
        uint64_t n_bytes;
        char cause[256];   /* what was wrong with one broker the last time */
        char trouble[512]; /* why nothing goes out at present, "": it does */
        int error;         /* negative errno: a message was refused for good, which has been told */
};

/* 0; -EINVAL a setting is wrong; or another negative errno; told. */
int producer_init(struct producer *producer, const struct producer_settings *settings);
void producer_deinit(struct producer *producer);

/* How many messages may be sent before some are acknowledged. */
uint64_t producer_get_room(const struct producer *producer);

struct message {
        uint64_t sequence;
        int64_t time_ms; /* since 1970 */
        char *key;
        size_t n_key;
        char *text;
        size_t n_text;
};

/* Copies it. 0; -EAGAIN no room now, look after it with producer_poll(); or another negative errno, told. */
int producer_send(struct producer *producer, const struct message *message);

/* Takes note of what has happened, and waits for that for so long. */
void producer_poll(struct producer *producer, int timeout_ms);

/* Sends what waits to be sent with others. Return: whether all is acknowledged within that time. */
bool producer_flush(struct producer *producer, int timeout_ms);

/* As window_get_position() */
uint64_t producer_get_position(const struct producer *producer, uint64_t next);
