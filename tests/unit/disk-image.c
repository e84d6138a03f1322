/* SPDX-License-Identifier: Apache-2.0 */

#include "disk-image.h"

#include "util/macros.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

const char *path_format(char path[static PATH_SIZE], const char *top, enum place place, const char *name) {
        (void) snprintf(path, PATH_SIZE, "%s%s/%s", top, place == PLACE_SEALED ? "/" SEALED_NAME : "", name);
        return path;
}

static void image_resize(struct image *image, unsigned int file, size_t size) {
        if (size > image->sizes[file]) {
                image->bytes[file] = realloc(image->bytes[file], size);
                require(image->bytes[file]);
                memset(image->bytes[file] + image->sizes[file], 0, size - image->sizes[file]);
        }
        image->sizes[file] = size;
}

static void image_write(struct image *image, const struct change *change, size_t begin, size_t end) {
        size_t size = MAX(image->sizes[change->file], (size_t) change->offset + end);

        image_resize(image, change->file, size);
        memcpy(image->bytes[change->file] + change->offset + begin, change->bytes + begin, end - begin);
}

/* What a disk may do by halves: less than a sector it writes whole, or not at all. */
static void image_write_lossy(struct image *image, const struct change *change, enum disk_loss loss,
                bool is_last, bool is_first) {
        size_t size = MAX(image->sizes[change->file], (size_t) (change->offset + change->size));
        bool is_small = change->size < 512;

        switch (loss) {
        case DISK_LOSS_ALL:
                break;
        case DISK_LOSS_ZEROES:
                image_resize(image, change->file, size);
                break;
        case DISK_LOSS_TORN:
                if (!is_small || !is_last)
                        image_write(image, change, 0, is_last ? change->size / 2 : change->size);
                break;
        case DISK_LOSS_HOLE:
                image_write(image, change, is_first && !is_small ? change->size / 2 : 0, change->size);
                break;
        default:
                image_write(image, change, 0, change->size);
                break;
        }
}

void image_fill(struct image *image, const struct disk_history *history, size_t n_changes,
                enum disk_loss loss) {
        bool is_begun[FILES_MAX] = {};

        for (size_t i = 0; i < n_changes; ++i) {
                const struct change *change = &history->changes[i];
                bool is_synced = history_is_synced(history, i, n_changes);

                if (change->kind == CHANGE_WRITE) {
                        image_write_lossy(image, change, is_synced ? DISK_LOSS_NONE : loss,
                                        history_is_last_write(history, i, n_changes),
                                        !is_begun[change->file]);
                        is_begun[change->file] |= !is_synced;
                } else if (change->kind == CHANGE_TRUNCATE && (is_synced || loss != DISK_LOSS_ALL))
                        image_resize(image, change->file, change->offset);
        }
}

static struct name *image_find(struct image *image, enum place place, const char *name) {
        for (size_t i = 0; i < image->n_names; ++i)
                if (image->names[i].place == place && strcmp(image->names[i].name, name) == 0)
                        return &image->names[i];

        return NULL;
}

static void image_remove(struct image *image, enum place place, const char *name) {
        struct name *found = image_find(image, place, name);

        if (found)
                *found = image->names[--image->n_names];
}

static void image_add(struct image *image, enum place place, const char *name, unsigned int file) {
        struct name *added;

        image_remove(image, place, name);
        require(image->n_names < FILES_MAX);
        added = &image->names[image->n_names++];
        added->place = place;
        added->file = file;
        name_copy(added->name, name);
}

static void image_apply_name(struct image *image, const struct change *change) {
        struct name *found = image_find(image, change->place, change->name);
        unsigned int file = found ? found->file : 0;

        switch (change->kind) {
        case CHANGE_CREATE:
                image_add(image, change->place, change->name, change->file);
                break;
        case CHANGE_RENAME:
                require(found);
                image_remove(image, change->place, change->name);
                image_add(image, change->new_place, change->new_name, file);
                break;
        case CHANGE_LINK:
                require(found);
                image_add(image, change->new_place, change->new_name, file);
                break;
        default:
                image_remove(image, change->place, change->name);
                break;
        }
}

void image_name(struct image *image, const struct disk_history *history, size_t n_changes, size_t outcome) {
        size_t n_sure = history_get_n_sure(history, n_changes);

        for (size_t i = 0; i < n_changes; ++i) {
                if (!change_is_of_names(&history->changes[i]))
                        continue;
                if (i >= n_sure && outcome-- == 0)
                        break;
                image_apply_name(image, &history->changes[i]);
        }
}

void image_deinit(struct image *image) {
        for (size_t i = 0; i < FILES_MAX; ++i)
                free(image->bytes[i]);
}

/* Files with two names stay files with two names. */
static void image_store_name(const struct image *image, const char *top, size_t number) {
        const struct name *name = &image->names[number];
        char path[PATH_SIZE], other[PATH_SIZE];
        ssize_t n;
        int fd;

        (void) path_format(path, top, name->place, name->name);
        for (size_t i = 0; i < number; ++i)
                if (image->names[i].file == name->file) {
                        (void) path_format(other, top, image->names[i].place, image->names[i].name);
                        require(link(other, path) == 0);
                        return;
                }

        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        require(fd >= 0);
        n = write(fd, image->bytes[name->file], image->sizes[name->file]);
        require(n == (ssize_t) image->sizes[name->file]);
        (void) close(fd);
}

void image_store(const struct image *image, const char *path) {
        char sealed[PATH_SIZE];

        require(mkdir(path_format(sealed, path, PLACE_TOP, SEALED_NAME), 0750) == 0);
        for (size_t i = 0; i < image->n_names; ++i)
                image_store_name(image, path, i);
}

/* The name that it gives, NULL: none. */
static const char *change_get_name(const struct change *change, enum place place) {
        if (change->kind == CHANGE_CREATE)
                return change->place == place ? change->name : NULL;
        if (change->kind == CHANGE_RENAME || change->kind == CHANGE_LINK)
                return change->new_place == place ? change->new_name : NULL;
        return NULL;
}

bool image_is_unsure(const struct image *image, const struct disk_history *history, size_t number) {
        const struct change *change = &history->changes[number];
        const char *new_name = change_get_name(change, PLACE_SEALED);

        for (size_t i = 0; i < image->n_names; ++i) {
                const struct name *name = &image->names[i];

                if (name->place != PLACE_SEALED)
                        continue;
                if (new_name && strcmp(new_name, name->name) == 0 &&
                                number >= history_get_n_sure(history, history->n))
                        return true;
                if (change->kind == CHANGE_WRITE && change->file == name->file &&
                                !history_is_synced(history, number, history->n) &&
                                !strstr(name->name, ".suspect."))
                        return true;
        }

        return false;
}
