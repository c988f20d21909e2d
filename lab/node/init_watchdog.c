// SPDX-License-Identifier: PostgreSQL
// The node's watchdog. A real one is a timer in hardware that resets the machine unless somebody writes to its device in
// time; here pid 1 is the hardware, and the device a named pipe that speaks what Patroni's driver `testing` writes
// (patroni/watchdog/linux.py, TestingWatchdogDevice): "Ctimeout=25\n" instead of the ioctl WDIOC_SETTIMEOUT, any other
// byte is a keepalive, "V" the magic close that disarms it. A writer that dies without "V" leaves it armed, as the
// kernel's does (Documentation/watchdog/watchdog-api.rst, magic close). When it expires the supervisor takes the power.
#include <fcntl.h>
#include <sys/stat.h>

#include "lab/node/init.h"
#include "lab/node/node.h"

enum { TIMEOUT_UNSET_S = 60 }; // TestingWatchdogDevice.timeout, until the writer asks for another

void init_watchdog_fit(struct init *in) {
    struct init_watchdog *w = &in->watchdog;
    w->fd = -1;
    // Read and write: with a writer of its own the pipe never ends, however often Patroni opens and closes it.
    if (mkfifo(NODE_WATCHDOG, 0600) == 0)
        w->fd = open(NODE_WATCHDOG, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void tell(const struct init *in, enum watchdog_state state) {
    const struct init_watchdog *w = &in->watchdog;
    struct answer a = {
        .kind = ANSWER_WATCHDOG, .sent = w->last, .n = (int32_t)(w->timeout / SEC), .status = (int32_t)state};
    init_answer(in, &a);
}

static void written(struct init *in, usec_t now) {
    struct init_watchdog *w = &in->watchdog;
    bool was = w->armed;
    if (!was)
        w->timeout = TIMEOUT_UNSET_S * SEC;
    w->armed = true;
    w->last = now;
    if (was)
        tell(in, WATCHDOG_STATE_KEPT);
}

static void command(struct init *in, const char *text, usec_t now) {
    unsigned seconds;
    if (sscanf(text, "timeout=%u", &seconds) != 1 || seconds == 0)
        return;
    struct init_watchdog *w = &in->watchdog;
    w->armed = true;
    w->last = now;
    w->timeout = seconds * SEC;
    tell(in, WATCHDOG_STATE_ARMED);
}

// A write of a few bytes to a pipe arrives whole (pipe(7), PIPE_BUF), several of them perhaps in one read.
void init_watchdog_read(struct init *in) {
    char buf[512];
    ssize_t n;
    usec_t now = usec_now();
    while (in->watchdog.fd >= 0 && (n = read(in->watchdog.fd, buf, sizeof buf - 1)) > 0) {
        buf[n] = '\0';
        for (char *p = buf; p < buf + n; p++) {
            char *end = *p == 'C' ? strchr(p, '\n') : NULL;
            if (end) {
                *end = '\0';
                command(in, p + 1, now);
                p = end;
            } else if (*p == 'V') {
                in->watchdog.armed = false;
                in->watchdog.last = now;
                tell(in, WATCHDOG_STATE_DISARMED);
            } else {
                written(in, now);
            }
        }
    }
}

usec_t init_watchdog_deadline(const struct init *in) {
    return in->watchdog.armed ? in->watchdog.last + in->watchdog.timeout : USEC_NEVER;
}

void init_watchdog_check(struct init *in, usec_t now) {
    if (now < init_watchdog_deadline(in))
        return;
    init_watchdog_read(in); // written in time, and not read yet: this machine was busy, not that one
    if (now < init_watchdog_deadline(in))
        return;
    in->watchdog.armed = false;
    tell(in, WATCHDOG_STATE_EXPIRED);
}
