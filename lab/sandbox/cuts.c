// SPDX-License-Identifier: PostgreSQL
#include "lab/sandbox/cuts.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/sandbox/caps.h"
#include "lab/sandbox/spawn.h"

enum { NFT_TIMEOUT_MS = 5000 }; // it takes 5 ms; a loaded machine gets a thousand times that

// Path of the program, NULL when it is not installed.
static const char *nft_find(void) {
    static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static _Noreturn void nft_child(const char *program, int ns, int in, int out) {
    spawn_reset_signals();
    if (setns(ns, CLONE_NEWNET) < 0 || caps_keep_over_exec(CAP_NET_ADMIN, NULL) < 0)
        _exit(126);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    spawn_close_from(3);
    char *argv[] = {(char[]){"nft"}, (char[]){"-f"}, (char[]){"-"}, NULL};
    char *envp[] = {(char[]){"LC_ALL=C.UTF-8"}, NULL};
    (void)execve(program, argv, envp);
    _exit(127);
}

// nft's complaint, first line only, without the place in our generated text.
static int nft_complaint(struct err *err, int status, int out) {
    char text[512];
    ssize_t n = pread(out, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (WIFEXITED(status) && *text)
        return err_set(err, EIO, "nft refused: %s", text);
    if (WIFEXITED(status))
        return err_set(err, EIO, "nft could not be run (status %d)", WEXITSTATUS(status));
    return err_set(err, EIO, "nft was ended by signal %d", WTERMSIG(status));
}

static int nft_run(const char *program, int ns, int in, int out, struct err *err) {
    cleanup_close int pidfd = -1;
    pid_t pid = spawn_clone(0, &pidfd);
    if (pid == 0)
        nft_child(program, ns, in, out);
    if (pid < 0)
        return err_sys(err, -pid, "start nft");
    bool gone = spawn_pidfd_gone(pidfd, NFT_TIMEOUT_MS);
    if (!gone)
        (void)spawn_pidfd_kill(pidfd, SIGKILL);
    int status = spawn_wait(pid);
    if (!gone)
        return err_set(err, ETIMEDOUT, "nft did not finish within %d s", NFT_TIMEOUT_MS / 1000);
    if (status < 0)
        return err_sys(err, -status, "wait for nft");
    return status == 0 ? 0 : nft_complaint(err, status, out);
}

int nft_apply(int ns, const struct strbuf *text, struct err *err) {
    const char *program = nft_find();
    if (!program)
        return err_set(err, ENOENT, "nft is not installed; as root: apt-get install nftables");
    cleanup_close int in = memfd_create("cuts", MFD_CLOEXEC);
    cleanup_close int out = memfd_create("nft-output", MFD_CLOEXEC);
    if (in < 0 || out < 0)
        return err_sys(err, errno, "make a memory file for nft");
    int r = fs_write_all(in, text->data, text->len);
    if (r < 0 || lseek(in, 0, SEEK_SET) < 0)
        return err_sys(err, r < 0 ? -r : errno, "write the rules for nft");
    return nft_run(program, ns, in, out, err);
}
