// SPDX-License-Identifier: PostgreSQL
#include "lab/sandbox/caps.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int caps_get(struct __user_cap_data_struct data[2]) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capget, &head, data) < 0 ? -errno : 0;
}

static int caps_set(struct __user_cap_data_struct data[2]) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static void forget_sets(void) {
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); // refused without CAP_SETPCAP: then there is nothing to gain either
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int caps_drop(struct err *err) {
    struct __user_cap_data_struct none[2] = {0};
    forget_sets();
    int r = caps_set(none);
    return r < 0 ? err_sys(err, -r, "give up capabilities") : 0;
}

int caps_guard(struct err *err) {
    // The kernel asks for it in the first user namespace only (kernel/time/alarmtimer.c, capable(CAP_WAKE_ALARM)).
    struct __user_cap_data_struct one[2] = {0};
    __auto_type set = &one[CAP_TO_INDEX(CAP_WAKE_ALARM)];
    set->permitted = set->effective =
        CAP_TO_MASK(CAP_WAKE_ALARM); // effective: a guarded one may look at another (/proc asks for it)
    forget_sets();
    int r = caps_set(one);
    return r < 0 ? err_sys(err, -r, "give up capabilities") : 0;
}

int caps_keep_over_exec(unsigned cap, struct err *err) {
    struct __user_cap_data_struct data[2];
    int r = caps_get(data);
    if (r == 0) {
        data[CAP_TO_INDEX(cap)].inheritable |= CAP_TO_MASK(cap);
        r = caps_set(data);
    }
    if (r == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)cap, 0, 0) < 0)
        r = -errno;
    return r < 0 ? err_sys(err, -r, "keep capability %u for a program", cap) : 0;
}

bool caps_any(void) {
    struct __user_cap_data_struct data[2];
    return caps_get(data) < 0 || data[0].permitted || data[1].permitted;
}
