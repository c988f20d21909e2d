// SPDX-License-Identifier: PostgreSQL
// The host's root as a node's: its programs and libraries, and nothing that a command in the node could harm or should not read.
// Everything of the host is read-only, mount by mount, whatever its modes say: the lab's user may write there, and a student who
// empties a "machine" with rm -rf would empty his own folders. What belongs to people is covered by empty folders. Nobody in a node
// can undo this: its processes have no capabilities, and in a user namespace of their own these mounts are locked
// (mount_namespaces(7), "Restrictions on mount namespaces").
#include <limits.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/node/internal.h"
#include "lab/sandbox/mounts.h"
#include "lab/sandbox/sandbox.h"

static const char *const hidden[] = {"/home", "/root", "/mnt", "/media", "/srv", "/var/mail", "/var/spool"};
// Covered as well, by something of the node's own.
static const char *const own[] = {"/var/tmp", "/tmp", "/run", "/dev"};
// A home that lies in one of these is not covered: the node lives from them.
static const char *const system_folders[] = {"/usr", "/bin", "/sbin", "/lib", "/etc", "/proc", "/sys", "/boot"};

static bool below_one(const char *path, const char *const *folders, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (fs_is_below(path, folders[i]))
            return true;
    return false;
}

static bool is_own_folder(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

// A home of the lab's user elsewhere (/data/alice): covered when it is his, and nothing that a node needs lies in it or around it.
static bool covers_as_home(const char *home, char ret[static PATH_MAX]) {
    static const char *const needed[] = {"/var/lib/postgresql", "/var/lib/etcd", "/var/log"};
    if (str_empty(home) || *home != '/' || !realpath(home, ret) || !ret[1] || !is_own_folder(ret))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (fs_is_below(needed[i], ret) || fs_is_below(ret, needed[i]))
            return false;
    return !below_one(ret, system_folders, ARRAY_SIZE(system_folders)) && !below_one(ret, hidden, ARRAY_SIZE(hidden)) &&
           !below_one(ret, own, ARRAY_SIZE(own));
}

static const char *const *homes(void) {
    static const char *list[3];
    list[0] = sandbox_home();
    list[1] = getenv("HOME");
    return list;
}

bool node_hides(const char *path) {
    char home[PATH_MAX], real[PATH_MAX];
    if (!realpath(path, real))
        (void)str_copy(real, sizeof real, path);
    if (below_one(real, hidden, ARRAY_SIZE(hidden)) || below_one(real, own, ARRAY_SIZE(own)))
        return true;
    for (size_t i = 0; i < 2; i++)
        if (covers_as_home(homes()[i], home) && fs_is_below(real, home))
            return true;
    return false;
}

// The folder itself where the path is a link (/home -> /data/home).
static int cover(const char *path, struct err *err) {
    char real[PATH_MAX];
    struct stat st;
    if (!realpath(path, real) || !real[1] || stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
        return 0;
    return mount_tmpfs(real, "mode=755,size=4k,nr_inodes=2", err);
}

int root_hide_host(struct err *err) {
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(hidden) && r == 0; i++)
        r = cover(hidden[i], err);
    for (size_t i = 0; i < 2 && r == 0; i++) {
        char home[PATH_MAX];
        if (covers_as_home(homes()[i], home))
            r = cover(home, err);
    }
    // What is open for writing at this moment is open in other mounts: these are fresh copies, so nothing is busy.
    if (r == 0)
        r = mount_read_only("/", true, err);
    // The node's own /etc, an overlay or a folder of its disk, was mounted before: an upper layer must not be read-only then.
    if (r == 0)
        r = mount_writable("/etc", err);
    return r < 0 || access("/var/tmp", F_OK) < 0 ? r : mount_tmpfs("/var/tmp", "mode=1777", err);
}
