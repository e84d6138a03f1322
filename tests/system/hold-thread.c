/* SPDX-License-Identifier: Apache-2.0 */

/*
 * hold-thread PID NAME
 *
 * Stops one thread of a process, and nothing else of it, for as long as the process lives: the event loop
 * goes on turning while the thread makes no progress. That is what a watchdog must notice, and what SIGSTOP,
 * which stops every thread, cannot show. Prints a line when the thread stands still.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int thread_read_name(const char *pid, const char *tid, char *name, size_t size) {
        char path[64];
        FILE *file;
        char *line;

        (void) snprintf(path, sizeof(path), "/proc/%.16s/task/%.16s/comm", pid, tid);
        file = fopen(path, "re");
        if (!file)
                return -errno;

        line = fgets(name, (int) size, file);
        (void) fclose(file);
        if (!line)
                return -ESRCH;

        name[strcspn(name, "\n")] = '\0';
        return 0;
}

/* The id of the first thread of that name; all names are told where there is none. */
static pid_t thread_find(const char *pid, const char *wanted) {
        char path[64], name[32];
        struct dirent *entry;
        pid_t tid = -1;
        DIR *directory;

        (void) snprintf(path, sizeof(path), "/proc/%.16s/task", pid);
        directory = opendir(path);
        if (!directory)
                return -1;

        while (tid < 0 && (entry = readdir(directory)))
                if (entry->d_name[0] != '.' &&
                                thread_read_name(pid, entry->d_name, name, sizeof(name)) >= 0) {
                        if (strcmp(name, wanted) == 0)
                                tid = (pid_t) strtol(entry->d_name, NULL, 10);
                        else
                                (void) fprintf(stderr, "not this one: %s\n", name);
                }

        (void) closedir(directory);
        return tid;
}

int main(int argc, char *argv[]) {
        int status;
        pid_t tid;

        if (argc != 3) {
                (void) fprintf(stderr, "Usage: hold-thread PID NAME\n");
                return 2;
        }

        tid = thread_find(argv[1], argv[2]);
        if (tid < 0) {
                (void) fprintf(stderr, "hold-thread: process %s has no thread '%s'\n", argv[1], argv[2]);
                return 1;
        }
        if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ||
                        waitpid(tid, &status, __WALL) < 0) {
                (void) fprintf(stderr, "hold-thread: cannot hold thread %d: %s\n", (int) tid,
                                strerror(errno));
                return 1;
        }

        (void) printf("held %d\n", (int) tid);
        (void) fflush(stdout);
        while (waitpid(tid, &status, __WALL) == tid && !WIFEXITED(status) && !WIFSIGNALED(status))
                continue;
        return 0;
}
