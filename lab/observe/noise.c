// SPDX-License-Identifier: PostgreSQL
// Can this machine be believed? A timer of 20 ms measures how late the scheduler lets us run (10 ms would cost twice as much and
// show the same stalls); once a second the worst and the p99 go out with steal time, pressure and load.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/observe/internal.h"

#define NOISE_PERIOD (20 * MSEC)
#define STANDSTILL   (500 * MSEC) // a quarter of what a question is given to be answered (NO_ANSWER)
enum { SAMPLES = 128 };

struct noise {
    struct observer *o;
    sd_event_source *timer;
    usec_t due, told;
    int64_t late[SAMPLES];
    size_t n;
    int stat_fd, pressure_fd, load_fd; // kept open: opening costs more than reading
    int64_t steal_before;
};

static bool reread(int fd, char *buf, size_t size) {
    ssize_t n = fd < 0 ? -1 : pread(fd, buf, size - 1, 0);
    buf[n > 0 ? n : 0] = '\0';
    return n > 0;
}

// "cpu  user nice system idle iowait irq softirq steal ..." in clock ticks (proc(5))
static int64_t steal_ms(const struct noise *n) {
    char buf[256];
    long long v[8] = {0};
    if (!reread(n->stat_fd, buf, sizeof buf) || sscanf(buf, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &v[0], &v[1],
                                                       &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
        return 0;
    return v[7] * 1000 / sysconf(_SC_CLK_TCK);
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void tell(struct noise *n, usec_t now) {
    char buf[256];
    struct event ev = EVENT_NEW(NOISE);
    qsort(n->late, n->n, sizeof n->late[0], by_size);
    ev.u.NOISE.late_max_us = n->late[n->n - 1];
    ev.u.NOISE.late_p99_us = n->late[(n->n * 99 + 99) / 100 - 1];
    int64_t steal = steal_ms(n);
    ev.u.NOISE.steal_ms = steal - n->steal_before;
    n->steal_before = steal;
    if (reread(n->pressure_fd, buf, sizeof buf)) // absent without CONFIG_PSI
        (void)sscanf(buf, "some avg10=%lf", &ev.u.NOISE.cpu_some);
    if (reread(n->load_fd, buf, sizeof buf))
        (void)sscanf(buf, "%lf", &ev.u.NOISE.load1);
    n->told = now;
    n->n = 0;
    sink_emit(n->o->sink, &ev);
}

// What is told in here may take long as well (a disk that hangs): that is late for the next sample, so it is due from `now` on.
static void sample(struct noise *n, usec_t now) {
    usec_t late = now > n->due ? now - n->due : 0;
    n->due = now + NOISE_PERIOD; // not from the old one: a standstill is one late sample, not a burst of them
    if (late >= STANDSTILL)
        n->o->resumed = now - n->o->sink->base;
    if (n->n < SAMPLES)
        n->late[n->n++] = (int64_t)late;
    if (now - n->told >= SEC)
        tell(n, now);
}

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    struct noise *n = arg;
    sample(n, usec_now());
    (void)sd_event_source_set_time(s, n->due);
    return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

void noise_look(struct noise *n) {
    usec_t now = usec_now();
    if (now > n->due + STANDSTILL)
        sample(n, now);
}

static int open_proc(const char *path) {
    return open(path, O_RDONLY | O_CLOEXEC);
}

int noise_new(struct observer *o, struct noise **ret, struct err *err) {
    struct noise *n = xcalloc(1, sizeof *n);
    n->o = o;
    n->told = usec_now();
    n->due = n->told + NOISE_PERIOD;
    n->stat_fd = open_proc("/proc/stat");
    n->pressure_fd = open_proc("/proc/pressure/cpu");
    n->load_fd = open_proc("/proc/loadavg");
    n->steal_before = steal_ms(n);
    int r = sd_event_add_time(o->loop, &n->timer, CLOCK_MONOTONIC, n->due, 1, on_timer, n);
    // After a standstill everything is due at once: first it is told that nobody looked, then what was found.
    if (r >= 0)
        r = sd_event_source_set_priority(n->timer, SD_EVENT_PRIORITY_IMPORTANT);
    if (r < 0) {
        noise_free(n);
        return err_sys(err, -r, "measure the machine's noise");
    }
    *ret = n;
    return 0;
}

void noise_free(struct noise *n) {
    if (!n)
        return;
    sd_event_source_disable_unref(n->timer);
    const int fds[] = {n->stat_fd, n->pressure_fd, n->load_fd};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    free(n);
}
