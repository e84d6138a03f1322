/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/line.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A record but for what comes last. */
#define RECORD(rest)                                                                                         \
        "{\"sensor_id\":\"SNS-pre-0001\",\"timestamp\":\"2026-11-23T10:49:43.7Z\",\"type\":\"pressure\"," rest

static void require_reason(const char *text, const char *reason) {
        struct line line;

        if (line_parse(&line, text, strlen(text)) != -EBADMSG || !strstr(line.reason, reason))
                fail_msg("%s: '%s' instead of '%s'", text, line.reason, reason);
}

static void require_record(const char *text) {
        struct line line;

        if (line_parse(&line, text, strlen(text)) < 0)
                fail_msg("%s: %s", text, line.reason);
}

static void test_record(void **state) {
        static const char text[] = " " RECORD("\"value\":-12.5e1,\"quality_score\":0.25,\"x\":[{},[]]} \r");
        struct line line;

        assert_int_equal(line_parse(&line, text, strlen(text)), 0);
        assert_true(line.value == -125);
        assert_true(line.quality == 0.25);
        assert_int_equal(line.type.size, strlen("pressure"));
        assert_memory_equal(line.type.text, "pressure", line.type.size);
        assert_ptr_equal(line.text.text, text + 1);
        assert_int_equal(line.text.size, strlen(text) - 3);
        assert_int_equal(line.n_replaced, 0);

        /* Who does not say how good a reading is does not say that it is bad. */
        assert_int_equal(line_parse(&line, RECORD("\"value\":0}"), strlen(RECORD("\"value\":0}"))), 0);
        assert_true(line.quality == 1);
}

/* What i4 says of its readings' truth, if it does. */
static void test_label(void **state) {
        static const char *const texts[] = { RECORD("\"value\":1,\"label\":\"leak\"}"),
                RECORD("\"value\":1,\"label\":\"none\"}"), RECORD("\"value\":1,\"label\":7}"),
                RECORD("\"value\":1}") };
        struct line line;

        for (size_t i = 0; i < ELEMENTSOF(texts); ++i) {
                assert_int_equal(line_parse(&line, texts[i], strlen(texts[i])), 0);
                assert_int_equal(line.is_faulty, i == 0);
        }
}

/* The letter of RFC 8259, where other parsers are generous. */
static void test_json(void **state) {
        require_record(RECORD("\"value\":0,\"x\":\"\\ud83d\\ude00 \\u00e9 \\/ \xc3\xa9\xf0\x9f\x98\x80\"}"));
        require_record(RECORD("\"value\":1E+2,\"x\":null,\"y\":true,\"z\":-0.5e-7}"));

        require_reason("", "byte 0 should be an object");
        require_reason("[]", "byte 0 should be an object");
        require_reason(RECORD("\"value\":1} {}"), "nothing after the object");
        require_reason(RECORD("\"value\":01}"), "a comma or the end of the object");
        require_reason(RECORD("\"value\":+1}"), "a value");
        require_reason(RECORD("\"value\":1.}"), "a digit");
        require_reason(RECORD("\"value\":NaN}"), "a value");
        require_reason(RECORD("\"value\":1,}"), "a string");
        require_reason(RECORD("\"value\":1,\"x\":[1,]}"), "a value");
        require_reason(RECORD("\"value\":1,\"x\":\"a\tb\"}"), "control characters");
        require_reason(RECORD("\"value\":1,\"x\":\"\\x\"}"), "an escape");
        require_reason(RECORD("\"value\":1,\"x\":\"\\ud800\"}"), "surrogate");
        require_reason(RECORD("\"value\":1,\"x\":\"\\udc00\"}"), "surrogate");
        require_reason(RECORD("\"value\":1,\"x\":\"\xc0\xaf\"}"), "UTF-8");
        require_reason(RECORD("\"value\":1,\"x\":\"\xed\xa0\x80\"}"), "UTF-8");
        require_reason(RECORD("\"value\":1,\"x\":\"\xf4\x90\x80\x80\"}"), "UTF-8");
        require_reason(RECORD("\"value\":1,\"x\":\"\xc3"), "UTF-8");
        require_reason(RECORD("\"value\":1,\"x\":tru}"), "a value");
        require_reason(RECORD("\"value\":1"), "a comma or the end of the object");
}

static char *mempset(char *p, char c, size_t n) {
        memset(p, c, n);
        return p + n;
}

static void test_depth(void **state) {
        char text[512], *p;

        for (unsigned int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; ++depth) {
                p = stpcpy(text, RECORD("\"value\":1,\"x\":"));
                p = mempset(p, '[', depth);
                p = mempset(p, ']', depth);
                (void) strcpy(p, "}");

                if (depth <= JSON_DEPTH_MAX)
                        require_record(text);
                else
                        require_reason(text, "less nesting");
        }
}

static void test_fields(void **state) {
        require_reason("{}", "no sensor_id");
        require_reason(RECORD("\"x\":1}"), "no value");
        require_reason("{\"sensor_id\":\"a\",\"type\":\"x\",\"value\":1}", "no timestamp");
        require_reason(RECORD("\"value\":\"1\"}"), "value is not a number");
        require_reason(RECORD("\"value\":1e999}"), "value is too large");
        require_reason(RECORD("\"value\":1,\"value\":2}"), "value is there twice");
        require_reason(RECORD("\"value\":1,\"\\u0076alue\":2}"), "value is there twice");
        require_reason(RECORD("\"value\":1,\"quality_score\":1.01}"), "not within 0 and 1");
        require_reason(RECORD("\"value\":1,\"quality_score\":null}"), "quality_score is not a number");
        require_reason("{\"sensor_id\":\"\"}", "sensor_id is not a string with something in it");
        require_reason("{\"type\":7}", "type is not a string with something in it");
        require_reason(RECORD("\"value\":1000000000000000000000000000000000000000000000000000000000000000}"),
                        "64 characters");
}

static void test_timestamps(void **state) {
        static const char *const good[] = { "2026-11-23T10:49:43Z", "2024-02-29T00:00:00.123456789Z",
                "2000-02-29T23:59:60z", "2026-11-23T10:49:43.5+05:30", "2026-11-23T10:49:43-11:00" };
        static const char *const bad[] = { "", "2026-11-23", "2026-11-23 10:49:43Z", "2026-11-23T10:49:43",
                "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z",
                "2026-11-23T24:00:00Z", "2026-11-23T00:60:00Z", "2026-11-23T10:49:43.Z",
                "2026-11-23T10:49:43+0530", "2026-11-23T10:49:43+24:00", "2026-11-23T10:49:43Zx",
                "@1795490" };
        char text[256];

        for (size_t i = 0; i < ELEMENTSOF(good); ++i) {
                (void) snprintf(text, sizeof(text),
                                "{\"timestamp\":\"%s\",\"sensor_id\":\"a\",\"type\":\"x\",\"value\":1}",
                                good[i]);
                require_record(text);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); ++i) {
                (void) snprintf(text, sizeof(text), "{\"timestamp\":\"%s\"}", bad[i]);
                require_reason(text, "timestamp is not a time");
        }
        require_reason("{\"timestamp\":1795490}", "timestamp is not a time");
}

static void require_copy(const char *text, const char *expected) {
        char copy[512];
        struct line line;
        size_t n;

        assert_int_equal(line_parse(&line, text, strlen(text)), 0);
        n = line_copy(&line, copy);
        assert_true(n < strlen(text));
        copy[n] = 0;
        assert_string_equal(copy, expected);
}

/* What was there before makes place, wherever it stands; all else is kept as it is. */
static void test_copy(void **state) {
        static const char all[] = RECORD("\"value\":1");

        require_copy(RECORD("\"value\":1}"), all);
        require_copy(RECORD("\"value\":1 }"), all);
        require_copy(RECORD("\"lineage\":{\"a\":[1]},\"value\":1}"), all);
        require_copy(RECORD("\"value\":1,\"lineage\":null}"), all);
        require_copy(RECORD("\"value\":1 , \"lineage\" : {} , \"data_quality\":{} }"), all);
        require_copy(RECORD("\"data_quality\":1,\"lineage\":2,\"value\":1}"), all);
        require_copy("{\"lineage\":3,\"sensor_id\":\"a\",\"timestamp\":\"2026-11-23T10:49:43Z\",\"type\":\"b\","
                     "\"data_quality\":\"}\",\"value\":2.50}",
                        "{\"sensor_id\":\"a\",\"timestamp\":\"2026-11-23T10:49:43Z\",\"type\":\"b\",\"value\":2.50");
}

static void test_escape(void **state) {
        static const char text[] = "a\"\\\n\x7f\xff\xc3\xa9\x01";
        char escaped[JSON_ESCAPED_MAX(sizeof(text))];
        size_t n = json_escape(escaped, text, sizeof(text));

        escaped[n] = 0;
        assert_string_equal(escaped, "a\\\"\\\\\\u000a\\u007f\\ufffd\xc3\xa9\\u0001\\u0000");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_record),
                cmocka_unit_test(test_label),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_timestamps),
                cmocka_unit_test(test_copy),
                cmocka_unit_test(test_escape),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
