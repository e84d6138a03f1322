/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/state.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

static const uint8_t instance[16] = { 1, 2, 3 }, other[16] = { 4, 5, 6 };

/* The descriptor as systemd hands it back: the same memory, another number. */
static int keep(struct state *state) {
        int fd = fcntl(state->fd, F_DUPFD_CLOEXEC, 0);

        assert_true(fd >= 0);
        (void) state_free(state);
        return fd;
}

static void test_survives(void **unused) {
        static const uint8_t zero[sizeof(struct state_memory)];
        _cleanup_(state_freep) struct state *state = NULL;
        int fd;

        assert_int_equal(state_new(&state, instance), 0);
        assert_memory_equal(&state->memory->pacer, zero, sizeof(state->memory->pacer));
        assert_memory_equal(&state->memory->recorder, zero, sizeof(state->memory->recorder));
        state->memory->pacer.anchors[3].step = 17;
        state->memory->recorder.positions[1].offset = 18;

        fd = keep(TAKE_PTR(state));
        assert_int_equal(state_adopt(&state, fd, instance), 0);
        assert_int_equal(state->fd, fd);
        assert_int_equal(state->memory->pacer.anchors[3].step, 17);
        assert_int_equal(state->memory->recorder.positions[1].offset, 18);
}

/* What is noted of one ring says nothing about another, unless the one follows the other. */
static void test_instance(void **unused) {
        _cleanup_(state_freep) struct state *state = NULL;
        int fd;

        assert_int_equal(state_new(&state, instance), 0);
        fd = keep(TAKE_PTR(state));
        assert_int_equal(state_adopt(&state, fd, other), -ESTALE);

        assert_int_equal(state_adopt(&state, fd, instance), 0);
        state_set_instance(state, other);
        fd = keep(TAKE_PTR(state));
        assert_int_equal(state_adopt(&state, fd, other), 0);
}

static void test_private(void **unused) {
        _cleanup_(state_freep) struct state *state = NULL;
        struct stat st;

        assert_int_equal(state_new(&state, instance), 0);
        assert_int_equal(fstat(state->fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(ftruncate(state->fd, 0), -1);
}

static void assert_refused(struct state_memory memory, int error) {
        _cleanup_(state_freep) struct state *state = NULL;
        int fd;

        assert_int_equal(state_new(&state, instance), 0);
        memcpy(state->memory, &memory, 64);
        fd = keep(TAKE_PTR(state));
        assert_int_equal(state_adopt(&state, fd, instance), error);
        assert_int_equal(close(fd), 0);
}

static void test_refuses(void **unused) {
        static const struct state_memory good = {
                .magic = STATE_MAGIC,
                .version = STATE_VERSION,
                .size = sizeof(struct state_memory),
        };
        struct state_memory bad;
        struct state *state;
        int fd;

        bad = good;
        bad.magic = 0;
        assert_refused(bad, -EBADMSG);
        bad = good;
        ++bad.version;
        assert_refused(bad, -EPROTONOSUPPORT);
        bad = good;
        ++bad.size;
        assert_refused(bad, -EPROTONOSUPPORT);

        /* not sealed: it could shrink under us */
        fd = memfd_create("test", MFD_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, STATE_SIZE), 0);
        assert_int_equal(state_adopt(&state, fd, instance), -EBADMSG);
        assert_int_equal(close(fd), 0);
        assert_int_equal(state_adopt(&state, fd, instance), -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_survives),
                cmocka_unit_test(test_instance),
                cmocka_unit_test(test_private),
                cmocka_unit_test(test_refuses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
