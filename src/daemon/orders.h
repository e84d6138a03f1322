/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the administrator can ask a running daemon for
 *
 *     {"order":"rotate"}                        {"done":true}
 *     {"order":"inject","incident":{"kind":…}}  {"done":true,"incident":{"event":…,"kind":…}}, when it is on
 *                                               disk, or the disk does not answer for half a second
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

/* A control_answer_t; @userdata is struct orders. What has to be recorded is held back until it is. */
bool orders_answer(void *userdata, const char *text, size_t size, char *answer);

/* What is said instead when it cannot be. */
void orders_explain(int error, char *answer);
