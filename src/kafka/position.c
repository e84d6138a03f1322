/* SPDX-License-Identifier: Apache-2.0 */

#include "kafka/position.h"

#include "util/json.h"
#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NAME     "position.json"
#define NEW_NAME NAME ".new"

#define TEXT_SIZE 4096u

int position_open(const char *directory) {
        int fd, r;

        if (mkdir(directory, 0755) < 0 && errno != EEXIST)
                return -errno;

        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                r = errno == EWOULDBLOCK ? -EBUSY : -errno;
                (void) close(fd);
                return r;
        }

        return fd;
}

static const char *get_text(const cJSON *root, const char *key) {
        return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, key));
}

static int position_parse(struct position *position, const char *text, const char *topic) {
        _cleanup_(json_freep) cJSON *root = cJSON_Parse(text);
        const char *origin = get_text(root, "source"), *sequence = get_text(root, "next_sequence");

        if (!origin || strlen(origin) >= sizeof(position->origin) || !sequence || !get_text(root, "topic") ||
                        parse_uint64(sequence, &position->sequence) < 0)
                return -EBADMSG;
        if (strcmp(get_text(root, "topic"), topic) != 0)
                return -ENOENT;

        (void) snprintf(position->origin, sizeof(position->origin), "%s", origin);
        return 0;
}

int position_load(struct position *position, int fd, const char *topic) {
        _cleanup_(closep) int file = -1;
        char text[TEXT_SIZE] = "";

        file = openat(fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (file < 0)
                return -errno;
        if (read(file, text, sizeof(text) - 1) < 0)
                return -errno;

        return position_parse(position, text, topic);
}

/* Numbers are strings: those of JSON are exact below 2^53 only. */
static char *position_format(const struct position *position, const char *topic) {
        _cleanup_(json_freep) cJSON *root = cJSON_CreateObject();
        char sequence[32];

        (void) snprintf(sequence, sizeof(sequence), "%" PRIu64, position->sequence);
        if (!cJSON_AddStringToObject(root, "topic", topic) ||
                        !cJSON_AddStringToObject(root, "source", position->origin) ||
                        !cJSON_AddStringToObject(root, "next_sequence", sequence))
                return NULL;

        return cJSON_PrintUnformatted(root);
}

int position_save(const struct position *position, int fd, const char *topic) {
        _cleanup_(json_text_freep) char *text = position_format(position, topic);
        _cleanup_(closep) int file = -1;
        ssize_t n;

        if (!text)
                return -ENOMEM;

        file = openat(fd, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (file < 0)
                return -errno;
        n = write(file, text, strlen(text));
        if (n < 0)
                return -errno;
        if ((size_t) n < strlen(text))
                return -ENOSPC;

        return fdatasync(file) < 0 || renameat(fd, NEW_NAME, fd, NAME) < 0 ? -errno : 0;
}
