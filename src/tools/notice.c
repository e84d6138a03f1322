/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/notice.h"

#include "tools/say.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

/* As systemd says it in the environment: the device and inode of the stream. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char text[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;

        (void) snprintf(text, sizeof(text), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t) st.st_dev,
                        (uintmax_t) st.st_ino);
        return strcmp(stream, text) == 0;
}

static void _printf_(3, 0) notice_add_list(
                struct notice *notice, const char *name, const char *format, va_list arguments) {
        char *begin = notice->text + notice->size;
        size_t room = sizeof(notice->text) - notice->size;
        size_t n_name, n;
        int n_value;

        assert(notice->n_fields < NOTICE_FIELDS_MAX);

        n_name = (size_t) snprintf(begin, room, "%s=", name);
        if (n_name >= room)
                return;
        n_value = vsnprintf(begin + n_name, room - n_name, format, arguments);
        if (n_value < 0)
                return;
        n = MIN(n_name + (size_t) n_value, room - 1);

        notice->fields[notice->n_fields++] = (struct iovec){ begin, n };
        notice->size += n + 1;
}

void notice_add(struct notice *notice, const char *name, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        notice_add_list(notice, name, format, arguments);
        va_end(arguments);
}

void notice_init(struct notice *notice, const char *who, int priority, const char *id) {
        notice->who = who;
        notice->priority = priority;
        notice->n_fields = 0;
        notice->size = 0;

        notice_add(notice, "MESSAGE_ID", "%s", id);
        notice_add(notice, "PRIORITY", "%i", priority);
        notice_add(notice, "SYSLOG_IDENTIFIER", "%s", program_invocation_short_name);
}

void notice_send(struct notice *notice, const char *format, ...) {
        const char *message = notice->text + notice->size + strlen("MESSAGE=");
        va_list arguments;

        va_start(arguments, format);
        notice_add_list(notice, "MESSAGE", format, arguments);
        va_end(arguments);

        if (!stderr_is_journal() || sd_journal_sendv(notice->fields, (int) notice->n_fields) < 0)
                say(notice->who, "%s", message);
}
