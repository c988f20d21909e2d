// SPDX-License-Identifier: PostgreSQL
#include "lab/record/ledger.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lab/base/fs.h"

// A run folder copied from another machine may have the other byte order, and a newer program another record: both are
// refused with a reason instead of being misread.
struct ledger_header {
    char magic[8];
    uint32_t record_size;
    uint32_t byte_order; // 0x01020304 as the writer's machine stores it
};
_Static_assert(sizeof(struct ledger_header) == 16, "the ledger's header is 16 bytes");
#define BYTE_ORDER_MARK UINT32_C(0x01020304)

int ledger_create(const char *path, int *ret_fd, struct err *err) {
    struct ledger_header h = {.record_size = sizeof(struct ledger_record), .byte_order = BYTE_ORDER_MARK};
    memcpy(h.magic, LEDGER_MAGIC, sizeof h.magic);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_sys(err, errno, "create the ledger '%s'", path);
    int r = fs_write_all(fd, &h, sizeof h);
    if (r < 0)
        return err_sys(err, -r, "write to the ledger '%s'", path);
    *ret_fd = STEAL_FD(fd);
    return 0;
}

int ledger_append(struct ledger_writer *w, const struct ledger_record *records, size_t n) {
    if (w->fd < 0 || w->failed)
        return 0;
    if (!w->size)
        w->size = sizeof(struct ledger_header);
    int r = fs_write_all(w->fd, records, n * sizeof *records);
    if (r < 0) {
        w->failed = true;
        (void)!ftruncate(w->fd, (off_t)w->size); // the piece that got out
        return w->reserve.refused ? 0 : r;
    }
    w->size += n * sizeof *records;
    return reserve_ahead(&w->reserve, w->fd, w->size, RESERVE_LEDGER);
}

void ledger_close(struct ledger_writer *w) {
    if (w->fd < 0)
        return;
    reserve_release(&w->reserve, w->fd, w->size);
    (void)close(STEAL_FD(w->fd));
}

static int check_header(const char *path, FILE *f, struct err *err) {
    struct ledger_header h;
    if (fread(&h, sizeof h, 1, f) != 1 ||
        (memcmp(h.magic, LEDGER_MAGIC, sizeof h.magic) != 0 && memcmp(h.magic, LEDGER_MAGIC_OLD, sizeof h.magic) != 0))
        return err_set(err, EINVAL, "'%s' is not a ledger of bascule", path);
    if (h.byte_order != BYTE_ORDER_MARK)
        return err_set(err, EINVAL, "the ledger '%s' was written on a machine of another byte order", path);
    if (h.record_size != sizeof(struct ledger_record))
        return err_set(err, EINVAL, "the ledger '%s' has records of %u bytes, this program reads %zu", path,
                       h.record_size, sizeof(struct ledger_record));
    return 0;
}

static bool sane_sqlstate(const char *s) { // five digits and capitals, or nothing
    size_t n = strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return !s[n] && (n == 0 || n == 5);
}

static bool sane(const struct ledger_record *r) {
    return (r->op == LEDGER_WRITE || r->op == LEDGER_READ) && r->result >= LEDGER_OK && r->result <= LEDGER_UNKNOWN &&
           r->phase <= LEDGER_PHASE_TIMEOUT && !(r->flags & ~LEDGER_FLAG_LOCAL_ONLY) && r->scheduled <= USEC_LONGEST &&
           r->invoked <= USEC_LONGEST && r->returned <= USEC_LONGEST && r->id <= UINT64_C(1) << 53 &&
           sane_sqlstate(r->sqlstate) && r->more <= LEDGER_MORE_MAX;
}

int64_t ledger_read(const char *path, bool (*fn)(void *arg, const struct ledger_record *r), void *arg,
                    struct err *err) {
    int fd = fs_open_file(path, err);
    cleanup_file FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    if (fd < 0) {
        (void)err_wrap(err, "open the ledger");
        return fd;
    }
    if (!f) {
        (void)close(fd);
        return err_sys(err, ENOMEM, "open the ledger '%s'", path);
    }
    int r = check_header(path, f, err);
    if (r < 0)
        return r;
    struct ledger_record batch[256];
    int64_t total = 0;
    size_t n;
    while ((n = fread(batch, sizeof batch[0], ARRAY_SIZE(batch), f)) > 0)
        for (size_t i = 0; i < n; i++) {
            total++;
            batch[i].sqlstate[sizeof batch[i].sqlstate - 1] = '\0';
            if (!sane(&batch[i]))
                batch[i] = (struct ledger_record){.op = LEDGER_BROKEN};
            if (!fn(arg, &batch[i]))
                return total;
        }
    if (ferror(f))
        return err_sys(err, errno, "read the ledger '%s'", path);
    return total;
}
