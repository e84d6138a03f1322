/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lines on their way to a file
 *
 * A queue of blocks, each a window of block_size bytes onto the file: byte o of the file lies at o %
 * block_size of its block, so whole blocks are aligned in memory and in the file alike. Lines are encoded
 * into the last block, bytes leave from the first. A line that begins in a block may end up to I4_LINE_MAX
 * bytes behind it, in its slack; that surplus is copied to the beginning of the next block, once there is
 * one.
 *
 *            first                        last
 *     |##########|----  |----######|--  |--####......|      # waiting   - the same line, twice
 *      done ^      fill                       ^ fill
 */

#include "storage/writer.h"

#include <sys/uio.h>

struct block {
        char *data;
        uint64_t base;     /* offset in the file of data[0] */
        size_t done;       /* written up to here, at most block_size */
        size_t fill;       /* encoded up to here, in the slack when a line goes on behind the block */
        uint64_t sequence; /* of the record after the last one encoded here */
        uint64_t due_ns;   /* when what came after the last write has to go, NSEC_INFINITY if nothing did */
};

struct blocks {
        i4_encoder *encoder;
        struct block *blocks;
        char *memory;
        size_t block_size;
        unsigned int n_blocks;
        unsigned int first;
        unsigned int n_used; /* at least one: the one that is being filled */
};

int blocks_init(struct blocks *blocks, size_t block_size, unsigned int n_blocks,
                const struct i4_catalog *catalog);
void blocks_deinit(struct blocks *blocks);

/* @n_blocks of them, for an engine. */
void blocks_get_buffers(const struct blocks *blocks, struct iovec *buffers);

/* Moves everything to other memory, for when the kernel may still read the old one. -ENOMEM */
int blocks_move(struct blocks *blocks);

/* Drops everything. The next line goes to @position. */
void blocks_reset(struct blocks *blocks, struct writer_position position);

/* Encodes up to @n records, fewer when all blocks are full. They are due at @due_ns unless earlier ones wait
 * too. */
size_t blocks_append(struct blocks *blocks, const struct i4_record *records, size_t n, uint64_t due_ns);

/* All that waits is due at @due_ns. */
void blocks_set_due(struct blocks *blocks, uint64_t due_ns);

/* The earliest of what waits, NSEC_INFINITY if nothing does. */
uint64_t blocks_get_due(const struct blocks *blocks);

struct writer_position blocks_get_end(const struct blocks *blocks);

/* @n more bytes of the first block are in the file: moves @position on to the line that is not whole there.
 */
void blocks_complete(struct blocks *blocks, size_t n, struct writer_position *position);

/* The block to write from, and up to where. */

static inline struct block *blocks_get_first(const struct blocks *blocks) {
        return &blocks->blocks[blocks->first];
}

static inline size_t blocks_get_first_end(const struct blocks *blocks) {
        size_t fill = blocks_get_first(blocks)->fill;

        return fill < blocks->block_size ? fill : blocks->block_size;
}

static inline bool blocks_is_first_full(const struct blocks *blocks) {
        return blocks_get_first(blocks)->fill >= blocks->block_size;
}
