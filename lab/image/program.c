// SPDX-License-Identifier: PostgreSQL
#include "lab/image/program.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { LINE_MAX_LEN = 4096 };

static int stream(int fd, int flags) {
    return fd >= 0 ? fcntl(fd, F_DUPFD, 3) : open("/dev/null", flags);
}

_Noreturn void program_exec(const char *const *argv, int in, int out, int err) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int streams[3] = {stream(in, O_RDONLY), stream(out, O_WRONLY), stream(err, O_WRONLY)};
    for (int i = 0; i < 3; i++)
        if (streams[i] < 0 || dup2(streams[i], i) < 0)
            _exit(127);
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    (void)setenv("LC_ALL", "C", 1);
    (void)execvp(argv[0], (char *const *)argv); // execvp writes neither the array nor the strings
    _exit(127);
}

pid_t program_start(const char *const *argv, int in, int out, int err_fd, struct err *err) {
    pid_t pid = fork();
    if (pid == 0)
        program_exec(argv, in, out, err_fd);
    return pid < 0 ? (pid_t)err_sys(err, errno, "start %s", argv[0]) : pid;
}

bool program_find(const char *name, char ret[static PATH_MAX]) {
    const char *path = getenv("PATH");
    cleanup_free char *all = xasprintf("%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin", path ? path : "");
    char *save = NULL;
    for (char *dir = strtok_r(all, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
        (void)snprintf(ret, PATH_MAX, "%s/%s", dir, name);
        if (access(ret, X_OK) == 0)
            return true;
    }
    return false;
}

// ---- lines ---------------------------------------------------------------------------------------------------------------

void line_reader_done(struct line_reader *r) {
    strbuf_done(&r->partial);
}

static void give_line(struct line_reader *r) {
    if (r->partial.len == 0)
        return;
    r->line(r->arg, strbuf_str(&r->partial));
    strbuf_clear(&r->partial);
}

// False at the end of the stream.
static bool read_some(struct line_reader *r) {
    char chunk[4096];
    ssize_t n = read(r->fd, chunk, sizeof chunk);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    for (ssize_t i = 0; i < n; i++) {
        if (chunk[i] == '\n' || chunk[i] == '\r' || r->partial.len >= LINE_MAX_LEN)
            give_line(r);
        else
            strbuf_addn(&r->partial, &chunk[i], 1);
    }
    if (n <= 0)
        give_line(r);
    return n > 0;
}

int program_read_lines(struct line_reader *readers, size_t n, const struct image_ui *ui, struct err *err) {
    struct pollfd p[4];
    size_t open_ones = n;
    for (size_t i = 0; i < n; i++)
        p[i] = (struct pollfd){.fd = readers[i].fd, .events = POLLIN};
    while (open_ones > 0) {
        if (image_stopped(ui))
            return err_set(err, ECANCELED, "interrupted");
        int got = poll(p, n, 500);
        if (ui && ui->tick)
            ui->tick(ui->arg);
        for (size_t i = 0; got > 0 && i < n; i++) {
            if (p[i].fd < 0 || !p[i].revents || read_some(&readers[i]))
                continue;
            p[i].fd = -1; // poll passes it over
            int r = readers[i].end ? readers[i].end(readers[i].arg, err) : 0;
            if (r < 0)
                return r;
            open_ones--;
        }
    }
    return 0;
}

void complaint_line(struct complaint *c, const char *line) {
    if (strstr(line, "No space left on device") || strstr(line, "Disk quota exceeded") ||
        strstr(line, "enough free space"))
        c->disk_full = true;
    if (sscanf(line, "Total bytes read: %" SCNu64, &c->bytes) == 1)
        return;
    c->too_deep |= strstr(line, "File name too long") != NULL;
    if (!*c->first)
        STR_COPY(c->first, line);
}
