/* SPDX-License-Identifier: Apache-2.0 */

#include "journal.h"
#include "tree.h"

#include "daemon/config.h"
#include "ring/layout.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fixture {
        char directory[64];
        char path[128]; /* of the main file, which does not exist at first */
        struct config config;
        struct journal journal;
        struct complaints complaints;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        if (!f)
                return -1;

        (void) strcpy(f->directory, "/tmp/i4-config-XXXXXX");
        if (!mkdtemp(f->directory))
                return -1;
        (void) snprintf(f->path, sizeof(f->path), "%s/i4d.conf", f->directory);

        f->complaints = (struct complaints){ .report = journal_report, .userdata = &f->journal };
        config_init(&f->config);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        tree_remove(f->directory);
        free(f);
        return 0;
}

static void write_file(const struct fixture *f, const char *name, const char *text) {
        _cleanup_(fclosep) FILE *file = NULL;
        char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", f->directory, name);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_int_not_equal(fputs(text, file), EOF);
}

static void make_dropins(const struct fixture *f) {
        char path[256];

        (void) snprintf(path, sizeof(path), "%s.d", f->path);
        assert_int_equal(mkdir(path, 0755), 0);
}

static void parse(struct fixture *f, const char *text) {
        assert_int_equal(config_parse(&f->config, "i4d.conf", text, strlen(text), &f->complaints), 0);
}

static void assert_complaint(const struct fixture *f, const char *text) {
        if (!strstr(f->journal.text, text))
                fail_msg("no \"%s\" in:\n%s", text, f->journal.text);
}

static void assert_unchanged(const struct fixture *f) {
        struct config defaults;

        config_init(&defaults);
        assert_null(config_next_change(NULL, &f->config, &defaults));
}

/* defaults */

static void test_defaults(void **state) {
        struct fixture *f = *state;

        assert_int_equal(f->config.rate.n_records, 10000);
        assert_int_equal(f->config.rate.period_ns, NSEC_PER_SEC);
        assert_string_equal(f->config.catalog, "");
        assert_int_equal(f->config.anomalies_e4, 200);
        assert_int_equal(f->config.batch_ns, 250 * NSEC_PER_MSEC);
        assert_int_equal(f->config.catch_up_ns, 10 * NSEC_PER_SEC);
        assert_int_equal(f->config.n_records, 262144);
        assert_int_equal(f->config.max_readers, 1024);
        assert_true(f->config.storage_enabled);
        assert_int_equal(f->config.engine, ENGINE_AUTO);
        assert_int_equal(f->config.flush_ns, 250 * NSEC_PER_MSEC);
        assert_int_equal(f->config.retention.max_file_size, 0);
        assert_int_equal(f->config.retention.max_use.share_e4, 1000);
        assert_int_equal(f->config.retention.max_use.bytes, UINT64_C(4) << 30);
        assert_int_equal(f->config.retention.keep_free.share_e4, 1500);
        assert_int_equal(f->config.retention.keep_free.bytes, UINT64_MAX);
        assert_int_equal(f->config.retention.max_retention_ns, NSEC_INFINITY);
        assert_int_equal(f->config.stats_interval_ns, NSEC_PER_MIN);
}

/* The fleet of a fresh install is the one the tools assume without a daemon. */
static void test_default_fleet(void **state) {
        struct fixture *f = *state;

        assert_int_equal(f->config.n_sensors, i4_catalog_get_n_sensors(i4_catalog_get_default()));
}

/* Reads a file of the source tree. */
static char *read_source(const char *name) {
        const char *source = getenv("I4_SOURCE");
        char path[4096], *text = NULL;
        size_t size;

        assert_non_null(source);
        (void) snprintf(path, sizeof(path), "%s/%s", source, name);
        assert_int_equal(file_read(path, 1 << 20, &text, &size), 0);
        return text;
}

/* Removes the "#" before each setting, and counts them. */
static unsigned int uncomment(char *text) {
        unsigned int n = 0;
        char *line, *equals;

        for (line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                equals = strchr(line, '=');
                if (*line != '#' || line[1] < 'A' || line[1] > 'Z' || !equals ||
                                strcspn(line, " \n") < (size_t) (equals - line))
                        continue;
                *line = ' ';
                ++n;
        }

        return n;
}

/* etc/i4d.conf ships every setting, at its default. */
static void test_shipped_file(void **state) {
        struct fixture *f = *state;
        _cleanup_(freep) char *text = read_source("etc/i4d.conf");
        char setting[256], section[64];
        unsigned int n_keys = 0;

        for (const struct config_key *key = NULL; (key = config_next_key(key)); ++n_keys) {
                (void) snprintf(section, sizeof(section), "\n[%s]\n", config_key_get_section(key));
                (void) snprintf(setting, sizeof(setting), "\n#%s=%s\n", config_key_get_name(key),
                                config_key_get_default(key));
                if (!strstr(text, section) || !strstr(text, setting))
                        fail_msg("etc/i4d.conf lacks %s%s", section, setting);
        }

        assert_int_equal(uncomment(text), n_keys);
        memset(&f->config, 0xff, sizeof(f->config));
        parse(f, text);
        assert_string_equal(f->journal.text, "");
        assert_unchanged(f);
}

/* The manual page has a paragraph for every setting: its default, and what it takes to change it. */
static void test_manual(void **state) {
        static const char *const classes[] = {
                [CONFIG_LIVE] = "Live.",
                [CONFIG_RESTART] = "Restart.",
                [CONFIG_NEW_RING] = "New ring.",
        };
        _cleanup_(freep) char *text = read_source("man/i4d.conf.5");
        unsigned int n_keys = 0, n_paragraphs = 0;
        char paragraph[256];

        for (const struct config_key *key = NULL; (key = config_next_key(key)); ++n_keys) {
                (void) snprintf(paragraph, sizeof(paragraph), "\n.TP\n.B \"%s=%s\"\n%s\n",
                                config_key_get_name(key), config_key_get_default(key),
                                classes[config_key_get_class(key)]);
                if (!strstr(text, paragraph))
                        fail_msg("man/i4d.conf.5 lacks %s", paragraph);
        }

        for (const char *p = text; (p = strstr(p, "\n.TP\n.B \"")); ++p)
                ++n_paragraphs;
        assert_int_equal(n_paragraphs, n_keys);
}

/* The fuzzer begins with every key, and cannot be expected to guess one. */
static void test_corpus(void **state) {
        static const char *const names[] = { "tests/fuzz/corpus-config/every-key",
                "tests/fuzz/corpus-config/empty-values" };
        char setting[64];

        for (size_t i = 0; i < ELEMENTSOF(names); ++i) {
                _cleanup_(freep) char *text = read_source(names[i]);

                for (const struct config_key *key = NULL; (key = config_next_key(key));) {
                        (void) snprintf(setting, sizeof(setting), "\n%s=", config_key_get_name(key));
                        if (!strstr(text, setting))
                                fail_msg("%s lacks %s=", names[i], config_key_get_name(key));
                }
        }
}

/* values */

static void test_values(void **state) {
        struct fixture *f = *state;

        parse(f, "[Generator]\nRate=90/min\nSchedule=1000 for 50s, 20000 for 10s, repeat\nSeed=18446744073709551615\nSensors=7\nCatalog=/x y/c.json\n"
                 "Model=uniform\nAnomalies=2.5%\nAnomalyMix=leak=2,stuck=1\nLabels=inline\nBatchSec=20ms\nCatchUpSec=infinity\n"
                 "[Ring]\nRecords=1024\nMaxReaders=3\n"
                 "[Storage]\nEnabled=no\nEngine=pwrite\nDirectIO=yes\nSequence=yes\nOverflow=block\nFlushSec=1s\nSyncSec=infinity\n"
                 "MaxFileSize=64M\nMaxFileSec=1h\nMaxUse=1.5%\nKeepFree=1G\nMaxRetentionSec=2weeks\n"
                 "[Stats]\nIntervalSec=1min 30s\n");
        assert_string_equal(f->journal.text, "");

        assert_int_equal(f->config.rate.n_records * NSEC_PER_MIN, 90 * f->config.rate.period_ns);
        assert_int_equal(f->config.profile.n_phases, 2);
        assert_true(f->config.profile.repeats);
        assert_true(f->config.seed == UINT64_MAX);
        assert_int_equal(f->config.n_sensors, 7);
        assert_string_equal(f->config.catalog, "/x y/c.json");
        assert_int_equal(f->config.anomalies_e4, 250);
        assert_int_equal(f->config.mix.weights[I4_FAULT_LEAK], 2);
        assert_int_equal(f->config.batch_ns, 20 * NSEC_PER_MSEC);
        assert_true(f->config.catch_up_ns == NSEC_INFINITY);
        assert_int_equal(f->config.n_records, 1024);
        assert_int_equal(f->config.max_readers, 3);
        assert_false(f->config.storage_enabled);
        assert_int_equal(f->config.engine, ENGINE_PWRITE);
        assert_int_equal(f->config.overflow, OVERFLOW_BLOCK);
        assert_int_equal(f->config.flush_ns, NSEC_PER_SEC);
        assert_true(f->config.sync_ns == NSEC_INFINITY);
        assert_int_equal(f->config.retention.max_file_size, 64 << 20);
        assert_int_equal(f->config.retention.max_file_ns, NSEC_PER_HOUR);
        assert_int_equal(f->config.retention.max_use.share_e4, 150);
        assert_true(f->config.retention.max_use.bytes == UINT64_MAX);
        assert_true(f->config.retention.keep_free.share_e4 >= 10000);
        assert_int_equal(f->config.retention.keep_free.bytes, 1 << 30);
        assert_int_equal(f->config.retention.max_retention_ns, 14 * NSEC_PER_DAY);
        assert_int_equal(f->config.stats_interval_ns, 90 * NSEC_PER_SEC);
}

/* Each bad value is told with what would be right, and changes nothing. */
static void test_bad_values(void **state) {
        static const struct {
                const char *section, *name, *value, *expected;
        } cases[] = {
                { "Generator", "Rate", "fast", "Rate=fast: must be readings a second (10000)" },
                { "Generator", "Rate", "0", "Rate=0: must be" },
                { "Generator", "Rate", "1000000001", "at most 1000000000 a second" },
                { "Generator", "AnomalyMix", "leek=1",
                                "AnomalyMix=leek=1: must be weights such as leak=2,stuck=1, not all 0, of out_of_range, " },
                { "Generator", "Schedule", "up and down",
                                "Schedule=up and down: must be phases such as \"1000 for" },
                { "Generator", "Shard", "2", "Shard=2: must be I/N with I from 0 to N - 1" },
                { "Generator", "Shard", "2/2", "Shard=2/2: must be I/N" },
                { "Generator", "Seed", "-1", "Seed=-1: must be a number from 0 to 18446744073709551615" },
                { "Generator", "Sensors", "0", "Sensors=0: must be a number from 1 to 10000000" },
                { "Generator", "Sensors", "4294967297", "must be a number from 1 to 10000000" },
                { "Generator", "Catalog", "catalog.json", "must be an absolute path" },
                { "Generator", "Model", "Uniform", "Model=Uniform: must be network or uniform" },
                { "Generator", "Anomalies", "2", "must be a percentage" },
                { "Generator", "Anomalies", "101%", "must be a percentage" },
                { "Generator", "Labels", "yes", "Labels=yes: must be none, inline or sidecar" },
                { "Generator", "BatchSec", "0", "BatchSec=0: must be a span of time from 1ms to 1s" },
                { "Generator", "BatchSec", "2s", "must be a span of time from 1ms to 1s" },
                { "Generator", "BatchSec", "infinity", "must be a span of time from 1ms to 1s" },
                { "Generator", "CatchUpSec", "1s", "must be a span of time of at least 2s" },
                { "Ring", "Records", "200000", "must be a power of two from 8 to 268435456" },
                { "Ring", "Records", "4", "must be a power of two" },
                { "Ring", "Records", "536870912", "must be a power of two" },
                { "Ring", "MaxReaders", "16385", "must be a number from 1 to 16384" },
                { "Storage", "Enabled", "maybe", "must be yes or no" },
                { "Storage", "DirectIO", "maybe", "DirectIO=maybe: must be auto, yes or no" },
                { "Storage", "Engine", "aio", "Engine=aio: must be auto, io_uring or pwrite" },
                { "Storage", "Overflow", "", "" },
                { "Storage", "FlushSec", "500us", "must be a span of time from 1ms to 1min" },
                { "Storage", "SyncSec", "0", "SyncSec=0: must be a span of time of at least 100ms" },
                { "Storage", "MaxFileSize", "1K", "must be a size of at least 512K" },
                { "Storage", "MaxFileSize", "infinity", "must be a size" },
                { "Storage", "MaxUse", "1K", "must be a size of at least 1M" },
                { "Storage", "MaxUse", "100%", "a share of the file system below 100%" },
                { "Storage", "MaxUse", "0%", "must be" },
                { "Storage", "MaxUse", "1% 2%", "must be" },
                { "Storage", "MaxUse", "4G 2G", "must be" },
                { "Storage", "MaxUse", " ", "must be" },
                { "Storage", "KeepFree", "infinity", "KeepFree=infinity: must be a size of at least 0" },
                { "Stats", "IntervalSec", "10 # often", "a comment needs a line of its own" },
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                f->journal = (struct journal){};
                config_set(&f->config, cases[i].section, cases[i].name, cases[i].value, "file", 3,
                                &f->complaints);
                assert_complaint(f, cases[i].expected);
                if (*cases[i].expected)
                        assert_ptr_equal(strstr(f->journal.text, "file:3: "), f->journal.text);
        }

        assert_unchanged(f);
}

/* An empty value is the default again, so that a drop-in can take back what stands before it. */
static void test_empty_value(void **state) {
        struct fixture *f = *state;

        parse(f, "[Generator]\nRate=5\nCatalog=/catalog.json\n[Storage]\nMaxUse=1G\n");
        parse(f, "[Generator]\nRate=\nCatalog=\n[Storage]\nMaxUse =\n");

        assert_string_equal(f->journal.text, "");
        assert_unchanged(f);
}

/* A machine keeps its seed, and it is not the machine id. */
static void test_machine_seed(void **state) {
        struct fixture *f = *state;
        uint64_t seed = f->config.seed;

        parse(f, "[Generator]\nSeed=1\n");
        assert_int_equal(f->config.seed, 1);
        parse(f, "[Generator]\nSeed=machine\n");
        assert_true(f->config.seed == seed);
}

/* What one machine can do and several cannot agree on. */
static void test_shard(void **state) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                { "Shard=1/4", "Shard=1/4 needs a Seed= that is a number" },
                { "Shard=1/4\nSeed=7\nSensors=6", "4 does not divide Sensors=6" },
                { "Shard=1/4\nSeed=7\nRate=max", "Shard=1/4 needs a Rate= that is a number" },
                { "Shard=1/4\nSeed=7\nSchedule=daily 1..2", "leave out Schedule=" },
                { "Shard=1/4\nSeed=7", "" },
                { "Rate=max\nSensors=3", "" },
        };
        struct fixture *f = *state;
        char text[128];

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                f->journal = (struct journal){};
                config_init(&f->config);
                (void) snprintf(text, sizeof(text), "[Generator]\n%s\n", cases[i].text);
                parse(f, text);
                config_verify(&f->config, "i4d.conf", &f->complaints);
                if (*cases[i].expected)
                        assert_complaint(f, cases[i].expected);
                else
                        assert_string_equal(f->journal.text, "");
        }
}

static void test_overflow(void **state) {
        struct fixture *f = *state;

        assert_int_equal(config_get_overflow(&f->config), OVERFLOW_DROP);
        parse(f, "[Generator]\nRate=max\n");
        assert_int_equal(config_get_overflow(&f->config), OVERFLOW_BLOCK);
        parse(f, "[Storage]\nOverflow=drop\n");
        assert_int_equal(config_get_overflow(&f->config), OVERFLOW_DROP);
}

/* lines */

static void test_lines(void **state) {
        struct fixture *f = *state;

        parse(f, "\xef\xbb\xbf; a comment\r\n"
                 "  # another\r\n"
                 "\r\n"
                 "  [Ring] \r\n"
                 "Records = 1024\r\n"
                 "\tMaxReaders=3 ; few\r\n"
                 "[Generator]\r\n"
                 "Rate=5");
        assert_string_equal(f->journal.text, "");
        assert_int_equal(f->config.n_records, 1024);
        assert_int_equal(f->config.max_readers, 3);
        assert_int_equal(f->config.rate.n_records, 5);
}

static void test_bad_lines(void **state) {
        struct fixture *f = *state;
        char text[1024] = "Rate=5\n"          /* 1 */
                          "[Ring\n"           /* 2 */
                          "Records=no\n"      /* of which section? */
                          "[Ring]\n"          /* 4 */
                          "Records\n"         /* 5 */
                          "  MaxReaders\n"    /* 6 */
                          "Rate=6\n"          /* 7 */
                          "records=8\n"       /* 8 */
                          "\n"                /* 9 */
                          "Records=\033[2J\n" /* 10 */
                          "[Storge]\n"        /* 11 */
                          "Enabled=yes\n"     /* 12 */
                          "Fast=yes\n"        /* 13 */
                          "Catalog=/";        /* 14 */
        size_t n = strlen(text);

        memset(text + n, 'x', 500);
        parse(f, text);

        assert_complaint(f, "i4d.conf:1: Rate= belongs below [Generator], and no section has begun here\n");
        assert_complaint(f, "i4d.conf:2: A section without its \"]\"\n");
        assert_complaint(f, "i4d.conf:5: Neither a section");
        assert_complaint(f, "i4d.conf:6: Neither a section");
        assert_complaint(f, "i4d.conf:7: Rate= belongs below [Generator]\n");
        assert_complaint(f,
                        "i4d.conf:8: There is no key records= in [Ring]; there are Records=, MaxReaders=\n");
        assert_complaint(f, "i4d.conf:10: Records=?[2J: must be");
        assert_complaint(f, "i4d.conf:12: Enabled= belongs below [Storage]\n");
        assert_complaint(f,
                        "i4d.conf:13: There is no section [Storge] for Fast=; there are [Generator], [Ring], "
                        "[Storage], [Stats]\n");
        assert_complaint(f, "i4d.conf:14: A line of 509 bytes: must be at most");
        assert_int_equal(f->complaints.n, 10);
        assert_unchanged(f);
}

static void test_nul_byte(void **state) {
        static const char text[] = "[Ring]\nRecords=8\0";
        struct fixture *f = *state;

        assert_int_equal(config_parse(&f->config, "i4d.conf", text, sizeof(text), &f->complaints), 0);
        assert_complaint(f, "i4d.conf:2: A NUL byte");
        assert_unchanged(f);
}

/* files */

static void test_load(void **state) {
        struct fixture *f = *state;

        write_file(f, "i4d.conf", "[Ring]\nRecords=8\nMaxReaders=8\n[Generator]\nRate=8\n");
        make_dropins(f);
        write_file(f, "i4d.conf.d/50-b.conf", "[Ring]\nRecords=16\n[Generator]\nRate=16\n");
        write_file(f, "i4d.conf.d/9.conf", "[Generator]\nRate=32\n");
        write_file(f, "i4d.conf.d/10-a.conf", "[Ring]\nRecords=64\n");
        write_file(f, "i4d.conf.d/99-b.conf~", "nonsense");
        write_file(f, "i4d.conf.d/.99-hidden.conf", "nonsense");

        assert_int_equal(config_load(&f->config, f->path, &f->complaints), 0);
        assert_int_equal(f->config.max_readers, 8);
        assert_int_equal(f->config.n_records, 16);
        assert_int_equal(f->config.rate.n_records, 32);
}

/* All files are read and all mistakes told; then nothing is changed. */
static void test_load_mistakes(void **state) {
        struct fixture *f = *state;

        write_file(f, "i4d.conf", "[Ring]\nRecords=16\nMaxReaders=x\n");
        make_dropins(f);
        write_file(f, "i4d.conf.d/a.conf", "[Generator]\n\nRate=x\n");

        f->config.n_records = 32;
        assert_int_equal(config_load(&f->config, f->path, &f->complaints), -EINVAL);
        assert_complaint(f, "i4d.conf:3: MaxReaders=x: must be");
        assert_complaint(f, "i4d.conf.d/a.conf:3: Rate=x: must be");
        assert_int_equal(f->complaints.n, 2);
        assert_int_equal(f->config.n_records, 32);
}

static void test_load_missing(void **state) {
        struct fixture *f = *state;

        assert_int_equal(config_load(&f->config, f->path, &f->complaints), -EINVAL);
        assert_complaint(f, "i4d.conf:0: Cannot be read: No such file or directory\n");
}

static void test_load_directory(void **state) {
        struct fixture *f = *state;

        assert_int_equal(config_load(&f->config, f->directory, &f->complaints), -EINVAL);
        assert_complaint(f, ":0: Cannot be read: Is a directory\n");
}

/* Something named like a drop-in must not stop the daemon from starting, or for ever. */
static void test_load_odd_dropins(void **state) {
        struct fixture *f = *state;
        char path[256];

        write_file(f, "i4d.conf", "[Ring]\nRecords=16\n");
        make_dropins(f);
        (void) snprintf(path, sizeof(path), "%s.d/masked.conf", f->path);
        assert_int_equal(symlink("/dev/null", path), 0);
        (void) snprintf(path, sizeof(path), "%s.d/pipe.conf", f->path);
        assert_int_equal(mkfifo(path, 0600), 0);
        (void) snprintf(path, sizeof(path), "%s.d/endless.conf", f->path);
        assert_int_equal(symlink("/dev/zero", path), 0);

        assert_int_equal(config_load(&f->config, f->path, &f->complaints), -EINVAL);
        assert_complaint(f, "endless.conf:0: Cannot be read: File too large\n");
        assert_int_equal(f->complaints.n, 1);
}

/* reloading */

static void test_changes(void **state) {
        struct fixture *f = *state;
        struct config loaded = f->config;
        const struct config_key *key;

        assert_null(config_next_change(NULL, &f->config, &loaded));

        config_set(&loaded, "Generator", "Rate", "5", "file", 1, &f->complaints);
        config_set(&loaded, "Generator", "Seed", "5", "file", 1, &f->complaints);
        config_set(&loaded, "Ring", "Records", "8", "file", 1, &f->complaints);
        config_set(&loaded, "Storage", "KeepFree", "1G", "file", 1, &f->complaints);

        key = config_next_change(NULL, &f->config, &loaded);
        assert_string_equal(config_key_get_name(key), "Rate");
        assert_int_equal(config_key_get_class(key), CONFIG_LIVE);
        key = config_next_change(key, &f->config, &loaded);
        assert_string_equal(config_key_get_name(key), "Seed");
        assert_int_equal(config_key_get_class(key), CONFIG_RESTART);
        key = config_next_change(key, &f->config, &loaded);
        assert_string_equal(config_key_get_name(key), "Records");
        assert_string_equal(config_key_get_section(key), "Ring");
        assert_int_equal(config_key_get_class(key), CONFIG_NEW_RING);
        key = config_next_change(key, &f->config, &loaded);
        assert_string_equal(config_key_get_name(key), "KeepFree");
        assert_null(config_next_change(key, &f->config, &loaded));

        /* A reload takes the live ones, and the rest still waits. */
        config_take_live(&f->config, &loaded);
        assert_int_equal(f->config.rate.n_records, 5);
        assert_int_equal(f->config.retention.keep_free.bytes, 1 << 30);
        assert_int_equal(f->config.n_records, 262144);
        key = config_next_change(NULL, &f->config, &loaded);
        assert_string_equal(config_key_get_name(key), "Seed");
        key = config_next_change(key, &f->config, &loaded);
        assert_string_equal(config_key_get_name(key), "Records");
        assert_null(config_next_change(key, &f->config, &loaded));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(test_defaults),
                TEST(test_default_fleet),
                TEST(test_shipped_file),
                TEST(test_manual),
                TEST(test_corpus),
                TEST(test_values),
                TEST(test_bad_values),
                TEST(test_empty_value),
                TEST(test_machine_seed),
                TEST(test_shard),
                TEST(test_overflow),
                TEST(test_lines),
                TEST(test_bad_lines),
                TEST(test_nul_byte),
                TEST(test_load),
                TEST(test_load_mistakes),
                TEST(test_load_missing),
                TEST(test_load_directory),
                TEST(test_load_odd_dropins),
                TEST(test_changes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
