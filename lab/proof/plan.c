// SPDX-License-Identifier: PostgreSQL
// The plan against what the log says of it at its beginning: nodes, expectations, known defects. plan.json is written by the same hand a
// moment before, so whatever differs was changed later.
#include <math.h>

#include "lab/proof/internal.h"

struct proof_node *proof_node(struct proof *p, const char *name) {
    for (size_t i = 0; i < p->n_nodes; i++)
        if (str_eq(p->nodes[i].name, name))
            return &p->nodes[i];
    return NULL;
}

static void on_node(struct proof *p, const struct event *ev) {
    if (p->n_nodes == NODES_MAX || proof_node(p, ev->u.NODE_INFO.node))
        return;
    struct proof_node *n = &p->nodes[p->n_nodes++];
    STR_COPY(n->name, ev->u.NODE_INFO.node);
    n->number = ev->u.NODE_INFO.number;
    n->services = services_read(ev->u.NODE_INFO.services);
}

void proof_take_plan(struct proof *p, const struct event *ev) {
    if (ev->kind == EVENT_NODE_INFO)
        on_node(p, ev);
    else if (ev->kind == EVENT_EXPECT)
        VEC_PUSH(&p->expects, *ev);
    else if (ev->kind == EVENT_KNOWN_DEFECT)
        VEC_PUSH(&p->defects, *ev);
}

// ---- nodes -----------------------------------------------------------------------------------------------------------

static unsigned services_of(const cJSON *node) {
    unsigned asked = 0;
    const cJSON *s;
    cJSON_ArrayForEach (s, cJSON_GetObjectItemCaseSensitive(node, "services"))
        if (cJSON_IsString(s))
            asked |= service_asked(s->valuestring);
    return services_whole(asked);
}

static void judge_node(struct proof *p, const cJSON *planned, int64_t place) {
    const char *name = json_str(planned, "name", "");
    const struct proof_node *n = proof_node(p, name);
    if (!n)
        proof_lack(p, "the machine %s of the plan is not in the log (node.info)", name);
    else if (n->services != services_of(planned))
        proof_lack(p, "the log says of the machine %s that it runs other services than the plan says", name);
    else if ((n->number ? n->number : n - p->nodes + 1) != place)
        proof_lack(p, "the log names the machine %s at another place than the plan", name);
}

static void judge_nodes(struct proof *p, const cJSON *plan) {
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(plan, "topology"), "nodes"),
                *n;
    int64_t place = 0;
    cJSON_ArrayForEach (n, nodes)
        judge_node(p, n, ++place);
    if ((int64_t)p->n_nodes > place)
        proof_lack(p, "the log tells of %zu machines, the plan of %" PRId64, p->n_nodes, place);
}

// ---- expectations and defects ----------------------------------------------------------------------------------------

// The plan is written with 15 digits, the log with as many as a double needs.
static bool same_number(double a, double b) {
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

static bool same_limit(const cJSON *planned, const char *key, bool has, double v) {
    const cJSON *limit = cJSON_GetObjectItemCaseSensitive(planned, key);
    return cJSON_IsNumber(limit) ? has && same_number(limit->valuedouble, v) : !has;
}

static bool same_expect(const cJSON *planned, const struct event *ev, int64_t index) {
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(planned, "wanted"),
                *node = cJSON_GetObjectItemCaseSensitive(planned, "node");
    char text[EVENT_TEXT_MAX];
    STR_COPY(text, json_str(planned, "text", ""));
    return ev->u.EXPECT.index == index && str_eq(json_str(planned, "kind", ""), expect_kind_name(ev->u.EXPECT.kind)) &&
           str_eq(text, ev->u.EXPECT.text) && same_limit(planned, "min", ev->u.EXPECT.has_min, ev->u.EXPECT.min) &&
           same_limit(planned, "max", ev->u.EXPECT.has_max, ev->u.EXPECT.max) &&
           (bool)cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(planned, "inside")) == ev->u.EXPECT.inside &&
           (!wanted || (bool)cJSON_IsTrue(wanted) == ev->u.EXPECT.wanted) &&
           (!cJSON_IsString(node) || str_eq(node->valuestring, ev->u.EXPECT.node));
}

static void judge_expects(struct proof *p, const cJSON *plan) {
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(plan, "expect"), *x;
    int64_t index = 0;
    cJSON_ArrayForEach (x, all) {
        const struct event *found = NULL;
        VEC_FOREACH (&p->expects, ev)
            if (ev->u.EXPECT.index == index)
                found = ev;
        if (!found)
            proof_lack(p, "the expectation '%s %.150s' of the plan is not in the log", json_str(x, "kind", ""),
                       json_str(x, "text", ""));
        else if (!same_expect(x, found, index))
            proof_lack(p, "the expectation '%s %.150s' is another one in the log: '%s %.150s'", json_str(x, "kind", ""),
                       json_str(x, "text", ""), expect_kind_name(found->u.EXPECT.kind), found->u.EXPECT.text);
        index++;
    }
    if ((int64_t)p->expects.n > index)
        proof_lack(p, "the log holds %zu expectations, the plan %" PRId64, p->expects.n, index);
    for (size_t i = 1; i < p->expects.n; i++)
        if (p->expects.items[i].u.EXPECT.index <= p->expects.items[i - 1].u.EXPECT.index)
            return proof_lack(p, "the expectations are not in their order");
}

static void judge_defects(struct proof *p, const cJSON *plan) {
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(plan, "known_defects"), *d;
    size_t i = 0;
    cJSON_ArrayForEach (d, all) {
        const struct event *ev = i < p->defects.n ? &p->defects.items[i] : NULL;
        const char *id = json_str(d, "id", "");
        if (!ev || !str_eq(id, ev->u.KNOWN_DEFECT.id))
            return proof_lack(p, "the known defect '%s' of the plan is not in the log", id);
        if (!str_eq(json_str(d, "versions", ""), ev->u.KNOWN_DEFECT.versions) ||
            !str_eq(json_str(d, "signature", ""), defect_signature_name(ev->u.KNOWN_DEFECT.signature)) ||
            !str_eq(json_str(d, "software", ""), ev->u.KNOWN_DEFECT.software) ||
            !str_eq(json_str(d, "explains", ""), ev->u.KNOWN_DEFECT.explains) ||
            json_bool(d, "always", false) != ev->u.KNOWN_DEFECT.always)
            return proof_lack(p, "the known defect '%s' is another one in the log", id);
        i++;
    }
    if (p->defects.n > i)
        proof_lack(p, "the log holds %zu known defects, the plan %zu", p->defects.n, i);
}

static void judge_head(struct proof *p, const cJSON *plan) {
    const cJSON *topology = cJSON_GetObjectItemCaseSensitive(plan, "topology"),
                *workload = cJSON_GetObjectItemCaseSensitive(plan, "workload");
    __auto_type begin = &p->begin.u.RUN_BEGIN;
    if (!str_eq(json_str(plan, "name", ""), begin->scenario) ||
        !str_eq(json_str(topology, "name", ""), begin->topology) ||
        !same_number(json_num(plan, "seed", 0), (double)(uint64_t)begin->seed))
        proof_lack(p, "plan.json is of another run: %s on %s, seed %.0f", json_str(plan, "name", ""),
                   json_str(topology, "name", ""), json_num(plan, "seed", 0));
    p->idle = json_num(workload, "writes_per_s", 1) <= 0 && json_num(workload, "reads_per_s", 1) <= 0;
}

void proof_judge_plan(struct proof *p, const char *json) {
    cleanup_json cJSON *plan = json ? cJSON_Parse(json) : NULL;
    if (!json)
        proof_lack(p, "plan.json is missing: nothing says which expectations and steps this run had");
    else if (!cJSON_IsObject(plan))
        proof_lack(p, "plan.json can't be read");
    if (cJSON_IsObject(plan)) {
        judge_head(p, plan);
        judge_nodes(p, plan);
        if (proof_scenario(p)) {
            judge_expects(p, plan);
            judge_defects(p, plan);
        }
    }
    proof_judge_course(p, cJSON_IsObject(plan) ? plan : NULL);
}
