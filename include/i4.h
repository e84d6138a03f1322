/* SPDX-License-Identifier: Apache-2.0 */
#ifndef I4_H
#define I4_H

/*
 * libi4: read the sensor stream of a local i4d
 *
 * i4d publishes the readings of a pipeline network in a shared-memory ring. A reader attaches to it, copies
 * records out at memory speed and never blocks or slows the daemon; one that is too slow is told exactly how
 * many records it missed and goes on at the oldest that is left.
 *
 *         i4_reader *reader = NULL;
 *         struct i4_record records[256];
 *         int n = i4_reader_open(&reader, NULL, "my-program");
 *
 *         while (n >= 0 && (n = i4_reader_wait(reader, I4_FOREVER)) >= 0)
 *                 while ((n = i4_reader_read(reader, records, 256)) > 0 || n == -EOVERFLOW)
 *                         for (int i = 0; i < n; ++i)
 *                                 consume(&records[i]);
 *         i4_reader_close(reader);
 *
 * Functions that can fail return a negative errno value. Some are no failures but news: -EOVERFLOW records
 * were lost, read on; -ESTALE the ring is read to its end and the daemon has another, i4_reader_reattach();
 * -EPIPE the daemon has been gone for 30 s. -EPROTONOSUPPORT, and -EPROTO, from opening and reattaching: the
 * daemon was updated to what this library does not know. No other call helps then: the program has to be
 * started again with the library that came with the daemon, and may go on at i4_reader_get_cursor().
 *
 * Objects are not locked: use one reader and one encoder per thread; different objects may be used at the
 * same time. A catalog never changes and may be shared. A reader cannot be used across fork(). Strings
 * returned belong to the object they came from.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct i4_catalog i4_catalog;
typedef struct i4_encoder i4_encoder;
typedef struct i4_reader i4_reader;

enum i4_status {
        I4_STATUS_NORMAL,
        I4_STATUS_WARNING,
        I4_STATUS_MAINTENANCE,
        I4_N_STATUS,
};

enum i4_alert {
        I4_ALERT_NONE,
        I4_ALERT_LOW,
        I4_ALERT_MEDIUM,
        I4_ALERT_HIGH,
        I4_N_ALERT,
};

/* What is really wrong, known because i4 made it so: the truth that a detector is measured against. */
enum i4_fault {
        I4_FAULT_NONE,
        I4_FAULT_OUT_OF_RANGE, /* the value exceeds the range of its type */
        /* of a sensor */
        I4_FAULT_SPIKE,    /* this one reading is far off */
        I4_FAULT_STUCK,    /* always the same value */
        I4_FAULT_DRIFT,    /* further and further off */
        I4_FAULT_OFFSET,   /* off by a constant */
        I4_FAULT_NOISE,    /* scattered widely */
        I4_FAULT_DROPOUT,  /* no signal: the minimum of the range */
        I4_FAULT_CLIPPING, /* cut off at a value */
        /* of a pipeline, seen by the sensors that it reaches */
        I4_FAULT_LEAK,
        I4_FAULT_BLOCKAGE,
        I4_FAULT_PUMP_TRIP,
        I4_FAULT_VALVE_CLOSURE,
        I4_N_FAULT,
};

/*
 * One reading. Scaled integers, so that every text form is exact and equal on every machine. Reserved bytes
 * are zero. The same 64 bytes lie in the ring; this layout is part of the ABI.
 */
struct i4_record {
        uint64_t sequence;     /* position in the stream, no gaps */
        uint64_t time_ns;      /* CLOCK_REALTIME, nanoseconds since 1970-01-01 UTC */
        uint32_t sensor;       /* number of the sensor, the digits of its id */
        uint32_t event;        /* fault event this reading belongs to, 0: none */
        int32_t value_e2;      /* hundredths of the type's unit */
        int32_t latitude_e6;   /* millionths of a degree, WGS 84 */
        int32_t longitude_e6;  /* millionths of a degree, WGS 84 */
        uint32_t mile_post_e2; /* hundredths of a mile from the pipeline's start */
        uint16_t quality_e4;   /* ten-thousandths, 10000 is perfect */
        uint16_t pipeline;     /* index into the catalog */
        uint8_t type;          /* index into the catalog */
        uint8_t status;        /* enum i4_status */
        uint8_t alert;         /* enum i4_alert */
        uint8_t fault;         /* enum i4_fault */
        uint8_t reserved[16];
};

/* records: each field in natural units; cheap, never fail */

uint64_t i4_record_get_sequence(const struct i4_record *record);
struct timespec i4_record_get_time(const struct i4_record *record);
uint32_t i4_record_get_sensor(const struct i4_record *record);
uint32_t i4_record_get_event(const struct i4_record *record);
double i4_record_get_value(const struct i4_record *record);
double i4_record_get_latitude(const struct i4_record *record);
double i4_record_get_longitude(const struct i4_record *record);
double i4_record_get_mile_post(const struct i4_record *record);
double i4_record_get_quality(const struct i4_record *record);
unsigned int i4_record_get_pipeline(const struct i4_record *record);
unsigned int i4_record_get_type(const struct i4_record *record);
enum i4_status i4_record_get_status(const struct i4_record *record);
enum i4_alert i4_record_get_alert(const struct i4_record *record);
enum i4_fault i4_record_get_fault(const struct i4_record *record);

/* names, NULL if the number is unknown: "normal"; "low", but "none" for I4_ALERT_NONE; "out_of_range" */

const char *i4_status_to_string(unsigned int status);
const char *i4_alert_to_string(unsigned int alert);
const char *i4_fault_to_string(unsigned int fault);

/* the reverse: the number, or -EINVAL if there is no such name */

int i4_status_from_string(const char *name);
int i4_alert_from_string(const char *name);
int i4_fault_from_string(const char *name);

/* catalog: what the numbers in a record stand for */

/* room for any sensor id, with the terminating NUL */
#define I4_SENSOR_ID_MAX 24

const i4_catalog *i4_catalog_get_default(void);
unsigned int i4_catalog_get_n_types(const i4_catalog *catalog);
unsigned int i4_catalog_get_n_pipelines(const i4_catalog *catalog);
unsigned int i4_catalog_get_n_sensors(const i4_catalog *catalog);
const char *i4_catalog_get_type_name(const i4_catalog *catalog, unsigned int type);
const char *i4_catalog_get_type_unit(const i4_catalog *catalog, unsigned int type);
int i4_catalog_get_type_range(
                const i4_catalog *catalog, unsigned int type, double *minimump, double *maximump);
const char *i4_catalog_get_pipeline_id(const i4_catalog *catalog, unsigned int pipeline);
int i4_catalog_find_type(const i4_catalog *catalog, const char *name);
int i4_catalog_find_pipeline(const i4_catalog *catalog, const char *id);
int i4_catalog_find_sensor(const i4_catalog *catalog, const char *id, uint32_t *sensorp);
int i4_catalog_format_sensor_id(
                const i4_catalog *catalog, const struct i4_record *record, char *buffer, size_t size);

/* encoder: records to JSON Lines */

/* no line is longer, and this much room must be left in a buffer for one more line to be encoded */
#define I4_LINE_MAX 512

/* what a line may say beside the reading itself, after all else */
enum i4_extra {
        I4_EXTRA_SEQUENCE = 1 << 0, /* "seq": the record's sequence number */
        I4_EXTRA_LABEL = 1 << 1,    /* "label": what is really wrong, "none", and "event" if something is */
};

int i4_encoder_new(i4_encoder **encoderp, const i4_catalog *catalog);
void i4_encoder_set_extras(i4_encoder *encoder, unsigned int extras);
i4_encoder *i4_encoder_free(i4_encoder *encoder);
size_t i4_encoder_encode(i4_encoder *encoder, const struct i4_record *records, size_t n_records, char *buffer,
                size_t size, size_t *n_encodedp);

/* readers */

#define I4_FOREVER INT64_MAX

#define I4_NEWEST UINT64_MAX       /* what is published from now on */
#define I4_OLDEST (UINT64_MAX - 1) /* the oldest record still in the ring */

int i4_reader_open(i4_reader **readerp, const char *path, const char *name);
int i4_reader_open_observer(i4_reader **readerp, const char *path, const char *name);
int i4_reader_open_fd(i4_reader **readerp, int fd);
i4_reader *i4_reader_close(i4_reader *reader);

int i4_reader_seek(i4_reader *reader, uint64_t sequence);
int i4_reader_read(i4_reader *reader, struct i4_record *records, size_t n_records);
int i4_reader_wait(i4_reader *reader, int64_t timeout_ns);
int i4_reader_spin(i4_reader *reader, int64_t timeout_ns);
int i4_reader_get_fd(i4_reader *reader);
int i4_reader_arm(i4_reader *reader);
int i4_reader_reattach(i4_reader *reader);

uint64_t i4_reader_get_cursor(const i4_reader *reader);
uint64_t i4_reader_get_lost(const i4_reader *reader);
uint64_t i4_reader_get_oldest(const i4_reader *reader);
uint64_t i4_reader_get_newest(const i4_reader *reader);
const i4_catalog *i4_reader_get_catalog(const i4_reader *reader);

/* what the daemon says of itself */

enum i4_ring_state {
        I4_RING_RUNNING = 1, /* a daemon publishes into it, or did so when it was killed */
        I4_RING_STOPPED,     /* the daemon was stopped and may come back to it */
        I4_RING_RETIRED,     /* superseded; nothing will be published here again */
};

enum i4_storage_state {
        I4_STORAGE_OFF,
        I4_STORAGE_WRITING,
        I4_STORAGE_FULL,   /* no room: file system, quota, or KeepFree=; goes on by itself */
        I4_STORAGE_FAILED, /* an error that needs an administrator; retried all the same */
        I4_STORAGE_HANGS,  /* the disk has not answered for seconds; goes on by itself when it does */
        I4_N_STORAGE_STATES,
};

/* "off", "writing", "full", "failed", "hangs"; NULL if the number is unknown */
const char *i4_storage_state_to_string(unsigned int state);

struct i4_stats {
        uint32_t state; /* enum i4_ring_state */
        uint32_t pid;
        uint64_t start_time_ns;    /* CLOCK_REALTIME when the daemon became ready */
        uint64_t heartbeat_ns;     /* CLOCK_BOOTTIME of its last sign of life */
        uint64_t generation;       /* how many daemons have owned this ring */
        uint64_t ring_records;     /* capacity of the ring, records */
        uint64_t ring_oldest;      /* sequence of the oldest record in it */
        uint64_t ring_next;        /* sequence of the next record */
        uint64_t rate_records;     /* set rate: so many records … */
        uint64_t rate_period_ns;   /* … in so many nanoseconds; 0: as fast as the machine goes */
        uint64_t target_records;   /* due since the daemon started */
        uint64_t achieved_records; /* made since the daemon started */
        uint64_t behind_records;   /* due and not yet made */
        uint64_t behind_max_records;
        uint64_t skipped_records;         /* due and never made: CatchUpSec= was exceeded */
        uint32_t storage_state;           /* enum i4_storage_state */
        uint32_t storage_errno;           /* why, 0 when writing */
        uint32_t storage_is_uring;        /* 1 io_uring, 0 pwrite */
        uint32_t n_readers;               /* attached now, without observers */
        uint64_t storage_next;            /* sequence of the first record not yet written */
        uint64_t storage_records;         /* written since the daemon started */
        uint64_t storage_bytes;           /* written since the daemon started */
        uint64_t storage_dropped_records; /* never written: the ring overtook the disk */
        uint64_t storage_errors;          /* failed writes, syncs and seals since the daemon started */
        uint64_t storage_segments;        /* sealed files kept */
        uint64_t storage_use_bytes;       /* live file and sealed ones */
        uint64_t storage_limit_bytes;     /* what MaxUse= and KeepFree= allow now; UINT64_MAX: no limit */
        uint64_t readers_refused;         /* since the daemon started */
        uint64_t readers_lost_records;    /* sum over all readers, as they report it */
        uint64_t ring_first;              /* sequence of the first record ever published in this ring */
        uint8_t ring_instance[16];        /* random, differs for every ring ever made */
};

struct i4_peer {
        uint32_t pid; /* 0 if the kernel could not tell */
        uint32_t uid;
        char name[32];
        uint64_t since_ns;       /* CLOCK_REALTIME of attachment */
        uint64_t last_report_ns; /* CLOCK_BOOTTIME of its last report */
        uint64_t cursor;         /* sequence of the next record it will read */
        uint64_t lag_records;    /* as it saw it when it reported */
        uint64_t lost_records;   /* since it attached */
};

int i4_reader_get_stats(const i4_reader *reader, struct i4_stats *stats, size_t size);
int i4_reader_get_peers(const i4_reader *reader, struct i4_peer *peers, size_t size, size_t n_peers);

/* inline helpers */

static inline void i4_reader_closep(i4_reader **readerp) {
        if (*readerp)
                (void) i4_reader_close(*readerp);
}

static inline void i4_encoder_freep(i4_encoder **encoderp) {
        if (*encoderp)
                (void) i4_encoder_free(*encoderp);
}

#ifdef __cplusplus
}
#endif

#endif
