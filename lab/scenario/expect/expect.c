// SPDX-License-Identifier: PostgreSQL
// Expectations: "write_outage: <= 34s", "write_outage: {at_least: 20s, at_most: 34s}", "write_outage: inside", "lost_writes: 0", "split_brain:
// no", "new_leader: n2", "phases: inside", "write_availability: >= 90%"; and parts for one stack each, "for: {patroni: {write_outage: <= 34s}}".
#include <ctype.h>
#include <strings.h>

#include "lab/scenario/expect/expect.h"
#include "lab/scenario/stacks.h"
#include "lab/scenario/yaml/scalar.h"

enum measure_type { TYPE_DURATION, TYPE_COUNT, TYPE_PERCENT, TYPE_LEADER, TYPE_PHASES, TYPE_FLAG };

static enum measure_type type_of(enum expect_kind kind) {
    switch (kind) {
    case EXPECT_WRITE_OUTAGE:
    case EXPECT_READ_OUTAGE:
    case EXPECT_RECOVERY:
    case EXPECT_SPLIT_BRAIN:
    case EXPECT_REJOIN:
        return TYPE_DURATION;
    case EXPECT_NONE:
    case EXPECT_UNKNOWN: // never read
    case EXPECT_LOST_WRITES:
    case EXPECT_LOCAL_ONLY_WRITES:
    case EXPECT_LOCAL_ONLY_LOST:
    case EXPECT_UNEXPECTED_WRITES:
    case EXPECT_DUPLICATED_WRITES:
    case EXPECT_FOREIGN_ROWS:
    case EXPECT_DIVERGED_NODES:
        return TYPE_COUNT;
    case EXPECT_SAME_HISTORY:
        return TYPE_FLAG;
    case EXPECT_NEW_LEADER:
        return TYPE_LEADER;
    case EXPECT_PHASES:
        return TYPE_PHASES;
    case EXPECT_WRITE_AVAILABILITY:
    case EXPECT_READ_AVAILABILITY:
        return TYPE_PERCENT;
    }
    return TYPE_COUNT;
}

// ---- values ---------------------------------------------------------------------------------------------------------

static bool value_parse(enum measure_type type, const char *text, double *ret, char why[static WHY_MAX]) {
    usec_t usec;
    int64_t count;
    switch (type) {
    case TYPE_DURATION:
        if (!scalar_duration(text, &usec, why))
            return false;
        *ret = (double)usec;
        return true;
    case TYPE_COUNT:
        if (!scalar_count(text, &count, why))
            return false;
        *ret = (double)count;
        return true;
    case TYPE_PERCENT:
        return scalar_percent(text, ret, why);
    case TYPE_LEADER:
    case TYPE_PHASES:
    case TYPE_FLAG:
        break;
    }
    return false;
}

static const char *example(enum measure_type type) {
    return type == TYPE_DURATION ? "34s" : type == TYPE_COUNT ? "10" : "90%";
}

static void limit(struct expect *e, bool at_least, double value) {
    if (at_least) {
        e->has_min = true;
        e->min = value;
    } else {
        e->has_max = true;
        e->max = value;
    }
}

// "no" and "none": nothing of it at all; "yes": some of it, whatever the amount.
static bool range_word(const char *text, struct expect *e) {
    bool flag;
    char why[WHY_MAX];
    bool none = strcasecmp(text, "none") == 0;
    if (!none && !scalar_bool(text, &flag, why))
        return false;
    if (none || !flag)
        limit(e, false, 0);
    else
        limit(e, true, 1); // one write, or one microsecond
    return true;
}

// The value behind ">=", "at least", "<=" or "at most"; NULL when the text begins with none of them.
static const char *range_operator(const char *text, bool *ret_at_least) {
    static const struct {
        const char *word;
        bool at_least;
    } operators[] = {{">=", true}, {">", true}, {"at least ", true}, {"<=", false}, {"<", false}, {"at most ", false}};
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
        if (str_starts(text, operators[i].word)) {
            *ret_at_least = operators[i].at_least;
            text += strlen(operators[i].word);
            return text + strspn(text, " ");
        }
    return NULL;
}

// "<= 34s", "at least 20s", "20s to 34s", and for counts a bare "0".
static bool range_text(const char *text, enum measure_type type, struct expect *e, char why[static WHY_MAX]) {
    if (type != TYPE_PERCENT && range_word(text, e))
        return true;
    bool at_least;
    double value;
    const char *bound = range_operator(text, &at_least);
    if (bound) {
        if (!value_parse(type, bound, &value, why))
            return false;
        limit(e, at_least, value);
        return true;
    }
    const char *to = strstr(text, " to ");
    if (to) {
        cleanup_free char *from = xstrndup(text, (size_t)(to - text));
        if (!value_parse(type, from, &e->min, why) || !value_parse(type, to + strlen(" to "), &e->max, why))
            return false;
        e->has_min = e->has_max = true;
        return true;
    }
    if (!value_parse(type, text, &value, why))
        return false;
    if (type == TYPE_COUNT || value == 0) { // an exact count can be met, an exact duration can't
        limit(e, true, value);
        limit(e, false, value);
        return true;
    }
    (void)snprintf(why, WHY_MAX,
                   "'%s' exactly is never measured: write '<= %s', '>= %s' or {at_least: ..., at_most: ...}",
                   SHOWN(text), SHOWN(text), SHOWN(text));
    return false;
}

struct range_draft {
    const struct ynode *at_least, *at_most, *inside;
};
static const struct field range_fields[] = {{"at_least", read_node, offsetof(struct range_draft, at_least), false},
                                            {"at_most", read_node, offsetof(struct range_draft, at_most), false},
                                            {"inside", read_node, offsetof(struct range_draft, inside), false},
                                            {0}};

// The phases add up to the recovery, and the outage is a part of it. No other time has laws.
static bool set_inside(struct reader *r, struct mark at, struct expect *e) {
    e->inside = e->kind == EXPECT_WRITE_OUTAGE || e->kind == EXPECT_RECOVERY;
    if (!e->inside)
        complain(r, at, "no law bounds %s: inside is for write_outage, recovery and phases", expect_kind_name(e->kind));
    return e->inside;
}

static bool range_bound(struct reader *r, const struct ynode *n, enum measure_type type, struct expect *e,
                        bool at_least, struct strbuf *text) {
    char why[WHY_MAX];
    double value = 0;
    const char *written = text_of(r, n, "a limit");
    if (!written)
        return false;
    if (!value_parse(type, written, &value, why)) {
        complain(r, n->mark, "%s", why);
        return false;
    }
    limit(e, at_least, value);
    strbuf_addf(text, "%s%s %s", text->len ? ", " : "", at_least ? "at least" : "at most", written);
    return true;
}

static void read_inside(struct reader *r, const struct ynode *n, struct expect *e, struct strbuf *text) {
    char why[WHY_MAX];
    bool yes = false;
    const char *written = text_of(r, n, "yes");
    if (!written)
        return;
    if (!scalar_bool(written, &yes, why))
        complain(r, n->mark, "%s", why);
    else if (!yes)
        complain(r, n->mark, "leave 'inside' out where the bounds of the phases are no limit");
    else if (set_inside(r, n->key_mark, e))
        strbuf_add(text, "inside");
}

static bool read_range_map(struct reader *r, const struct ynode *n, enum measure_type type, struct expect *e) {
    struct range_draft draft = {0};
    cleanup_strbuf struct strbuf text = {0};
    size_t before = r->d->errors;
    decode_fields(r, n, "a range", range_fields, &draft);
    if (draft.inside)
        read_inside(r, draft.inside, e, &text);
    if (draft.at_least)
        (void)range_bound(r, draft.at_least, type, e, true, &text);
    if (draft.at_most)
        (void)range_bound(r, draft.at_most, type, e, false, &text);
    if (!draft.at_least && !draft.at_most && !draft.inside && r->whole && r->d->errors == before)
        complain(r, n->mark, "a range needs at_least or at_most");
    e->text = xstrdup(strbuf_str(&text));
    return r->d->errors == before;
}

static bool read_range(struct reader *r, const struct ynode *n, enum measure_type type, struct expect *e) {
    char why[WHY_MAX];
    if (n->kind == YNODE_MAP)
        return read_range_map(r, n, type, e);
    if (n->kind != YNODE_TEXT) {
        cleanup_free char *expected =
            xasprintf("a limit such as '<= %s', or {at_least: ..., at_most: ...}", example(type));
        complain_kind(r, n, expected);
        return false;
    }
    if (str_eq(n->text, "inside")) {
        if (!set_inside(r, n->mark, e))
            return false;
    } else if (!range_text(n->text, type, e, why)) {
        complain(r, n->mark, "%s", why);
        return false;
    }
    e->text = xstrdup(n->text);
    return true;
}

// ---- leader and phases ----------------------------------------------------------------------------------------------

static void complain_leader(struct reader *r, const struct ynode *n) {
    cleanup_words struct words known = {0};
    for (size_t i = 0; i < r->t->nodes.n; i++)
        if (r->t->nodes.items[i].services & SERVICE_POSTGRES)
            words_add(&known, r->t->nodes.items[i].name);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&known, &list);
    complain(r, n->mark, "'%s' is no PostgreSQL node of topology '%s'%s; allowed: yes, no, %s", SHOWN(n->text),
             r->t->name, HINT(n->text, words_all(&known)), strbuf_str(&list));
}

static bool leader_possible(struct reader *r, const struct ynode *n, const struct expect *e) {
    if (!r->t)
        return true;
    if (!*e->node) {
        bool one = e->wanted && topology_count(r->t, SERVICE_POSTGRES) < 2;
        if (one)
            complain(r, n->mark, "topology '%s' has only one PostgreSQL node: there can be no new leader", r->t->name);
        return !one;
    }
    const struct node_def *node = topology_node(r->t, e->node);
    if (!node || !(node->services & SERVICE_POSTGRES)) {
        complain_leader(r, n);
        return false;
    }
    if (node->nofailover)
        complain(r, n->mark, "'%s' has the tag nofailover: it never becomes the leader", e->node);
    return !node->nofailover;
}

static bool read_leader(struct reader *r, const struct ynode *n, struct expect *e) {
    char why[WHY_MAX];
    const char *text = text_of(r, n, "yes, no or a node");
    if (!text)
        return false;
    if (!scalar_bool(text, &e->wanted, why)) {
        e->wanted = true;
        (void)STR_COPY(e->node, text);
    }
    e->text = xstrdup(text);
    return leader_possible(r, n, e);
}

static bool read_phases(struct reader *r, const struct ynode *n, struct expect *e) {
    const char *text = text_of(r, n, "'inside'");
    if (!text)
        return false;
    e->text = xstrdup(text);
    e->wanted = true;
    if (str_eq(text, "inside"))
        return true;
    complain(r, n->mark, "'%s' says nothing about phases; allowed: inside (each phase within its computed bounds)",
             SHOWN(text));
    return false;
}

static bool read_flag(struct reader *r, const struct ynode *n, struct expect *e) {
    char why[WHY_MAX];
    const char *text = text_of(r, n, "yes or no");
    if (!text)
        return false;
    e->text = xstrdup(text);
    if (scalar_bool(text, &e->wanted, why))
        return true;
    complain(r, n->mark, "%s", why);
    return false;
}

// ---- the mapping ----------------------------------------------------------------------------------------------------

static void expect_read(struct reader *r, const struct ynode *n, enum expect_kind kind, expect_list *out) {
    struct expect e = {.kind = kind, .line = n->key_mark.line};
    bool ok;
    if (type_of(kind) == TYPE_LEADER)
        ok = read_leader(r, n, &e);
    else if (type_of(kind) == TYPE_PHASES)
        ok = read_phases(r, n, &e);
    else if (type_of(kind) == TYPE_FLAG)
        ok = read_flag(r, n, &e);
    else
        ok = read_range(r, n, type_of(kind), &e);
    if (ok && e.has_min && e.has_max && e.min > e.max) {
        complain(r, n->mark, "the lower limit is above the upper one: nothing can meet '%s'", SHOWN(e.text));
        ok = false;
    }
    if (ok)
        VEC_PUSH(out, e);
    else
        free(e.text);
}

#define PARTS "for" // parts of the expectations, each for one stack

static void complain_unknown(struct reader *r, const struct ynode *n, bool top) {
    cleanup_words struct words all = {0};
    for (unsigned i = EXPECT_NONE + 1; i < EXPECT_UNKNOWN; i++)
        words_add(&all, expect_kind_name((enum expect_kind)i));
    if (top)
        words_add(&all, PARTS);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&all, &list);
    complain(r, n->key_mark, "unknown expectation '%s'%s; allowed: %s", SHOWN(n->key), HINT(n->key, words_all(&all)),
             strbuf_str(&list));
}

// Those of one mapping. top: not of a part, which has no parts.
static void read_kinds(struct reader *r, const struct ynode *map, bool top, expect_list *out) {
    if (map->kind != YNODE_MAP) {
        complain_kind(r, map, "a mapping of expectations such as {write_outage: <= 34s}");
        return;
    }
    for (size_t i = 0; i < map->items.n; i++) {
        const struct ynode *n = map->items.items[i];
        enum expect_kind kind = expect_kind_from(n->key);
        if (kind != EXPECT_NONE && kind != EXPECT_UNKNOWN)
            expect_read(r, n, kind, out);
        else if (*n->key && !(top && str_eq(n->key, PARTS)))
            complain_unknown(r, n, top);
    }
}

// What is said for the run's stack goes before what is said for all.
static void put_part(expect_list *all, expect_list *part, const char *stack) {
    VEC_FOREACH (part, e) {
        struct expect *place = NULL;
        VEC_FOREACH (all, x)
            place = x->kind == e->kind ? x : place;
        if (place)
            free(place->text); // NOLINT(clang-analyzer-unix.Malloc): the two lists share no text
        else
            place = VEC_ADD(all);
        *place = *e;
        place->stack = stack;
    }
    VEC_DONE(part);
}

// The part of a stack that is not the run's is read as well: its mistakes are told now. Whose nodes it names is not known.
static void read_part(struct reader *r, const struct ynode *n, struct plan *plan) {
    const struct topology *t = r->t;
    expect_list part = {0};
    const struct ha_kind *k = *n->key ? stack_named(r, n->key, n->key_mark) : NULL;
    bool own = k && plan->topology && str_eq(plan->topology->stack, k->name);
    r->t = own ? t : NULL;
    read_kinds(r, n, false, &part);
    r->t = t;
    if (own)
        put_part(&plan->expects, &part, k->name);
    else
        expects_done(&part);
}

void expects_read(struct reader *r, const struct ynode *map, struct plan *plan) {
    read_kinds(r, map, true, &plan->expects);
    const struct ynode *parts = map->kind == YNODE_MAP ? ynode_get(map, PARTS) : NULL;
    if (parts && parts->kind != YNODE_MAP)
        complain_kind(r, parts, "a mapping of stacks such as {" HA_FIRST ": {write_outage: <= 34s}}");
    for (size_t i = 0; parts && parts->kind == YNODE_MAP && i < parts->items.n; i++)
        read_part(r, parts->items.items[i], plan);
}
