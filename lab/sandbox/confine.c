// SPDX-License-Identifier: PostgreSQL
#include "lab/sandbox/confine.h"

#include <asm/ioctls.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/base/vec.h"
#include "lab/sandbox/native_arch.h"

int confine_rights(struct err *err) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_sys(err, errno, "give up new rights");
    (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL); // refused: a kernel or container without keyrings
    return 0;
}

size_t confine_wipe(enum confine_range which, char **ret_at) {
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read("/proc/self/stat", 4096, &text, NULL) < 0)
        return 0;
    const char *field = strrchr(strbuf_str(&text), ')');
    for (int i = 2; field && i < (int)which; i++) // the name is field 2
        field = strchr(field + 1, ' ');
    unsigned long from, to;
    if (!field || sscanf(field, " %lu %lu", &from, &to) != 2 || to <= from)
        return 0;
    *ret_at = (char *)from;
    memset(*ret_at, 0, to - from);
    return to - from;
}

void confine_environment(const char *const *keep) {
    VEC(char *) kept = {0}; // lives as long as the process
    for (; keep && *keep; keep++)
        if (getenv(*keep))
            VEC_PUSH(&kept, xasprintf("%s=%s", *keep, getenv(*keep)));
    VEC_PUSH(&kept, NULL);
    environ = kept.items;
    char *original;
    (void)confine_wipe(CONFINE_ENVIRONMENT, &original);
}

int confine_terminal(struct err *err) {
    // The kernel looks at the low half of an ioctl's request only, so the filter does as well (both architectures are little-endian).
    static const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS), // int 0x80 has other numbers
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x40000000, 0, 1), // x32
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = (struct sock_filter *)code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return err_sys(err, errno, "keep its commands from typing into this terminal (seccomp)");
    return 0;
}
