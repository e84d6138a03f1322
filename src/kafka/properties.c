/* SPDX-License-Identifier: Apache-2.0 */

#include "kafka/properties.h"

#include "tools/say.h"
#include "util/macros.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define REASON_SIZE 512u

/* What the promise that nothing is lost rests on. */
static const char *const fixed[] = { "enable.idempotence", "message.timeout.ms", "delivery.timeout.ms",
        "queue.buffering.max.messages", "acks", "request.required.acks" };

static inline void file_closep(FILE **file) {
        if (*file)
                (void) fclose(*file);
}

/* Without white space at either end. */
static char *trim(char *text) {
        char *end;

        while (isspace((unsigned char) *text))
                ++text;
        end = text + strlen(text);
        while (end > text && isspace((unsigned char) end[-1]))
                --end;

        *end = 0;
        return text;
}

static int property_set(rd_kafka_conf_t *conf, const char *name, const char *value, char *reason) {
        for (size_t i = 0; i < ELEMENTSOF(fixed); ++i)
                if (strcmp(name, fixed[i]) == 0) {
                        (void) snprintf(reason, REASON_SIZE, "%s is not to be set: nothing may be lost",
                                        name);
                        return -EINVAL;
                }

        return rd_kafka_conf_set(conf, name, value, reason, REASON_SIZE) == RD_KAFKA_CONF_OK ? 0 : -EINVAL;
}

static int line_take(rd_kafka_conf_t *conf, char *line, char *reason) {
        char *name = trim(line), *value;

        if (!*name || *name == '#')
                return 0;

        value = strchr(name, '=');
        if (!value) {
                (void) snprintf(reason, REASON_SIZE, "not of the form name=value");
                return -EINVAL;
        }

        *value++ = 0;
        return property_set(conf, trim(name), trim(value), reason);
}

int properties_read(const char *who, const char *path, rd_kafka_conf_t *conf) {
        _cleanup_(file_closep) FILE *file = fopen(path, "re");
        _cleanup_(freep) char *line = NULL;
        char reason[REASON_SIZE] = "";
        size_t size = 0;

        if (!file) {
                say(who, "cannot read %s: %s", path, strerror(errno));
                return -errno;
        }

        for (unsigned int number = 1; getline(&line, &size, file) >= 0; ++number)
                if (line_take(conf, line, reason) < 0) {
                        say(who, "%s:%u: %s", path, number, reason);
                        return -EINVAL;
                }

        if (ferror(file)) {
                say(who, "cannot read %s: %s", path, strerror(EIO));
                return -EIO;
        }
        return 0;
}
