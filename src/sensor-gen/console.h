/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What sensor-gen says
 *
 * Banner, progress and final statistics go to standard output, or to standard error when the lines themselves
 * go to standard output. On a terminal one line of standard error is rewritten every second besides.
 */

#include "dirt/dirt.h"
#include "sensor-gen/options.h"

#include <stdio.h>

struct console {
        FILE *file;
        bool is_verbose;
        bool is_live;       /* there is a line to be rewritten */
        bool is_line_shown; /* and it shows something now */
        uint64_t start_ns;  /* this and what follows: CLOCK_MONOTONIC */
        uint64_t report_ns; /* the next line of -v is due */
        uint64_t line_ns;   /* the line is due to be rewritten */
};

struct console_statistics {
        uint64_t n_records;      /* completely written */
        uint64_t n_bytes;        /* written in this run */
        uint64_t n_missing;      /* due and not made */
        uint64_t size;           /* of the file now */
        const struct dirt *dirt; /* NULL: all lines are clean */
};

void console_init(struct console *console, const struct options *options);

/* What is about to happen. Time counts from here. */
void console_begin(struct console *console, const struct options *options);

/* When console_report() has something to say, NSEC_INFINITY: never. */
uint64_t console_get_deadline(const struct console *console);

/* Tells how far it got, if that is due at @now_ns. */
void console_report(struct console *console, uint64_t n_records, uint64_t now_ns);

/* The final statistics. */
void console_end(struct console *console, const struct console_statistics *statistics);
