/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The yardstick of everything that writes lines into a pipe: ready-made ones, in blocks of 1 MiB
 *
 *     bench-blocks FILE MIB
 *
 * Writes the beginning of FILE to standard output, again and again, until it was so much. A pipe is made as
 * wide as i4 makes it.
 */

#include "util/file.h"
#include "util/macros.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t) 1 << 20)

int main(int argc, char **argv) {
        uint64_t n_blocks = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
        static char block[BLOCK_SIZE];
        _cleanup_(closep) int fd = -1;

        if (n_blocks == 0) {
                fprintf(stderr, "Usage: bench-blocks FILE MIB\n");
                return 2;
        }

        fd = open(argv[1], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, block, sizeof(block)) != (ssize_t) sizeof(block)) {
                fprintf(stderr, "%s: not 1 MiB that can be read\n", argv[1]);
                return EXIT_FAILURE;
        }

        file_widen_pipe(STDOUT_FILENO);
        for (uint64_t i = 0; i < n_blocks; ++i)
                if (file_write_all(STDOUT_FILENO, block, sizeof(block)) < 0) {
                        perror("standard output");
                        return EXIT_FAILURE;
                }
        return EXIT_SUCCESS;
}
