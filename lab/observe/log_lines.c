// SPDX-License-Identifier: PostgreSQL
// What a line of a daemon's log says: its stamp, its level, whether it is worth an event. The tables hold words that the programs have
// always written; PostgreSQL's lines are told by their code as well, because their words may be in any language.
#include "lab/observe/log_lines.h"

#include "lab/observe/probe.h"

static const struct log_pattern postgresql[] = {
    {"FATAL:  the database system is", LINE_LEVEL_NONE}, // asked too early: dozens per second while it starts
    {"terminating connection due to administrator", LINE_LEVEL_NONE}, // one per session at every shutdown
    {"PANIC:", LINE_LEVEL_FATAL},
    {"FATAL:", LINE_LEVEL_ERROR},
    {"ERROR:", LINE_LEVEL_ERROR},
    {"database system is ready", LINE_LEVEL_INFO},
    {"database system is shut down", LINE_LEVEL_INFO},
    {"database system was", LINE_LEVEL_INFO}, // was shut down, was interrupted
    {"received promote request", LINE_LEVEL_INFO},
    {"selected new timeline", LINE_LEVEL_INFO},
    {"archive recovery complete", LINE_LEVEL_INFO},
    {"received fast shutdown", LINE_LEVEL_INFO},
    {"received immediate shutdown", LINE_LEVEL_WARNING},
    {"received smart shutdown", LINE_LEVEL_INFO},
    {"was terminated by signal", LINE_LEVEL_ERROR},
    {"terminating any other active", LINE_LEVEL_WARNING},
    {"started streaming WAL", LINE_LEVEL_INFO},
    {"invalid record length", LINE_LEVEL_INFO},
    {"new timeline", LINE_LEVEL_WARNING}, // ... forked off current database system timeline
    {"canceling the wait for synchronous", LINE_LEVEL_WARNING},
    {"canceling wait for synchronous", LINE_LEVEL_WARNING},
    {"synchronous standby", LINE_LEVEL_INFO},
    {"parameter \"synchronous_standby_names\"", LINE_LEVEL_INFO},
    {"LOG:  ",
     LINE_LEVEL_NONE}, // no error, though some have an error's code; then the further lines of a message, with its code
    {"WARNING:  ", LINE_LEVEL_NONE},
    {"DETAIL:  ", LINE_LEVEL_NONE},
    {"HINT:  ", LINE_LEVEL_NONE},
    {"CONTEXT:  ", LINE_LEVEL_NONE},
    {"STATEMENT:  ", LINE_LEVEL_NONE},
    {NULL, LINE_LEVEL_NONE},
};
static const struct log_pattern haproxy[] = {
    {"is DOWN", LINE_LEVEL_WARNING}, {"is UP", LINE_LEVEL_INFO}, {"no server available", LINE_LEVEL_ERROR},
    {"[ALERT]", LINE_LEVEL_ERROR},   {NULL, LINE_LEVEL_NONE},
};

const struct log_file probes_common_logs[2] = {
    {"postgresql/postgresql.log", "postgresql", "postgres", postgresql},
    {"haproxy/haproxy.log", "haproxy", NULL, haproxy},
};

// PostgreSQL speaks the language of its lc_messages, and the lab has it write each line's SQLSTATE behind the pid (log_line_prefix: "%m [%p]
// %e "): "00000" for what is no error. "" = there is none, the topology has a prefix of its own.
static const char *code_of(const char *line) {
    const char *p = strstr(line, "] ");
    size_t n = p ? strspn(p + 2, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;
    return n == 5 && p[2 + n] == ' ' ? p + 2 : line + strlen(line);
}

static bool code_is_routine(const char *code) {
    return str_starts(code, "57P03") || str_starts(code, "57P01"); // as in the first two patterns
}

static bool code_is_error(const char *code) {
    return *code && !str_starts(code, "00") && !str_starts(code, "01");
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

static const struct log_pattern *pattern_of(const char *service, const char *line) {
    for (const struct log_pattern *p = probes_log_patterns(service); p && p->word; p++)
        if (strstr(line, p->word))
            return p;
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
    const char *code = postgres ? code_of(line) : "";
    if (code_is_routine(code))
        return false;
    const struct log_pattern *p = pattern_of(service, line);
    ret->level = p ? p->level : code_is_error(code) ? LINE_LEVEL_ERROR : LINE_LEVEL_NONE;
    if (!ret->level)
        return false;
    take_text(line, ret->text);
    if (postgres)
        drop_no_error(ret->text);
    return true;
}

bool log_language_is_known(const char *lc_messages) {
    return !*lc_messages || str_starts(lc_messages, "C") || str_starts(lc_messages, "POSIX") ||
           str_starts(lc_messages, "en");
}
