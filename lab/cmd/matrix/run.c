// SPDX-License-Identifier: PostgreSQL
// The runs of a matrix, as children of ours: a run that breaks takes no other with it, and its folder is like any other's.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/cmd/matrix/matrix.h"

enum { RESULT_MAX = 16 << 20, SAID_MAX = 1 << 20 };

static volatile sig_atomic_t signals_seen, last_signal;

static void take_signal(int sig) {
    signals_seen++;
    last_signal = sig;
}

// ---- one child -------------------------------------------------------------------------------------------------------------

typedef VEC(const char *) word_list;

static _Noreturn void become_run(const struct matrix *m, const struct matrix_cell *c, const struct matrix_run *r) {
    cleanup_free char *image = xasprintf("image=%s", c->image), *out = xasprintf("%s/story.txt", r->folder),
                      *errors = xasprintf("%s/errors.txt", r->folder);
    word_list argv = {0};
    VEC_PUSH(&argv, "bascule");
    VEC_PUSH(&argv, "run");
    VEC_PUSH(&argv, c->scenario);
    VEC_PUSH(&argv, "--runs-dir");
    VEC_PUSH(&argv, r->folder);
    VEC_PUSH(&argv, "--set");
    VEC_PUSH(&argv, image); // "image=host" too: a topology may name an image of its own
    VEC_FOREACH (&m->settings, s) {
        VEC_PUSH(&argv, "--set");
        VEC_PUSH(&argv, *s);
    }
    if (m->seed) {
        VEC_PUSH(&argv, "--seed");
        VEC_PUSH(&argv, m->seed);
    }
    if (m->cold)
        VEC_PUSH(&argv, "--cold");
    VEC_PUSH(&argv, NULL);
    (void)setpgid(0, 0); // the terminal's Ctrl-C comes to us alone, and we pass it on: once
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        (void)signal(signals[i], SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int in = open("/dev/null", O_RDONLY), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0644),
        err = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (in >= 0 && to >= 0 && err >= 0 && dup2(in, 0) == 0 && dup2(to, 1) == 1 && dup2(err, 2) == 2)
        (void)execv("/proc/self/exe", (char *const *)argv.items); // execv writes neither
    _exit(127);
}

static void start(const struct matrix *m, const struct matrix_cell *c, struct matrix_run *r, size_t number) {
    (void)snprintf(r->folder, sizeof r->folder, "%s/%s_%s_%zu", m->dir, c->label, c->image, number);
    r->started = usec_now();
    if (mkdir(r->folder, 0755) < 0 && errno != EEXIST) {
        r->ended = true;
        r->code = EXIT_BROKEN;
        STR_COPY(r->verdict, "broken");
        (void)snprintf(r->reason, sizeof r->reason, "make '%s': %s", r->folder, strerror(errno));
        return;
    }
    (void)fflush(NULL);
    r->pid = fork();
    if (r->pid == 0)
        become_run(m, c, r);
    r->pidfd = r->pid > 0 ? (int)syscall(SYS_pidfd_open, r->pid, 0) : -1;
}

// ---- what it left ------------------------------------------------------------------------------------------------------------

static cJSON *read_result(const char *folder) {
    cleanup_dir DIR *d = opendir(folder);
    for (const struct dirent *e; d && (e = readdir(d));) {
        cleanup_free char *path = xasprintf("%s/%s/result.json", folder, e->d_name);
        cleanup_strbuf struct strbuf text = {0};
        if (e->d_name[0] != '.' && fs_read(path, RESULT_MAX, &text, NULL) == 0)
            return cJSON_Parse(strbuf_str(&text));
    }
    return NULL;
}

// The first line that says "error:", without its prefix.
static void first_error(const char *folder, char *ret, size_t size) {
    cleanup_free char *path = xasprintf("%s/errors.txt", folder);
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read(path, SAID_MAX, &text, NULL) < 0)
        return;
    const char *at = strstr(strbuf_str(&text), "error: ");
    at = at ? at + strlen("error: ") : strbuf_str(&text);
    cleanup_free char *line = xstrndup(at, strcspn(at, "\n"));
    (void)str_copy(ret, size, line);
}

static const char *verdict_of_code(int code) {
    return code == EXIT_PASS           ? "pass"
           : code == EXIT_KNOWN_DEFECT ? "known-defect"
           : code == EXIT_SKIPPED      ? "skipped"
           : code == EXIT_USAGE        ? "bad file"
           : code < 0                  ? "not run"
                                       : "broken";
}

static void take_end(struct matrix_run *r) {
    int status = 0;
    while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
        ;
    (void)close(r->pidfd);
    r->pidfd = -1;
    r->ended = true;
    bool known = WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_KNOWN_DEFECT;
    r->code = known ? WEXITSTATUS(status) : EXIT_BROKEN;
    r->result = read_result(r->folder);
    STR_COPY(r->verdict, json_str(r->result, "verdict", verdict_of_code(r->code)));
    if (r->result && r->code != EXIT_PASS)
        STR_COPY(r->reason, json_str(r->result, "reason", ""));
    else if (!r->result)
        first_error(r->folder, r->reason, sizeof r->reason);
    if (WIFSIGNALED(status) && !*r->reason)
        (void)snprintf(r->reason, sizeof r->reason, "ended by %s", strsignal(WTERMSIG(status)));
}

static void tell_end(const struct matrix_cell *c, const struct matrix_run *r, size_t ended, size_t all) {
    char took[USEC_TEXT_MAX], outage[USEC_TEXT_MAX];
    bool known = cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(r->result, "write_outage_ms"));
    (void)fprintf(stderr, "[%zu/%zu] %s on %s: %s%s%s%s%s (%s)\n", ended, all, c->label, c->image, r->verdict,
                  known ? ", write outage " : "",
                  known ? usec_format(outage, (usec_t)json_int(r->result, "write_outage_ms", 0) * MSEC) : "",
                  *r->reason ? ": " : "", r->reason, usec_format(took, usec_now() - r->started));
}

// ---- all of them ----------------------------------------------------------------------------------------------------------------

// By rounds: first each cell once, so that an interrupted matrix has something of everything.
static bool start_next(struct matrix *m) {
    for (size_t round = 0; round < m->n_runs; round++)
        VEC_FOREACH (&m->cells, c) {
            struct matrix_run *r = &c->runs.items[round];
            if (*c->missing || r->ended || r->pid > 0)
                continue;
            start(m, c, r, round + 1);
            return true;
        }
    return false;
}

struct pool {
    struct pollfd fds[64];
    struct matrix_cell *cells[64];
    struct matrix_run *runs[64];
    size_t n;
};

static void list_running(struct matrix *m, struct pool *p) {
    p->n = 0;
    VEC_FOREACH (&m->cells, c)
        VEC_FOREACH (&c->runs, r)
            if (r->pid > 0 && !r->ended && p->n < ARRAY_SIZE(p->fds)) {
                p->fds[p->n] = (struct pollfd){.fd = r->pidfd, .events = POLLIN};
                p->cells[p->n] = c;
                p->runs[p->n++] = r;
            }
}

static void skip_missing(struct matrix *m, size_t *ended, size_t all) {
    VEC_FOREACH (&m->cells, c)
        for (size_t i = 0; *c->missing && i < c->runs.n; i++) {
            struct matrix_run *r = &c->runs.items[i];
            *r = (struct matrix_run){.pidfd = -1, .ended = true, .code = EXIT_SKIPPED, .verdict = "skipped"};
            STR_COPY(r->reason, c->missing);
            (*ended)++;
            (void)fprintf(stderr, "[%zu/%zu] %s on %s: skipped: %s\n", *ended, all, c->label, c->image, c->missing);
        }
}

static void pass_on(const struct pool *p, int *told) {
    for (; *told < signals_seen; (*told)++)
        for (size_t i = 0; i < p->n; i++)
            (void)kill(p->runs[i]->pid, SIGINT); // not reaped yet: the number can't be another's
}

int matrix_run_all(struct matrix *m) {
    struct sigaction sa = {.sa_handler = take_signal};
    sigset_t blocked, before;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        (void)sigaction(signals[i], &sa, NULL);
        (void)sigaddset(&blocked, signals[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, &before); // they come while ppoll waits, and at no other time
    size_t ended = 0, all = m->cells.n * m->n_runs;
    int told = 0;
    struct pool p = {0};
    skip_missing(m, &ended, all);
    for (;;) {
        list_running(m, &p);
        while (!signals_seen && p.n < m->jobs && start_next(m))
            list_running(m, &p);
        if (p.n == 0)
            break;
        (void)ppoll(p.fds, p.n, NULL, &before);
        pass_on(&p, &told);
        for (size_t i = 0; i < p.n; i++)
            if (poll(&p.fds[i], 1, 0) > 0) {
                take_end(p.runs[i]);
                tell_end(p.cells[i], p.runs[i], ++ended, all);
            }
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return last_signal;
}
