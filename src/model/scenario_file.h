/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Incidents as text
 *
 * One JSON object a line, the same wherever incidents are written or read: in a file that says what shall
 * happen, in a request to a running daemon, in its record of those, and in the list of what did happen. So
 * the truth of one run is the scenario of the next.
 *
 *     {"kind":"leak","pipeline":"PIPE-TX-001","mile":120,"start":"2026-11-24T10:00:00Z","for":"10m"}
 *     {"kind":"stuck","sensor":"SNS-pre-0042","start":"+30s","end":"+90s","strength":0.5}
 */

#include "lib/catalog.h"
#include "model/model.h"
#include "util/complaint.h"

struct scenario_context {
        const struct i4_catalog *catalog;
        const struct model *model;
        uint64_t start_ns; /* what "+30s" counts from; 0: such times are refused */
        uint64_t now_ns;   /* the start of what says none; 0: it has to say one */
        bool is_lenient;   /* a file's mistakes are told and skipped */
};

/* Every mistake is told to @complaints as one of @file and @line: -EINVAL. -ENOMEM. */
int scenario_entry_parse(struct scenario_entry *entry, const struct scenario_context *context,
                const char *text, size_t size, const char *file, unsigned int line,
                struct complaints *complaints);

/* A file of such lines; empty ones and those that begin with # are skipped. As above, and what a file may
 * refuse. */
int scenario_load(struct scenario **scenariop, const struct scenario_context *context, const char *path,
                struct complaints *complaints);
int scenario_parse(struct scenario **scenariop, const struct scenario_context *context, const char *file,
                const char *text, size_t size, struct complaints *complaints);

/*
 * What was ordered while a daemon ran, behind what @scenario has. It gives way to that, and what cannot be
 * used, perhaps because the fleet is another by now, is told and left; but for what stands there twice, as a
 * kill may have left it. No such file: there is nothing. -ENOMEM; -EINVAL as above.
 */
int scenario_load_record(struct scenario *scenario, const struct scenario_context *context, const char *path,
                struct complaints *complaints);
int scenario_parse_record(struct scenario *scenario, const struct scenario_context *context, const char *file,
                const char *text, size_t size, struct complaints *complaints);

/*
 * The members of the object without its braces, so that others may be added: "\"event\":17,\"kind\":…". They
 * can be read back to the same incident.
 */
#define SCENARIO_TEXT_MAX 384
void scenario_entry_format(const struct scenario_entry *entry, const struct i4_catalog *catalog,
                char text[static SCENARIO_TEXT_MAX]);
