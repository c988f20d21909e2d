// SPDX-License-Identifier: PostgreSQL
// The grammar, in one place:
//
//   condition: atom { "and" atom }
//   atom:      [ "not" ] sentence
//   sentence:  cluster is [not] healthy | complete
//              [a | no] leader exists
//              leader changed
//              leader is [not] SELECTOR
//              SELECTOR is [not] leader | replica | sync_standby | streaming | up | down | writable
//              lag of SELECTOR above | below SIZE
//              slot NAME holds above | below SIZE
//              key NAME [is] gone | present
//              lease age | left above | below DURATION
//              etcd has [no] quorum
//              writes flow
//              reads flow
//
// A wrong atom is reported at the word that does not fit; reading goes on behind the next "and".
#include "lab/scenario/steps/condition.h"

#include "lab/scenario/yaml/scalar.h"

enum { WORD_MAX = 64, WORDS_MAX = 64 };

struct word {
    char text[WORD_MAX];
    size_t at; // byte in the scalar's text
};

struct parser {
    struct reader *r;
    const struct ynode *n;
    struct word words[WORDS_MAX];
    size_t count, next;
    bool ok;
};

bool condition_needs_injection(const struct condition *c) {
    for (size_t i = 0; i < c->atoms.n; i++) {
        const struct condition_atom *a = &c->atoms.items[i];
        bool old = a->who.kind == SELECTOR_OLD_LEADER;
        if (!a->negated && (a->kind == CONDITION_LEADER_CHANGED || old))
            return true;
    }
    return false;
}

// ---- words ----------------------------------------------------------------------------------------------------------

static struct mark place(const struct parser *p, size_t index) {
    size_t at = index < p->count ? p->words[index].at : strlen(p->n->text);
    return mark_inside(p->n, at);
}

PRINTF_LIKE(3, 4) static void fail(struct parser *p, size_t index, const char *fmt, ...) {
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    complain(p->r, place(p, index), "%s", strbuf_str(&text));
    p->ok = false;
}

static bool split(struct parser *p) {
    const char *text = p->n->text;
    for (size_t i = strspn(text, " \t\n"); text[i]; i += strspn(text + i, " \t\n")) {
        size_t len = strcspn(text + i, " \t\n");
        if (p->count == WORDS_MAX || len >= WORD_MAX) {
            complain(p->r, mark_inside(p->n, i), "this condition is too long: at most %d words of %d letters",
                     WORDS_MAX, WORD_MAX - 1);
            return false;
        }
        memcpy(p->words[p->count].text, text + i, len);
        p->words[p->count].text[len] = '\0';
        p->words[p->count++].at = i;
        i += len;
    }
    return true;
}

static const char *peek(const struct parser *p) { // "" at the end
    return p->next < p->count ? p->words[p->next].text : "";
}

static bool take(struct parser *p, const char *word) {
    if (!str_eq(peek(p), word))
        return false;
    p->next++;
    return true;
}

// Takes one of the words (NULL-terminated) and gives its index, or -1 after a complaint.
static int expect(struct parser *p, const char *const *words) {
    for (int i = 0; words[i]; i++)
        if (take(p, words[i]))
            return i;
    cleanup_strbuf struct strbuf list = {0};
    for (int i = 0; words[i]; i++)
        strbuf_addf(&list, "%s'%s'", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    if (p->next < p->count && !str_eq(peek(p), "and"))
        fail(p, p->next, "expected %s, found '%s'%s", strbuf_str(&list), peek(p), HINT(peek(p), words));
    else
        fail(p, p->next, "expected %s here", strbuf_str(&list));
    return -1;
}
#define EXPECT(p, ...) expect((p), (const char *const[]){__VA_ARGS__, NULL})

static void take_not(struct parser *p, struct condition_atom *a) {
    if (take(p, "not"))
        a->negated = !a->negated;
}

// ---- pieces ---------------------------------------------------------------------------------------------------------

static bool take_selector(struct parser *p, struct selector *ret) {
    if (p->next == p->count || str_eq(peek(p), "and")) {
        fail(p, p->next, "expected a node or a role here");
        return false;
    }
    bool ok = selector_read(p->r, place(p, p->next), peek(p), ret);
    p->ok &= ok;
    p->next++;
    return ok;
}

// "16MB" or "16 MB": a unit may stand apart.
static void take_value(struct parser *p, char value[static 2 * WORD_MAX]) {
    (void)str_copy(value, WORD_MAX, peek(p));
    p->next++;
    if (strspn(value, "0123456789.") != strlen(value) || !*peek(p) || str_eq(peek(p), "and"))
        return;
    size_t n = strlen(value);
    (void)snprintf(value + n, 2 * WORD_MAX - n, " %s", peek(p));
    p->next++;
}

static bool take_limit(struct parser *p, struct condition_atom *a, bool bytes) {
    int which = EXPECT(p, "above", "below");
    if (which < 0)
        return false;
    a->above = which == 0;
    size_t at = p->next;
    if (at == p->count || str_eq(peek(p), "and")) {
        fail(p, at, bytes ? "expected a size here, such as 16MB" : "expected a duration here, such as 9s");
        return false;
    }
    char value[2 * WORD_MAX], why[WHY_MAX];
    usec_t usec = 0;
    take_value(p, value);
    bool ok = bytes ? scalar_size(value, &a->number, why) : scalar_duration(value, &usec, why);
    if (!bytes)
        a->number = (int64_t)usec;
    if (!ok)
        fail(p, at, "%s", why);
    return ok;
}

// ---- what can never hold --------------------------------------------------------------------------------------------

static bool is_replica_kind(enum selector_kind k) {
    return k == SELECTOR_NOT_LEADER || k == SELECTOR_REPLICA || k == SELECTOR_ANY_REPLICA ||
           k == SELECTOR_SYNC_STANDBY || k == SELECTOR_ASYNC_STANDBY;
}

static bool role_contradicts(enum selector_kind who, enum condition_role role) {
    bool replica =
        role == CONDITION_ROLE_REPLICA || role == CONDITION_ROLE_SYNC_STANDBY || role == CONDITION_ROLE_STREAMING;
    return (who == SELECTOR_LEADER && replica) || (is_replica_kind(who) && role == CONDITION_ROLE_LEADER);
}

static void check_role(struct parser *p, size_t at, const struct condition_atom *a) {
    const struct topology *t = p->r->t;
    char who[NODE_NAME_MAX];
    selector_text(&a->who, who);
    if (a->negated)
        return;
    if (role_contradicts(a->who.kind, a->role))
        fail(p, at, "'%s is %s' can never hold", who, condition_role_name(a->role));
    else if (t && a->role == CONDITION_ROLE_SYNC_STANDBY && !t->patroni.synchronous_mode)
        fail(p, at, "no node can be sync_standby in topology '%s': patroni.synchronous_mode is off", t->name);
    else if (t && !(selector_candidates(t, &a->who) & role_candidates(t, a->role)))
        fail(p, at, "'%s' can never be %s in topology '%s'", who, condition_role_name(a->role), t->name);
}

static void check_leader_is(struct parser *p, size_t at, const struct condition_atom *a) {
    const struct topology *t = p->r->t;
    struct selector leader = {.kind = SELECTOR_LEADER};
    char who[NODE_NAME_MAX];
    selector_text(&a->who, who);
    if (a->negated)
        return;
    if (is_replica_kind(a->who.kind))
        fail(p, at, "'leader is %s' can never hold", who);
    else if (t && !(selector_candidates(t, &a->who) & selector_candidates(t, &leader)))
        fail(p, at, "'%s' can never be the leader in topology '%s'", who, t->name);
}

static void check_lag(struct parser *p, size_t at, const struct condition_atom *a) {
    const struct topology *t = p->r->t;
    char who[NODE_NAME_MAX];
    selector_text(&a->who, who);
    if (a->who.kind == SELECTOR_LEADER)
        fail(p, at, "the leader has no lag: it is what lag is measured against");
    else if (t && !(selector_candidates(t, &a->who) & role_candidates(t, CONDITION_ROLE_REPLICA)))
        fail(p, at, "'%s' has no lag: it can never be a replica in topology '%s'", who, t->name);
}

// The lease lives for ttl and is renewed to ttl: an age or rest above it is not a moment that comes.
static void check_lease(struct parser *p, size_t at, const struct condition_atom *a) {
    char ttl[USEC_TEXT_MAX];
    if (p->r->t && a->above && !a->negated && (usec_t)a->number >= p->r->t->patroni.ttl)
        fail(p, at, "the lease lives for patroni.ttl, which is %s here: it is never above that",
             usec_format(ttl, p->r->t->patroni.ttl));
}

// ---- sentences ------------------------------------------------------------------------------------------------------

static bool parse_cluster(struct parser *p, struct condition_atom *a) {
    if (EXPECT(p, "is") < 0)
        return false;
    take_not(p, a);
    int which = EXPECT(p, "healthy", "complete");
    a->kind = which == 1 ? CONDITION_COMPLETE : CONDITION_HEALTHY;
    return which >= 0;
}

static bool parse_role(struct parser *p, struct condition_atom *a, size_t at) {
    static const char *const roles[] = {
#define X(role, text) text,
        CONDITION_ROLES(X)
#undef X
            NULL};
    take_not(p, a);
    int which = expect(p, roles);
    if (which < 0)
        return false;
    a->kind = CONDITION_ROLE_IS;
    a->role = (enum condition_role)which;
    check_role(p, at, a);
    return true;
}

// "leader exists", "leader changed", "leader is n2", "leader is writable": the word after "is" decides about the last
// two.
static bool parse_leader(struct parser *p, struct condition_atom *a) {
    size_t at = p->next - 1;
    int which = EXPECT(p, "exists", "changed", "is");
    a->who.kind = SELECTOR_LEADER;
    if (which == 0 || which == 1) {
        a->kind = which == 0 ? CONDITION_LEADER_EXISTS : CONDITION_LEADER_CHANGED;
        return true;
    }
    if (which < 0)
        return false;
    take_not(p, a);
    enum condition_role role;
    enum selector_kind kind;
    if (condition_role_find(peek(p), &role) && !selector_keyword(peek(p), &kind))
        return parse_role(p, a, at);
    a->kind = CONDITION_LEADER_IS;
    size_t who = p->next;
    if (!take_selector(p, &a->who))
        return false;
    check_leader_is(p, who, a);
    return true;
}

static bool parse_lag(struct parser *p, struct condition_atom *a) {
    a->kind = CONDITION_LAG;
    if (EXPECT(p, "of") < 0)
        return false;
    size_t at = p->next;
    if (!take_selector(p, &a->who))
        return false;
    check_lag(p, at, a);
    return take_limit(p, a, true);
}

static bool parse_slot(struct parser *p, struct condition_atom *a) {
    a->kind = CONDITION_SLOT;
    if (p->next == p->count || str_eq(peek(p), "holds") || str_eq(peek(p), "and")) {
        fail(p, p->next, "expected the name of a replication slot here, such as n2");
        return false;
    }
    if (!STR_COPY(a->key, peek(p))) {
        fail(p, p->next, "slot names have at most %zu letters", sizeof a->key - 1);
        return false;
    }
    if (strspn(a->key, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(a->key)) {
        fail(p, p->next,
             "a slot's name has lower-case letters, digits and '_' only (Patroni writes '_' for a node's '-')");
        return false;
    }
    p->next++;
    return EXPECT(p, "holds") >= 0 && take_limit(p, a, true);
}

static bool parse_key(struct parser *p, struct condition_atom *a) {
    a->kind = CONDITION_KEY;
    if (p->next == p->count || str_eq(peek(p), "gone") || str_eq(peek(p), "present")) {
        fail(p, p->next, "expected the name of a key here, such as leader, sync or failover");
        return false;
    }
    if (!STR_COPY(a->key, peek(p))) {
        fail(p, p->next, "key names have at most %zu letters", sizeof a->key - 1);
        return false;
    }
    p->next++;
    (void)take(p, "is");
    int which = EXPECT(p, "gone", "present");
    if (which == 0)
        a->negated = !a->negated;
    return which >= 0;
}

static bool parse_lease(struct parser *p, struct condition_atom *a) {
    int which = EXPECT(p, "age", "left");
    a->kind = which == 1 ? CONDITION_LEASE_LEFT : CONDITION_LEASE_AGE;
    size_t at = p->next + 1;
    if (which < 0 || !take_limit(p, a, false))
        return false;
    check_lease(p, at, a);
    return true;
}

static bool parse_etcd(struct parser *p, struct condition_atom *a) {
    a->kind = CONDITION_QUORUM;
    if (EXPECT(p, "has") < 0)
        return false;
    if (take(p, "no"))
        a->negated = !a->negated;
    return EXPECT(p, "quorum") >= 0;
}

static bool parse_writes(struct parser *p, struct condition_atom *a) {
    a->kind = CONDITION_WRITES_FLOW;
    return EXPECT(p, "flow") >= 0;
}

static bool parse_reads(struct parser *p, struct condition_atom *a) {
    a->kind = CONDITION_READS_FLOW;
    return EXPECT(p, "flow") >= 0;
}

static bool parse_exists(struct parser *p, struct condition_atom *a) {
    a->kind = CONDITION_LEADER_EXISTS;
    return EXPECT(p, "leader") >= 0 && EXPECT(p, "exists") >= 0;
}

static bool parse_no(struct parser *p, struct condition_atom *a) {
    a->negated = !a->negated;
    return parse_exists(p, a);
}

// Each reads what follows the first word of its sentence. Every other sentence begins with a target.
static const struct sentence {
    const char *first;
    bool (*parse)(struct parser *p, struct condition_atom *a);
} sentences[] = {{"cluster", parse_cluster}, {"leader", parse_leader}, {"lag", parse_lag},   {"slot", parse_slot},
                 {"key", parse_key},         {"lease", parse_lease},   {"etcd", parse_etcd}, {"writes", parse_writes},
                 {"reads", parse_reads},     {"a", parse_exists},      {"no", parse_no}};

// A sentence that begins with a target.
static bool parse_about(struct parser *p, struct condition_atom *a) {
    const char *starts[ARRAY_SIZE(sentences) + 1] = {0};
    for (size_t i = 0, n = 0; i < ARRAY_SIZE(sentences); i++)
        if (strlen(sentences[i].first) > 2) // "a" and "no" resemble too much, "n9" above all
            starts[n++] = sentences[i].first;
    size_t at = p->next;
    const char *next = at + 1 < p->count ? p->words[at + 1].text : "";
    bool known = (p->r->t && topology_node(p->r->t, peek(p))) || selector_keyword(peek(p), &a->who.kind);
    if (!known && str_nearest(peek(p), starts) && !str_eq(next, "is") && !str_eq(next, "are")) {
        fail(p, at, "a condition can't begin with '%s'%s", peek(p), HINT(peek(p), starts));
        return false;
    }
    if (!take_selector(p, &a->who))
        return false;
    if (!take(p, "are") && EXPECT(p, "is") < 0)
        return false;
    return parse_role(p, a, at);
}

static bool parse_sentence(struct parser *p, struct condition_atom *a) {
    size_t at = p->next;
    for (size_t i = 0; i < ARRAY_SIZE(sentences); i++)
        if (take(p, sentences[i].first))
            return sentences[i].parse(p, a);
    if (at == p->count || str_eq(peek(p), "and")) {
        fail(p, at, "expected a condition here, such as 'leader changed' or 'n2 is streaming'");
        return false;
    }
    return parse_about(p, a);
}

// One atom with what follows it. After a complaint: on to the next "and".
static void parse_atom(struct parser *p, struct condition *c) {
    struct condition_atom a = {0};
    take_not(p, &a);
    if (parse_sentence(p, &a)) {
        VEC_PUSH(&c->atoms, a);
        if (p->next < p->count && !str_eq(peek(p), "and"))
            fail(p, p->next, "expected 'and' or the end, found '%s'", peek(p));
    }
    while (p->next < p->count && !str_eq(peek(p), "and"))
        p->next++;
}

bool condition_read(struct reader *r, const struct ynode *n, struct condition *ret) {
    struct parser p = {.r = r, .n = n, .ok = true};
    *ret = (struct condition){0};
    if (!text_of(r, n, "a condition, such as 'leader changed'"))
        return false;
    if (!split(&p))
        return false;
    do
        parse_atom(&p, ret);
    while (take(&p, "and"));
    if (!p.ok) {
        condition_done(ret);
        return false;
    }
    ret->text = xstrdup(n->text);
    return true;
}
