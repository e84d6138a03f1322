/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the storage thread tells the main loop
 *
 * The thread never logs and never waits for who listens: events wait here until the main loop has time. When
 * there are too many, the oldest gives way: what matters is how things stand, and all numbers are in the
 * statistics too.
 */

#include "storage/sealed.h"

#include <pthread.h>

enum recorder_event_kind {
        RECORDER_STARTED,    /* name: the engine; error: what refused io_uring; value: bytes in the live file
                                now; records: the sequence it goes on with */
        RECORDER_LINE_ENDED, /* the live file ended in a torn line, which was ended */
        RECORDER_ENGINE_CHANGED, /* io_uring failed midway, pwrite goes on; error: why */
        RECORDER_FULL,           /* error: -ENOSPC, -EDQUOT; nothing is written until there is room */
        RECORDER_LIMITED,        /* MaxUse= or KeepFree= leave no room, and nothing is left to delete;
                                    value: the limit, bytes */
        RECORDER_FAILING,   /* error: of a write, a sync or an open; retried; name: the suspect file or "" */
        RECORDER_RECOVERED, /* writing again; value: for how long it was not, ns */
        RECORDER_DROPPED,   /* records: never stored since the last such event; value: sequence of the first
                               of them; at most one event a second */
        RECORDER_SEALED,    /* name: below sealed/; value: bytes */
        RECORDER_DELETED,   /* name: below sealed/; value: bytes; error: 0 for room, -ETIME for its age */
        RECORDER_REPLACED,  /* somebody moved or removed the live file; a new one was made */
        RECORDER_GONE, /* somebody removed the directory, and it cannot be made again; error: why; retried */
        RECORDER_SHUT_OUT, /* the file system may be written to again, but not from here; retried */
        RECORDER_CUT, /* somebody made the live file shorter; value: by how many bytes, 0: it has a hole */
        RECORDER_N_EVENTS,
};

struct recorder_event {
        enum recorder_event_kind kind;
        int error; /* negative errno or 0 */
        uint64_t value;
        uint64_t records;
        char name[SEALED_NAME_MAX];
};

#define RECORDER_EVENTS_MAX 64u

struct recorder_events {
        pthread_mutex_t lock;
        int fd;
        struct recorder_event events[RECORDER_EVENTS_MAX];
        size_t first, n;
};

/* -EMFILE and others of eventfd(2); may be deinitialised even then. */
int recorder_events_init(struct recorder_events *events);
void recorder_events_deinit(struct recorder_events *events);

/* From any thread. */
void recorder_events_add(struct recorder_events *events, const struct recorder_event *event);

/* Readable while there are events. */
int recorder_events_get_fd(const struct recorder_events *events);

/* 1 and the oldest event, or 0. From any thread. */
int recorder_events_next(struct recorder_events *events, struct recorder_event *eventp);
