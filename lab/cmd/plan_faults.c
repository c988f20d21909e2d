// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/plan_faults.h"

#include "injector/injector.h"

int plan_check_faults(const char *path, const struct plan *plan, bool host_too, struct diags *d) {
    int bad = 0;
    VEC_FOREACH (&plan->steps, s) {
        struct err err = {0};
        if ((s->kind != STEP_INJECT && s->kind != STEP_ACTION) ||
            fault_check(s->mechanism, plan->topology, &s->targets, &s->params, &err) >= 0)
            continue;
        bool mistake = err.code == EINVAL || err.code == ENOENT;
        if (mistake || host_too)
            diag_add(d, mistake ? DIAG_ERROR : DIAG_WARNING, path, s->line, 1, "%s", err.msg);
        bad = mistake ? -EINVAL : bad;
    }
    return bad;
}
