/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reader that asks to be woken: client_arm() and publisher_wake() against the generator's audience_take_arm()
 *
 * Both sides write one word and look at the other's, which no acquire and no release can order: the sequentially
 * consistent fences have to. So this memory is another one than in memory.pml. Each thread's stores wait in a
 * buffer of its own, one for each word, and become visible when they like; a fence empties it. That is how
 * processors delay a store beyond a load that follows, and with two words and two threads it is all they can do.
 *
 * The promise: when the generator has published all, and nothing is left to be done, nobody is asleep who has not
 * been told of it.
 */

#define N_PUBLISHED 2 /* batches */

#define GENERATOR 0
#define PUBLISHER 1

/* what is visible, and what is not yet */
byte published, is_armed;
byte buffered_published; /* 0: none */
byte buffered_armed;     /* 0: none, 1: a store of 1 */

bool is_called;  /* the eventfd: the publisher is to look */
bool is_waiting; /* a reader is armed */
byte cursor;     /* … at this record, and has been told of all before it */

/* Whatever waits becomes visible at any time. */
active proctype memory() {
end:    do
        :: atomic { buffered_published > 0 -> published = buffered_published; buffered_published = 0 }
        :: atomic { buffered_armed > 0 -> is_armed = 1; buffered_armed = 0 }
        od
}

active proctype generator() {
        byte n = 1;
        bool was_armed;

        do
        :: n > N_PUBLISHED -> break
        :: else ->
           atomic { buffered_published == 0 -> buffered_published = n }
#ifndef WITHOUT_TAKE_FENCE
           buffered_published == 0;
#endif
           was_armed = is_armed;
           if
           :: was_armed ->
              /* an exchange is seen by all at once, in the order of that word */
              atomic { was_armed = is_armed; is_armed = 0 }
              if
              :: was_armed -> is_called = true
              :: else
              fi
           :: else
           fi;
           n++
        od
}

inline arm() {
        buffered_armed = 1;
#ifndef WITHOUT_ARM_FENCE
        buffered_armed == 0
#else
        skip
#endif
}

inline look() {
        if
        :: is_waiting && published > cursor -> is_waiting = false; cursor = published
        :: else
        fi
}

active proctype publisher() {
        byte seen;

end:    do
        :: atomic { !is_waiting && cursor < N_PUBLISHED -> is_waiting = true };
           arm();
           look()
        :: atomic { is_called -> is_called = false };
           do
           :: seen = published;
              look();
              if
              :: !is_waiting -> break
              :: else
              fi;
              arm();
              if
              :: published == seen -> break
              :: else
              fi
           od
        /* nothing is left to be done */
        :: atomic { timeout -> assert(!is_waiting); break }
        od
}
