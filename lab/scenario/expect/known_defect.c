// SPDX-License-Identifier: PostgreSQL
// `known_defects:` a list of what certain versions of a program are known to do wrong, and which expectations fail then:
//   - id: patroni-2693
//     software: patroni
//     versions: < 3.0.3
//     reference: https://github.com/patroni/patroni/pull/2693
//     text: the former leader takes the leader key back with an unconditional put
//     signature: leader_key_overwritten
//     explains: [same_history, lost_writes]
#include "lab/base/version.h"
#include "lab/scenario/expect/expect.h"
#include "lab/scenario/yaml/scalar.h"

static const char *const signatures[] = {
#define X(value, word) word,
    DEFECT_WORDS(X)
#undef X
        NULL};

// The components of which a lab records the version (lab/supervisor/build.c), in lower case.
static const char *const programs[] = {"patroni", "postgresql", "etcd", "haproxy", NULL};

// `conditions`: a step's condition or deadline was not met, which ends a run like a failed expectation.
#define CONDITIONS "conditions"

struct defect_draft {
    const struct ynode *id, *software, *versions, *reference, *text, *signature, *explains, *always;
};
#define DEFECT_FIELD(name, required)                                                                                   \
    { #name, read_node, offsetof(struct defect_draft, name), required }
static const struct field defect_fields[] = {
    DEFECT_FIELD(id, true),        DEFECT_FIELD(software, true), DEFECT_FIELD(versions, true),
    DEFECT_FIELD(reference, true), DEFECT_FIELD(text, true),     DEFECT_FIELD(signature, true),
    DEFECT_FIELD(explains, true),  DEFECT_FIELD(always, false),  {0}};

static void list_of(const char *const *all, struct strbuf *out) {
    for (; *all; all++)
        strbuf_addf(out, out->len ? ", %s" : "%s", *all);
}

// One of the words, as its index; -1 after a complaint.
static int word_of(struct reader *r, const struct ynode *n, const char *const *words, const char *what) {
    const char *text = text_of(r, n, what);
    if (!text)
        return -1;
    for (int i = 0; words[i]; i++)
        if (str_eq(words[i], text))
            return i;
    cleanup_strbuf struct strbuf list = {0};
    list_of(words, &list);
    complain(r, n->mark, "'%s' is not %s%s; allowed: %s", SHOWN(text), what, HINT(text, words), strbuf_str(&list));
    return -1;
}

// ---- the single keys ------------------------------------------------------------------------------------------------

static void read_id(struct reader *r, const struct ynode *n, const struct plan *plan, struct known_defect *d) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    enum { ID_MAX = 63 };
    const char *text = text_of(r, n, "a name such as patroni-2693");
    if (!text)
        return;
    if (!*text || strlen(text) > ID_MAX || strspn(text, allowed) != strlen(text)) {
        complain(r, n->mark, "'%s' can't be the id of a defect: letters, digits, '-', '_' and '.', at most %d",
                 SHOWN(text), ID_MAX);
        return;
    }
    for (size_t i = 0; i < plan->defects.n; i++)
        if (str_eq(plan->defects.items[i].id, text)) {
            complain(r, n->mark, "defect '%s' is here twice (first in line %d)", SHOWN(text),
                     plan->defects.items[i].line);
            return;
        }
    d->id = xstrdup(text);
}

static void read_versions(struct reader *r, const struct ynode *n, struct known_defect *d) {
    enum { VERSIONS_MAX = 63 };
    size_t bad;
    const char *why, *text = text_of(r, n, "versions such as '< 3.0.3' or '>= 2.0, < 3.0.3'");
    if (!text)
        return;
    if (!version_range_check(text, &bad, &why))
        complain(r, mark_inside(n, bad), "'%s' names no versions: %s (examples: '< 3.0.3', '>= 2.0, < 3.0.3', '3.0.2')",
                 SHOWN(text), why);
    else if (strlen(text) > VERSIONS_MAX)
        complain(r, n->mark, "'%s' is too long: at most %d characters", SHOWN(text), VERSIONS_MAX);
    else
        d->versions = xstrdup(text);
}

static void read_reference(struct reader *r, const struct ynode *n, struct known_defect *d) {
    enum { REFERENCE_MAX = 200 };
    const char *text = text_of(r, n, "the address of a page that describes the defect");
    if (!text)
        return;
    bool url = str_starts(text, "https://") || str_starts(text, "http://");
    if (!url || strchr(text, ' ') || strlen(text) > REFERENCE_MAX || strlen(text) < strlen("https://x.y"))
        complain(r, n->mark,
                 "'%s' is no address: expected the page that describes the defect, https://..., at most %d characters",
                 SHOWN(text), REFERENCE_MAX);
    else
        d->reference = xstrdup(text);
}

static void read_sentence(struct reader *r, const struct ynode *n, struct known_defect *d) {
    enum { SENTENCE_MAX = 240 };
    const char *text = text_of(r, n, "a sentence that says what the defect does");
    if (!text)
        return;
    if (!*text || strlen(text) > SENTENCE_MAX || strchr(text, '\n'))
        complain(r, n->mark, "a defect's text is one line of 1 to %d characters: the details are in its reference",
                 SENTENCE_MAX);
    else
        d->text = xstrdup(text);
}

// ---- what it explains -----------------------------------------------------------------------------------------------

static bool always_judged(const char *kind) { // lab/measure/expect.c: said or not
    static const char *const implicit[] = {"unexpected_writes", "duplicated_writes", "foreign_rows", "split_brain"};
    for (size_t i = 0; i < ARRAY_SIZE(implicit); i++)
        if (str_eq(implicit[i], kind))
            return true;
    return str_eq(kind, CONDITIONS);
}

static bool is_expected(const struct plan *plan, const char *kind) {
    for (size_t i = 0; i < plan->expects.n; i++)
        if (str_eq(expect_kind_name(plan->expects.items[i].kind), kind))
            return true;
    return always_judged(kind);
}

static void read_explained(struct reader *r, const struct ynode *n, const struct plan *plan, struct strbuf *out,
                           unsigned *seen) {
    static const char *const kinds[] = {
#define X(value, word) word,
        EXPECT_WORDS(X)
#undef X
            CONDITIONS,
        NULL};
    _Static_assert(ARRAY_SIZE(kinds) <= sizeof *seen * 8, "a bit for each");
    int kind = word_of(r, n, kinds, "an expectation");
    if (kind < 0)
        return;
    if (*seen & 1U << kind)
        complain(r, n->mark, "'%s' is here twice", kinds[kind]);
    else if (!is_expected(plan, kinds[kind]) && r->whole)
        warn(r, n->mark, "this scenario does not expect '%s': there is nothing to explain", kinds[kind]);
    *seen |= 1U << kind;
    strbuf_addf(out, out->len ? ", %s" : "%s", kinds[kind]);
}

static void read_explains(struct reader *r, const struct ynode *n, const struct plan *plan, struct known_defect *d) {
    cleanup_strbuf struct strbuf all = {0};
    unsigned seen = 0;
    if (n->kind == YNODE_TEXT) {
        read_explained(r, n, plan, &all, &seen);
    } else if (n->kind != YNODE_LIST) {
        complain_kind(r, n, "a list of expectations such as [same_history, lost_writes]");
        return;
    } else if (!n->items.n) {
        complain(r, n->mark, "a defect that explains nothing changes nothing: name the expectations that it breaks");
        return;
    } else {
        for (size_t i = 0; i < n->items.n; i++)
            read_explained(r, n->items.items[i], plan, &all, &seen);
    }
    d->explains = xstrdup(strbuf_str(&all));
}

// ---- one of them ----------------------------------------------------------------------------------------------------

static void read_defect(struct reader *r, const struct ynode *map, struct plan *plan, struct known_defect *d) {
    struct defect_draft draft = {0};
    char why[WHY_MAX];
    decode_fields(r, map, "a known defect", defect_fields, &draft);
    if (draft.id)
        read_id(r, draft.id, plan, d);
    int program =
        draft.software ? word_of(r, draft.software, programs, "a program of which versions are recorded") : -1;
    if (program >= 0)
        d->software = xstrdup(programs[program]);
    if (draft.versions)
        read_versions(r, draft.versions, d);
    if (draft.reference)
        read_reference(r, draft.reference, d);
    if (draft.text)
        read_sentence(r, draft.text, d);
    int signature = draft.signature ? word_of(r, draft.signature, signatures, "a signature") : -1;
    if (signature >= 0)
        d->signature = defect_signature_from(signatures[signature]);
    if (draft.explains)
        read_explains(r, draft.explains, plan, d);
    const char *always = draft.always ? text_of(r, draft.always, "yes or no") : NULL;
    if (always && !scalar_bool(always, &d->always, why))
        complain(r, draft.always->mark, "%s", why);
}

void known_defects_read(struct reader *r, const struct ynode *list, struct plan *plan) {
    if (list->kind != YNODE_LIST) {
        complain_kind(r, list, "a list of known defects, each with id, software, versions, ...");
        return;
    }
    for (size_t i = 0; i < list->items.n; i++) {
        const struct ynode *map = list->items.items[i];
        struct known_defect d = {.line = map->mark.line};
        if (i == DEFECTS_MAX) {
            complain(r, map->mark, "more than %d known defects", DEFECTS_MAX);
            return;
        }
        read_defect(r, map, plan, &d);
        if (!d.id) // complained about; a name is needed to find it twice
            d.id = xstrdup("");
        VEC_PUSH(&plan->defects, d);
    }
}
