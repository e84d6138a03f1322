/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/origin.h"

#include "tools/notice.h"
#include "util/macros.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "ring/"

#define ID_LOST "e2a9b7c05d1f4836b94c0e6a7f3d8215"

void origin_get(const i4_reader *reader, char origin[static ORIGIN_SIZE]) {
        struct i4_stats stats;
        size_t n;

        (void) i4_reader_get_stats(reader, &stats, sizeof(stats));
        n = (size_t) snprintf(origin, ORIGIN_SIZE, PREFIX);
        for (size_t i = 0; i < sizeof(stats.ring_instance); ++i)
                n += (size_t) snprintf(origin + n, ORIGIN_SIZE - n, "%02x", stats.ring_instance[i]);
}

bool origin_is_continued(const i4_reader *reader, const char *origin, uint64_t sequence) {
        char name[ORIGIN_SIZE];
        struct i4_stats stats;

        if (strncmp(origin, PREFIX, strlen(PREFIX)) != 0)
                return false;

        origin_get(reader, name);
        (void) i4_reader_get_stats(reader, &stats, sizeof(stats));
        return (strcmp(origin, name) == 0 || stats.ring_first >= MAX(sequence, 1)) &&
               stats.ring_next >= sequence;
}

void origin_tell_gap(const char *who, uint64_t first, uint64_t next) {
        struct notice notice;

        notice_init(&notice, who, LOG_WARNING, ID_LOST);
        notice_add(&notice, "BATCH_LOST_RECORDS", "%" PRIu64, next - first);
        notice_add(&notice, "BATCH_FIRST_LOST", "%" PRIu64, first);
        notice_send(&notice, "lost %" PRIu64 " records (sequence %" PRIu64 " to %" PRIu64 ")", next - first,
                        first, next - 1);
}
