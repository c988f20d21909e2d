// SPDX-License-Identifier: PostgreSQL
// How the outcome of an expectation is told: what was found, as a sentence that is true by itself, and behind it what the scenario expected, as
// its author wrote it. A sentence never denies a denial ("no lost_writes: 3" took readers a second look): it says what is there.
#include <stdio.h>

#include "lab/measure/fold.h"

// "@" stands for the value. about: what is not known when it could not be judged.
static const struct words {
    const char *about, *none, *one, *some;
} all[] = {
    [EXPECT_WRITE_OUTAGE] = {"for how long the application could not write", "the application could write all the time",
                             NULL, "the application could not write for @"},
    [EXPECT_READ_OUTAGE] = {"for how long the application could not read", "the application could read all the time",
                            NULL, "the application could not read for @"},
    [EXPECT_RECOVERY] = {"how long the recovery took", "the application's writes never stopped", NULL,
                         "the application could write again @ after the fault"},
    [EXPECT_LOST_WRITES] = {"whether acknowledged writes are lost", "no acknowledged write is lost",
                            "1 acknowledged write is lost", "@ acknowledged writes are lost"},
    [EXPECT_LOCAL_ONLY_WRITES] = {"how many writes were acknowledged without their synchronous standby",
                                  "no write was acknowledged without its synchronous standby",
                                  "1 write was acknowledged without its synchronous standby",
                                  "@ writes were acknowledged without their synchronous standby"},
    [EXPECT_LOCAL_ONLY_LOST] = {"whether writes that were acknowledged without their synchronous standby are lost",
                                "no write that was acknowledged without its synchronous standby is lost",
                                "1 write that was acknowledged without its synchronous standby is lost",
                                "@ writes that were acknowledged without their synchronous standby are lost"},
    [EXPECT_UNEXPECTED_WRITES] = {"whether writes that failed are in the table all the same",
                                  "no failed write is in the table", "1 write that failed is in the table all the same",
                                  "@ writes that failed are in the table all the same"},
    [EXPECT_DUPLICATED_WRITES] = {"whether writes are in the table twice", "every write is in the table once at most",
                                  "1 write is in the table more than once", "@ writes are in the table more than once"},
    [EXPECT_FOREIGN_ROWS] = {"whether standbys have rows of another history",
                             "the standbys have only rows of their leader",
                             "the standbys have 1 row that their leader lacks",
                             "the standbys have @ rows that their leader lacks"},
    [EXPECT_SAME_HISTORY] = {"whether all nodes follow the leader's history", "all nodes follow the leader's history",
                             NULL, NULL},
    [EXPECT_DIVERGED_NODES] = {"how many nodes follow another history", "all nodes follow the leader's history",
                               "1 node follows another history", "@ nodes follow another history"},
    [EXPECT_SPLIT_BRAIN] = {"whether two nodes accepted writes at the same time",
                            "one node at most accepted writes at any time", NULL,
                            "two nodes accepted writes at the same time for @"},
    [EXPECT_NEW_LEADER] = {"whether another node became the leader", NULL, NULL, NULL},
    [EXPECT_REJOIN] = {"how long the cluster took to be healthy again",
                       "the cluster was healthy as soon as writes were back", NULL,
                       "the cluster was healthy again @ after writes were back or the fault was healed"},
    [EXPECT_PHASES] = {"whether each phase took as long as the settings allow", NULL, NULL, NULL},
    [EXPECT_WRITE_AVAILABILITY] = {"for how much of the time writes succeeded", "writes succeeded at no time", NULL,
                                   "writes succeeded for @ of the time"},
    [EXPECT_READ_AVAILABILITY] = {"for how much of the time reads succeeded", "reads succeeded at no time", NULL,
                                  "reads succeeded for @ of the time"},
};

// NULL: a kind that nobody knows.
static const struct words *find(enum expect_kind kind) {
    return (size_t)kind < ARRAY_SIZE(all) && all[kind].about ? &all[kind] : NULL;
}

bool words_known(enum expect_kind kind) {
    return find(kind) != NULL;
}

static void fill(struct strbuf *out, const char *text, const char *value) {
    const char *at = strchr(text, '@');
    strbuf_addn(out, text, at ? (size_t)(at - text) : strlen(text));
    if (at)
        strbuf_addf(out, "%s%s", value, at + 1);
}

// ---- the loss, which is what a reader must see first ------------------------------------------------------------------

static bool follows_another(const struct measures *o, struct strbuf *out) {
    if (!o->contents.diverged)
        return false;
    strbuf_addf(out, "%s%s follow%s another history", out->len ? "; " : "", o->contents.diverged_names,
                o->contents.diverged == 1 ? "s" : "");
    return true;
}

static bool writes_lost(const struct measures *o, struct strbuf *out) {
    char value[32];
    if (!o->writes.checked || o->writes.lost <= 0)
        return false;
    (void)snprintf(value, sizeof value, "%" PRId64, o->writes.lost);
    strbuf_add(out, out->len ? "; " : "");
    fill(out, o->writes.lost == 1 ? find(EXPECT_LOST_WRITES)->one : find(EXPECT_LOST_WRITES)->some, value);
    return true;
}

bool measure_loss_text(const struct measures *o, struct strbuf *out) {
    bool lost = writes_lost(o, out);
    return follows_another(o, out) || lost;
}

// ---- one expectation -------------------------------------------------------------------------------------------------

static void put_found(const struct measures *o, enum expect_kind kind, const struct reading *r, struct strbuf *out) {
    const struct words *w = find(kind);
    bool nothing = !(r->value > 0);
    if (r->sentence || !w || !w->none || !w->some)
        strbuf_add(out, r->text);
    else if (nothing)
        strbuf_add(out, w->none);
    else if (w->one && r->value < 2)
        strbuf_add(out, w->one);
    else
        fill(out, w->some, r->text);
    // Both belong together, whichever of the two was expected: rows are gone because the others follow another history.
    if (nothing)
        return;
    if (kind == EXPECT_LOST_WRITES)
        (void)follows_another(o, out);
    else if (kind == EXPECT_FOREIGN_ROWS || kind == EXPECT_SAME_HISTORY || kind == EXPECT_DIVERGED_NODES)
        (void)writes_lost(o, out);
}

bool words_is_count(enum expect_kind kind) {
    return kind == EXPECT_LOST_WRITES || kind == EXPECT_LOCAL_ONLY_WRITES || kind == EXPECT_LOCAL_ONLY_LOST ||
           kind == EXPECT_UNEXPECTED_WRITES || kind == EXPECT_DUPLICATED_WRITES || kind == EXPECT_FOREIGN_ROWS ||
           kind == EXPECT_DIVERGED_NODES;
}

static void put_limit(enum expect_kind kind, double v, struct strbuf *out) {
    char t[USEC_TEXT_MAX];
    if (words_is_count(kind))
        strbuf_addf(out, "%.0f", v);
    else if (kind == EXPECT_WRITE_AVAILABILITY || kind == EXPECT_READ_AVAILABILITY)
        strbuf_addf(out, "%.2f %%", v);
    else
        strbuf_add(out, usec_format(t, v > 0 ? (usec_t)v : 0));
}

// As the author wrote it, or what the log has of it: "from 20.00 s to 34.00 s". Nothing for what is expected of every run.
static void put_wanted(const struct expectation *x, struct strbuf *out) {
    if (*x->text)
        strbuf_add(out, x->text);
    else if (x->has_max && !(x->max > 0) && !x->has_min)
        return;
    else if (*x->node)
        strbuf_add(out, x->node);
    if (*x->text || *x->node)
        return;
    if (x->inside)
        strbuf_add(out, x->has_min || x->has_max ? "inside, " : "inside");
    if (x->has_min)
        strbuf_add(out, x->has_max ? "from " : "at least "), put_limit(x->kind, x->min, out);
    if (x->has_max)
        strbuf_add(out, x->has_min ? " to " : "at most "), put_limit(x->kind, x->max, out);
}

void words_outcome(const struct measures *o, const struct expectation *x, const struct reading *r, char *out,
                   size_t size) {
    enum { FOUND_MAX = 360 }; // the rest is for what was expected
    cleanup_strbuf struct strbuf found = {0}, wanted = {0};
    const struct words *w = find(x->kind);
    const char *name = expect_kind_name(x->kind);
    if (r->known) {
        put_found(o, x->kind, r, &found);
        strbuf_addf(&found, *r->law ? "; %s" : "%s", r->law);
    }
    if (!r->known)
        strbuf_addf(&found, "%s is not known: %s", w ? w->about : name, r->text);
    put_wanted(x, &wanted);
    if (wanted.len)
        (void)snprintf(out, size, "%.*s (expected: %s%s%.80s)", FOUND_MAX, strbuf_str(&found),
                       str_starts(wanted.data, name) ? "" : name, str_starts(wanted.data, name) ? "" : " ",
                       wanted.data);
    else
        (void)snprintf(out, size, "%s", strbuf_str(&found));
}
