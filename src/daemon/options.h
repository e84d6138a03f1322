/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The command line of i4d
 */

#include <limits.h>
#include <stdbool.h>

#define OPTIONS_SOCKET_PATH    "/run/i4/ring.sock"
#define OPTIONS_DIRECTORY_PATH "/var/lib/i4"

struct options {
        const char *config_path;    /* NULL: the default one, which need not exist */
        const char *socket_path;    /* NULL: as systemd hands it over, else see below */
        const char *directory_path; /* NULL: see below */
        bool check;                 /* check the settings and exit */
};

/*
 * Strings point into @argv. 1: go on; 0: done (--help, --version), exit 0; -EINVAL: wrong usage, told on
 * stderr, exit 2.
 */
int options_parse(struct options *options, int argc, char *argv[]);

/* What --check does: mistakes on stderr or "settings are fine" on stdout; returns the exit status, 0, 1 or 2.
 */
int options_check(const struct options *options);

/* Where readings are kept: as was said, else $STATE_DIRECTORY, else the default. */
const char *options_get_directory(const struct options *options, char buffer[static PATH_MAX]);

/* Where to listen if systemd does not: as was said, else in $RUNTIME_DIRECTORY, else the default. */
const char *options_get_socket_path(const struct options *options, char buffer[static PATH_MAX]);
