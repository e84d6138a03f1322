/* SPDX-License-Identifier: Apache-2.0 */

/*
 * attack-daemon SOCKET PID
 *
 * What a member of the group may try: to write into the ring with the descriptor that every reader is sent,
 * and to get at the daemon by its process. Prints a line for each attempt, "denied" or "POSSIBLE", its name,
 * and what the kernel said. No attempt does harm where it is possible, so that root can show that each is
 * one. Exit status: 0 when all that could be tried was, whatever came of it.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

struct target {
        int ring_fd;
        void *memory; /* its first page, read-only */
        pid_t pid;
};

/* Zero or more is possible; else -errno. */
typedef int attempt_t(const struct target *target);

static int answer(long r) {
        return r < 0 ? -errno : 0;
}

static int open_path(int flags, const char *format, int number) {
        char path[64];
        int fd;

        (void) snprintf(path, sizeof(path), format, number);
        fd = open(path, flags | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        (void) close(fd);
        return 0;
}

/* the ring */

static int reopen_to_write(const struct target *target) {
        return open_path(O_RDWR, "/proc/self/fd/%d", target->ring_fd);
}

static int reopen_to_write_only(const struct target *target) {
        return open_path(O_WRONLY, "/proc/self/fd/%d", target->ring_fd);
}

static int map_to_write(const struct target *target) {
        void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, target->ring_fd, 0);

        if (memory == MAP_FAILED)
                return -errno;

        (void) munmap(memory, PAGE);
        return 0;
}

static int protect_to_write(const struct target *target) {
        return answer(mprotect(target->memory, PAGE, PROT_READ | PROT_WRITE));
}

/* What lies there is what is written. */
static int write_in_place(const struct target *target) {
        return answer(pwrite(target->ring_fd, target->memory, 8, 0));
}

static int punch_hole(const struct target *target) {
        struct stat st;

        if (fstat(target->ring_fd, &st) < 0)
                return -errno;

        /* Behind the end there is nothing to lose; the descriptor is looked at first. */
        return answer(fallocate(
                        target->ring_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, st.st_size, PAGE));
}

static int truncate_it(const struct target *target) {
        struct stat st;

        if (fstat(target->ring_fd, &st) < 0)
                return -errno;

        return answer(ftruncate(target->ring_fd, st.st_size));
}

static int seal_it(const struct target *target) {
        return answer(fcntl(target->ring_fd, F_ADD_SEALS, F_SEAL_SHRINK));
}

static int change_mode(const struct target *target) {
        return answer(fchmod(target->ring_fd, 0600));
}

static int change_owner(const struct target *target) {
        struct stat st;

        if (fstat(target->ring_fd, &st) < 0)
                return -errno;

        return answer(fchown(target->ring_fd, st.st_uid, st.st_gid));
}

/* the process */

static int list_descriptors(const struct target *target) {
        return open_path(O_RDONLY | O_DIRECTORY, "/proc/%d/fd", target->pid);
}

static int list_mappings(const struct target *target) {
        return open_path(O_RDONLY, "/proc/%d/maps", target->pid);
}

static int open_memory(const struct target *target) {
        return open_path(O_RDWR, "/proc/%d/mem", target->pid);
}

static int open_environment(const struct target *target) {
        return open_path(O_RDONLY, "/proc/%d/environ", target->pid);
}

/* Any of those that a daemon has. */
static int open_descriptor(const struct target *target) {
        int r = -EACCES;

        for (int fd = 3; fd < 32 && r < 0; ++fd) {
                char path[64];

                (void) snprintf(path, sizeof(path), "/proc/%d/fd/%d", target->pid, fd);
                r = answer(open(path, O_PATH | O_CLOEXEC));
        }

        return r == -ENOENT ? -EACCES : r;
}

static int take_descriptor(const struct target *target) {
        int pidfd = (int) syscall(SYS_pidfd_open, target->pid, 0);

        return pidfd < 0 ? -errno : answer(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

static int trace_it(const struct target *target) {
        if (ptrace(PTRACE_SEIZE, target->pid, NULL, NULL) < 0)
                return -errno;

        /* Who traces and ends lets go. */
        return 0;
}

/* At an address where there is nothing: whether one may is asked first. */
static int write_memory(const struct target *target) {
        char byte = 0;
        struct iovec local = { &byte, 1 }, remote = { (void *) 8, 1 };
        int r = answer(process_vm_writev(target->pid, &local, 1, &remote, 1, 0));

        return r == -EFAULT ? 0 : r;
}

static int read_memory(const struct target *target) {
        char byte = 0;
        struct iovec local = { &byte, 1 }, remote = { (void *) 8, 1 };
        int r = answer(process_vm_readv(target->pid, &local, 1, &remote, 1, 0));

        return r == -EFAULT ? 0 : r;
}

static int signal_it(const struct target *target) {
        return answer(kill(target->pid, 0));
}

static int look_at_limits(const struct target *target) {
        struct rlimit limit;

        return answer(prlimit(target->pid, RLIMIT_NOFILE, NULL, &limit));
}

static const struct {
        const char *name;
        attempt_t *attempt;
} attempts[] = {
        { "reopen the ring for writing", reopen_to_write },
        { "reopen the ring for writing only", reopen_to_write_only },
        { "map the ring for writing", map_to_write },
        { "make the mapping writable", protect_to_write },
        { "write into the ring", write_in_place },
        { "punch a hole into the ring", punch_hole },
        { "truncate the ring", truncate_it },
        { "seal the ring", seal_it },
        { "change the mode of the ring", change_mode },
        { "change the owner of the ring", change_owner },
        { "list the daemon's descriptors", list_descriptors },
        { "open one of the daemon's descriptors", open_descriptor },
        { "take one of the daemon's descriptors", take_descriptor },
        { "list the daemon's mappings", list_mappings },
        { "open the daemon's memory", open_memory },
        { "open the daemon's environment", open_environment },
        { "trace the daemon", trace_it },
        { "write the daemon's memory", write_memory },
        { "read the daemon's memory", read_memory },
        { "signal the daemon", signal_it },
        { "look at the daemon's limits", look_at_limits },
};

static int connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;

        return fd;
}

static int receive_ring(int fd) {
        static const char hello[] = "{\"hello\":{\"name\":\"attack\",\"version\":\"0\",\"observer\":false}}";
        char text[1024], control[CMSG_SPACE(sizeof(int))];
        struct iovec iov = { text, sizeof(text) };
        struct msghdr header = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        struct cmsghdr *cmsg;
        int ring_fd;

        if (send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) < 0 ||
                        recvmsg(fd, &header, MSG_CMSG_CLOEXEC) < 0)
                return -errno;
        cmsg = CMSG_FIRSTHDR(&header);
        if (!cmsg)
                return -EPROTO;

        memcpy(&ring_fd, CMSG_DATA(cmsg), sizeof(int));
        return ring_fd;
}

/*
 * What is allowed: place and flags belong to all who were sent this descriptor. It must not matter to the
 * others.
 */
static int disturb(int ring_fd) {
        int flags = fcntl(ring_fd, F_GETFL);

        if (flags < 0 || lseek(ring_fd, 1 << 20, SEEK_SET) < 0)
                return -errno;

        return answer(fcntl(ring_fd, F_SETFL, flags | O_NONBLOCK | O_APPEND));
}

/* In a process of its own: one attempt is not to help or hinder the next. */
static void try_one(size_t i, const struct target *target) {
        pid_t pid;
        int r;

        (void) fflush(stdout);
        pid = fork();
        if (pid > 0) {
                (void) waitpid(pid, NULL, 0);
                return;
        }

        r = pid < 0 ? -errno : attempts[i].attempt(target);
        printf("%s: %s%s%s\n", r < 0 ? "denied" : "POSSIBLE", attempts[i].name, r < 0 ? ": " : "",
                        r < 0 ? strerror(-r) : "");
        (void) fflush(stdout);
        if (pid == 0)
                _exit(0);
}

int main(int argc, char *argv[]) {
        struct target target;
        int fd, r;

        if (argc != 3)
                return 2;

        fd = connect_to(argv[1]);
        target.pid = (pid_t) atol(argv[2]);
        target.ring_fd = fd < 0 ? fd : receive_ring(fd);
        if (target.ring_fd < 0) {
                fprintf(stderr, "no ring: %s\n", strerror(-target.ring_fd));
                return 1;
        }
        target.memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, target.ring_fd, 0);
        if (target.memory == MAP_FAILED) {
                perror("the ring cannot be mapped");
                return 1;
        }

        for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); ++i)
                try_one(i, &target);

        r = disturb(target.ring_fd);
        if (r < 0)
                fprintf(stderr, "the descriptor is not as a reader's: %s\n", strerror(-r));
        return r < 0;
}
