/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Records as people and programs want them
 */

#include "i4.h"

#include "dirt/dirt.h"
#include "tools/output.h"

#include <stdbool.h>

enum printer_format {
        FORMAT_JSON,   /* JSON Lines, as storage keeps them */
        FORMAT_PRETTY, /* aligned columns for a person */
        FORMAT_CSV,    /* RFC 4180 with a header line, the sequence number first */
        N_FORMATS,
};

struct printer {
        struct output *output;
        enum printer_format format;
        bool has_colours;
        unsigned int extras; /* FORMAT_JSON: enum i4_extra */
        const i4_catalog *catalog;
        i4_encoder *encoder;               /* FORMAT_JSON */
        const struct dirt_settings *dirty; /* FORMAT_JSON: spoil the lines so; NULL: do not */
        FILE *dirty_log;                   /* NULL: none */
        struct dirt *dirt;
        int type_width; /* FORMAT_PRETTY: columns fit the catalog */
        int unit_width;
        int sensor_width;
        int pipeline_width;
        uint64_t second; /* that @date shows */
        char date[32];   /* "2026-11-23T10:49:43" */
};

/* -EINVAL: there is no such format. */
int printer_format_from_string(const char *name);

/* @extras: enum i4_extra, what lines of JSON say beside the reading */
void printer_init(struct printer *printer, enum printer_format format, unsigned int extras,
                struct output *output);
void printer_deinit(struct printer *printer);

/* For JSON, before the first catalog. Both stay the caller's. */
void printer_set_dirt(struct printer *printer, const struct dirt_settings *settings, FILE *log);

/* Before the first record, and when the ring has changed. @catalog must outlive its use. -ENOMEM. */
int printer_set_catalog(struct printer *printer, const i4_catalog *catalog);

/* The line above all others, if the format has one. Errors as output_flush(). */
int printer_begin(struct printer *printer);
/* What dirt holds back still. */
int printer_finish(struct printer *printer);
int printer_write(struct printer *printer, const struct i4_record *records, size_t n_records);
