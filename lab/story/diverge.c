// SPDX-License-Identifier: PostgreSQL
// Who follows another history than the leader, while it is so: by the order of positions (lab/model/diverge.h).
#include "lab/story/internal.h"

void ahead_words(struct moment *m, const char *node, const char *leader, lsn_t replayed, lsn_t written) {
    char here[LSN_TEXT_MAX], there[LSN_TEXT_MAX];
    set_text(
        m,
        "%s FOLLOWS ANOTHER HISTORY than its leader %s: it had replayed to %s when %s, asked later, had written to %s",
        node, leader, lsn_format(here, replayed), leader, lsn_format(there, written));
}

static void diverged(struct story *s, size_t i) {
    const struct model_doubt *d = &s->model->doubts[i];
    const char *node = s->model->nodes[i].name, *leader = s->model->leader;
    struct moment *m = tell(s, d->since, MOMENT_AHEAD, TOLD_MAIN, MOOD_BAD, node,
                            "%s FOLLOWS ANOTHER HISTORY than the leader %s", node, leader);
    if (d->watch.standby.lsn && str_eq(d->watch.leader, leader))
        ahead_words(m, node, leader, d->watch.standby.lsn, d->watch.primary.lsn);
    if (s->model->theft.defect)
        add_detail(m, "by the known defect %s", s->model->theft.defect->id);
}

static void follows_again(struct story *s, size_t i, usec_t t) {
    const char *node = s->model->nodes[i].name, *leader = s->model->leader;
    if (str_eq(node, leader))
        return; // the others are in doubt now
    (void)tell(s, t, MOMENT_AHEAD, s->doubt[i] == DOUBT_AHEAD ? TOLD_MAIN : TOLD_DETAIL, MOOD_GOOD, node,
               s->doubt[i] == DOUBT_AHEAD ? "%s follows the history of %s again: it was rewound or rebuilt"
                                          : "%s follows the history of %s: it replays what that writes",
               node, leader);
}

void tell_divergence(struct story *s, usec_t t) {
    for (size_t i = 0; i < s->model->n_nodes; i++) {
        enum doubt now = s->model->doubts[i].why;
        if (now == s->doubt[i])
            continue;
        if (now == DOUBT_AHEAD)
            diverged(s, i);
        else if (now == DOUBT_NONE)
            follows_again(s, i, t);
        s->doubt[i] = now;
    }
}
