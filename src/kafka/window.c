/* SPDX-License-Identifier: Apache-2.0 */

#include "kafka/window.h"

#include "util/macros.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct window_entry {
        uint64_t sequence;
        bool is_done;
};

int window_init(struct window *window, uint64_t size) {
        assert(size > 0 && (size & (size - 1)) == 0);

        *window = (struct window){ .size = size };
        window->entries = calloc(size, sizeof(*window->entries));
        return window->entries ? 0 : -ENOMEM;
}

void window_deinit(struct window *window) {
        free(window->entries);
        window->entries = NULL;
}

static struct window_entry *window_get(const struct window *window, uint64_t ticket) {
        return &window->entries[ticket & (window->size - 1)];
}

uint64_t window_get_room(const struct window *window) {
        return window->size - (window->next - window->first);
}

bool window_is_empty(const struct window *window) {
        return window->next == window->first;
}

uint64_t window_add(struct window *window, uint64_t sequence) {
        assert(window_get_room(window) > 0);

        *window_get(window, window->next) = (struct window_entry){ .sequence = sequence };
        return window->next++;
}

void window_finish(struct window *window, uint64_t ticket) {
        assert(ticket - window->first < window->next - window->first);

        window_get(window, ticket)->is_done = true;
        while (!window_is_empty(window) && window_get(window, window->first)->is_done)
                ++window->first;
}

uint64_t window_get_position(const struct window *window, uint64_t next) {
        return window_is_empty(window) ? next : window_get(window, window->first)->sequence;
}
