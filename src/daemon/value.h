/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the value of a setting may be
 *
 * A type knows how to parse, compare and describe its values, so that a mistake is answered with what would
 * be right. The bounds are the setting's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value_bounds {
        uint64_t minimum;
        uint64_t maximum;         /* of numbers, spans and sizes; UINT64_MAX allows "infinity" */
        const char *const *names; /* of an enumeration, from 0; ends in NULL */
};

struct value_type {
        size_t size;
        /* -EINVAL, -ERANGE; writes on success only */
        int (*parse)(const struct value_bounds *bounds, const char *text, void *value);
        /* goes on after "must be " */
        void (*describe)(const struct value_bounds *bounds, char *buffer, size_t size);
        bool (*is_equal)(const void *a, const void *b); /* NULL: the same bytes */
};

/* Which of how many machines. */
struct shard {
        uint32_t index;
        uint32_t n;
};

/* Each names what it writes. */
extern const struct value_type value_count;     /* uint32_t, within bounds */
extern const struct value_type value_power;     /* uint64_t, a power of two, within bounds */
extern const struct value_type value_profile;   /* struct profile */
extern const struct value_type value_rate;      /* struct rate */
extern const struct value_type value_shard;     /* struct shard */
extern const struct value_type value_seed;      /* uint64_t; "machine" is a number of the machine's own */
extern const struct value_type value_share;     /* uint32_t, hundredths of a percent */
extern const struct value_type value_mix;       /* struct mix; empty text is all zero */
extern const struct value_type value_span;      /* uint64_t, nanoseconds, within bounds */
extern const struct value_type value_file_size; /* uint64_t, bytes, within bounds; "auto" is 0 */
extern const struct value_type value_limit;     /* struct retention_limit */
extern const struct value_type value_switch;    /* bool */
extern const struct value_type value_choice;    /* unsigned int, an index of the names */
extern const struct value_type value_path;      /* char [PATH_MAX], absolute or empty */

/* What "machine" stands for. A container may have no machine id; then every such one is the same machine. */
uint64_t machine_get_seed(void);
