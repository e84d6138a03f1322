/* SPDX-License-Identifier: Apache-2.0 */

#include "s3/credentials.h"

#include "util/macros.h"

#include <errno.h>
#include <ini.h>
#include <string.h>

#define CREDENTIAL_NAME "aws-credentials"

void credentials_deinit(struct credentials *credentials) {
        explicit_bzero(credentials, sizeof(*credentials));
}

static const char *environment_get(const char *name) {
        const char *value = getenv(name);

        return value && *value ? value : NULL;
}

struct profile {
        const char *name;
        struct credentials *credentials;
        bool is_too_long;
};

/* [default], or [name] */
static int profile_take(void *userdata, const char *section, const char *name, const char *value) {
        struct profile *profile = userdata;
        struct credentials *credentials = profile->credentials;
        char *field;

        if (strcmp(section, profile->name) != 0)
                return 1;

        if (strcmp(name, "aws_access_key_id") == 0)
                field = credentials->key_id;
        else if (strcmp(name, "aws_secret_access_key") == 0)
                field = credentials->secret;
        else if (strcmp(name, "aws_session_token") == 0)
                field = credentials->token;
        else
                return 1;

        if (strlen(value) >= CREDENTIAL_MAX)
                profile->is_too_long = true;
        else
                (void) strcpy(field, value);
        return 1;
}

static int credentials_load_file(struct credentials *credentials, const char *path) {
        _cleanup_(fclosep) FILE *file = NULL;
        const char *name = environment_get("AWS_PROFILE");
        struct profile profile = { .name = name ? name : "default", .credentials = credentials };

        (void) snprintf(credentials->origin, sizeof(credentials->origin), "%s", path);
        file = fopen(path, "re");
        if (!file)
                return -errno;

        if (ini_parse_file(file, profile_take, &profile) < 0 || profile.is_too_long ||
                        !*credentials->key_id || !*credentials->secret)
                return -EBADMSG;

        return 0;
}

/* An empty credential stands for none: units cannot load one only if it is there. */
static int credentials_load_service(struct credentials *credentials) {
        const char *directory = environment_get("CREDENTIALS_DIRECTORY");
        char path[CREDENTIAL_MAX];
        int r;

        if (!directory)
                return -ENOENT;

        (void) snprintf(path, sizeof(path), "%s/" CREDENTIAL_NAME, directory);
        r = credentials_load_file(credentials, path);
        if (r == -EBADMSG && !*credentials->key_id && !*credentials->secret)
                return -ENOENT;

        return r;
}

static int credentials_load_environment(struct credentials *credentials) {
        const char *key_id = environment_get("AWS_ACCESS_KEY_ID");
        const char *secret = environment_get("AWS_SECRET_ACCESS_KEY");
        const char *token = environment_get("AWS_SESSION_TOKEN");

        if (!key_id && !secret)
                return -ENOENT;

        (void) strcpy(credentials->origin, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        if (!key_id || !secret || strlen(key_id) >= CREDENTIAL_MAX || strlen(secret) >= CREDENTIAL_MAX ||
                        (token && strlen(token) >= CREDENTIAL_MAX))
                return -EBADMSG;

        (void) strcpy(credentials->key_id, key_id);
        (void) strcpy(credentials->secret, secret);
        (void) strcpy(credentials->token, token ? token : "");
        return 0;
}

static int credentials_load_home(struct credentials *credentials) {
        const char *given = environment_get("AWS_SHARED_CREDENTIALS_FILE");
        const char *home = environment_get("HOME");
        char path[CREDENTIAL_MAX];

        if (given)
                return credentials_load_file(credentials, given);
        if (!home)
                return -ENOENT;

        (void) snprintf(path, sizeof(path), "%s/.aws/credentials", home);
        return credentials_load_file(credentials, path);
}

int credentials_load(struct credentials *credentials) {
        static int (*const origins[])(struct credentials * credentials) = { credentials_load_service,
                credentials_load_environment, credentials_load_home };
        int r = -ENOENT;

        for (size_t i = 0; i < ELEMENTSOF(origins) && r == -ENOENT; ++i) {
                *credentials = (struct credentials){};
                r = origins[i](credentials);
        }

        return r;
}
