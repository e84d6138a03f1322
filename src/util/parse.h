/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Text to values, strictly
 *
 * Settings, flags and tools share these. Each takes the whole string or nothing: 0, or -EINVAL (no such
 * value), -ERANGE (out of range). The result is written on success only.
 */

#include <stdbool.h>
#include <stdint.h>

/* decimal digits only */
int parse_uint64(const char *text, uint64_t *valuep);
/* yes/no, true/false, on/off, 1/0, any case */
int parse_bool(const char *text, bool *valuep);
/* systemd's and Go's spans: "10ms", "1h2m3.5s", "5min 20s", "2 weeks", "infinity"; a bare number is seconds
 */
int parse_span(const char *text, uint64_t *nsp);
/* bytes: "64K", "1.5G", base 1024 as systemd.syntax(7) has it, optional trailing "B"; "infinity" is
 * UINT64_MAX */
int parse_size(const char *text, uint64_t *bytesp);
/* "15%", "2.5%": hundredths of a percent, 0 … 10000 */
int parse_percent(const char *text, uint32_t *value_e4p);
/* "2/4": which of how many machines, from 0, at most SHARDS_MAX of them */
#define SHARDS_MAX 1024u
int parse_shard(const char *text, uint32_t *shardp, uint32_t *n_shardsp);

/* So many records in so many nanoseconds; @period_ns 0: as fast as the machine goes. */
struct rate {
        uint64_t n_records;
        uint64_t period_ns;
};

/* "10000" a second, "90/min", "5/h", "2.5", "max"; at least 1 a day, at most 10^9 a second */
int parse_rate(const char *text, struct rate *ratep);

/* Shortest exact form, for messages: "1.5s", "10ms", "4G", "max", "90/min". @buffer is returned. */
#define FORMAT_MAX 32
const char *format_span(uint64_t ns, char buffer[static FORMAT_MAX]);
const char *format_size(uint64_t bytes, char buffer[static FORMAT_MAX]);
const char *format_rate(struct rate rate, char buffer[static FORMAT_MAX]);
