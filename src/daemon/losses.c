/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/losses.h"

#include "util/clock.h"
#include "util/macros.h"

#define INTERVAL_NS NSEC_PER_SEC

void losses_add(struct losses *losses, uint64_t sequence, uint64_t n) {
        if (losses->n_untold == 0)
                losses->first_untold = sequence;

        losses->n_untold += n;
        losses->n_dropped += n;
}

bool losses_take_event(struct losses *losses, uint64_t now_ns, struct recorder_event *eventp) {
        if (losses->n_untold == 0 || now_ns < losses->next_ns)
                return false;

        *eventp = (struct recorder_event){
                .kind = RECORDER_DROPPED,
                .records = TAKE(losses->n_untold, 0),
                .value = losses->first_untold,
        };
        losses->next_ns = now_ns + INTERVAL_NS;
        return true;
}
