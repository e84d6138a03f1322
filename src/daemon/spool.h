/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lines on their way to a list beside the readings
 *
 * The main loop may not wait for a disk, so it leaves its lines here, and the recorder's thread, which waits
 * for the disk anyway, appends them to the file in their order. Until they are on disk they lie in memory
 * that survives the process: what a daemon that was killed left its successor writes, and a line that was
 * being written then may stand there twice.
 *
 *     main loop                             recorder
 *     spool_put(), spool_ask()  -> text ->  spool_write() -> file
 *     spool_get_fd(), …         <-  fd  <-
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_SIZE ((size_t) 64 * 1024)

/* Lies in memory that survives the process; all zero is a valid beginning. */
struct spool_memory {
        _Atomic uint64_t n_put;     /* bytes, ever; the main loop's */
        _Atomic uint64_t n_written; /* the recorder's */
        char text[SPOOL_SIZE];      /* byte n at n modulo its size */
};

struct spool;

struct spool_settings {
        const char *directory;
        const char *name;
        const char *old_name; /* what a file of @size_max becomes; NULL: it grows */
        size_t size_max;
};

/* @memory must outlive it. -ENOMEM, -EMFILE. */
int spool_new(struct spool **spoolp, const struct spool_settings *settings, struct spool_memory *memory);
struct spool *spool_free(struct spool *spool);

const char *spool_get_path(const struct spool *spool);

/* main loop's side */

/* A line with its end. -ENOBUFS: more wait already than may. */
int spool_put(struct spool *spool, const char *line);

/* Has the next spool_write() try again what failed, and look whether the file is still there. */
void spool_ask(struct spool *spool);

/* Readable when something was written, or what those below answer has changed. */
int spool_get_fd(const struct spool *spool);

/* Quietens it, before the look. */
void spool_quieten(struct spool *spool);

/* Why lines wait; 0: they are on their way, if there are any. */
int spool_get_error(const struct spool *spool);

/* Whether a file was begun, or is about to be, with nothing to be written into it; once. */
bool spool_take_anew(struct spool *spool);

/* All that was put is on disk. Either side. */
bool spool_is_empty(const struct spool *spool);

/* recorder's thread */

/* Appends what there is; waits for the disk. What failed is tried again after a second, or when asked. */
void spool_write(struct spool *spool);

/* What is not written; the spool's, until the next spool_write(). Before the thread runs anybody may ask. */
size_t spool_peek(struct spool *spool, const char **textp);

static inline void spool_freep(struct spool **spool) {
        if (*spool)
                (void) spool_free(*spool);
}
