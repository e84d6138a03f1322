/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a tool that runs as a service has to say
 *
 * To the journal as an entry with fields, where standard error is the journal; else as a line on it. Names of
 * fields are capital letters and underscores, as for the daemon's entries: the journal's catalog knows no
 * others.
 */

#include "util/macros.h"

#include <sys/uio.h>
#include <syslog.h>

#define NOTICE_FIELDS_MAX 16u
#define NOTICE_SIZE       4096u

struct notice {
        const char *who;
        int priority; /* of syslog */
        struct iovec fields[NOTICE_FIELDS_MAX];
        size_t n_fields;
        char text[NOTICE_SIZE];
        size_t size;
};

/* @id: 32 hex digits that the catalog explains. */
void notice_init(struct notice *notice, const char *who, int priority, const char *id);
void notice_add(struct notice *notice, const char *name, const char *format, ...) _printf_(3, 4);
/* With the message, which goes out. */
void notice_send(struct notice *notice, const char *format, ...) _printf_(2, 3);
