/* SPDX-License-Identifier: Apache-2.0 */

#include "stage.h"

#include "lib/wire.h"
#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 16u
#define NOBODY        65534u

/* Far beyond what anything here takes; a test that gets there has failed. */
#define PATIENCE_SEC 20

/* ring */

static void ring_make(struct ring **ringp, uint64_t n_records, uint64_t first_sequence) {
        const struct ring_settings settings = {
                .n_records = n_records,
                .n_consumers = STAGE_READERS_MAX,
                .first_sequence = first_sequence,
        };

        assert_int_equal(ring_new(ringp, &settings, i4_catalog_get_default()), 0);
        ring_set_running(*ringp);
}

struct i4_record stage_get_record(uint64_t sequence) {
        return (struct i4_record){
                .sequence = sequence,
                .time_ns = UINT64_C(1767225600) * NSEC_PER_SEC + sequence * 100 * NSEC_PER_USEC,
                .sensor = (uint32_t) (sequence % 8000),
                .value_e2 = (int32_t) (sequence * 37 % 20000) - 5000,
                .latitude_e6 = 25000000 + (int32_t) (sequence % 1000),
                .longitude_e6 = -105000000 + (int32_t) (sequence % 1000),
                .mile_post_e2 = (uint32_t) (sequence % 50000),
                .quality_e4 = (uint16_t) (8500 + sequence % 1501),
                .pipeline = (uint16_t) (sequence / 8 % 8),
                .type = (uint8_t) (sequence % 8),
                .status = (uint8_t) (sequence % I4_N_STATUS),
                .alert = (uint8_t) (sequence % I4_N_ALERT),
                .fault = sequence % 10 == 9 ? I4_FAULT_OUT_OF_RANGE : I4_FAULT_NONE,
        };
}

void stage_publish(struct stage *stage, uint64_t n) {
        while (n > 0) {
                size_t n_claimed = MIN(n, stage->ring->n_records / 2);
                struct i4_record *records = ring_claim(stage->ring, &n_claimed);

                for (size_t i = 0; i < n_claimed; ++i)
                        records[i] = stage_get_record(stage->ring->head + i);
                ring_publish(stage->ring, n_claimed);
                n -= n_claimed;
        }

        (void) ring_wake(stage->ring, INT32_MAX);
}

void stage_exchange_ring(struct stage *stage, uint64_t n_records, uint64_t first_sequence) {
        struct ring *ring;

        ring_make(&ring, n_records, first_sequence);

        (void) pthread_mutex_lock(&stage->lock);
        ring_set_state(stage->ring, I4_RING_RETIRED);
        (void) ring_wake(stage->ring, INT32_MAX);
        ring_free(stage->ring);
        stage->ring = ring;
        (void) pthread_mutex_unlock(&stage->lock);
}

/* daemon */

static void send_welcome(struct stage *stage, int fd) {
        const struct wire_message welcome = {
                .kind = WIRE_WELCOME, .version = "0", .instance = "00000000000000000000000000000000"
        };
        alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        char text[WIRE_MESSAGE_MAX];
        struct iovec iov = { .iov_base = text, .iov_len = wire_format(&welcome, text) };
        struct msghdr header = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);

        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &stage->ring->reader_fd, sizeof(int));
        (void) sendmsg(fd, &header, MSG_NOSIGNAL);
}

static void send_refusal(int fd, int error) {
        const struct wire_message refused = { .kind = WIRE_REFUSED, .error = error, .reason = "no" };
        char text[WIRE_MESSAGE_MAX];

        (void) send(fd, text, wire_format(&refused, text), MSG_NOSIGNAL);
}

static void daemon_answer(struct stage *stage, int fd, const struct wire_message *message) {
        (void) pthread_mutex_lock(&stage->lock);

        if (message->kind == WIRE_HELLO) {
                memcpy(stage->last_name, message->name, sizeof(stage->last_name));
                stage->last_is_observer = message->is_observer;
                ++stage->n_hellos;
                if (stage->refusal)
                        send_refusal(fd, stage->refusal);
                else
                        send_welcome(stage, fd);
        } else if (message->kind == WIRE_REPORT)
                ++stage->n_reports;

        (void) pthread_cond_broadcast(&stage->changed);
        (void) pthread_mutex_unlock(&stage->lock);
}

/* False: the reader has left. */
static bool daemon_receive(struct stage *stage, int fd) {
        struct wire_message message;
        char text[WIRE_MESSAGE_MAX];
        ssize_t n;

        n = recv(fd, text, sizeof(text), 0);
        if (n <= 0 || wire_parse(&message, text, (size_t) n) < 0)
                return false;

        daemon_answer(stage, fd, &message);
        return true;
}

static void *daemon_run(void *userdata) {
        struct stage *stage = userdata;
        struct pollfd fds[2 + STAGE_READERS_MAX] = {
                { .fd = stage->stop_fd, .events = POLLIN },
                { .fd = stage->listen_fd, .events = POLLIN },
        };
        nfds_t n = 2;

        while (poll(fds, n, -1) > 0 && !fds[0].revents) {
                if (fds[1].revents && n < ELEMENTSOF(fds))
                        fds[n++] = (struct pollfd){
                                .fd = accept4(stage->listen_fd, NULL, NULL, SOCK_CLOEXEC),
                                .events = POLLIN,
                        };

                for (nfds_t i = 2; i < n; ++i)
                        if (fds[i].revents && !daemon_receive(stage, fds[i].fd)) {
                                (void) close(fds[i].fd);
                                fds[i] = fds[--n];
                        }
        }

        for (nfds_t i = 2; i < n; ++i)
                (void) close(fds[i].fd);
        return NULL;
}

void stage_start_daemon(struct stage *stage) {
        struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        memcpy(address.sun_path, stage->socket_path, sizeof(stage->socket_path));
        stage->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        stage->stop_fd = eventfd(0, EFD_CLOEXEC);
        assert_true(stage->listen_fd >= 0 && stage->stop_fd >= 0);

        assert_int_equal(bind(stage->listen_fd, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(listen(stage->listen_fd, STAGE_READERS_MAX), 0);
        assert_int_equal(clock_gettime(CLOCK_REALTIME, &times[1]), 0);
        assert_int_equal(utimensat(AT_FDCWD, stage->socket_path, times, 0), 0);
        assert_int_equal(pthread_create(&stage->daemon, NULL, daemon_run, stage), 0);
        stage->has_daemon = true;
}

void stage_stop_daemon(struct stage *stage) {
        if (!stage->has_daemon)
                return;

        assert_int_equal(eventfd_write(stage->stop_fd, 1), 0);
        assert_int_equal(pthread_join(stage->daemon, NULL), 0);
        (void) close(stage->listen_fd);
        (void) close(stage->stop_fd);
        (void) unlink(stage->socket_path);
        stage->has_daemon = false;
}

void stage_init(struct stage *stage, uint64_t n_records) {
        *stage = (struct stage){
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .directory = "/tmp/i4-test-XXXXXX",
        };

        assert_non_null(mkdtemp(stage->directory));
        assert_int_equal(chmod(stage->directory, 0755), 0);
        (void) snprintf(stage->socket_path, sizeof(stage->socket_path), "%s/ring.sock", stage->directory);
        ring_make(&stage->ring, n_records, 0);
}

void stage_deinit(struct stage *stage) {
        stage_stop_daemon(stage);
        ring_free(stage->ring);
        assert_int_equal(rmdir(stage->directory), 0);
}

/* Waits until the counter at @counter, which the daemon raises, has come to @n. */
static void stage_wait_counter(struct stage *stage, const unsigned int *counter, unsigned int n) {
        struct timespec deadline = timespec_from_ns(clock_now_ns(CLOCK_REALTIME));
        int r = 0;

        deadline.tv_sec += PATIENCE_SEC;

        (void) pthread_mutex_lock(&stage->lock);
        while (*counter < n && r == 0)
                r = pthread_cond_timedwait(&stage->changed, &stage->lock, &deadline);
        (void) pthread_mutex_unlock(&stage->lock);
        assert_int_equal(r, 0);
}

void stage_set_refusal(struct stage *stage, int error) {
        (void) pthread_mutex_lock(&stage->lock);
        stage->refusal = error;
        (void) pthread_mutex_unlock(&stage->lock);
}

void stage_wait_reports(struct stage *stage, unsigned int n) {
        stage_wait_counter(stage, &stage->n_reports, n);
}

void stage_wait_hellos(struct stage *stage, unsigned int n) {
        stage_wait_counter(stage, &stage->n_hellos, n);
}

/* tool */

static void play_exec(const struct stage *stage, char *argv[], int out_fd, int err_fd, bool is_nobody) {
        const char *program = getenv("I4_PROGRAM");

        (void) dup2(out_fd, STDOUT_FILENO);
        (void) dup2(err_fd, STDERR_FILENO);
        (void) setenv("I4_SOCKET", stage->socket_path, true);
        (void) setenv("I4_RUNTIME", stage->directory, true);
        if (is_nobody && (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
                _exit(126);

        (void) execv(program, argv);
        _exit(127);
}

static void play_spawn(struct stage *stage, struct play *play, const char *out_path, bool is_nobody,
                va_list arguments) {
        static char name[] = "i4";
        char *argv[ARGUMENTS_MAX] = { name };
        int out[2], err[2];

        for (size_t i = 1; i < ARGUMENTS_MAX - 1 && (argv[i] = va_arg(arguments, char *)); ++i)
                ;

        *play = (struct play){};
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        assert_int_equal(pipe2(err, O_CLOEXEC), 0);
        if (out_path) {
                (void) close(out[1]);
                out[1] = open(out_path, O_WRONLY | O_CLOEXEC);
                assert_true(out[1] >= 0);
        }

        play->pid = fork();
        assert_true(play->pid >= 0);
        if (play->pid == 0)
                play_exec(stage, argv, out[1], err[1], is_nobody);

        (void) close(out[1]);
        (void) close(err[1]);
        play->out_fd = out[0];
        play->err_fd = err[0];
}

void play_start(struct stage *stage, struct play *play, ...) {
        va_list arguments;

        va_start(arguments, play);
        play_spawn(stage, play, NULL, false, arguments);
        va_end(arguments);
}

void play_start_as_nobody(struct stage *stage, struct play *play, ...) {
        va_list arguments;

        va_start(arguments, play);
        play_spawn(stage, play, NULL, true, arguments);
        va_end(arguments);
}

void play_start_to(struct stage *stage, struct play *play, const char *path, ...) {
        va_list arguments;

        va_start(arguments, path);
        play_spawn(stage, play, path, false, arguments);
        va_end(arguments);
}

/* False at the end of the stream. */
static bool stream_read(int *fd, char **text, size_t *n) {
        char buffer[65536];
        ssize_t n_read;

        n_read = read(*fd, buffer, sizeof(buffer));
        if (n_read <= 0) {
                (void) close(*fd);
                *fd = -1;
                return false;
        }

        *text = realloc(*text, *n + (size_t) n_read + 1);
        assert_non_null(*text);
        memcpy(*text + *n, buffer, (size_t) n_read);
        *n += (size_t) n_read;
        (*text)[*n] = 0;
        return true;
}

void play_wait_more(struct play *play) {
        struct pollfd fds[] = {
                { .fd = play->out_fd, .events = POLLIN },
                { .fd = play->err_fd, .events = POLLIN },
        };

        assert_true(poll(fds, ELEMENTSOF(fds), PATIENCE_SEC * 1000) > 0);
        if (fds[0].revents)
                (void) stream_read(&play->out_fd, &play->out, &play->n_out);
        if (fds[1].revents)
                (void) stream_read(&play->err_fd, &play->err, &play->n_err);
}

void play_wait_out(struct play *play, const char *text) {
        while (!play->out || !strstr(play->out, text)) {
                assert_true(play->out_fd >= 0);
                play_wait_more(play);
        }
}

void play_wait_err(struct play *play, const char *text) {
        while (!play->err || !strstr(play->err, text)) {
                assert_true(play->err_fd >= 0);
                play_wait_more(play);
        }
}

void play_close_out(struct play *play) {
        (void) close(play->out_fd);
        play->out_fd = -1;
}

void play_signal(struct play *play, int number) {
        assert_int_equal(kill(play->pid, number), 0);
}

bool play_is_blocked(const struct play *play) {
        struct pollfd pollfd = { .events = POLLOUT };
        char path[64];
        int r;

        /* Its end of the pipe, for a moment. */
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%i", play->out_fd);
        pollfd.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        assert_true(pollfd.fd >= 0);
        r = poll(&pollfd, 1, 0);
        (void) close(pollfd.fd);

        return r == 0;
}

void play_reap(struct play *play) {
        int status;

        if (play->pid == 0)
                return;

        assert_int_equal(waitpid(play->pid, &status, 0), play->pid);
        play->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        play->pid = 0;
}

void play_finish(struct play *play) {
        while (play->out_fd >= 0 || play->err_fd >= 0)
                play_wait_more(play);

        play_reap(play);

        /* Empty rather than NULL, for tests. */
        if (!play->out)
                play->out = strdup("");
        if (!play->err)
                play->err = strdup("");
        assert_true(play->out && play->err);
}

void play_deinit(struct play *play) {
        free(play->out);
        free(play->err);
        *play = (struct play){};
}

size_t count_lines(const char *text) {
        size_t n = 0;

        for (; *text; ++text)
                n += *text == '\n';

        return n;
}
