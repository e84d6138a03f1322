/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/blocks.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_SIZE ((size_t) 4096)

static_assert(I4_LINE_MAX <= PAGE_SIZE, "a page of slack holds the end of a line");

static size_t blocks_get_stride(const struct blocks *blocks) {
        return blocks->block_size + PAGE_SIZE;
}

static size_t blocks_get_memory_size(const struct blocks *blocks) {
        return blocks->n_blocks * blocks_get_stride(blocks);
}

/*
 * What is written directly goes to the disk as runs of physical memory, and a request holds only so many of
 * them: 254 on virtio, where a block of 1 MiB that is made of small pages is cut in two. Of huge pages it is
 * one run, or two.
 */
static int blocks_map(const struct blocks *blocks, char **memoryp) {
        size_t size = blocks_get_memory_size(blocks), surplus;
        char *memory, *begin;

        memory = mmap(NULL, size + HUGE_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0);
        if (memory == MAP_FAILED)
                return -errno;

        surplus = -(uintptr_t) memory % HUGE_PAGE_SIZE;
        begin = memory + surplus;
        if (surplus > 0)
                (void) munmap(memory, surplus);
        (void) munmap(begin + size, HUGE_PAGE_SIZE - surplus);
        /* Where there are none, small ones do. */
        (void) madvise(begin, size, MADV_HUGEPAGE);

        *memoryp = begin;
        return 0;
}

static void blocks_set_memory(struct blocks *blocks, char *memory) {
        blocks->memory = memory;
        for (unsigned int i = 0; i < blocks->n_blocks; ++i)
                blocks->blocks[i].data = memory + i * blocks_get_stride(blocks);
}

int blocks_init(struct blocks *blocks, size_t block_size, unsigned int n_blocks,
                const struct i4_catalog *catalog) {
        char *memory = NULL;
        int r;

        assert(block_size > 0 && block_size % PAGE_SIZE == 0 && n_blocks >= 2);

        *blocks = (struct blocks){ .block_size = block_size, .n_blocks = n_blocks };

        blocks->blocks = calloc(n_blocks, sizeof(*blocks->blocks));
        if (!blocks->blocks)
                return -ENOMEM;
        r = i4_encoder_new(&blocks->encoder, catalog);
        if (r < 0)
                return r;
        r = blocks_map(blocks, &memory);
        if (r < 0)
                return r;

        blocks_set_memory(blocks, memory);
        blocks_reset(blocks, (struct writer_position){});
        return 0;
}

void blocks_deinit(struct blocks *blocks) {
        if (blocks->memory)
                (void) munmap(blocks->memory, blocks_get_memory_size(blocks));
        (void) i4_encoder_free(blocks->encoder);
        free(blocks->blocks);
        *blocks = (struct blocks){};
}

void blocks_get_buffers(const struct blocks *blocks, struct iovec *buffers) {
        for (unsigned int i = 0; i < blocks->n_blocks; ++i)
                buffers[i] = (struct iovec){
                        .iov_base = blocks->blocks[i].data,
                        .iov_len = blocks_get_stride(blocks),
                };
}

int blocks_move(struct blocks *blocks) {
        char *memory = NULL, *old = blocks->memory;
        int r;

        r = blocks_map(blocks, &memory);
        if (r < 0)
                return r;

        memcpy(memory, old, blocks_get_memory_size(blocks));
        blocks_set_memory(blocks, memory);
        (void) munmap(old, blocks_get_memory_size(blocks));
        return 0;
}

static struct block *blocks_get_last(const struct blocks *blocks) {
        return &blocks->blocks[(blocks->first + blocks->n_used - 1) % blocks->n_blocks];
}

static void block_open(struct block *block, uint64_t base, size_t fill, uint64_t sequence) {
        block->base = base;
        block->done = fill;
        block->fill = fill;
        block->sequence = sequence;
        block->due_ns = NSEC_INFINITY;
}

void blocks_reset(struct blocks *blocks, struct writer_position position) {
        size_t fill = position.offset % blocks->block_size;

        blocks->first = 0;
        blocks->n_used = 1;
        block_open(blocks->blocks, position.offset - fill, fill, position.sequence);
}

/* Goes on in the next block when the last one is full and there is a next one. */
static void blocks_extend(struct blocks *blocks) {
        struct block *last = blocks_get_last(blocks), *next;
        size_t surplus;

        if (last->fill < blocks->block_size || blocks->n_used == blocks->n_blocks)
                return;

        surplus = last->fill - blocks->block_size;
        ++blocks->n_used;
        next = blocks_get_last(blocks);
        block_open(next, last->base + blocks->block_size, 0, last->sequence);

        memcpy(next->data, last->data + blocks->block_size, surplus);
        next->fill = surplus;
        if (surplus)
                next->due_ns = last->due_ns;
}

size_t blocks_append(struct blocks *blocks, const struct i4_record *records, size_t n, uint64_t due_ns) {
        size_t n_appended = 0, n_encoded;
        struct block *block;

        while (n_appended < n) {
                block = blocks_get_last(blocks);
                if (block->fill >= blocks->block_size)
                        break;

                n_encoded = 0;
                block->fill += i4_encoder_encode(blocks->encoder, records + n_appended, n - n_appended,
                                block->data + block->fill, blocks->block_size + I4_LINE_MAX - block->fill,
                                &n_encoded);
                block->sequence += n_encoded;
                block->due_ns = MIN(block->due_ns, due_ns);
                n_appended += n_encoded;

                blocks_extend(blocks);
        }

        return n_appended;
}

static struct block *blocks_get(const struct blocks *blocks, unsigned int i) {
        return &blocks->blocks[(blocks->first + i) % blocks->n_blocks];
}

uint64_t blocks_get_due(const struct blocks *blocks) {
        uint64_t due_ns = NSEC_INFINITY;

        for (unsigned int i = 0; i < blocks->n_used; ++i)
                due_ns = MIN(due_ns, blocks_get(blocks, i)->due_ns);

        return due_ns;
}

void blocks_set_due(struct blocks *blocks, uint64_t due_ns) {
        for (unsigned int i = 0; i < blocks->n_used; ++i) {
                struct block *block = blocks_get(blocks, i);

                if (block->due_ns != NSEC_INFINITY)
                        block->due_ns = MIN(block->due_ns, due_ns);
        }
}

struct writer_position blocks_get_end(const struct blocks *blocks) {
        const struct block *last = blocks_get_last(blocks);

        return (struct writer_position){ .sequence = last->sequence, .offset = last->base + last->fill };
}

static uint64_t count_lines(const char *begin, const char *end) {
        uint64_t n = 0;

        while ((begin = memchr(begin, '\n', (size_t) (end - begin)))) {
                ++begin;
                ++n;
        }

        return n;
}

void blocks_complete(struct blocks *blocks, size_t n, struct writer_position *position) {
        struct block *block = blocks_get_first(blocks);
        const char *begin = block->data + block->done, *end = begin + n, *line;

        assert(block->done + n <= blocks_get_first_end(blocks));

        /* Counted from the end of what is encoded: after a write that was not cut short, that is a line or
         * two. */
        line = memrchr(begin, '\n', n);
        if (line) {
                position->offset = block->base + (uint64_t) (line + 1 - block->data);
                position->sequence = block->sequence - count_lines(end, block->data + block->fill);
        }

        block->done += n;
        if (block->done == blocks->block_size && blocks->n_used > 1) {
                blocks->first = (blocks->first + 1) % blocks->n_blocks;
                --blocks->n_used;
                blocks_extend(blocks);
        }
}
