/* SPDX-License-Identifier: Apache-2.0 */

#include "model/catalog_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct journal {
        char text[4096];
        size_t size;
};

static void journal_report(void *userdata, const char *file, unsigned int line, const char *text) {
        struct journal *journal = userdata;
        int n;

        n = snprintf(journal->text + journal->size, sizeof(journal->text) - journal->size, "%s:%u: %s\n",
                        file, line, text);
        assert_in_range(n, 1, sizeof(journal->text) - journal->size - 1);
        journal->size += (size_t) n;
}

static int parse(struct i4_catalog **catalogp, const char *text, struct journal *journal) {
        struct complaints complaints = { .report = journal_report, .userdata = journal };
        int r;

        *journal = (struct journal){};
        r = catalog_parse(catalogp, "c", text, strlen(text), 100, &complaints);
        assert_int_equal(r<0, complaints.n> 0);
        return r;
}

static void assert_refused(const char *text, const char *expected) {
        struct i4_catalog *catalog = NULL;
        struct journal journal;

        assert_int_equal(parse(&catalog, text, &journal), -EINVAL);
        assert_string_equal(journal.text, expected);
        assert_null(catalog);
}

#define TYPE      "{\"name\": \"a\", \"unit\": \"u\", \"prefix\": \"p\", \"minimum\": -1.5, \"maximum\": 2}"
#define PIPELINES "\"pipelines\": [{\"id\": \"P\"}]"

/* The file that is shipped is the catalog that is compiled in. */
static void test_default(void **state) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        const struct i4_catalog *expected = i4_catalog_get_default();
        struct journal journal = {};
        struct complaints complaints = { .report = journal_report, .userdata = &journal };
        char path[4096];

        assert_non_null(getenv("I4_SOURCE"));
        (void) snprintf(path, sizeof(path), "%s/etc/catalog.json", getenv("I4_SOURCE"));
        assert_int_equal(catalog_load(&catalog, path, expected->n_sensors, &complaints), 0);
        assert_string_equal(journal.text, "");

        assert_int_equal(catalog->n_sensors, expected->n_sensors);
        assert_int_equal(catalog->n_types, expected->n_types);
        assert_int_equal(catalog->n_pipelines, expected->n_pipelines);
        assert_memory_equal(catalog->types, expected->types, expected->n_types * sizeof(*expected->types));
        assert_memory_equal(catalog->pipelines, expected->pipelines,
                        expected->n_pipelines * sizeof(*expected->pipelines));
}

static void test_values(void **state) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        struct journal journal;

        assert_int_equal(
                        parse(&catalog, "\xef\xbb\xbf{" PIPELINES ", \"types\": [" TYPE "]}\n", &journal), 0);
        assert_int_equal(catalog->n_sensors, 100);
        assert_int_equal(catalog->n_types, 1);
        assert_string_equal(catalog->types[0].name, "a");
        assert_string_equal(catalog->types[0].unit, "u");
        assert_string_equal(catalog->types[0].prefix, "p");
        assert_int_equal(catalog->types[0].minimum_e2, -150);
        assert_int_equal(catalog->types[0].maximum_e2, 200);
        assert_string_equal(catalog->pipelines[0].id, "P");
}

static void test_not_json(void **state) {
        assert_refused("", "c:1: This is not JSON\n");
        assert_refused("{\n\"types\": [\n" TYPE "\n" TYPE "]}", "c:4: This is not JSON\n");
        assert_refused("{}\n\n{}", "c:3: This is not JSON: the text goes on after its end\n");
}

static void test_keys(void **state) {
        assert_refused("\n[]", "c:2: A catalog must be an object, {…}\n");
        assert_refused("{\n}",
                        "c:1: A catalog lacks its \"types\"\nc:1: A catalog lacks its \"pipelines\"\n");
        assert_refused("{\"types\": [" TYPE "],\n" PIPELINES ",\n" PIPELINES ",\n\"version\": 1}",
                        "c:3: The key \"pipelines\" stands here a second time\n"
                        "c:4: There is no key \"version\" in a catalog\n");
        assert_refused("{\"types\": [" TYPE
                       ",\n  {\"name\": \"b\",\n\"color\": [{\"]\": \"}\\\"\"}]}],\n" PIPELINES "}",
                        "c:3: There is no key \"color\" in a type\n"
                        "c:2: A type lacks its \"unit\"\n"
                        "c:2: A type lacks its \"prefix\"\n"
                        "c:2: A type lacks its \"minimum\"\n"
                        "c:2: A type lacks its \"maximum\"\n");
        assert_refused("{\"types\": [" TYPE "],\n\"pipelines\": [\n{\"id\": \"P\"},\n\"Q\"]}",
                        "c:4: A pipeline must be an object, {…}\n");
}

static void test_lists(void **state) {
        assert_refused("{\"types\": {},\n\"pipelines\":\n[]}",
                        "c:1: \"types\" must be a list, [{…}, …], of 1 to 256\n"
                        "c:2: \"pipelines\" must be a list, [{…}, …], of 1 to 65535\n");
        assert_refused("{\"types\": [" TYPE ",\n" TYPE
                       "],\n\"pipelines\": [{\"id\": \"P\"},{\"id\": \"Q\"},\n{\"id\": \"P\"}]}",
                        "c:2: \"a\" is listed a second time\nc:4: \"P\" is listed a second time\n");
}

static void assert_type_refused(const char *type, const char *expected) {
        char text[1024];

        (void) snprintf(text, sizeof(text), "{" PIPELINES ", \"types\": [{%s}]}", type);
        assert_refused(text, expected);
}

static void test_names(void **state) {
#define NUMBERS "\"minimum\": 0, \"maximum\": 1"

        assert_type_refused("\"name\": \"\",\n\"unit\": \"\302\260F\",\n\"prefix\": 5,\n" NUMBERS,
                        "c:1: \"name\" must be a string of 1 to 31 ASCII characters without quotes and backslashes\n"
                        "c:2: \"unit\" must be a string of 1 to 15 ASCII characters without quotes and backslashes\n"
                        "c:3: \"prefix\" must be a string of 1 to 7 ASCII characters without quotes and backslashes\n");
        assert_type_refused("\"name\": \"a\\\"\", \"unit\": \"u\",\n\"prefix\": \"12345678\", " NUMBERS,
                        "c:1: \"name\" must be a string of 1 to 31 ASCII characters without quotes and backslashes\n"
                        "c:2: \"prefix\" must be a string of 1 to 7 ASCII characters without quotes and backslashes\n");
}

static void test_numbers(void **state) {
#define NAMES "\"name\": \"a\", \"unit\": \"u\", \"prefix\": \"p\",\n"

        assert_type_refused(NAMES "\"minimum\": \"0\",\n\"maximum\": 1e999",
                        "c:2: \"minimum\" must be a number from -17000000 to 17000000\n"
                        "c:3: \"maximum\" must be a number from -17000000 to 17000000\n");
        assert_type_refused(NAMES "\"minimum\": -17000000.01,\n\"maximum\": 0.001",
                        "c:2: \"minimum\" must be a number from -17000000 to 17000000\n"
                        "c:3: \"maximum\" must have two decimals at most\n");
        assert_type_refused(NAMES "\"minimum\": 1,\n\"maximum\": 1.00",
                        "c:3: \"maximum\" must be above \"minimum\"\n");
}

/* The nearest hundredth is meant, whatever its nearest double is. */
static void test_hundredths(void **state) {
        char text[1024];

        for (int32_t i = -99; i < 100; ++i) {
                _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
                struct journal journal;

                (void) snprintf(text, sizeof(text),
                                "{" PIPELINES ", \"types\": [{" NAMES
                                "\"minimum\": %s16999999.%02d, \"maximum\": "
                                "17000000}]}",
                                i < 0 ? "-" : "", i < 0 ? -i : i);
                assert_int_equal(parse(&catalog, text, &journal), 0);
                assert_int_equal(catalog->types[0].minimum_e2, i < 0 ? -1699999900 + i : 1699999900 + i);
        }
}

static void test_load_missing(void **state) {
        struct i4_catalog *catalog = NULL;
        struct journal journal = {};
        struct complaints complaints = { .report = journal_report, .userdata = &journal };

        assert_int_equal(catalog_load(&catalog, "/nowhere/c.json", 1, &complaints), -EINVAL);
        assert_string_equal(journal.text, "/nowhere/c.json:0: Cannot be read: No such file or directory\n");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_not_json),
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_hundredths),
                cmocka_unit_test(test_load_missing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
