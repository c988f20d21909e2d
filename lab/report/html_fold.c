// SPDX-License-Identifier: PostgreSQL
// The page's own fold: it keeps the past, where the model keeps the present. For every event: lanes (what each node was, from when to
// when), ticks of the application, tables (settings, steps, files) and ids of the final read; html_words.c adds the rows of the event list.
#include "lab/report/html_fold.h"

#include "lab/base/json.h"
#include "lab/model/watch.h"

struct html_page *html_page_new(void) {
    struct html_page *p = xcalloc(1, sizeof *p);
    p->model = model_new();
    p->story = story_new();
    return p;
}

void html_page_free(struct html_page *p) {
    if (!p)
        return;
    model_free(p->model);
    story_free(p->story);
    for (size_t i = 0; i < NODES_MAX; i++) {
        VEC_DONE(&p->lanes[i]);
        VEC_DONE(&p->arbiters[i]);
        idset_done(&p->found[i]);
    }
    idset_done(&p->ok);
    idset_done(&p->unknown);
    VEC_FOREACH (&p->rows, r)
        free(r->text);
    VEC_FOREACH (&p->files, f) {
        free(f->path);
        free(f->nodes);
        free(f->text);
    }
    VEC_DONE(&p->servers);
    VEC_DONE(&p->ticks);
    VEC_DONE(&p->rows);
    VEC_DONE(&p->noise);
    VEC_DONE(&p->settings);
    VEC_DONE(&p->steps);
    VEC_DONE(&p->links);
    VEC_DONE(&p->files);
    VEC_DONE(&p->acks);
    cJSON_Delete(p->plan);
    free(p->overrides);
    free(p);
}

int html_node(const struct html_page *p, const char *name) {
    for (size_t i = 0; i < p->model->n_nodes; i++)
        if (str_eq(p->model->nodes[i].name, name))
            return (int)i;
    return -1;
}

// ---- lanes
static void note_lanes(struct html_page *p, usec_t t) {
    for (size_t i = 0; i < p->model->n_nodes; i++) {
        const struct model_node *n = &p->model->nodes[i];
        if (n->services & SERVICES_ARBITER)
            segment_note(&p->arbiters[i], t, (enum lane)arbiter_lane_of(n));
        if ((n->services & SERVICE_POSTGRES) || !(n->services & SERVICES_ARBITER))
            segment_note(&p->lanes[i], t,
                         n->services & SERVICE_POSTGRES ? lane_of(p->model, n)
                         : n->on                        ? LANE_UNKNOWN
                                                        : LANE_OFF);
    }
}

void html_holes(struct html_page *p, const watch_hole_list *holes) {
    VEC_FOREACH (holes, h) {
        int node = h->source == WATCH_POSTGRES ? html_node(p, h->node) : -1;
        if (node >= 0)
            segment_carve(&p->lanes[node], h->from, h->to, LANE_UNWATCHED);
        for (size_t i = 0; h->source == WATCH_OBSERVER && i < p->model->n_nodes; i++) {
            segment_carve(&p->lanes[i], h->from, h->to, LANE_UNWATCHED);
            segment_carve(&p->arbiters[i], h->from, h->to, (enum lane)ARBITER_LANE_UNWATCHED);
        }
    }
}

void html_span_note(span_list *l, usec_t t, const char *who) {
    struct html_span *last = l->n ? &l->items[l->n - 1] : NULL;
    if (last && last->to == USEC_NEVER) {
        if (str_eq(last->who, who))
            return;
        last->to = t > last->from ? t : last->from;
    }
    if (!*who)
        return;
    struct html_span *s = VEC_ADD(l);
    s->from = t;
    s->to = USEC_NEVER;
    STR_COPY(s->who, who);
}

static void on_tick(struct html_page *p, const struct event *ev) {
    struct html_tick *k = VEC_ADD(&p->ticks);
    k->from = ev->u.CLIENT_TICK.from;
    k->length = event_tick_end(ev) - k->from;
    k->w_ok = ev->u.CLIENT_TICK.w_ok;
    int64_t buckets = (int64_t)(k->length / EVENT_BUCKET); // a merged one: each of them had some, or none had
    k->w_low = k->w_ok / buckets + (k->w_ok > 0 && k->w_ok < buckets);
    k->w_failed = ev->u.CLIENT_TICK.w_failed;
    k->w_unknown = ev->u.CLIENT_TICK.w_unknown;
    k->r_ok = ev->u.CLIENT_TICK.r_ok;
    k->r_failed = ev->u.CLIENT_TICK.r_failed;
    k->w_max_us = ev->u.CLIENT_TICK.w_max_us;
    k->r_max_us = ev->u.CLIENT_TICK.r_max_us;
}

// ---- tables
static void on_config(struct html_page *p, const struct event *ev) {
    struct html_setting *s = NULL;
    VEC_FOREACH (&p->settings, x)
        if (str_eq(x->key, ev->u.CONFIG.key) && str_eq(x->node, ev->u.CONFIG.node))
            s = x;
    if (!s) {
        s = VEC_ADD(&p->settings);
        STR_COPY(s->key, ev->u.CONFIG.key);
        STR_COPY(s->node, ev->u.CONFIG.node);
    } else if (!str_eq(s->value, ev->u.CONFIG.value))
        s->changes++;
    STR_COPY(s->value, ev->u.CONFIG.value);
}

static void on_step(struct html_page *p, const struct event *ev) {
    struct html_step *s = NULL;
    VEC_FOREACH (&p->steps, x)
        if (x->index == ev->u.STEP.index && str_eq(x->name, ev->u.STEP.name))
            s = x;
    if (!s)
        s = VEC_ADD(&p->steps);
    s->index = ev->u.STEP.index;
    s->t = ev->t;
    STR_COPY(s->name, ev->u.STEP.name);
    s->state = ev->u.STEP.state;
    STR_COPY(s->detail, ev->u.STEP.detail);
}

static void on_final_rows(struct html_page *p, const struct event *ev) {
    int i = html_node(p, ev->u.FINAL_ROWS.node);
    if (i >= 0)
        (void)idset_add_ranges(&p->found[i], ev->u.FINAL_ROWS.ranges);
}

static void on_final_read(struct html_page *p, const struct event *ev) {
    int i = html_node(p, ev->u.FINAL_READ.node);
    if (i >= 0)
        p->read_leader[i] = ev->u.FINAL_READ.ok && ev->u.FINAL_READ.leader;
}

static void keep_event(struct html_page *p, const struct event *ev) {
    switch (ev->kind) {
    case EVENT_RUN_BEGIN:
        p->begin = *ev;
        break;
    case EVENT_CLIENT_TICK:
        on_tick(p, ev);
        break;
    case EVENT_CLIENT_SERVER:
        html_span_note(&p->servers, ev->t, ev->u.CLIENT_SERVER.node);
        break;
    case EVENT_CONFIG:
        on_config(p, ev);
        break;
    case EVENT_STEP:
        on_step(p, ev);
        break;
    case EVENT_LINK:
        html_link_event(p, ev);
        break;
    case EVENT_NOISE:
        VEC_PUSH(&p->noise, ((struct html_noise){ev->t, ev->u.NOISE.late_p99_us}));
        break;
    case EVENT_FINAL_ROWS:
        on_final_rows(p, ev);
        break;
    case EVENT_FINAL_READ:
        on_final_read(p, ev);
        break;
    default: // the model and the words see the rest
        break;
    }
}

void html_page_event(struct html_page *p, const struct event *ev) {
    story_event(p->story, ev);
    if (ev->kind == EVENT_LAB_STATE && ev->u.LAB_STATE.state == LAB_STATE_STOPPING)
        p->closed = true;
    if (p->closed && ev->kind != EVENT_RUN_END && ev->kind != EVENT_FINAL_ROWS && ev->kind != EVENT_FINAL_READ)
        return;
    model_apply(p->model, ev);
    p->end = ev->t > p->end ? ev->t : p->end;
    keep_event(p, ev);
    if (ev->kind != EVENT_CLIENT_TICK && ev->kind != EVENT_NOISE && ev->kind != EVENT_LOG_LINE)
        note_lanes(p, ev->t);
    lanes_standstill(p->lanes, p->arbiters, p->model->n_nodes, ev);
    html_words(p, ev);
}

// ---- files
void html_page_plan(struct html_page *p, const char *json) {
    cJSON_Delete(p->plan);
    p->plan = cJSON_Parse(json);
}

void html_page_overrides(struct html_page *p, const char *lines) {
    free(p->overrides);
    p->overrides = xstrdup(lines + strspn(lines, "\n"));
}

void html_page_file(struct html_page *p, const char *node, const char *path, const char *text) {
    VEC_FOREACH (&p->files, f)
        if (*node && str_eq(f->path, path) && str_eq(f->text, text)) {
            char *nodes = xasprintf("%s, %s", f->nodes, node);
            free(f->nodes);
            f->nodes = nodes;
            return;
        }
    VEC_PUSH(&p->files, ((struct html_file){.path = xstrdup(path), .nodes = xstrdup(node), .text = xstrdup(text)}));
}
