/* SPDX-License-Identifier: Apache-2.0 */

#include "dirt/holdback.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int holdback_init(struct holdback *holdback, size_t capacity) {
        *holdback = (struct holdback){ .capacity = capacity };
        holdback->entries = calloc(capacity, sizeof(*holdback->entries));
        return holdback->entries ? 0 : -ENOMEM;
}

void holdback_deinit(struct holdback *holdback) {
        free(holdback->entries);
        *holdback = (struct holdback){};
}

static bool entry_is_before(const struct holdback_entry *a, const struct holdback_entry *b) {
        return a->key != b->key ? a->key < b->key : a->record.sequence < b->record.sequence;
}

void holdback_push(struct holdback *holdback, uint64_t key, const struct i4_record *record) {
        struct holdback_entry *entries = holdback->entries, entry = { .key = key, .record = *record };
        size_t i = holdback->n++;

        assert(i < holdback->capacity);

        for (; i > 0 && entry_is_before(&entry, &entries[(i - 1) / 2]); i = (i - 1) / 2)
                entries[i] = entries[(i - 1) / 2];
        entries[i] = entry;
}

/* Lets @entry fall from the top to its place. */
static void holdback_sift(struct holdback *holdback, const struct holdback_entry *entry) {
        struct holdback_entry *entries = holdback->entries;
        size_t i = 0, child;

        while ((child = 2 * i + 1) < holdback->n) {
                if (child + 1 < holdback->n && entry_is_before(&entries[child + 1], &entries[child]))
                        ++child;
                if (!entry_is_before(&entries[child], entry))
                        break;
                entries[i] = entries[child];
                i = child;
        }

        entries[i] = *entry;
}

bool holdback_pop(struct holdback *holdback, uint64_t key, struct i4_record *recordp) {
        struct holdback_entry last;

        if (holdback->n == 0 || holdback->entries[0].key > key)
                return false;

        *recordp = holdback->entries[0].record;
        last = holdback->entries[--holdback->n];
        if (holdback->n > 0)
                holdback_sift(holdback, &last);
        return true;
}
