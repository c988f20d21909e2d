// SPDX-License-Identifier: PostgreSQL
// HAProxy's view of its servers: what it believes decides where the application lands.
#include "lab/story/internal.h"

enum { PROXIES_MOST = 256 };

static struct proxy_told *find(struct story *s, const struct event *ev, bool *ret_new) {
    VEC_FOREACH (&s->proxies, p)
        if (str_eq(p->server, ev->u.PROXY.server) && str_eq(p->backend, ev->u.PROXY.backend) &&
            str_eq(p->node, ev->u.PROXY.node))
            return p;
    if (s->proxies.n == PROXIES_MOST)
        return NULL;
    struct proxy_told *p = VEC_ADD(&s->proxies);
    STR_COPY(p->node, ev->u.PROXY.node);
    STR_COPY(p->backend, ev->u.PROXY.backend);
    STR_COPY(p->server, ev->u.PROXY.server);
    *ret_new = true;
    return p;
}

// "UP", "UP 1/3", "DOWN", "DOWN 1/2", "no check": while a check counts up or down the server still is what it was.
void tell_proxy(struct story *s, const struct event *ev) {
    bool anew = false, up = str_starts(ev->u.PROXY.state, "UP");
    struct proxy_told *p = find(s, ev, &anew);
    if (!p || (!anew && p->up == up))
        return;
    p->up = up;
    if (!anew || up)
        (void)tell(s, ev->t, MOMENT_PROXY, anew || !s->ready ? TOLD_DETAIL : TOLD_EVENT, up ? MOOD_NEUTRAL : MOOD_WARN,
                   ev->u.PROXY.node, "HAProxy on %s %s %s for %s", ev->u.PROXY.node,
                   up ? "sends to" : "no longer sends to", ev->u.PROXY.server, ev->u.PROXY.backend);
}
