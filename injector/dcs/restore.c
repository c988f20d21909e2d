// SPDX-License-Identifier: PostgreSQL
// dcs.restore_snapshot: every etcd member is killed, its data are replaced by those of a snapshot that dcs.save_snapshot left on one of
// them, and all are started: what an administrator does after a total loss, with whatever file he finds.
//   the file is copied to every member -> SIGKILL, seen by the init -> etcdctl snapshot restore on each -> started
// Not undone by heal: what the snapshot did not know is gone. verify_healed sees that etcd answers.
#include <signal.h>
#include <sys/stat.h>

#include "injector/dcs/faults.h"
#include "injector/dcs/snapshot.h"
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "lab/base/fs.h"
#include "lab/base/inside.h"
#include "lab/node/places.h"

static const char RESTORED[] = "/var/lib/etcd/restored";

static void initial_cluster(const struct topology *t, struct strbuf *out) {
    VEC_FOREACH (&t->nodes, n)
        if (n->services & SERVICE_ETCD)
            strbuf_addf(out, "%s%s=http://%s:%d", out->len ? "," : "", n->name, n->address, STACK_ETCD_PEER_PORT);
}

static void note_revision(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0}, revision = {0};
    cleanup_json cJSON *status = errand_etcd("/v3/maintenance/status", "{}", &why);
    if (!status) {
        errand_pass(io, "%s", strbuf_str(&why));
        return;
    }
    strbuf_addf(&revision, "%" PRId64, etcd_revision(status));
    errand_note(io, "revision", strbuf_str(&revision));
    errand_ok(io, 0, "revision %s", strbuf_str(&revision));
}

static bool etcd_ended(const struct errand_io *io) {
    for (usec_t end = usec_now() + 5 * SEC; usec_now() < end && !errand_stopped(io, 10 * MSEC);) {
        cleanup_strbuf struct strbuf body = {0};
        if (errand_http("GET", STACK_ETCD_PORT, "/version", NULL, SEC, &body) == 0 &&
            !strstr(strbuf_str(&body), "timed out")) // refused: nobody listens
            return true;
    }
    return false;
}

static void restore(struct errand_io *io) {
    const struct node_def *n = errand_node(io);
    cleanup_strbuf struct strbuf cluster = {0}, out = {0}, all = {0}, url = {0}, data = {0};
    struct err err = {0};
    initial_cluster(io->world->topology, &cluster);
    strbuf_addf(&all, "--initial-cluster=%s", strbuf_str(&cluster));
    strbuf_addf(&url, "--initial-advertise-peer-urls=http://%s:%d", n->address, STACK_ETCD_PEER_PORT);
    strbuf_addf(&data, "--data-dir=%s", RESTORED);
    const char *argv[] = {"etcdctl",
                          "snapshot",
                          "restore",
                          DCS_SNAPSHOT,
                          "--name",
                          n->name,
                          strbuf_str(&all),
                          "--initial-cluster-token=restored",
                          strbuf_str(&url),
                          strbuf_str(&data),
                          NULL};
    if (!etcd_ended(io)) {
        errand_no(io, "etcd on %s still answers", io->node);
        return;
    }
    int r = fs_remove_tree(RESTORED, &err);
    if (r >= 0 && errand_command(argv, 20 * SEC, &out) != 0) {
        errand_no(io, "etcdctl snapshot restore: %s", strbuf_str(&out));
        return;
    }
    if (r >= 0)
        r = fs_remove_tree("/var/lib/etcd/member", &err);
    if (r < 0)
        errand_no(io, "%s", err.msg);
    else if (rename("/var/lib/etcd/restored/member", "/var/lib/etcd/member") < 0)
        errand_no(io, "/var/lib/etcd/member: %s", strerror(errno));
    else
        errand_ok(io, usec_now(), "restored");
}

// The revision went backwards: nothing else does that.
static void see_older(struct errand_io *io) {
    const char *noted = errand_noted(io, "revision");
    int64_t before = noted ? strtoll(noted, NULL, 10) : 0;
    cleanup_strbuf struct strbuf why = {0};
    for (usec_t end = usec_now() + 15 * SEC; usec_now() < end && !errand_stopped(io, 50 * MSEC);) {
        strbuf_clear(&why);
        cleanup_json cJSON *status = errand_etcd("/v3/maintenance/status", "{}", &why);
        if (!status || etcd_number(status, "leader") == 0)
            continue;
        if (etcd_revision(status) < before)
            errand_ok(io, usec_now(), "etcd leads again with revision %" PRId64 "; it was %" PRId64,
                      etcd_revision(status), before);
        else
            errand_no(io, "etcd has revision %" PRId64 ", not less than %" PRId64 ": was the snapshot just taken?",
                      etcd_revision(status), before);
        return;
    }
    errand_pass(io, "etcd does not lead: %s", strbuf_str(&why));
}

static void see_answer(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    cleanup_json cJSON *status = errand_etcd("/v3/maintenance/status", "{}", &why);
    if (status && etcd_number(status, "leader") != 0)
        errand_ok(io, usec_now(), "etcd answers, revision %" PRId64, etcd_revision(status));
    else
        errand_pass(io, "etcd has no leader: %s", strbuf_str(&why));
}

// ---- in the supervisor ---------------------------------------------------------------------------------------------

static void on_signal(void *arg, const struct node_signal_result *r) {
    (void)arg, (void)r; // restore() waits until the port is closed
}

// The snapshot is some hundred kB in the lab's memory: copied in a millisecond.
static int spread(struct fault *f, const struct node *from, struct err *err) {
    struct fault_world *w = f->world;
    cleanup_strbuf struct strbuf data = {0};
    int r = inside_read(node_etcd_dir(from), DCS_SNAPSHOT_FILE, 64 << 20, &data, err);
    for (size_t i = 0; r >= 0 && i < w->topology->nodes.n; i++)
        if ((w->topology->nodes.items[i].services & SERVICE_ETCD) && w->nodes[i] != from)
            r = inside_write(node_etcd_dir(w->nodes[i]), DCS_SNAPSHOT_FILE, data.data, data.len, 0600, err);
    return r;
}

static int find_snapshot(struct fault *f, const struct node **ret, struct err *err) {
    struct fault_world *w = f->world;
    for (size_t i = 0; i < w->topology->nodes.n; i++)
        if ((w->topology->nodes.items[i].services & SERVICE_ETCD) &&
            inside_exists(node_etcd_dir(w->nodes[i]), DCS_SNAPSHOT_FILE)) {
            *ret = w->nodes[i];
            return 0;
        }
    return err_set(err, ENOENT, "no member has a snapshot; `do: dcs.save_snapshot` must come before");
}

static int kill_all(struct fault *f, struct err *err) {
    struct fault_world *w = f->world;
    const struct node *from = NULL;
    int r = find_snapshot(f, &from, err);
    if (r >= 0)
        r = spread(f, from, err);
    for (size_t i = 0; r >= 0 && i < w->topology->nodes.n; i++) {
        struct node *n = w->nodes[i];
        int64_t pid =
            (w->topology->nodes.items[i].services & SERVICE_ETCD) && node_is_on(n) ? node_service_pid(n, "etcd") : 0;
        if (pid > 0)
            r = node_signal_pid(n, pid, SIGKILL, false, false, on_signal, NULL, err);
    }
    return r;
}

static int start_all(struct fault *f, struct err *err) {
    struct fault_world *w = f->world;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < w->topology->nodes.n; i++)
        if ((w->topology->nodes.items[i].services & SERVICE_ETCD) && node_is_on(w->nodes[i]))
            r = w->start_services(w->arg, node_name(w->nodes[i]), "etcd", err);
    return r;
}

static void describe(const struct fault *f, struct strbuf *out) {
    (void)f;
    strbuf_add(out,
               "# on every node with etcd, after it was stopped\n"
               "export ETCDCTL_API=3; rm -rf /var/lib/etcd/member\n"
               "etcdctl snapshot restore " DCS_SNAPSHOT " --name NODE --initial-cluster n1=http://...:2380,... \\\n"
               "  --initial-advertise-peer-urls http://ADDRESS:2380 --data-dir /tmp/restored; mv /tmp/restored/member "
               "/var/lib/etcd/\n");
}

static const struct errand_ops errands = {.inject = {ERRAND_ETCD, note_revision},
                                          .before_then = kill_all,
                                          .then = {ERRAND_ALL_ETCD, restore},
                                          .after_inject = start_all,
                                          .verify = {ERRAND_ETCD, see_older},
                                          .settle = start_all,
                                          .verify_healed = {ERRAND_ETCD, see_answer}};

const struct fault_ops dcs_restore_snapshot_fault = {
    .about = {.name = "dcs.restore_snapshot",
              .no_target = true,
              .summary = "replaces all of etcd's data by an older snapshot"},
    .mechanism = "SIGKILL to every etcd, `etcdctl snapshot restore` on each from the file that dcs.save_snapshot left, "
                 "and a start; verified by "
                 "a revision below the one before. It is not undone: what the snapshot did not know is gone.",
    .still_works = "PostgreSQL. The leader stops writing when its etcd is gone; afterwards the snapshot says who "
                   "leads, without any race.",
    .exercises =
        "What an old snapshot claims; why Patroni is stopped, and the leader key deleted, before etcd is restored.",
    .needs = "nothing",
    .check = check_etcd_somewhere,
    ERRAND_PHASES(errands),
    .describe = describe,
    .patience = 35 * SEC,
};
