/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/target.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_label(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Lower case letters, digits, hyphens and dots, 3 to 63, a letter or digit at both ends. */
bool target_bucket_is_valid(const char *bucket) {
        size_t n = strlen(bucket);

        for (size_t i = 0; i < n; ++i)
                if (!is_label(bucket[i]) && bucket[i] != '.')
                        return false;

        return n >= 3 && n <= 63 && bucket[0] != '-' && bucket[0] != '.' && bucket[n - 1] != '-' &&
               bucket[n - 1] != '.' && !strstr(bucket, "..");
}

bool target_region_is_valid(const char *region) {
        size_t n = 0;

        while (is_label(region[n]))
                ++n;

        return n > 0 && !region[n];
}

bool target_endpoint_is_valid(const char *endpoint) {
        const char *host = strstr(endpoint, "://");
        size_t n;

        if (!host || (strncmp(endpoint, "https://", 8) != 0 && strncmp(endpoint, "http://", 7) != 0))
                return false;

        host += strlen("://");
        n = strcspn(host, "/?#@ ");
        return n > 0 && (!host[n] || strcmp(host + n, "/") == 0);
}

int target_format_key(const struct target *target, uint64_t ns, char key[static TARGET_KEY_MAX]) {
        const char *prefix = target->prefix + strspn(target->prefix, "/");
        time_t seconds = (time_t) (ns / NSEC_PER_SEC);
        size_t n_prefix = strlen(prefix), n;
        char date[16], *node;
        struct tm tm;

        (void) gmtime_r(&seconds, &tm);
        (void) strftime(date, sizeof(date), "%Y/%m/%d", &tm);
        while (n_prefix > 0 && prefix[n_prefix - 1] == '/')
                --n_prefix;

        n = (size_t) snprintf(key, TARGET_KEY_MAX, "%.*s%s%s/", (int) MIN(n_prefix, TARGET_KEY_MAX), prefix,
                        n_prefix > 0 ? "/" : "", date);
        if (n >= TARGET_KEY_MAX)
                return -ENAMETOOLONG;

        node = key + n;
        n += (size_t) snprintf(node, TARGET_KEY_MAX - n, "%s_%" PRIu64 ".json", target->node, ns);
        if (n >= TARGET_KEY_MAX)
                return -ENAMETOOLONG;

        /* A node's name is one name. */
        for (char *p = node; (p = strchr(p, '/'));)
                *p = '_';
        return 0;
}

static bool is_unreserved(char c) {
        return (c >= 'A' && c <= 'Z') || is_label(c) || c == '_' || c == '.' || c == '~';
}

/* As the signature wants it: everything but unreserved characters and the slash. Returns the length. */
static size_t key_encode(const char *key, char *buffer) {
        static const char digits[] = "0123456789ABCDEF";
        char *p = buffer;

        for (; *key; ++key)
                if (is_unreserved(*key) || *key == '/')
                        *p++ = *key;
                else {
                        *p++ = '%';
                        *p++ = digits[(unsigned char) *key >> 4];
                        *p++ = digits[(unsigned char) *key & 15];
                }

        *p = 0;
        return (size_t) (p - buffer);
}

/* scheme://host[:port] */
static int format_origin(const struct target *target, char *buffer, size_t size) {
        const char *suffix = strncmp(target->region, "cn-", 3) == 0 ? ".cn" : "";
        const char *bucket = target->is_path_style ? "" : target->bucket;
        const char *dot = target->is_path_style ? "" : ".";
        const char *host;

        if (!target->endpoint)
                return snprintf(buffer, size, "https://%s%ss3.%s.amazonaws.com%s", bucket, dot,
                                target->region, suffix);

        host = strstr(target->endpoint, "://") + strlen("://");
        return snprintf(buffer, size, "%.*s%s%s%.*s", (int) (host - target->endpoint), target->endpoint,
                        bucket, dot, (int) strcspn(host, "/"), host);
}

int target_format_url(const struct target *target, const char *key, char url[static TARGET_URL_MAX]) {
        char encoded[3 * TARGET_KEY_MAX + 1];
        size_t n_encoded = key_encode(key, encoded);
        int n;

        n = format_origin(target, url, TARGET_URL_MAX);
        if (n < 0 || (size_t) n + n_encoded + strlen(target->bucket) + 3 > TARGET_URL_MAX)
                return -ENAMETOOLONG;

        n = snprintf(url + n, TARGET_URL_MAX - (size_t) n, "/%s%s%s",
                        target->is_path_style ? target->bucket : "", target->is_path_style ? "/" : "",
                        encoded);
        return n < 0 ? -ENAMETOOLONG : 0;
}
