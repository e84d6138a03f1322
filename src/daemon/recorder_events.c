/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/recorder_events.h"

#include "util/macros.h"

#include <errno.h>
#include <sys/eventfd.h>

int recorder_events_init(struct recorder_events *events) {
        events->first = events->n = 0;
        (void) pthread_mutex_init(&events->lock, NULL);
        events->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return events->fd < 0 ? -errno : 0;
}

void recorder_events_deinit(struct recorder_events *events) {
        closep(&events->fd);
        (void) pthread_mutex_destroy(&events->lock);
}

void recorder_events_add(struct recorder_events *events, const struct recorder_event *event) {
        const uint64_t one = 1;

        (void) pthread_mutex_lock(&events->lock);
        if (events->n == RECORDER_EVENTS_MAX) {
                events->first = (events->first + 1) % RECORDER_EVENTS_MAX;
                --events->n;
        }
        events->events[(events->first + events->n++) % RECORDER_EVENTS_MAX] = *event;
        (void) pthread_mutex_unlock(&events->lock);

        (void) !write(events->fd, &one, sizeof(one));
}

int recorder_events_get_fd(const struct recorder_events *events) {
        return events->fd;
}

int recorder_events_next(struct recorder_events *events, struct recorder_event *eventp) {
        uint64_t n;
        int r = 0;

        (void) pthread_mutex_lock(&events->lock);
        if (events->n > 0) {
                *eventp = events->events[events->first];
                events->first = (events->first + 1) % RECORDER_EVENTS_MAX;
                --events->n;
                r = 1;
        } else
                /* Under the lock: what is told from now on makes it readable again. */
                (void) !read(events->fd, &n, sizeof(n));
        (void) pthread_mutex_unlock(&events->lock);

        return r;
}
