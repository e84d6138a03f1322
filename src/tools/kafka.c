/* SPDX-License-Identifier: Apache-2.0 */

/* i4 kafka: a program of its own, so that this one is linked to no network */

#include "tools/libexec.h"
#include "tools/say.h"
#include "tools/verbs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int kafka_run(const struct verb *verb, int argc, char *argv[]) {
        char path[PATH_MAX];

        (void) argc;
        (void) snprintf(path, sizeof(path), "%s/i4-kafka", libexec_get());
        (void) execv(path, argv);
        say(verb->who, "there is no %s (%s): this i4 comes without Kafka", path, strerror(errno));
        return STATUS_FAILED;
}

const struct verb verb_kafka = {
        .name = "kafka",
        .who = "i4 kafka",
        .summary = "Send readings to a Kafka topic.",
        .run = kafka_run,
};
