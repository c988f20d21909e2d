// SPDX-License-Identifier: PostgreSQL
#include "tests/fuzz/log_input.h"

#include "lab/record/event_fields.h"

struct bytes {
    const uint8_t *p, *end;
    usec_t t; // of the event before
};

static uint8_t take(struct bytes *b) {
    return b->p < b->end ? *b->p++ : 0;
}

static uint64_t take_word(struct bytes *b) {
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | take(b);
    return v;
}

// Names first: most fields are one. 0 is "".
static const char *const words[] = {
    "",
    "n1",
    "n2",
    "n3",
    "app",
    "n1,n2",
    "n1,n2,n3",
    "n16",
    "proxy",
    "f",
    "leader",
    // settings, keys, phases, states
    "patroni.ttl",
    "patroni.loop_wait",
    "patroni.retry_timeout",
    "patroni.primary_start_timeout",
    "patroni.synchronous_mode",
    "patroni.maximum_lag_on_failover",
    "etcd.election-timeout",
    "30",
    "0",
    "1e308",
    "nan",
    "-5",
    "10.5",
    "true",
    "sync",
    "status",
    "config",
    "history",
    "failover",
    "failsafe",
    "initialize",
    "members/n1",
    "members/n2",
    "[[1,25165984,\"no recovery target\"]]",
    "{\"leader\":\"n1\",\"sync_standby\":\"n2,n3\"}",
    "{\"pause\":true,\"ttl\":1e300}",
    "asked",
    "effective",
    "verified",
    "unverified",
    "heal_asked",
    "healed",
    "heal_verified",
    "heal_unverified",
    "failed",
    "done",
    "waiting",
    "started",
    "skipped",
    "building",
    "ready",
    "running",
    "healing",
    "collecting",
    "stopping",
    "broken",
    "completed",
    "expectation",
    "interrupted",
    "exited",
    "signalled",
    "armed",
    "kept",
    "disarmed",
    "expired",
    "connected",
    "lost",
    "streaming",
    "catchup",
    "quorum",
    "replica",
    "sync_standby",
    "standby_leader",
    "uninitialized",
    "starting",
    "stopped",
    "crashed",
    "postgres",
    "patroni",
    "etcd",
    "haproxy",
    "run",
    "heal",
    "collect",
    "stop",
    "begin",
    "hold",
    "go",
    "shell",
    "statement",
    "connect",
    "timeout",
    "57P03",
    "25006",
    // mechanisms and their parameters
    "node.power_off",
    "node.freeze",
    "net.drop",
    "link.down",
    "process.kill",
    "process.pause",
    "process.stop",
    "net.delay",
    "cluster.switchover",
    "cluster.failover",
    "direction=in path=all",
    "path=etcd_peer",
    "service=patroni",
    "service=postgres process=postmaster",
    "service=postgres process=backend",
    "delay=100ms",
    "sql",
    "rest",
    "etcd_client",
    "etcd_peer",
    "replication",
    "all",
    "error",
    "warning",
    "fatal",
    "info",
    // expectations, defects, versions, final reads
    "write_outage",
    "read_outage",
    "recovery",
    "lost_writes",
    "local_only_writes",
    "local_only_lost",
    "unexpected_writes",
    "duplicated_writes",
    "foreign_rows",
    "same_history",
    "diverged_nodes",
    "split_brain",
    "new_leader",
    "rejoin",
    "phases",
    "write_availability",
    "read_availability",
    "leader_key_overwritten",
    "standby_ahead",
    "shutdown_hangs",
    "PostgreSQL",
    "Patroni",
    "HAProxy",
    "Debian",
    "4.0.4",
    ">= 3.0, < 4.1",
    "same_history, lost_writes",
    "1-10",
    "1-64,70,80-90",
    "5-1",
    "1-268435456",
    "3-9,99999999999999999999-2",
    "1-18446744073709551615",
    // what daemons say
    "INFO: following a different leader because i am not the healthiest node",
    "ERROR: Error communicating with DCS",
    "WARNING: Exception when working with leader",
    "following new leader after trying and failing to obtain lock",
    "promoted self to leader by acquiring session lock",
    "demoted self because DCS is not accessible and I was a leader",
    "terminating any other active server processes",
    "the database system is shutting down",
    "canceling wait for synchronous replication",
    "no answer for 2 s",
    "a person entered n1",
    // what no terminal, page or table likes
    "\x1b]0;x\x07\x1b[31mred\x1b[2J",
    "\xc2\x9b"
    "31m",
    "\xe2\x80\xae"
    "gnp.exe",
    "</script><script>alert(1)</script>{{story}}{{data}}\"'`${1}",
    "\xff\xfe\xc0\x80\xed\xa0\x80",
    "a\tb\nc\rd\\",
    "e\xcc\x81\xcc\x81\xcc\x81\xe2\x80\x8b",
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xe6\xbc\xa2\xe5\xad\x97",
    "%s%n%1000000d",
    "                                                            x",
    // the stack of tests/fake/
    "fakeha",
    "fakeha.interval",
    "fakeha.tries",
    "postgres,fakeha",
};

static void put_text(struct bytes *b, char *to, size_t size) {
    uint8_t c = take(b);
    size_t n = 0;
    if (c < 250 || c == 255) {
        (void)str_copy(to, size, words[c < ARRAY_SIZE(words) ? c : 0]);
    } else if (c < 253) { // one word as often as it fits
        const char *w = words[take(b) % ARRAY_SIZE(words)];
        for (size_t len = strlen(w); len && n + len < size; n += len)
            memcpy(to + n, w, len);
    } else { // the bytes themselves
        for (size_t len = take(b); len && n + 1 < size; len--)
            to[n++] = (char)take(b);
    }
}

static int64_t number(struct bytes *b) {
    static const int64_t edges[] = {0,
                                    1,
                                    2,
                                    3,
                                    5,
                                    7,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    10000000,
                                    -1,
                                    -2,
                                    INT32_MAX,
                                    INT32_MIN,
                                    UINT32_MAX,
                                    EVENT_COUNT_MAX - 1,
                                    EVENT_COUNT_MAX,
                                    -EVENT_COUNT_MAX,
                                    4096};
    uint8_t c = take(b);
    return c < 240 ? edges[c % ARRAY_SIZE(edges)] : (int64_t)take_word(b);
}

// Around the time of the event: what fields of times hold, and how events follow each other.
static usec_t time_near(struct bytes *b, usec_t t) {
    static const usec_t steps[] = {0,   1,       MSEC,     10 * MSEC, 100 * MSEC, SEC / 2,
                                   SEC, 3 * SEC, 10 * SEC, 30 * SEC,  60 * SEC,   3600 * SEC};
    uint8_t c = take(b);
    usec_t step = steps[c % ARRAY_SIZE(steps)];
    if (c < 120)
        return t + step;
    if (c < 200)
        return usec_sub(t, step);
    if (c < 220)
        return step;
    if (c < 230)
        return EVENT_TIME_MAX - step;
    return c < 240 ? 0 : take_word(b);
}

static void put_field(struct bytes *b, const struct event_field *f, void *at) {
    static const double edges[] = {0, 1, -1, 0.5, 1e6, 3e7, 100, 1e300, -1e300, 1e-300, 4e15};
    static const lsn_t places[] = {0,         1,           0x3000000,     0x3000060, 0x4000000,
                                   0x5000000, 0x100000000, EVENT_LSN_MAX, UINT64_MAX};
    char word[EVENT_NAME_MAX];
    switch (f->type) {
    case EVENT_FIELD_N:
        return put_text(b, at, EVENT_NAME_MAX);
    case EVENT_FIELD_S:
        return put_text(b, at, EVENT_TEXT_MAX);
    case EVENT_FIELD_I:
    case EVENT_FIELD_C:
    case EVENT_FIELD_R:
        *(int64_t *)at = number(b);
        return;
    case EVENT_FIELD_U:
    case EVENT_FIELD_W:
        *(usec_t *)at = time_near(b, b->t);
        return;
    case EVENT_FIELD_B:
        *(bool *)at = take(b) & 1;
        return;
    case EVENT_FIELD_E:
        put_text(b, word, sizeof word);
        *(unsigned *)at = word_set_find(f->words, word);
        return;
    case EVENT_FIELD_D:
        *(double *)at = edges[take(b) % ARRAY_SIZE(edges)];
        return;
    case EVENT_FIELD_L:
        *(lsn_t *)at = places[take(b) % ARRAY_SIZE(places)];
        return;
    }
}

static void read_grammar(struct bytes *b, void (*fn)(void *arg, const struct event *ev), void *arg) {
    while (b->p < b->end) {
        struct event ev;
        size_t n;
        memset(&ev, 0, sizeof ev);
        uint8_t kind = take(b);
        ev.kind = (enum event_kind)(1 + kind % (EVENT_KIND_COUNT - 1));
        b->t = ev.t = time_near(b, b->t);
        if (kind / (EVENT_KIND_COUNT - 1) % 4 == 3) { // a merged line
            ev.repeats = take(b);
            ev.pause = time_near(b, 0);
        }
        const struct event_field *f = event_fields(ev.kind, &n);
        for (size_t i = 0; i < n; i++)
            put_field(b, &f[i], (char *)&ev + f[i].offset);
        event_normalize(&ev);
        b->t = ev.t;
        fn(arg, &ev);
    }
}

static void give_line(const char *line, size_t len, void (*fn)(void *arg, const struct event *ev), void *arg) {
    struct event ev;
    if (event_from_json(line, len, &ev, NULL) >= 0)
        fn(arg, &ev);
}

// A cluster that stands: three nodes, n1 leads, the application writes, n1 loses its power. What follows happens to it.
static void give_beginning(void (*fn)(void *arg, const struct event *ev), void *arg) {
    static const char *const lines[] = {
        "{\"t\":1,\"ev\":\"run.begin\",\"scenario\":\"x\",\"period_us\":10000,\"seed\":1}",
        "{\"t\":2,\"ev\":\"node.info\",\"node\":\"n1\",\"postgres\":true,\"etcd\":true}",
        "{\"t\":2,\"ev\":\"node.info\",\"node\":\"n2\",\"postgres\":true,\"etcd\":true}",
        "{\"t\":2,\"ev\":\"node.info\",\"node\":\"n3\",\"postgres\":true,\"etcd\":true}",
        "{\"t\":3,\"ev\":\"config\",\"key\":\"patroni.ttl\",\"value\":\"30\"}",
        "{\"t\":3,\"ev\":\"config\",\"key\":\"patroni.loop_wait\",\"value\":\"10\"}",
        "{\"t\":4,\"ev\":\"dcs.key\",\"key\":\"leader\",\"value\":\"n1\",\"initial\":true}",
        "{\"t\":5,\"ev\":\"dcs.member\",\"node\":\"n2\",\"answered\":true,\"leader\":true}",
        "{\"t\":6,\"ev\":\"sql\",\"node\":\"n1\",\"answered\":true,\"writable\":true,\"timeline\":1,\"lsn\":\"0/"
        "3000060\"}",
        "{\"t\":6,\"ev\":\"sql\",\"node\":\"n2\",\"answered\":true,\"in_recovery\":true,\"timeline\":1,\"lsn\":\"0/"
        "3000060\"}",
        "{\"t\":7,\"ev\":\"replication\",\"node\":\"n1\",\"standby\":\"n2\",\"state\":\"streaming\"}",
        "{\"t\":7,\"ev\":\"replication\",\"node\":\"n1\",\"standby\":\"n3\",\"state\":\"streaming\"}",
        "{\"t\":900000,\"ev\":\"dcs.lease\",\"lease\":\"a\",\"holder\":\"n1\",\"renewed\":900000,\"ttl_s\":30}",
        "{\"t\":1000000,\"ev\":\"lab.state\",\"state\":\"ready\"}",
        "{\"t\":1100000,\"ev\":\"client.tick\",\"from\":1000000,\"w_tried\":10,\"w_ok\":10,\"w_first_ok\":1001000,\"w_"
        "last_ok\":1091000}",
        "{\"t\":1200000,\"ev\":\"fault\",\"id\":\"f\",\"mechanism\":\"node.power_off\",\"phase\":\"asked\",\"nodes\":"
        "\"n1\"}",
        "{\"t\":1200000,\"ev\":\"fault\",\"id\":\"f\",\"mechanism\":\"node.power_off\",\"phase\":\"effective\","
        "\"effective_seen\":true}",
        "{\"t\":1200000,\"ev\":\"node.power\",\"node\":\"n1\"}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        give_line(lines[i], strlen(lines[i]), fn, arg);
}

// The same of a stack in which the managers say who leads; n2 is about to.
static void give_fake_beginning(void (*fn)(void *arg, const struct event *ev), void *arg) {
    static const char *const lines[] = {
        "{\"t\":1,\"ev\":\"run.begin\",\"scenario\":\"x\",\"period_us\":10000,\"seed\":1,\"stack\":\"fakeha\"}",
        "{\"t\":2,\"ev\":\"node.info\",\"node\":\"n1\",\"services\":\"postgres,fakeha\"}",
        "{\"t\":2,\"ev\":\"node.info\",\"node\":\"n2\",\"services\":\"postgres,fakeha\"}",
        "{\"t\":2,\"ev\":\"node.info\",\"node\":\"n3\",\"services\":\"postgres,fakeha\"}",
        "{\"t\":2,\"ev\":\"node.power\",\"node\":\"n1\",\"on\":true}",
        "{\"t\":2,\"ev\":\"node.power\",\"node\":\"n2\",\"on\":true}",
        "{\"t\":2,\"ev\":\"node.power\",\"node\":\"n3\",\"on\":true}",
        "{\"t\":3,\"ev\":\"config\",\"key\":\"fakeha.interval\",\"value\":\"2\"}",
        "{\"t\":3,\"ev\":\"config\",\"key\":\"fakeha.tries\",\"value\":\"3\"}",
        "{\"t\":6,\"ev\":\"sql\",\"node\":\"n1\",\"answered\":true,\"writable\":true,\"timeline\":1,\"lsn\":\"0/"
        "3000060\"}",
        "{\"t\":6,\"ev\":\"sql\",\"node\":\"n2\",\"answered\":true,\"in_recovery\":true,\"timeline\":1,\"lsn\":\"0/"
        "3000060\"}",
        "{\"t\":7,\"ev\":\"manager\",\"node\":\"n1\",\"service\":\"fakeha\",\"answered\":true,\"role\":\"leader\"}",
        "{\"t\":7,\"ev\":\"manager\",\"node\":\"n2\",\"service\":\"fakeha\",\"answered\":true,\"role\":\"replica\"}",
        "{\"t\":7,\"ev\":\"replication\",\"node\":\"n1\",\"standby\":\"n2\",\"state\":\"streaming\"}",
        "{\"t\":1000000,\"ev\":\"lab.state\",\"state\":\"ready\"}",
        "{\"t\":1100000,\"ev\":\"client.tick\",\"from\":1000000,\"w_tried\":10,\"w_ok\":10,\"w_first_ok\":1001000,\"w_"
        "last_ok\":1091000}",
        "{\"t\":1200000,\"ev\":\"fault\",\"id\":\"f\",\"mechanism\":\"node.power_off\",\"phase\":\"asked\",\"nodes\":"
        "\"n1\"}",
        "{\"t\":1200000,\"ev\":\"fault\",\"id\":\"f\",\"mechanism\":\"node.power_off\",\"phase\":\"effective\","
        "\"effective_seen\":true}",
        "{\"t\":1200000,\"ev\":\"node.power\",\"node\":\"n1\"}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        give_line(lines[i], strlen(lines[i]), fn, arg);
}

void log_input(const uint8_t *data, size_t size, void (*fn)(void *arg, const struct event *ev), void *arg) {
    struct bytes b = {data, data + size, 0};
    if (size == 0 || *data != '{') {
        uint8_t first = take(&b);
        if (first % 2) {
            (first % 16 == 15 ? give_fake_beginning : give_beginning)(fn, arg);
            b.t = 1200 * MSEC;
        }
        read_grammar(&b, fn, arg);
        return;
    }
    while (b.p < b.end) {
        const uint8_t *end = memchr(b.p, '\n', (size_t)(b.end - b.p));
        size_t len = (size_t)((end ? end : b.end) - b.p);
        give_line((const char *)b.p, len, fn, arg);
        b.p += len + (end != NULL);
    }
}

void log_input_ledger(const uint8_t *data, size_t size, void (*fn)(void *arg, const struct ledger_record *r),
                      void *arg) {
    enum { RECORD = 8 };
    for (size_t i = 0; i < 64 && (i + 1) * RECORD <= size; i++) {
        struct bytes b = {data + size - (i + 1) * RECORD, data + size - i * RECORD, SEC};
        struct ledger_record r = {.op = take(&b) % 3, .result = take(&b) % 3 + 1, .node = take(&b)};
        uint8_t more = take(&b);
        r.flags = more & 1;
        r.more = r.op ? more >> 4 : 0;
        r.id = take(&b);
        r.scheduled = r.op ? r.id * 10 * MSEC : 0;
        r.invoked = r.scheduled + take(&b) * MSEC;
        r.returned = take(&b) ? r.invoked + take(&b) * 10 * MSEC : EVENT_TIME_MAX;
        fn(arg, &r);
    }
}
