/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A message of a stranger: whatever it says, what is understood of it can be printed anywhere, and says the
 * same when it is said again.
 */

#include "lib/wire.h"
#include "util/macros.h"

#include <string.h>

#define EXACT_MAX (UINT64_C(1) << 53)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

static void require_printable(const char *text, size_t size) {
        size_t n = strnlen(text, size);

        require(n < size);
        for (size_t i = 0; i < n; ++i)
                require(text[i] >= ' ' && text[i] <= '~' && text[i] != '"' && text[i] != '\\');
}

static void message_check(const struct wire_message *message) {
        require(message->kind <= WIRE_WAKE);
        require_printable(message->name, sizeof(message->name));
        require_printable(message->version, sizeof(message->version));
        require_printable(message->instance, sizeof(message->instance));
        require_printable(message->reason, sizeof(message->reason));
        require(message->cursor <= EXACT_MAX && message->lag <= EXACT_MAX && message->lost <= EXACT_MAX);
        if (message->kind == WIRE_REFUSED)
                require(message->error > 0);
        if (message->kind == WIRE_WELCOME)
                require(strlen(message->instance) == 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct wire_message message = {}, again = {};
        char text[WIRE_MESSAGE_MAX];
        size_t n;

        if (wire_parse(&message, (const char *) data, size) < 0)
                return 0;

        message_check(&message);
        n = wire_format(&message, text);
        require(n > 0 && n < sizeof(text));
        require(wire_parse(&again, text, n) == 0);
        require(again.kind == message.kind && again.error == message.error &&
                        again.is_observer == message.is_observer);
        require(again.cursor == message.cursor && again.lag == message.lag && again.lost == message.lost);
        require(strcmp(again.name, message.name) == 0 && strcmp(again.version, message.version) == 0);
        require(strcmp(again.instance, message.instance) == 0 && strcmp(again.reason, message.reason) == 0);
        return 0;
}
