// SPDX-License-Identifier: PostgreSQL
#pragma once
// Programs that do the work (mmdebstrap, tar), and reading what they say. Private to lab/image.
#include <sys/types.h>

#include "lab/image/store.h"

// In a forked child: standard streams from these descriptors (-1 = /dev/null), nothing else inherited, default signals, killed with
// its parent, LC_ALL=C so that messages can be recognised. Does not return; exit status 127 when it can't be executed.
_Noreturn void program_exec(const char *const *argv, int in, int out, int err);
// fork and program_exec. The pid, or -errno.
pid_t program_start(const char *const *argv, int in, int out, int err_fd, struct err *err);
// The absolute path of a program in PATH or where administrators' programs lie (a plain user's PATH lacks /usr/sbin).
bool program_find(const char *name, char ret[static PATH_MAX]);

// A stream of lines.
struct line_reader {
    int fd;                                    // borrowed
    void (*line)(void *arg, const char *line); // without its newline
    int (*end)(void *arg,
               struct err *err); // the stream is over; negative: don't wait for the others. NULL = nobody wants to know
    void *arg;
    struct strbuf partial;
};
void line_reader_done(struct line_reader *r);
// Reads all of them until each is at its end. Ticks about once a second. -ECANCELED as soon as the ui says stop; what an `end` says
// when that is negative.
int program_read_lines(struct line_reader *readers, size_t n, const struct image_ui *ui, struct err *err);

// What a program had to say: the first line that speaks of an error, and what kind it was.
struct complaint {
    char first[512]; // "" = nothing
    bool disk_full, too_deep;
    uint64_t bytes; // tar's "Total bytes read", which is no complaint
};
void complaint_line(struct complaint *c, const char *line);
