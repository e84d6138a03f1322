/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/wire.h"

#include "util/json.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53: a double counts no further */

static const char *const kind_names[] = {
        [WIRE_HELLO] = "hello",
        [WIRE_WELCOME] = "welcome",
        [WIRE_REFUSED] = "refused",
        [WIRE_REPORT] = "report",
        [WIRE_ARM] = "arm",
        [WIRE_WAKE] = "wake",
};

static const struct {
        int error;
        const char *name;
} error_names[] = {
        { EUSERS, "EUSERS" },
        { EPROTO, "EPROTO" },
        { EIO, "EIO" },
};

static const char *error_to_string(int error) {
        for (size_t i = 0; i < ELEMENTSOF(error_names); ++i)
                if (error_names[i].error == error)
                        return error_names[i].name;

        return "EIO";
}

static int error_from_string(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(error_names); ++i)
                if (strcmp(error_names[i].name, name) == 0)
                        return error_names[i].error;

        return EIO;
}

/* Stands in JSON, in the journal and on a terminal as it is. */
static void copy_printable(char *to, size_t size, const char *from) {
        size_t n = 0;

        for (; n < size - 1 && from[n]; ++n)
                to[n] = from[n] < ' ' || from[n] > '~' || from[n] == '"' || from[n] == '\\' ? '?' : from[n];
        to[n] = 0;
}

#define PRINTABLE(member, buffer) (copy_printable(buffer, sizeof(buffer), member), buffer)

size_t wire_format(const struct wire_message *message, char buffer[static WIRE_MESSAGE_MAX]) {
        char name[sizeof(message->name)], version[sizeof(message->version)], reason[sizeof(message->reason)];
        int n = 0;

        switch (message->kind) {
        case WIRE_HELLO:
                n = snprintf(buffer, WIRE_MESSAGE_MAX,
                                "{\"hello\":{\"name\":\"%s\",\"version\":\"%s\",\"observer\":%s}}",
                                PRINTABLE(message->name, name), PRINTABLE(message->version, version),
                                message->is_observer ? "true" : "false");
                break;
        case WIRE_WELCOME:
                n = snprintf(buffer, WIRE_MESSAGE_MAX,
                                "{\"welcome\":{\"version\":\"%s\",\"instance\":\"%.32s\"}}",
                                PRINTABLE(message->version, version), message->instance);
                break;
        case WIRE_REFUSED:
                n = snprintf(buffer, WIRE_MESSAGE_MAX, "{\"refused\":{\"errno\":\"%s\",\"reason\":\"%s\"}}",
                                error_to_string(message->error), PRINTABLE(message->reason, reason));
                break;
        case WIRE_REPORT:
                n = snprintf(buffer, WIRE_MESSAGE_MAX,
                                "{\"report\":{\"cursor\":%" PRIu64 ",\"lag\":%" PRIu64 ",\"lost\":%" PRIu64
                                "}}",
                                message->cursor, message->lag, message->lost);
                break;
        case WIRE_ARM:
                n = snprintf(buffer, WIRE_MESSAGE_MAX, "{\"arm\":{\"cursor\":%" PRIu64 "}}", message->cursor);
                break;
        case WIRE_WAKE:
                n = snprintf(buffer, WIRE_MESSAGE_MAX, "{\"wake\":{\"published\":%" PRIu64 "}}",
                                message->cursor);
                break;
        }

        assert(n > 0 && n < (int) WIRE_MESSAGE_MAX);
        return (size_t) n;
}

static int get_count(const cJSON *body, const char *key, uint64_t *valuep) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, key);

        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= EXACT_MAX) ||
                        item->valuedouble != (double) (uint64_t) item->valuedouble)
                return -EBADMSG;

        *valuep = (uint64_t) item->valuedouble;
        return 0;
}

static int get_string(const cJSON *body, const char *key, char *buffer, size_t size) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, key);

        if (!cJSON_IsString(item))
                return -EBADMSG;

        copy_printable(buffer, size, item->valuestring);
        return 0;
}

static int parse_hello(struct wire_message *message, const cJSON *body) {
        if (get_string(body, "name", message->name, sizeof(message->name)) < 0 ||
                        get_string(body, "version", message->version, sizeof(message->version)) < 0)
                return -EBADMSG;

        message->is_observer = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(body, "observer"));
        return 0;
}

static int parse_welcome(struct wire_message *message, const cJSON *body) {
        if (get_string(body, "version", message->version, sizeof(message->version)) < 0 ||
                        get_string(body, "instance", message->instance, sizeof(message->instance)) < 0)
                return -EBADMSG;

        return strspn(message->instance, "0123456789abcdef") == sizeof(message->instance) - 1 ? 0 : -EBADMSG;
}

static int parse_refused(struct wire_message *message, const cJSON *body) {
        char name[16];

        if (get_string(body, "errno", name, sizeof(name)) < 0 ||
                        get_string(body, "reason", message->reason, sizeof(message->reason)) < 0)
                return -EBADMSG;

        message->error = error_from_string(name);
        return 0;
}

static int parse_report(struct wire_message *message, const cJSON *body) {
        if (get_count(body, "cursor", &message->cursor) < 0 || get_count(body, "lag", &message->lag) < 0 ||
                        get_count(body, "lost", &message->lost) < 0)
                return -EBADMSG;

        return 0;
}

static int parse_body(struct wire_message *message, const cJSON *body) {
        switch (message->kind) {
        case WIRE_HELLO:
                return parse_hello(message, body);
        case WIRE_WELCOME:
                return parse_welcome(message, body);
        case WIRE_REFUSED:
                return parse_refused(message, body);
        case WIRE_REPORT:
                return parse_report(message, body);
        case WIRE_ARM:
                return get_count(body, "cursor", &message->cursor);
        case WIRE_WAKE:
                return get_count(body, "published", &message->cursor);
        }

        return -EBADMSG;
}

int wire_parse(struct wire_message *messagep, const char *text, size_t size) {
        _cleanup_(json_freep) cJSON *json = NULL;
        struct wire_message message = {};

        if (size == 0 || size > WIRE_MESSAGE_MAX)
                return -EBADMSG;
        json = cJSON_ParseWithLength(text, size);
        if (!cJSON_IsObject(json) || !json->child || !cJSON_IsObject(json->child))
                return -EBADMSG;

        for (size_t i = 0; i < ELEMENTSOF(kind_names); ++i)
                if (strcmp(json->child->string, kind_names[i]) == 0) {
                        message.kind = (enum wire_kind) i;
                        if (parse_body(&message, json->child) < 0)
                                return -EBADMSG;
                        *messagep = message;
                        return 0;
                }

        return -EBADMSG;
}
