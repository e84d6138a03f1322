/* SPDX-License-Identifier: Apache-2.0 */

/*
 * All text in one piece, and a hash table with open addressing of the numbers; at most two thirds of it are
 * in use.
 */

#include "verify/names.h"

#include "util/macros.h"
#include "verify/hash.h"

#include <errno.h>
#include <string.h>

#define TABLE_SIZE_MIN 256u
#define TEXT_SIZE_MIN  4096u
#define NO_NUMBER      UINT32_MAX

struct name {
        size_t offset;
        uint32_t size;
        uint32_t hash;
};

struct names {
        char *text;
        size_t text_size;
        size_t n_text;
        struct name *names; /* as many as two thirds of the table */
        uint32_t n_names;
        uint32_t *table;
        size_t table_size; /* a power of two */
};

static size_t table_get_capacity(size_t size) {
        return size / 3 * 2;
}

static uint32_t *names_find_place(const struct names *names, const char *text, size_t size, uint32_t hash) {
        size_t i = hash & (names->table_size - 1);

        for (; names->table[i] != NO_NUMBER; i = (i + 1) & (names->table_size - 1)) {
                const struct name *name = &names->names[names->table[i]];

                if (name->hash == hash && name->size == size &&
                                memcmp(names->text + name->offset, text, size) == 0)
                        break;
        }

        return &names->table[i];
}

static void names_fill_table(struct names *names) {
        memset(names->table, 0xff, names->table_size * sizeof(*names->table));
        for (uint32_t number = 0; number < names->n_names; ++number) {
                size_t i = names->names[number].hash & (names->table_size - 1);

                while (names->table[i] != NO_NUMBER)
                        i = (i + 1) & (names->table_size - 1);
                names->table[i] = number;
        }
}

static int names_grow_table(struct names *names, size_t size) {
        struct name *larger;
        uint32_t *table;

        if (size > NO_NUMBER)
                return -EOVERFLOW;

        larger = reallocarray(names->names, table_get_capacity(size), sizeof(*larger));
        if (!larger)
                return -ENOMEM;
        names->names = larger;

        table = reallocarray(names->table, size, sizeof(*table));
        if (!table)
                return -ENOMEM;
        names->table = table;
        names->table_size = size;
        names_fill_table(names);
        return 0;
}

static int names_grow_text(struct names *names, size_t needed) {
        size_t size = MAX(2 * names->text_size, MAX(needed, (size_t) TEXT_SIZE_MIN));
        char *text = realloc(names->text, size);

        if (!text)
                return -ENOMEM;

        names->text = text;
        names->text_size = size;
        return 0;
}

int names_new(struct names **namesp) {
        _cleanup_(names_freep) struct names *names = calloc(1, sizeof(*names));
        int r;

        if (!names)
                return -ENOMEM;

        r = names_grow_table(names, TABLE_SIZE_MIN);
        if (r < 0)
                return r;

        *namesp = TAKE_PTR(names);
        return 0;
}

struct names *names_free(struct names *names) {
        if (names) {
                free(names->text);
                free(names->names);
                free(names->table);
        }
        free(names);
        return NULL;
}

static uint32_t text_hash(const char *text, size_t size) {
        return (uint32_t) hash_bytes(0, text, size);
}

/* Makes room for one more of @size bytes. */
static int names_reserve(struct names *names, size_t size) {
        int r;

        if (size > UINT32_MAX)
                return -EOVERFLOW;
        if (names->n_names >= table_get_capacity(names->table_size)) {
                r = names_grow_table(names, 2 * names->table_size);
                if (r < 0)
                        return r;
        }

        return names->text_size - names->n_text <= size ? names_grow_text(names, names->n_text + size + 1)
                                                        : 0;
}

int names_add(struct names *names, const char *text, size_t size, uint32_t *numberp) {
        uint32_t hash = text_hash(text, size), number;
        int r;

        number = *names_find_place(names, text, size, hash);
        if (number == NO_NUMBER) {
                r = names_reserve(names, size);
                if (r < 0)
                        return r;

                number = names->n_names++;
                *names_find_place(names, text, size, hash) = number;
                names->names[number] = (struct name){ names->n_text, (uint32_t) size, hash };
                memcpy(names->text + names->n_text, text, size);
                names->text[names->n_text + size] = 0;
                names->n_text += size + 1;
        }

        *numberp = number;
        return 0;
}

int names_find(const struct names *names, const char *text, size_t size, uint32_t *numberp) {
        uint32_t number = *names_find_place(names, text, size, text_hash(text, size));

        if (number == NO_NUMBER)
                return -ENOENT;

        *numberp = number;
        return 0;
}

uint32_t names_get_n(const struct names *names) {
        return names->n_names;
}

const char *names_get(const struct names *names, uint32_t number) {
        return names->text + names->names[number].offset;
}
