/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ownership and arithmetic in one word each
 *
 * Every local that owns something is declared with _cleanup_() and an empty value, so that each early return
 * is already correct; ownership leaves visibly through TAKE_PTR() or TAKE_FD().
 */

#include <assert.h>
#include <dirent.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f)        __attribute__((cleanup(f)))
#define _public_            __attribute__((visibility("default")))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_            __attribute__((unused))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

/* Evaluate an argument twice: pass values, not calls. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

static inline uint64_t add_saturating(uint64_t a, uint64_t b) {
        return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#define ALIGN_TO(value, alignment) (((value) + (alignment) -1) & ~((alignment) -1))

/* Of x86-64, and of arm64 with pages of 4 KiB. */
#define HUGE_PAGE_SIZE ((size_t) 2 << 20)

#define TAKE(value, empty)                                                                                   \
        __extension__({                                                                                      \
                __auto_type _pointer = &(value);                                                             \
                __auto_type _taken = *_pointer;                                                              \
                *_pointer = (empty);                                                                         \
                _taken;                                                                                      \
        })
#define TAKE_PTR(pointer) TAKE(pointer, NULL)
#define TAKE_FD(fd)       TAKE(fd, -1)

/*
 * A copy of what others may be writing. What follows goes by the copy: without the barrier the compiler would
 * be free to look at the source again, after the copy was checked.
 */
static inline void *copy_once(void *to, const void *from, size_t size) {
        memcpy(to, from, size);
        atomic_signal_fence(memory_order_seq_cst);
        return to;
}

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void closep(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

static inline void fclosep(FILE **file) {
        if (*file)
                (void) fclose(*file);
}

static inline void closedirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}
