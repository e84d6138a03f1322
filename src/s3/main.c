/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4-s3: a directory of batches into a bucket
 *
 * Started by "i4 batch --s3", and a program of its own so that what talks to a network has nothing to do with
 * reading and collecting.
 */

#include "s3/uploader.h"
#include "tools/flags.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "util/macros.h"
#include "util/parse.h"
#include "util/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#define WHO "i4 batch"

enum {
        FLAG_DIRECTORY,
        FLAG_BUCKET,
        FLAG_PREFIX,
        FLAG_REGION,
        FLAG_ENDPOINT,
        FLAG_PATH_STYLE,
        FLAG_NODE,
        FLAG_UPLINK,
        FLAG_GIVE_UP,
};

static const struct flag s3_flags[] = {
        [FLAG_DIRECTORY] = { "directory", 0, "DIR", "where the batches are" },
        [FLAG_BUCKET] = { "bucket", 0, "NAME", "where they go" },
        [FLAG_PREFIX] = { "prefix", 0, "TEXT", "before the date in an object's key (sensor-data/)" },
        [FLAG_REGION] = { "region", 0, "NAME", "of the bucket (us-east-1)" },
        [FLAG_ENDPOINT] = { "endpoint", 0, "URL", "of the service (Amazon's)" },
        [FLAG_PATH_STYLE] = { "path-style", 0, NULL, "the bucket in the path, not in the host's name" },
        [FLAG_NODE] = { "node", 0, "NAME", "behind the date in an object's key" },
        [FLAG_UPLINK] = { "uplink", 0, "FD", "socket to the program that makes the batches" },
        [FLAG_GIVE_UP] = { "give-up", 0, NULL, "end on what another try will not change" },
};

static int take_uplink(struct uploader_settings *settings, const char *argument) {
        uint64_t fd;

        if (parse_uint64(argument, &fd) < 0 || fd > INT32_MAX || fcntl((int) fd, F_SETFD, FD_CLOEXEC) < 0) {
                say(WHO, "--uplink '%s' is not an open descriptor", argument);
                return -EINVAL;
        }

        settings->uplink_fd = (int) fd;
        return 0;
}

static int s3_take_flag(void *userdata, size_t flag, const char *argument) {
        struct uploader_settings *settings = userdata;
        const char **texts[] = {
                [FLAG_DIRECTORY] = &settings->directory,
                [FLAG_BUCKET] = &settings->target.bucket,
                [FLAG_PREFIX] = &settings->target.prefix,
                [FLAG_REGION] = &settings->target.region,
                [FLAG_ENDPOINT] = &settings->target.endpoint,
                [FLAG_NODE] = &settings->target.node,
        };

        switch (flag) {
        case FLAG_PATH_STYLE:
                settings->target.is_path_style = true;
                return 0;
        case FLAG_GIVE_UP:
                settings->gives_up = true;
                return 0;
        case FLAG_UPLINK:
                return take_uplink(settings, argument);
        default:
                *texts[flag] = argument;
                return 0;
        }
}

static int settings_check(const struct uploader_settings *settings) {
        const struct target *target = &settings->target;

        if (!settings->directory || !target->bucket || !target->node)
                say(WHO, "uploading needs --directory, --bucket and --node");
        else if (!target_bucket_is_valid(target->bucket))
                say(WHO, "--bucket '%s' is not the name of a bucket", target->bucket);
        else if (!target_region_is_valid(target->region))
                say(WHO, "--region '%s' is not a region such as us-east-1", target->region);
        else if (target->endpoint && !target_endpoint_is_valid(target->endpoint))
                say(WHO, "--endpoint '%s' is not an address such as https://minio.example:9000",
                                target->endpoint);
        else
                return 0;

        return -EINVAL;
}

static const struct verb verb_s3 = {
        .name = "i4-s3",
        .who = "i4-s3",
        .summary = "Carry a directory of batches into a bucket; started by 'i4 batch --s3'.",
        .text = "See i4-batch(1).\n",
        .flags = s3_flags,
        .n_flags = ELEMENTSOF(s3_flags),
};

int main(int argc, char *argv[]) {
        struct uploader_settings settings = {
                .who = WHO,
                .target = { .prefix = "sensor-data/", .region = "us-east-1" },
                .uplink_fd = -1,
        };
        int r;

        standard_open();
        r = flags_parse(&verb_s3, argc, argv, s3_take_flag, &settings);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        r = settings_check(&settings);
        if (r < 0)
                return STATUS_USAGE;

        stop_init();
        /* The directory is its parent's, and another parent may come to it. */
        if (settings.uplink_fd >= 0)
                (void) prctl(PR_SET_PDEATHSIG, SIGTERM);

        return uploader_run(&settings) < 0 ? STATUS_FAILED : STATUS_DONE;
}
