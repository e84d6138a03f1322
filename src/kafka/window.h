/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Readings on their way: sent, and not yet acknowledged
 *
 * Partitions acknowledge each in its own order, so what is done is done in any order; the position to go on
 * from after a crash is the oldest reading that is not. Of one thread.
 */

#include <stdbool.h>
#include <stdint.h>

struct window {
        struct window_entry *entries;
        uint64_t size;  /* a power of two */
        uint64_t first; /* ticket of the oldest that is not done */
        uint64_t next;  /* ticket of the next one */
};

/* @size: a power of two. 0, or -ENOMEM. */
int window_init(struct window *window, uint64_t size);
void window_deinit(struct window *window);

/* How many more may be added. */
uint64_t window_get_room(const struct window *window);
bool window_is_empty(const struct window *window);

/* There must be room. Sequences grow, and may have gaps. Return: a ticket. */
uint64_t window_add(struct window *window, uint64_t sequence);
void window_finish(struct window *window, uint64_t ticket);

/* The sequence before which all is done; @next: of the reading that will be added next. */
uint64_t window_get_position(const struct window *window, uint64_t next);
