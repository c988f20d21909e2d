// SPDX-License-Identifier: PostgreSQL
// disk.slow, disk.stall, disk.error, disk.readonly: what each one does to which system calls, and what a probe must meet.
#include "injector/disk/disk_rule.h"
#include "injector/disk/faults.h"
#include "injector/fault/check.h"
#include "lab/scenario/yaml/scalar.h"

static usec_t a_second(const struct fault *f) {
    (void)f;
    return SEC;
}

// ---- disk.slow -----------------------------------------------------------------------------------------------------

static usec_t delay_of(const struct fault *f) {
    char why[WHY_MAX];
    usec_t delay = 0;
    return scalar_duration(fault_param(f, "delay"), &delay, why) ? delay : 0;
}

static void slow_rule(const struct fault *f, struct disk_rule *r) {
    r->calls = DISK_SYNC;
    r->delay = delay_of(f);
}

static bool slow_met(const struct fault *f, const struct disk_answer *a, struct strbuf *out) {
    if (a->unfinished)
        strbuf_add(out, "a probe's fdatasync still waits");
    else
        strbuf_addf(out, "a probe's write and fdatasync took %.1f ms, at least %.1f were asked",
                    (double)a->took / 1000.0, (double)delay_of(f) / 1000.0);
    return a->unfinished || (a->took >= delay_of(f) && !a->open_error);
}

static usec_t slow_patience(const struct fault *f) {
    return delay_of(f) + 2 * SEC;
}

static const struct disk_rule_kind slow = {slow_rule, slow_met, slow_patience};

static int slow_check(const struct topology *t, const setting_list *params, struct err *err) {
    char why[WHY_MAX];
    const char *text = mechanism_param(&disk_slow_fault.about, params, "delay");
    usec_t delay = 0;
    if (!scalar_duration(text, &delay, why) || delay == 0 || delay > 10 * SEC)
        return err_set(err, EINVAL, "disk.slow: delay is more than 0 and at most 10s; what lasts longer is disk.stall");
    return disk_check(t, params, &disk_slow_fault, err);
}

static void slow_describe(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out,
                "# as root on each of the nodes, for every process that writes to /var/lib/%s; back: end strace\n"
                "strace -f -p PID -e trace=fsync,fdatasync -e inject=fsync,fdatasync:delay_enter=%s\n",
                fault_param(f, "disk"), fault_param(f, "delay"));
}

static const struct mechanism_param slow_params[] = {
    DISK_PARAM, FILES_PARAM, {"delay", "duration", NULL, NULL, "how long each fsync and fdatasync waits"}, {0}};

#define RULE_MECHANISM                                                                                                 \
    "Services are started with a seccomp filter that sends these calls to an agent in the node (user notification); "  \
    "it "
#define RULE_OPS                                                                                                       \
    .needs = "Linux 5.19", .check_host = node_disk_supported, .check_node = disk_check_node,                           \
    .inject = disk_rule_inject, .verify = disk_rule_verify, .heal = disk_rule_heal,                                    \
    .verify_healed = disk_rule_verify_healed, .done = disk_rule_done

const struct fault_ops disk_slow_fault = {
    .about = {.name = "disk.slow", .summary = "makes every fsync on a disk slow", .params = slow_params},
    .disk_layer = DISK_SYNC,
    .mechanism = RULE_MECHANISM "looks at the file and lets the call go on after the delay.",
    .still_works = "Reading and writing without fsync: a slow device is hidden by the page cache until something waits "
                   "for it. Each process waits for itself, there is no queue: ten at once take one delay, not ten.",
    .exercises = "Commit latency, group commit; etcd: elections and lost leases from a disk alone.",
    RULE_OPS,
    .check = slow_check,
    .disk_rule = &slow,
    .describe = slow_describe,
};

// ---- disk.stall ----------------------------------------------------------------------------------------------------

static void stall_rule(const struct fault *f, struct disk_rule *r) {
    (void)f;
    r->calls = DISK_SYNC;
    r->hold = true;
}

static bool stall_met(const struct fault *f, const struct disk_answer *a, struct strbuf *out) {
    (void)f;
    if (a->unfinished)
        strbuf_add(out, "a probe's fdatasync had no answer after 1 s");
    else
        strbuf_addf(out, "a probe's write and fdatasync came back after %.1f ms", (double)a->took / 1000.0);
    return a->unfinished;
}

static const struct disk_rule_kind stall = {stall_rule, stall_met, a_second};

static int stall_check(const struct topology *t, const setting_list *params, struct err *err) {
    return disk_check(t, params, &disk_stall_fault, err);
}

static void stall_describe(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out, "# as root on each of the nodes; back: fsfreeze -u\nfsfreeze -f /var/lib/%s\n",
                fault_param(f, "disk"));
}

static const struct mechanism_param stall_params[] = {DISK_PARAM, FILES_PARAM, {0}};

const struct fault_ops disk_stall_fault = {
    .about = {.name = "disk.stall",
              .summary = "lets every fsync on a disk hang until it is healed",
              .params = stall_params},
    .disk_layer = DISK_SYNC,
    .mechanism = RULE_MECHANISM "holds them; healing lets them go on, and nothing is lost.",
    .still_works =
        "Reading, writing into the page cache, and kill -9: on a real hung disk a killed process stays until "
        "the disk answers, here it goes at once.",
    .exercises = "Hanging commits against failed ones: who notices, and after how long.",
    RULE_OPS,
    .check = stall_check,
    .disk_rule = &stall,
    .describe = stall_describe,
    .thaws = true,
};

// ---- disk.error ----------------------------------------------------------------------------------------------------

static unsigned calls_of(const struct fault *f) {
    const char *calls = fault_param(f, "calls");
    return str_eq(calls, "write") ? DISK_WRITE : str_eq(calls, "read") ? DISK_READ : DISK_SYNC;
}

static void error_rule(const struct fault *f, struct disk_rule *r) {
    r->calls = calls_of(f);
    r->error = EIO;
}

static bool error_met(const struct fault *f, const struct disk_answer *a, struct strbuf *out) {
    unsigned calls = calls_of(f);
    int got = calls == DISK_SYNC ? a->sync_error : calls == DISK_WRITE ? a->write_error : a->read_error;
    strbuf_addf(out, "a probe's %s got %s", fault_param(f, "calls"),
                a->unfinished ? "no answer in 1 s"
                : got         ? strerror(got)
                              : "no error");
    return got == EIO;
}

static const struct disk_rule_kind error = {error_rule, error_met, a_second};

static int error_check(const struct topology *t, const setting_list *params, struct err *err) {
    const char *calls = mechanism_param(&disk_error_fault.about, params, "calls");
    if (str_eq(calls, "read") && str_eq(mechanism_param(&disk_error_fault.about, params, "disk"), "etcd"))
        return err_set(err, ENOTSUP,
                       "disk.error: etcd maps its database into memory and does not read it by a system call; take "
                       "calls: sync or write");
    return disk_check(t, params, &disk_error_fault, err);
}

static void error_describe(const struct fault *f, struct strbuf *out) {
    const char *calls = fault_param(f, "calls");
    const char *names = str_eq(calls, "sync")    ? "fsync,fdatasync"
                        : str_eq(calls, "write") ? "write,pwrite64,pwritev"
                                                 : "pread64";
    strbuf_addf(out,
                "# as root on each of the nodes, for every process that uses /var/lib/%s; back: end strace\n"
                "strace -f -p PID -e trace=%s -e inject=%s:error=EIO\n",
                fault_param(f, "disk"), names, names);
}

static const struct mechanism_param error_params[] = {
    DISK_PARAM,
    FILES_PARAM,
    {"calls", "word", "sync|write|read", "sync", "fsync and fdatasync, writes, or reads"},
    {0}};

const struct fault_ops disk_error_fault = {
    .about = {.name = "disk.error", .summary = "answers calls on a disk with EIO", .params = error_params},
    .disk_layer = DISK_SYNC | DISK_WRITE | DISK_READ,
    .mechanism = RULE_MECHANISM "answers EIO, and the call is not made.",
    .still_works = "The other calls. What was written before is still there, also in the page cache: the kernel's own "
                   "forgetting of pages after a failed fsync is not imitated.",
    .exercises = "PostgreSQL PANICs when an fsync of WAL fails and does not try again; crash recovery or failover.",
    RULE_OPS,
    .check = error_check,
    .disk_rule = &error,
    .describe = error_describe,
};

// ---- disk.readonly -------------------------------------------------------------------------------------------------

// fsync is left alone: a file system that went read-only answers 0 to it (fs/ext4/fsync.c, sb_rdonly).
static void readonly_rule(const struct fault *f, struct disk_rule *r) {
    (void)f;
    r->calls = DISK_WRITE | DISK_NAMES;
    r->error = EROFS;
}

static bool readonly_met(const struct fault *f, const struct disk_answer *a, struct strbuf *out) {
    (void)f;
    int got = a->open_error ? a->open_error : a->write_error;
    strbuf_addf(out, "a probe's %s got %s", a->open_error ? "open for writing" : "write",
                a->unfinished ? "no answer in 1 s"
                : got         ? strerror(got)
                              : "no error");
    return got == EROFS;
}

static const struct disk_rule_kind readonly = {readonly_rule, readonly_met, a_second};

static int readonly_check(const struct topology *t, const setting_list *params, struct err *err) {
    return disk_check(t, params, &disk_readonly_fault, err);
}

static void readonly_describe(const struct fault *f, struct strbuf *out) {
    strbuf_addf(
        out,
        "# as root on each of the nodes (ext4; a plain remount,ro is refused while files are open for writing)\n"
        "mount -o remount,abort /var/lib/%s\n",
        fault_param(f, "disk"));
}

static const struct mechanism_param readonly_params[] = {DISK_PARAM, {0}};

const struct fault_ops disk_readonly_fault = {
    .about = {.name = "disk.readonly",
              .summary = "answers every change of a disk with EROFS",
              .params = readonly_params},
    .disk_layer = DISK_WRITE | DISK_NAMES,
    .mechanism =
        RULE_MECHANISM "answers EROFS to writes, opens for writing, unlink, rename, mkdir and truncate, on files "
                       "that were open before too, as a file system does that aborted its journal.",
    .still_works =
        "Reading and fsync. Where the kernel forbids to read the arguments (kernel.yama.ptrace_scope 1), calls "
        "by path are judged by the process's working folder: PostgreSQL is met, etcd only by its writes.",
    .exercises = "A disk that the kernel turned read-only: reads go on, the next write is the crash.",
    RULE_OPS,
    .check = readonly_check,
    .disk_rule = &readonly,
    .describe = readonly_describe,
};
