/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/allocation.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>

#define CHUNK_CALM    (UINT64_C(16) << 20) /* nobody misses what is taken ahead */
/* A file that grows as fast as this needs no more, and seldom. */
#define CHUNK_DEFAULT (UINT64_C(256) << 20)
#define CHUNK_SPAN_NS (100 * NSEC_PER_MSEC) /* fast is what used up its last chunk in less */

#define ALLOCATION_UNIT UINT64_C(4096)

void allocation_init(struct allocation *allocation) {
        *allocation = (struct allocation){
                .chunk = CHUNK_CALM,
                .chunk_max = CHUNK_DEFAULT,
                .limit = UINT64_MAX,
        };
}

void allocation_begin(struct allocation *allocation, uint64_t end) {
        allocation->chunk = MIN(allocation->chunk_max, CHUNK_CALM);
        allocation->is_tight = false;
        allocation->end = end;
}

void allocation_set_limits(struct allocation *allocation, uint64_t chunk, uint64_t limit) {
        allocation->chunk_max = chunk;
        allocation->chunk = MIN(allocation->chunk, chunk);
        allocation->limit = limit;
}

uint64_t allocation_round(uint64_t offset) {
        return ALIGN_TO(offset, ALLOCATION_UNIT);
}

uint64_t allocation_plan(const struct allocation *allocation, uint64_t need) {
        uint64_t end = add_saturating(allocation->end, MAX(allocation->chunk, ALLOCATION_UNIT));

        end = MIN(end, allocation->limit);
        if (!allocation->is_tight || end <= allocation->end)
                end = MAX(end, need);

        return allocation_round(end);
}

/* Nothing is written meanwhile: the faster the disk, the larger the pieces. */
static void allocation_choose_chunk(struct allocation *allocation, uint64_t now_ns) {
        bool is_fast = now_ns - allocation->grown_ns < CHUNK_SPAN_NS;

        allocation->grown_ns = now_ns;
        allocation->chunk = MIN(2 * MAX(allocation->chunk, ALLOCATION_UNIT),
                        is_fast ? allocation->chunk_max : MIN(allocation->chunk_max, CHUNK_CALM));
}

int allocation_complete(
                struct allocation *allocation, uint64_t size, uint64_t need, int result, uint64_t now_ns) {
        uint64_t end = allocation->end + size;

        allocation->has_surplus = true;

        switch (result) {
        case 0:
                allocation->end = end;
                allocation->is_tight = end < need;
                allocation_choose_chunk(allocation, now_ns);
                return 0;
        case -ENOSPC:
        case -EDQUOT:
        case -EFBIG:
                allocation->is_tight = end <= need;
                allocation->chunk = MIN(allocation->chunk, size) / 2;
                return allocation->is_tight && size < 2 * ALLOCATION_UNIT ? result : 1;
        case -EIO:
        case -ENOMEM:
        case -EAGAIN:
                return result;
        default:
                /* Not on this file system. */
                allocation->end = UINT64_MAX;
                allocation->is_tight = allocation->has_surplus = false;
                return 0;
        }
}
