/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A run of i4d, made again
 *
 * From the anchors and the incidents that the daemon noted beside its readings. From one note to the next the
 * readings are those that it made, with the same numbers and the same bytes, whether they were stored or not;
 * behind the last one they go on up to where the daemon was stopped, or up to now.
 */

#include "sensor-gen/options.h"
#include "sensor-gen/output.h"
#include "sensor-gen/plan.h"

#include "model/note.h"

struct replay {
        const struct options *options;
        struct notes notes;
        uint64_t end_sequence; /* before which the last reading lies */
        char record_path[PATH_MAX];

        /* of the note that is made now, and as long as the settings stay the same */
        size_t next;
        uint64_t settings_id;
        struct options own;
        struct plan plan;
};

/* Reads what is noted in @options->replay_path. -EINVAL was told already. replay_deinit() in any case. */
int replay_init(struct replay *replay, const struct options *options);
void replay_deinit(struct replay *replay);

/* Makes all of it. -EINVAL was told already; else what a generator says. */
int replay_run(struct replay *replay, struct output *output);
