/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Counts what is allocated, for LD_PRELOAD
 *
 * The file that $I4_ALLOCATIONS names is mapped and holds three numbers of 64 bits: how many allocations are
 * there now, how many bytes they take, and how many were ever made.
 */

#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* For the program it is loaded into. */
#pragma GCC visibility push(default)

struct counts {
        _Atomic int64_t n, bytes, n_ever;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);
void *__libc_memalign(size_t alignment, size_t size);

static struct counts before_begin, *counts = &before_begin;

__attribute__((constructor)) static void begin(void) {
        const char *path = getenv("I4_ALLOCATIONS");
        void *memory = MAP_FAILED;
        int fd;

        fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        if (fd >= 0)
                memory = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                abort();
        (void) close(fd);

        *(struct counts *) memory = before_begin;
        counts = memory;
}

static void *count(void *p) {
        if (!p)
                return NULL;

        (void) atomic_fetch_add(&counts->n, 1);
        (void) atomic_fetch_add(&counts->n_ever, 1);
        (void) atomic_fetch_add(&counts->bytes, (int64_t) malloc_usable_size(p));
        return p;
}

static void discount(void *p) {
        if (!p)
                return;

        (void) atomic_fetch_sub(&counts->n, 1);
        (void) atomic_fetch_sub(&counts->bytes, (int64_t) malloc_usable_size(p));
}

void *malloc(size_t size) {
        return count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size) {
        return count(__libc_calloc(n, size));
}

void free(void *p) {
        discount(p);
        __libc_free(p);
}

void *realloc(void *p, size_t size) {
        void *q;

        discount(p);
        q = __libc_realloc(p, size);
        if (!q && size > 0)
                return p ? (count(p), NULL) : NULL;

        return count(q);
}

void *memalign(size_t alignment, size_t size) {
        return count(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
        return memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size) {
        *p = memalign(alignment, size);
        return *p ? 0 : 12;
}
