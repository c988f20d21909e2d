// SPDX-License-Identifier: PostgreSQL
// Preloaded into PostgreSQL and Patroni of a lab with `clock: adjustable`: what they read from the wall clock is off by the
// nanoseconds in a small file, at once. Monotonic clocks and sleeps are left alone, as by settimeofday(2)
// (docs/decisions/watchdog-and-clock.md says why not libfaketime).
//
// It must load into the programs of any image, with an older libc than the one it was built with: so it is linked with no library,
// and its undefined names carry no version. It reads the file's mapping and holds no lock: safe in signal handlers and after fork.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BILLION INT64_C(1000000000)
#define PUBLIC  __attribute__((visibility("default")))

static const int64_t zero;
static const int64_t *offset = &zero; // nanoseconds, in the mapped file
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_sem_timedwait)(sem_t *, const struct timespec *);

// Which file: that of PostgreSQL, of Patroni (a Python program), or none (pg_ctl, cp, ...).
static const char *file_of(const char *exe) {
    const char *base = strrchr(exe, '/') ? strrchr(exe, '/') + 1 : exe;
    if (strcmp(base, "postgres") == 0)
        return "/postgres";
    return strncmp(base, "python", 6) == 0 ? "/patroni" : NULL;
}

static void map_file(void) {
    const char *folder = getenv("BASCULE_CLOCK"), *file;
    char exe[256], path[256];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (!folder || n <= 0)
        return;
    exe[n] = '\0';
    file = file_of(exe);
    if (!file || strlen(folder) + strlen(file) >= sizeof path)
        return;
    memcpy(path, folder, strlen(folder));
    memcpy(path + strlen(folder), file, strlen(file) + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    void *at = lseek(fd, 0, SEEK_END) < (off_t)sizeof *offset
                   ? MAP_FAILED
                   : mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (at != MAP_FAILED)
        offset = at;
}

__attribute__((constructor)) static void begin(void) {
    int saved = errno;
    *(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    *(void **)&real_sem_timedwait = dlsym(RTLD_NEXT, "sem_timedwait");
    map_file();
    errno = saved;
}

static void shift(struct timespec *t, int64_t by) {
    int64_t ns = t->tv_nsec + by % BILLION;
    t->tv_sec += by / BILLION;
    if (ns < 0 || ns >= BILLION) {
        t->tv_sec += ns < 0 ? -1 : 1;
        ns += ns < 0 ? BILLION : -BILLION;
    }
    t->tv_nsec = ns;
}

// Other constructors may ask before ours has run: then the kernel itself answers.
PUBLIC int clock_gettime(clockid_t clock, struct timespec *t) {
    int r = real_gettime ? real_gettime(clock, t) : (int)syscall(SYS_clock_gettime, clock, t);
    if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        shift(t, __atomic_load_n(offset, __ATOMIC_RELAXED));
    return r;
}

PUBLIC int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
    struct timespec t;
    (void)zone; // obsolete: "The use of the timezone structure is obsolete" (gettimeofday(2))
    if (clock_gettime(CLOCK_REALTIME, &t) < 0)
        return -1;
    *tv = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}

PUBLIC time_t time(time_t *ret) {
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) < 0)
        return -1;
    if (ret)
        *ret = t.tv_sec;
    return t.tv_sec;
}

// Python before 3.11 makes the deadlines of its locks from the wall clock: the kernel must see them in its own.
PUBLIC int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict deadline) {
    struct timespec t = *deadline;
    if (!real_sem_timedwait) {
        errno = ENOSYS;
        return -1;
    }
    shift(&t, -__atomic_load_n(offset, __ATOMIC_RELAXED));
    return real_sem_timedwait(sem, &t);
}
