// SPDX-License-Identifier: PostgreSQL
// bascule report: the story of a run, told again from its log alone. No daemons, no root, no lab.
#include "lab/cmd/follow.h"
#include "lab/cmd/result.h"
#include "lab/cmd/simple.h"

int report_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("report", SIMPLE_JSON, "RUN", "Tells a recorded run again, from its log alone. RUN is a run folder.", 1, argc, argv, &o);
    struct err err = {0};
    struct measure *fold = NULL;
    const struct measures *m = NULL;
    if (result_fold(o.args[0], &fold, &m, &err) < 0)
        return cmd_fail(EXIT_USAGE, &err);
    cleanup_strbuf struct strbuf text = {0};
    struct report_style style = follow_style(STDOUT_FILENO);
    if (o.json)
        report_json(m, &text);
    else
        report_text(m, o.args[0], &style, &text);
    (void)fputs(strbuf_str(&text), stdout);
    int code = result_exit_code(m->verdict);
    measure_free(fold);
    return code;
}
