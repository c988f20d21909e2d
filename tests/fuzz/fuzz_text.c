// SPDX-License-Identifier: PostgreSQL
// Any bytes for the small readers: durations, rates, positions, versions, parameters, selectors, lists of ids, and the message that starts
// a process in a node. The first byte chooses one.
#include "injector/injector.h"
#include "lab/base/lsn.h"
#include "lab/base/rate.h"
#include "lab/base/utf8.h"
#include "lab/base/version.h"
#include "lab/ha/patroni/laws.h"
#include "lab/ha/patroni/patroni.h"
#include "lab/measure/idset.h"
#include "lab/node/proto.h"
#include "lab/plan/selector.h"
#include "lab/record/fault_params.h"
#include "lab/scenario/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void numbers(const char *text) {
    char buf[USEC_TEXT_MAX], rate_text[32], lsn_text[LSN_TEXT_MAX];
    usec_t t = 0;
    uint64_t rate = 0;
    lsn_t lsn = 0, back;
    if (usec_parse(text, &t) == 0 && t > USEC_LONGEST)
        abort();
    if (rate_parse(text, &rate) == 0)
        (void)rate_format(rate_text, (double)rate);
    if (lsn_parse(text, &lsn) && (!lsn_parse(lsn_format(lsn_text, lsn), &back) || back != lsn))
        abort();
    (void)usec_format(buf, t);
    size_t bad = 0;
    const char *why = NULL;
    if (!version_range_check(text, &bad, &why) && (bad > strlen(text) || !why))
        abort();
    (void)version_in_range(text, "4.0.4");
    (void)version_in_range(">= 2.0, < 3.0.3", text);
    (void)version_known(text);
}

static void ids(const char *text) {
    struct idset s = {0};
    int64_t twice = idset_add_ranges(&s, text);
    if (twice == 0 && idset_count(&s) > IDSET_MAX)
        abort();
    idset_done(&s);
}

static void params(const char *text) {
    char value[8];
    const char *words;
    (void)fault_params_are(text, "path", "all");
    (void)fault_params_get(text, "path", value, sizeof value);
    (void)fault_params_postmaster(text);
    (void)patroni_system.said("patroni", text, &words);
    const struct ha_fault f = {.mechanism = "net.drop", .params = text, .nodes = text, .leader = "n1"};
    (void)law_of(&f);
    (void)law_etcd_leader_hit(&f, "n1");
    (void)law_old_primary_lives(&f);
}

// "mechanism key value key value ..." as `bascule inject` hands it over.
static void inject(char *text) {
    struct err err = {0};
    setting_list list = {0};
    char *mechanism = strsep(&text, "\n"), *key, *value;
    while ((key = strsep(&text, "\n")) && (value = strsep(&text, "\n"))) {
        struct setting *s = VEC_ADD(&list);
        s->key = key;
        s->value = value;
    }
    (void)mechanism_check_params(fault_vocabulary(), mechanism, &list, &err);
    VEC_DONE(&list);
}

static void selectors(const char *text) {
    static struct topology *t; // of a shipped file, once
    struct diags d = {0};
    struct err err = {0};
    struct selector s;
    const struct read_options o = {.vocabulary = fault_vocabulary(), .topology_dir = "scenarios/topologies", .seed = 1};
    if (!t && topology_read("patroni-3", &o, &d, &t, &err) < 0)
        abort();
    diags_done(&d);
    (void)selector_parse(text, t, &s, &err);
    static const char *const words[] = {"leader", "any_replica", "n1", NULL};
    (void)str_nearest(text, words);
    (void)str_list_has(text, "n1");
}

static void start(const uint8_t *data, size_t size) {
    struct request rq = {.argc = size ? data[0] % 8U : 0, .envc = size > 1 ? data[1] : 0};
    struct start_strings s;
    cleanup_free char *copy = xmalloc(size + 1);
    memcpy(copy, data, size);
    if (start_strings_read(&rq, copy, size, &s) == 0)
        start_strings_done(&s);
}

static void repair(const char *text) {
    char small[16], large[512];
    (void)STR_COPY(small, text);
    (void)STR_COPY(large, text);
    utf8_repair(small, sizeof small);
    utf8_repair(large, sizeof large);
    for (const char *p = large; *p; p += utf8_len(p))
        if (utf8_len(p) == 0)
            abort();
    for (const char *p = small; *p; p += utf8_len(p))
        if (utf8_len(p) == 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    cleanup_free char *text = xstrndup((const char *)data + 1, size - 1);
    switch (data[0] % 7) {
    case 0:
        numbers(text);
        break;
    case 1:
        ids(text);
        break;
    case 2:
        params(text);
        break;
    case 3:
        inject(text);
        break;
    case 4:
        selectors(text);
        break;
    case 5:
        start(data + 1, size - 1);
        break;
    default:
        repair(text);
        break;
    }
    return 0;
}
