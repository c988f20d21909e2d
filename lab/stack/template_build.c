// SPDX-License-Identifier: PostgreSQL
// What a template is: initdb's result with the roles for replication and pg_rewind, the application's database and what the system adds (its seed), written by a
// server in single-user mode (no sockets, no waiting) and cleanly shut down.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/node/environment.h"
#include "lab/node/places.h"
#include "lab/stack/ops.h"
#include "lab/stack/template.h"

static _Noreturn void become_program(const struct template_world *w, const char *const *argv, const char *input,
                                     const char *output) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int in = open(input, O_RDONLY), out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    if (w->mounts >= 0 && setns(w->mounts, CLONE_NEWNS) < 0) {
        (void)dprintf(2, "enter the files of the node: %s\n", strerror(errno));
        _exit(126);
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    environ = environment_new("", NULL);
    (void)execv(argv[0], (char *const *)argv);
    _exit(127);
}

// Runs a program to its end: stdin from a file, output to another. The worker is a process of its own and may wait.
static int run(const struct template_world *w, const char *const *argv, const char *input, const char *output,
               struct err *err) {
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, errno, "start %s", argv[0]);
    if (pid == 0)
        become_program(w, argv, input, output);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_sys(err, errno, "wait for %s", argv[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    cleanup_strbuf struct strbuf text = {0};
    (void)fs_read(output, 1 << 20, &text, NULL);
    const char *said = strbuf_str(&text);
    return err_set(err, ECHILD, "%s failed (%s %d): %s", argv[0], WIFEXITED(status) ? "exit" : "signal",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                   text.len > 600 ? said + text.len - 600 : said);
}

// The node whose programs make it: the one that leads first.
static const struct stack_paths *builder(const struct conf *c) {
    const struct node_def *leader = conf_first_leader(c->topology);
    return leader ? conf_paths(c, leader) : c->paths;
}

// Nothing is synced: what a crash of this machine could tear is thrown away anyway. C.UTF-8 exists everywhere and sorts
// fast.
static int initdb(const struct conf *c, const struct template_world *w, const char *name, const char *log,
                  struct err *err) {
    cleanup_free char *program = xasprintf("%s/initdb", builder(c)->pg_bin);
    cleanup_free char *pwfile = xasprintf("%s/%s.pw", w->dir, name),
                      *pw_inside = xasprintf("%s/%s.pw", w->inside, name);
    cleanup_free char *data = xasprintf("%s/%s", w->inside, name);
    const char *password = stack_password("superuser");
    int r = fs_write(pwfile, password, strlen(password), 0600, err);
    if (r < 0)
        return r;
    const char *argv[] = {program,
                          "--pgdata",
                          data,
                          "--username",
                          "postgres",
                          "--pwfile",
                          pw_inside,
                          "--encoding",
                          "UTF8",
                          "--locale=C.UTF-8",
                          "--data-checksums",
                          "--auth-host=scram-sha-256",
                          "--auth-local=peer",
                          "--no-sync",
                          "--no-instructions",
                          NULL};
    r = run(w, argv, "/dev/null", log, err);
    (void)unlink(pwfile);
    return r;
}

// Single-user mode reads one statement a line.
static void statements(const struct conf *c, struct strbuf *out) {
    strbuf_addf(out, "CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD '%s'\n", stack_password("replication"));
    strbuf_addf(out, "CREATE ROLE rewind WITH LOGIN PASSWORD '%s'\n", stack_password("rewind"));
    // What pg_rewind needs when it is not run as superuser (PostgreSQL docs, pg_rewind, Notes); Patroni's bootstrap
    // grants the same.
    static const char *const functions[] = {"pg_ls_dir(text, boolean, boolean)", "pg_stat_file(text, boolean)",
                                            "pg_read_binary_file(text)",
                                            "pg_read_binary_file(text, bigint, bigint, boolean)"};
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
        strbuf_addf(out, "GRANT EXECUTE ON FUNCTION pg_catalog.%s TO rewind\n", functions[i]);
    strbuf_addf(out, "CREATE ROLE %s WITH LOGIN PASSWORD '%s'\n", STACK_APP_USER, stack_password("app"));
    strbuf_addf(out, "CREATE DATABASE %s OWNER %s\n", STACK_DATABASE, STACK_APP_USER);
    c->ops->seed(c, out);
}

// With the parameters of the real servers: max_connections and its like are noted in the control file at shutdown, and
// a standby configured with less than its control file says refuses to start.
static int single_user(const struct conf *c, const struct template_world *w, const char *name, const char *log,
                       struct err *err) {
    cleanup_free char *program = xasprintf("%s/postgres", builder(c)->pg_bin);
    cleanup_free char *script = xasprintf("%s/%s.sql", w->dir, name), *data = xasprintf("%s/%s", w->inside, name);
    cleanup_strbuf struct strbuf sql = {0};
    statements(c, &sql);
    int r = fs_write(script, strbuf_str(&sql), sql.len, 0600, err);
    if (r < 0)
        return r;
    VEC(const char *) argv = {0};
    VEC(char *) owned = {0};
    // exit_on_error makes a failed statement fail the template.
    const char *const head[] = {program, "--single", "-D", data, "-c", "fsync=off", "-c", "exit_on_error=on"};
    for (size_t i = 0; i < ARRAY_SIZE(head); i++)
        VEC_PUSH(&argv, head[i]);
    for (const struct conf_default *d = c->ops->server_parameters; d->key; d++) {
        VEC_PUSH(&owned, xasprintf("--%s=%s", d->key, conf_parameter(c, d->key)));
        VEC_PUSH(&argv, owned.items[owned.n - 1]);
    }
    VEC_PUSH(&argv, "postgres");
    VEC_PUSH(&argv, NULL);
    r = run(w, argv.items, script, log, err);
    (void)unlink(script);
    VEC_FOREACH (&owned, o)
        free(*o);
    VEC_DONE(&owned);
    VEC_DONE(&argv);
    return r;
}

void template_inputs(const struct conf *c, struct strbuf *out) {
    const struct stack_paths *p = builder(c);
    strbuf_addf(out, "PostgreSQL %s in %s\n", stack_version(p, "postgres"), p->pg_bin);
    if (*p->image_id) // the same version number may be another build; the host's own is taken at its word
        strbuf_addf(out, "image %s\n", p->image_id);
    conf_postmaster_options(c, out);
    strbuf_add(out, "\n");
    statements(c, out);
}

int template_build(const struct conf *c, const struct template_world *w, const char *name, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", w->dir, name), *log = xasprintf("%s.log", path);
    int r = initdb(c, w, name, log, err);
    if (r == 0)
        r = single_user(c, w, name, log, err);
    if (r < 0)
        return r;
    cleanup_free char *from = xasprintf("%s/postgresql.conf", path);
    cleanup_free char *to = xasprintf("%s/%s", path, c->ops->base_conf ? c->ops->base_conf : "postgresql.conf");
    if (rename(from, to) < 0)
        return err_sys(err, errno, "rename '%s'", from);
    (void)unlink(log);
    return 0;
}

// ---- a node's copy ------------------------------------------------------------------------------------------------

int template_put(const char *dir, const char *name, const struct strbuf *text, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", dir, name);
    return fs_write(path, strbuf_str(text), text->len, 0600, err);
}

// A standby: no slots of its own, and the sign that it is one.
static int make_standby(const char *data, struct err *err) {
    cleanup_free char *slots = xasprintf("%s/pg_replslot", data);
    int r = fs_remove_tree(slots, err);
    if (r == 0 && mkdir(slots, 0700) < 0)
        r = err_sys(err, errno, "create folder '%s'", slots);
    return r < 0 ? r : template_put(data, "standby.signal", &(struct strbuf){0}, err);
}

int template_instantiate(const struct conf *c, const struct node_def *n, const char *template_path, const char *dir,
                         struct err *err) {
    cleanup_free char *data = xasprintf("%s/data", dir);
    if (mkdir(data, 0700) < 0)
        return err_sys(err, errno, "create folder '%s'", data);
    int r = fs_copy_tree(template_path, data, err);
    if (r == 0)
        r = c->ops->data_files(c, n, data, dir, err);
    if (r == 0 && n != conf_first_leader(c->topology))
        r = make_standby(data, err);
    return r < 0 ? err_wrap(err, "data directory of %s", n->name) : 0;
}
