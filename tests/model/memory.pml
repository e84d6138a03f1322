/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The memory of C11, between one thread that only writes and one that only reads
 *
 * All that is ever stored stays in a log, in the order in which the writer's program says it. A load may return
 * any entry of its place that is not older than what the reader must know: so stores become visible in any order,
 * loads are executed in any order, and a value may be as stale as it likes, as far as nothing forbids it. What
 * forbids it is this and no more:
 *
 *   coherence   two loads of one place never go back in its history;
 *   release     an entry carries how much of the log its reader must know from then on: all before a release
 *               store, all before the last release fence for any other store;
 *   acquire     a load that acquires must know it at once, any other from the next acquire fence on.
 *
 * This is the standard's model without what it has for threads that both load and store. No processor may show a
 * correct compiler's program anything else, arm64 and its like included. Since a load need not return what is
 * newest, it does not matter how the two take turns: the writer runs to its end, and then the reader starts out
 * knowing nothing of it.
 */

#define LOG_MAX 48

byte log_place[LOG_MAX];
byte log_value[LOG_MAX];
byte log_carries[LOG_MAX];
byte log_end;

/* the writer */

byte fenced; /* the log's end at the last release fence */

inline store(place, value) {
        assert(log_end < LOG_MAX);
        log_place[log_end] = place;
        log_value[log_end] = value;
        log_carries[log_end] = fenced;
        log_end++
}

inline store_release(place, value) {
        store(place, value);
        log_carries[log_end - 1] = log_end
}

inline fence_release() {
        fenced = log_end
}

/* What the writer itself reads back: the newest. */
inline load_own(place, value) {
        entry = log_end;
        do
        :: log_place[entry - 1] == place -> value = log_value[entry - 1]; break
        :: else -> entry--
        od;
        entry = 0
}

/* the reader */

byte known;         /* entries before this one must be known */
byte pending;       /* … once there is an acquire fence */
byte looked[PLACES]; /* behind the entry that was read last, for each place */
byte entry, next_entry;

inline load(place, value) {
        entry = (looked[place] > known -> looked[place] : known) - 1;
        do
        :: log_place[entry] == place -> break
        :: else -> entry--
        od;
        do
        :: true -> break
        :: true ->
           next_entry = entry + 1;
           do
           :: next_entry < log_end && log_place[next_entry] != place -> next_entry++
           :: else -> break
           od;
           if
           :: next_entry < log_end -> entry = next_entry
           :: else -> break
           fi
        od;
        value = log_value[entry];
        looked[place] = entry + 1;
        pending = (log_carries[entry] > pending -> log_carries[entry] : pending);
        entry = 0;
        next_entry = 0
}

inline fence_acquire() {
        known = (pending > known -> pending : known)
}

inline load_acquire(place, value) {
        load(place, value);
        entry = looked[place] - 1;
        known = (log_carries[entry] > known -> log_carries[entry] : known);
        entry = 0
}
