/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/wire.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct wire_message round_trip(const struct wire_message *message) {
        char text[WIRE_MESSAGE_MAX];
        struct wire_message parsed;
        size_t n = wire_format(message, text);

        assert_int_equal(wire_parse(&parsed, text, n), 0);
        assert_int_equal(parsed.kind, message->kind);
        return parsed;
}

static void test_round_trip(void **state) {
        struct wire_message hello = {
                .kind = WIRE_HELLO, .name = "i4 tail", .version = "0.1.0", .is_observer = true
        };
        struct wire_message welcome = {
                .kind = WIRE_WELCOME, .version = "0.1.0", .instance = "00112233445566778899aabbccddeeff"
        };
        struct wire_message refused = {
                .kind = WIRE_REFUSED, .error = EUSERS, .reason = "all places are taken"
        };
        struct wire_message report = {
                .kind = WIRE_REPORT, .cursor = UINT64_C(1) << 53, .lag = 2, .lost = 3
        };
        struct wire_message arm = { .kind = WIRE_ARM, .cursor = 17 };
        struct wire_message wake = { .kind = WIRE_WAKE, .cursor = 18 };
        struct wire_message parsed;

        parsed = round_trip(&hello);
        assert_string_equal(parsed.name, hello.name);
        assert_string_equal(parsed.version, hello.version);
        assert_true(parsed.is_observer);

        parsed = round_trip(&welcome);
        assert_string_equal(parsed.instance, welcome.instance);

        parsed = round_trip(&refused);
        assert_int_equal(parsed.error, EUSERS);
        assert_string_equal(parsed.reason, refused.reason);

        parsed = round_trip(&report);
        assert_int_equal(parsed.cursor, report.cursor);
        assert_int_equal(parsed.lag, 2);
        assert_int_equal(parsed.lost, 3);

        assert_int_equal(round_trip(&arm).cursor, 17);
        assert_int_equal(round_trip(&wake).cursor, 18);
}

/* Names come from anybody and end up on terminals and in the journal. */
static void test_printable(void **state) {
        struct wire_message hello = { .kind = WIRE_HELLO, .name = "a\"b\\c\x1b[31m\n", .version = "1" };

        assert_string_equal(round_trip(&hello).name, "a?b?c?[31m?");
}

static void test_newer_peer(void **state) {
        static const char text[] =
                        "{\"report\":{\"cursor\":1,\"lag\":0,\"mood\":\"good\",\"lost\":0},\"and\":[\"more\"]}";
        struct wire_message parsed;

        assert_int_equal(wire_parse(&parsed, text, sizeof(text) - 1), 0);
        assert_int_equal(parsed.cursor, 1);
}

static void test_garbage(void **state) {
        static const char *const texts[] = {
                "",
                "{}",
                "[]",
                "null",
                "{\"hello\":",
                "{\"hello\":{}}",
                "{\"hello\":{\"name\":1,\"version\":\"1\"}}",
                "{\"hello\":[\"name\"]}",
                "{\"unheard\":{\"of\":1}}",
                "{\"report\":{\"cursor\":-1,\"lag\":0,\"lost\":0}}",
                "{\"report\":{\"cursor\":1.5,\"lag\":0,\"lost\":0}}",
                "{\"report\":{\"cursor\":1e300,\"lag\":0,\"lost\":0}}",
                "{\"report\":{\"cursor\":\"1\",\"lag\":0,\"lost\":0}}",
                "{\"report\":{\"cursor\":1}}",
                "{\"welcome\":{\"version\":\"1\",\"instance\":\"short\"}}",
        };
        char deep[WIRE_MESSAGE_MAX], long_text[WIRE_MESSAGE_MAX + 1];
        struct wire_message parsed;

        for (size_t i = 0; i < ELEMENTSOF(texts); ++i)
                if (wire_parse(&parsed, texts[i], strlen(texts[i])) != -EBADMSG)
                        fail_msg("accepted: %s", texts[i]);

        memset(deep, '[', sizeof(deep));
        assert_int_equal(wire_parse(&parsed, deep, sizeof(deep)), -EBADMSG);
        memset(long_text, ' ', sizeof(long_text));
        assert_int_equal(wire_parse(&parsed, long_text, sizeof(long_text)), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_printable),
                cmocka_unit_test(test_newer_peer),
                cmocka_unit_test(test_garbage),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
