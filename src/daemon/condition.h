/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Conditions that somebody may act on
 *
 * Each has a message id, by which the journal is searched and its catalog (units/i4.catalog) explains, and a
 * priority. One that may repeat fast has a limit to how often it is told.
 */

enum condition {
        /* the daemon */
        CONDITION_STARTED,
        CONDITION_STOPPING,
        CONDITION_FAILED,
        CONDITION_HUNG,
        CONDITION_STATISTICS,

        /* settings */
        CONDITION_SETTINGS_RELOADED,
        CONDITION_SETTINGS_MISTAKE,
        CONDITION_SETTINGS_KEPT,
        CONDITION_SETTINGS_PENDING,

        /* generator */
        CONDITION_ANCHOR,
        CONDITION_ANCHOR_NOT_NOTED,
        CONDITION_ORDER_NOT_RECORDED,
        CONDITION_EVENTS_NOT_WRITTEN,
        CONDITION_RESUMED,
        CONDITION_BEHIND,
        CONDITION_CAUGHT_UP,
        CONDITION_SKIPPED,
        CONDITION_CLOCK_STEPPED,
        CONDITION_INJECTED,

        /* ring */
        CONDITION_RING_NEW,
        CONDITION_RING_ADOPTED,
        CONDITION_RING_RETIRED,
        CONDITION_RING_NOT_KEPT,
        CONDITION_READERS_NOT_TOLD,

        /* readers */
        CONDITION_READER_ATTACHED,
        CONDITION_READER_LEFT,
        CONDITION_READER_REFUSED,
        CONDITION_READER_LOST,
        CONDITION_READER_SILENT,
        CONDITION_READERS_EXHAUSTED,

        /* storage */
        CONDITION_STORAGE_OPENED,
        CONDITION_STORAGE_ENGINE,
        CONDITION_STORAGE_LINE_ENDED,
        CONDITION_STORAGE_FULL,
        CONDITION_STORAGE_LIMITED,
        CONDITION_STORAGE_FAILED,
        CONDITION_STORAGE_HANGS,
        CONDITION_STORAGE_RECOVERED,
        CONDITION_STORAGE_DROPPED,
        CONDITION_STORAGE_SEALED,
        CONDITION_STORAGE_DELETED,
        CONDITION_STORAGE_REPLACED,
        CONDITION_STORAGE_GONE,
        CONDITION_STORAGE_SHUT_OUT,
        CONDITION_STORAGE_CUT,
        N_CONDITIONS,
};

#define CONDITION_UNLIMITED 0u

/* 32 hex digits */
const char *condition_get_id(enum condition condition);
/* of syslog */
int condition_get_priority(enum condition condition);
/* How often it is told in half a minute, or CONDITION_UNLIMITED. */
unsigned int condition_get_burst(enum condition condition);
