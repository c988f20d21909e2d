// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/farewell.h"
#include "lab/cli/style.h"

#include "lab/cmd/follow.h"
#include "lab/cmd/result.h"
#include "lab/report/report.h"

int farewell(const char *run_dir) {
    struct err err = {0};
    struct measure *fold = NULL;
    const struct measures *m = NULL;
    if (result_fold(run_dir, &fold, &m, NULL, &err) < 0)
        return cli_fail(EXIT_BROKEN, &err);
    int code = EXIT_PASS;
    if (!*m->run.scenario) {
        struct report_style style = cli_style(STDOUT_FILENO);
        cleanup_strbuf struct strbuf text = {0};
        code = result_exit_code(report_farewell(m, &style, &text));
        (void)fputs(strbuf_str(&text), stdout);
        if (code != EXIT_PASS)
            (void)printf("The whole story: bascule report %s\n", run_dir);
        (void)fflush(stdout); // who waits for the word does not wait for the files
        result_keep(run_dir, m);
    }
    measure_free(fold);
    return code;
}
