// SPDX-License-Identifier: PostgreSQL
// bascule status: like `patronictl list`, with etcd, the application and the faults in force.
#include <libsmartcols/libsmartcols.h>
#include <poll.h>

#include "lab/base/terminal.h"
#include "lab/cli/simple.h"
#include "lab/cli/style.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/follow.h"
#include "lab/cmd/status_nodes.h"

static void set_cell(struct libscols_line *line, size_t column, const char *text) {
    (void)scols_line_set_data(line, column, str_empty(text) ? "-" : text);
}

static void print_watchdogs(const cJSON *status) {
    const cJSON *n;
    cJSON_ArrayForEach (n, cJSON_GetObjectItemCaseSensitive(status, "nodes"))
        if (json_bool(n, "watchdog_armed", false))
            (void)printf("watchdog of %s: armed, takes the power in %.1f s unless %s writes to it\n",
                         json_str(n, "name", "?"), json_num(n, "watchdog_left_ms", 0) / 1000,
                         json_str(cJSON_GetObjectItemCaseSensitive(status, "stack"), "title", "somebody"));
}

static void print_client(const cJSON *status) {
    const cJSON *c = cJSON_GetObjectItemCaseSensitive(status, "client");
    double age = json_num(c, "last_write_age_ms", -1);
    const char *server = json_str(c, "server", "");
    (void)printf("application: %.0f writes/s on %s", json_num(c, "writes_per_s", 0), str_empty(server) ? "-" : server);
    if (age >= 0)
        (void)printf(", last %.1f s ago", age / 1000);
    (void)printf("; in all %.0f ok, %.0f failed, %.0f unknown\n", json_num(c, "writes_ok", 0),
                 json_num(c, "writes_failed", 0), json_num(c, "writes_unknown", 0));
}

static void print_faults(const cJSON *status) {
    const cJSON *f;
    cJSON_ArrayForEach (f, cJSON_GetObjectItemCaseSensitive(status, "faults")) {
        if (!str_starts(json_str(f, "phase", ""), "heal_") && !str_eq(json_str(f, "phase", ""), "failed"))
            (void)printf("fault %s: %s on %s (%s)\n", json_str(f, "id", ""), json_str(f, "mechanism", ""),
                         json_str(f, "nodes", ""), json_str(f, "phase", ""));
    }
}

// ---- who reaches whom: a row per node that connects, a column per node that is connected to

enum link_look { LINK_OPEN, LINK_CLOSED, LINK_SILENT, LINK_LEAKS, LINK_UNKNOWN };
static const char *const link_words[] = {"open", "closed", "NO ANSWER", "STILL OPEN", "?"};

static enum link_look link_look(const cJSON *l) {
    bool intended = json_bool(l, "intended", false), measured = json_bool(l, "measured", false);
    if (!json_bool(l, "known", false))
        return LINK_UNKNOWN;
    return intended ? measured ? LINK_OPEN : LINK_SILENT : measured ? LINK_LEAKS : LINK_CLOSED;
}

static bool link_is(const cJSON *l, const char *from, const char *to) {
    return str_eq(json_str(l, "from", ""), from) && str_eq(json_str(l, "to", ""), to);
}

static bool has_links(const cJSON *links, const char *key, const char *node) {
    const cJSON *l;
    cJSON_ArrayForEach (l, links)
        if (str_eq(json_str(l, key, ""), node))
            return true;
    return false;
}

// "open", "closed", or, when the paths of a pair differ, those that are not open: "rest NO ANSWER".
static void link_cell(const cJSON *links, const char *from, const char *to, struct strbuf *out) {
    cleanup_strbuf struct strbuf odd = {0};
    const char *word = NULL;
    bool same = true;
    const cJSON *l;
    cJSON_ArrayForEach (l, links) {
        if (!link_is(l, from, to))
            continue;
        enum link_look look = link_look(l);
        same = same && (!word || str_eq(word, link_words[look]));
        word = link_words[look];
        if (look != LINK_OPEN)
            strbuf_addf(&odd, "%s%s %s", odd.len ? ", " : "", json_str(l, "path", ""), word);
    }
    strbuf_add(out, !word ? "-" : same ? word : strbuf_str(&odd));
}

static void link_line(struct libscols_table *table, const cJSON *status, const cJSON *links, const char *from) {
    struct libscols_line *line = scols_table_new_line(table, NULL);
    size_t column = 0;
    const cJSON *n;
    set_cell(line, column++, from);
    cJSON_ArrayForEach (n, cJSON_GetObjectItemCaseSensitive(status, "nodes")) {
        const char *to = json_str(n, "name", "?");
        cleanup_strbuf struct strbuf text = {0};
        if (!has_links(links, "to", to))
            continue;
        link_cell(links, from, to, &text);
        set_cell(line, column++, strbuf_str(&text));
    }
}

static void print_link_table(const cJSON *status, const cJSON *links) {
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(status, "nodes"), *n;
    struct libscols_table *table = scols_new_table();
    (void)scols_table_new_column(table, "FROM \\ TO", 0.1, 0);
    cJSON_ArrayForEach (n, nodes)
        if (has_links(links, "to", json_str(n, "name", "?")))
            (void)scols_table_new_column(table, json_str(n, "name", "?"), 0.1, 0);
    cJSON_ArrayForEach (n, nodes)
        if (has_links(links, "from", json_str(n, "name", "?")))
            link_line(table, status, links, json_str(n, "name", "?"));
    (void)scols_print_table(table);
    scols_unref_table(table);
}

// A probe needs 0.2 s to find out: what disagrees for longer than 2 s is no matter of timing.
static void print_disagreements(const cJSON *links) {
    const cJSON *l;
    cJSON_ArrayForEach (l, links) {
        double ms = json_num(l, "differs_ms", 0);
        if (ms > 2000)
            (void)printf("! %s -> %s %s: %s for %.1f s, though %s\n", json_str(l, "from", ""), json_str(l, "to", ""),
                         json_str(l, "path", ""), json_bool(l, "measured", false) ? "open" : "no answer", ms / 1000,
                         json_bool(l, "measured", false)
                             ? "a fault in force should close it"
                             : "no fault closes it (a filter, or a hung daemon with a full queue)");
    }
}

static void print_links(const cJSON *status, bool always) {
    const cJSON *links = cJSON_GetObjectItemCaseSensitive(status, "links"), *l;
    int n = 0, open = 0, unknown = 0;
    cJSON_ArrayForEach (l, links) {
        n++;
        open += json_bool(l, "measured", false);
        unknown += !json_bool(l, "known", false);
        always = always || (link_look(l) != LINK_OPEN && link_look(l) != LINK_UNKNOWN);
    }
    if (!always || n == 0)
        return;
    (void)printf("network: %d of %d service paths open", open, n);
    (void)(unknown ? printf(", %d not yet known\n", unknown) : printf("\n"));
    print_link_table(status, links);
    print_disagreements(links);
}

static void print_in(const char *colour, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void print_in(const char *colour, const char *fmt, ...) {
    bool coloured = cli_style(STDOUT_FILENO).colour;
    va_list ap;
    va_start(ap, fmt);
    if (coloured)
        terminal_own(stdout, colour);
    (void)vprintf(fmt, ap);
    if (coloured)
        terminal_own(stdout, "0m");
    va_end(ap);
}

static void print_health(const cJSON *status) {
    bool healthy = json_bool(status, "healthy", false), diverged = json_bool(status, "diverged", false);
    (void)printf("cluster: ");
    if (healthy)
        print_in("32m", "healthy");
    else
        print_in("31m", "%s: %s", diverged ? "DIVERGED" : "NOT healthy", json_str(status, "why", ""));
}

// What it means for who has never heard of it.
static void print_defect(const cJSON *status) {
    const cJSON *d = cJSON_GetObjectItemCaseSensitive(status, "known_defect");
    if (json_bool(status, "diverged", false))
        print_in("31m", "Writes that the application was told are done may be gone, though every node looks well. "
                        "`bascule down` counts "
                        "them.\n");
    if (cJSON_IsObject(d))
        (void)printf("known defect %s of %s %s: %s\n  %s\n", json_str(d, "id", ""), json_str(d, "software", ""),
                     json_str(d, "versions", ""), json_str(d, "text", ""), json_str(d, "reference", ""));
}

static void print_scenario(const cJSON *status, int width) {
    bool held = json_bool(status, "held", false) && !json_bool(status, "stands", false);
    if (str_empty(json_str(status, "waiting_for", "")))
        return;
    (void)printf("scenario: %s%s\n", json_str(status, "waiting_for", ""), held ? "; then it is held" : "");
    status_print_steps(status, width);
}

static void print_status(const cJSON *status, bool links, int width) {
    const char *leader = json_str(status, "leader", "");
    (void)printf("lab %s (%s): %s", json_str(status, "lab", "?"), json_str(status, "topology", "?"),
                 json_str(status, "state", "?"));
    if (!str_empty(json_str(status, "scenario", "")))
        (void)printf(", scenario %s", json_str(status, "scenario", ""));
    (void)printf("\n");
    print_health(status);
    (void)printf("; %s: %s", json_str(cJSON_GetObjectItemCaseSensitive(status, "stack"), "lead", "leader"),
                 str_empty(leader) ? "nobody" : leader);
    double lease = json_num(status, "lease_left_ms", -1);
    if (lease >= 0)
        (void)printf(", lease left %.1f s", lease / 1000);
    (void)printf("\n");
    print_defect(status);
    status_print_nodes(status, width);
    print_watchdogs(status);
    print_client(status);
    print_faults(status);
    print_links(status, links);
    print_scenario(status, width);
}

static int show(int fd, const struct simple_options *o, int width, struct err *err) {
    cleanup_json cJSON *status = NULL;
    int r = client_command(fd, "status", &status, err);
    if (r < 0)
        return r;
    if (o->watch && isatty(STDOUT_FILENO)) {
        terminal_own(stdout, "H");
        terminal_own(stdout, "2J");
    }
    if (o->json) {
        char *text = o->watch ? cJSON_PrintUnformatted(status) : cJSON_Print(status);
        (void)printf("%s\n", text);
        cJSON_free(text);
    } else
        print_status(status, o->links, isatty(STDOUT_FILENO) ? width : 0);
    (void)fflush(stdout);
    return 0;
}

int status_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse(
        "status", SIMPLE_LAB | SIMPLE_JSON | SIMPLE_WATCH | SIMPLE_LINKS | SIMPLE_NO_ARGS, "",
        "Shows nodes, roles, replication, etcd, the application, faults, and who reaches whom once something is cut.",
        0, argc, argv, &o);
    struct err err = {0};
    int width = cli_style(STDOUT_FILENO).width; // and the locale is set, which libsmartcols' widths need
    cleanup_close int fd = client_connect(o.lab, &err);
    if (fd < 0)
        return cli_fail(EXIT_USAGE, &err);
    int r;
    do
        r = show(fd, &o, width, &err);
    while (r == 0 && o.watch && !terminal_failed() && (poll(NULL, 0, 1000), true));
    return r < 0 ? cli_fail(EXIT_BROKEN, &err) : EXIT_PASS;
}
