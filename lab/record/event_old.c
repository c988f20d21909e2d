// SPDX-License-Identifier: PostgreSQL
#include "lab/record/event_old.h"

#include "lab/base/utf8.h"
#include "lab/record/old_names.h"

// Patroni was the only manager.
static void of_patroni(struct event *ev) {
    STR_COPY(ev->u.MANAGER.service, "patroni");
}

// And etcd the only arbiter.
static void of_etcd(struct event *ev) {
    STR_COPY(ev->u.ARBITER.service, "etcd");
}

static void of_etcds_watch(struct event *ev) {
    STR_COPY(ev->u.STORE_WATCH.store, "etcd");
}

// A key was a key; the one that says who may lead is more than an entry.
static void of_key(struct event *ev) {
    const __typeof__(ev->u.ENTRY) then = ev->u.ENTRY;
    if (!str_eq(then.key, "leader")) {
        STR_COPY(ev->u.ENTRY.store, "etcd");
        return;
    }
    ev->kind = EVENT_AUTHORITY;
    memset(&ev->u, 0, sizeof ev->u);
    STR_COPY(ev->u.AUTHORITY.voice, "etcd");
    STR_COPY(ev->u.AUTHORITY.holder, then.value);
    utf8_repair(ev->u.AUTHORITY.holder, sizeof ev->u.AUTHORITY.holder); // a value may be longer and was cut
    ev->u.AUTHORITY.gone = then.gone;
    STR_COPY(ev->u.AUTHORITY.grant, then.grant);
    ev->u.AUTHORITY.epoch = then.created;
    ev->u.AUTHORITY.revision = then.revision;
    ev->u.AUTHORITY.initial = then.initial;
}

// Acts had other names (old_names.h); the words of a step begin with them.
static void of_action(struct event *ev) {
    STR_COPY(ev->u.ACTION.action, old_name_now(ev->u.ACTION.action));
}

static void of_planned(struct event *ev) {
    old_name_renew_first(ev->u.PLAN_STEP.text, sizeof ev->u.PLAN_STEP.text);
}

static void of_next(struct event *ev) {
    old_name_renew_first(ev->u.STEP_NEXT.text, sizeof ev->u.STEP_NEXT.text);
}

// What a person typed in a machine is left as it was.
static void of_command(struct event *ev) {
    if (str_eq(ev->u.COMMAND.verb, "inject"))
        old_name_renew_first(ev->u.COMMAND.args, sizeof ev->u.COMMAND.args);
}

// Why a step or the run failed: "step 'handover': patroni.switchover failed: ...".
static void of_step(struct event *ev) {
    old_name_renew_all(ev->u.STEP.detail, sizeof ev->u.STEP.detail);
}

static void of_end(struct event *ev) {
    old_name_renew_all(ev->u.RUN_END.detail, sizeof ev->u.RUN_END.detail);
}

static const struct old_kind kinds[] = {
    {.name = "member", .kind = EVENT_MANAGER, .complete = of_patroni},
    {.name = "node.info",
     .kind = EVENT_NODE_INFO,
     .fields = {{.then = "postgres", .now = "services", .adds = "postgres,patroni"},
                {.then = "etcd", .now = "services", .adds = "etcd"},
                {.then = "haproxy", .now = "services", .adds = "haproxy"},
                {.then = "app", .now = "services", .adds = "app"}}},
    {.name = "dcs.member",
     .kind = EVENT_ARBITER,
     .fields = {{.then = "leader", .now = "leads"}, {.then = "leader_id", .now = "follows"}},
     .complete = of_etcd},
    {.name = "dcs.watch", .kind = EVENT_STORE_WATCH, .complete = of_etcds_watch},
    {.name = "dcs.key", .kind = EVENT_ENTRY, .fields = {{.then = "lease", .now = "grant"}}, .complete = of_key},
    {.name = "dcs.lease",
     .kind = EVENT_GRANT,
     .fields = {{.then = "lease", .now = "id"}, {.then = "ttl_s", .now = "length", .seconds = true}}},
    {.name = "action", .kind = EVENT_ACTION, .complete = of_action},
    {.name = "plan.step", .kind = EVENT_PLAN_STEP, .complete = of_planned},
    {.name = "step.next", .kind = EVENT_STEP_NEXT, .complete = of_next},
    {.name = "command", .kind = EVENT_COMMAND, .complete = of_command},
    {.name = "step", .kind = EVENT_STEP, .complete = of_step},
    {.name = "run.end", .kind = EVENT_RUN_END, .complete = of_end},
};

static bool is(const char *word, const char *name, size_t n) {
    return strlen(word) == n && memcmp(word, name, n) == 0;
}

const struct old_kind *event_old_kind(const char *name, size_t n) {
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (is(kinds[i].name, name, n))
            return &kinds[i];
    return NULL;
}

const struct old_field *event_old_field(const struct old_kind *old, const char *name, size_t n) {
    for (const struct old_field *f = old->fields; f->then; f++)
        if (is(f->then, name, n))
            return f;
    return NULL;
}
