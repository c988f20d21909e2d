// SPDX-License-Identifier: PostgreSQL
// The plan as JSON, every default visible. Durations are µs and their names say so.
#include "lab/base/json_write.h"
#include "lab/plan/plan.h"

static void settings(struct strbuf *out, const char *key, const setting_list *list) {
    json_begin(out, key, "{");
    for (size_t i = 0; i < list->n; i++)
        json_put_text(out, list->items[i].key, list->items[i].value);
    json_end(out, "}");
}

// ---- topology -------------------------------------------------------------------------------------------------------

static void services(struct strbuf *out, unsigned bits) {
    json_begin(out, "services", "[");
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (bits & service_words[i].bit)
            json_put_text(out, NULL, service_words[i].word);
    json_end(out, "]");
}

static void node(struct strbuf *out, const struct node_def *n) {
    json_begin(out, NULL, "{");
    json_put_text(out, "name", n->name);
    json_put_text(out, "address", n->address);
    services(out, n->services);
    if (*n->image)
        json_put_text(out, "image", n->image);
    json_begin(out, "tags", "{");
    json_put_bool(out, "nofailover", n->nofailover);
    json_put_bool(out, "nosync", n->nosync);
    json_put_bool(out, "noloadbalance", n->noloadbalance);
    json_put_bool(out, "clonefrom", n->clonefrom);
    json_end(out, "}}");
}

static void patroni(struct strbuf *out, const struct patroni_settings *p) {
    json_begin(out, "patroni", "{");
    json_put_usec(out, "ttl_us", p->ttl);
    json_put_usec(out, "loop_wait_us", p->loop_wait);
    json_put_usec(out, "retry_timeout_us", p->retry_timeout);
    json_put_int(out, "maximum_lag_on_failover", p->maximum_lag_on_failover);
    json_put_usec(out, "primary_start_timeout_us", p->primary_start_timeout);
    json_put_bool(out, "synchronous_mode", p->synchronous_mode);
    json_put_bool(out, "synchronous_mode_strict", p->synchronous_mode_strict);
    json_put_int(out, "synchronous_node_count", p->synchronous_node_count);
    json_put_bool(out, "failsafe_mode", p->failsafe_mode);
    json_put_text(out, "watchdog", watchdog_mode_name(p->watchdog ? p->watchdog : WATCHDOG_OFF));
    json_put_usec(out, "safety_margin_us", p->safety_margin);
    json_put_bool(out, "check_timeline", p->check_timeline);
    json_put_bool(out, "use_pg_rewind", p->use_pg_rewind);
    json_put_bool(out, "use_slots", p->use_slots);
    json_end(out, "}");
}

static void topology(struct strbuf *out, const struct topology *t) {
    json_begin(out, "topology", "{");
    json_put_text(out, "name", t->name);
    json_put_text(out, "title", t->title);
    json_put_text(out, "stack", t->stack);
    json_begin(out, "nodes", "[");
    for (size_t i = 0; i < t->nodes.n; i++)
        node(out, &t->nodes.items[i]);
    json_end(out, "]");
    patroni(out, &t->patroni);
    settings(out, "postgresql", &t->postgresql);
    json_put_usec(out, "thin_after_us", t->thin_after);
    json_put_usec(out, "etcd_heartbeat_us", t->etcd_heartbeat);
    json_put_usec(out, "etcd_election_us", t->etcd_election);
    settings(out, "etcd", &t->etcd);
    settings(out, "haproxy", &t->haproxy);
    json_put_text(out, "storage", t->storage == STORAGE_DISK ? "disk" : "memory");
    json_put_text(out, "image", *t->image ? t->image : "host");
    json_end(out, "}");
}

// ---- steps ----------------------------------------------------------------------------------------------------------

// A name has the word before it as its key: "slot NAME".
static void atom_part(struct strbuf *out, const struct condition_atom *a, enum condition_part part, const char *word) {
    char who[NODE_NAME_MAX];
    switch (part) {
    case CONDITION_PART_WORD:
    case CONDITION_PART_PRESENCE: // that is "not"
        break;
    case CONDITION_PART_WHO:
        selector_text(&a->who, who);
        json_put_text(out, "who", who);
        break;
    case CONDITION_PART_ROLE:
        json_put_text(out, "role", condition_role_name(a->role));
        break;
    case CONDITION_PART_NAME:
        json_put_text(out, word, a->key);
        break;
    case CONDITION_PART_LIMIT:
        json_put_text(out, "limit", a->above ? "above" : "below");
        break;
    case CONDITION_PART_BYTES:
        json_put_int(out, "bytes", a->number);
        break;
    case CONDITION_PART_USEC:
        json_put_int(out, "us", a->number);
        break;
    }
}

static void atom(struct strbuf *out, const struct condition_atom *a) {
    const char *form = condition_kind_text(a->kind);
    char word[CONDITION_WORD_MAX] = "";
    enum condition_part part;
    json_begin(out, NULL, "{");
    json_put_text(out, "sentence", form);
    json_put_bool(out, "not", a->negated);
    while (condition_part_next(&form, &part, word))
        atom_part(out, a, part, word);
    json_end(out, "}");
}

static void condition(struct strbuf *out, const char *key, const struct condition *c) {
    if (!c->text)
        return;
    json_begin(out, key, "{");
    json_put_text(out, "text", c->text);
    json_begin(out, "all_of", "[");
    for (size_t i = 0; i < c->atoms.n; i++)
        atom(out, &c->atoms.items[i]);
    json_end(out, "]}");
}

static void targets(struct strbuf *out, const selector_list *list) {
    char who[NODE_NAME_MAX];
    json_begin(out, "targets", "[");
    for (size_t i = 0; i < list->n; i++) {
        selector_text(&list->items[i], who);
        json_put_text(out, NULL, who);
    }
    json_end(out, "]");
}

static void mechanism(struct strbuf *out, const struct step *s) {
    json_put_text(out, "mechanism", s->mechanism);
    targets(out, &s->targets);
    settings(out, "with", &s->params);
    if (s->kind == STEP_INJECT)
        json_put_usec(out, "duration_us", s->duration);
}

static void step(struct strbuf *out, const struct plan *p, const struct step *s) {
    static const char *const kinds[] = {
        [STEP_WAIT] = "wait", [STEP_INJECT] = "inject", [STEP_HEAL] = "heal", [STEP_ACTION] = "do"};
    json_begin(out, NULL, "{");
    json_put_text(out, "name", s->name);
    json_put_text(out, "kind", kinds[s->kind]);
    json_put_int(out, "line", s->line);
    if (s->after >= 0)
        json_put_text(out, "after", p->steps.items[s->after].name);
    json_put_usec(out, "delay_us", s->delay);
    condition(out, "when", &s->when);
    if (s->when.text) {
        json_put_usec(out, "hold_us", s->hold);
        json_put_usec(out, "within_us", s->within);
    }
    condition(out, "stays", &s->stays);
    if (s->stays.text)
        json_put_usec(out, "stays_for_us", s->stays_for);
    if (s->kind == STEP_INJECT || s->kind == STEP_ACTION)
        mechanism(out, s);
    if (s->kind == STEP_HEAL)
        json_put_text(out, "heals", s->heals < 0 ? "all" : p->steps.items[s->heals].name);
    json_end(out, "}");
}

static void expect(struct strbuf *out, const struct expect *e) {
    json_begin(out, NULL, "{");
    json_put_text(out, "kind", expect_kind_name(e->kind));
    json_put_text(out, "text", e->text);
    json_put_int(out, "line", e->line);
    if (e->has_min)
        json_put_real(out, "min", e->min);
    if (e->has_max)
        json_put_real(out, "max", e->max);
    if (e->inside)
        json_put_bool(out, "inside", true);
    if (e->stack)
        json_put_text(out, "for", e->stack);
    if (e->kind == EXPECT_SAME_HISTORY)
        json_put_bool(out, "wanted", e->wanted);
    if (e->kind == EXPECT_NEW_LEADER) {
        json_put_bool(out, "wanted", e->wanted);
        json_put_text(out, "node", e->node);
    }
    json_end(out, "}");
}

static void known_defect(struct strbuf *out, const struct known_defect *d) {
    json_begin(out, NULL, "{");
    json_put_text(out, "id", d->id);
    json_put_text(out, "software", d->software);
    json_put_text(out, "versions", d->versions);
    json_put_text(out, "reference", d->reference);
    json_put_text(out, "text", d->text);
    json_put_text(out, "signature", defect_signature_name(d->signature));
    json_put_text(out, "explains", d->explains);
    json_put_bool(out, "always", d->always);
    json_put_int(out, "line", d->line);
    json_end(out, "}");
}

static void workload(struct strbuf *out, const struct workload_def *w) {
    json_begin(out, "workload", "{");
    json_put_real(out, "writes_per_s", w->writes_per_s);
    json_put_real(out, "reads_per_s", w->reads_per_s);
    json_put_text(out, "route", w->route == ROUTE_HAPROXY ? "haproxy" : "multi_host");
    json_put_usec(out, "deadline_us", w->deadline);
    json_put_usec(out, "connect_timeout_us", w->connect_timeout);
    json_end(out, "}");
}

static void needs(struct strbuf *out, unsigned bits) {
    json_begin(out, "needs", "[");
    for (unsigned i = 0; i < ABILITY_COUNT; i++)
        if (bits & 1U << i)
            json_put_text(out, NULL, ability_word(i));
    json_end(out, "]");
}

void plan_to_json(const struct plan *p, struct strbuf *out) {
    struct strbuf buf = {0}; // of its own: what stands in `out` is no JSON that this goes on with
    json_begin(&buf, NULL, "{");
    json_put_text(&buf, "name", p->name);
    json_put_text(&buf, "file", p->file);
    json_put_text(&buf, "title", p->title);
    json_put_text(&buf, "group", scenario_group_name(p->group));
    json_put_text(&buf, "lesson", p->lesson);
    needs(&buf, p->needs);
    json_put_usec(&buf, "seed", p->seed);
    topology(&buf, p->topology);
    workload(&buf, &p->workload);
    json_put_usec(&buf, "settle_us", p->settle);
    json_put_usec(&buf, "observe_us", p->observe);
    json_put_usec(&buf, "timeout_us", p->timeout);
    json_begin(&buf, "steps", "[");
    for (size_t i = 0; i < p->steps.n; i++)
        step(&buf, p, &p->steps.items[i]);
    json_end(&buf, "]");
    json_begin(&buf, "expect", "[");
    for (size_t i = 0; i < p->expects.n; i++)
        expect(&buf, &p->expects.items[i]);
    json_end(&buf, "]");
    json_begin(&buf, "known_defects", "[");
    for (size_t i = 0; i < p->defects.n; i++)
        known_defect(&buf, &p->defects.items[i]);
    json_end(&buf, "]}");
    strbuf_add(&buf, "\n");
    strbuf_addn(out, buf.data, buf.len);
    strbuf_done(&buf);
}
