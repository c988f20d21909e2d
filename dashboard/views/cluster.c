// SPDX-License-Identifier: PostgreSQL
// The screen that tells a class what is happening: verdict, lease, writes, outage, faults, one row a node, the story.
#include <ctype.h>
#include <stdio.h>

#include "dashboard/views/parts.h"

struct cluster {
    bool details; // of d->node
};

static void *cluster_open(void) {
    return xcalloc(1, sizeof(struct cluster));
}

// ---- the top ------------------------------------------------------------------------------------------------------------
static const struct model_fault *fault_in_force(const struct model *m) {
    for (size_t i = m->n_faults; i > 0; i--)
        if (m->faults[i - 1].phase >= FAULT_PHASE_EFFECTIVE && m->faults[i - 1].phase <= FAULT_PHASE_HEAL_ASKED)
            return &m->faults[i - 1];
    return NULL;
}

static void verdict(struct canvas *c, struct rect area, enum tone tone, enum sign sign, const char *text) {
    (void)canvas_field(c, area, 0, 1, 8, TONE_STRONG, "Cluster");
    (void)canvas_sign(c, area, 0, 9, tone, sign);
    (void)canvas_field(c, area, 0, 11, area.cols - 12, tone, text);
}

// What the servers say of themselves is not what the application feels: cut off, a leader takes its own probe's writes for half a minute.
static void draw_verdict(struct canvas *c, struct rect area, const struct dash *d) {
    char why[EVENT_TEXT_MAX] = "", text[EVENT_TEXT_MAX + 64], time[SHORT_MAX];
    const struct model *m = d->model;
    const struct outage *o = last_outage(d->history);
    const struct model_node *leader = model_leader(m);
    bool complete = model_complete(m, why, sizeof why), healthy = complete || model_healthy(m, NULL, 0);
    if (log_silence(d)) {
        (void)snprintf(text, sizeof text, "nothing was heard for %s: what is shown may no longer be true",
                       seconds_text(time, log_silence(d)));
        verdict(c, area, TONE_WARN, SIGN_UNKNOWN, text);
    } else if (o && o->to == USEC_NEVER && leader && leader->writable) {
        (void)snprintf(text, sizeof text, "%s accepts writes from inside, but the application does not reach it",
                       m->leader);
        verdict(c, area, TONE_BAD, SIGN_BAD, text);
    } else if (complete && fault_in_force(m)) {
        verdict(c, area, TONE_WARN, SIGN_WARN, "works, with a fault in force");
    } else if (complete) {
        (void)snprintf(text, sizeof text, "healthy: %s leads and every standby streams from it", m->leader);
        verdict(c, area, TONE_GOOD, SIGN_GOOD, text);
    } else {
        (void)snprintf(text, sizeof text, "%s%s", healthy ? "works, but is not whole: " : "", why);
        verdict(c, area, healthy ? TONE_WARN : TONE_BAD, healthy ? SIGN_WARN : SIGN_BAD, text);
    }
}

static void draw_writes(struct canvas *c, struct rect area, int y, const struct dash *d) {
    const struct history *h = d->history;
    (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, "Writes");
    if (!h->ticks.n) {
        (void)canvas_text(c, area, y, 9, TONE_DIM, "the application has not begun");
        return;
    }
    if (h->end_reason || log_silence(d)) {
        (void)canvas_text(c, area, y, 9, TONE_DIM, "%s", h->end_reason ? "the run has ended" : "nothing was heard");
        return;
    }
    double rate = writes_per_second(d);
    bool good = rate > 0;
    int x = canvas_sign(c, area, y, 9, good ? TONE_GOOD : TONE_BAD, good ? SIGN_GOOD : SIGN_BAD);
    x = canvas_text(c, area, y, x + 1, good ? TONE_GOOD : TONE_BAD, "%.0f/s acknowledged", rate);
    if (*d->model->client_node)
        x = canvas_text(c, area, y, x, TONE_PLAIN, " by %s", d->model->client_node);
    x = x < 36 ? 36 : x + 1;
    int width = (area.cols - x - 1) / 10 * 10; // whole seconds
    width = width > 100 ? 100 : width;
    const double usual = 10; // writes per 100 ms at the default load; more is a full bar too
    for (size_t i = h->ticks.n; i > 0; i--) {
        const struct tick *t = &h->ticks.items[i - 1];
        long back = (long)(d->now / (100 * MSEC)) - (long)(t->at / (100 * MSEC));
        if (back > width || back < 1)
            break;
        if (t->w_ok)
            column_bar(c, area, y, x + width - (int)back, 1, TONE_GOOD, t->w_ok, usual);
        else
            (void)canvas_text(c, area, y, x + width - (int)back, TONE_BAD, t->w_bad ? "x" : "_");
    }
}

// ---- the nodes ----------------------------------------------------------------------------------------------------------
enum {
    COL_NODE,
    COL_ROLE,
    COL_PG,
    COL_STATE,
    COL_TL,
    COL_LSN,
    COL_REPLAYED,
    COL_LAG,
    COL_MANAGER,
    COL_HTTP,
    COL_ARBITER,
    COL_AGE,
    COL_SINCE,
    COL_ADDRESS,
    COL_ERROR
};
static const struct column columns[] = {
    [COL_NODE] = {"NODE", 6, 0, false},
    [COL_ROLE] = {"ROLE", 14, 0, false},
    [COL_PG] = {"POSTGRESQL", 11, 0, false},
    [COL_STATE] = {"STATE", 25, 3, false},
    [COL_TL] = {"TL", 2, 0, true},
    [COL_LSN] = {"LSN", 10, 1, false},
    [COL_REPLAYED] = {"REPLAYED", 10, 5, false},
    [COL_LAG] = {"LAG", 7, 0, true},
    [COL_MANAGER] = {"MANAGER", 9, 0, false},
    [COL_HTTP] = {"HTTP", 4, 6, true},
    [COL_ARBITER] = {"ARBITER", 8, 0, false},
    [COL_AGE] = {"AGE", 4, 0, true},
    [COL_SINCE] = {"SINCE", 10, 4, true},
    [COL_ADDRESS] = {"ADDRESS", 12, 4, false},
    [COL_ERROR] = {"WHAT IT SAYS", 0, 5, false},
};

static void cell_lsn(const struct model_node *n, lsn_t lsn, struct piece *p) {
    char text[LSN_TEXT_MAX];
    if (n->services & SERVICE_POSTGRES && lsn)
        piece_set(p, TONE_PLAIN, -1, "%s", lsn_format(text, lsn));
    else
        piece_set(p, TONE_DIM, -1, "-");
}

static void cell_age(const struct dash *d, size_t row, struct piece *p) {
    char age[SHORT_MAX];
    bool stale;
    (void)age_text(age, d, row, &stale);
    piece_set(p, stale ? TONE_WARN : TONE_DIM, -1, "%s", age);
}

static void cell_state(const struct dash *d, size_t row, struct piece *p) {
    char text[SHORT_MAX];
    const struct model_node *n = &d->model->nodes[row];
    if (n->services & SERVICE_POSTGRES) {
        enum lane lane = lane_of(d->model, n);
        piece_set(p, lane_tone(lane), -1, "%s",
                  lane == LANE_UNKNOWN && n->pg_answered ? d->model->kind->alone.primary
                                                         : lane_name(d->model->kind, lane));
    } else if (n->services & SERVICES_ARBITER)
        piece_set(p, TONE_PLAIN, -1, "%s", arbiter_lane_words(d->model->kind, arbiter_lane_of(n), text, sizeof text));
    else
        piece_set(p, TONE_DIM, -1, "%s", n->on ? "powered" : "off");
}

static void cell_since(const struct dash *d, size_t row, struct piece *p) {
    char text[SHORT_MAX];
    const segment_list *l =
        d->model->nodes[row].services & SERVICE_POSTGRES ? &d->history->lanes[row] : &d->history->arbiter_lanes[row];
    if (!l->n)
        piece_set(p, TONE_DIM, -1, "-");
    else
        piece_set(p, TONE_DIM, -1, "%s",
                  seconds_text(text, d->now > l->items[l->n - 1].from ? d->now - l->items[l->n - 1].from : 0));
}

static void node_cell(const void *arg, size_t row, int column, struct piece *p) {
    const struct dash *d = arg;
    const struct model *m = d->model;
    const struct model_node *n = &m->nodes[row];
    switch (column) {
    case COL_NODE:
        piece_set(p, TONE_STRONG, -1, "%s", n->name);
        break;
    case COL_ROLE:
        words_role(m, n, p);
        break;
    case COL_PG:
        words_postgres(m, n, p);
        break;
    case COL_STATE:
        cell_state(d, row, p);
        break;
    case COL_TL:
        piece_set(p, n->timeline ? TONE_PLAIN : TONE_DIM, -1, n->timeline ? "%" PRId64 : "-", n->timeline);
        break;
    case COL_LSN:
        cell_lsn(n, n->lsn ? n->lsn : n->replayed, p);
        break;
    case COL_REPLAYED:
        cell_lsn(n, n->replayed, p);
        break;
    case COL_LAG:
        words_lag(n, p);
        break;
    case COL_MANAGER:
        words_manager(n, p);
        break;
    case COL_HTTP:
        piece_set(p, TONE_DIM, -1, n->http ? "%d" : "-", n->http);
        break;
    case COL_ARBITER:
        words_arbiter(n, p);
        break;
    case COL_AGE:
        cell_age(d, row, p);
        break;
    case COL_SINCE:
        cell_since(d, row, p);
        break;
    case COL_ADDRESS:
        piece_set(p, TONE_DIM, -1, "%s", n->address);
        break;
    case COL_ERROR:
        piece_set(p, TONE_WARN, -1, "%s", n->pg_error);
        break;
    default:
        break;
    }
    bool stale;
    char age[SHORT_MAX];
    (void)age_text(age, d, row, &stale);
    if (stale && column != COL_AGE && column != COL_NODE) // what is shown may no longer be true
        p->tone = TONE_DIM;
}

static char *upper(const char *text, char buf[static SHORT_MAX]) {
    (void)str_copy(buf, SHORT_MAX, text);
    for (char *at = buf; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return buf;
}

struct titles {
    char manager[SHORT_MAX], arbiter[SHORT_MAX];
};

// The columns of manager and arbiter bear their names in the system; what the system does not have is no column.
static void columns_of(const struct ha_kind *kind, struct column ret[static ARRAY_SIZE(columns)], struct titles *t) {
    memcpy(ret, columns, sizeof columns);
    ret[COL_MANAGER].title = upper(kind->title, t->manager);
    if (*kind->arbiters)
        ret[COL_ARBITER].title = upper(kind->arbiters, t->arbiter);
    if (!(kind->has & HA_ARBITERS))
        ret[COL_ARBITER].rank = COLUMN_NEVER;
    if (!*kind->api)
        ret[COL_HTTP].rank = COLUMN_NEVER;
}

static size_t draw_nodes(struct canvas *c, struct rect area, const struct dash *d) {
    size_t n = d->model->n_nodes, visible = area.rows > 1 ? (size_t)area.rows - 1 : 0;
    size_t selected = d->node >= 0 && (size_t)d->node < n ? (size_t)d->node : 0;
    size_t first = visible && selected >= visible ? selected - visible + 1 : 0;
    if (!n) {
        (void)canvas_text(c, area, 0, 1, TONE_DIM, "no node is known yet: %s",
                          *d->model->progress ? d->model->progress : "the lab is being built");
        return 0;
    }
    struct column mine[ARRAY_SIZE(columns)];
    struct titles titles;
    columns_of(d->model->kind, mine, &titles);
    return table_draw(c, area, mine, (int)ARRAY_SIZE(mine), n, first, selected, node_cell, d);
}

// "data 3 s old": the worst of all nodes, for the heading.
static const char *staleness(const struct dash *d, char buf[static SHORT_MAX]) {
    char age[SHORT_MAX];
    bool stale;
    for (size_t i = 0; i < d->model->n_nodes; i++) {
        (void)age_text(age, d, i, &stale);
        if (stale) {
            (void)snprintf(buf, SHORT_MAX, "! %s: data %s old", d->model->nodes[i].name, age);
            return buf;
        }
    }
    return NULL;
}

static void cluster_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct cluster *v = view;
    if (v->details && d->node >= 0 && (size_t)d->node < d->model->n_nodes) {
        draw_node_details(c, area, d, (size_t)d->node);
        return;
    }
    bool roomy = area.rows >= 30;
    int story = roomy ? area.rows / 3 : 4; // rows that are kept for it
    draw_verdict(c, area, d);
    draw_lease(c, area, 1, d);
    int y = 2 + draw_watchdogs(c, area, 2, roomy ? 3 : 1, d);
    draw_writes(c, area, y++, d);
    y += draw_faults(c, area, y, roomy ? 5 : 2, d);
    y += draw_outage(c, area, y, 4, d);
    char old[SHORT_MAX];
    heading(c, area, y++, "Nodes", staleness(d, old));
    int room = area.rows - y - story - 1, need = (int)d->model->n_nodes + 1;
    int rows = need < room ? need : room > 3 ? room : 3;
    y += (int)draw_nodes(c, rect_rows(area, y, rows), d) + 1;
    if (y < area.rows)
        heading(c, area, y++, "What happened", "seconds since the lab began");
    draw_story(c, rect_rows(area, y, -1), d, 0, d->now);
}

static bool cluster_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)ret;
    struct cluster *v = view;
    int n = (int)d->model->n_nodes;
    enum nav nav = nav_of(key);
    if (nav == NAV_ENTER && n)
        v->details = !v->details;
    else if (nav == NAV_BACK && v->details)
        v->details = false;
    else if (nav == NAV_UP && d->node > 0)
        d->node--;
    else if (nav == NAV_DOWN && d->node + 1 < n)
        d->node++;
    else if (nav == NAV_HOME)
        d->node = 0;
    else if (nav == NAV_END && n)
        d->node = n - 1;
    else
        return nav == NAV_UP || nav == NAV_DOWN;
    return true;
}

const struct view_ops view_cluster = {
    .name = "cluster",
    .title = "Cluster",
    .letter = 'C',
    .open = cluster_open,
    .draw = cluster_draw,
    .key = cluster_key,
    .help = "Up Down  choose a node\n"
            "Enter    details of the node, Esc back\n"
            "Lease    runs out when the leader stops renewing it; then the others elect\n"
            "Outage   time since the last acknowledged write, and the phase of the recovery:\n"
            "         detect (key gone), elect (new key), promote (writable), reroute (client)\n"
            "AGE      how old the node's data is; dim and marked beyond 2 s\n",
    .close = free,
};
