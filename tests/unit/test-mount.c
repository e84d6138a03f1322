/* SPDX-License-Identifier: Apache-2.0 */

#include "util/macros.h"
#include "util/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void test_parse(void **state) {
        static const struct {
                const char *line;
                int r;
                struct mount mount;
        } examples[] = {
                { "36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n", 0,
                                { 36, false, false } },
                { "36 35 98:0 / /mnt ro,noatime - ext3 /dev/root rw\n", 0, { 36, true, false } },
                { "36 35 98:0 / /mnt rw shared:2 - tmpfs none ro\n", 0, { 36, false, true } },
                { "7 5 0:4 /a\\040b /c\\040d ro - tmpfs  ro,size=4k", 0, { 7, true, true } },
                { "7 5 0:4 / / rom - tmpfs none rox\n", 0, { 7, false, false } },
                { "", -EBADMSG },
                { "36\n", -EBADMSG },
                { "36 35 98:0 / /mnt\n", -EBADMSG },
                { "x 35 98:0 / /mnt rw - ext3 none rw\n", -EBADMSG },
        };

        for (size_t i = 0; i < ELEMENTSOF(examples); ++i) {
                struct mount mount = {};

                if (mount_parse(&mount, examples[i].line) != examples[i].r ||
                                mount.id != examples[i].mount.id ||
                                mount.is_read_only != examples[i].mount.is_read_only ||
                                mount.is_file_system_read_only != examples[i].mount.is_file_system_read_only)
                        fail_msg("%s", examples[i].line);
        }
}

/* qemu-user passes on that there is a number, and not the number. */
static bool mounts_have_numbers(void) {
        struct statx st = {};

        return statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &st) == 0 && st.stx_mnt_id != 0;
}

/* What can be said of any machine. */
static void test_find(void **state) {
        struct mount proc = {}, root = {};

        if (!mounts_have_numbers())
                skip();

        assert_int_equal(mount_find(&proc, "/proc/self"), 0);
        assert_int_equal(mount_find(&root, "/"), 0);
        assert_true(proc.id != root.id);
        assert_int_equal(mount_find(&root, "/proc/self/nothing"), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_find),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
