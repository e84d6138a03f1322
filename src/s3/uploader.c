/* SPDX-License-Identifier: Apache-2.0 */

#include "s3/uploader.h"

#include "batch/outbox.h"
#include "tools/notice.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define PAUSE_MIN_NS NSEC_PER_SEC
#define PAUSE_MAX_NS NSEC_PER_MIN

/* A reminder of what has been wrong for so long. */
#define REMINDER_NS (15 * NSEC_PER_MIN)

#define ID_FAILING "7e0c4b92a5d3486fb1e97d2c6a8f0354"
#define ID_SENT    "d48f16b3c07e4a2d95a1e36b8c2f7049"

struct uploader {
        const struct uploader_settings *settings;
        struct putter *putter;
        int fd; /* of the directory */
        struct uplink_report report;
        uint64_t pause_ns; /* after the last failure, before chance */
        uint64_t retry_ns; /* CLOCK_MONOTONIC */
        uint64_t told_ns;  /* CLOCK_MONOTONIC when the failure was told; 0: there is none */
        bool has_more;     /* the other end of the uplink is open */
};

/* the directory */

struct queue {
        uint64_t *times; /* of batches, the oldest first: names follow from them */
        size_t n;
        size_t n_room;
};

static void queue_deinit(struct queue *queue) {
        free(queue->times);
}

static int queue_add(struct queue *queue, uint64_t ns) {
        if (queue->n == queue->n_room) {
                size_t n_room = MAX(2 * queue->n_room, (size_t) 64);
                uint64_t *times = reallocarray(queue->times, n_room, sizeof(*times));

                if (!times)
                        return -ENOMEM;
                queue->times = times;
                queue->n_room = n_room;
        }

        queue->times[queue->n++] = ns;
        return 0;
}

static int time_compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return (x > y) - (x < y);
}

static int queue_read(struct queue *queue, int directory_fd) {
        _cleanup_(closedirp) DIR *directory = NULL;
        const struct dirent *entry;
        uint64_t ns;
        int r;

        r = file_open_entries(directory_fd, &directory);
        if (r < 0)
                return r;

        while ((entry = readdir(directory))) {
                if (!outbox_name_is_batch(entry->d_name, &ns))
                        continue;
                r = queue_add(queue, ns);
                if (r < 0)
                        return r;
        }

        if (queue->n > 0)
                qsort(queue->times, queue->n, sizeof(*queue->times), time_compare);
        return 0;
}

/* the uplink */

static void uploader_report(struct uploader *uploader) {
        /* A parent that does not listen learns it later. */
        if (uploader->settings->uplink_fd >= 0)
                (void) send(uploader->settings->uplink_fd, &uploader->report, sizeof(uploader->report),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Sleeps until there is more, or the time is up. What is said is that something is there, and nothing else.
 */
static void uploader_wait(struct uploader *uploader, uint64_t timeout_ns) {
        struct pollfd pollfd = { .fd = uploader->has_more ? uploader->settings->uplink_fd : -1,
                .events = POLLIN };
        struct timespec timeout = timespec_from_ns(timeout_ns);
        char message[16];
        ssize_t n;

        if (ppoll(&pollfd, 1, &timeout, NULL) <= 0)
                return;

        do
                n = recv(pollfd.fd, message, sizeof(message), MSG_DONTWAIT);
        while (n > 0);
        if (n == 0)
                uploader->has_more = false;
}

/* failing */

/* Half of the pause is certain, the rest is chance: nodes that failed together do not come back together. */
static uint64_t pause_vary(uint64_t ns) {
        uint64_t chance = 0;

        (void) getrandom(&chance, sizeof(chance), 0);
        return ns / 2 + chance % (ns / 2 + 1);
}

/* Told when it begins, when the reason is another, and once in a while. */
static void tell_failing(struct uploader *uploader, const char *name, const char *text, bool gives_up) {
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
        bool is_known = uploader->report.is_failing &&
                        strncmp(uploader->report.text, text, sizeof(uploader->report.text) - 1) == 0;
        struct notice notice;

        if (is_known && now_ns - uploader->told_ns < REMINDER_NS)
                return;

        uploader->told_ns = now_ns;
        notice_init(&notice, uploader->settings->who, LOG_ERR, ID_FAILING);
        notice_add(&notice, "BATCH_BUCKET", "%s", uploader->settings->target.bucket);
        notice_add(&notice, "BATCH_FILE", "%s", name);
        notice_add(&notice, "BATCH_REASON", "%s", text);
        notice_add(&notice, "BATCH_WAITING", "%" PRIu64, uploader->report.n_waiting);
        if (gives_up)
                notice_send(&notice, "cannot upload %s: %s; it stays in %s", name, text,
                                uploader->settings->directory);
        else
                notice_send(&notice, "cannot upload %s: %s; trying again", name, text);
}

static void uploader_fail(struct uploader *uploader, const char *name, const char *text, bool is_final) {
        struct uplink_report *report = &uploader->report;
        bool gives_up = is_final && uploader->settings->gives_up;

        ++report->n_tries_failed;
        tell_failing(uploader, name, text, gives_up);
        report->is_failing = true;
        (void) snprintf(report->text, sizeof(report->text), "%.*s", (int) sizeof(report->text) - 1, text);
        uploader_report(uploader);

        uploader->pause_ns = MIN(MAX(2 * uploader->pause_ns, PAUSE_MIN_NS), PAUSE_MAX_NS);
        uploader->retry_ns = clock_now_ns(CLOCK_MONOTONIC) + pause_vary(uploader->pause_ns);
}

static void uploader_succeed(struct uploader *uploader, const char *key, size_t size) {
        struct uplink_report *report = &uploader->report;
        struct notice notice;

        ++report->n_sent;
        report->n_bytes += size;
        report->n_waiting -= report->n_waiting > 0;
        uploader->pause_ns = uploader->retry_ns = 0;

        if (report->is_failing || report->n_sent == 1) {
                notice_init(&notice, uploader->settings->who, LOG_NOTICE, ID_SENT);
                notice_add(&notice, "BATCH_BUCKET", "%s", uploader->settings->target.bucket);
                notice_add(&notice, "BATCH_KEY", "%s", key);
                notice_add(&notice, "BATCH_WAITING", "%" PRIu64, report->n_waiting);
                notice_send(&notice, "uploading into s3://%s, first %s", uploader->settings->target.bucket,
                                key);
        }
        report->is_failing = false;
        report->text[0] = 0;
        uploader_report(uploader);
}

/* one batch */

struct payload {
        char *data;
        size_t size;
        char sequence[64];
};

static void payload_deinit(struct payload *payload) {
        if (payload->data)
                (void) munmap(payload->data, payload->size);
}

static int payload_open(struct payload *payload, int directory_fd, const char *name) {
        _cleanup_(closep) int fd = -1;
        struct stat st;
        ssize_t n;
        void *data;

        fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size == 0)
                return -EBADMSG;

        data = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
                return -errno;

        n = fgetxattr(fd, "user.i4.sequence", payload->sequence, sizeof(payload->sequence) - 1);
        payload->sequence[MAX(n, 0)] = 0;
        payload->data = data;
        payload->size = (size_t) st.st_size;
        return 0;
}

/* A key that has been changed since is taken up. */
static int uploader_put(struct uploader *uploader, const char *key, const struct payload *payload,
                struct put_result *result) {
        _cleanup_(credentials_deinit) struct credentials credentials;
        int r;

        r = credentials_load(&credentials);
        if (r >= 0) {
                putter_put(uploader->putter, &uploader->settings->target, &credentials, key, payload->data,
                                payload->size, payload->sequence, result);
                return 0;
        }

        *result = (struct put_result){ .outcome = PUT_DENIED };
        if (r == -ENOENT)
                (void) snprintf(result->text, sizeof(result->text),
                                "there is no key: neither a credential aws-credentials, nor AWS_ACCESS_KEY_ID and "
                                "AWS_SECRET_ACCESS_KEY, nor ~/.aws/credentials");
        else if (r == -EBADMSG)
                (void) snprintf(result->text, sizeof(result->text),
                                "%.200s does not hold both halves of a key", credentials.origin);
        else
                (void) snprintf(result->text, sizeof(result->text), "cannot read %.200s: %s",
                                credentials.origin, strerror(-r));
        return 0;
}

/* 0: go on; -ECANCELED: given up; or what cannot be helped, told. */
static int uploader_carry(struct uploader *uploader, uint64_t ns) {
        _cleanup_(payload_deinit) struct payload payload = {};
        char name[OUTBOX_NAME_MAX], key[TARGET_KEY_MAX];
        struct put_result result;
        int r;

        (void) snprintf(name, sizeof(name), "batch_%" PRIu64 ".json", ns);
        r = target_format_key(&uploader->settings->target, ns, key);
        if (r >= 0)
                r = payload_open(&payload, uploader->fd, name);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                say(uploader->settings->who, "cannot read %s/%s: %s", uploader->settings->directory, name,
                                strerror(-r));
                return r;
        }

        r = uploader_put(uploader, key, &payload, &result);
        if (r < 0 || result.outcome == PUT_STOPPED)
                return r;
        if (result.outcome != PUT_DONE) {
                bool is_final = result.outcome == PUT_DENIED;

                uploader_fail(uploader, name, result.text, is_final);
                return is_final && uploader->settings->gives_up ? -ECANCELED : 0;
        }

        if (unlinkat(uploader->fd, name, 0) < 0 && errno != ENOENT) {
                say(uploader->settings->who, "cannot remove %s/%s: %s", uploader->settings->directory, name,
                                strerror(errno));
                return -errno;
        }
        uploader_succeed(uploader, key, payload.size);
        return 0;
}

/* all of them */

/* Until one fails: nothing overtakes it. */
static int uploader_carry_all(struct uploader *uploader, const struct queue *queue) {
        uint64_t n_failed = uploader->report.n_tries_failed;

        for (size_t i = 0;
                        i < queue->n && uploader->report.n_tries_failed == n_failed && !stop_is_requested();
                        ++i) {
                int r = uploader_carry(uploader, queue->times[i]);

                if (r < 0)
                        return r;
        }

        return 0;
}

/* 1: go on; 0: all is carried, and nothing more comes. */
static int uploader_step(struct uploader *uploader) {
        _cleanup_(queue_deinit) struct queue queue = {};
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
        /* As of before the look: what comes after it is told. */
        bool had_more = uploader->has_more;
        int r;

        r = queue_read(&queue, uploader->fd);
        if (r < 0) {
                say(uploader->settings->who, "cannot read %s: %s", uploader->settings->directory,
                                strerror(-r));
                return r;
        }

        uploader->report.n_waiting = queue.n;
        uploader_report(uploader);

        if (queue.n == 0 && !had_more)
                return 0;
        if (queue.n == 0)
                uploader_wait(uploader, NSEC_PER_MIN);
        else if (now_ns < uploader->retry_ns)
                uploader_wait(uploader, uploader->retry_ns - now_ns);
        else
                r = uploader_carry_all(uploader, &queue);

        return r < 0 ? r : 1;
}

static void uploader_deinit(struct uploader *uploader) {
        uploader->putter = putter_free(uploader->putter);
        closep(&uploader->fd);
}

static int uploader_init(struct uploader *uploader) {
        int r;

        uploader->fd = open(uploader->settings->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (uploader->fd < 0)
                r = -errno;
        else
                r = putter_new(&uploader->putter);
        if (r < 0)
                say(uploader->settings->who, "cannot upload from %s: %s", uploader->settings->directory,
                                strerror(-r));

        return r;
}

int uploader_run(const struct uploader_settings *settings) {
        _cleanup_(uploader_deinit) struct uploader uploader = { .settings = settings, .fd = -1 };
        int r;

        uploader.has_more = settings->uplink_fd >= 0;
        r = uploader_init(&uploader);
        if (r < 0)
                return r;

        while (!stop_is_requested()) {
                r = uploader_step(&uploader);
                if (r <= 0)
                        return r;
        }

        return 0;
}
