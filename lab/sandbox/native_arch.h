// SPDX-License-Identifier: PostgreSQL
#pragma once
// The architecture whose system calls a seccomp filter of ours may judge (struct seccomp_data, arch); 0 = one for which none is written.
#include <linux/audit.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#define NATIVE_ARCH 0
#endif
