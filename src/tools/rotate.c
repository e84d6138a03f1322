/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4 rotate: begin a new file
 */

#include "tools/order.h"
#include "tools/verbs.h"
#include "util/macros.h"

enum {
        FLAG_SOCKET,
};

static const struct flag rotate_flags[] = {
        [FLAG_SOCKET] = { "socket", 0, "PATH", "of the readers, instead of $I4_SOCKET or /run/i4/ring.sock" },
};

static const char rotate_text[] =
                "Has the daemon seal readings.jsonl behind the last reading that it has made by now, and begin\n"
                "another. The journal names the sealed file, in sealed/ beside it. For root.\n";

static int rotate_take_flag(void *userdata, size_t flag, const char *argument) {
        struct order *order = userdata;

        order->path = argument;
        return 0;
}

static int rotate_run(const struct verb *verb, int argc, char *argv[]) {
        struct order order = { .who = verb->who };
        cJSON *request, *answer = NULL;
        int r;

        r = flags_parse(verb, argc, argv, rotate_take_flag, &order);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        request = cJSON_CreateObject();
        (void) cJSON_AddStringToObject(request, "order", "rotate");
        r = order_send(&order, request, &answer);
        cJSON_Delete(answer);
        cJSON_Delete(request);
        return r < 0 ? STATUS_FAILED : STATUS_DONE;
}

const struct verb verb_rotate = {
        .name = "rotate",
        .who = "i4 rotate",
        .summary = "Have the daemon begin a new file of readings.",
        .text = rotate_text,
        .flags = rotate_flags,
        .n_flags = ELEMENTSOF(rotate_flags),
        .run = rotate_run,
};
