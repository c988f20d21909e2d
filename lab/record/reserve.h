// SPDX-License-Identifier: PostgreSQL
#pragma once
// Room for the last words. A file that is appended to keeps blocks beyond its end (fallocate(2), FALLOC_FL_KEEP_SIZE): on a disk that is
// full these are still there, whoever filled it, so the reason and the end of a run can be written. The next blocks are asked for long
// before these are used up; a refusal is thus known while everything can still be written.
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// The last ticks, the final read of sixteen nodes with lost writes and run.end took 200 kB at most; twice the records of a second at 5000 a second.
#define RESERVE_LOG    (UINT64_C(1) << 20)
#define RESERVE_LEDGER (UINT64_C(512) << 10)

struct reserve {
    uint64_t until; // the file's blocks reach to here
    bool refused;   // said once: no more are asked for
};

// Call it when the file has just been made (size 0) and after each write; `size` is what the file holds now. Returns 0 while `ahead` more
// bytes have their room; -ENOSPC, -EDQUOT or -EFBIG (RLIMIT_FSIZE) once when they no longer do: then at least seven eighths of `ahead` are left.
// A file system that can't keep blocks (NFS before 4.2) is asked for its free space instead, which is a guess.
int reserve_ahead(struct reserve *r, int fd, uint64_t size, uint64_t ahead);
// Gives back what is beyond the end of the file.
void reserve_release(struct reserve *r, int fd, uint64_t size);
