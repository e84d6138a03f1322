/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where an object goes
 *
 * The key of a batch follows from its name and the node's alone: however often it is sent, it is one object.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_KEY_MAX 1024u /* S3's own limit, bytes */
#define TARGET_URL_MAX 4096u

struct target {
        const char *bucket;
        const char *prefix;   /* "sensor-data/"; "": none */
        const char *region;   /* "us-east-1" */
        const char *endpoint; /* "https://minio.example:9000"; NULL: Amazon's, of the region */
        const char *node;
        bool is_path_style; /* the bucket in the path, not in the host's name */
};

/* What becomes part of a host's name must not lead elsewhere. */
bool target_bucket_is_valid(const char *bucket);
bool target_region_is_valid(const char *region);
bool target_endpoint_is_valid(const char *endpoint);

/* prefix/YYYY/MM/DD/node_ns.json; -ENAMETOOLONG. */
int target_format_key(const struct target *target, uint64_t ns, char key[static TARGET_KEY_MAX]);
/* -ENAMETOOLONG. */
int target_format_url(const struct target *target, const char *key, char url[static TARGET_URL_MAX]);
