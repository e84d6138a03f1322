/* SPDX-License-Identifier: Apache-2.0 */

/*
 * JSON is libi4's affair. CSV and columns print the same texts for the same fields: numbers are put together
 * from the record's integers, never through floating point.
 */

#include "tools/printer.h"

#include "tools/text.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* No line of CSV or columns is longer: names have at most 32 bytes, and colours some more. */
#define PRINTER_LINE_MAX 512u

static const char *const format_names[N_FORMATS] = {
        [FORMAT_JSON] = "json",
        [FORMAT_PRETTY] = "pretty",
        [FORMAT_CSV] = "csv",
};

int printer_format_from_string(const char *name) {
        for (int i = 0; i < N_FORMATS; ++i)
                if (strcmp(format_names[i], name) == 0)
                        return i;

        return -EINVAL;
}

void printer_init(struct printer *printer, enum printer_format format, unsigned int extras,
                struct output *output) {
        *printer = (struct printer){
                .output = output,
                .format = format,
                .extras = extras,
                .has_colours = format == FORMAT_PRETTY && text_has_colours(output->fd),
                .second = UINT64_MAX,
        };
}

void printer_deinit(struct printer *printer) {
        printer->encoder = i4_encoder_free(printer->encoder);
        printer->dirt = dirt_free(printer->dirt);
}

static const char *or_unknown(const char *name) {
        return name ? name : "unknown";
}

static void printer_measure(struct printer *printer) {
        const i4_catalog *catalog = printer->catalog;
        char id[I4_SENSOR_ID_MAX];

        printer->type_width = printer->unit_width = printer->pipeline_width = printer->sensor_width = 8;

        for (unsigned int i = 0; i < i4_catalog_get_n_types(catalog); ++i) {
                struct i4_record record = { .type = (uint8_t) i,
                        .sensor = i4_catalog_get_n_sensors(catalog) - 1 };
                int n = i4_catalog_format_sensor_id(catalog, &record, id, sizeof(id));

                printer->sensor_width = MAX(printer->sensor_width, n);
                n = (int) strlen(i4_catalog_get_type_name(catalog, i));
                printer->type_width = MAX(printer->type_width, n);
                n = (int) strlen(i4_catalog_get_type_unit(catalog, i));
                printer->unit_width = MAX(printer->unit_width, n);
        }
        for (unsigned int i = 0; i < i4_catalog_get_n_pipelines(catalog); ++i) {
                int n = (int) strlen(i4_catalog_get_pipeline_id(catalog, i));

                printer->pipeline_width = MAX(printer->pipeline_width, n);
        }
}

void printer_set_dirt(struct printer *printer, const struct dirt_settings *settings, FILE *log) {
        assert(printer->format == FORMAT_JSON);
        printer->dirty = settings;
        printer->dirty_log = log;
}

static int printer_set_encoder(struct printer *printer, const i4_catalog *catalog) {
        i4_encoder *encoder = NULL;
        int r;

        r = i4_encoder_new(&encoder, catalog);
        if (r < 0)
                return r;

        (void) i4_encoder_free(printer->encoder);
        printer->encoder = encoder;
        i4_encoder_set_extras(encoder, printer->extras);
        return 0;
}

static int printer_set_dirt_catalog(struct printer *printer, const i4_catalog *catalog) {
        int r;

        if (!printer->dirt)
                return dirt_new(&printer->dirt, printer->dirty, catalog, printer->extras, printer->dirty_log);

        /* What waits belongs to the old one. */
        r = printer_finish(printer);
        return r < 0 ? r : dirt_set_catalog(printer->dirt, catalog);
}

int printer_set_catalog(struct printer *printer, const i4_catalog *catalog) {
        int r = 0;

        if (printer->dirty)
                r = printer_set_dirt_catalog(printer, catalog);
        else if (printer->format == FORMAT_JSON)
                r = printer_set_encoder(printer, catalog);
        if (r < 0)
                return r;

        printer->catalog = catalog;
        printer_measure(printer);
        return 0;
}

static const char *printer_get_date(struct printer *printer, uint64_t second) {
        time_t time = (time_t) second;
        struct tm tm;

        if (second != printer->second) {
                (void) gmtime_r(&time, &tm);
                (void) strftime(printer->date, sizeof(printer->date), "%Y-%m-%dT%H:%M:%S", &tm);
                printer->second = second;
        }

        return printer->date;
}

/* A scaled integer in decimal: what it takes to print one with "%s%u.%0*u". */
struct decimal {
        const char *sign;
        uint32_t integer;
        uint32_t fraction;
};

static struct decimal decimal_from(int64_t value, uint32_t scale) {
        uint64_t magnitude = value < 0 ? (uint64_t) -value : (uint64_t) value;

        return (struct decimal){
                .sign = value < 0 ? "-" : "",
                .integer = (uint32_t) (magnitude / scale),
                .fraction = (uint32_t) (magnitude % scale),
        };
}

static const char *alert_text(const struct i4_record *record) {
        return record->alert == I4_ALERT_NONE ? "" : or_unknown(i4_alert_to_string(record->alert));
}

static void sensor_text(const struct printer *printer, const struct i4_record *record,
                char id[static I4_SENSOR_ID_MAX]) {
        if (i4_catalog_format_sensor_id(printer->catalog, record, id, I4_SENSOR_ID_MAX) < 0)
                (void) snprintf(id, I4_SENSOR_ID_MAX, "SNS-unknown-%04" PRIu32, record->sensor);
}

/* csv */

#define CSV_HEADER                                                                                           \
        "sequence,sensor_id,timestamp,type,value,unit,lat,lon,mile_post,pipeline_id,status,quality_score,"   \
        "alert_level\n"

static char *put_uint(char *p, uint64_t value, size_t n_digits_min) {
        char digits[20];
        size_t n = sizeof(digits);

        do {
                digits[--n] = (char) ('0' + value % 10);
                value /= 10;
        } while (value > 0 || sizeof(digits) - n < n_digits_min);

        memcpy(p, digits + n, sizeof(digits) - n);
        return p + sizeof(digits) - n;
}

/* A field that is a scaled integer, with the comma before it. */
static char *put_decimal(char *p, int64_t value, uint32_t scale, size_t n_digits) {
        struct decimal decimal = decimal_from(value, scale);

        *p++ = ',';
        p = stpcpy(p, decimal.sign);
        p = put_uint(p, decimal.integer, 1);
        *p++ = '.';
        return put_uint(p, decimal.fraction, n_digits);
}

/* A field that is a name, with the comma before it. Names are printable ASCII without quotes. */
static char *put_name(char *p, const char *name) {
        const char *quote = name && strchr(name, ',') ? "\"" : "";

        *p++ = ',';
        p = stpcpy(p, quote);
        p = stpcpy(p, or_unknown(name));
        return stpcpy(p, quote);
}

static char *put_time(struct printer *printer, char *p, uint64_t time_ns) {
        *p++ = ',';
        p = stpcpy(p, printer_get_date(printer, time_ns / NSEC_PER_SEC));
        *p++ = '.';
        p = put_uint(p, time_ns % NSEC_PER_SEC / NSEC_PER_USEC, 6);
        *p++ = 'Z';
        return p;
}

/* Without snprintf(), which would take four times as long. */
static size_t csv_format(struct printer *printer, const struct i4_record *record, char *buffer) {
        const i4_catalog *catalog = printer->catalog;
        char sensor[I4_SENSOR_ID_MAX], *p;

        sensor_text(printer, record, sensor);
        p = put_uint(buffer, record->sequence, 1);
        p = put_name(p, sensor);
        p = put_time(printer, p, record->time_ns);
        p = put_name(p, i4_catalog_get_type_name(catalog, record->type));
        p = put_decimal(p, record->value_e2, 100, 2);
        p = put_name(p, i4_catalog_get_type_unit(catalog, record->type));
        p = put_decimal(p, record->latitude_e6, 1000000, 6);
        p = put_decimal(p, record->longitude_e6, 1000000, 6);
        p = put_decimal(p, record->mile_post_e2, 100, 2);
        p = put_name(p, i4_catalog_get_pipeline_id(catalog, record->pipeline));
        p = put_name(p, i4_status_to_string(record->status));
        p = put_decimal(p, record->quality_e4, 10000, 4);
        p = put_name(p, alert_text(record));
        *p++ = '\n';
        return (size_t) (p - buffer);
}

/* columns */

static const char *colour(const struct printer *printer, const char *code) {
        return printer->has_colours ? code : "";
}

static const char *colour_off(const struct printer *printer, const char *code) {
        return printer->has_colours && *code ? COLOUR_OFF : "";
}

static const char *alert_colour(const struct i4_record *record) {
        switch (record->alert) {
        case I4_ALERT_NONE:
                return COLOUR_FAINT;
        case I4_ALERT_LOW:
                return COLOUR_BLUE;
        case I4_ALERT_MEDIUM:
                return COLOUR_YELLOW;
        default:
                return COLOUR_RED;
        }
}

static const char *status_colour(const struct i4_record *record) {
        switch (record->status) {
        case I4_STATUS_NORMAL:
                return "";
        case I4_STATUS_WARNING:
                return COLOUR_YELLOW;
        default:
                return COLOUR_BLUE;
        }
}

static size_t pretty_format_header(const struct printer *printer, char *p) {
        return (size_t) snprintf(p, PRINTER_LINE_MAX,
                        "%s%12s  %-15s  %-*s  %-*s  %10s %-*s  %-*s  %9s  %-11s  %-7s  %s%s\n",
                        colour(printer, COLOUR_HEAD), "SEQUENCE", "TIME (UTC)", printer->sensor_width,
                        "SENSOR", printer->type_width, "TYPE", "VALUE", printer->unit_width, "UNIT",
                        printer->pipeline_width, "PIPELINE", "MILE POST", "STATUS", "QUALITY", "ALERT",
                        colour(printer, COLOUR_OFF));
}

static size_t pretty_format(struct printer *printer, const struct i4_record *record, char *p) {
        struct decimal value = decimal_from(record->value_e2, 100);
        uint64_t second = record->time_ns / NSEC_PER_SEC;
        char sensor[I4_SENSOR_ID_MAX], value_text[16];
        const char *value_colour = record->fault != I4_FAULT_NONE ? COLOUR_RED : "";

        sensor_text(printer, record, sensor);
        (void) snprintf(value_text, sizeof(value_text), "%s%u.%02u", value.sign, value.integer,
                        value.fraction);
        return (size_t) snprintf(p, PRINTER_LINE_MAX,
                        "%s%12" PRIu64 "%s  %s.%06u  %-*s  %-*s  %s%10s%s %-*s  %-*s  %6u.%02u  %s%-11s%s  "
                        "%2u.%04u  %s%s%s\n",
                        colour(printer, COLOUR_FAINT), record->sequence, colour_off(printer, COLOUR_FAINT),
                        strchr(printer_get_date(printer, second), 'T') + 1,
                        (unsigned int) (record->time_ns % NSEC_PER_SEC / NSEC_PER_USEC),
                        printer->sensor_width, sensor, printer->type_width,
                        or_unknown(i4_catalog_get_type_name(printer->catalog, record->type)),
                        colour(printer, value_colour), value_text, colour_off(printer, value_colour),
                        printer->unit_width,
                        or_unknown(i4_catalog_get_type_unit(printer->catalog, record->type)),
                        printer->pipeline_width,
                        or_unknown(i4_catalog_get_pipeline_id(printer->catalog, record->pipeline)),
                        record->mile_post_e2 / 100, record->mile_post_e2 % 100,
                        colour(printer, status_colour(record)),
                        or_unknown(i4_status_to_string(record->status)),
                        colour_off(printer, status_colour(record)), record->quality_e4 / 10000u,
                        record->quality_e4 % 10000u, colour(printer, alert_colour(record)),
                        record->alert == I4_ALERT_NONE ? "-" : alert_text(record),
                        colour_off(printer, alert_colour(record)));
}

/* all */

int printer_begin(struct printer *printer) {
        struct output *output = printer->output;
        size_t n = 0;
        int r;

        r = output_reserve(output, PRINTER_LINE_MAX);
        if (r < 0)
                return r;

        if (printer->format == FORMAT_CSV)
                n = (size_t) snprintf(output->buffer + output->n, PRINTER_LINE_MAX, "%s", CSV_HEADER);
        else if (printer->format == FORMAT_PRETTY)
                n = pretty_format_header(printer, output->buffer + output->n);

        output->n += n;
        return 0;
}

static int printer_write_json(struct printer *printer, const struct i4_record *records, size_t n_records) {
        struct output *output = printer->output;

        while (n_records > 0) {
                size_t n_encoded;
                int r;

                r = output_reserve(output, I4_LINE_MAX);
                if (r < 0)
                        return r;

                output->n += i4_encoder_encode(printer->encoder, records, n_records,
                                output->buffer + output->n, output->size - output->n, &n_encoded);
                records += n_encoded;
                n_records -= n_encoded;
        }

        return 0;
}

static int printer_write_dirt(struct printer *printer, const struct i4_record *records, size_t n_records) {
        struct output *output = printer->output;

        while (n_records > 0) {
                size_t n_taken;
                int r;

                r = output_reserve(output, DIRT_SIZE_MIN);
                if (r < 0)
                        return r;

                output->n += dirt_encode(printer->dirt, records, n_records, output->buffer + output->n,
                                output->size - output->n, &n_taken);
                records += n_taken;
                n_records -= n_taken;
        }

        return 0;
}

int printer_finish(struct printer *printer) {
        struct output *output = printer->output;
        size_t n;
        int r;

        if (!printer->dirt)
                return 0;

        do {
                r = output_reserve(output, DIRT_SIZE_MIN);
                if (r < 0)
                        return r;

                n = dirt_finish(printer->dirt, output->buffer + output->n, output->size - output->n);
                output->n += n;
        } while (n > 0);

        return 0;
}

int printer_write(struct printer *printer, const struct i4_record *records, size_t n_records) {
        struct output *output = printer->output;
        size_t n;
        int r;

        if (printer->dirt)
                return printer_write_dirt(printer, records, n_records);
        if (printer->format == FORMAT_JSON)
                return printer_write_json(printer, records, n_records);

        for (size_t i = 0; i < n_records; ++i) {
                r = output_reserve(output, PRINTER_LINE_MAX);
                if (r < 0)
                        return r;

                n = printer->format == FORMAT_CSV
                                    ? csv_format(printer, &records[i], output->buffer + output->n)
                                    : pretty_format(printer, &records[i], output->buffer + output->n);
                assert(n < PRINTER_LINE_MAX);
                output->n += n;
        }

        return 0;
}
