// SPDX-License-Identifier: PostgreSQL
#include "lab/observe/log_lines.h"

// A line is told when it has one of these words; the first that fits wins, so the dull ones ("") come before the wide ones.
struct pattern {
    const char *word;
    const char *level; // "" = not told
};

static const struct pattern patroni[] = {
    {"Lock owner:", ""},     // every loop
    {"no action. I am", ""}, // every loop: the routine line
    {"promoted self to leader", "info"},
    {"acquired session lock", "info"},
    {"Could not take out TTL lock", "warning"},
    {"demot", "warning"}, // demoting, demoted
    {"not healthy enough", "warning"},
    {"following a different leader", "info"},
    {"following new leader", "info"},
    {"failed to update leader", "error"},
    {"lost leader", "warning"},
    {"Selected new etcd server", "info"},
    {"no leader", "warning"},
    {"switchover", "info"},
    {"manual failover", "info"},
    {"Software Watchdog", "info"},
    {"pg_rewind", "info"},
    {"bootstrap", "info"},
    {"starting as", "info"}, // starting as a secondary, as readonly because i had the session lock
    {"establishing a new patroni connection", ""},
    {"Reaped pid", ""},
    {"postmaster pid", "info"},
    {"crash recovery", "warning"},
    {"failsafe", "warning"},
    {"maintenance mode", "info"},
    {"waiting for leader", "warning"},
    {"CRITICAL", "error"},
    {" ERROR: ", "error"},
    {" WARNING: ", "warning"},
    {NULL, NULL},
};
static const struct pattern postgresql[] = {
    {"FATAL:  the database system is", ""},              // asked too early: dozens per second while it starts
    {"terminating connection due to administrator", ""}, // one per session at every shutdown
    {"PANIC:", "fatal"},
    {"FATAL:", "error"},
    {"ERROR:", "error"},
    {"database system is ready", "info"},
    {"database system is shut down", "info"},
    {"database system was", "info"}, // was shut down, was interrupted
    {"received promote request", "info"},
    {"selected new timeline", "info"},
    {"archive recovery complete", "info"},
    {"received fast shutdown", "info"},
    {"received immediate shutdown", "warning"},
    {"received smart shutdown", "info"},
    {"was terminated by signal", "error"},
    {"terminating any other active", "warning"},
    {"started streaming WAL", "info"},
    {"invalid record length", "info"},
    {"new timeline", "warning"}, // ... forked off current database system timeline
    {"canceling the wait for synchronous", "warning"},
    {"canceling wait for synchronous", "warning"},
    {"synchronous standby", "info"},
    {"parameter \"synchronous_standby_names\"", "info"},
    {"LOG:  ", ""}, // no error, though some have an error's code; then the further lines of a message, with its code
    {"WARNING:  ", ""},
    {"DETAIL:  ", ""},
    {"HINT:  ", ""},
    {"CONTEXT:  ", ""},
    {"STATEMENT:  ", ""},
    {NULL, NULL},
};
static const struct pattern etcd[] = {
    {"elected leader", "info"},
    {"lost leader", "warning"},
    {"became leader", "info"},
    {"became candidate", "warning"},
    {"is starting a new election", "warning"},
    {"stepped down", "warning"},
    {"lost the TCP streaming connection", "warning"},
    {"etcdserver: no leader", "warning"},
    {"ready to serve client requests", "info"},
    {"took too long", "warning"},
    {"failed to send out heartbeat on time", "warning"},
    {"database space exceeded", "error"},
    {"\"level\":\"fatal\"", "fatal"},
    {" C | ", "fatal"},
    {" E | ", "error"},
    {NULL, NULL},
};
static const struct pattern haproxy[] = {
    {"is DOWN", "warning"}, {"is UP", "info"}, {"no server available", "error"}, {"[ALERT]", "error"}, {NULL, NULL},
};

// PostgreSQL speaks the language of its lc_messages, and the lab has it write each line's SQLSTATE behind the pid (log_line_prefix: "%m [%p]
// %e "): "00000" for what is no error. "" = there is none, the topology has a prefix of its own.
static const char *code_of(const char *line) {
    const char *p = strstr(line, "] ");
    size_t n = p ? strspn(p + 2, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;
    return n == 5 && p[2 + n] == ' ' ? p + 2 : line + strlen(line);
}

static const char *level_of_code(const char *code) {
    if (str_starts(code, "57P03") || str_starts(code, "57P01")) // as in the first two patterns
        return "";
    return *code && !str_starts(code, "00") && !str_starts(code, "01") ? "error" : NULL;
}

static const struct pattern *patterns_of(const char *service) {
    if (str_eq(service, "patroni"))
        return patroni;
    if (str_eq(service, "postgresql"))
        return postgresql;
    if (str_eq(service, "etcd"))
        return etcd;
    return haproxy;
}

// "2024-01-01 10:00:00,123 INFO: ...", "2024-01-01 10:00:00.123 UTC [42] LOG: ...": the event has a better time already.
static const char *after_stamp(const char *line) {
    const char *p = line + strspn(line, "0123456789-:.,/ TZ");
    if (p - line < 19)
        return line;
    if (str_starts(p, "UTC ") || str_starts(p, "GMT "))
        p += 4;
    return *p ? p : line;
}

// etcd 3.5 logs JSON: what it says is in "msg", and the rest is for machines.
static void take_text(const char *line, char ret[static EVENT_TEXT_MAX]) {
    const char *msg = *line == '{' ? strstr(line, "\"msg\":\"") : NULL;
    if (!msg) {
        (void)str_copy(ret, EVENT_TEXT_MAX, after_stamp(line));
        return;
    }
    size_t n = 0;
    for (msg += strlen("\"msg\":\""); *msg && *msg != '"' && n + 1 < EVENT_TEXT_MAX; msg++) {
        msg += *msg == '\\' && msg[1];
        ret[n++] = *msg;
    }
    ret[n] = '\0';
}

static const char *level_of_words(const char *service, const char *line) {
    for (const struct pattern *p = patterns_of(service); p->word; p++)
        if (strstr(line, p->word))
            return p->level;
    return NULL;
}

// "[42] 00000 LOG:  ..." -> "[42] LOG:  ..."
static void drop_no_error(char *text) {
    char *code = text + (code_of(text) - text);
    size_t n = strlen("00000 ");
    if (str_starts(code, "00000 "))
        memmove(code, code + n, strlen(code + n) + 1);
}

bool log_line_judge(const char *service, const char *line, struct log_line *ret) {
    bool postgres = str_eq(service, "postgresql");
    const char *coded = postgres ? level_of_code(code_of(line)) : NULL;
    const char *level = coded && !*coded ? coded : level_of_words(service, line);
    level = level ? level : coded;
    if (!level || !*level)
        return false;
    STR_COPY(ret->level, level);
    take_text(line, ret->text);
    if (postgres)
        drop_no_error(ret->text);
    return true;
}

bool log_language_is_known(const char *lc_messages) {
    return !*lc_messages || str_starts(lc_messages, "C") || str_starts(lc_messages, "POSIX") ||
           str_starts(lc_messages, "en");
}
