/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sealed files
 *
 *     readings-<time>-<seq>.jsonl          complete and durable
 *     readings-<time>-<seq>.suspect.jsonl  sealed after the disk failed it
 *
 * <time> is the UTC time of the first record (20261123T104943Z), <seq> its sequence in 20 digits. Whatever
 * else lies in their directory is not ours.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEALED_NAME_MAX 96

/* @attempt: 0, and one more each time that the name is taken */
void sealed_format_name(char name[static SEALED_NAME_MAX], uint64_t time_ns, uint64_t sequence,
                unsigned int attempt, bool is_suspect);

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
