// SPDX-License-Identifier: PostgreSQL
// The library of shim.c inside the program: nothing to install, nothing to find, and each node gets it in its own /etc.
#include "lab/stack/internal.h"

__asm__(".pushsection .rodata\n"
        ".global clock_shim\n"
        ".global clock_shim_end\n"
        "clock_shim: .incbin \"" CLOCK_SHIM "\"\n"
        "clock_shim_end:\n"
        ".popsection\n");
