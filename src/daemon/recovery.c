/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/recovery.h"

#include "util/macros.h"

#include <errno.h>

static bool range_can_read(const struct recovery_range *range, uint64_t sequence) {
        return sequence >= range->oldest && sequence <= range->published;
}

uint64_t recovery_find_sequence(const struct recovery *recovery, uint64_t counted) {
        const struct recovery_range *range = &recovery->range;
        struct recorder_position noted;
        bool is_noted = recorder_state_load(recovery->state, &noted);

        /* A number that is not made yet is of another count. One that is gone is lost, and is found to be. */
        if (is_noted && noted.sequence <= range->published)
                return noted.sequence;
        if (!is_noted && range_can_read(range, counted))
                return counted;

        return range->oldest;
}

static int range_resume(const struct recovery_range *range, const struct recorder_position *noted,
                int live_fd, uint64_t size, struct writer_position *position) {
        uint64_t n_lines, n_torn;
        int r;

        r = live_find_end(live_fd, noted->offset, &position->offset, &n_lines);
        /* Somebody has changed the file since. */
        if (r == -EBADMSG)
                return 0;
        if (r < 0)
                return r;

        /* More lines than there were records: not all are ours. */
        position->sequence = noted->sequence;
        if (range->published - noted->sequence < n_lines)
                return 0;
        position->sequence += n_lines;

        n_torn = size - position->offset;
        return range_can_read(range, position->sequence) && n_torn < I4_LINE_MAX &&
               (n_torn == 0 || position->sequence < range->published);
}

int recovery_find_position(const struct recovery *recovery, int live_fd, const struct live_identity *identity,
                struct writer_position *position) {
        struct recorder_position noted;

        if (!recorder_state_load(recovery->state, &noted) || position->sequence != noted.sequence ||
                        noted.device != identity->device || noted.inode != identity->inode ||
                        noted.offset > identity->size)
                return 0;

        return range_resume(&recovery->range, &noted, live_fd, identity->size, position);
}
