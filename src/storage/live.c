/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/live.h"

#include "i4.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/timestamp.h"

#include <errno.h>
#include <string.h>

#define SCAN_SIZE ((size_t) 65536)

uint64_t live_read_time(int fd, const struct stat *st) {
        char line[I4_LINE_MAX + 1], *begin, *end;
        uint64_t time_ns;
        ssize_t n;

        n = pread(fd, line, I4_LINE_MAX, 0);
        line[MAX(n, 0)] = '\0';

        begin = strstr(line, "\"timestamp\":\"");
        if (begin) {
                begin += strlen("\"timestamp\":\"");
                end = strpbrk(begin, "\"\n");
                if (end) {
                        *end = '\0';
                        if (parse_time(begin, &time_ns) >= 0)
                                return time_ns;
                }
        }

        return timespec_to_ns(st->st_mtim);
}

int live_get_identity(int fd, struct live_identity *identityp) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;

        *identityp = (struct live_identity){
                .device = st.st_dev,
                .inode = st.st_ino,
                .size = (uint64_t) st.st_size,
        };
        return 0;
}

int live_is_cut(int fd, uint64_t offset) {
        struct live_identity identity;
        off_t hole;
        int r;

        r = live_get_identity(fd, &identity);
        if (r < 0)
                return r;
        if (identity.size < offset)
                return 1;

        /* What was under way at that time went to its place, and left nothing before it. */
        hole = lseek(fd, 0, SEEK_HOLE);
        return hole >= 0 && (uint64_t) hole < offset;
}

static uint64_t count_lines(const char *bytes, size_t size) {
        uint64_t n = 0;

        for (size_t i = 0; i < size; ++i)
                n += bytes[i] == '\n';

        return n;
}

static int read_fully(int fd, char *buffer, size_t size, uint64_t offset) {
        ssize_t n;

        while (size > 0) {
                n = pread(fd, buffer, size, (off_t) offset);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -ENODATA;
                buffer += n;
                size -= (size_t) n;
                offset += (size_t) n;
        }

        return 0;
}

static int live_verify_begin(int fd, uint64_t offset) {
        char last = '\n';
        int r;

        if (offset == 0)
                return 0;

        r = read_fully(fd, &last, 1, offset - 1);
        return r < 0 ? r : last == '\n' ? 0 : -EBADMSG;
}

int live_find_end(int fd, uint64_t from, uint64_t *offsetp, uint64_t *n_linesp) {
        _cleanup_(freep) char *buffer = malloc(SCAN_SIZE);
        struct live_identity identity;
        uint64_t offset = from, n_lines = 0, end;
        bool is_found = false;
        int r;

        if (!buffer)
                return -ENOMEM;
        r = live_get_identity(fd, &identity);
        if (r < 0)
                return r;
        r = live_verify_begin(fd, from);
        if (r < 0)
                return r;

        for (end = identity.size; end > from && (!is_found || n_linesp);) {
                size_t size = MIN(end - from, SCAN_SIZE);
                const char *line;

                end -= size;
                r = read_fully(fd, buffer, size, end);
                if (r < 0)
                        return r;

                line = memrchr(buffer, '\n', size);
                if (line && !is_found)
                        offset = end + (uint64_t) (line + 1 - buffer);
                is_found |= !!line;
                n_lines += count_lines(buffer, size);
        }

        *offsetp = offset;
        if (n_linesp)
                *n_linesp = n_lines;
        return 0;
}

int live_end_line(int fd) {
        struct live_identity identity;
        char last = '\n';
        int r;

        r = live_get_identity(fd, &identity);
        if (r < 0)
                return r;
        if (identity.size > 0) {
                r = read_fully(fd, &last, 1, identity.size - 1);
                if (r < 0)
                        return r;
        }
        if (last == '\n')
                return 0;

        return pwrite(fd, "\n", 1, (off_t) identity.size) < 0 ? -errno : 1;
}

void live_cut(int fd, uint64_t offset, uint64_t *sizep) {
        if (*sizep > offset && ftruncate(fd, (off_t) offset) >= 0)
                *sizep = offset;
}

static int write_fully(int fd, const char *buffer, size_t size, uint64_t offset) {
        ssize_t n;

        while (size > 0) {
                n = pwrite(fd, buffer, size, (off_t) offset);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                buffer += n;
                size -= (size_t) n;
                offset += (size_t) n;
        }

        return 0;
}

/* A run of NULs becomes a line of blanks; the line before it, which is torn, ends there. Looks one byte
 * further than @size. Whether there were any. */
static bool blank_out(char *bytes, size_t size, char *previous) {
        bool is_changed = false;

        for (size_t i = 0; i < size; ++i) {
                char byte = bytes[i];

                if (byte == '\0') {
                        bytes[i] = *previous != '\0' || bytes[i + 1] != '\0' ? '\n' : ' ';
                        is_changed = true;
                }
                *previous = byte;
        }

        return is_changed;
}

int live_fill(int fd, uint64_t size) {
        _cleanup_(freep) char *buffer = NULL;
        off_t hole = lseek(fd, 0, SEEK_HOLE);
        char previous = '\n';
        uint64_t offset;

        if (hole < 0 || (uint64_t) hole >= size)
                return hole < 0 ? -errno : 0;
        buffer = malloc(SCAN_SIZE + 1);
        if (!buffer)
                return -ENOMEM;

        /* A hole is of whole blocks, and the NULs begin in the one before. */
        for (offset = (uint64_t) hole - MIN((uint64_t) hole, SCAN_SIZE); offset < size; offset += SCAN_SIZE) {
                size_t n = MIN(SCAN_SIZE, size - offset), n_read = MIN(SCAN_SIZE + 1, size - offset);
                int r;

                buffer[n] = '\n';
                r = read_fully(fd, buffer, n_read, offset);
                if (r >= 0 && blank_out(buffer, n, &previous))
                        r = write_fully(fd, buffer, n, offset);
                if (r < 0)
                        return r;
        }

        return 0;
}
