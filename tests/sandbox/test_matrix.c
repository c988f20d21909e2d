// SPDX-License-Identifier: PostgreSQL
// The connectivity matrix, against listeners that are never asked to accept.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "lab/base/fs.h"
#include "lab/node/places.h"
#include "lab/reach/matrix.h"
#include "lab/reach/probe_socket.h"
#include "tests/sandbox/fault_fixture.h"

// n1, n2 postgres and etcd, n3 etcd, app: sql 2, replication 2, rest 2, etcd_client 4, etcd_peer 6.
enum { PAIRS = 16, LISTENERS_MAX = 16 };

struct world {
    struct fixture *x;
    struct matrix *m;
    int listeners[LISTENERS_MAX];
    size_t n_listeners;
};

static void on_event(void *arg, const struct event *ev) {
    struct world *w = arg;
    VEC_PUSH(&w->x->events, *ev);
    if (w->m)
        matrix_on_event(w->m, ev); // as the supervisor does
}

static int listen_on(struct world *w, int node, uint16_t port, int backlog) {
    struct err err = {0};
    int fd = probe_socket(w->x->world.nodes[node], AF_INET, SOCK_STREAM, &err);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    if (fd < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    assert_int_equal(0, bind(fd, (struct sockaddr *)&a, sizeof a));
    assert_int_equal(0, listen(fd, backlog));
    w->listeners[w->n_listeners++] = fd;
    return fd;
}

static void listen_everywhere(struct world *w) {
    for (int node = N1; node <= N3; node++) {
        (void)listen_on(w, node, STACK_ETCD_PORT, 8);
        (void)listen_on(w, node, STACK_ETCD_PEER_PORT, 8);
    }
    for (int node = N1; node <= N2; node++) {
        (void)listen_on(w, node, STACK_PGPORT, 8);
        (void)listen_on(w, node, STACK_PATRONI_PORT, 5); // Patroni's own backlog
    }
}

static void begin(struct world *w) {
    struct err err = {0};
    struct reach reach = injector_reach(w->x->in);
    if (matrix_new(&reach, &w->m, &err) < 0)
        fail_msg("%s", err.msg);
}

static int setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    w->x = fixture_new();
    w->x->sink.emit = on_event;
    w->x->sink.arg = w;
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    matrix_free(w->m);
    for (size_t i = 0; i < w->n_listeners; i++)
        (void)close(w->listeners[i]);
    fixture_free(w->x);
    free(w);
    return 0;
}

// ---- what is expected

static bool between(const struct matrix_link *l, int a, int b) {
    return (l->from == a && l->to == b) || (l->from == b && l->to == a);
}
static bool touches(const struct matrix_link *l, int node, int unused) {
    (void)unused;
    return l->from == node || l->to == node;
}
static bool none(const struct matrix_link *l, int a, int b) {
    (void)l, (void)a, (void)b;
    return false;
}

// Exactly these pairs look so, and all others are open as intended.
struct picture {
    bool (*these)(const struct matrix_link *l, int a, int b);
    int a, b;
    bool intended, measured;
};

static bool looks(const struct matrix *m, const struct picture *p) {
    const struct matrix_link *l;
    for (size_t i = 0; (l = matrix_link(m, i)); i++) {
        bool one = p->these(l, p->a, p->b);
        if (!l->known || l->intended != (one ? p->intended : true) || l->measured != (one ? p->measured : true))
            return false;
    }
    return true;
}

static void print(const struct world *w) {
    const struct matrix_link *l;
    for (size_t i = 0; (l = matrix_link(w->m, i)); i++)
        print_message("    %s -> %s %s: known %d intended %d measured %d refused %d rtt %d us\n",
                      w->x->topology.nodes.items[l->from].name, w->x->topology.nodes.items[l->to].name,
                      net_path_name(l->path), l->known, l->intended, l->measured, l->refused, (int)l->rtt);
}

// The matrix becomes so within that time of `since`, and is still so two rounds later.
static usec_t must_look(struct world *w, const struct picture *p, usec_t since, usec_t within) {
    while (!looks(w->m, p) && usec_now() - since < within)
        (void)sd_event_run(w->x->loop, 5 * MSEC);
    usec_t took = usec_now() - since;
    if (!looks(w->m, p))
        print(w);
    assert_true(looks(w->m, p));
    fixture_run(w->x, 600 * MSEC);
    if (!looks(w->m, p))
        print(w);
    assert_true(looks(w->m, p));
    return took;
}

static const struct picture whole = {.these = none};

static void must_begin_whole(struct world *w) {
    begin(w);
    (void)must_look(w, &whole, usec_now(), SEC);
}

// The last events of all pairs say what the matrix says.
static void must_be_told_with(struct world *w, bool refusing) {
    const struct matrix_link *l;
    for (size_t i = 0; (l = matrix_link(w->m, i)); i++) {
        const struct event *last = NULL;
        for (size_t k = 0; k < w->x->events.n; k++) {
            const struct event *e = &w->x->events.items[k];
            if (e->kind == EVENT_LINK && str_eq(e->u.LINK.from, w->x->topology.nodes.items[l->from].name) &&
                str_eq(e->u.LINK.to, w->x->topology.nodes.items[l->to].name) &&
                e->u.LINK.path == net_path_word(l->path))
                last = e;
        }
        assert_non_null(last);
        assert_int_equal(l->intended, last->u.LINK.intended);
        assert_int_equal(l->measured, last->u.LINK.measured);
        if (!refusing || l->measured) // the switch's refusal is an answer, and no open path
            assert_int_equal(l->measured, last->u.LINK.rtt_us > 0);
    }
}

static void must_be_told(struct world *w) {
    must_be_told_with(w, false);
}

static size_t links_told(const struct world *w) {
    size_t n = 0;
    for (size_t k = 0; k < w->x->events.n; k++)
        n += w->x->events.items[k].kind == EVENT_LINK;
    return n;
}

static usec_t inject(struct world *w, const char *id, const char *mechanism, const char *nodes, const char *params) {
    assert_int_equal(0, fixture_inject(w->x, id, mechanism, nodes, params));
    const struct event *e = fixture_wait(w->x, id, "effective", 3 * SEC);
    assert_non_null(e);
    return w->x->sink.base + e->t;
}

static usec_t heal(struct world *w, const char *id) {
    struct err err = {0};
    assert_int_equal(0, injector_heal(w->x->in, id, &err));
    const struct event *e = fixture_wait(w->x, id, "healed", 3 * SEC);
    assert_non_null(e);
    return w->x->sink.base + e->t;
}

// "PassiveOpens" of the node's kernel: connections that reached a listener's accept queue.
static long passive_opens(struct world *w, int node) {
    char path[64];
    cleanup_strbuf struct strbuf text = {0};
    struct err err = {0};
    (void)snprintf(path, sizeof path, "/proc/%d/net/snmp", (int)node_init_pid(w->x->world.nodes[node]));
    if (fs_read(path, 65536, &text, &err) < 0)
        fail_msg("%s", err.msg);
    const char *values = strstr(strstr(strbuf_str(&text), "Tcp: ") + 1, "Tcp: ");
    long opens = -1;
    assert_int_equal(1, sscanf(values, "Tcp: %*s %*s %*s %*s %*s %ld", &opens)); // after ActiveOpens
    return opens;
}

static int half_open(struct world *w, int node) {
    char path[64];
    cleanup_strbuf struct strbuf text = {0};
    struct err err = {0};
    int n = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/net/tcp", (int)node_init_pid(w->x->world.nodes[node]));
    if (fs_read(path, 65536, &text, &err) < 0)
        fail_msg("%s", err.msg);
    for (const char *line = strbuf_str(&text); (line = strchr(line, '\n')); line++) {
        unsigned state = 0;
        if (sscanf(line + 1, "%*s %*s %*s %x", &state) == 1 && state == 3) // TCP_SYN_RECV
            n++;
    }
    return n;
}

// ---- tests

static void every_path_of_a_whole_network_is_open(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    const struct matrix_link *l;
    size_t n = 0;
    for (; (l = matrix_link(w->m, n)); n++) {
        assert_false(l->refused);
        assert_true(l->rtt > 0 && l->differs == 0);
    }
    assert_int_equal(PAIRS, n);
    assert_int_equal(PAIRS, links_told(w)); // once each, and not again within the second
    must_be_told(w);
    print(w);
}

static void a_host_where_nobody_listens_is_reached(void **state) {
    struct world *w = *state;
    const struct matrix_link *l;
    must_begin_whole(w);
    for (size_t i = 0; (l = matrix_link(w->m, i)); i++)
        assert_true(l->refused);
}

static void no_listener_ever_sees_a_connection(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    (void)inject(w, "cut", "net.drop", "n3", NULL); // many rounds
    fixture_run(w->x, 2 * SEC);
    (void)heal(w, "cut");
    fixture_run(w->x, SEC);
    for (size_t i = 0; i < w->n_listeners; i++) {
        struct pollfd p = {.fd = w->listeners[i], .events = POLLIN};
        assert_int_equal(0, poll(&p, 1, 0));
    }
    for (int node = N1; node <= N3; node++)
        assert_int_equal(0, passive_opens(w, node));
    struct wire l; // the counter does count
    wire_open(w->x, APP, N1, &l);
    assert_int_equal(1, passive_opens(w, N1));
    wire_close(&l);
}

static void half_open_connections_do_not_pile_up_when_only_the_way_back_is_cut(void **state) {
    struct world *w = *state;
    int most = 0;
    listen_everywhere(w);
    must_begin_whole(w);
    (void)inject(w, "cut", "net.drop", "n1", "direction=out");
    for (usec_t end = usec_now() + 4 * SEC; usec_now() < end; (void)sd_event_run(w->x->loop, 20 * MSEC)) {
        int n = half_open(w, N1);
        most = n > most ? n : most;
    }
    print_message("    most half-open connections at one time: %d\n", most);
    assert_true(most > 0);  // else this test looks at nothing: the SYNs did arrive
    assert_true(most <= 8); // one try of sql, replication, rest, 2 etcd_client, 2 etcd_peer, ...
    (void)heal(w, "cut");
    fixture_run(w->x, 500 * MSEC);
    assert_int_equal(0, half_open(w, N1));
}

static void a_one_way_cut_stops_the_paths_between_the_two_and_no_other(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    fixture_forget(w->x);
    struct picture cut = {.these = between, .a = N1, .b = N2};
    usec_t took = must_look(w, &cut, inject(w, "cut", "net.drop", "n1", "with=n2 direction=out"), 300 * MSEC);
    print_message("    seen after %.0f ms\n", (double)took / 1000.0);
    for (size_t k = 0; k < w->x->events.n; k++) {
        const struct event *e = &w->x->events.items[k];
        if (e->kind == EVENT_LINK)
            assert_true(str_starts(e->u.LINK.from, "n") && !str_eq(e->u.LINK.from, "n3") &&
                        str_starts(e->u.LINK.to, "n") && !str_eq(e->u.LINK.to, "n3"));
    }
    took = must_look(w, &whole, heal(w, "cut"), 300 * MSEC);
    print_message("    open again after %.0f ms\n", (double)took / 1000.0);
}

// Whoever asks once the fault is verified is told so, not 100 ms later, when a probe of ours was given up.
static void a_verified_cut_is_told_at_once(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    fixture_forget(w->x);
    struct picture cut = {.these = between, .a = N1, .b = N2};
    (void)inject(w, "cut", "net.drop", "n1", "with=n2");
    assert_false(looks(w->m, &cut)); // in effect, and not proven yet
    assert_non_null(fixture_wait(w->x, "cut", "verified", 3 * SEC));
    assert_true(looks(w->m, &cut));
    assert_true(links_told(w) > 0);
    fixture_run(w->x, SEC);
    assert_true(looks(w->m, &cut));
    (void)must_look(w, &whole, heal(w, "cut"), 300 * MSEC);
}

static bool etcd_client_of(const struct matrix_link *l, int a, int unused) {
    (void)unused;
    return l->path == NET_PATH_ETCD_CLIENT && (l->from == a || l->to == a);
}
static bool replication_of(const struct matrix_link *l, int a, int unused) {
    (void)unused;
    return l->path == NET_PATH_REPLICATION && (l->from == a || l->to == a);
}

static void a_cut_of_one_path_shows_on_that_path_alone(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    struct picture etcd = {.these = etcd_client_of, .a = N1};
    (void)must_look(w, &etcd, inject(w, "etcd", "net.drop", "n1", "path=etcd_client"), 300 * MSEC);
    must_be_told(w);
    (void)must_look(w, &whole, heal(w, "etcd"), 300 * MSEC);
    struct picture replication = {.these = replication_of, .a = N1}; // sql has the same port
    (void)must_look(w, &replication, inject(w, "wal", "net.drop", "n1", "path=replication direction=in"), 300 * MSEC);
    must_be_told(w);
    (void)must_look(w, &whole, heal(w, "wal"), 300 * MSEC);
}

static void a_refusal_by_the_switch_is_no_open_path(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    struct picture etcd = {.these = etcd_client_of, .a = N1};
    (void)must_look(w, &etcd, inject(w, "etcd", "net.reject", "n1", "path=etcd_client"), 400 * MSEC);
    must_be_told_with(w, true);
    (void)must_look(w, &whole, heal(w, "etcd"), 300 * MSEC);
}

static void a_cut_off_node_and_its_heal_are_seen(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    struct picture cut = {.these = touches, .a = N2};
    usec_t took = must_look(w, &cut, inject(w, "cut", "net.drop", "n2", NULL), 300 * MSEC);
    print_message("    seen after %.0f ms\n", (double)took / 1000.0);
    took = must_look(w, &whole, heal(w, "cut"), 300 * MSEC);
    print_message("    open again after %.0f ms\n", (double)took / 1000.0);
    must_be_told(w);
}

static void a_pulled_cable_is_seen(void **state) {
    struct world *w = *state;
    must_begin_whole(w);
    struct picture cut = {.these = touches, .a = N3};
    (void)must_look(w, &cut, inject(w, "link", "link.down", "n3", NULL), 300 * MSEC);
    (void)must_look(w, &whole, heal(w, "link"), 300 * MSEC);
    must_be_told(w);
}

// A node keeps the sink that it was made with: its events come from there, and here the fixture stands between.
static void pass_on_power(struct world *w, bool on) {
    const struct event *last = w->x->events.n ? &w->x->events.items[w->x->events.n - 1] : NULL;
    assert_true(last && last->kind == EVENT_NODE_POWER && last->u.NODE_POWER.on == on);
    matrix_on_event(w->m, last);
}

static void a_node_without_power_is_not_reached_and_reaches_nobody(void **state) {
    struct world *w = *state;
    struct err err = {0};
    listen_everywhere(w);
    must_begin_whole(w);
    struct picture off = {.these = touches, .a = N1};
    assert_int_equal(0, node_power_off(w->x->world.nodes[N1], NULL, &err));
    pass_on_power(w, false);
    (void)must_look(w, &off, usec_now(), 300 * MSEC);
    must_be_told(w);
    assert_int_equal(0, node_power_on(w->x->world.nodes[N1], &err));
    pass_on_power(w, true);
    (void)must_look(w, &whole, usec_now(), 300 * MSEC);
    must_be_told(w);
}

static void cut_behind_its_back(struct world *w, const char *from, const char *to) {
    struct err err = {0};
    struct switch_cut cut = {0};
    STR_COPY(cut.from, from);
    STR_COPY(cut.to, to);
    if (switch_set_cuts(w->x->sw, &cut, *from ? 1 : 0, &err) < 0)
        fail_msg("%s", err.msg);
}

static void a_cut_that_nobody_asked_for_is_measured_though_not_intended(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    cut_behind_its_back(w, "n1", "n3");
    struct picture lost = {.these = between, .a = N1, .b = N3, .intended = true, .measured = false};
    (void)must_look(w, &lost, usec_now(), 2500 * MSEC); // nobody told it: the calm pace
    must_be_told(w);
    const struct matrix_link *l;
    for (size_t i = 0; (l = matrix_link(w->m, i)); i++)
        assert_int_equal(between(l, N1, N3), l->differs != 0);
    cut_behind_its_back(w, "", "");
    (void)must_look(w, &whole, usec_now(), 600 * MSEC); // the pace of a mismatch
}

static void a_cut_that_leaks_is_measured_open(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    must_begin_whole(w);
    (void)inject(w, "cut", "net.drop", "n1", "with=n3");
    assert_non_null(fixture_wait(w->x, "cut", "verified", 3 * SEC));
    cut_behind_its_back(w, "", "");
    struct picture leak = {.these = between, .a = N1, .b = N3, .intended = false, .measured = true};
    (void)must_look(w, &leak, usec_now(), 600 * MSEC);
    must_be_told(w);
    (void)heal(w, "cut");
    (void)must_look(w, &whole, usec_now(), 300 * MSEC);
}

// What a hung daemon looks like from outside once its queue is full: the kernel drops further SYNs.
static bool n1_rest(const struct matrix_link *l, int a, int b) {
    (void)a, (void)b;
    return l->to == N1 && l->path == NET_PATH_REST;
}
static void a_listener_whose_queue_is_full_does_not_answer(void **state) {
    struct world *w = *state;
    int clients[3];
    (void)listen_on(w, N1, STACK_PATRONI_PORT, 0);
    must_begin_whole(w);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(STACK_PATRONI_PORT)};
    (void)inet_pton(AF_INET, w->x->topology.nodes.items[N1].address, &a.sin_addr);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
        clients[i] = probe_socket(w->x->world.nodes[APP], AF_INET, SOCK_STREAM, NULL);
        assert_true(clients[i] >= 0);
        (void)connect(clients[i], (struct sockaddr *)&a, sizeof a);
    }
    struct picture hung = {.these = n1_rest, .intended = true, .measured = false};
    (void)must_look(w, &hung, usec_now(), 2500 * MSEC);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        (void)close(clients[i]);
}

static void the_labs_own_traffic_wakes_nobody(void **state) {
    struct world *w = *state;
    struct wire l;
    listen_everywhere(w);
    wire_open(w->x, N1, N2, &l);
    must_begin_whole(w); // the next round is more than a second away
    while (sd_event_run(w->x->loop, 0) > 0)
        ;
    for (int i = 0; i < 200; i++)
        assert_true(tcp_passes(l.a, l.b, 200) && tcp_passes(l.b, l.a, 200));
    assert_int_equal(0, sd_event_run(w->x->loop, 0));
    wire_close(&l);
}

static void each_pair_is_told_again_after_ten_seconds(void **state) {
    struct world *w = *state;
    listen_everywhere(w);
    begin(w);
    fixture_run(w->x, 9 * SEC);
    assert_int_equal(PAIRS, links_told(w));
    fixture_run(w->x, 3 * SEC);
    assert_int_equal(2 * PAIRS, links_told(w));
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_path_of_a_whole_network_is_open),
        T(a_host_where_nobody_listens_is_reached),
        T(no_listener_ever_sees_a_connection),
        T(half_open_connections_do_not_pile_up_when_only_the_way_back_is_cut),
        T(a_one_way_cut_stops_the_paths_between_the_two_and_no_other),
        T(a_verified_cut_is_told_at_once),
        T(a_cut_of_one_path_shows_on_that_path_alone),
        T(a_refusal_by_the_switch_is_no_open_path),
        T(a_cut_off_node_and_its_heal_are_seen),
        T(a_pulled_cable_is_seen),
        T(a_node_without_power_is_not_reached_and_reaches_nobody),
        T(a_cut_that_nobody_asked_for_is_measured_though_not_intended),
        T(a_cut_that_leaks_is_measured_open),
        T(a_listener_whose_queue_is_full_does_not_answer),
        T(the_labs_own_traffic_wakes_nobody),
        T(each_pair_is_told_again_after_ten_seconds),
    };
    return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
