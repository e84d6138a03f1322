/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The ring: ring_claim(), ring_publish() and ring_adopt() against ring_view_read() and i4_reader_seek()
 *
 * A ring of N_RECORDS, records of two words, a writer that is killed up to N_KILLS times anywhere between two
 * stores, a reader that starts where it likes, asks for as many as it likes and may be overtaken at any time. Each
 * WITHOUT_… takes out one fence or check, by the steps of docs/ring.md: tests/model/check runs the model with each
 * of them and expects it to fail.
 */

#define N_RECORDS 2
#define N_KILLS   1
#define LAST      6 /* records in all: three laps */

#define CLAIMED       0
#define PUBLISHED     1
#define WORD(slot, w) (2 + 2 * (slot) + (w))
#define PLACES        (2 + 2 * N_RECORDS)

#define OLDEST(claimed) ((claimed) > N_RECORDS -> (claimed) - N_RECORDS : 0)
/* The same sequence, written again by a successor, is another record. */
#define RECORD(sequence) (16 * (kills + 1) + (sequence))

#include "memory.pml"

byte kills;
byte truth[LAST]; /* what was published */

/* the writer */

byte head, n, most, i, claimed;

inline claim() {
        load_own(CLAIMED, claimed);
        if
#ifndef WITHOUT_NEVER_LOWER
        :: claimed >= head + n -> skip
        :: claimed < head + n ->
#else
        :: true ->
#endif
#ifndef WITHOUT_1_RELEASE
           store_release(CLAIMED, head + n)
#else
           store(CLAIMED, head + n)
#endif
        fi;
#ifndef WITHOUT_2_FENCE
        fence_release()
#endif
}

inline publish() {
#ifndef WITHOUT_4_RELEASE
        store_release(PUBLISHED, head + n);
#else
        store(PUBLISHED, head + n);
#endif
        i = 0;
        do
        :: i < n -> truth[head + i] = RECORD(head + i); i++
        :: else -> break
        od;
        head = head + n
}

/* The kernel ends one process before another begins: the successor has seen everything. */
inline adopt() {
        load_own(PUBLISHED, head);
        load_own(CLAIMED, claimed);
        assert(OLDEST(claimed) <= head);
        fenced = log_end
}

inline may_be_killed() {
        if
        :: kills < N_KILLS -> kills++; adopt(); goto batch
        :: true -> skip
        fi
}

/* the reader */

byte cursor, published, oldest;
byte word;
bool is_wrong; /* what was copied is torn, of another lap, or was never published */

inline step_a() {
#ifndef WITHOUT_A_ACQUIRE
        load_acquire(PUBLISHED, published)
#else
        load(PUBLISHED, published)
#endif
}

/* The argument does without coherence of the slots, so they have none: what was read there before is forgotten. */
inline copy_records() {
        i = 0;
        is_wrong = false;
        do
        :: i < 2 * n ->
           atomic {
                load(WORD((cursor + i / 2) % N_RECORDS, i % 2), word);
                looked[WORD((cursor + i / 2) % N_RECORDS, i % 2)] = 0;
                is_wrong = is_wrong || word != truth[cursor + i / 2];
                word = 0;
                i++
           }
        :: else -> break
        od
}

inline believe() {
        assert(!is_wrong);
        cursor = cursor + n
}

inline skip_lost() {
#ifndef WITHOUT_F_FENCE
        fence_acquire();
#endif
        load(PUBLISHED, published);
        assert(oldest <= published);
        select(cursor : oldest .. published)
}

inline read() {
        step_a();
        assert(cursor <= published); /* the ring ran backwards */
        if
        :: cursor == published
        :: else ->
           most = (published - cursor < N_RECORDS -> published - cursor : N_RECORDS);
           select(n : 1 .. most);
           copy_records();
#ifndef WITHOUT_C_FENCE
           fence_acquire();
#endif
           load(CLAIMED, claimed);
           oldest = OLDEST(claimed);
#ifndef WITHOUT_E_CHECK
           if
           :: cursor < oldest -> skip_lost()
           :: else -> believe()
           fi
#else
           believe()
#endif
        fi
}

inline seek_oldest() {
#ifndef WITHOUT_OLDEST_ACQUIRE
        load_acquire(CLAIMED, claimed);
#else
        load(CLAIMED, claimed);
#endif
        cursor = OLDEST(claimed)
}

inline seek() {
        load_acquire(PUBLISHED, published);
        select(cursor : 0 .. published)
}

/* What no longer makes a difference must not make a state. */
inline forget() {
        atomic {
                n = 0; most = 0; i = 0; published = 0; oldest = 0; claimed = 0;
                is_wrong = false;
                looked[CLAIMED] = (looked[CLAIMED] <= known -> 0 : looked[CLAIMED]);
                looked[PUBLISHED] = (looked[PUBLISHED] <= known -> 0 : looked[PUBLISHED]);
                pending = (pending <= known -> 0 : pending)
        }
}

init {
        atomic {
                /* new memory is zeros, and its readers have been handed it */
                do
                :: i < PLACES -> store(i, 0); i++
                :: else -> break
                od;
                known = log_end;
                fenced = log_end;

batch:          do
                :: head == LAST -> break
                :: else ->
                   most = N_RECORDS - head % N_RECORDS;
                   most = (LAST - head < most -> LAST - head : most);
                   select(n : 1 .. most);
                   claim();
                   may_be_killed();
                   i = 0;
                   do
                   :: i < 2 * n ->
                      store(WORD((head + i / 2) % N_RECORDS, i % 2), RECORD(head + i / 2));
                      i++;
                      may_be_killed()
                   :: else -> break
                   od;
                   publish()
                od
        }

        head = 0; kills = 0; fenced = 0;
        do
        :: forget(); read()
        :: atomic { forget(); seek_oldest() }
        :: atomic { forget(); seek() }
        od
}
