/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/state.h"

#include "util/json.h"
#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define STATE_NAME     ".i4-batch.json"
#define STATE_NEW_NAME ".i4-batch.json.new"
#define STATE_SIZE     8192u

/* Numbers are strings: those of JSON are exact below 2^53 only. */
static int get_number(const cJSON *object, const char *key, uint64_t *valuep) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

        return text && parse_uint64(text, valuep) >= 0 ? 0 : -EBADMSG;
}

static int get_string(const cJSON *object, const char *key, char *buffer, size_t size) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

        if (!text || strlen(text) >= size)
                return -EBADMSG;

        (void) snprintf(buffer, size, "%s", text);
        return 0;
}

/* A name that leads elsewhere is not one of ours. */
static int state_check_name(const struct state *state) {
        uint64_t ns;

        return !*state->name || outbox_name_is_batch(state->name, &ns) ? 0 : -EBADMSG;
}

static int state_parse(struct state *state, const char *text) {
        _cleanup_(json_freep) cJSON *root = cJSON_Parse(text);
        struct outbox_position *position = &state->position;

        if (!root || get_string(root, "last_batch", state->name, sizeof(state->name)) < 0 ||
                        get_number(root, "last_batch_ns", &state->name_ns) < 0 ||
                        get_string(root, "source", position->source, sizeof(position->source)) < 0 ||
                        get_number(root, "next_sequence", &position->sequence) < 0 ||
                        get_number(root, "offset", &position->offset) < 0 ||
                        get_number(root, "device", &position->device) < 0 ||
                        get_number(root, "inode", &position->inode) < 0 ||
                        get_number(root, "fingerprint", &position->fingerprint) < 0)
                return -EBADMSG;

        position->is_done = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "done"));
        return state_check_name(state);
}

int state_load(struct state *statep, int fd) {
        _cleanup_(closep) int file = -1;
        char text[STATE_SIZE] = "";
        struct state state = {};
        ssize_t n;
        int r;

        file = openat(fd, STATE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (file < 0)
                return -errno;

        n = read(file, text, sizeof(text) - 1);
        if (n < 0)
                return -errno;

        r = state_parse(&state, text);
        if (r < 0)
                return r;

        *statep = state;
        return 0;
}

static size_t state_format(const struct state *state, char buffer[static STATE_SIZE]) {
        char source[JSON_ESCAPED_MAX(sizeof(state->position.source)) + 1];
        const struct outbox_position *position = &state->position;

        source[json_escape(source, position->source, strlen(position->source))] = 0;
        return (size_t) snprintf(buffer, STATE_SIZE,
                        "{\"last_batch\":\"%s\",\"last_batch_ns\":\"%" PRIu64
                        "\",\"source\":\"%s\",\"next_sequence\":\"%" PRIu64 "\",\"offset\":\"%" PRIu64
                        "\",\"device\":\"%" PRIu64 "\",\"inode\":\"%" PRIu64 "\",\"fingerprint\":\"%" PRIu64
                        "\",\"done\":%s}\n",
                        state->name, state->name_ns, source, position->sequence, position->offset,
                        position->device, position->inode, position->fingerprint,
                        position->is_done ? "true" : "false");
}

int state_save(const struct state *state, int fd) {
        _cleanup_(closep) int file = -1;
        char text[STATE_SIZE];
        size_t size = state_format(state, text);
        ssize_t n;

        file = openat(fd, STATE_NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (file < 0)
                return -errno;

        n = write(file, text, size);
        if (n < 0)
                return -errno;
        if ((size_t) n < size)
                return -ENOSPC;

        return renameat(fd, STATE_NEW_NAME, fd, STATE_NAME) < 0 ? -errno : 0;
}
