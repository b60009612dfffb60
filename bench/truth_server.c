/* A reference server with planned latencies that is no bottleneck itself.
 *
 *     truth_server constant|lognormal|bimodal MS SEED LOG CORE
 *
 * Prints its port, serves until SIGTERM, and then writes LOG. `GET /r/N` is request N, `/health`
 * responds at once, and `/count` returns the number of requests so far.
 *
 * From the first connection on it never sleeps, so no response waits for a timer or a wake-up. The
 * planned delay of a request starts when the kernel received it. A request is logged from then until
 * the kernel sent the response, so a delay of the server itself is part of its latency. Both are time
 * stamps of the kernel: other processes and the hypervisor can delay each statement here. LOG is JSON
 * with one entry for each response:
 *
 *     [N, arrival, response, status, arrival to read, due time to end of write, is stamped]
 *
 * The first two times are seconds of CLOCK_MONOTONIC, and the last two are microseconds. Without a
 * time stamp, the response is the time before the write, and the last number is 0.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <math.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FDS = 4096, MAX_REQUEST = 4096, MAX_EVENTS = 64 };

/* As in `truth_server.py`: 1.5 % of the requests take 15 times as long, and the lognormal
 * distribution has a sigma of 0.25. */
static const double SLOW_SHARE = 0.015, SLOW_FACTOR = 15, SIGMA = 0.25;

static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"done\": true}";
static const char NOT_FOUND[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

typedef struct {
    long number;
    double arrived, responded; /* Seconds of CLOCK_MONOTONIC; 0: the connection was lost. */
    float read_us, write_us;   /* Delays of the server itself. */
    int is_stamped;            /* Whether the kernel stamped the response. */
} Entry;

typedef struct {
    double due;
    int fd;
    long generation, entry;
} Pending;

typedef struct {
    char text[MAX_REQUEST];
    int length;
    long generation; /* Tells a connection from earlier ones with the same descriptor. */
} Connection;

static Connection connections[MAX_FDS];
static Entry *entries;
static long num_entries, max_entries;
static Pending *heap;
static long num_pending, max_pending;
static volatile sig_atomic_t has_ended;

static void on_signal(int number) { (void)number; has_ended = 1; }

static void fail(const char *what) { perror(what); exit(1); }

static double seconds(struct timespec t) { return t.tv_sec + t.tv_nsec / 1e9; }

static double now_s(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return seconds(t);
}

/* Convert a time stamp of the kernel to CLOCK_MONOTONIC. The offset of the clocks is read again each
 * time, because NTP changes it, and twice, because this process may be interrupted in between. */
static double monotonic(struct timespec stamp) {
    double before, real, after, best = 1, offset = 0;
    for (int i = 0; i < 5; i++) {
        before = now_s(CLOCK_MONOTONIC);
        real = now_s(CLOCK_REALTIME);
        after = now_s(CLOCK_MONOTONIC);
        if (after - before >= best) continue;
        best = after - before;
        offset = (before + after) / 2 - real;
        if (best < 1e-6) break;
    }
    return seconds(stamp) + offset;
}

/* Return when the kernel sent the last write. On the loopback device, it has by now. 0: unknown. */
static double sent_s(int fd) {
    char control[256];
    double sent = 0;
    for (;;) {
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return sent;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
                struct scm_timestamping stamps;
                memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
                struct timespec stamp = {stamps.ts[0].tv_sec, stamps.ts[0].tv_nsec};
                sent = monotonic(stamp);
            }
    }
}

static double planned_s(const char *plan, double ms) {
    if (plan[0] == 'b') return ms / 1000 * (drand48() < SLOW_SHARE ? SLOW_FACTOR : 1);
    if (plan[0] == 'l') {
        double normal = sqrt(-2 * log(1 - drand48())) * cos(2 * M_PI * drand48());
        return ms / 1000 * exp(SIGMA * normal);
    }
    return ms / 1000;
}

static void *grown(void *array, long number, long *max, size_t size) {
    if (number < *max) return array;
    *max = *max ? 2 * *max : 1 << 16;
    array = realloc(array, *max * size);
    if (!array) fail("realloc");
    return array;
}

static void push(Pending added) {
    heap = grown(heap, num_pending, &max_pending, sizeof *heap);
    long at = num_pending++;
    for (; at && heap[(at - 1) / 2].due > added.due; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = added;
}

static void pop(void) {
    long at = 0, last = --num_pending;
    for (long child; (child = 2 * at + 1) < last; at = child) {
        child += child + 1 < last && heap[child + 1].due < heap[child].due;
        if (heap[child].due >= heap[last].due) break;
        heap[at] = heap[child];
    }
    heap[at] = heap[last];
}

static void respond_to_due(void) {
    while (num_pending && heap[0].due <= now_s(CLOCK_MONOTONIC)) {
        Pending next = heap[0];
        int is_open = connections[next.fd].generation == next.generation;
        pop();
        Entry *entry = &entries[next.entry];
        double before = now_s(CLOCK_MONOTONIC);
        int is_sent = is_open && write(next.fd, OK, sizeof OK - 1) == sizeof OK - 1;
        entry->write_us = (now_s(CLOCK_MONOTONIC) - next.due) * 1e6;
        if (!is_sent) continue;
        double sent = sent_s(next.fd);
        entry->is_stamped = sent > 0;
        entry->responded = sent > 0 ? sent : before;
    }
}

static void send_now(int fd, const char *text, size_t length) {
    if (write(fd, text, length) < 0) perror("write");
}

static void handle(int fd, const char *path, double arrived, const char *plan, double ms) {
    char text[128];
    if (!strncmp(path, "/r/", 3)) {
        entries = grown(entries, num_entries, &max_entries, sizeof *entries);
        double late_us = (now_s(CLOCK_MONOTONIC) - arrived) * 1e6;
        entries[num_entries] = (Entry){atol(path + 3), arrived, 0, late_us, 0, 0};
        double due = arrived + planned_s(plan, ms);
        push((Pending){due, fd, connections[fd].generation, num_entries++});
    } else if (!strncmp(path, "/health ", 8)) {
        send_now(fd, OK, sizeof OK - 1);
    } else if (!strncmp(path, "/count ", 7)) {
        const char *format = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n%10ld";
        int length = snprintf(text, sizeof text, format, num_entries);
        send_now(fd, text, length);
    } else {
        send_now(fd, NOT_FOUND, sizeof NOT_FOUND - 1);
    }
}

/* Read from a connection. Return 0 if it was closed. A user sends no request before the response to
 * its previous one, so at most one request is in the buffer. */
static int receive(int fd, const char *plan, double ms) {
    Connection *one = &connections[fd];
    char control[128];
    struct iovec part = {one->text + one->length, MAX_REQUEST - 1 - one->length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = control, message.msg_controllen = sizeof control;
    ssize_t length = recvmsg(fd, &message, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return 1;
    if (length <= 0) return 0;
    double now = now_s(CLOCK_MONOTONIC), arrived = now;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
            arrived = monotonic(stamp);
        }
    if (arrived > now) arrived = now;
    one->length += length;
    one->text[one->length] = 0;
    if (!strstr(one->text, "\r\n\r\n")) return one->length < MAX_REQUEST - 1;
    one->length = 0;
    char *path = strchr(one->text, ' ');
    if (path) handle(fd, path + 1, arrived, plan, ms);
    return path != NULL;
}

static void accept_all(int listener, int poll) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int one = 1;
        if (fd >= MAX_FDS) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
        int stamps =
            SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps);
        connections[fd].length = 0;
        connections[fd].generation++;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
    }
}

static void serve(int listener, const char *plan, double ms) {
    int poll = epoll_create1(EPOLL_CLOEXEC), timeout_ms = -1;
    struct epoll_event events[MAX_EVENTS], event = {.events = EPOLLIN, .data.fd = listener};
    if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event)) fail("epoll");
    while (!has_ended) {
        int number = epoll_wait(poll, events, MAX_EVENTS, timeout_ms);
        for (int i = 0; i < number; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener, poll);
                timeout_ms = 0;
            } else if (!receive(fd, plan, ms)) {
                connections[fd].generation++;
                close(fd);
            }
            respond_to_due();
        }
        respond_to_due();
    }
}

/* Keep other processes from delaying the server. This needs root, so it may fail. Linux compares the
 * priority of processes within a session only, so that of the session, in which the server is alone,
 * is raised, too. */
static void raise_priority(void) {
    if (setpriority(PRIO_PROCESS, 0, -20)) return;
    FILE *file = fopen("/proc/self/autogroup", "w");
    if (!file) return;
    fputs("-20", file);
    fclose(file);
}

static void write_log(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) fail(path);
    fputc('[', file);
    for (long i = 0; i < num_entries; i++) {
        Entry *e = &entries[i];
        fprintf(file, "%s[%ld,%.7f,%.7f,200,%.1f,%.1f,%d]\n", i ? "," : "", e->number, e->arrived,
                e->responded, e->read_us, e->write_us, e->is_stamped);
    }
    fputs("]\n", file);
    if (fclose(file)) fail(path);
}

int main(int argc, char **argv) {
    if (argc != 6 || !strchr("clb", argv[1][0])) {
        fputs("usage: truth_server constant|lognormal|bimodal MS SEED LOG CORE\n", stderr);
        return 2;
    }
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(atoi(argv[5]), &cores);
    if (sched_setaffinity(0, sizeof cores, &cores)) fail("sched_setaffinity");
    raise_priority();
    srand48(atol(argv[3]));
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr *any = (struct sockaddr *)&address;
    if (listener < 0 || bind(listener, any, size) || listen(listener, 1024)) fail("listen");
    if (getsockname(listener, any, &size)) fail("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    serve(listener, argv[1], atof(argv[2]));
    write_log(argv[4]);
    return 0;
}
