// SPDX-License-Identifier: PostgreSQL
// Who leads. The leader key: who holds it, how it was lost, and who took it without its having been free. etcd removes the key with its lease (ttl after the
// last renewal); Patroni deletes it when it gives it up (patroni/dcs/etcd3.py, _delete_leader). The two look alike on the watch, and only the age of
// the lease tells them apart. Without an authority: who says that it leads, as the model makes one of it (lab/model/claim.c).
#include "lab/story/internal.h"

#define LEASE_SCAN SEC // etcd looks for expired leases every 500 ms (lease/lessor.go); as much again for the watch

static void note_lease(struct story *s, const struct event *ev) {
    if (ev->u.GRANT.gone || (*ev->u.GRANT.holder && !str_eq(ev->u.GRANT.holder, s->holder)))
        return;
    s->renewed = ev->u.GRANT.renewed;
    s->ttl = ev->u.GRANT.length;
}

static void tell_key_gone(struct story *s, const struct event *ev) {
    usec_t age = s->renewed && ev->t > s->renewed ? ev->t - s->renewed : 0;
    double age_s = (double)age / 1e6, ttl_s = (double)s->ttl / 1e6;
    bool expired = age && s->ttl && age + LEASE_SCAN >= s->ttl;
    struct moment *m =
        tell(s, ev->t, MOMENT_KEY_GONE, TOLD_MAIN, MOOD_WARN, s->holder, "the leader key of %s %s", s->holder,
             expired         ? "has expired"
             : age && s->ttl ? "was given up or deleted"
                             : "is gone");
    if (expired)
        add_detail(m, "its lease was last renewed %.1f s before (ttl %.0f s)", age_s, ttl_s);
    else if (age && s->ttl)
        add_detail(m, "its lease would have lived %.1f s longer (ttl %.0f s)", ttl_s - age_s, ttl_s);
    char text[USEC_TEXT_MAX];
    usec_t fenced = postgres_key_gone(s, s->holder, expired ? "expired" : "was gone");
    if (fenced)
        add_detail(m, "%s had accepted no writes for %s", s->holder, usec_format(text, fenced));
}

static void tell_key_taken(struct story *s, const struct event *ev, const char *now) {
    char text[USEC_TEXT_MAX];
    if (!s->key_held_once)
        (void)tell(s, ev->t, MOMENT_KEY_TAKEN, TOLD_MAIN, MOOD_NEUTRAL, now, "%s %s the leader key: the first leader",
                   now, ev->u.AUTHORITY.initial ? "holds" : "takes");
    else if (s->key_gone && ev->t > s->key_gone)
        (void)tell(s, ev->t, MOMENT_KEY_TAKEN, TOLD_MAIN, MOOD_NEUTRAL, now,
                   "%s takes the leader key, which was free for %s", now, usec_format(text, ev->t - s->key_gone));
    else
        (void)tell(s, ev->t, MOMENT_KEY_TAKEN, TOLD_MAIN, MOOD_NEUTRAL, now, "%s takes the leader key", now);
}

// Another holder, and no loss was seen in between. The same revision of creation proves that the key was written over; without it (old logs) there
// is only the watch, which sees every deletion unless it had to begin anew.
static void changed_hands(struct story *s, const struct event *ev, const char *now) {
    bool created_anew = s->key_created && ev->u.AUTHORITY.epoch && s->key_created != ev->u.AUTHORITY.epoch;
    if (ev->u.AUTHORITY.initial || created_anew) {
        (void)tell(s, ev->t, MOMENT_KEY_TAKEN, TOLD_MAIN, MOOD_WARN, now,
                   "%s holds the leader key instead of %s; when the key changed hands was not seen", now, s->holder);
        return;
    }
    struct moment *m = tell(s, ev->t, MOMENT_KEY_STOLEN, TOLD_MAIN, MOOD_BAD, now,
                            "%s TOOK THE LEADER KEY FROM %s, without the key having been free", now, s->holder);
    if (s->key_created && ev->u.AUTHORITY.epoch)
        add_detail(m, "it was written over, not deleted and made anew");
    const struct model_theft *theft = &s->model->theft;
    if (theft->t == ev->t && theft->defect && str_eq(theft->by, now))
        name_defect(m, theft->defect->id, theft->defect->text, theft->defect->reference);
}

// A Patroni that could not reach the DCS proves that it can again by writing its own key. (dcs_last_seen of its REST answer moves without a quorum too.)
static void member_written(struct story *s, const char *name, usec_t t) {
    int node = story_node(s, name);
    if (node < 0 || !s->patroni[node].no_dcs || t < s->patroni[node].no_dcs_since)
        return;
    s->patroni[node].no_dcs = false;
    (void)tell(s, t, MOMENT_MANAGER, TOLD_EVENT, MOOD_NEUTRAL, name, "%s on %s reaches %s again", s->model->kind->title,
               name, s->model->kind->arbiters);
}

static void tell_entry(struct story *s, const struct event *ev) {
    const char *member = model_member_entry(s->model, ev->u.ENTRY.key);
    if (member && !ev->u.ENTRY.gone && !ev->u.ENTRY.initial)
        member_written(s, member, ev->t);
    if (str_eq(ev->u.ENTRY.key, "sync"))
        tell_sync(s, ev->t);
}

static void tell_authority(struct story *s, const struct event *ev) {
    char now[NODE_NAME_MAX];
    STR_COPY(now, ev->u.AUTHORITY.gone ? "" : ev->u.AUTHORITY.holder);
    bool news = !s->key_known || !str_eq(now, s->holder);
    if (news && !*now && *s->holder)
        tell_key_gone(s, ev);
    else if (news && *now && *s->holder)
        changed_hands(s, ev, now);
    else if (news && *now)
        tell_key_taken(s, ev, now);
    if (news)
        s->renewed = s->ttl = 0;
    if (news && *s->holder) {
        STR_COPY(s->lost_by, s->holder);
        s->key_lost = ev->t;
    }
    if (news && !*now)
        s->key_gone = ev->t;
    s->key_known = true;
    s->key_held_once |= *now != '\0';
    s->key_created = *now ? ev->u.AUTHORITY.epoch : 0;
    STR_COPY(s->holder, now);
}

// ---- by the managers' words ----------------------------------------------------------------------------------------------

static struct moment *tell_claimed(struct story *s, const char *now) {
    const char *before = *s->holder ? s->holder : s->disputed ? "" : s->lost_by;
    if (!s->key_held_once)
        return tell(s, s->model->leader_changed, MOMENT_KEY_TAKEN, TOLD_MAIN, MOOD_NEUTRAL, now,
                    "%s says that it leads: the first leader", now);
    return tell(s, s->model->leader_changed, MOMENT_KEY_TAKEN, TOLD_MAIN, MOOD_NEUTRAL, now,
                *before && !str_eq(before, now) ? "%s says that it leads (before: %s)" : "%s says that it leads", now,
                before);
}

static struct moment *tell_withdrawn(struct story *s) {
    char nobody[160];
    if (s->model->leader_disputed)
        return tell(s, s->model->leader_changed, MOMENT_KEY_GONE, TOLD_MAIN, MOOD_BAD, s->holder,
                    "there is no leader: %s", model_nobody(s->model, nobody, sizeof nobody));
    return tell(s, s->model->leader_changed, MOMENT_KEY_GONE, TOLD_MAIN, MOOD_WARN, s->holder,
                "%s no longer says that it leads", s->holder);
}

void tell_claim(struct story *s) {
    const char *now = s->model->leader;
    if ((s->model->kind->has & HA_AUTHORITY) || (str_eq(now, s->holder) && s->disputed == s->model->leader_disputed))
        return;
    if (*now || *s->holder || s->model->leader_disputed)
        (*now ? tell_claimed(s, now) : tell_withdrawn(s))->error = s->key_held_once ? s->model->leader_error : 0;
    if (*s->holder) {
        STR_COPY(s->lost_by, s->holder);
        s->key_lost = s->model->leader_changed;
    }
    s->key_held_once |= *now != '\0';
    s->disputed = s->model->leader_disputed;
    STR_COPY(s->holder, now);
}

void tell_leader(struct story *s, const struct event *ev) {
    if (ev->kind == EVENT_GRANT)
        note_lease(s, ev);
    else if (ev->kind == EVENT_ENTRY)
        tell_entry(s, ev);
    else if (ev->kind == EVENT_AUTHORITY && (s->model->kind->has & HA_AUTHORITY))
        tell_authority(s, ev);
}
