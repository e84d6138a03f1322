/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the administrator can ask a running daemon for
 *
 *     {"order":"rotate"}                        {"done":true}
 *     {"order":"inject","incident":{"kind":…}}  {"done":true,"incident":{"event":…,"kind":…}}
 *     anything else                             {"error":"…"}
 */

#include "daemon/generator.h"
#include "daemon/incidents.h"
#include "daemon/recorder.h"
#include "daemon/report.h"

struct orders {
        struct report *report;
        const struct i4_catalog *catalog;
        struct incidents *incidents;
        struct generator *generator;
        struct recorder *recorder; /* NULL: nothing is stored */
};

/* A control_answer_t; @userdata is struct orders. */
void orders_answer(void *userdata, const char *text, size_t size, char *answer);
