/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Each thing that was found, as one JSON object a line
 *
 * Errors of writing are told when the file is closed.
 */

#include "batch/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Where in what was delivered; @path NULL: nowhere. */
struct finding_place {
        const char *path;
        uint64_t line;
};

/* A record of the truth. */
struct finding_record {
        const char *sensor;
        uint64_t time_ns;
        uint64_t sequence;
        bool has_sequence;
};

/* "lost", "duplicate", "disorder": @late_ns is how much later than this one the latest before it is. */
void findings_tell(FILE *file, const char *what, struct finding_place place, struct finding_record record,
                uint64_t late_ns);

/* A line that is no reading or none of the truth. */
void findings_tell_line(FILE *file, const char *what, struct finding_place place, const char *reason);

/* One field of a damaged reading; JSON as it stands there, empty: nothing. */
void findings_tell_field(FILE *file, struct finding_place place, struct finding_record record,
                const char *field, struct json_span expected, struct json_span found);
