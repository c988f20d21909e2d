// SPDX-License-Identifier: PostgreSQL
// Who can reach whom: intended (no fault forbids it) against measured (a probe got through just now). A row is a sender, a column a
// receiver.
#include "dashboard/views/parts.h"

enum verdict_of_link { LINK_NONE, LINK_OPEN, LINK_CUT, LINK_LEAKS, LINK_LOST, LINK_UNMEASURED };

struct network {
    size_t path; // which service path is shown; 0 = the first
    struct scroll list;
};

static void *network_open(void) {
    return xcalloc(1, sizeof(struct network));
}

enum { PATHS_MAX = 16 };
static size_t list_paths(const struct history *h, enum link_path paths[static PATHS_MAX]) {
    size_t n = 0;
    VEC_FOREACH (&h->links, l) {
        size_t i = 0;
        while (i < n && paths[i] != l->path)
            i++;
        if (i == n && n < PATHS_MAX)
            paths[n++] = l->path;
    }
    return n;
}

static const struct link_entry *find_link(const struct history *h, enum link_path path, const char *from,
                                          const char *to) {
    VEC_FOREACH (&h->links, l)
        if (str_eq(l->from, from) && str_eq(l->to, to) && l->path == path)
            return l;
    return NULL;
}

static enum verdict_of_link judge(const struct link_entry *l) {
    if (!l)
        return LINK_NONE;
    if (!l->known)
        return LINK_UNMEASURED;
    if (l->intended)
        return l->measured ? LINK_OPEN : LINK_LOST;
    return l->measured ? LINK_LEAKS : LINK_CUT;
}

static const struct {
    int sign;
    enum tone tone;
    const char *word, *meaning;
} verdicts[] = {
    [LINK_NONE] = {SIGN_OFF, TONE_DIM, "", "not watched"},
    [LINK_OPEN] = {SIGN_GOOD, TONE_GOOD, "open", "open: a probe got through"},
    [LINK_CUT] = {SIGN_FAULT, TONE_FAULT, "CUT", "cut by a fault, and nothing gets through"},
    [LINK_LEAKS] = {SIGN_WARN, TONE_BAD, "LEAK", "a fault forbids it, yet a probe got through"},
    [LINK_LOST] = {SIGN_BAD, TONE_BAD, "LOST", "no fault forbids it, yet nothing gets through"},
    [LINK_UNMEASURED] = {SIGN_UNKNOWN, TONE_WARN, "?", "not measured yet"},
};

// A node stands in the matrix when any link of the path names it.
static size_t list_nodes(const struct dash *d, enum link_path path, size_t nodes[static NODES_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < d->model->n_nodes; i++)
        VEC_FOREACH (&d->history->links, l)
            if (l->path == path &&
                (str_eq(l->from, d->model->nodes[i].name) || str_eq(l->to, d->model->nodes[i].name))) {
                nodes[n++] = i;
                break;
            }
    return n;
}

static int draw_matrix(struct canvas *c, struct rect area, int y, const struct dash *d, enum link_path path) {
    size_t nodes[NODES_MAX], n = list_nodes(d, path, nodes);
    int left = 12, width = n ? (area.cols - left - 1) / (int)n : 0;
    width = width > 8 ? 8 : width;
    (void)canvas_text(c, area, y, 1, TONE_DIM, "from \\ to");
    for (size_t j = 0; j < n; j++)
        (void)canvas_field(c, area, y, left + (int)j * width, width - 1, TONE_STRONG, d->model->nodes[nodes[j]].name);
    y++;
    for (size_t i = 0; i < n; i++, y++) {
        const struct model_node *from = &d->model->nodes[nodes[i]];
        (void)canvas_field(c, area, y, 1, 6, TONE_STRONG, from->name);
        if (!from->on)
            (void)canvas_text(c, area, y, 8, TONE_BAD, "off");
        for (size_t j = 0; j < n; j++) {
            int x = left + (int)j * width;
            if (i == j) {
                (void)canvas_text(c, area, y, x, TONE_DIM, "\\");
                continue;
            }
            enum verdict_of_link v = judge(find_link(d->history, path, from->name, d->model->nodes[nodes[j]].name));
            (void)canvas_sign(c, area, y, x, verdicts[v].tone, (enum sign)verdicts[v].sign);
            if (width >= 6)
                (void)canvas_field(c, area, y, x + 2, width - 3, verdicts[v].tone, verdicts[v].word);
        }
    }
    return y;
}

static int draw_legend(struct canvas *c, struct rect area, int y) {
    for (size_t v = LINK_OPEN; v <= LINK_UNMEASURED; v++, y++) {
        int x = canvas_sign(c, area, y, 1, verdicts[v].tone, (enum sign)verdicts[v].sign);
        x = canvas_field(c, area, y, x + 1, 5, verdicts[v].tone, verdicts[v].word);
        (void)canvas_text(c, area, y, x, TONE_DIM, "%s", verdicts[v].meaning);
    }
    return y;
}

static int draw_paths(struct canvas *c, struct rect area, const enum link_path *paths, size_t n, size_t shown) {
    int x = canvas_text(c, area, 0, 1, TONE_STRONG, "Path  ");
    for (size_t i = 0; i < n; i++) {
        const char *name = paths[i] ? link_path_name(paths[i]) : "all";
        x = canvas_text(c, area, 0, x, i == shown ? TONE_SELECTED : TONE_PLAIN, i == shown ? "[%s]" : " %s ", name);
    }
    return 2;
}

static void draw_nothing(struct canvas *c, struct rect area, const struct dash *d) {
    (void)canvas_text(c, area, 0, 1, TONE_STRONG, "Network");
    int y = paragraph(c, area, 2, 1, TONE_DIM,
                      "This log holds no measurements of connectivity: no probe has reported yet, or an older bascule "
                      "recorded the run. Faults that "
                      "touch the network are listed here all the same.");
    (void)draw_faults(c, area, y + 1, area.rows - y - 2, d);
}

static void draw_odd(struct canvas *c, struct rect area, int y, const struct dash *d, enum link_path path) {
    if (y + 1 >= area.rows)
        return;
    heading(c, area, y++, "What is not open", NULL);
    size_t shown = 0;
    VEC_FOREACH (&d->history->links, l) {
        enum verdict_of_link v = judge(l);
        char since[SHORT_MAX];
        if (v == LINK_OPEN || l->path != path || y >= area.rows)
            continue;
        int x = canvas_sign(c, area, y, 1, verdicts[v].tone, (enum sign)verdicts[v].sign);
        (void)canvas_text(c, area, y++, x + 1, verdicts[v].tone, "%s -> %s: %s (told %s ago)", l->from, l->to,
                          verdicts[v].meaning, seconds_text(since, d->now > l->t ? d->now - l->t : 0));
        shown++;
    }
    if (!shown)
        (void)canvas_text(c, area, y, 1, TONE_GOOD, "nothing: everybody reaches everybody");
}

static void network_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct network *v = view;
    enum link_path paths[PATHS_MAX];
    size_t n = list_paths(d->history, paths);
    if (!n) {
        draw_nothing(c, area, d);
        return;
    }
    v->path = v->path < n ? v->path : 0;
    int y = draw_paths(c, area, paths, n, v->path);
    int end = draw_matrix(c, area, y, d, paths[v->path]) + 1;
    if (area.cols >= 120) { // beside the matrix
        (void)draw_legend(c, rect_cols(area, 84, -1), 2);
    } else if (end + 5 <= area.rows) {
        end = draw_legend(c, area, end) + 1;
    }
    draw_odd(c, area, end, d, paths[v->path]);
}

static bool network_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)ret;
    struct network *v = view;
    enum link_path paths[PATHS_MAX];
    size_t n = list_paths(d->history, paths);
    enum nav nav = nav_of(key);
    if (nav == NAV_LEFT && n)
        v->path = (v->path + n - 1) % n;
    else if (nav == NAV_RIGHT && n)
        v->path = (v->path + 1) % n;
    else
        return false;
    return true;
}

const struct view_ops view_network = {
    .name = "network",
    .title = "Network",
    .tab = "Net",
    .letter = 'W',
    .open = network_open,
    .draw = network_draw,
    .key = network_key,
    .help = "Left Right  another service path (sql, rest, etcd, replication, all)\n"
            "row -> column: can the node of the row reach the node of the column?\n"
            "CUT   a fault forbids it and nothing gets through\n"
            "LOST  nothing gets through although no fault forbids it\n"
            "LEAK  a fault forbids it, yet a probe got through\n",
    .close = free,
};
