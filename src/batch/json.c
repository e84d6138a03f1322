/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/json.h"

#include "util/macros.h"

#include <errno.h>
#include <string.h>

struct scanner {
        const char *begin;
        const char *p;
        const char *end;
        const char *expected; /* set by whoever fails */
        unsigned int depth;
};

static int scan_value(struct scanner *scanner, enum json_kind *kindp);

static int expect(struct scanner *scanner, const char *expected) {
        scanner->expected = expected;
        return -EBADMSG;
}

static inline char scanner_peek(const struct scanner *scanner) {
        return scanner->p < scanner->end ? *scanner->p : 0;
}

static inline void skip_space(struct scanner *scanner) {
        while (scanner->p < scanner->end && (*scanner->p == ' ' || *scanner->p == '\t' ||
                                                            *scanner->p == '\r' || *scanner->p == '\n'))
                ++scanner->p;
}

static inline bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* strings */

static inline bool is_continuation(const unsigned char *p, unsigned char low, unsigned char high) {
        return *p >= low && *p <= high;
}

/* Bytes of the well-formed sequence at @text (Unicode, table 3-7), 0 if there is none. */
static size_t utf8_measure(const char *text, const char *end) {
        const unsigned char *p = (const unsigned char *) text;
        unsigned char low = 0x80, high = 0xbf;
        size_t n;

        if (*p >= 0xc2 && *p <= 0xdf)
                n = 2;
        else if (*p >= 0xe0 && *p <= 0xef)
                n = 3;
        else if (*p >= 0xf0 && *p <= 0xf4)
                n = 4;
        else
                return *p < 0x80;

        /* No overlong forms, no surrogates, nothing beyond U+10FFFF. */
        if (*p == 0xe0)
                low = 0xa0;
        else if (*p == 0xed)
                high = 0x9f;
        else if (*p == 0xf0)
                low = 0x90;
        else if (*p == 0xf4)
                high = 0x8f;

        if ((size_t) (end - text) < n || !is_continuation(p + 1, low, high))
                return 0;
        for (size_t i = 2; i < n; ++i)
                if (!is_continuation(p + i, 0x80, 0xbf))
                        return 0;

        return n;
}

static int hex_digit(char c) {
        if (is_digit(c))
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;

        return -1;
}

static int scan_hex4(struct scanner *scanner, unsigned int *codep) {
        unsigned int code = 0;

        for (unsigned int i = 0; i < 4; ++i, ++scanner->p) {
                int digit = hex_digit(scanner_peek(scanner));

                if (digit < 0)
                        return expect(scanner, "four hexadecimal digits");
                code = code * 16 + (unsigned int) digit;
        }

        *codep = code;
        return 0;
}

/* Half of a pair is no character, and what reads the batch may refuse it. */
static int scan_unicode(struct scanner *scanner) {
        unsigned int code, second;
        int r;

        r = scan_hex4(scanner, &code);
        if (r < 0)
                return r;
        if (code < 0xd800 || code > 0xdfff)
                return 0;

        if (code > 0xdbff || scanner->end - scanner->p < 2 || memcmp(scanner->p, "\\u", 2) != 0)
                return expect(scanner, "both halves of a surrogate pair");
        scanner->p += 2;
        r = scan_hex4(scanner, &second);
        if (r < 0)
                return r;

        return second >= 0xdc00 && second <= 0xdfff ? 0 : expect(scanner, "both halves of a surrogate pair");
}

static int scan_escape(struct scanner *scanner) {
        char c;

        ++scanner->p;
        c = scanner_peek(scanner);
        if (c == 0 || !strchr("\"\\/bfnrtu", c))
                return expect(scanner, "an escape such as \\n");

        ++scanner->p;
        return c == 'u' ? scan_unicode(scanner) : 0;
}

/* Printable ASCII but for quote and backslash: what nearly all of it is. */
static inline bool is_plain(char c) {
        return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

static int scan_unusual(struct scanner *scanner) {
        size_t n;

        if (*scanner->p == '\\')
                return scan_escape(scanner);
        if ((unsigned char) *scanner->p < ' ')
                return expect(scanner, "control characters escaped");

        n = utf8_measure(scanner->p, scanner->end);
        if (n == 0)
                return expect(scanner, "UTF-8");

        scanner->p += n;
        return 0;
}

/* @spanp: the inside */
static int scan_string(struct scanner *scanner, struct json_span *spanp) {
        const char *begin;

        if (scanner_peek(scanner) != '"')
                return expect(scanner, "a string");

        begin = ++scanner->p;
        for (;;) {
                int r;

                while (scanner->p < scanner->end && is_plain(*scanner->p))
                        ++scanner->p;
                if (scanner->p >= scanner->end)
                        return expect(scanner, "the end of a string");
                if (*scanner->p == '"')
                        break;

                r = scan_unusual(scanner);
                if (r < 0)
                        return r;
        }

        *spanp = (struct json_span){ begin, (size_t) (scanner->p - begin) };
        ++scanner->p;
        return 0;
}

/* numbers and words */

static int scan_digits(struct scanner *scanner) {
        if (!is_digit(scanner_peek(scanner)))
                return expect(scanner, "a digit");

        while (is_digit(scanner_peek(scanner)))
                ++scanner->p;
        return 0;
}

static int scan_number(struct scanner *scanner) {
        int r;

        if (scanner_peek(scanner) == '-')
                ++scanner->p;

        if (scanner_peek(scanner) == '0')
                ++scanner->p;
        else {
                r = scan_digits(scanner);
                if (r < 0)
                        return r;
        }

        if (scanner_peek(scanner) == '.') {
                ++scanner->p;
                r = scan_digits(scanner);
                if (r < 0)
                        return r;
        }

        if (scanner_peek(scanner) == 'e' || scanner_peek(scanner) == 'E') {
                ++scanner->p;
                if (scanner_peek(scanner) == '+' || scanner_peek(scanner) == '-')
                        ++scanner->p;
                return scan_digits(scanner);
        }

        return 0;
}

static int scan_word(struct scanner *scanner, const char *word) {
        size_t n = strlen(word);

        if ((size_t) (scanner->end - scanner->p) < n || memcmp(scanner->p, word, n) != 0)
                return expect(scanner, "a value");

        scanner->p += n;
        return 0;
}

/* what holds others */

/* A comma and another one to come: 1; the end: 0. */
static int scan_separator(struct scanner *scanner, char end, const char *expected) {
        skip_space(scanner);
        if (scanner_peek(scanner) == ',') {
                ++scanner->p;
                skip_space(scanner);
                return 1;
        }
        if (scanner_peek(scanner) == end) {
                ++scanner->p;
                return 0;
        }

        return expect(scanner, expected);
}

/* Past the bracket: is there nothing inside? */
static bool scan_empty(struct scanner *scanner, char end) {
        ++scanner->p;
        skip_space(scanner);
        if (scanner_peek(scanner) != end)
                return false;

        ++scanner->p;
        return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): JSON_DEPTH_MAX deep at most */
static int scan_member(struct scanner *scanner, struct json_member *member) {
        const char *begin = scanner->p, *value;
        int r;

        r = scan_string(scanner, &member->key);
        if (r < 0)
                return r;

        skip_space(scanner);
        if (scanner_peek(scanner) != ':')
                return expect(scanner, "a colon");
        ++scanner->p;
        skip_space(scanner);

        value = scanner->p;
        r = scan_value(scanner, &member->kind);
        if (r < 0)
                return r;

        member->value = (struct json_span){ value, (size_t) (scanner->p - value) };
        member->all = (struct json_span){ begin, (size_t) (scanner->p - begin) };
        return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): JSON_DEPTH_MAX deep at most */
static int scan_object(
                struct scanner *scanner, int (*visit)(void *, const struct json_member *), void *userdata) {
        struct json_member member;
        int r;

        if (scan_empty(scanner, '}'))
                return 0;

        do {
                r = scan_member(scanner, &member);
                if (r >= 0 && visit)
                        r = visit(userdata, &member);
                if (r < 0)
                        return r;

                r = scan_separator(scanner, '}', "a comma or the end of the object");
        } while (r > 0);

        return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): JSON_DEPTH_MAX deep at most */
static int scan_array(struct scanner *scanner) {
        enum json_kind kind;
        int r;

        if (scan_empty(scanner, ']'))
                return 0;

        do {
                r = scan_value(scanner, &kind);
                if (r < 0)
                        return r;

                r = scan_separator(scanner, ']', "a comma or the end of the array");
        } while (r > 0);

        return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): JSON_DEPTH_MAX deep at most */
static int scan_nested(struct scanner *scanner, bool is_object) {
        int r;

        if (scanner->depth >= JSON_DEPTH_MAX)
                return expect(scanner, "less nesting");

        ++scanner->depth;
        r = is_object ? scan_object(scanner, NULL, NULL) : scan_array(scanner);
        --scanner->depth;
        return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): JSON_DEPTH_MAX deep at most */
static int scan_value(struct scanner *scanner, enum json_kind *kindp) {
        struct json_span span;

        switch (scanner_peek(scanner)) {
        case '"':
                *kindp = JSON_STRING;
                return scan_string(scanner, &span);
        case '{':
                *kindp = JSON_OBJECT;
                return scan_nested(scanner, true);
        case '[':
                *kindp = JSON_ARRAY;
                return scan_nested(scanner, false);
        case 't':
                *kindp = JSON_BOOLEAN;
                return scan_word(scanner, "true");
        case 'f':
                *kindp = JSON_BOOLEAN;
                return scan_word(scanner, "false");
        case 'n':
                *kindp = JSON_NULL;
                return scan_word(scanner, "null");
        case '-':
        case '0' ... '9':
                *kindp = JSON_NUMBER;
                return scan_number(scanner);
        default:
                return expect(scanner, "a value");
        }
}

int json_visit(const char *text, size_t size, struct json_mistake *mistake,
                int (*visit)(void *userdata, const struct json_member *member), void *userdata) {
        struct scanner scanner = { .begin = text, .p = text, .end = text + size };
        int r;

        skip_space(&scanner);
        r = scanner_peek(&scanner) == '{' ? scan_object(&scanner, visit, userdata)
                                          : expect(&scanner, "an object");
        if (r >= 0) {
                skip_space(&scanner);
                if (scanner.p < scanner.end)
                        r = expect(&scanner, "nothing after the object");
        }

        if (r < 0)
                *mistake = (struct json_mistake){ (size_t) (scanner.p - scanner.begin), scanner.expected };
        return r;
}

/* escapes */

static unsigned int hex4(const char *text) {
        unsigned int code = 0;

        for (unsigned int i = 0; i < 4; ++i)
                code = code * 16 + (unsigned int) hex_digit(text[i]);

        return code;
}

/* The character that the escape at *@text stands for; moves behind it. */
static unsigned int unescape(const char **text) {
        static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
        const char *p = *text + 1;
        const char *known = strchr(from, *p);
        unsigned int code;

        if (*p != 'u') {
                *text = p + 1;
                return (unsigned char) (known ? to[known - from] : *p);
        }

        code = hex4(p + 1);
        *text = p + 5;
        if (code < 0xd800 || code > 0xdfff)
                return code;

        /* The other half follows, or it would not have been read. */
        code = 0x10000 + ((code & 0x3ff) << 10) + (hex4(*text + 2) & 0x3ff);
        *text += 6;
        return code;
}

bool json_string_equals(struct json_span string, const char *plain) {
        const char *p = string.text, *end = string.text + string.size;

        if (likely(!memchr(p, '\\', string.size)))
                return strlen(plain) == string.size && memcmp(plain, p, string.size) == 0;

        for (; p < end; ++plain) {
                unsigned int c = *p == '\\' ? unescape(&p) : (unsigned char) *p++;

                if (c == 0 || c != (unsigned char) *plain)
                        return false;
        }

        return !*plain;
}

static size_t utf8_put(char *buffer, unsigned int code) {
        char *out = buffer;

        if (code < 0x80) {
                *out = (char) code;
                return 1;
        }

        if (code < 0x800)
                *out++ = (char) (0xc0 | code >> 6);
        else {
                if (code < 0x10000)
                        *out++ = (char) (0xe0 | code >> 12);
                else {
                        *out++ = (char) (0xf0 | code >> 18);
                        *out++ = (char) (0x80 | (code >> 12 & 0x3f));
                }
                *out++ = (char) (0x80 | (code >> 6 & 0x3f));
        }
        *out++ = (char) (0x80 | (code & 0x3f));
        return (size_t) (out - buffer);
}

size_t json_unescape(char *buffer, struct json_span string) {
        const char *p = string.text, *end = string.text + string.size;
        char *out = buffer;

        while (p < end)
                if (*p == '\\')
                        out += utf8_put(out, unescape(&p));
                else
                        *out++ = *p++;

        return (size_t) (out - buffer);
}

static size_t escape_control(char *buffer, unsigned char c) {
        static const char digits[] = "0123456789abcdef";
        const char text[6] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

        memcpy(buffer, text, sizeof(text));
        return sizeof(text);
}

size_t json_escape(char *buffer, const char *text, size_t size) {
        const char *p = text, *end = text + size;
        char *out = buffer;

        while (p < end) {
                size_t n = utf8_measure(p, end);

                if (is_plain(*p))
                        *out++ = *p++;
                else if (*p == '"' || *p == '\\') {
                        *out++ = '\\';
                        *out++ = *p++;
                } else if (n == 1)
                        out += escape_control(out, (unsigned char) *p++);
                else if (n == 0) {
                        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): no string */
                        memcpy(out, "\\ufffd", 6);
                        out += 6;
                        ++p;
                } else {
                        memcpy(out, p, n);
                        out += n;
                        p += n;
                }
        }

        return (size_t) (out - buffer);
}
