// SPDX-License-Identifier: PostgreSQL
// The settings bounds are computed from, out of Patroni's configuration key as the DCS watch delivers it: no question to Patroni
// is needed, and a change by patronictl edit-config is seen the moment it is made.
#include "lab/observe/patroni/patroni.h"
#include "lab/observe/patroni/patroni_json.h"

static void tell(void *arg, const char *key, const char *value) {
    const struct observer *o = arg;
    struct event ev = EVENT_NEW(CONFIG);
    STR_COPY(ev.u.CONFIG.key, key);
    STR_COPY(ev.u.CONFIG.value, value);
    sink_emit(o->sink, &ev);
}

void config_emit(struct observer *o, const char *json) {
    (void)patroni_read_config(json, tell,
                              o); // half a key is impossible in etcd; nonsense written by hand is not our news
}
