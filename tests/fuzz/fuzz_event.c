// SPDX-License-Identifier: PostgreSQL
// libFuzzer target (clang, -DBASCULE_FUZZ=ON): any bytes are one line of an event log. What is accepted must survive
// being written and read again.
#include "lab/record/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct event ev, back;
    if (event_from_json((const char *)data, size, &ev, NULL) < 0)
        return 0;
    struct strbuf a = {0}, b = {0};
    event_to_json(&ev, &a);
    if (event_from_json(a.data, a.len, &back, NULL) < 0)
        abort();
    event_to_json(&back, &b);
    if (!str_eq(a.data, b.data))
        abort();
    strbuf_done(&a);
    strbuf_done(&b);
    return 0;
}
