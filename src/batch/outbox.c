/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/outbox.h"

#include "batch/state.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define NAME_PREFIX "batch_"
#define NAME_SUFFIX ".json"
#define REJECTED    "rejected.jsonl"

/* Which records are in a file, as "first-last", where the file system can keep such a thing. */
#define RANGE_ATTRIBUTE "user.i4.sequence"

struct outbox {
        int fd; /* of the directory, locked */
        uint64_t max_use;
        uint64_t use; /* bytes, an upper bound: others only take away */
        struct state state;
        bool has_state;
        char name[OUTBOX_NAME_MAX];
};

/* names */

bool outbox_name_is_batch(const char *name, uint64_t *nsp) {
        const size_t n_prefix = strlen(NAME_PREFIX);
        char *end;

        if (strncmp(name, NAME_PREFIX, n_prefix) != 0 || name[n_prefix] < '0' || name[n_prefix] > '9')
                return false;

        errno = 0;
        *nsp = strtoull(name + n_prefix, &end, 10);
        return errno == 0 && strcmp(end, NAME_SUFFIX) == 0;
}

static void format_hidden(char buffer[static OUTBOX_NAME_MAX], const char *name) {
        (void) snprintf(buffer, OUTBOX_NAME_MAX, ".%.*s.tmp", (int) OUTBOX_NAME_MAX - 8, name);
}

static bool name_is_hidden(const char *name) {
        size_t n = strlen(name);

        return strncmp(name, "." NAME_PREFIX, strlen("." NAME_PREFIX)) == 0 && n > 4 &&
               strcmp(name + n - 4, ".tmp") == 0;
}

/* A clock that is set back does not bring a name back. */
static uint64_t outbox_next_name(const struct outbox *outbox) {
        return MAX(clock_now_ns(CLOCK_REALTIME), outbox->state.name_ns + 1);
}

/* what is in there */

struct census {
        uint64_t n_files;
        uint64_t n_bytes;
        uint64_t newest_ns;
};

static void census_add(struct census *census, int fd, const char *name) {
        uint64_t ns = 0;
        struct stat st;
        bool is_batch = outbox_name_is_batch(name, &ns);

        if (!is_batch && strcmp(name, REJECTED) != 0)
                return;
        /* Gone since it was listed. */
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return;

        census->n_files += is_batch;
        census->n_bytes += (uint64_t) st.st_size;
        census->newest_ns = MAX(census->newest_ns, ns);
}

/* @is_first: also throws away what nobody will come back to. */
static int outbox_survey(struct outbox *outbox, struct census *census, bool is_first) {
        _cleanup_(closedirp) DIR *directory = NULL;
        const struct dirent *entry;
        int r;

        *census = (struct census){};
        r = file_open_entries(outbox->fd, &directory);
        if (r < 0)
                return r;

        while ((entry = readdir(directory))) {
                if (is_first && name_is_hidden(entry->d_name))
                        (void) unlinkat(outbox->fd, entry->d_name, 0);
                census_add(census, outbox->fd, entry->d_name);
        }

        outbox->use = census->n_bytes;
        return 0;
}

int outbox_count(struct outbox *outbox, uint64_t *n_filesp, uint64_t *n_bytesp) {
        struct census census;
        int r;

        r = outbox_survey(outbox, &census, false);
        if (r < 0)
                return r;

        *n_filesp = census.n_files;
        *n_bytesp = census.n_bytes;
        return 0;
}

/* A look into the directory only when it seems full: consumers have been there since. */
static int outbox_check_use(struct outbox *outbox, size_t size) {
        struct census census;
        int r;

        if (size <= outbox->max_use && outbox->use <= outbox->max_use - size)
                return 0;

        r = outbox_survey(outbox, &census, false);
        if (r < 0)
                return r;

        return size <= outbox->max_use && outbox->use <= outbox->max_use - size ? 0 : -EDQUOT;
}

/* life cycle */

/* With its parents, as mkdir -p. */
static int directory_make(const char *path) {
        _cleanup_(freep) char *part = strdup(path);

        if (!part)
                return -ENOMEM;

        for (char *p = part + 1; *part && *p; ++p)
                if (*p == '/') {
                        *p = 0;
                        if (mkdir(part, 0755) < 0 && errno != EEXIST)
                                return -errno;
                        *p = '/';
                }

        return mkdir(part, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* The last batch may lack its name only, or nothing. */
static int outbox_recover(struct outbox *outbox) {
        char hidden[OUTBOX_NAME_MAX];
        struct census census;
        int r;

        if (outbox->has_state && *outbox->state.name) {
                format_hidden(hidden, outbox->state.name);
                if (renameat(outbox->fd, hidden, outbox->fd, outbox->state.name) < 0 && errno != ENOENT)
                        return -errno;
        }

        r = outbox_survey(outbox, &census, true);
        if (r < 0)
                return r;

        outbox->state.name_ns = MAX(outbox->state.name_ns, census.newest_ns);
        return 0;
}

static int outbox_lock(struct outbox *outbox, const char *path) {
        outbox->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (outbox->fd < 0)
                return -errno;
        if (flock(outbox->fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;

        return faccessat(outbox->fd, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int outbox_open(struct outbox **outboxp, const char *path, uint64_t max_use, bool *is_damagedp) {
        _cleanup_(outbox_closep) struct outbox *outbox = NULL;
        int r;

        outbox = calloc(1, sizeof(*outbox));
        if (!outbox)
                return -ENOMEM;
        outbox->fd = -1;
        outbox->max_use = max_use;

        r = directory_make(path);
        if (r < 0)
                return r;
        r = outbox_lock(outbox, path);
        if (r < 0)
                return r;

        r = state_load(&outbox->state, outbox->fd);
        if (r < 0 && r != -ENOENT && r != -EBADMSG)
                return r;
        outbox->has_state = r >= 0;
        *is_damagedp = r == -EBADMSG;

        r = outbox_recover(outbox);
        if (r < 0)
                return r;

        *outboxp = TAKE_PTR(outbox);
        return 0;
}

struct outbox *outbox_close(struct outbox *outbox) {
        if (outbox)
                closep(&outbox->fd);
        free(outbox);
        return NULL;
}

bool outbox_get_position(const struct outbox *outbox, struct outbox_position *position) {
        if (outbox->has_state)
                *position = outbox->state.position;

        return outbox->has_state;
}

/* delivering */

static int file_write(int fd, struct json_span text, struct batch_range range) {
        char sequence[64];
        int n, r;

        r = file_write_all(fd, text.text, text.size);
        if (r < 0)
                return r;

        /* Not every file system can. */
        n = snprintf(sequence, sizeof(sequence), "%" PRIu64 "-%" PRIu64, range.first, range.next - 1);
        (void) fsetxattr(fd, RANGE_ATTRIBUTE, sequence, (size_t) n, 0);

        return fsync(fd) < 0 ? -errno : 0;
}

static int outbox_write_hidden(
                struct outbox *outbox, const char *hidden, struct json_span text, struct batch_range range) {
        _cleanup_(closep) int fd = -1;
        int r;

        fd = openat(outbox->fd, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;

        r = file_write(fd, text, range);
        if (r < 0)
                (void) unlinkat(outbox->fd, hidden, 0);

        return r;
}

static int outbox_save_state(struct outbox *outbox, const struct state *state) {
        int r;

        r = state_save(state, outbox->fd);
        if (r < 0)
                return r;

        outbox->state = *state;
        outbox->has_state = true;
        return 0;
}

int outbox_save(struct outbox *outbox, const struct outbox_position *position) {
        struct state state = outbox->state;

        state.position = *position;
        return outbox_save_state(outbox, &state);
}

int outbox_deliver(struct outbox *outbox, struct json_span text, struct batch_range range,
                const struct outbox_position *position) {
        struct state state = { .name_ns = outbox_next_name(outbox), .position = *position };
        char hidden[OUTBOX_NAME_MAX];
        int r;

        r = outbox_check_use(outbox, text.size);
        if (r < 0)
                return r;

        (void) snprintf(state.name, sizeof(state.name), NAME_PREFIX "%" PRIu64 NAME_SUFFIX, state.name_ns);
        format_hidden(hidden, state.name);
        r = outbox_write_hidden(outbox, hidden, text, range);
        if (r < 0)
                return r;

        /* From here on the next start would deliver it. */
        r = outbox_save_state(outbox, &state);
        if (r < 0) {
                (void) unlinkat(outbox->fd, hidden, 0);
                return r;
        }

        if (renameat(outbox->fd, hidden, outbox->fd, state.name) < 0)
                return -errno;
        (void) fsync(outbox->fd);

        outbox->use += text.size;
        memcpy(outbox->name, state.name, sizeof(outbox->name));
        return 0;
}

int outbox_reject(struct outbox *outbox, struct json_span text) {
        _cleanup_(closep) int fd = -1;
        struct stat st;
        int r;

        r = outbox_check_use(outbox, text.size);
        if (r < 0)
                return r;

        fd = openat(outbox->fd, REJECTED, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;

        r = file_write_all(fd, text.text, text.size);
        if (r < 0) {
                (void) ftruncate(fd, st.st_size);
                return r;
        }

        outbox->use += text.size;
        return 0;
}

const char *outbox_get_name(const struct outbox *outbox) {
        return outbox->name;
}

int outbox_get_fd(const struct outbox *outbox) {
        return outbox->fd;
}
