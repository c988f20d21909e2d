// SPDX-License-Identifier: PostgreSQL
// A real etcd for the observer's tests, spoken to through blocking curl and its JSON gateway.
#include <curl/curl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/observe/patroni/dcs_json.h"
#include "tests/sandbox/test_observe_pg.h"

static void skip(const char *why) {
    (void)printf("1..0 # SKIP %s\n", why);
    exit(77);
}

static void map_self(uid_t uid, gid_t gid) {
    char text[64];
    (void)fs_write("/proc/self/setgroups", "deny", 4, 0, NULL);
    (void)snprintf(text, sizeof text, "%u %u 1", uid, uid);
    (void)fs_write("/proc/self/uid_map", text, strlen(text), 0, NULL);
    (void)snprintf(text, sizeof text, "%u %u 1", gid, gid);
    (void)fs_write("/proc/self/gid_map", text, strlen(text), 0, NULL);
}

void test_own_network(void) {
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWNET) < 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
            skip("no network namespaces here");
        map_self(uid, gid);
    }
    cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
        test_fail("lo up");
}

void test_etcd_init(struct test_etcd *e) {
    if (access("/usr/bin/etcd", X_OK) < 0)
        skip("etcd is not installed");
    STR_COPY(e->dir, "/tmp/bascule-test-XXXXXX");
    if (!mkdtemp(e->dir) || chmod(e->dir, 0777) < 0)
        test_fail("mkdtemp");
}

static size_t collect(char *data, size_t size, size_t n, void *arg) {
    strbuf_addn(arg, data, size * n);
    return size * n;
}

static bool post(const char *path, const char *json, struct strbuf *out) {
    char url[128];
    struct strbuf ignored = {0};
    CURL *c = curl_easy_init();
    (void)snprintf(url, sizeof url, "http://127.0.0.1:2379%s", path);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, json);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 2000L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, out ? out : &ignored);
    bool ok = curl_easy_perform(c) == CURLE_OK;
    curl_easy_cleanup(c);
    strbuf_done(&ignored);
    return ok;
}

static void must(const char *path, const char *json, struct strbuf *out) {
    if (!post(path, json, out))
        test_fail(path);
}

void test_etcd_start(struct test_etcd *e) {
    char data[80], log[80];
    (void)snprintf(data, sizeof data, "%s/data", e->dir);
    (void)snprintf(log, sizeof log, "%s/etcd.log", e->dir);
    const char *const argv[] = {"/usr/bin/etcd",
                                "--data-dir",
                                data,
                                "--listen-client-urls",
                                "http://127.0.0.1:2379",
                                "--advertise-client-urls",
                                "http://127.0.0.1:2379",
                                "--listen-peer-urls",
                                "http://127.0.0.1:2380",
                                NULL};
    e->pid = test_spawn(argv, log);
    for (int i = 0; i < 300; i++) {
        struct strbuf out = {0};
        struct dcs_status s = {0};
        bool up = post("/v3/maintenance/status", "{}", &out) && dcs_read_status(strbuf_str(&out), &s) && s.leader;
        strbuf_done(&out);
        if (up)
            return;
        test_pause_ms(50);
    }
    test_fail("etcd does not start");
}

void test_etcd_kill(struct test_etcd *e) {
    if (!e->pid)
        return;
    (void)kill(e->pid, SIGKILL);
    (void)waitpid(e->pid, NULL, 0);
    e->pid = 0;
}

void test_etcd_signal(const struct test_etcd *e, int sig) {
    (void)kill(e->pid, sig);
}

void test_etcd_done(struct test_etcd *e) {
    test_etcd_kill(e);
    (void)fs_remove_tree(e->dir, NULL);
}

static void add_key(struct strbuf *b, const char *key) {
    strbuf_add(b, "{\"key\":\"");
    base64_encode(b, key, strlen(key));
    strbuf_add(b, "\"");
}

void test_etcd_put(const struct test_etcd *e, const char *key, const char *value, int64_t lease) {
    cleanup_strbuf struct strbuf b = {0};
    (void)e;
    add_key(&b, key);
    strbuf_add(&b, ",\"value\":\"");
    base64_encode(&b, value, strlen(value));
    strbuf_addf(&b, "\",\"lease\":\"%" PRId64 "\"}", lease);
    must("/v3/kv/put", b.data, NULL);
}

void test_etcd_delete(const struct test_etcd *e, const char *key) {
    cleanup_strbuf struct strbuf b = {0};
    (void)e;
    add_key(&b, key);
    strbuf_add(&b, "}");
    must("/v3/kv/deleterange", b.data, NULL);
}

int64_t test_etcd_lease(const struct test_etcd *e, int ttl_s) {
    cleanup_strbuf struct strbuf b = {0}, out = {0};
    (void)e;
    strbuf_addf(&b, "{\"TTL\":\"%d\"}", ttl_s);
    must("/v3/lease/grant", b.data, &out);
    cleanup_json cJSON *o = cJSON_Parse(out.data);
    return strtoll(json_str(o, "ID", "0"), NULL, 10);
}

void test_etcd_keepalive(const struct test_etcd *e, int64_t lease) {
    cleanup_strbuf struct strbuf b = {0};
    (void)e;
    strbuf_addf(&b, "{\"ID\":\"%" PRId64 "\"}", lease);
    must("/v3/lease/keepalive", b.data, NULL);
}

void test_etcd_compact(const struct test_etcd *e) {
    cleanup_strbuf struct strbuf b = {0}, out = {0};
    struct dcs_status s = {0};
    (void)e;
    must("/v3/maintenance/status", "{}", &out);
    (void)dcs_read_status(strbuf_str(&out), &s);
    strbuf_addf(&b, "{\"revision\":\"%" PRId64 "\"}", s.header.revision);
    must("/v3/kv/compaction", b.data, NULL);
}
