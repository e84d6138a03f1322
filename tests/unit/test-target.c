/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/target.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NS (UINT64_C(1705234567) * NSEC_PER_SEC + 890123456)

static struct target target_make(void) {
        return (struct target){ .bucket = "my-bucket",
                .prefix = "sensor-data/",
                .region = "eu-west-1",
                .node = "edge-hostname" };
}

static void require_key(const struct target *target, const char *expected) {
        char key[TARGET_KEY_MAX];

        assert_int_equal(target_format_key(target, NS, key), 0);
        assert_string_equal(key, expected);
}

/* The reference's pattern, whatever somebody thinks of slashes. */
static void test_key(void **state) {
        static const char expected[] = "sensor-data/2024/01/14/edge-hostname_1705234567890123456.json";
        static const char *const prefixes[] = { "sensor-data/", "sensor-data", "/sensor-data//" };
        struct target target = target_make();

        for (size_t i = 0; i < ELEMENTSOF(prefixes); ++i) {
                target.prefix = prefixes[i];
                require_key(&target, expected);
        }

        target.prefix = "";
        require_key(&target, expected + strlen("sensor-data/"));
        target.prefix = "/";
        require_key(&target, expected + strlen("sensor-data/"));

        target.prefix = "a/b/";
        target.node = "x/../y";
        require_key(&target, "a/b/2024/01/14/x_.._y_1705234567890123456.json");
}

static void test_long(void **state) {
        char text[2 * TARGET_KEY_MAX], key[TARGET_KEY_MAX];
        struct target target = target_make();

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        target.prefix = text;
        assert_int_equal(target_format_key(&target, NS, key), -ENAMETOOLONG);
        target.prefix = "";
        target.node = text;
        assert_int_equal(target_format_key(&target, NS, key), -ENAMETOOLONG);
}

static void require_url(const struct target *target, const char *key, const char *expected) {
        char url[TARGET_URL_MAX];

        assert_int_equal(target_format_url(target, key, url), 0);
        assert_string_equal(url, expected);
}

static void test_url(void **state) {
        struct target target = target_make();

        require_url(&target, "a/b.json", "https://my-bucket.s3.eu-west-1.amazonaws.com/a/b.json");
        target.is_path_style = true;
        require_url(&target, "a/b.json", "https://s3.eu-west-1.amazonaws.com/my-bucket/a/b.json");
        target.endpoint = "http://127.0.0.1:9000/";
        require_url(&target, "a/b.json", "http://127.0.0.1:9000/my-bucket/a/b.json");
        target.is_path_style = false;
        require_url(&target, "a/b.json", "http://my-bucket.127.0.0.1:9000/a/b.json");

        target.endpoint = NULL;
        target.region = "cn-north-1";
        require_url(&target, "k", "https://my-bucket.s3.cn-north-1.amazonaws.com.cn/k");
}

/* As a signature wants it: nothing but unreserved characters stays. */
static void test_encoding(void **state) {
        struct target target = target_make();

        target.endpoint = "https://s3";
        target.is_path_style = true;
        require_url(&target, "a-b_c.d~e/f g+h%?#&=\xc3\xbc",
                        "https://s3/my-bucket/a-b_c.d~e/f%20g%2Bh%25%3F%23%26%3D%C3%BC");
}

static void test_checks(void **state) {
        static const char *const buckets[] = { "my-bucket", "a.b.c", "123" };
        static const char *const no_buckets[] = { "", "ab", "My-Bucket", "a_b", "-abc", "abc-", ".abc",
                "a..b", "a/b", "a b", "a@b",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
        static const char *const endpoints[] = { "https://s3", "http://127.0.0.1:9000",
                "https://minio.example:9000/" };
        static const char *const no_endpoints[] = { "", "s3", "ftp://s3", "https://", "https:///",
                "https://a/b", "https://user@a", "https://a?b", "https://a b" };

        for (size_t i = 0; i < ELEMENTSOF(buckets); ++i)
                assert_true(target_bucket_is_valid(buckets[i]));
        for (size_t i = 0; i < ELEMENTSOF(no_buckets); ++i)
                assert_false(target_bucket_is_valid(no_buckets[i]));
        for (size_t i = 0; i < ELEMENTSOF(endpoints); ++i)
                assert_true(target_endpoint_is_valid(endpoints[i]));
        for (size_t i = 0; i < ELEMENTSOF(no_endpoints); ++i)
                assert_false(target_endpoint_is_valid(no_endpoints[i]));

        assert_true(target_region_is_valid("us-east-1"));
        assert_false(target_region_is_valid(""));
        assert_false(target_region_is_valid("us-east-1.evil"));
        assert_false(target_region_is_valid("us:east"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_key),
                cmocka_unit_test(test_long),
                cmocka_unit_test(test_url),
                cmocka_unit_test(test_encoding),
                cmocka_unit_test(test_checks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
