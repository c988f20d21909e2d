// SPDX-License-Identifier: PostgreSQL
#include "injector/process/burner.h"

#include <signal.h>
#include <stdio.h>

#include "lab/base/str.h"

int burner_start(struct node *n, const char *name, int nice, struct burner *ret, struct err *err) {
    static unsigned
        serial; // one that was killed may still have to be reaped: a name of its own for each, within reason
    char level[8], unique[32];
    (void)snprintf(unique, sizeof unique, "%s-%u", name, 1 + serial++ % 64);
    (void)snprintf(level, sizeof level, "%d", nice);
    const char *argv[] = {"nice", "-n", level, "sh", "-c", "while :; do :; done", NULL};
    struct service_spec spec = {.name = unique, .argv = argv, .log = "bascule/burner.log"};
    int r = node_service_start(n, &spec, err);
    if (r < 0)
        return r;
    *ret = (struct burner){.node = n, .since = usec_now()};
    return process_read(n, node_service_pid(n, unique), &ret->at) < 0 ? err_set(err, ESRCH, "%s ended at once", name)
                                                                      : 0;
}

void burner_stop(struct burner *b) {
    if (b->node && process_alive(b->node, &b->at))
        (void)node_signal_pid(b->node, b->at.pid, SIGKILL, false, false, NULL, NULL, NULL);
    b->node = NULL;
}

double burner_share(const struct burner *b) {
    struct process now;
    usec_t wall = usec_now() - b->since;
    if (!b->node || process_read(b->node, b->at.pid, &now) < 0 || now.start != b->at.start || !wall)
        return 0;
    return (double)(now.cpu - b->at.cpu) / (double)sysconf(_SC_CLK_TCK) * 1e6 / (double)wall;
}

char burner_state(const struct burner *b) {
    struct process now;
    return b->node && process_read(b->node, b->at.pid, &now) == 0 && now.start == b->at.start ? now.state : 0;
}
