// SPDX-License-Identifier: PostgreSQL
// Everything that loses its parent lands here. Ends of services are told, and the end of the postmaster, which Patroni
// starts detached from itself. Other orphans (backends of a killed postmaster, archive commands) are reaped in silence.
#include <ctype.h>
#include <dirent.h>
#include <sys/wait.h>

#include "lab/node/init.h"
#include "lab/node/internal.h"
#include "lab/node/places.h"

static bool other_postgres(pid_t not_this) {
    cleanup_dir DIR *dir = opendir("/proc");
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct proc_stat st;
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
        if (pid && pid != not_this && proc_stat_read("/proc", pid, &st) == 0 && st.state != 'Z' &&
            str_eq(st.comm, "postgres"))
            return true;
    }
    return false;
}

// A killed postmaster leaves its pid file. One that shuts down removes it and goes last of all its processes.
static bool was_postmaster(pid_t pid) {
    struct proc_stat st;
    if (proc_stat_read("/proc", pid, &st) < 0 || !str_eq(st.comm, "postgres"))
        return false;
    int64_t named = postmaster_pid_in("", STACK_PGDATA);
    return named ? named == pid : !other_postgres(pid);
}

static void announce_end(struct init *in, const siginfo_t *si, const char *name) {
    struct answer a = {.kind = ANSWER_EXITED, .pid = si->si_pid};
    STR_COPY(a.text, name);
    if (si->si_code == CLD_EXITED)
        a.status = si->si_status;
    else
        a.signal = si->si_status;
    init_answer(in, &a);
}

static void reap_process(struct init *in, const siginfo_t *si) {
    struct init_service *s = init_service_of(in, si->si_pid);
    if (si->si_pid == in->disk_agent)
        _exit(1); // no disk behaves like this: the node goes down
    if (s)
        announce_end(in, si, s->name);
    else if (was_postmaster(si->si_pid)) // asked while it is a zombie: its name can still be read
        announce_end(in, si, "postgres");
    if (s)
        s->pid = 0;
    (void)waitpid(si->si_pid, NULL, WNOHANG);
}

void init_reap(struct init *in) {
    for (;;) {
        siginfo_t si = {0};
        if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || si.si_pid == 0)
            return;
        reap_process(in, &si);
    }
}
