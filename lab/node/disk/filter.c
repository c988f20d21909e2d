// SPDX-License-Identifier: PostgreSQL
// The filter of a service: chosen system calls wait for the agent's word, all others pass untouched. It knows numbers
// and flags only; the agent looks at the file. Needs Linux 5.19: WAIT_KILLABLE_RECV makes a call that the agent has
// taken wait for nothing but its answer or SIGKILL, as a process in disk sleep does. Without it every signal would
// interrupt and restart the call, and Go's runtime (etcd) sends itself one each time it preempts a goroutine.
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab/base/vec.h"
#include "lab/node/disk/agent.h"
#include "lab/sandbox/native_arch.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define FILTER_FLAGS (SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

static const struct disk_call calls[] = {
    {SYS_fsync, DISK_SYNC, -1, -1},      {SYS_fdatasync, DISK_SYNC, -1, -1}, {SYS_syncfs, DISK_SYNC, -1, -1},
    {SYS_write, DISK_WRITE, -1, -1},     {SYS_pwrite64, DISK_WRITE, -1, -1}, {SYS_writev, DISK_WRITE, -1, -1},
    {SYS_pwritev, DISK_WRITE, -1, -1},   {SYS_pwritev2, DISK_WRITE, -1, -1}, {SYS_ftruncate, DISK_WRITE, -1, -1},
    {SYS_fallocate, DISK_WRITE, -1, -1}, {SYS_pread64, DISK_READ, -1, -1},   {SYS_preadv, DISK_READ, -1, -1},
    {SYS_preadv2, DISK_READ, -1, -1},    {SYS_openat, DISK_NAMES, 1, 2},     {SYS_unlinkat, DISK_NAMES, 1, -1},
    {SYS_renameat, DISK_NAMES, 1, -1},   {SYS_renameat2, DISK_NAMES, 1, -1}, {SYS_mkdirat, DISK_NAMES, 1, -1},
    {SYS_truncate, DISK_NAMES, 0, -1},
#ifdef SYS_open // not on newer architectures
    {SYS_open, DISK_NAMES, 0, 1},        {SYS_creat, DISK_NAMES, 0, -1},     {SYS_unlink, DISK_NAMES, 0, -1},
    {SYS_rename, DISK_NAMES, 0, -1},     {SYS_mkdir, DISK_NAMES, 0, -1},     {SYS_rmdir, DISK_NAMES, 0, -1},
#endif
};

const struct disk_call *disk_call_find(int nr) {
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        if (calls[i].nr == nr)
            return &calls[i];
    return NULL;
}

static struct sock_filter *add(struct sock_filter *at, struct sock_filter one) {
    *at = one;
    return at + 1;
}

// The low half of a 64-bit argument; both our architectures are little-endian.
static uint32_t arg_offset(int arg) {
    return (uint32_t)offsetof(struct seccomp_data, args) + 8 * (uint32_t)arg;
}

static size_t program(unsigned layer, struct sock_filter *p) {
    struct sock_filter *at = p;
    at = add(at, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
    at = add(at, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
    at = add(at, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    at = add(at, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        const struct disk_call *c = &calls[i];
        if (!(layer & c->class))
            continue;
        bool flags = c->flags_arg >= 0;
        at = add(at, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->nr, 0, flags ? 4 : 1));
        if (flags) {
            at = add(at, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arg_offset(c->flags_arg)));
            at = add(at, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC,
                                                      1, 0));
            at = add(at, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        }
        at = add(at, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
    }
    at = add(at, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    return (size_t)(at - p);
}

static int hand_over(int socket, int listener) {
    char byte = 'l';
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof listener);
    memcpy(CMSG_DATA(c), &listener, sizeof listener);
    return sendmsg(socket, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int disk_filter_install(unsigned layer, int handoff) {
    struct sock_filter code[8 + 6 * ARRAY_SIZE(calls)];
    struct sock_fprog prog = {.len = (unsigned short)program(layer, code), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, FILTER_FLAGS, &prog);
    if (fd < 0)
        return -errno;
    int r = hand_over(handoff, (int)fd);
    (void)close((int)fd);
    return r;
}

// Asked with a program that can't be read: a kernel that knows every flag gets as far as that (EFAULT).
int node_disk_supported(struct err *err) {
    if (NATIVE_ARCH == 0)
        return err_set(err, ENOSYS, "storage faults are written for x86-64 and arm64 only");
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, FILTER_FLAGS, NULL) < 0 && errno == EFAULT)
        return 0;
    return err_set(err, ENOSYS,
                   "this kernel has no seccomp user notification with WAIT_KILLABLE_RECV (%s); it needs Linux 5.19 or "
                   "newer, and a container must not forbid seccomp(2)",
                   strerror(errno));
}
