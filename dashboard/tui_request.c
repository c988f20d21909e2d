// SPDX-License-Identifier: PostgreSQL
// What the dashboard asks of the lab: `bascule inject`, heal, hold, next, as a child whose last line of output becomes the message.
// The screen never waits for it. A shell takes the terminal instead.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dashboard/term.h"
#include "dashboard/tui_internal.h"

enum { ARGS_MAX = 32 };

struct args {
    const char *argv[ARGS_MAX + 1];
    size_t n;
    char params[160];
};

static void add(struct args *a, const char *word) {
    if (a->n < ARGS_MAX)
        a->argv[a->n++] = word;
}

static void make_args(const struct tui *t, const struct request *r, struct args *a) {
    static const char *const verbs[] = {"", "inject", "heal", "shell", "next", "hold"};
    bool go_on = r->kind == REQUEST_HOLD && source_held(t);
    add(a, "bascule");
    add(a, go_on ? "go" : verbs[r->kind]);
    add(a, "--lab");
    add(a, t->o->lab);
    if (r->kind == REQUEST_INJECT)
        add(a, r->fault);
    if (r->kind == REQUEST_HEAL && !r->target[0])
        add(a, "--all");
    else if (r->target[0])
        add(a, r->target);
    STR_COPY(a->params, r->params);
    char *save = NULL;
    for (char *p = strtok_r(a->params, " ", &save); p; p = strtok_r(NULL, " ", &save))
        add(a, p);
}

static _Noreturn void become(const struct args *a) {
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    (void)execv("/proc/self/exe", (char *const *)a->argv);
    _exit(127);
}

// ---- in the background ----------------------------------------------------------------------------------------------

static void start_job(struct tui *t, struct job *j, const struct args *a) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        tui_say(t, "pipe: %s", strerror(errno));
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        (void)setsid(); // the terminal's Ctrl-C is not for it
        (void)fcntl(ends[1], F_SETFL, 0);
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        become(a);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        tui_say(t, "fork: %s", strerror(errno));
        return;
    }
    *j = (struct job){.pid = pid, .out = ends[0]};
    cleanup_strbuf struct strbuf words = {0};
    for (size_t i = 1; i < a->n; i++)
        if (i != 2 && i != 3) // --lab NAME
            strbuf_addf(&words, " %s", a->argv[i]);
    tui_say(t, "asked:%s", strbuf_str(&words));
}

static const char *last_line(char *text) {
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        text[--n] = '\0';
    const char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    return str_starts(line, "bascule: ") ? line + strlen("bascule: ") : line;
}

static void end_job(struct tui *t, struct job *j) {
    int status = 0;
    (void)close(j->out);
    (void)waitpid(j->pid, &status, 0); // its output has ended: it is at its end, too
    const char *line = last_line(j->text);
    if (*line)
        tui_say(t, "%s", line);
    else if (!WIFEXITED(status) || WEXITSTATUS(status))
        tui_say(t, "the request failed");
    else
        tui_say(t, "done");
    j->pid = 0;
}

void request_read(struct tui *t, struct job *j) {
    char bytes[256];
    ssize_t n = read(j->out, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        end_job(t, j);
        return;
    }
    size_t room = sizeof j->text - 1;
    if (j->len + (size_t)n > room) // the end is what counts
        j->len = 0;
    memcpy(j->text + j->len, bytes, (size_t)n);
    j->len += (size_t)n;
    j->text[j->len] = '\0';
}

// ---- a shell --------------------------------------------------------------------------------------------------------

static int wait_child(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// A message that nobody could read would vanish with the normal screen.
static void let_read(void) {
    static const char words[] = "\n[Enter: back to the dashboard] ";
    char c;
    ssize_t n;
    if (write(STDOUT_FILENO, words, sizeof words - 1) < 0)
        return;
    do
        n = read(STDIN_FILENO, &c, 1);
    while (n == 1 && c != '\n' && c != '\r');
}

static void run_shell(struct tui *t, const struct args *a) {
    static const int ours[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTOU};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, saved[ARRAY_SIZE(ours)];
    term_leave();
    usec_t began = usec_now();
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        (void)sigaction(ours[i], &ignore, &saved[i]);
    pid_t pid = fork();
    if (pid == 0)
        become(a);
    int code = pid > 0 ? wait_child(pid) : 0;
    (void)tcsetpgrp(STDIN_FILENO, getpgrp());
    if (code && usec_now() - began < 2 * SEC)
        let_read();
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        (void)sigaction(ours[i], &saved[i], NULL);
    term_enter();
    if (pid < 0)
        tui_say(t, "fork: %s", strerror(errno));
}

// ---- both -----------------------------------------------------------------------------------------------------------

static const char *why_not(const struct tui *t) {
    if (t->is_replay)
        return "this is a recorded run: there is no lab to ask";
    if (t->dash.readonly)
        return "read-only: this dashboard only looks";
    if (!t->dash.alive || !t->o->lab)
        return "the lab has ended";
    return NULL;
}

void request_send(struct tui *t, const struct request *r) {
    if (r->kind == REQUEST_NONE)
        return;
    const char *why = why_not(t);
    if (why) {
        tui_say(t, "%s", why);
        return;
    }
    struct args a = {0};
    make_args(t, r, &a);
    if (r->kind == REQUEST_SHELL) {
        run_shell(t, &a);
        return;
    }
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (!t->jobs[i].pid) {
            start_job(t, &t->jobs[i], &a);
            return;
        }
    tui_say(t, "%d requests are under way already", JOBS_MAX);
}

void request_ask(struct tui *t, const struct request *r) {
    if (r->kind != REQUEST_HEAL || why_not(t)) {
        request_send(t, r);
        return;
    }
    char question[120];
    (void)snprintf(question, sizeof question, r->target[0] ? "heal %s?" : "heal everything%s?", r->target);
    prompt_confirm(&t->prompt, r, question);
}
