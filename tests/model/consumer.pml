/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An entry in the table of consumers: ring_consumer_begin() and ring_consumer_end() against peer_read()
 *
 * A lock that is odd while the entry changes, three changes of two words, a daemon that may be killed in between:
 * its successor finds the lock odd, and counts on. What the reader believes must be of one change.
 */

#define N_CHANGES 3

#define LOCK   0
#define FIRST  1
#define SECOND 2
#define PLACES 3

#include "memory.pml"

byte change, kills, lock;

inline may_be_killed() {
        if
        :: kills == 0 -> kills++; goto next
        :: true -> skip
        fi
}

byte before, after, first, second;

init {
        atomic {
                store(LOCK, 0);
                store(FIRST, 0);
                store(SECOND, 0);
                known = log_end;
                fenced = log_end;

                do
                :: change == N_CHANGES -> break
                :: else ->
                   load_own(LOCK, lock);
                   change++;
                   store(LOCK, lock | 1);
#ifndef WITHOUT_BEGIN_FENCE
                   fence_release();
#endif
                   store(FIRST, change);
                   may_be_killed();
                   store(SECOND, change);
                   may_be_killed();
                   load_own(LOCK, lock);
#ifndef WITHOUT_END_RELEASE
                   store_release(LOCK, lock + 1);
#else
                   store(LOCK, lock + 1);
#endif
next:              skip
                od
        }

#ifndef WITHOUT_BEFORE_ACQUIRE
        atomic { load_acquire(LOCK, before) }
#else
        atomic { load(LOCK, before) }
#endif
        if
        :: before % 2 == 1
        :: else ->
           atomic { load(FIRST, first) }
           atomic { load(SECOND, second) }
#ifndef WITHOUT_AFTER_FENCE
           fence_acquire();
#endif
           atomic { load(LOCK, after) }
           assert(after != before || first == second)
        fi
}
