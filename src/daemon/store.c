/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/store.h"

#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#define NAME_RING    "ring"
#define NAME_READER  "ring-reader"
#define NAME_STATE   "state"
#define NAME_CONTROL "control"

static void strv_freep(char ***strings) {
        if (!*strings)
                return;

        for (char **s = *strings; *s; ++s)
                free(*s);
        free(*strings);
}

/* Which of ours it is; NULL: none. The name of the readers' socket is whatever its unit says. */
static int *store_find(struct store *store, int fd, const char *name) {
        if (strcmp(name, NAME_CONTROL) == 0)
                return sd_is_socket_unix(fd, SOCK_SEQPACKET, 1, NULL, 0) > 0 ? &store->control_fd : NULL;
        if (sd_is_socket_unix(fd, SOCK_SEQPACKET, 1, NULL, 0) > 0)
                return &store->listen_fd;
        if (strcmp(name, NAME_RING) == 0)
                return &store->ring_fd;
        if (strcmp(name, NAME_READER) == 0)
                return &store->reader_fd;
        if (strcmp(name, NAME_STATE) == 0)
                return &store->state_fd;

        return NULL;
}

int store_take(struct store *store) {
        _cleanup_(strv_freep) char **names = NULL;
        int n;

        n = sd_listen_fds_with_names(1, &names);
        if (n < 0)
                return n;

        for (int i = 0; i < n; ++i) {
                int fd = SD_LISTEN_FDS_START + i;
                int *place = store_find(store, fd, names[i]);

                /* Of two by one name the first is the one that was kept last. */
                if (place && *place < 0)
                        *place = fd;
                else
                        (void) close(fd);
        }

        return 0;
}

const char *store_get_reason(const struct store *store) {
        return store->reason;
}

static void store_explain(struct store *store, const struct ring_settings *settings, int error) {
        struct ring_header header;

        if (error == -EPROTONOSUPPORT) {
                (void) snprintf(store->reason, sizeof(store->reason), "another version of i4d made it");
                return;
        }

        if (error != -EMEDIUMTYPE || pread(store->ring_fd, &header, sizeof(header), 0) != sizeof(header))
                (void) snprintf(store->reason, sizeof(store->reason), "it is damaged: %s", strerror(-error));
        else if (header.geometry.n_records != settings->n_records)
                (void) snprintf(store->reason, sizeof(store->reason),
                                "it holds %" PRIu64 " records, Records= asks for %" PRIu64,
                                header.geometry.n_records, settings->n_records);
        else if (header.geometry.n_consumers != settings->n_consumers)
                (void) snprintf(store->reason, sizeof(store->reason),
                                "it has places for %" PRIu32 " readers, MaxReaders= asks for %" PRIu32,
                                header.geometry.n_consumers, settings->n_consumers);
        else
                (void) snprintf(store->reason, sizeof(store->reason),
                                "it belongs to another catalog or fleet");
}

/* Sound, but not what is asked for: its successor's numbers follow on its own. */
static int store_get_next_sequence(const struct store *store, uint64_t *sequencep) {
        struct ring_header header;

        if (pread(store->ring_fd, &header, sizeof(header), 0) != sizeof(header))
                return -EIO;

        *sequencep = atomic_load_explicit(&header.published, memory_order_relaxed);
        return 0;
}

/* The state of the ring that was kept, else a new one. */
static int store_open_state(struct store *store, const uint8_t instance[static 16]) {
        if (store->state_fd >= 0 && state_adopt(&store->state, store->state_fd, instance) >= 0) {
                store->state_fd = -1;
                return 0;
        }

        return state_new(&store->state, store->ring->header->identity.instance);
}

static int store_replace(struct store *store, const struct ring_settings *settings,
                const struct i4_catalog *catalog, int error) {
        struct ring_settings following = *settings;
        uint8_t instance[16] = {};
        bool is_following;
        int r;

        store_explain(store, settings, error);
        is_following = error == -EMEDIUMTYPE &&
                       store_get_next_sequence(store, &following.first_sequence) >= 0 &&
                       pread(store->ring_fd, instance, sizeof(instance),
                                       offsetof(struct ring_identity, instance)) == sizeof(instance);

        r = ring_new(&store->ring, &following, catalog);
        if (r < 0)
                return r;
        r = store_open_state(store, is_following ? instance : store->ring->header->identity.instance);
        return r < 0 ? r : STORE_REPLACED;
}

static int store_make(
                struct store *store, const struct ring_settings *settings, const struct i4_catalog *catalog) {
        int r;

        r = ring_new(&store->ring, settings, catalog);
        if (r < 0)
                return r;

        r = state_new(&store->state, store->ring->header->identity.instance);
        return r < 0 ? r : STORE_NEW;
}

static bool is_same_memory(int a, int b) {
        struct stat first, second;

        return fstat(a, &first) >= 0 && fstat(b, &second) >= 0 && first.st_dev == second.st_dev &&
               first.st_ino == second.st_ino;
}

/* Lost, perhaps because it was taken for the same as its writable twin, or of another ring: opened again. */
static int store_verify_reader(struct store *store) {
        char path[sizeof("/proc/self/fd/") + 10];

        if (store->reader_fd >= 0 && is_same_memory(store->ring_fd, store->reader_fd))
                return 0;

        closep(&store->reader_fd);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", store->ring_fd);
        store->reader_fd = open(path, O_RDONLY | O_CLOEXEC);
        return store->reader_fd < 0 ? -errno : 0;
}

int store_open(struct store *store, const struct ring_settings *settings, const struct i4_catalog *catalog) {
        int r;

        if (store->ring_fd < 0)
                return store_make(store, settings, catalog);

        r = store_verify_reader(store);
        if (r < 0)
                return r;
        r = ring_adopt(&store->ring, store->ring_fd, store->reader_fd, settings, catalog);
        if (r < 0)
                return r == -ENOMEM || r == -EINVAL ? r : store_replace(store, settings, catalog, r);

        store->ring_fd = store->reader_fd = -1;
        r = store_open_state(store, store->ring->header->identity.instance);
        return r < 0 ? r : STORE_ADOPTED;
}

static int keep(const char *name, int fd) {
        char text[64];
        int r;

        (void) snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
        r = sd_pid_notify_with_fds(0, false, text, &fd, 1);
        return r < 0 ? r : 0;
}

static void forget(const char *name) {
        (void) sd_notifyf(false, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

static void store_close_rest(struct store *store) {
        closep(&store->state_fd);
        closep(&store->reader_fd);
        closep(&store->ring_fd);
        store->ring_fd = store->reader_fd = store->state_fd = -1;
}

/*
 * What was taken back and not used goes first. What was used is still in the store; systemd notices that and
 * does not keep it twice.
 */
int store_keep(struct store *store) {
        int r;

        if (store->ring_fd >= 0) {
                (void) ring_retire_fd(store->ring_fd);
                state_set_instance(store->state, store->ring->header->identity.instance);
                forget(NAME_RING);
                forget(NAME_STATE);
        }
        if (store->reader_fd >= 0)
                forget(NAME_READER);
        if (store->state_fd >= 0)
                forget(NAME_STATE);
        store_close_rest(store);

        r = keep(NAME_RING, store->ring->fd);
        if (r < 0)
                return r;
        r = keep(NAME_READER, store->ring->reader_fd);
        if (r < 0)
                return r;
        return keep(NAME_STATE, store->state->fd);
}

void store_deinit(struct store *store) {
        store->state = state_free(store->state);
        store->ring = ring_free(store->ring);
        store_close_rest(store);
        closep(&store->listen_fd);
        closep(&store->control_fd);
        *store = STORE_INIT;
}
