// SPDX-License-Identifier: PostgreSQL
// Which programs this host has, and their versions. All are asked at once and given one deadline; the slowest would be
// Patroni (Python, 0.2 s of every start), so its version is read from the file next to its code where Debian puts it.
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/stack/stack.h"

#define VERSION_DEADLINE     (5 * SEC) // a cold disk and a busy machine; normally 20 ms
#define PATRONI_VERSION_FILE "/usr/lib/python3/dist-packages/patroni/version.py"

struct program {
    const char *name;    // for people
    const char *package; // Debian's
    const char *option;  // that makes it tell its version
    char *path;          // of struct stack_paths, 256 bytes
    char *version;       // of struct stack_paths, 64 bytes, or NULL
    bool needed;
    pid_t pid; // while it is asked
    int fd;
    struct strbuf said;
};

static void find_in_path(const char *name, char *ret) {
    const char *path = getenv("PATH");
    cleanup_free char *copy =
        xasprintf("%s:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", path ? path : "");
    char *save = NULL;
    for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
        cleanup_free char *file = xasprintf("%s/%s", dir, name);
        if (*dir == '/' && strlen(file) < 256 && access(file, X_OK) == 0) {
            (void)str_copy(ret, 256, file);
            return;
        }
    }
}

// The newest of /usr/lib/postgresql/*/bin, by number: 9.6 is older than 15.
static void find_postgresql(char *ret) {
    glob_t g;
    double newest = 0;
    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &g) != 0)
        return;
    for (size_t i = 0; i < g.gl_pathc; i++) {
        double version = strtod(g.gl_pathv[i] + strlen("/usr/lib/postgresql/"), NULL);
        if (version <= newest || strlen(g.gl_pathv[i]) >= 256)
            continue;
        newest = version;
        (void)str_copy(ret, 256, g.gl_pathv[i]);
    }
    globfree(&g);
}

static void ask(struct program *p) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return;
    p->pid = fork();
    if (p->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigset_t none;
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(fds[1], 1) < 0 || dup2(null, 2) < 0)
            _exit(126);
        (void)execl(p->path, p->path, p->option, (char *)NULL);
        _exit(127);
    }
    (void)close(fds[1]);
    p->fd = fds[0];
}

// false: nothing more will come.
static bool listen_once(struct program *p) {
    char chunk[512];
    ssize_t n = read(p->fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
        return true;
    if (n > 0 && p->said.len < 4096)
        strbuf_addn(&p->said, chunk, (size_t)n);
    if (n > 0)
        return true;
    (void)close(STEAL_FD(p->fd));
    return false;
}

static void collect_answers(struct program *programs, size_t n) {
    usec_t deadline = usec_now() + VERSION_DEADLINE;
    for (;;) {
        struct pollfd fds[8];
        struct program *who[8];
        nfds_t open_fds = 0;
        for (size_t i = 0; i < n && open_fds < ARRAY_SIZE(fds); i++)
            if (programs[i].fd >= 0) {
                who[open_fds] = &programs[i];
                fds[open_fds++] = (struct pollfd){.fd = programs[i].fd, .events = POLLIN};
            }
        usec_t now = usec_now();
        if (open_fds == 0 || now >= deadline)
            return;
        if (poll(fds, open_fds, (int)((deadline - now) / MSEC) + 1) <= 0)
            continue;
        for (nfds_t i = 0; i < open_fds; i++)
            if (fds[i].revents)
                (void)listen_once(who[i]);
    }
}

// "postgres (PostgreSQL) 15.18 (Debian ...)", "etcd Version: 3.4.23", "HAProxy version 2.6.12-1+deb12u1 ...": the first
// word that begins with a digit.
static void take_version(const char *said, char *ret) {
    for (const char *p = said; *p;) {
        size_t len = strcspn(p, " \n\t'\"");
        if (*p >= '0' && *p <= '9' && len > 0) {
            cleanup_free char *word = xstrndup(p, len);
            (void)str_copy(ret, 64, word);
            return;
        }
        p += len + strspn(p + len, " \n\t'\"");
    }
}

static void finish(struct program *p) {
    if (p->pid > 0) {
        if (p->fd >= 0)
            (void)kill(p->pid, SIGKILL); // silent until the deadline
        (void)waitpid(p->pid, NULL, 0);
    }
    if (p->fd >= 0)
        (void)close(p->fd);
    if (p->version)
        take_version(strbuf_str(&p->said), p->version);
    strbuf_done(&p->said);
}

static bool patroni_told_by_file(struct program *p) {
    return str_eq(p->path, "/usr/bin/patroni") && fs_read(PATRONI_VERSION_FILE, 4096, &p->said, NULL) == 0;
}

static void ask_versions(struct program *programs, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (*programs[i].path && programs[i].version && programs[i].needed && !patroni_told_by_file(&programs[i]))
            ask(&programs[i]);
    collect_answers(programs, n);
    for (size_t i = 0; i < n; i++)
        finish(&programs[i]);
}

static int complain(const struct program *programs, size_t n, struct err *err) {
    cleanup_strbuf struct strbuf names = {0};
    cleanup_strbuf struct strbuf packages = {0};
    for (size_t i = 0; i < n; i++) {
        if (!programs[i].needed || *programs[i].path)
            continue;
        strbuf_addf(&names, "%s%s", names.len ? ", " : "", programs[i].name);
        if (!strstr(strbuf_str(&packages), programs[i].package))
            strbuf_addf(&packages, " %s", programs[i].package);
    }
    if (names.len == 0)
        return 0;
    return err_set(err, ENOENT, "not installed here: %s. Install with `make install-deps`, or: apt-get install%s",
                   strbuf_str(&names), strbuf_str(&packages));
}

int stack_find_programs(const struct topology *t, struct stack_paths *ret, struct err *err) {
    struct stack_paths found = {0};
    char postgres[256] = "";
    bool pg = topology_count(t, SERVICE_POSTGRES) > 0, etcd = topology_count(t, SERVICE_ETCD) > 0;
    struct program programs[] = {
        {"PostgreSQL's server", "postgresql", "--version", postgres, found.pg_version, pg, .fd = -1},
        {"patroni", "patroni python3-etcd python3-psycopg2", "--version", found.patroni, found.patroni_version, pg,
         .fd = -1},
        {"etcd", "etcd-server", "--version", found.etcd, found.etcd_version, etcd, .fd = -1},
        {"etcdctl", "etcd-client", NULL, found.etcdctl, NULL, etcd, .fd = -1},
        {"haproxy", "haproxy", "-v", found.haproxy, found.haproxy_version, topology_count(t, SERVICE_HAPROXY) > 0,
         .fd = -1},
        {"nft", "nftables", NULL, found.nft, NULL, true, .fd = -1},
    };
    find_postgresql(postgres);
    for (size_t i = 1; i < ARRAY_SIZE(programs); i++)
        find_in_path(programs[i].name, programs[i].path);
    int r = complain(programs, ARRAY_SIZE(programs), err);
    if (r < 0)
        return r;
    ask_versions(programs, ARRAY_SIZE(programs));
    STR_COPY(found.pg_bin, postgres);
    char *slash = strrchr(found.pg_bin, '/');
    if (slash)
        *slash = '\0';
    *ret = found;
    return 0;
}
