/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs a fuzz target over files, or all files of directories: a corpus replayed as an ordinary test, for
 * compilers without a fuzzer and for machines without time.
 */

#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define INPUT_MAX ((size_t) 16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, unsigned int *np) {
        _cleanup_(freep) uint8_t *exact = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(path, INPUT_MAX, &text, &size);
        if (r < 0)
                return r;

        /* No terminator and no byte to spare: reading behind the end must hit a sanitizer's red zone. */
        exact = malloc(size);
        if (!exact && size > 0)
                return -ENOMEM;
        if (size > 0)
                memcpy(exact, text, size);

        (void) LLVMFuzzerTestOneInput(exact, size);
        ++*np;
        return 0;
}

static int replay_directory(const char *path, unsigned int *np) {
        _cleanup_(closedirp) DIR *directory = NULL;
        struct dirent *entry;
        char file[PATH_MAX];
        int r;

        directory = opendir(path);
        if (!directory)
                return -errno;

        while ((entry = readdir(directory))) {
                if (*entry->d_name == '.')
                        continue;
                if (snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) >= (int) sizeof(file))
                        return -ENAMETOOLONG;

                r = replay_file(file, np);
                if (r < 0)
                        return r;
        }

        return 0;
}

int main(int argc, char *argv[]) {
        unsigned int n = 0;
        int r;

        for (int i = 1; i < argc; ++i) {
                r = replay_file(argv[i], &n);
                if (r == -EISDIR)
                        r = replay_directory(argv[i], &n);
                if (r < 0) {
                        (void) fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
                        return EXIT_FAILURE;
                }
        }

        if (n == 0) {
                (void) fprintf(stderr, "Nothing to replay: name files or directories\n");
                return 2;
        }

        printf("%u inputs\n", n);
        return EXIT_SUCCESS;
}
