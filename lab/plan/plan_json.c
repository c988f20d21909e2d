// SPDX-License-Identifier: PostgreSQL
// The plan as JSON, every default visible. Durations are µs and their names say so.
#include "lab/base/json.h"
#include "lab/plan/plan.h"

// A writer that knows where a comma goes: after '{' and '[' none.
struct out {
    struct strbuf *buf;
};

static void separate(const struct out *o) {
    char last = o->buf->len ? o->buf->data[o->buf->len - 1] : '{';
    if (last != '{' && last != '[' && last != ':')
        strbuf_add(o->buf, ",");
}

static void name(const struct out *o, const char *key) {
    separate(o);
    if (!key)
        return; // an item of a list
    json_quote(o->buf, key);
    strbuf_add(o->buf, ":");
}

static void text(const struct out *o, const char *key, const char *value) {
    name(o, key);
    json_quote(o->buf, value ? value : "");
}

static void number(const struct out *o, const char *key, int64_t value) {
    name(o, key);
    strbuf_addf(o->buf, "%" PRId64, value);
}

static void usec(const struct out *o, const char *key, usec_t value) {
    name(o, key);
    strbuf_addf(o->buf, "%" PRIu64, value);
}

static void real(const struct out *o, const char *key, double value) {
    name(o, key);
    strbuf_addf(o->buf, "%.15g", value);
}

static void flag(const struct out *o, const char *key, bool value) {
    name(o, key);
    strbuf_add(o->buf, value ? "true" : "false");
}

static void begin(const struct out *o, const char *key, const char *bracket) {
    name(o, key);
    strbuf_add(o->buf, bracket);
}

static void end(const struct out *o, const char *bracket) {
    strbuf_add(o->buf, bracket);
}

static void settings(const struct out *o, const char *key, const setting_list *list) {
    begin(o, key, "{");
    for (size_t i = 0; i < list->n; i++)
        text(o, list->items[i].key, list->items[i].value);
    end(o, "}");
}

// ---- topology -------------------------------------------------------------------------------------------------------

static void services(const struct out *o, unsigned bits) {
    begin(o, "services", "[");
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (bits & service_words[i].bit)
            text(o, NULL, service_words[i].word);
    end(o, "]");
}

static void node(const struct out *o, const struct node_def *n) {
    begin(o, NULL, "{");
    text(o, "name", n->name);
    text(o, "address", n->address);
    services(o, n->services);
    if (*n->image)
        text(o, "image", n->image);
    begin(o, "tags", "{");
    flag(o, "nofailover", n->nofailover);
    flag(o, "nosync", n->nosync);
    flag(o, "noloadbalance", n->noloadbalance);
    flag(o, "clonefrom", n->clonefrom);
    end(o, "}}");
}

static void patroni(const struct out *o, const struct patroni_settings *p) {
    begin(o, "patroni", "{");
    usec(o, "ttl_us", p->ttl);
    usec(o, "loop_wait_us", p->loop_wait);
    usec(o, "retry_timeout_us", p->retry_timeout);
    number(o, "maximum_lag_on_failover", p->maximum_lag_on_failover);
    usec(o, "primary_start_timeout_us", p->primary_start_timeout);
    flag(o, "synchronous_mode", p->synchronous_mode);
    flag(o, "synchronous_mode_strict", p->synchronous_mode_strict);
    number(o, "synchronous_node_count", p->synchronous_node_count);
    flag(o, "failsafe_mode", p->failsafe_mode);
    text(o, "watchdog", watchdog_mode_name(p->watchdog ? p->watchdog : WATCHDOG_OFF));
    usec(o, "safety_margin_us", p->safety_margin);
    flag(o, "check_timeline", p->check_timeline);
    flag(o, "use_pg_rewind", p->use_pg_rewind);
    flag(o, "use_slots", p->use_slots);
    end(o, "}");
}

static void topology(const struct out *o, const struct topology *t) {
    begin(o, "topology", "{");
    text(o, "name", t->name);
    text(o, "title", t->title);
    text(o, "stack", t->stack);
    begin(o, "nodes", "[");
    for (size_t i = 0; i < t->nodes.n; i++)
        node(o, &t->nodes.items[i]);
    end(o, "]");
    patroni(o, &t->patroni);
    settings(o, "postgresql", &t->postgresql);
    usec(o, "thin_after_us", t->thin_after);
    usec(o, "etcd_heartbeat_us", t->etcd_heartbeat);
    usec(o, "etcd_election_us", t->etcd_election);
    settings(o, "etcd", &t->etcd);
    settings(o, "haproxy", &t->haproxy);
    text(o, "storage", t->storage == STORAGE_DISK ? "disk" : "memory");
    text(o, "image", *t->image ? t->image : "host");
    end(o, "}");
}

// ---- steps ----------------------------------------------------------------------------------------------------------

// A name has the word before it as its key: "slot NAME".
static void atom_part(const struct out *o, const struct condition_atom *a, enum condition_part part, const char *word) {
    char who[NODE_NAME_MAX];
    switch (part) {
    case CONDITION_PART_WORD:
    case CONDITION_PART_PRESENCE: // that is "not"
        break;
    case CONDITION_PART_WHO:
        selector_text(&a->who, who);
        text(o, "who", who);
        break;
    case CONDITION_PART_ROLE:
        text(o, "role", condition_role_name(a->role));
        break;
    case CONDITION_PART_NAME:
        text(o, word, a->key);
        break;
    case CONDITION_PART_LIMIT:
        text(o, "limit", a->above ? "above" : "below");
        break;
    case CONDITION_PART_BYTES:
        number(o, "bytes", a->number);
        break;
    case CONDITION_PART_USEC:
        number(o, "us", a->number);
        break;
    }
}

static void atom(const struct out *o, const struct condition_atom *a) {
    const char *form = condition_kind_text(a->kind);
    char word[CONDITION_WORD_MAX] = "";
    enum condition_part part;
    begin(o, NULL, "{");
    text(o, "sentence", form);
    flag(o, "not", a->negated);
    while (condition_part_next(&form, &part, word))
        atom_part(o, a, part, word);
    end(o, "}");
}

static void condition(const struct out *o, const char *key, const struct condition *c) {
    if (!c->text)
        return;
    begin(o, key, "{");
    text(o, "text", c->text);
    begin(o, "all_of", "[");
    for (size_t i = 0; i < c->atoms.n; i++)
        atom(o, &c->atoms.items[i]);
    end(o, "]}");
}

static void targets(const struct out *o, const selector_list *list) {
    char who[NODE_NAME_MAX];
    begin(o, "targets", "[");
    for (size_t i = 0; i < list->n; i++) {
        selector_text(&list->items[i], who);
        text(o, NULL, who);
    }
    end(o, "]");
}

static void mechanism(const struct out *o, const struct step *s) {
    text(o, "mechanism", s->mechanism);
    targets(o, &s->targets);
    settings(o, "with", &s->params);
    if (s->kind == STEP_INJECT)
        usec(o, "duration_us", s->duration);
}

static void step(const struct out *o, const struct plan *p, const struct step *s) {
    static const char *const kinds[] = {
        [STEP_WAIT] = "wait", [STEP_INJECT] = "inject", [STEP_HEAL] = "heal", [STEP_ACTION] = "do"};
    begin(o, NULL, "{");
    text(o, "name", s->name);
    text(o, "kind", kinds[s->kind]);
    number(o, "line", s->line);
    if (s->after >= 0)
        text(o, "after", p->steps.items[s->after].name);
    usec(o, "delay_us", s->delay);
    condition(o, "when", &s->when);
    if (s->when.text) {
        usec(o, "hold_us", s->hold);
        usec(o, "within_us", s->within);
    }
    condition(o, "stays", &s->stays);
    if (s->stays.text)
        usec(o, "stays_for_us", s->stays_for);
    if (s->kind == STEP_INJECT || s->kind == STEP_ACTION)
        mechanism(o, s);
    if (s->kind == STEP_HEAL)
        text(o, "heals", s->heals < 0 ? "all" : p->steps.items[s->heals].name);
    end(o, "}");
}

static void expect(const struct out *o, const struct expect *e) {
    begin(o, NULL, "{");
    text(o, "kind", expect_kind_name(e->kind));
    text(o, "text", e->text);
    number(o, "line", e->line);
    if (e->has_min)
        real(o, "min", e->min);
    if (e->has_max)
        real(o, "max", e->max);
    if (e->inside)
        flag(o, "inside", true);
    if (e->stack)
        text(o, "for", e->stack);
    if (e->kind == EXPECT_SAME_HISTORY)
        flag(o, "wanted", e->wanted);
    if (e->kind == EXPECT_NEW_LEADER) {
        flag(o, "wanted", e->wanted);
        text(o, "node", e->node);
    }
    end(o, "}");
}

static void known_defect(const struct out *o, const struct known_defect *d) {
    begin(o, NULL, "{");
    text(o, "id", d->id);
    text(o, "software", d->software);
    text(o, "versions", d->versions);
    text(o, "reference", d->reference);
    text(o, "text", d->text);
    text(o, "signature", defect_signature_name(d->signature));
    text(o, "explains", d->explains);
    flag(o, "always", d->always);
    number(o, "line", d->line);
    end(o, "}");
}

static void workload(const struct out *o, const struct workload_def *w) {
    begin(o, "workload", "{");
    real(o, "writes_per_s", w->writes_per_s);
    real(o, "reads_per_s", w->reads_per_s);
    text(o, "route", w->route == ROUTE_HAPROXY ? "haproxy" : "multi_host");
    usec(o, "deadline_us", w->deadline);
    usec(o, "connect_timeout_us", w->connect_timeout);
    end(o, "}");
}

static void needs(const struct out *o, unsigned bits) {
    begin(o, "needs", "[");
    for (unsigned i = 0; i < ABILITY_COUNT; i++)
        if (bits & 1U << i)
            text(o, NULL, ability_word(i));
    end(o, "]");
}

void plan_to_json(const struct plan *p, struct strbuf *out) {
    struct strbuf buf = {0}; // of its own: `separate` looks at the last byte
    const struct out o = {.buf = &buf};
    begin(&o, NULL, "{");
    text(&o, "name", p->name);
    text(&o, "file", p->file);
    text(&o, "title", p->title);
    text(&o, "group", scenario_group_name(p->group));
    text(&o, "lesson", p->lesson);
    needs(&o, p->needs);
    usec(&o, "seed", p->seed);
    topology(&o, p->topology);
    workload(&o, &p->workload);
    usec(&o, "settle_us", p->settle);
    usec(&o, "observe_us", p->observe);
    usec(&o, "timeout_us", p->timeout);
    begin(&o, "steps", "[");
    for (size_t i = 0; i < p->steps.n; i++)
        step(&o, p, &p->steps.items[i]);
    end(&o, "]");
    begin(&o, "expect", "[");
    for (size_t i = 0; i < p->expects.n; i++)
        expect(&o, &p->expects.items[i]);
    end(&o, "]");
    begin(&o, "known_defects", "[");
    for (size_t i = 0; i < p->defects.n; i++)
        known_defect(&o, &p->defects.items[i]);
    end(&o, "]}");
    strbuf_add(&buf, "\n");
    strbuf_addn(out, buf.data, buf.len);
    strbuf_done(&buf);
}
