// SPDX-License-Identifier: PostgreSQL
// The menu has three pages: mechanism, target, parameters. Each key changes the page, its cursor or a value; Enter on the last page
// turns what was chosen into a request, as `bascule inject` takes it. The lists are made anew for every key and every frame, because
// nodes come and go while the menu is open.
#include <curses.h>

#include "dashboard/menu.h"

#include <stdio.h>

#include "dashboard/keys.h"
#include "dashboard/prompt.h"
#include "lab/plan/plan.h"

// One line of a list: a name, and what it means.
struct choice {
    const char *name, *about;
    const struct mechanism *mechanism;
};
typedef VEC(struct choice) choice_list;

static const enum selector_kind roles[] = {
    SELECTOR_LEADER,           SELECTOR_REPLICA,    SELECTOR_ANY_REPLICA,    SELECTOR_SYNC_STANDBY,
    SELECTOR_ASYNC_STANDBY,    SELECTOR_NOT_LEADER, SELECTOR_ARBITER_LEADER, SELECTOR_ARBITER_FOLLOWER,
    SELECTOR_ARBITER_MAJORITY, SELECTOR_APP,        SELECTOR_PROXY,          SELECTOR_ALL,
};

static bool matches(const struct menu *m, const char *name, const char *about) {
    return !m->search[0] || strcasestr(name, m->search) || strcasestr(about, m->search);
}

static void add_choice(const struct menu *m, choice_list *l, const char *name, const char *about,
                       const struct mechanism *mechanism) {
    if (matches(m, name, about))
        VEC_PUSH(l, ((struct choice){name, about, mechanism}));
}

static void list_choices(const struct menu *m, const struct dash *d, choice_list *l) {
    if (m->page == MENU_MECHANISM)
        for (size_t i = 0; i < m->vocabulary->n; i++)
            add_choice(m, l, m->vocabulary->mechanisms[i].name, m->vocabulary->mechanisms[i].summary,
                       &m->vocabulary->mechanisms[i]);
    if (m->page != MENU_TARGET)
        return;
    for (size_t i = 0; i < d->model->n_nodes; i++) {
        const struct model_node *n = &d->model->nodes[i];
        add_choice(m, l, n->name,
                   str_eq(n->name, d->model->leader) ? "node; leads now"
                   : n->on                           ? "node"
                                                     : "node; powered off",
                   NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        add_choice(m, l, selector_kind_name(roles[i]), selector_words(roles[i])->about, NULL);
}

// ---- pages ----------------------------------------------------------------------------------------------------------

static int params_count(const struct mechanism *about) {
    int n = 0;
    while (about->params && about->params[n].name && n < MENU_PARAMS_MAX)
        n++;
    return n;
}

static void turn_to(struct menu *m, enum menu_page page) {
    m->page = page;
    m->cursor = m->top = 0;
    m->search[0] = '\0';
}

static void open_params(struct menu *m) {
    turn_to(m, MENU_PARAMS);
    m->cursor = params_count(m->chosen); // on the button: Enter takes the defaults
    for (int i = 0; i < params_count(m->chosen); i++) {
        const struct mechanism_param *p = &m->chosen->params[i];
        STR_COPY(m->values[i], p->fallback ? p->fallback : "");
        if (!p->fallback && m->cursor == params_count(m->chosen))
            m->cursor = i;
    }
}

void menu_open(struct menu *m, const struct vocabulary *v) {
    *m = (struct menu){.vocabulary = v};
    turn_to(m, MENU_MECHANISM);
}

static void choose(struct menu *m, const struct choice *c) {
    if (m->page == MENU_MECHANISM) {
        m->chosen = c->mechanism;
        m->target[0] = '\0';
        if (m->chosen->no_target)
            open_params(m);
        else
            turn_to(m, MENU_TARGET);
    } else {
        STR_COPY(m->target, c->name);
        open_params(m);
    }
}

static void back(struct menu *m) {
    if (m->page == MENU_PARAMS && !m->chosen->no_target)
        turn_to(m, MENU_TARGET);
    else
        turn_to(m, m->page == MENU_MECHANISM ? MENU_CLOSED : MENU_MECHANISM);
}

// Parameters as `bascule inject` takes them; those left at their default are not said. False: something is missing.
static bool make_request(const struct menu *m, struct dash *d, struct request *ret) {
    cleanup_strbuf struct strbuf params = {0};
    for (int i = 0; i < params_count(m->chosen); i++) {
        const struct mechanism_param *p = &m->chosen->params[i];
        const char *value = m->values[i];
        if (!p->fallback && !value[0]) {
            (void)snprintf(d->message, sizeof d->message, "'%s' must be given: %s", p->name,
                           p->help ? p->help : p->kind);
            return false;
        }
        if (strchr(value, ' ')) {
            (void)snprintf(d->message, sizeof d->message,
                           "'%s': a value without spaces, please (`bascule inject` takes any)", p->name);
            return false;
        }
        if (value[0] && (!p->fallback || !str_eq(value, p->fallback)))
            strbuf_addf(&params, "%s%s=%s", params.len ? " " : "", p->name, value);
    }
    *ret = (struct request){.kind = REQUEST_INJECT};
    STR_COPY(ret->fault, m->chosen->name);
    STR_COPY(ret->target, m->target);
    if (STR_COPY(ret->params, strbuf_str(&params)))
        return true;
    STR_COPY(d->message, "these parameters are too long for the menu; `bascule inject` takes them");
    ret->kind = REQUEST_NONE;
    return false;
}

// ---- keys -----------------------------------------------------------------------------------------------------------

static bool move_cursor(struct menu *m, int key, bool function, int n) {
    int page = 10, to = m->cursor;
    if (!function)
        return false;
    switch (key) {
    case KEY_UP:
        to--;
        break;
    case KEY_DOWN:
        to++;
        break;
    case KEY_PPAGE:
        to -= page;
        break;
    case KEY_NPAGE:
        to += page;
        break;
    case KEY_HOME:
        to = 0;
        break;
    case KEY_END:
        to = n - 1;
        break;
    default:
        return false;
    }
    m->cursor = to >= n ? n - 1 : to;
    m->cursor = m->cursor < 0 ? 0 : m->cursor;
    return true;
}

// The word after (or before) the present one among "A|B|C".
static void turn_word(const char *words, char *value, int direction) {
    char list[24][MENU_VALUE_MAX];
    int n = 0, at = 0;
    for (const char *p = words; *p && n < (int)ARRAY_SIZE(list); n++) {
        size_t len = strcspn(p, "|");
        cleanup_free char *word = xstrndup(p, len);
        STR_COPY(list[n], word);
        if (str_eq(list[n], value))
            at = n;
        p += len + (p[len] == '|');
    }
    if (n > 0)
        (void)str_copy(value, MENU_VALUE_MAX, list[(at + direction + n) % n]);
}

static void params_key(struct menu *m, struct dash *d, int key, bool function, struct request *ret) {
    int n = params_count(m->chosen);
    bool enter = function ? key == KEY_ENTER : key == '\r' || key == '\n';
    if (!function && key == '\t')
        m->cursor = (m->cursor + 1) % (n + 1);
    else if (move_cursor(m, key, function, n + 1))
        return;
    else if (enter && m->cursor < n)
        m->cursor++;
    else if (enter && make_request(m, d, ret))
        turn_to(m, MENU_CLOSED);
    else if (m->cursor < n) {
        const char *words = m->chosen->params[m->cursor].words;
        if (words && ((function && (key == KEY_LEFT || key == KEY_RIGHT)) || (!function && key == ' ')))
            turn_word(words, m->values[m->cursor], function && key == KEY_LEFT ? -1 : 1);
        else
            (void)line_edit(m->values[m->cursor], MENU_VALUE_MAX, key, function);
    }
}

static void list_key(struct menu *m, struct dash *d, int key, bool function) {
    choice_list l = {0};
    list_choices(m, d, &l);
    bool enter = function ? key == KEY_ENTER : key == '\r' || key == '\n';
    if (enter) {
        if ((size_t)m->cursor < l.n)
            choose(m, &l.items[m->cursor]);
    } else if (!move_cursor(m, key, function, (int)l.n) && line_edit(m->search, sizeof m->search, key, function))
        m->cursor = 0;
    VEC_DONE(&l);
}

void menu_key(struct menu *m, struct dash *d, int key, bool function, struct request *ret) {
    if (!function && key == KEY_ESCAPE)
        back(m);
    else if (m->page == MENU_PARAMS)
        params_key(m, d, key, function, ret);
    else
        list_key(m, d, key, function);
}

// ---- the picture ----------------------------------------------------------------------------------------------------

static void draw_list(struct menu *m, const struct dash *d, struct canvas *c, struct rect area) {
    choice_list l = {0};
    list_choices(m, d, &l);
    m->cursor = m->cursor >= (int)l.n ? (int)l.n - 1 : m->cursor;
    m->cursor = m->cursor < 0 ? 0 : m->cursor;
    if (m->cursor < m->top)
        m->top = m->cursor;
    if (m->cursor >= m->top + area.rows)
        m->top = m->cursor - area.rows + 1;
    int width = area.cols < 60 ? 18 : 26;
    for (int y = 0; l.items && y < area.rows && (size_t)(m->top + y) < l.n; y++) {
        const struct choice *ch = &l.items[m->top + y];
        (void)canvas_field(c, area, y, 1, width, TONE_STRONG, ch->name);
        (void)canvas_field(c, area, y, width + 2, area.cols - width - 3, TONE_PLAIN, ch->about ? ch->about : "");
        if (m->top + y == m->cursor)
            canvas_retone(c, area, y, 0, area.cols, TONE_SELECTED);
    }
    if (l.n == 0)
        (void)canvas_text(c, area, 0, 1, TONE_WARN, "nothing matches '%s' (Backspace)", m->search);
    VEC_DONE(&l);
}

static void draw_params(struct menu *m, struct canvas *c, struct rect area) {
    int n = params_count(m->chosen), width = 18;
    if (m->cursor < m->top)
        m->top = m->cursor;
    if (m->cursor >= m->top + area.rows)
        m->top = m->cursor - area.rows + 1;
    for (int y = 0; y < area.rows && m->top + y <= n; y++) {
        int i = m->top + y;
        if (i == n) {
            (void)canvas_text(c, area, y, 1, TONE_STRONG, "[ inject %s%s%s ]", m->chosen->name,
                              m->target[0] ? " on " : "", m->target);
        } else {
            const struct mechanism_param *p = &m->chosen->params[i];
            (void)canvas_field(c, area, y, 1, width, TONE_STRONG, p->name);
            (void)canvas_text(c, area, y, width + 2, TONE_KEY, "%s%s", m->values[i], m->cursor == i ? "_" : "");
            (void)canvas_text(c, area, y, width + 24, TONE_DIM, "%s%s%s%s", p->fallback ? "" : "(required) ",
                              p->words ? p->words : p->kind, p->help ? ": " : "", p->help ? p->help : "");
        }
        if (i == m->cursor)
            canvas_retone(c, area, y, 0, area.cols, TONE_SELECTED);
    }
}

void menu_draw(struct menu *m, const struct dash *d, struct canvas *c, struct rect area) {
    canvas_fill(c, area, ' ', TONE_PLAIN);
    struct rect list = {area.y + 2, area.x, area.rows - 3, area.cols};
    int x = canvas_text(c, area, 0, 1, TONE_FAULT, "Inject");
    if (m->page != MENU_MECHANISM)
        x = canvas_text(c, area, 0, x + 1, TONE_STRONG, "%s%s%s", m->chosen->name, m->target[0] ? " on " : "",
                        m->target);
    if (m->page == MENU_TARGET)
        (void)canvas_text(c, area, 0, x + 1, TONE_PLAIN, "on which node or role?");
    if (m->search[0])
        (void)canvas_text(c, area, 0, x + 2, TONE_KEY, "/%s", m->search);
    canvas_hline(c, area, 1, 0, area.cols, TONE_DIM);
    if (m->page == MENU_PARAMS)
        draw_params(m, c, list);
    else
        draw_list(m, d, c, list);
    const char *how = m->page == MENU_PARAMS ? "type a value; Space or arrows: the next word; Enter: on; Esc: back"
                                             : "Up/Down, letters narrow the list, Enter chooses, Esc goes back";
    (void)canvas_text(c, area, area.rows - 1, 1, TONE_DIM, "%s", how);
}
