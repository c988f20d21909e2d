// SPDX-License-Identifier: PostgreSQL
// The init of each node answers for itself. A node that loses its power meanwhile answers with an error; one that never
// answers is caught by the injector's deadline, and the salvo is then dropped: it stays in memory until its last
// answer.
#include "injector/process/salvo.h"

#include <signal.h>

struct answer { // what one request carries around
    struct salvo *salvo;
    size_t shot;
};

static void salvo_free(struct salvo *s) {
    VEC_DONE(&s->shots);
    free(s);
}

static void settle(struct salvo *s) {
    if (--s->waiting > 0)
        return;
    if (s->dropped)
        salvo_free(s);
    else
        s->done(s->arg, s);
}

static void on_answer(void *arg, const struct node_signal_result *r) {
    cleanup_free struct answer *a = arg;
    a->salvo->shots.items[a->shot].result = *r;
    settle(a->salvo);
}

static void fire_one(struct salvo *s, size_t i, int sig, bool tree, bool await_exit) {
    const struct victim *v = &s->shots.items[i].victim;
    struct answer *a = xcalloc(1, sizeof *a);
    *a = (struct answer){.salvo = s, .shot = i};
    s->waiting++;
    int r = node_signal_pid(v->node, v->process.pid, sig, tree, await_exit, on_answer, a, NULL);
    if (r >= 0)
        return;
    free(a);
    s->waiting--;
    s->shots.items[i].result.error = r;
}

void salvo_fire(const victim_list *victims, int sig, bool tree, bool await_exit,
                void (*done)(void *arg, struct salvo *s), void *arg, struct salvo **ret) {
    struct salvo *s = xcalloc(1, sizeof *s);
    s->done = done;
    s->arg = arg;
    s->waiting = 1; // ours, so that done can't come before all have been fired
    salvo_drop(ret);
    *ret = s;
    for (size_t i = 0; i < victims->n; i++)
        VEC_ADD(&s->shots)->victim = victims->items[i];
    for (size_t i = 0; i < s->shots.n; i++)
        fire_one(s, i, sig, tree, await_exit);
    settle(s);
}

void salvo_drop(struct salvo **s) {
    if (!*s)
        return;
    struct salvo *gone = STEAL(*s);
    gone->dropped = true;
    if (gone->waiting == 0)
        salvo_free(gone);
}

int salvo_error(const struct salvo *s, const struct shot **ret_which) {
    const struct shot *found = NULL;
    for (size_t i = 0; i < s->shots.n; i++) {
        const struct shot *h = &s->shots.items[i];
        if (h->result.error &&
            (!found || found->result.error == -ESRCH)) // a process that ended by itself is the lesser error
            found = h;
    }
    if (found && ret_which)
        *ret_which = found;
    return found ? found->result.error : 0;
}

bool salvo_all_ended(const struct salvo *s) {
    for (size_t i = 0; i < s->shots.n; i++)
        if (s->shots.items[i].result.ended == 0)
            return false;
    return true;
}

usec_t salvo_last_ended(const struct salvo *s) {
    usec_t last = 0;
    for (size_t i = 0; i < s->shots.n; i++)
        if (s->shots.items[i].result.ended > last)
            last = s->shots.items[i].result.ended;
    return last;
}

static usec_t salvo_spread(const struct salvo *s) {
    usec_t first = USEC_NEVER, last = 0;
    for (size_t i = 0; i < s->shots.n; i++) {
        usec_t sent = s->shots.items[i].result.sent;
        first = sent && sent < first ? sent : first;
        last = sent > last ? sent : last;
    }
    return first == USEC_NEVER ? 0 : last - first;
}

static void shot_text(const struct shot *h, struct strbuf *out) {
    strbuf_addf(out, "%s %lld on %s", h->victim.what, (long long)h->victim.process.pid, node_name(h->victim.node));
    if (h->result.error)
        strbuf_addf(out, " (%s)", strerror(-h->result.error));
    else if (h->result.ended >= h->result.sent && h->result.ended)
        strbuf_addf(out, ", exit seen %.1f ms later", (double)(h->result.ended - h->result.sent) / 1000.0);
}

void salvo_text(const struct salvo *s, int sig, struct strbuf *out) {
    enum { SHOWN = 4 };
    strbuf_addf(out, "SIG%s sent to ", sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
    for (size_t i = 0; i < s->shots.n && i < SHOWN; i++) {
        strbuf_add(out, i ? "; " : "");
        shot_text(&s->shots.items[i], out);
    }
    if (s->shots.n > SHOWN)
        strbuf_addf(out, " and %zu more", s->shots.n - SHOWN);
    if (s->shots.n > 1)
        strbuf_addf(out, "; %.1f ms between the first and the last", (double)salvo_spread(s) / 1000.0);
}
