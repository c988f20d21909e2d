// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/random.h"

#include <stdlib.h>
#include <sys/random.h>

#include "injector/injector.h"
#include "injector/random_uses.h"
#include "lab/base/fs.h"
#include "lab/base/json.h"
#include "lab/cli/paths.h"
#include "lab/cli/runs.h"
#include "lab/scenario/random.h"

#define RANDOM_TOPOLOGY "patroni-3-etcd-3-sync" // may promise that nothing acknowledged is lost

int random_duration(const char *text, usec_t *ret, struct err *err) {
    usec_t t = 0;
    if (usec_parse(text, &t) < 0)
        return err_set(err, EINVAL, "'%s' is no time (30s, 5m)", text);
    if (t < 30 * SEC || t > RANDOM_DURATION_MAX)
        return err_set(err, EINVAL, "'%s' is not between 30s and %llum; for more, run several seeds", text,
                       (unsigned long long)(RANDOM_DURATION_MAX / MINUTE));
    *ret = t;
    return 0;
}

static const char *setting_of(const setting_list *set, const char *key) {
    const char *value = NULL;
    VEC_FOREACH (set, s)
        if (str_eq(s->key, key))
            value = s->value;
    return value;
}

static bool usable(void *arg, const char *mechanism, const setting_list *params) {
    return fault_check(mechanism, arg, NULL, params, NULL) >= 0;
}

static int read_topology(const char *name, struct topology **ret, struct err *err) {
    cleanup_strbuf struct strbuf dir = {0}, said = {0};
    int r = paths_topologies(&dir, err);
    if (r < 0)
        return r;
    struct read_options ro = {.vocabulary = fault_vocabulary(), .topology_dir = strbuf_str(&dir)};
    struct diags d = {0};
    r = topology_read(name, &ro, &d, ret, err);
    diags_to_text(&d, &said);
    diags_done(&d);
    if (r == -EINVAL && said.len)
        return err_set(err, EINVAL, "%s", strbuf_str(&said));
    return r;
}

int random_make(struct start_options *o, usec_t duration, struct strbuf *path, struct strbuf *text, struct err *err) {
    const char *name = setting_of(&o->set, "topology");
    struct topology *t = NULL;
    if (!o->seed && getrandom(&o->seed, sizeof o->seed, 0) != (ssize_t)sizeof o->seed)
        return err_sys(err, errno, "draw a seed");
    o->seed = o->seed % 1000000 ? o->seed % 1000000 : 1; // short enough to be typed again
    int r = read_topology(name ? name : RANDOM_TOPOLOGY, &t, err);
    if (r < 0)
        return r;
    t->disk_faults = true; // what a scenario with storage faults asks for by itself
    size_t n;
    struct random_options ro = {.topology_name = name ? name : RANDOM_TOPOLOGY,
                                .t = t,
                                .uses = random_uses(&n),
                                .usable = usable,
                                .arg = t,
                                .seed = o->seed,
                                .duration = duration ? duration : 5 * MINUTE};
    ro.n_uses = n;
    strbuf_addf(path, "random-%llu.yaml", (unsigned long long)o->seed);
    r = random_scenario(&ro, text, err);
    topology_free(t);
    return r == -ENOENT ? err_set(err, ENOTSUP, "%s", err->msg) : r < 0 ? r : 0;
}

// ---- --replay --------------------------------------------------------------------------------------------------------

static int read_kept(const char *run, const char *name, struct strbuf *out, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", run, name);
    return fs_read(path, 1 << 20, out, err);
}

// Those of the run come first: what the command line says in addition wins.
static void take_settings(char *text, struct start_options *o) {
    setting_list all = {0};
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *eq = strchr(line, '=');
        if (eq)
            VEC_PUSH(&all, ((struct setting){.key = xstrndup(line, (size_t)(eq - line)), .value = xstrdup(eq + 1)}));
    }
    VEC_FOREACH (&o->set, s)
        VEC_PUSH(&all, *s);
    VEC_DONE(&o->set);
    o->set = all;
}

int random_again(const char *run, struct start_options *o, struct strbuf *path, struct strbuf *text, struct err *err) {
    cleanup_strbuf struct strbuf plan = {0}, settings = {0};
    cleanup_free char *folder = runs_resolve(run, err);
    if (!folder)
        return -ENOENT;
    run = folder;
    int r = read_kept(run, "scenario.yaml", text, err);
    if (r == 0)
        r = read_kept(run, "plan.json", &plan, err);
    if (r < 0)
        return err_wrap(err, "'%s' is no run folder that can be repeated", run);
    cleanup_json cJSON *json = cJSON_Parse(strbuf_str(&plan));
    if (!o->seed)
        o->seed = (uint64_t)json_int(json, "seed", 0);
    // The name says what it repeats; relative names of topologies were meant from where the file lay.
    strbuf_add(path, json_str(json, "file", "replay.yaml"));
    if (read_kept(run, "overrides.txt", &settings, NULL) == 0 && settings.len)
        take_settings(settings.data, o);
    return 0;
}
