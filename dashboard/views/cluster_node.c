// SPDX-License-Identifier: PostgreSQL
// Everything known about one node.
#include <stdio.h>

#include "dashboard/views/parts.h"

struct sheet {
    struct canvas *c;
    struct rect area;
    int y;
};

static void line(struct sheet *s, const char *label, const struct piece *p) {
    (void)canvas_field(s->c, s->area, s->y, 1, 16, TONE_DIM, label);
    (void)piece_draw(s->c, s->area, s->y++, 18, s->area.cols - 19, p);
}

static void text(struct sheet *s, const char *label, enum tone tone, const char *fmt, ...) PRINTF_LIKE(4, 5);
static void text(struct sheet *s, const char *label, enum tone tone, const char *fmt, ...) {
    struct piece p = {.tone = tone, .sign = -1};
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p.text, sizeof p.text, fmt, ap);
    va_end(ap);
    line(s, label, &p);
}

static void ago(struct sheet *s, const char *label, const struct dash *d, usec_t t) {
    char buf[SHORT_MAX];
    if (!t)
        text(s, label, TONE_DIM, "never");
    else
        text(s, label, d->now > t + 2 * SEC ? TONE_WARN : TONE_PLAIN, "%s ago",
             seconds_text(buf, d->now > t ? d->now - t : 0));
}

static void postgres_part(struct sheet *s, const struct dash *d, const struct model_node *n) {
    struct piece p = {0};
    char a[LSN_TEXT_MAX], bytes[SHORT_MAX], time[SHORT_MAX];
    usec_t behind;
    words_role(d->model, n, &p);
    line(s, "role", &p);
    words_postgres(d->model, n, &p);
    line(s, "PostgreSQL", &p);
    enum lane lane = lane_of(d->model, n);
    text(s, "state", lane_tone(lane), "%s", lane_name(d->model->kind, lane));
    if (*n->pg_error)
        text(s, "it says", TONE_WARN, "%s", n->pg_error);
    ago(s, "last SQL answer", d, n->pg_seen);
    text(s, "timeline", TONE_PLAIN, "%" PRId64, n->timeline);
    text(s, "LSN", TONE_PLAIN, "%s", n->lsn ? lsn_format(a, n->lsn) : "-");
    if (n->in_recovery)
        text(s, "replayed", TONE_PLAIN, "%s", n->replayed ? lsn_format(a, n->replayed) : "-");
    if (n->lag_bytes >= 0 && history_lag_time(d->history, n->replayed, d->now, &behind) && n->lag_bytes)
        text(s, "lag", TONE_PLAIN, "%s, about %s", bytes_text(bytes, n->lag_bytes), seconds_text(time, behind));
    else if (n->lag_bytes >= 0)
        text(s, "lag", TONE_PLAIN, "%s", bytes_text(bytes, n->lag_bytes));
    words_manager(n, &p);
    const struct ha_kind *kind = d->model->kind;
    char says[32], http[24] = "";
    line(s, kind->title, &p);
    (void)snprintf(says, sizeof says, "%s says", kind->title);
    if (n->http)
        (void)snprintf(http, sizeof http, ", HTTP %d", n->http);
    if (n->manager_answered)
        text(s, says, TONE_PLAIN, "%s, %s%s%s%s", model_role_name(n->role), n->state, http, n->paused ? ", paused" : "",
             n->pending_restart ? ", a restart is pending" : "");
    ago(s, *kind->api ? "last REST answer" : "last answer", d, n->manager_seen);
    if (kind->has & HA_STORE)
        text(s, "in the DCS", n->registered ? TONE_PLAIN : TONE_WARN, "%s",
             n->registered ? "registered: has its members/ key" : "not registered: no members/ key");
}

static void arbiter_part(struct sheet *s, const struct dash *d, const struct model_node *n) {
    struct piece p = {0};
    const struct ha_kind *kind = d->model->kind;
    char label[SHORT_MAX], state[SHORT_MAX];
    words_arbiter(n, &p);
    line(s, kind->arbiters, &p);
    if (!n->arbiter_answered)
        return;
    (void)snprintf(label, sizeof label, "%s member", kind->arbiters);
    text(s, label, TONE_PLAIN, "%s, term %" PRId64 ", %s", n->arbiter_id, n->arbiter_term,
         arbiter_lane_words(kind, arbiter_lane_of(n), state, sizeof state));
    (void)snprintf(label, sizeof label, "%s answered", kind->arbiters);
    text(s, label, TONE_PLAIN, "%.1f s ago (asked every 5 s)",
         (double)(d->now > n->arbiter_seen ? d->now - n->arbiter_seen : 0) / 1e6);
}

static void watchdog_part(struct sheet *s, const struct dash *d, const struct model_node *n) {
    char last[SHORT_MAX], left[SHORT_MAX];
    if (!n->watchdog_timeout) // never armed since the power came, or there is none
        return;
    usec_t since = d->now > n->watchdog_last ? d->now - n->watchdog_last : 0;
    if (n->watchdog_armed)
        text(s, "watchdog", TONE_PLAIN, "armed: written to %s ago, cuts the power in %s", seconds_text(last, since),
             seconds_text(left, since < n->watchdog_timeout ? n->watchdog_timeout - since : 0));
    else
        text(s, "watchdog", TONE_DIM, "not armed");
}

static void log_part(struct sheet *s, const struct dash *d, const struct model_node *n) {
    const struct history *h = d->history;
    int room = s->area.rows - s->y - 1, found = 0;
    if (room < 2)
        return;
    heading(s->c, s->area, s->y++, "Its last log lines", NULL);
    size_t first = h->logs.n;
    while (first > 0 && found < room)
        found += str_eq(h->logs.items[--first].node, n->name);
    for (; first < h->logs.n && s->y < s->area.rows; first++) {
        const struct log_entry *e = &h->logs.items[first];
        char stamp[SHORT_MAX];
        if (!str_eq(e->node, n->name))
            continue;
        int x = canvas_text(s->c, s->area, s->y, 1, TONE_DIM, "%s %-10s ", stamp_text(stamp, e->t), e->service);
        (void)canvas_field(s->c, s->area, s->y++, x, s->area.cols - x - 1, TONE_PLAIN, e->text);
    }
}

void draw_node_details(struct canvas *c, struct rect area, const struct dash *d, size_t node) {
    const struct model_node *n = &d->model->nodes[node];
    struct sheet s = {.c = c, .area = area, .y = 1};
    char since[SHORT_MAX];
    heading(c, area, 0, n->name, "Esc: back");
    text(&s, "address", TONE_PLAIN, "%s", n->address);
    text(&s, "power", n->on ? TONE_GOOD : TONE_BAD, n->power_changed ? "%s since %s" : "%s", n->on ? "on" : "off",
         seconds_text(since, d->now > n->power_changed ? d->now - n->power_changed : 0));
    if (n->services & SERVICE_POSTGRES)
        postgres_part(&s, d, n);
    if ((n->services & SERVICES_ARBITER) && *d->model->kind->arbiters)
        arbiter_part(&s, d, n);
    watchdog_part(&s, d, n);
    log_part(&s, d, n);
}
