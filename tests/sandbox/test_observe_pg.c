// SPDX-License-Identifier: PostgreSQL
#include "tests/sandbox/test_observe_pg.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "lab/base/fs.h"
#include "lab/node/node.h"

#define PG_BIN "/usr/lib/postgresql/15/bin/"
struct test_node test_node = {.on = true};

void test_fail(const char *what) {
    perror(what);
    abort();
}

void test_pause_ms(long ms) {
    (void)nanosleep(&(struct timespec){ms / 1000, (ms % 1000) * 1000000}, NULL);
}

// PostgreSQL refuses to run as root.
static void become_postgres(void) {
    const struct passwd *pw = getpwnam("postgres");
    if (geteuid() != 0)
        return;
    if (!pw || setgroups(0, NULL) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
        test_fail("become postgres");
}

pid_t test_spawn(const char *const *argv, const char *log) {
    pid_t pid = fork();
    if (pid)
        return pid;
    become_postgres();
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        test_fail(log);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)execv(argv[0], (char *const *)argv);
    _exit(127);
}

static int free_port(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        test_fail("free port");
    return ntohs(a.sin_port);
}

void test_pg_init(struct test_pg *pg) {
    if (access(PG_BIN "postgres", X_OK) < 0) {
        (void)printf("1..0 # SKIP PostgreSQL 15 is not installed\n");
        exit(77);
    }
    STR_COPY(pg->dir, "/tmp/bascule-test-XXXXXX");
    if (!mkdtemp(pg->dir))
        test_fail("mkdtemp");
    const struct passwd *pw = getpwnam("postgres");
    if (geteuid() == 0 && (!pw || chown(pg->dir, pw->pw_uid, pw->pw_gid) < 0))
        test_fail("chown");
    (void)snprintf(pg->data, sizeof pg->data, "%s/data", pg->dir);
    (void)snprintf(pg->sockets, sizeof pg->sockets, "%s/run/postgresql", pg->dir);
    char log[128];
    (void)snprintf(log, sizeof log, "%s/initdb.log", pg->dir);
    const char *const argv[] = {PG_BIN "initdb", "-D", pg->data,     "-U", "postgres", "-A",
                                "trust",         "-N", "--locale=C", NULL};
    int status = 0;
    (void)waitpid(test_spawn(argv, log), &status, 0);
    if (status)
        test_fail("initdb");
    pg->port = free_port();
}

static PGconn *try_connect(const struct test_pg *pg, const char *db) {
    char info[256];
    (void)snprintf(info, sizeof info, "host=%s port=%d user=postgres dbname=%s connect_timeout=2", pg->sockets,
                   pg->port, db);
    PGconn *c = PQconnectdb(info);
    if (PQstatus(c) == CONNECTION_OK)
        return c;
    PQfinish(c);
    return NULL;
}

static bool start_once(struct test_pg *pg) {
    char port[16], log[128], run[96];
    (void)snprintf(port, sizeof port, "%d", pg->port);
    (void)snprintf(log, sizeof log, "%s/postgres.log", pg->dir);
    (void)snprintf(run, sizeof run, "%s/run", pg->dir);
    (void)mkdir(run, 0777);
    (void)mkdir(pg->sockets, 0777);
    (void)chmod(pg->sockets, 0777);
    const char *const argv[] = {PG_BIN "postgres",
                                "-D",
                                pg->data,
                                "-p",
                                port,
                                "-h",
                                pg->no_tcp ? "" : "127.0.0.1",
                                "-k",
                                pg->sockets,
                                "-c",
                                "fsync=off",
                                "-c",
                                "shared_buffers=16MB",
                                NULL};
    pg->postmaster = test_spawn(argv, log);
    for (int i = 0; i < 300; i++) {
        PGconn *c = try_connect(pg, "postgres");
        if (c) {
            PQfinish(c);
            return true;
        }
        if (waitpid(pg->postmaster, NULL, WNOHANG) == pg->postmaster)
            return false;
        test_pause_ms(50);
    }
    return false;
}

void test_pg_start(struct test_pg *pg) {
    for (int i = 0; i < 20; i++) {
        if (start_once(pg))
            return;
        test_pause_ms(200); // shared memory of the killed one may still be in use for a moment
    }
    test_fail("PostgreSQL does not start");
}

static pid_t parent_of(const char *pid) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    cleanup_strbuf struct strbuf b = {0};
    if (fs_read(path, 4096, &b, NULL) < 0)
        return 0;
    const char *p = strrchr(b.data, ')');
    return p ? (pid_t)strtol(p + 4, NULL, 10) : 0;
}

static int each_child(const struct test_pg *pg, int sig) {
    int n = 0;
    cleanup_dir DIR *d = opendir("/proc");
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] < '0' || e->d_name[0] > '9' || parent_of(e->d_name) != pg->postmaster)
            continue;
        n++;
        (void)kill((pid_t)strtol(e->d_name, NULL, 10), sig);
    }
    return n;
}

void test_pg_signal_all(const struct test_pg *pg, int sig) {
    (void)kill(pg->postmaster, sig);
    (void)each_child(pg, sig);
}

void test_pg_kill(struct test_pg *pg) {
    (void)kill(pg->postmaster, SIGSTOP); // no new children meanwhile
    (void)each_child(pg, SIGKILL);
    (void)kill(pg->postmaster, SIGKILL);
    (void)waitpid(pg->postmaster, NULL, 0);
    pg->postmaster = 0;
}

void test_pg_done(struct test_pg *pg) {
    if (pg->postmaster) {
        test_pg_signal_all(pg, SIGCONT);
        test_pg_kill(pg);
    }
    (void)fs_remove_tree(pg->dir, NULL);
}

void test_pg_query(const struct test_pg *pg, const char *db, const char *sql, struct strbuf *out) {
    PGconn *c = try_connect(pg, db);
    if (!c)
        test_fail("connect");
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(c));
        abort();
    }
    for (int i = 0; out && i < PQntuples(r); i++)
        strbuf_addf(out, "%s\n", PQgetvalue(r, i, 0));
    PQclear(r);
    PQfinish(c);
}

// ---- the "node" ------------------------------------------------------------------------------------------------------
void test_pg_append(const struct test_pg *pg, const char *file, const char *text) {
    cleanup_free char *path = xasprintf("%s/%s", pg->dir, file);
    cleanup_free char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    (void)mkdir(folder, 0755);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fs_write_all(fd, text, strlen(text)) < 0)
        test_fail(path);
}

void test_pg_node_root(const struct test_pg *pg) {
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        test_fail("pipe2");
    test_node.init_pid = fork();
    if (test_node.init_pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chroot(pg->dir) < 0 && (unshare(CLONE_NEWUSER) < 0 || chroot(pg->dir) < 0))
            _exit(1);
        (void)!write(ready[1], "x", 1);
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    char byte;
    if (read(ready[0], &byte, 1) != 1)
        test_fail("a process with another root");
    (void)close(ready[0]);
}

void test_node_root_done(void) {
    (void)kill(test_node.init_pid, SIGKILL);
    (void)waitpid(test_node.init_pid, NULL, 0);
}

// ---- stand-ins for lab/node ------------------------------------------------------------------------------------------
bool node_is_on(const struct node *n) {
    (void)n;
    return test_node.on;
}
const char *node_name(const struct node *n) {
    (void)n;
    return "n1";
}
pid_t node_init_pid(const struct node *n) {
    (void)n;
    return test_node.on ? test_node.init_pid : 0;
}
int node_ns(const struct node *n, enum node_ns which) {
    static int net = -1;
    (void)n;
    if (net < 0)
        net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return which == NODE_NS_NET ? net : -1;
}
int node_run_function(struct node *n, int (*main_fn)(void *arg, int fd), void *arg, pid_t *ret_pid, int *ret_fd,
                      struct err *err) {
    int sv[2];
    (void)n;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
        return err_sys(err, errno, "socketpair");
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(sv[0]);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(main_fn(arg, sv[1]));
    }
    (void)close(sv[1]);
    *ret_pid = pid;
    *ret_fd = sv[0];
    return 0;
}
