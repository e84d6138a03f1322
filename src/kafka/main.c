/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4-kafka: the ring to a Kafka topic
 *
 * What "i4 kafka" starts, and a program of its own so that no other is linked to a network. Every setting is
 * a flag and a variable of the environment; flags win.
 */

#include "i4.h"

#include "kafka/sender.h"
#include "tools/flags.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "util/macros.h"
#include "util/parse.h"
#include "util/standard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WHO       "i4 kafka"
#define NODE_SIZE 256u
#define TOPIC_MAX 249u
#define PATH_SIZE 4096u

enum {
        FLAG_BROKERS,
        FLAG_TOPIC,
        FLAG_CONFIG,
        FLAG_EDGE_NODE_ID,
        FLAG_STATE_DIR,
        FLAG_LABELS,
        FLAG_SEQUENCE,
        FLAG_FROM,
        FLAG_RECORDS,
        FLAG_WAIT,
        FLAG_SOCKET,
        FLAG_VERBOSE,
        N_FLAGS,
};

static const struct flag kafka_flags[N_FLAGS] = {
        [FLAG_BROKERS] = { "brokers", 'b', "LIST", "host:port of one or more brokers, with commas" },
        [FLAG_TOPIC] = { "topic", 't', "NAME", "where readings go (i4-readings)" },
        [FLAG_CONFIG] = { "config", 0, "FILE",
                        "properties of librdkafka, name=value: TLS, SASL, compression" },
        [FLAG_EDGE_NODE_ID] = { "edge-node-id", 0, "NAME", "the header \"node\" (its host name)" },
        [FLAG_STATE_DIR] = { "state-dir", 0, "DIR",
                        "keep there how far the topic has come, and go on from that" },
        [FLAG_LABELS] = { "labels", 0, NULL, "each reading says what is really wrong, as label and event" },
        [FLAG_SEQUENCE] = { "sequence", 0, NULL, "each reading says its sequence number, as seq" },
        [FLAG_FROM] = { "from", 0, "WHERE",
                        "where to begin in a ring not read before: oldest (the default), newest" },
        [FLAG_RECORDS] = { "records", 'n', "N", "end after N readings" },
        [FLAG_WAIT] = { "wait", 'w', NULL, "wait for a daemon that is not there, as long as it takes" },
        [FLAG_SOCKET] = { "socket", 0, "PATH", "instead of $I4_SOCKET or /run/i4/ring.sock" },
        [FLAG_VERBOSE] = { "verbose", 'v', NULL, "tell on stderr what librdkafka says, and the sums" },
};

static const char *const kafka_variables[N_FLAGS] = {
        [FLAG_BROKERS] = "KAFKA_BROKERS",
        [FLAG_TOPIC] = "KAFKA_TOPIC",
        [FLAG_CONFIG] = "KAFKA_CONFIG",
        [FLAG_EDGE_NODE_ID] = "EDGE_NODE_ID",
        [FLAG_STATE_DIR] = "KAFKA_STATE_DIR",
        [FLAG_LABELS] = "LABELS",
        [FLAG_SEQUENCE] = "SEQUENCE",
};

static const char kafka_text[] =
                "Each reading is a message: its key the sensor's id, its value the JSON line, the node and the\n"
                "sequence number as headers. None is given up: a cluster that is away is waited for, while the\n"
                "ring has room for what comes meanwhile. With --state-dir the next i4 kafka goes on where this\n"
                "one ended, however it ended; what was on its way then is sent again, and known by its sequence.\n"
                "\n"
                "Flags are also variables of the environment: KAFKA_BROKERS, KAFKA_TOPIC, KAFKA_CONFIG,\n"
                "KAFKA_STATE_DIR, EDGE_NODE_ID, LABELS=yes, SEQUENCE=yes.\n"
                "\n"
                "Examples:\n"
                "  i4 kafka -b localhost:9092                    the live stream into topic i4-readings\n"
                "  i4 kafka -b kafka:9093 --config tls.conf --state-dir ~/.local/state/i4-kafka\n"
                "  systemctl start i4-kafka@main                 as a service, see /etc/i4/kafka-main.env\n"
                "\n"
                "Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but readings were lost. See i4-kafka(1).\n";

struct kafka_options {
        struct sender_options sender;
        char node[NODE_SIZE];
        char config[PATH_SIZE];
        char given[32]; /* how the setting in question is called where it was given */
};

static int complain(const struct kafka_options *options, const char *argument, const char *wanted) {
        say(WHO, "%s '%s' is not %s", options->given, argument, wanted);
        return -EINVAL;
}

static int take_text(struct kafka_options *options, const char *argument, const char **textp) {
        if (!*argument)
                return complain(options, argument, "to be empty");

        *textp = argument;
        return 0;
}

/* A topic's name, as Kafka allows it. */
static int take_topic(struct kafka_options *options, const char *argument) {
        size_t n = strspn(argument, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

        if (n == 0 || n > TOPIC_MAX || argument[n])
                return complain(options, argument,
                                "the name of a topic: 1 to 249 of a-z, A-Z, 0-9, ., _ and -");

        options->sender.producer.topic = argument;
        return 0;
}

static int take_node(struct kafka_options *options, const char *argument) {
        if (!*argument || strlen(argument) >= NODE_SIZE)
                return complain(options, argument, "a name of 1 to 255 bytes");

        options->sender.producer.node = argument;
        return 0;
}

static int take_extra(struct kafka_options *options, const char *argument, unsigned int extra) {
        bool value = true;

        if (argument && parse_bool(argument, &value) < 0)
                return complain(options, argument, "yes or no");

        options->sender.extras = value ? options->sender.extras | extra : options->sender.extras & ~extra;
        return 0;
}

static int take_from(struct kafka_options *options, const char *argument) {
        if (strcmp(argument, "oldest") == 0)
                options->sender.from = I4_OLDEST;
        else if (strcmp(argument, "newest") == 0)
                options->sender.from = I4_NEWEST;
        else
                return complain(options, argument, "oldest or newest");

        return 0;
}

static int take_records(struct kafka_options *options, const char *argument) {
        if (parse_uint64(argument, &options->sender.n_records) < 0)
                return complain(options, argument, "a number of readings such as 1000");

        return 0;
}

static int take_setting(struct kafka_options *options, size_t flag, const char *argument) {
        struct sender_options *sender = &options->sender;

        switch (flag) {
        case FLAG_BROKERS:
                return take_text(options, argument, &sender->producer.brokers);
        case FLAG_TOPIC:
                return take_topic(options, argument);
        case FLAG_CONFIG:
                return take_text(options, argument, &sender->producer.properties);
        case FLAG_EDGE_NODE_ID:
                return take_node(options, argument);
        case FLAG_STATE_DIR:
                return take_text(options, argument, &sender->state_dir);
        case FLAG_LABELS:
                return take_extra(options, argument, I4_EXTRA_LABEL);
        case FLAG_SEQUENCE:
                return take_extra(options, argument, I4_EXTRA_SEQUENCE);
        case FLAG_FROM:
                return take_from(options, argument);
        case FLAG_RECORDS:
                return take_records(options, argument);
        case FLAG_WAIT:
                sender->attachment.wait = true;
                return 0;
        case FLAG_SOCKET:
                sender->attachment.path = argument;
                return 0;
        default:
                assert(flag == FLAG_VERBOSE);
                sender->attachment.is_verbose = sender->producer.is_verbose = true;
                return 0;
        }
}

static int take_flag(void *userdata, size_t flag, const char *argument) {
        struct kafka_options *options = userdata;

        (void) snprintf(options->given, sizeof(options->given), "--%s", kafka_flags[flag].name);
        return take_setting(options, flag, argument);
}

/* A variable that is set to nothing is not set. */
static int take_environment(struct kafka_options *options) {
        for (size_t i = 0; i < N_FLAGS; ++i) {
                const char *name = kafka_variables[i], *value = name ? getenv(name) : NULL;
                int r;

                if (!value || !*value)
                        continue;

                (void) snprintf(options->given, sizeof(options->given), "%s", name);
                r = take_setting(options, i, value);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* What systemd gives a service, unless it is told otherwise. */
static void use_service_defaults(struct kafka_options *options) {
        const char *credentials = getenv("CREDENTIALS_DIRECTORY");

        options->sender.state_dir = getenv("STATE_DIRECTORY");
        if (!credentials)
                return;

        (void) snprintf(options->config, sizeof(options->config), "%.4000s/kafka.conf", credentials);
        if (access(options->config, R_OK) == 0)
                options->sender.producer.properties = options->config;
}

static const struct verb verb_kafka = {
        .name = "kafka",
        .who = WHO,
        .summary = "Send readings to a Kafka topic.",
        .text = kafka_text,
        .flags = kafka_flags,
        .n_flags = ELEMENTSOF(kafka_flags),
};

int main(int argc, char *argv[]) {
        struct program program;
        struct kafka_options options = {
                .sender = {
                        .attachment = { .who = WHO, .is_service = true, .program = &program },
                        .producer = { .who = WHO, .topic = "i4-readings" },
                        .from = I4_OLDEST,
                        .n_records = UINT64_MAX,
                },
        };
        int r;

        standard_open();
        program_init(&program);
        (void) gethostname(options.node, sizeof(options.node) - 1);
        options.sender.producer.node = *options.node ? options.node : "unknown";
        use_service_defaults(&options);

        if (take_environment(&options) < 0)
                return STATUS_USAGE;
        r = flags_parse(&verb_kafka, argc, argv, take_flag, &options);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : standard_flush(WHO) ? STATUS_DONE : STATUS_FAILED;

        if (program.is_successor)
                options.sender.n_records = program.place.n_left;
        stop_init();
        return sender_run(&options.sender);
}
