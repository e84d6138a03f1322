/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the parts of the service know of each other
 *
 * All but what is said otherwise runs in the thread of the event loop.
 */

#include "daemon/anchors.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/generator.h"
#include "daemon/monitor.h"
#include "daemon/orders.h"
#include "daemon/publisher.h"
#include "daemon/recorder.h"
#include "daemon/report.h"
#include "daemon/service.h"
#include "daemon/sockets.h"
#include "daemon/spool.h"
#include "daemon/store.h"
#include "lib/view.h"
#include "util/macros.h"

#include <systemd/sd-event.h>

struct service {
        const struct options *options;
        struct report *report;
        struct config config;
        struct i4_catalog *catalog;
        struct model *model;
        struct store store;
        struct ring_view view;
        struct recorder *recorder;   /* NULL: nothing is stored */
        struct spool *anchors_spool; /* the same */
        struct spool *orders_spool;  /* the same, or nobody can order any */
        struct anchors *anchors;     /* as the recorder */
        struct event_log *event_log; /* NULL: nobody wants it */
        struct audience audience;
        struct generator *generator;
        sd_event *event;
        struct publisher *publisher;
        struct incidents *incidents;
        struct orders orders;
        struct control *control;
        struct monitor *monitor;
        struct sockets sockets;

        bool is_anchor_missing; /* and that is told */
        bool is_order_missing;  /* the same */
        bool is_directory_lost; /* the service manager's, which is to bring it back */
        bool is_abandoned;      /* a thread hangs in a write and still uses all of it */
};

/* Tells it, once, and hands it on. */
int service_fail(struct service *service, int error, const char *format, ...) _printf_(3, 4);
int service_fail_directory(struct service *service, int error, const char *path);

/* service_lists.c */

int service_open_spools(struct service *service, const char *path);

/* @error of ours, or of who writes it. */
void service_tell_note(struct service *service, int error);
void service_note_anchors(struct service *service);
int service_set_note_settings(struct service *service);

void service_tell_orders(struct service *service);

/* What waits, into its files. In the recorder's thread, or before there is one. */
void service_write(void *userdata);

/* service_reload.c */

/* Settings that are wrong change nothing. What was wrong is told. */
void service_reload(struct service *service);

/* service_loop.c */

/* Signals, and what the threads have to say. */
int service_add_sources(struct service *service);
void service_tell_events(struct service *service);

/* Of the publisher. */
void service_take_notice(void *userdata, const struct publisher_notice *notice);

/* service_parts.c */

/* All of it, to be taken apart by service_free() even where this fails. What goes wrong is told. */
int service_make(struct service *service);
