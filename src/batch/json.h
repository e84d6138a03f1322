/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Looking at a JSON object without building it
 *
 * What passes here is copied into a batch byte by byte, so it is held to the letter of RFC 8259: cJSON, which
 * reads settings, lets leading zeros, control characters and broken UTF-8 pass, and builds a tree that nobody
 * needs. One pass, no memory of its own, nesting up to JSON_DEPTH_MAX.
 */

#include <stdbool.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 64u

enum json_kind {
        JSON_OBJECT,
        JSON_ARRAY,
        JSON_STRING,
        JSON_NUMBER,
        JSON_BOOLEAN,
        JSON_NULL,
};

/* A piece of the text, as it stands there. */
struct json_span {
        const char *text;
        size_t size;
};

struct json_member {
        struct json_span key; /* without its quotes */
        struct json_span value;
        struct json_span all; /* from the key's first quote to the value's end */
        enum json_kind kind;
};

/* Where the text stops being JSON, and what was expected there. */
struct json_mistake {
        size_t offset;
        const char *expected;
};

/*
 * Calls @visit with each member of the object that is all of @text, white space around it apart. What @visit
 * refuses with a negative errno ends the visit.
 *
 * Return: 0; -EBADMSG: not one object, *@mistake tells; or what @visit answered.
 */
int json_visit(const char *text, size_t size, struct json_mistake *mistake,
                int (*visit)(void *userdata, const struct json_member *member), void *userdata);

/* Does the inside of a string, with its escapes, say @plain? That must be ASCII. */
bool json_string_equals(struct json_span string, const char *plain);

/*
 * Writes the inside of a string without its escapes, as UTF-8 and no NUL behind it; at most as many bytes as
 * it has with them. Returns how many.
 */
size_t json_unescape(char *buffer, struct json_span string);

/*
 * Writes @size bytes at @text, which may be anything, as the inside of a JSON string; what is no UTF-8
 * becomes U+FFFD. At most JSON_ESCAPED_MAX(@size) bytes are written, no NUL. Returns how many.
 */
#define JSON_ESCAPED_MAX(size) (6 * (size))
size_t json_escape(char *buffer, const char *text, size_t size);
