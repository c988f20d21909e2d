// SPDX-License-Identifier: PostgreSQL
// Building the lab: switch, nodes, stack, observer, injector, in that order, and what the log says about it at the
// beginning.
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "lab/base/fs.h"
#include "lab/ha/ha.h"
#include "lab/image/image.h"
#include "lab/sandbox/sandbox.h"
#include "lab/supervisor/internal.h"

// ---- the beginning of the log --------------------------------------------------------------------------------------

static void read_word(const char *path, char *out, size_t size) {
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read(path, 4096, &text, NULL) < 0)
        return;
    (void)str_copy(out, size, strbuf_str(&text));
    out[strcspn(out, " \n")] = '\0';
}

static void record_run(struct lab *lab) {
    struct event ev = EVENT_NEW(RUN_BEGIN);
    __auto_type b = &ev.u.RUN_BEGIN;
    STR_COPY(b->scenario, lab->plan->name ? lab->plan->name : "");
    STR_COPY(b->title, lab->plan->title ? lab->plan->title : "");
    STR_COPY(b->lab, lab->o->name);
    STR_COPY(b->topology, lab->plan->topology->name ? lab->plan->topology->name : "");
    b->seed = (int64_t)lab->plan->seed;
    b->wall = usec_wall_now();
    b->mono = lab->sink.base;
    STR_COPY(b->program, BASCULE_VERSION);
    b->sealing = true;
    STR_COPY(b->stack, lab->plan->topology->stack);
    struct utsname u;
    if (uname(&u) == 0)
        STR_COPY(b->kernel, u.release);
    struct sysinfo si;
    if (sysinfo(&si) == 0)
        b->memory_mb = (int64_t)((uint64_t)si.totalram * si.mem_unit >> 20);
    b->cpus = sysconf(_SC_NPROCESSORS_ONLN);
    // A new network namespace inherits the host's default, and recovery times under loss depend on it.
    read_word("/proc/sys/net/ipv4/tcp_congestion_control", b->tcp_cc, sizeof b->tcp_cc);
    if (lab->plan->workload.writes_per_s > 0)
        b->period_us = (int64_t)(1e6 / lab->plan->workload.writes_per_s);
    sink_emit(&lab->sink, &ev);
}

static void record_nodes(struct lab *lab) {
    const struct topology *t = lab->plan->topology;
    VEC_FOREACH (&t->nodes, n) {
        struct event ev = EVENT_NEW(NODE_INFO);
        STR_COPY(ev.u.NODE_INFO.node, n->name);
        STR_COPY(ev.u.NODE_INFO.address, n->address);
        services_text(services_whole(n->services), ev.u.NODE_INFO.services, sizeof ev.u.NODE_INFO.services);
        ev.u.NODE_INFO.nofailover = n->nofailover;
        ev.u.NODE_INFO.number = n - t->nodes.items + 1;
        if (!image_is_host(topology_image(t, n)))
            STR_COPY(ev.u.NODE_INFO.image, topology_image(t, n));
        sink_emit(&lab->sink, &ev);
    }
}

static void record_expectations(struct lab *lab) {
    for (size_t i = 0; i < lab->plan->expects.n; i++) {
        const struct expect *x = &lab->plan->expects.items[i];
        struct event ev = EVENT_NEW(EXPECT);
        ev.u.EXPECT.index = (int64_t)i;
        ev.u.EXPECT.kind = x->kind;
        ev.u.EXPECT.has_min = x->has_min;
        ev.u.EXPECT.has_max = x->has_max;
        ev.u.EXPECT.min = x->min;
        ev.u.EXPECT.max = x->max;
        ev.u.EXPECT.wanted = x->wanted;
        ev.u.EXPECT.inside = x->inside;
        STR_COPY(ev.u.EXPECT.node, x->node);
        STR_COPY(ev.u.EXPECT.text, x->text ? x->text : "");
        sink_emit(&lab->sink, &ev);
    }
}

static void record_steps(struct lab *lab) {
    for (size_t i = 0; i < lab->plan->steps.n && lab->o->lab->scenario; i++) {
        struct event ev = EVENT_NEW(PLAN_STEP);
        ev.u.PLAN_STEP.index = (int64_t)i;
        STR_COPY(ev.u.PLAN_STEP.name, lab->plan->steps.items[i].name);
        (void)plan_step_words(lab->plan, i, ev.u.PLAN_STEP.text, sizeof ev.u.PLAN_STEP.text);
        sink_emit(&lab->sink, &ev);
    }
}

// How much of the rest of a line one event takes: all, or up to a space where it is too long.
static size_t lesson_piece(const char *line, size_t len) {
    size_t most = EVENT_TEXT_MAX - 1, n = most;
    if (len <= most)
        return len;
    while (n > 0 && line[n] != ' ')
        n--;
    return n ? n : most;
}

static void record_lesson(struct lab *lab) {
    const char *p = lab->o->lab->scenario && lab->plan->lesson ? lab->plan->lesson : "";
    while (*p) {
        struct event ev = EVENT_NEW(LESSON);
        size_t n = lesson_piece(p, strcspn(p, "\n"));
        (void)str_copy(ev.u.LESSON.text, n + 1, p);
        sink_emit(&lab->sink, &ev);
        p += n;
        p += *p == '\n' || *p == ' ';
    }
}

static void record_known_defects(struct lab *lab) {
    VEC_FOREACH (&lab->plan->defects, d) {
        struct event ev = EVENT_NEW(KNOWN_DEFECT);
        STR_COPY(ev.u.KNOWN_DEFECT.id, d->id);
        STR_COPY(ev.u.KNOWN_DEFECT.software, d->software);
        STR_COPY(ev.u.KNOWN_DEFECT.versions, d->versions);
        STR_COPY(ev.u.KNOWN_DEFECT.reference, d->reference);
        STR_COPY(ev.u.KNOWN_DEFECT.text, d->text);
        ev.u.KNOWN_DEFECT.signature = d->signature;
        STR_COPY(ev.u.KNOWN_DEFECT.explains, d->explains);
        ev.u.KNOWN_DEFECT.always = d->always;
        sink_emit(&lab->sink, &ev);
    }
}

static void record_version(struct lab *lab, const char *component, const char *version, const char *node) {
    struct event ev = EVENT_NEW(VERSION);
    STR_COPY(ev.u.VERSION.component, component);
    STR_COPY(ev.u.VERSION.version, version);
    STR_COPY(ev.u.VERSION.node, node);
    sink_emit(&lab->sink, &ev);
}

// The version of the program with this title on node i, "" = it runs none of it.
static const char *version_on(const struct lab *lab, const char *title, size_t i) {
    const struct stack_paths *p = &lab->paths[i];
    unsigned services = lab->plan->topology->nodes.items[i].services;
    if (str_eq(title, "Debian"))
        return services & ~(unsigned)SERVICE_APP ? p->debian_version : "";
    for (size_t k = 0; k < p->n_found; k++)
        if (str_eq(p->found[k].title, title) && p->found[k].services & services)
            return p->found[k].version;
    return "";
}

// One event when all nodes agree, else one for each node.
static void record_component(struct lab *lab, const char *title) {
    const char *one = "";
    bool differ = false;
    size_t n = lab->plan->topology->nodes.n;
    for (size_t i = 0; i < n; i++) {
        const char *version = version_on(lab, title, i);
        differ |= *version && *one && !str_eq(version, one);
        one = *one ? one : version;
    }
    if (*one && !differ)
        record_version(lab, title, one, "");
    for (size_t i = 0; i < n && differ; i++)
        if (*version_on(lab, title, i))
            record_version(lab, title, version_on(lab, title, i), lab->plan->topology->nodes.items[i].name);
}

static bool told_before(const struct lab *lab, size_t node, const char *title) {
    for (size_t i = 0; i < node; i++)
        for (size_t k = 0; k < lab->paths[i].n_found; k++)
            if (str_eq(lab->paths[i].found[k].title, title))
                return true;
    return false;
}

static void record_versions(struct lab *lab) {
    for (size_t i = 0; i < lab->plan->topology->nodes.n; i++)
        for (size_t k = 0; k < lab->paths[i].n_found; k++) {
            const char *title = lab->paths[i].found[k].title;
            if (*title && !told_before(lab, i, title))
                record_component(lab, title);
        }
    record_component(lab, "Debian");
}

void lab_record_beginning(struct lab *lab) {
    record_run(lab);
    record_nodes(lab);
    record_lesson(lab);
    record_steps(lab);
    record_expectations(lab);
    record_known_defects(lab);
    struct strbuf json = {0};
    plan_to_json(lab->plan, &json);
    cleanup_free char *path = xasprintf("%s/plan.json", lab->o->lab->run_dir);
    (void)fs_write_whole(path, strbuf_str(&json), json.len, 0644, NULL); // an extra for people; the log is what counts
    strbuf_done(&json);
}

// ---- nodes ---------------------------------------------------------------------------------------------------------

static void hosts_text(const struct topology *t, struct strbuf *out) {
    strbuf_add(out, "127.0.0.1\tlocalhost\n\n# the machines of this lab\n");
    VEC_FOREACH (&t->nodes, n)
        strbuf_addf(out, "%s\t%s\n", n->address, n->name);
}

static int build_node(struct lab *lab, size_t i, const char *hosts, struct err *err) {
    const struct topology *t = lab->plan->topology;
    const struct node_def *def = &t->nodes.items[i];
    cleanup_free char *disk = t->storage == STORAGE_DISK
                                  ? xasprintf("%s/nodes/%s/disk", lab->o->lab->run_dir, def->name)
                                  : xasprintf("%s/nodes/%s", SANDBOX_STATE, def->name);
    lab->log_dirs[i] = xasprintf("%s/nodes/%s/log", lab->o->lab->run_dir, def->name);
    int r = fs_mkdirs(disk, 0755, err);
    if (r == 0)
        r = fs_mkdirs(lab->log_dirs[i], 0755, err);
    if (r < 0)
        return r;
    struct node_spec spec = {.hosts = hosts,
                             .disk_dir = disk,
                             .log_dir = lab->log_dirs[i],
                             .watchdog = topology_watchdog(t, def) != WATCHDOG_OFF};
    if (*lab->paths[i].root)
        spec.image_root = lab->paths[i].root;
    spec.own_disks = t->storage == STORAGE_MEMORY && def->services & (SERVICE_POSTGRES | SERVICES_ARBITER);
    if (def->services & (SERVICE_POSTGRES | SERVICES_ARBITER))
        spec.disk_layer = t->disk_faults ? DISK_LAYER_ALL : t->disk_layer;
    STR_COPY(spec.name, def->name);
    STR_COPY(spec.address, def->address);
    return node_new(lab->loop, lab->sw, &spec, &lab->sink, &lab->nodes[i], err);
}

// Nodes with the host's files have the same host: the first of them speaks for all.
static void tell_left_out(struct lab *lab) {
    for (size_t i = 0; i < lab->plan->topology->nodes.n; i++) {
        cleanup_free char *path = xasprintf("%s/%s", node_etc_dir(lab->nodes[i]), NODE_ETC_LEFT_OUT);
        cleanup_strbuf struct strbuf text = {0};
        if (fs_read_file(path, 1 << 20, &text, NULL) < 0)
            continue;
        lab_progress(lab, PROGRESS_PHASE_BUILD, false, "%.*s; the nodes have a list of it in /etc/%s",
                     (int)strcspn(strbuf_str(&text), "\n"), strbuf_str(&text), NODE_ETC_LEFT_OUT);
        return;
    }
}

static int build_nodes(struct lab *lab, struct err *err) {
    cleanup_strbuf struct strbuf hosts = {0};
    hosts_text(lab->plan->topology, &hosts);
    for (size_t i = 0; i < lab->plan->topology->nodes.n; i++)
        if (build_node(lab, i, strbuf_str(&hosts), err) < 0)
            return err_wrap(err, "node %s", lab->plan->topology->nodes.items[i].name);
    tell_left_out(lab);
    int r = switch_neighbours(lab->sw, err);
    return r < 0 ? r : switch_prepare(lab->sw, err);
}

static int start_services(void *arg, const char *node, const char *service, struct err *err) {
    struct lab *lab = arg;
    return stack_start_services(lab->stack, node, service, err);
}

static int build_injector(struct lab *lab, struct err *err) {
    lab->world = (struct fault_world){.loop = lab->loop,
                                      .sink = &lab->sink,
                                      .sw = lab->sw,
                                      .topology = lab->plan->topology,
                                      .seed = lab->plan->seed,
                                      .start_services = start_services,
                                      .arg = lab};
    memcpy(lab->world.nodes, lab->nodes, sizeof lab->world.nodes);
    int r = injector_new(&lab->world, &lab->injector, err);
    if (r < 0)
        return r;
    struct reach reach = injector_reach(lab->injector);
    return matrix_new(&reach, &lab->matrix, err);
}

static int build_stack(struct lab *lab, struct err *err) {
    struct stack_options o = {.loop = lab->loop,
                              .topology = lab->plan->topology,
                              .paths = lab->paths,
                              .nodes = lab->nodes,
                              .sink = &lab->sink,
                              .cache_dir = lab->o->lab->cache_dir,
                              .work_dir = SANDBOX_STATE,
                              .fresh = lab->o->lab->fresh};
    return stack_new(&o, &lab->stack, err);
}

static int build_observer(struct lab *lab, struct err *err) {
    struct observer_options o = {.loop = lab->loop,
                                 .topology = lab->plan->topology,
                                 .nodes = lab->nodes,
                                 .sink = &lab->sink,
                                 .log_dirs = (const char *const *)lab->log_dirs};
    return observer_new(&o, &lab->observer, err);
}

int lab_build(struct lab *lab, struct err *err) {
    lab_progress(lab, PROGRESS_PHASE_BUILD, false, "building %zu nodes and their network",
                 lab->plan->topology->nodes.n);
    int r = stack_find_programs(lab->plan->topology, lab->paths, err);
    if (r < 0)
        return r;
    record_versions(lab);
    r = switch_new(&lab->sw, err);
    if (r < 0)
        return err_wrap(err, "network");
    if ((r = build_nodes(lab, err)) < 0 || (r = build_stack(lab, err)) < 0 || (r = build_observer(lab, err)) < 0)
        return r;
    return build_injector(lab, err);
}
