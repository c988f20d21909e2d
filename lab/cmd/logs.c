// SPDX-License-Identifier: PostgreSQL
// bascule logs: the daemons' own logs, as they lie in the run folder.
#include <fcntl.h>
#include <poll.h>

#include "lab/base/inside.h"
#include "lab/base/terminal.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"

struct options {
    const char *lab, *node, *service;
    bool follow;
};

static const struct argp_option argp_options[] = {
    {"lab", 'l', "NAME", 0, "which lab, when several are running", 0},
    {"follow", 'f', NULL, 0, "go on with what is added, until Ctrl-C", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *o = state->input;
    switch (key) {
    case 'l':
        o->lab = arg;
        return 0;
    case 'f':
        o->follow = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            o->node = arg;
        else if (state->arg_num == 1)
            o->service = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->node)
            argp_error(state, "the logs of which node?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct log_file {
    char *label;
    int fd;
    struct strbuf pending;
};
typedef VEC(struct log_file) log_list;

// Files are LOGDIR/SERVICE/*.log. Whoever works on a node can make links and pipes there: no link leads out of LOGDIR, no pipe is waited for.
static void collect_service(log_list *list, const char *dir, const char *service) {
    int folder = inside_open(dir, service, O_RDONLY | O_DIRECTORY, 0);
    cleanup_dir DIR *d = folder < 0 ? NULL : fdopendir(folder);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        if (!str_ends(e->d_name, ".log"))
            continue;
        struct log_file *f = VEC_ADD(list);
        cleanup_free char *path = xasprintf("%s/%s", service, e->d_name);
        f->label = xstrdup(service);
        f->fd = inside_open(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    }
}

static void collect(log_list *list, const char *dir, const char *service) {
    if (service && str_eq(service, "postgres"))
        service = "postgresql";
    if (service) {
        collect_service(list, dir, service);
        return;
    }
    cleanup_dir DIR *d = opendir(dir);
    struct dirent *e;
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            collect_service(list, dir, e->d_name);
}

static void print_new(struct log_file *f, bool labels) {
    char chunk[65536];
    ssize_t n;
    while (f->fd >= 0 && (n = read(f->fd, chunk, sizeof chunk)) > 0) {
        if (!labels) {
            (void)fwrite(chunk, 1, (size_t)n, stdout);
            continue;
        }
        strbuf_addn(&f->pending, chunk, (size_t)n);
        char *start = f->pending.data, *newline;
        while ((newline = strchr(start, '\n'))) {
            (void)printf("%-10s %.*s\n", f->label, (int)(newline - start), start);
            start = newline + 1;
        }
        cleanup_free char *rest = xstrdup(start);
        strbuf_clear(&f->pending);
        strbuf_add(&f->pending, rest);
    }
    (void)fflush(stdout);
}

static int show(const char *dir, const struct options *o) {
    log_list list = {0};
    collect(&list, dir, o->service);
    if (list.n == 0) {
        log_error("no log of %s%s%s in %s (services: patroni, postgresql, etcd, haproxy)", o->node,
                  o->service ? "/" : "", o->service ? o->service : "", dir);
        return EXIT_USAGE;
    }
    do {
        VEC_FOREACH (&list, f)
            print_new(f, list.n > 1);
    } while (o->follow && !terminal_failed() && (poll(NULL, 0, 100), true));
    VEC_FOREACH (&list, f) {
        if (f->fd >= 0)
            (void)close(f->fd);
        free(f->label);
        strbuf_done(&f->pending);
    }
    VEC_DONE(&list);
    return EXIT_PASS;
}

int logs_main(int argc, char **argv) {
    static const struct argp argp = {
        argp_options, parse, "NODE [SERVICE]", "The logs of a node: patroni, postgresql, etcd, haproxy.", NULL,
        NULL,         NULL};
    struct options o = {0};
    cli_parse(&argp, "logs", argc, argv, 0, &o);
    struct err err = {0};
    struct lab_ref lab; // its supervisor is not asked: one that hangs is a reason to read logs
    if (client_find(o.lab, &lab, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    cleanup_free char *dir = xasprintf("%s/nodes/%s/log", lab.run_dir, o.node);
    return show(dir, &o);
}
