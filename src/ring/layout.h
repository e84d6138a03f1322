/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The shared bytes
 *
 * One sealed memfd, little-endian, offsets from its start:
 *
 *      0  +-----------------------------+
 *         | identity   64 bytes, for ever |  what any version may rely on
 *     64  | geometry                     |  written once, before the version
 *    256  | published                    |  end of what is complete; readers poll and sleep on it
 *    264  | claimed                      |  end of what may be being overwritten
 *   4096  +-----------------------------+
 *         | statistics                   |  one writer a line
 *   8192  | consumers                    |  a table of who reads, written by the daemon
 *         | catalog                      |  names, ranges
 *         | records                      |  n_records slots of 64 bytes, n_records a power of two
 *         +-----------------------------+
 *
 * docs/ring.md draws it byte by byte and argues for each fence; tests/docs/test-layout.py compares the two.
 */

#include "i4.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#define RING_MAGIC      UINT64_C(0x0a676e6972203469) /* "i4 ring\n" */
#define RING_VERSION    UINT32_C(2)
#define RING_BYTE_ORDER UINT32_C(0x01020304)
#define RING_PAGE       UINT64_C(4096)

#define RING_RECORDS_MIN UINT64_C(8)
#define RING_RECORDS_MAX (UINT64_C(1) << 28)

#define RING_CONSUMERS_MAX UINT32_C(16384)

struct ring_identity {
        uint64_t magic;
        _Atomic uint32_t version;      /* 0 until everything else is written */
        uint32_t byte_order;           /* RING_BYTE_ORDER as the writer stores it */
        uint64_t size;                 /* of the whole memory, bytes */
        _Atomic uint32_t state;        /* enum i4_ring_state */
        _Atomic uint32_t generation;   /* owners so far; a new one tells readers to reconnect */
        uint8_t instance[16];          /* random, differs for every ring ever made */
        _Atomic uint32_t pid;          /* of the owner, as it sees itself */
        uint32_t word_bits;            /* 64: counters are single atomic words of this size */
        _Atomic uint64_t heartbeat_ns; /* CLOCK_BOOTTIME of the owner's last sign of life */
};

struct ring_geometry {
        uint64_t n_records;       /* power of two */
        uint64_t records_offset;  /* multiple of RING_PAGE, as every offset below */
        uint32_t record_size;     /* sizeof(struct i4_record) */
        uint32_t statistics_size; /* a later minor addition only makes it larger */
        uint64_t statistics_offset;
        uint64_t consumers_offset;
        uint32_t consumer_size;
        uint32_t n_consumers; /* MaxReaders= */
        uint64_t catalog_offset;
        uint64_t catalog_size;
        uint64_t first_sequence; /* of the first record ever published here */
        uint8_t boot_id[16];
        uint64_t created_ns; /* CLOCK_REALTIME */
        uint8_t reserved[96];
};

struct ring_header {
        struct ring_identity identity;
        struct ring_geometry geometry;
        /*
         * A line for both, and the neighbour that prefetchers pull in: the writer takes it once for a batch,
         * and a reader that came for one counter has the other. Sleepers wait on the lower half of this word.
         */
        alignas(128) _Atomic uint64_t published;
        _Atomic uint64_t claimed;
        uint8_t reserved[112];
};

static_assert(sizeof(struct i4_record) == 64, "a record is one cache line");
static_assert(offsetof(struct i4_record, value_e2) == 24, "records are part of the ABI");
static_assert(offsetof(struct i4_record, quality_e4) == 40, "records are part of the ABI");
static_assert(offsetof(struct i4_record, reserved) == 48, "records are part of the ABI");
static_assert(sizeof(struct ring_identity) == 64, "the identity means the same in every version");
static_assert(offsetof(struct ring_identity, instance) == 32, "the identity means the same in every version");
static_assert(offsetof(struct ring_header, geometry) == 64, "geometry follows the identity");
static_assert(sizeof(struct ring_geometry) == 192, "geometry ends where the counters begin");
static_assert(offsetof(struct ring_header, published) == 256, "the counters own two lines");
static_assert(offsetof(struct ring_header, claimed) == 264, "the header is part of the ABI");
static_assert(sizeof(struct ring_header) == 384, "the header is part of the ABI");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "locks cannot span processes");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lower half of a word comes first");

/* Counters since the owner started, unless they say otherwise. Relaxed: each is true on its own. */
struct ring_statistics {
        /* generator */
        alignas(64) _Atomic uint64_t rate_records;
        _Atomic uint64_t rate_period_ns; /* 0: as fast as the machine goes */
        _Atomic uint64_t target;         /* records due */
        _Atomic uint64_t achieved;       /* records made */
        _Atomic uint64_t behind;         /* due and not made, now */
        _Atomic uint64_t behind_max;
        _Atomic uint64_t skipped;       /* due and given up */
        _Atomic uint64_t start_time_ns; /* CLOCK_REALTIME when the owner became ready */

        /* storage */
        alignas(64) _Atomic uint32_t storage_state; /* enum i4_storage_state */
        _Atomic uint32_t storage_errno;
        _Atomic uint32_t storage_is_uring;
        uint32_t storage_reserved;
        _Atomic uint64_t storage_next; /* first sequence not yet written; not since start but for ever */
        _Atomic uint64_t storage_records;
        _Atomic uint64_t storage_bytes;
        _Atomic uint64_t storage_dropped;
        _Atomic uint64_t storage_errors;
        _Atomic uint64_t storage_segments;    /* now */
        _Atomic uint64_t storage_use_bytes;   /* now */
        _Atomic uint64_t storage_limit_bytes; /* now */

        /* publisher */
        alignas(64) _Atomic uint64_t n_readers; /* now */
        _Atomic uint64_t readers_refused;
        _Atomic uint64_t readers_lost;
};

static_assert(sizeof(struct ring_statistics) == 256, "statistics are part of the ABI");

/* One attached reader. A seqlock: @lock is odd while the daemon writes. */
struct ring_consumer {
        _Atomic uint32_t lock;
        _Atomic uint32_t is_used;
        _Atomic uint32_t pid;
        _Atomic uint32_t uid;
        _Atomic uint64_t name[4];        /* 32 bytes, NUL-terminated UTF-8 */
        _Atomic uint64_t since_ns;       /* CLOCK_REALTIME */
        _Atomic uint64_t last_report_ns; /* CLOCK_BOOTTIME */
        _Atomic uint64_t cursor;
        _Atomic uint64_t lag;
        _Atomic uint64_t lost;
        uint8_t reserved[40];
};

static_assert(sizeof(struct ring_consumer) == 128, "consumers are part of the ABI");

#define CATALOG_TYPES_MAX     256u
#define CATALOG_PIPELINES_MAX 65535u
#define CATALOG_NAME_SIZE     32u
#define CATALOG_UNIT_SIZE     16u
#define CATALOG_PREFIX_SIZE   8u

/* Names are NUL-terminated printable ASCII without quote and backslash: they stand in JSON as they are. */
struct catalog_type {
        char name[CATALOG_NAME_SIZE];
        char unit[CATALOG_UNIT_SIZE];
        char prefix[CATALOG_PREFIX_SIZE]; /* of sensor ids, "flo" in SNS-flo-2977 */
        int32_t minimum_e2;
        int32_t maximum_e2;
};

struct catalog_pipeline {
        char id[CATALOG_NAME_SIZE];
};

/* Followed by n_types types and n_pipelines pipelines. */
struct catalog_header {
        uint32_t n_types;
        uint32_t n_pipelines;
        uint32_t n_sensors;
        uint16_t type_size;
        uint16_t pipeline_size;
        uint8_t reserved[48];
};

static_assert(sizeof(struct catalog_header) == 64, "the catalog is part of the ABI");
static_assert(sizeof(struct catalog_type) == 64, "the catalog is part of the ABI");
static_assert(sizeof(struct catalog_pipeline) == 32, "the catalog is part of the ABI");
