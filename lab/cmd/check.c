// SPDX-License-Identifier: PostgreSQL
// bascule check: every mistake of every file, at its place. A file with a `nodes` key at its top level and no `steps` is taken
// as a topology by the reader's own rules; here only folder and name decide: topologies/... is a topology.
#include "injector/injector.h"
#include "lab/cli/paths.h"
#include "lab/cli/simple.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/plan_faults.h"
#include "lab/ha/kind/kind.h"
#include "lab/scenario/read.h"

// On a stack that lacks what it needs nothing else is asked: it will not run there, which is no mistake.
static int check_plan(const char *path, struct plan *plan, struct diags *d) {
    struct err err = {0};
    if (ha_kind_check_needs(ha_kind_find(plan->topology->stack), plan->needs, &err) < 0) {
        diag_add(d, DIAG_WARNING, path, plan->needs_line, 1, "`bascule run` skips it: %s", err.msg);
        return 0;
    }
    fault_plan_disk_layer(plan);
    return plan_check_faults(path, plan, true, d);
}

static int check_file(const char *name, const struct read_options *ro, struct diags *d) {
    struct err err = {0};
    cleanup_strbuf struct strbuf path = {0};
    if (paths_scenario_file(name, &path, &err) < 0) {
        diag_add(d, DIAG_ERROR, name, 0, 0, "%s", err.msg);
        return -ENOENT;
    }
    int r;
    if (strstr(strbuf_str(&path), "topologies/")) {
        struct topology *t = NULL;
        r = topology_read(strbuf_str(&path), ro, d, &t, &err);
        topology_free(t);
    } else {
        struct plan *plan = NULL;
        r = scenario_read(strbuf_str(&path), ro, d, &plan, &err);
        if (r >= 0)
            r = check_plan(strbuf_str(&path), plan, d);
        plan_free(plan);
    }
    if (r < 0 && *err.msg)
        diag_add(d, DIAG_ERROR, strbuf_str(&path), 0, 0, "%s", err.msg);
    return r;
}

int check_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("check", SIMPLE_JSON, "FILE...",
                 "Checks scenario and topology files and reports every mistake at file:line:col.", 1, argc, argv, &o);
    struct err err = {0};
    cleanup_strbuf struct strbuf dir = {0}, out = {0};
    if (paths_topologies(&dir, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    struct read_options ro = {.vocabulary = fault_vocabulary(), .topology_dir = strbuf_str(&dir), .seed = 1};
    struct diags d = {0};
    size_t bad = 0;
    for (size_t i = 0; i < o.n_args; i++)
        bad += check_file(o.args[i], &ro, &d) < 0;
    if (o.json)
        diags_to_json(&d, &out);
    else
        diags_to_text(&d, &out);
    (void)fputs(strbuf_str(&out), stdout);
    if (!o.json && bad == 0)
        (void)printf("%zu file%s, no mistake\n", o.n_args, o.n_args == 1 ? "" : "s");
    diags_done(&d);
    return bad ? EXIT_USAGE : EXIT_PASS;
}
