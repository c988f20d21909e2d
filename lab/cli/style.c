// SPDX-License-Identifier: PostgreSQL
#include "lab/cli/style.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lab/base/str.h"
#include "lab/base/terminal.h"

struct report_style cli_style(int fd) {
    (void)setlocale(LC_CTYPE, "");
    struct report_style s = {.width = 80,
                             .utf8 = str_eq(nl_langinfo(CODESET), "UTF-8"),
                             .mark = terminal_mark(fd == STDERR_FILENO ? stderr : stdout)};
    struct winsize w;
    if (isatty(fd)) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
        s.colour = str_empty(no_color) && !(term && str_eq(term, "dumb"));
        if (ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40)
            s.width = w.ws_col;
    }
    return s;
}
