/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/program.h"

#include "i4.h"

#include "util/file.h"
#include "util/macros.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DELETED      " (deleted)"
#define VARIABLE     "I4_PLACE" /* from one execution to the next alone */
#define CMDLINE_MAX  ((size_t) 4 << 20)
#define PLACE_FORMAT "%" PRIu64 " %" PRIu64 " %d"

/* All zero: there is none. */
static void file_look(struct program_file *file, const char *path) {
        struct stat st = {};

        if (stat(path, &st) < 0)
                st = (struct stat){};
        file->device = st.st_dev;
        file->inode = st.st_ino;
        file->modified = st.st_mtim;
}

static bool file_is_same(const struct program_file *file) {
        struct program_file now;

        file_look(&now, file->path);
        return now.device == file->device && now.inode == file->inode &&
               now.modified.tv_sec == file->modified.tv_sec && now.modified.tv_nsec == file->modified.tv_nsec;
}

/* Not one that is being copied, which grows: at the end of what linkers make is the table of its sections. */
static bool file_is_whole(const struct program_file *file) {
        _cleanup_(closep) int fd = open(file->path, O_RDONLY | O_CLOEXEC);
        ElfW(Ehdr) header;
        struct stat st;

        return fd >= 0 && fstat(fd, &st) >= 0 && pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
               memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
               (uint64_t) st.st_size >= header.e_shoff + (uint64_t) header.e_shnum * header.e_shentsize;
}

/* One that was replaced before we looked is told by the kernel, and stays unlike what lies there now. */
static void executable_init(struct program_file *file) {
        const ssize_t n_deleted = (ssize_t) strlen(DELETED);
        ssize_t n = readlink("/proc/self/exe", file->path, sizeof(file->path) - 1);

        n = MAX(n, 0);
        file->path[n] = 0;
        if (n > n_deleted && strcmp(file->path + n - n_deleted, DELETED) == 0)
                file->path[n - n_deleted] = 0;
        else
                file_look(file, file->path);
}

/* One that has no path was linked into the executable. */
static void library_init(struct program_file *file, const struct program_file *executable) {
        Dl_info info;

        *file = *executable;
        if (!dladdr((const void *) (uintptr_t) i4_reader_open, &info) || !info.dli_fname ||
                        !strchr(info.dli_fname, '/'))
                return;

        (void) snprintf(file->path, sizeof(file->path), "%s", info.dli_fname);
        file_look(file, file->path);
}

void program_init(struct program *program) {
        const char *text = getenv(VARIABLE);
        int has_lost;

        *program = (struct program){};
        executable_init(&program->executable);
        library_init(&program->library, &program->executable);

        program->is_successor = text && sscanf(text, PLACE_FORMAT, &program->place.sequence,
                                                        &program->place.n_left, &has_lost) == 3;
        program->place.has_lost = program->is_successor && has_lost != 0;
        (void) unsetenv(VARIABLE);
}

bool program_is_replaced(const struct program *program) {
        const struct program_file *executable = &program->executable, *library = &program->library;

        return (!file_is_same(executable) || !file_is_same(library)) && file_is_whole(executable) &&
               file_is_whole(library);
}

/* As it was given them; @text has to outlive the answer. */
static int arguments_read(char **textp, char ***argvp) {
        _cleanup_(freep) char *text = NULL;
        size_t size, n = 0;
        char **argv;
        int r;

        r = file_read("/proc/self/cmdline", CMDLINE_MAX, &text, &size);
        if (r < 0)
                return r;

        argv = calloc(size + 1, sizeof(*argv));
        if (!argv)
                return -ENOMEM;
        for (size_t at = 0; at < size; at += strlen(text + at) + 1)
                argv[n++] = text + at;

        *textp = TAKE_PTR(text);
        *argvp = argv;
        return 0;
}

int program_restart(const struct program *program, const struct program_place *place) {
        bool has_lost = place->has_lost || program->place.has_lost;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(freep) char **argv = NULL;
        char value[64];
        int r;

        r = arguments_read(&text, &argv);
        if (r < 0)
                return r;

        (void) snprintf(value, sizeof(value), PLACE_FORMAT, place->sequence, place->n_left, has_lost);
        if (setenv(VARIABLE, value, true) < 0)
                return -errno;

        (void) execv(program->executable.path, argv);
        r = -errno;
        (void) unsetenv(VARIABLE);
        return r;
}
