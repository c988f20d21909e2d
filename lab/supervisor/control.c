// SPDX-License-Identifier: PostgreSQL
// The control socket's server. One SEQPACKET message = one request = one reply. Requests are a table; each fills a
// reply object or an error. A client that does not read its reply is dropped: nobody can hold the lab up.
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "lab/plan/selector.h"
#include "lab/record/thin.h"
#include "lab/supervisor/internal.h"

enum {
    REQUEST_MAX = 65536,
    CLIENTS_MAX = 64,
    WATCHERS_MAX = 48 /* they stay; the other places are for who asks and goes */
};

struct client {
    struct control *control;
    int fd;
    sd_event_source *source;
    bool watches; // its picture is that of the record: nothing of it is held back while it is here
};

struct control {
    struct lab *lab;
    int fd;
    sd_event_source *source;
    struct client *clients[CLIENTS_MAX];
};

struct reply {
    cJSON *body;
    int fds[NODE_NS_COUNT];
    size_t n_fds;
    bool watches;
};

// ---- requests ------------------------------------------------------------------------------------------------------

static int on_status(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    (void)request, (void)err;
    cJSON_Delete(reply->body);
    reply->body = lab_status(lab);
    return 0;
}

static int count_watchers(const struct control *control) {
    int n = 0;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        n += control->clients[i] && control->clients[i]->watches;
    return n;
}

static int on_watch(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    (void)request;
    if (count_watchers(lab->control) >= WATCHERS_MAX)
        return err_set(err, EAGAIN, "%d dashboards watch this lab already: end one of them first", WATCHERS_MAX);
    reply->watches = true;
    return 0;
}

static setting_list *keep_params(struct lab *lab, const cJSON *params) {
    struct hand_params *kept = xcalloc(1, sizeof *kept);
    const cJSON *p;
    cJSON_ArrayForEach (p, params) {
        if (!cJSON_IsString(p) || !p->string) // an array has no keys
            continue;
        struct setting *s = VEC_ADD(&kept->list);
        s->key = xstrdup(p->string);
        s->value = xstrdup(p->valuestring);
    }
    VEC_PUSH(&lab->hand_params, kept);
    return &kept->list;
}

static int unknown_mechanism(const char *name, struct err *err) {
    const char *near = vocabulary_nearest(fault_vocabulary(), name);
    return near ? err_set(err, EINVAL, "there is no fault or action '%s' (did you mean '%s'?)", name, near)
                : err_set(err, EINVAL, "there is no fault or action '%s' (`bascule faults` lists them)", name);
}

static int hand_fault(struct lab *lab, const char *mechanism, const setting_list *params,
                      const struct mechanism **ret_about, struct err *err) {
    const struct mechanism *about = vocabulary_find(fault_vocabulary(), mechanism);
    if (!about)
        return unknown_mechanism(mechanism, err);
    int r = mechanism_check_params(fault_vocabulary(), about->name, params, err);
    if (r >= 0)
        r = fault_check(about->name, lab->plan->topology, NULL, params, err);
    if (r >= 0)
        *ret_about = about;
    return r;
}

static int on_inject(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    if (lab->state != LAB_STATE_READY && lab->state != LAB_STATE_KEPT)
        return err_set(err, EAGAIN, "the lab is %s; wait until it is ready (`bascule status -w`)",
                       lab_state_name(lab->state));
    const char *target = json_str(request, "target", "");
    const struct mechanism *about = NULL;
    const setting_list *params = keep_params(lab, cJSON_GetObjectItemCaseSensitive(request, "params"));
    int r = hand_fault(lab, json_str(request, "fault", ""), params, &about, err);
    if (r < 0)
        return r;
    char nodes[NODES_MAX][NODE_NAME_MAX];
    size_t n = 0;
    if (!about->no_target) {
        struct selector sel;
        r = selector_parse(target, lab->plan->topology, &sel, err);
        if (r < 0)
            return r;
        r = engine_resolve(lab->engine, &sel, nodes, err);
        if (r < 0)
            return r;
        n = (size_t)r;
    }
    char id[EVENT_NAME_MAX], args[EVENT_TEXT_MAX];
    (void)snprintf(id, sizeof id, "hand-%d", ++lab->hand_injections);
    (void)snprintf(args, sizeof args, "%s %s", about->name, target);
    lab_tell_command(lab, "inject", args, "command");
    (void)cJSON_AddStringToObject(reply->body, "id", id);
    (void)cJSON_AddBoolToObject(reply->body, "action", about->action);
    if (about->action) {
        lab_action(lab, id, about->name, nodes, n, params);
        return 0;
    }
    return injector_inject(lab->injector, id, about->name, target, nodes, n, params, err);
}

static int on_heal(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    (void)reply;
    if (!lab->injector)
        return err_set(err, EAGAIN, "the lab is still being built");
    const char *id = json_str(request, "id", NULL);
    lab_tell_command(lab, "heal", id ? id : "all", "command");
    return injector_heal(lab->injector, id, err);
}

// A person goes into a machine: what happens there next may be that person's doing, and the story must be able to say so.
static void tell_entering(struct lab *lab, const char *node, const char *verb, const char *words) {
    char args[EVENT_TEXT_MAX];
    (void)snprintf(args, sizeof args, "%s%s%s", node, *words ? " " : "", words);
    if (str_eq(verb, "shell") || str_eq(verb, "exec") || str_eq(verb, "psql"))
        lab_tell_command(lab, verb, args, "command");
}

static int on_enter(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    const char *name = json_str(request, "node", "");
    struct node *n = lab_node(lab, name);
    if (!n) {
        const char *words[NODES_MAX + 1] = {0};
        for (size_t i = 0; i < lab->plan->topology->nodes.n; i++)
            words[i] = lab->plan->topology->nodes.items[i].name;
        const char *near = str_nearest(name, words);
        return near ? err_set(err, ENOENT, "there is no node '%s' (did you mean '%s'?)", name, near)
                    : err_set(err, ENOENT, "there is no node '%s' (see `bascule status`)", name);
    }
    if (!node_is_on(n))
        return err_set(err, EHOSTDOWN, "%s is powered off (`bascule heal --all` or `bascule inject node.power_on %s`)",
                       name, name);
    for (int i = 0; i < NODE_NS_COUNT; i++)
        reply->fds[i] = node_ns(n, (enum node_ns)i);
    reply->n_fds = NODE_NS_COUNT - (node_ns(n, NODE_NS_TIME) < 0); // the last one
    tell_entering(lab, name, json_str(request, "verb", ""), json_str(request, "words", ""));
    return 0;
}

static int on_detach(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    (void)request, (void)reply, (void)err;
    (void)prctl(PR_SET_PDEATHSIG, 0);
    lab->detached = true;
    return 0;
}

static int on_abort(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    (void)reply, (void)err;
    const char *detail = json_str(request, "detail", "interrupted by the user");
    lab_tell_command(lab, "abort", detail, "command");
    if (lab->state != LAB_STATE_READY || !lab->o->lab->scenario) { // nothing is injected yet, or nobody runs a scenario
        lab_finish(lab, END_REASON_INTERRUPTED, detail);
        return 0;
    }
    effect_list effects = {0};
    engine_abort(lab->engine, sink_now(&lab->sink), END_REASON_INTERRUPTED, detail, &effects);
    lab_carry_out(lab, &effects);
    VEC_DONE(&effects);
    return 0;
}

static int on_down(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    (void)request, (void)reply, (void)err;
    lab_tell_command(lab, "down", "", "command");
    lab->leaving = true;
    if (lab->run_ended)
        lab_quit(lab, SUPERVISOR_EXIT_OK);
    else
        lab_finish(lab, lab->o->lab->scenario ? END_REASON_INTERRUPTED : END_REASON_COMPLETED, "bascule down");
    return 0;
}

static int on_hold(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    char words[1024];
    int r = lab_step_by_hand(lab, json_str(request, "cmd", ""), words, sizeof words, err);
    if (r >= 0)
        (void)cJSON_AddStringToObject(reply->body, "words", words);
    return r;
}

static const struct {
    const char *name;
    int (*serve)(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err);
} requests[] = {{"status", on_status}, {"inject", on_inject}, {"heal", on_heal},  {"enter", on_enter},
                {"detach", on_detach}, {"abort", on_abort},   {"down", on_down},  {"hold", on_hold},
                {"next", on_hold},     {"go", on_hold},       {"watch", on_watch}};

static int serve(struct lab *lab, const cJSON *request, struct reply *reply, struct err *err) {
    const char *name = json_str(request, "cmd", "");
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        if (str_eq(requests[i].name, name))
            return requests[i].serve(lab, request, reply, err);
    return err_set(err, EINVAL, "unknown request '%s': this lab was started by another version of bascule", name);
}

// ---- the wire ------------------------------------------------------------------------------------------------------

static void tell_thinner(const struct control *control) {
    thin_watched(control->lab->thinner, count_watchers(control) > 0);
}

static void drop_client(struct client *c) {
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (c->control->clients[i] == c)
            c->control->clients[i] = NULL;
    if (c->watches)
        tell_thinner(c->control);
    sd_event_source_disable_unref(c->source);
    (void)close(c->fd);
    free(c);
}

static bool send_reply(int fd, struct reply *reply) {
    char *text = cJSON_PrintUnformatted(reply->body);
    if (!text)
        return false;
    struct iovec iov = {.iov_base = text, .iov_len = strlen(text)};
    union {
        char buf[CMSG_SPACE(sizeof(int) * NODE_NS_COUNT)];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (reply->n_fds) {
        msg.msg_control = control.buf;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * reply->n_fds);
        struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int) * reply->n_fds);
        memcpy(CMSG_DATA(h), reply->fds, sizeof(int) * reply->n_fds);
    }
    bool ok = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    cJSON_free(text);
    return ok;
}

static bool answer(struct client *c, const char *text, size_t len) {
    cleanup_json cJSON *request = cJSON_ParseWithLength(text, len);
    struct reply reply = {.body = cJSON_CreateObject()};
    struct err err = {0};
    int r = request ? serve(c->control->lab, request, &reply, &err) : err_set(&err, EINVAL, "the request is not JSON");
    (void)cJSON_AddBoolToObject(reply.body, "ok", r >= 0);
    if (r < 0) {
        (void)cJSON_AddStringToObject(reply.body, "error", err.msg);
        reply.n_fds = 0;
    }
    bool sent = send_reply(c->fd, &reply);
    cJSON_Delete(reply.body);
    if (reply.watches && !c->watches) {
        c->watches = true;
        tell_thinner(c->control);
    }
    return sent;
}

static int on_client(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s;
    static char text[REQUEST_MAX];
    struct client *c = arg;
    // Who has gone without an answer was told that there is none, and may have acted on that: it is too late to do what was asked.
    if (revents & (EPOLLHUP | EPOLLERR)) {
        drop_client(c);
        return 0;
    }
    ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0 || !answer(c, text, (size_t)n))
        drop_client(c);
    return 0;
}

// Only the lab's owner: his uid is the one this user namespace maps, so it shows as our own; anybody else's as the
// overflow uid.
static bool is_owner(int fd) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == getuid();
}

static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s, (void)revents;
    static const char too_many[] = "{\"ok\":false,\"error\":\"too many commands ask this lab at the same time\"}";
    struct control *control = arg;
    cleanup_close int new_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (new_fd < 0 || !is_owner(new_fd))
        return 0;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (control->clients[i])
            continue;
        struct client *c = xcalloc(1, sizeof *c);
        c->control = control;
        c->fd = STEAL_FD(new_fd);
        if (sd_event_add_io(control->lab->loop, &c->source, c->fd, EPOLLIN, on_client, c) < 0) {
            (void)close(c->fd);
            free(c);
            return 0;
        }
        control->clients[i] = c;
        return 0;
    }
    (void)send(new_fd, too_many, sizeof too_many - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return 0;
}

int control_new(struct lab *lab, int fd, struct control **ret, struct err *err) {
    struct control *c = xcalloc(1, sizeof *c);
    c->lab = lab;
    c->fd = fd;
    int r = sd_event_add_io(lab->loop, &c->source, fd, EPOLLIN, on_accept, c);
    if (r < 0) {
        free(c);
        return err_sys(err, -r, "control socket");
    }
    *ret = c;
    return 0;
}
