/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The directory that batches are delivered into
 *
 * A batch is written under a hidden name and synced; then the state file says that the batch is delivered and
 * where its successor begins; then the batch gets its name. Whatever is cut off in between, the next start
 * sees which: a hidden file that the state knows gets its name late, any other is thrown away. So each batch
 * appears whole, once, and no consumer has to be patient with it or may not take it away at once.
 *
 * Names are batch_<nanoseconds since 1970>.json, and grow. One process at a time delivers into a directory.
 */

#include "batch/batch.h"

#include <stdbool.h>
#include <stdint.h>

#define OUTBOX_NAME_MAX 64u

/* Where the source is read on. */
struct outbox_position {
        char source[512];  /* as batch_meta names it; cut if it is longer, which is as good */
        uint64_t sequence; /* number of the next record or line */
        uint64_t offset;   /* of a file: bytes before that line */
        uint64_t device;   /* of a file, as are those below */
        uint64_t inode;
        uint64_t fingerprint; /* of the last bytes before @offset */
        bool is_done;         /* the file was read to its end */
};

struct outbox;

/*
 * Makes the directory if need be, and ends what was cut off. -EBUSY: another process delivers into it; or
 * what mkdir(), open() and write() say. *@is_damagedp: there is a state file, and it makes no sense: where
 * the source was left is not known.
 */
int outbox_open(struct outbox **outboxp, const char *path, uint64_t max_use, bool *is_damagedp);
struct outbox *outbox_close(struct outbox *outbox);

/* False: nothing has been delivered yet. */
bool outbox_get_position(const struct outbox *outbox, struct outbox_position *position);

/*
 * Delivers @text, whose records are those of @range, and with it the news that the source was read up to
 * @position. -EDQUOT: the directory may not grow that much; -ENOSPC and others as write(). After a failure
 * nothing was delivered, and the same may be tried again.
 */
int outbox_deliver(struct outbox *outbox, struct json_span text, struct batch_range range,
                const struct outbox_position *position);

/* The same without a batch. */
int outbox_save(struct outbox *outbox, const struct outbox_position *position);

/*
 * Appends @text, whole lines, to rejected.jsonl. Errors as outbox_deliver(); what was appended in part is
 * taken back.
 */
int outbox_reject(struct outbox *outbox, struct json_span text);

/* The name of the batch that was delivered last, "" if none was since the start. */
const char *outbox_get_name(const struct outbox *outbox);
/* Descriptor of the directory; stays the outbox's. */
int outbox_get_fd(const struct outbox *outbox);
/* Batches that wait to be fetched, as counted now, and the bytes of all that counts against the limit. */
int outbox_count(struct outbox *outbox, uint64_t *n_filesp, uint64_t *n_bytesp);

/* Is it the name of a batch? *@nsp: its time. */
bool outbox_name_is_batch(const char *name, uint64_t *nsp);

static inline void outbox_closep(struct outbox **outbox) {
        if (*outbox)
                (void) outbox_close(*outbox);
}
