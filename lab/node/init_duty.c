// SPDX-License-Identifier: PostgreSQL
// A slow machine: every process of the node runs for a share of each period and is stopped for the rest, as cpulimit(1)
// does it to one. Whoever was stopped already (SIGSTOP of a fault or of a student) is left alone, and so is whoever is
// stopped on purpose during our pause: only what we stopped do we continue.
#include <ctype.h>
#include <dirent.h>
#include <signal.h>

#include "lab/node/init.h"

static void stop_all(struct init *in) {
    cleanup_dir DIR *dir = opendir("/proc");
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct proc_stat st;
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
        if (pid <= 1 || in->duty.n == INIT_TREE_MAX || proc_stat_read("/proc", pid, &st) < 0 ||
            strchr("TtZX", st.state))
            continue;
        if (kill(pid, SIGSTOP) == 0) // ours to reap: the number can't be another's before we have reaped it
            in->duty.pids[in->duty.n++] = pid;
    }
}

static void continue_all(struct init *in) {
    for (size_t i = 0; i < in->duty.n; i++)
        (void)kill(in->duty.pids[i], SIGCONT);
    in->duty.n = 0;
}

void init_duty_forget(struct init *in, pid_t pid) {
    for (size_t i = 0; i < in->duty.n; i++)
        if (in->duty.pids[i] == pid)
            in->duty.pids[i--] = in->duty.pids[--in->duty.n];
}

void init_duty_set(struct init *in, const struct request *rq) {
    struct answer a = {.kind = ANSWER_SIGNALLED, .id = rq->id, .n = (int32_t)in->duty.n, .sent = usec_now()};
    continue_all(in);
    in->duty.on = (usec_t)rq->run;
    in->duty.off = (usec_t)rq->rest;
    in->duty.next = in->duty.off ? usec_now() : USEC_NEVER;
    in->duty.running = true;
    init_answer(in, &a);
}

// Late wake-ups shift the next one: shares stay what they are, periods get longer on a busy host.
void init_duty_check(struct init *in, usec_t now) {
    struct init_duty *d = &in->duty;
    if (now < d->next)
        return;
    if (d->running)
        stop_all(in);
    else
        continue_all(in);
    d->running = !d->running;
    d->next = now + (d->running ? d->on : d->off);
}
