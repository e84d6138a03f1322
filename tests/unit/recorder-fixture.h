/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A recorder, its ring and its directory
 *
 * What is published follows from its number, so what the files hold can be told by looking at them.
 */

#include "daemon/recorder.h"

#include "fault-engine.h"
#include "ring/ring.h"
#include "util/clock.h"
#include "util/macros.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N_SLOTS    4096u
#define FIRST      UINT64_C(1000)
#define TIMEOUT_NS (20 * NSEC_PER_SEC)

struct fixture {
        char path[64];
        struct ring *ring;
        struct ring_view view;
        struct recorder_state *state; /* shared with child processes */
        struct recorder_settings settings;
        struct fault_script script;
        struct engine_factory factory;
        struct recorder *recorder;
        struct recorder_event event;
};

int setup(void **state);
int teardown(void **state);
void start(struct fixture *f);
uint64_t soon(void);
void stop(struct fixture *f);
struct i4_record record_make(uint64_t sequence);
void publish(struct fixture *f, uint64_t n);
uint64_t statistic(_Atomic uint64_t *word);
/* Fails when the event does not come; others before it are passed over. */
const struct recorder_event *expect(struct fixture *f, enum recorder_event_kind kind);

struct text {
        char *bytes;
        size_t size;
        i4_encoder *encoder; /* of what should be there; made once, since its memory grows with the fleet */
};

void text_init(struct text *text);
void text_deinit(struct text *text);
void text_read(struct text *text, const char *path);
/* All lines there are, sealed files first. */
void text_read_all(struct text *text, const struct fixture *f, int *n_sealedp);
size_t encode(const struct text *text, uint64_t sequence, char line[static I4_LINE_MAX]);
/* The text is the lines of records @from … @to - 1, from *@offset on. */
void assert_lines(const struct text *text, size_t *offset, uint64_t from, uint64_t to);
void assert_all(const struct fixture *f, uint64_t from, uint64_t to);
/* What a record would have to be for the text at @offset to be its line: the next one at or after @sequence.
 */
uint64_t find_record(const struct text *text, size_t offset, uint64_t sequence, uint64_t end);
/* How many of the records @from … @to - 1 the files lack; the others are there once, whole, in order. */
uint64_t count_missing(const struct fixture *f, uint64_t from, uint64_t to);
void wait_stored(struct fixture *f, uint64_t sequence);
/* As a generator with Overflow=block does. */
void publish_blocking(struct fixture *f, uint64_t n);
