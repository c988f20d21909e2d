// SPDX-License-Identifier: PostgreSQL
// Any bytes as a scenario, and as a configuration file: no crash, no hang, and either a plan or at least one complaint. Run from the project's
// folder, so that topologies are found by name.
#include <stdint.h>
#include <stdlib.h>

#include "injector/injector.h"
#include "lab/scenario/config.h"
#include "lab/scenario/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void configuration(const char *text, size_t size) {
    struct diags d = {0};
    struct config c = {0};
    int r = config_read_text("fuzz.yaml", text, size, "/home/fuzz", &d, &c);
    if ((r == 0) != (d.errors == 0))
        abort();
    config_done(&c);
    diags_done(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct read_options o = {.vocabulary = fault_vocabulary(), .topology_dir = "scenarios/topologies", .seed = 1};
    configuration((const char *)data, size);
    struct diags d = {0};
    struct plan *plan = NULL;
    struct strbuf text = {0};
    int r = scenario_read_text("fuzz.yaml", (const char *)data, size, &o, &d, &plan);
    if ((r == 0) != (plan != NULL) || (r == 0) != (d.errors == 0))
        abort();
    diags_to_text(&d, &text);
    if (plan)
        plan_to_json(plan, &text);
    strbuf_done(&text);
    plan_free(plan);
    diags_done(&d);
    return 0;
}
