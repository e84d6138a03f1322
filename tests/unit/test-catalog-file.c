/* SPDX-License-Identifier: Apache-2.0 */

#include "journal.h"

#include "model/catalog_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int parse_all(struct i4_catalog **catalogp, struct plant **plantp, const char *text,
                struct journal *journal) {
        struct complaints complaints = { .report = journal_report, .userdata = journal };
        int r;

        *journal = (struct journal){};
        r = catalog_parse(catalogp, plantp, "c", text, strlen(text), 100, &complaints);
        assert_int_equal(r<0, complaints.n> 0);
        return r;
}

static int parse(struct i4_catalog **catalogp, const char *text, struct journal *journal) {
        _cleanup_(plant_freep) struct plant *plant = NULL;

        return parse_all(catalogp, &plant, text, journal);
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
        _cleanup_(plant_freep) struct plant *plant = NULL, *builtin = NULL;
        const struct i4_catalog *expected = i4_catalog_get_default();
        struct journal journal = {};
        struct complaints complaints = { .report = journal_report, .userdata = &journal };
        char path[4096];

        assert_non_null(getenv("I4_SOURCE"));
        (void) snprintf(path, sizeof(path), "%s/etc/catalog.json", getenv("I4_SOURCE"));
        assert_int_equal(catalog_load(&catalog, &plant, path, expected->n_sensors, &complaints), 0);
        assert_string_equal(journal.text, "");

        assert_int_equal(catalog->n_sensors, expected->n_sensors);
        assert_int_equal(catalog->n_types, expected->n_types);
        assert_int_equal(catalog->n_pipelines, expected->n_pipelines);
        assert_memory_equal(catalog->types, expected->types, expected->n_types * sizeof(*expected->types));
        assert_memory_equal(catalog->pipelines, expected->pipelines,
                        expected->n_pipelines * sizeof(*expected->pipelines));

        assert_int_equal(plant_new(&builtin, expected), 0);
        for (uint32_t i = 0; i < expected->n_types; ++i) {
                assert_memory_equal(&plant->types[i].limits, &builtin->types[i].limits,
                                sizeof(builtin->types[i].limits));
                assert_int_equal(plant->types[i].site, builtin->types[i].site);
        }
        for (uint32_t i = 0; i < expected->n_pipelines; ++i)
                assert_memory_equal(
                                &plant->pipelines[i], &builtin->pipelines[i], sizeof(*builtin->pipelines));
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
        char text[2048];

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

/* the plant behind the names */

#define WAY "\"route\": [{\"lat\": 40, \"lon\": -100}, {\"lat\": 41, \"lon\": -100}]"

static struct plant *plant_parse(const char *type, const char *pipeline) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        struct plant *plant = NULL;
        struct journal journal;
        char text[1024];

        (void) snprintf(text, sizeof(text),
                        "{\"types\": [{\"name\": \"a\", \"unit\": \"u\", \"prefix\": \"p\", "
                        "\"minimum\": -1.5, \"maximum\": 2%s}], \"pipelines\": [{\"id\": \"P\"%s}]}",
                        type, pipeline);
        assert_int_equal(parse_all(&catalog, &plant, text, &journal), 0);
        assert_int_equal(plant->n_types, 1);
        assert_int_equal(plant->n_pipelines, 1);
        return plant;
}

/* What is not said is as where nothing is said at all. */
static void test_plant_of_names(void **state) {
        _cleanup_(plant_freep) struct plant *plant = plant_parse("", ""), *route = plant_parse("", ", " WAY);
        const struct plant_pipeline *pipeline = &plant->pipelines[0];

        assert_int_equal(plant->types[0].limits.low_low_e2, -150 + 350 / 20);
        assert_int_equal(plant->types[0].limits.deadband_e2, 3);
        assert_int_equal(plant->types[0].site, PLANT_LINE);
        assert_int_equal(pipeline->length_e2, 25000);
        assert_in_range(plant_pipeline_measure_route_e2(pipeline), 24900, 25000);
        assert_int_equal(pipeline->n_stations, 5);

        /* A degree of latitude: as long as the route, one station. */
        assert_int_equal(route->pipelines[0].length_e2, 6905);
        assert_int_equal(route->pipelines[0].n_stations, 1);
        assert_int_equal(route->pipelines[0].flow_e2, pipeline->flow_e2);
}

static void test_plant(void **state) {
        _cleanup_(plant_freep) struct plant *plant = plant_parse(
                        ", \"limits\": {\"high\": 1.25, \"deadband\": 0}, \"site\": \"station\"",
                        ", " WAY
                        ", \"length_miles\": 70.5, \"flow_bbl_hr\": 1234.5, \"stations\": [0, 30.25]");
        const struct plant_limits *limits = &plant->types[0].limits;
        const struct plant_pipeline *pipeline = &plant->pipelines[0];

        assert_int_equal(limits->low_low_e2, PLANT_NO_LOW);
        assert_int_equal(limits->low_e2, PLANT_NO_LOW);
        assert_int_equal(limits->high_e2, 125);
        assert_int_equal(limits->high_high_e2, PLANT_NO_HIGH);
        assert_int_equal(limits->deadband_e2, 0);
        assert_int_equal(plant->types[0].site, PLANT_STATION);

        assert_int_equal(pipeline->length_e2, 7050);
        assert_int_equal(pipeline->flow_e2, 123450);
        assert_int_equal(pipeline->n_way_points, 2);
        assert_int_equal(pipeline->way_points[1].latitude_e6, 41000000);
        assert_int_equal(pipeline->way_points[1].longitude_e6, -100000000);
        assert_int_equal(pipeline->n_stations, 2);
        assert_int_equal(pipeline->stations_e2[1], 3025);
}

static void test_bad_types(void **state) {
        static const struct {
                const char *members, *complaint;
        } bad[] = {
                { "\"limits\": [1]", "A set of limits must be an object, {…}" },
                { "\"limits\": {\"hi\": 1}", "There is no key \"hi\" in a set of limits" },
                { "\"limits\": {\"low\": null}", "\"low\" must be a number from -17000000 to 17000000" },
                { "\"limits\": {\"low\": 0.125}", "\"low\" must have two decimals at most" },
                { "\"limits\": {\"high\": 2.01}",
                                "\"high\" must lie within the range of its type, -1.50 to 2.00" },
                { "\"limits\": {\"low_low\": 1, \"high\": 0.5}",
                                "\"low_low\", \"low\", \"high\" and \"high_high\" must ascend" },
                { "\"limits\": {\"deadband\": -0.1}", "\"deadband\" must be a number from 0 to 17000000" },
                { "\"site\": 5", "\"site\" must be \"line\" or \"station\"" },
                { "\"site\": \"\"", "\"site\" must be \"line\" or \"station\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); ++i) {
                char text[1024], expected[1024];

                (void) snprintf(text, sizeof(text), NAMES "\"minimum\": -1.5, \"maximum\": 2,\n%s",
                                bad[i].members);
                (void) snprintf(expected, sizeof(expected), "c:3: %s\n", bad[i].complaint);
                assert_type_refused(text, expected);
        }
}

static void test_bad_pipelines(void **state) {
        static const struct {
                const char *members, *complaint;
        } bad[] = {
                { "\n\"miles\": 5", "c:2: There is no key \"miles\" in a pipeline" },
                { "\n\"length_miles\": 5", "c:1: A pipeline with a \"length_miles\" must have a \"route\"" },
                { "\n\"stations\": [0]", "c:1: A pipeline with a \"stations\" must have a \"route\"" },
                { "\n\"flow_bbl_hr\": 0", "c:2: \"flow_bbl_hr\" must be a number from 1 to 1000000" },
                { "\"route\":\n[{\"lat\": 1, \"lon\": 2}]",
                                "c:1: \"route\" must be a list, [{…}, …], of 2 to 64" },
                { "\"route\": [{\"lat\": 1,\n\"lon\": -181},\n7]",
                                "c:2: \"lon\" must be a number from -180 to 180\n"
                                "c:3: A way point must be an object, {…}" },
                { "\"route\": [{\"lat\": 1, \"lon\": 2},\n{\"lat\": 1.0000001, \"lon\": 2}]",
                                "c:2: \"lat\" must have six decimals at most" },
                { "\n\"route\": [{\"lat\": 1, \"lon\": 2}, {\"lat\": 1, \"lon\": 2}]",
                                "c:2: \"route\" must be 1 to 5000 miles long, and is 0.00" },
                { WAY ",\n\"length_miles\": 69",
                                "c:2: \"length_miles\" must not be less than its route, which is 69.05 miles long" },
                { WAY ",\n\"length_miles\": 5001", "c:2: \"length_miles\" must be a number from 1 to 5000" },
                { WAY ", \"stations\":\n[]", "c:1: \"stations\" must be a list, [0, …], of 1 to 128" },
                { WAY ", \"stations\": [\n\"0\"]", "c:2: A station must be a number from 0 to 5000" },
                { WAY ", \"stations\": [\n1]", "c:2: The first station must be at mile 0" },
                { WAY ", \"stations\": [0,\n20,\n20]", "c:3: Stations must ascend" },
                { WAY ", \"stations\": [0,\n69.05]", "c:2: A station must be before the end, at mile 69.05" },
                { WAY ", \"length_miles\": 150, \"stations\": [0,\n75.01]",
                                "c:2: A station must be 75 miles at most from the one before it" },
                { WAY ", \"length_miles\": 150, \"stations\": [0,\n74.99]",
                                "c:2: The last station must be 75 miles at most from the end, at mile 150.00" },
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); ++i) {
                char text[1024], expected[1024];

                (void) snprintf(text, sizeof(text),
                                "{\"types\": [" TYPE "], \"pipelines\": [{\"id\": \"P\", %s}]}",
                                bad[i].members);
                (void) snprintf(expected, sizeof(expected), "%s\n", bad[i].complaint);
                assert_refused(text, expected);
        }
}

static void test_load_missing(void **state) {
        struct i4_catalog *catalog = NULL;
        struct plant *plant = NULL;
        struct journal journal = {};
        struct complaints complaints = { .report = journal_report, .userdata = &journal };

        assert_int_equal(catalog_load(&catalog, &plant, "/nowhere/c.json", 1, &complaints), -EINVAL);
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
                cmocka_unit_test(test_plant_of_names),
                cmocka_unit_test(test_plant),
                cmocka_unit_test(test_bad_types),
                cmocka_unit_test(test_bad_pipelines),
                cmocka_unit_test(test_load_missing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
