/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sealed files
 *
 *     readings-<seq>-<time>.jsonl          complete and durable
 *     readings-<seq>-<time>.suspect.jsonl  sealed after the disk failed it
 *
 * <seq> is the sequence of the first record in 20 digits, <time> its UTC time (20261123T104943Z). So the
 * order of the names is that of the readings, whatever the clock did meanwhile. Where there is a file of that
 * name already, <time> is the next second that is free. Whatever else lies in their directory is not ours.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEALED_NAME_MAX 96

/* Unit of st_blocks: limits go by what is allocated. */
#define STAT_BLOCK UINT64_C(512)

void sealed_format_name(
                char name[static SEALED_NAME_MAX], uint64_t sequence, uint64_t time_ns, bool is_suspect);

struct sealed_file {
        char *name;
        uint64_t inode;
        uint64_t bytes;   /* allocated */
        uint64_t time_ns; /* of the last change, CLOCK_REALTIME */
        bool is_gone;     /* deleted since the list was read */
};

struct sealed_list {
        struct sealed_file *files;
        size_t n_files, n_allocated;
};

/* What is in @fd, a directory, the oldest first. @list is empty before; also with an error, to be
 * deinitialized. */
int sealed_list_read(struct sealed_list *list, int fd);
void sealed_list_deinit(struct sealed_list *list);
