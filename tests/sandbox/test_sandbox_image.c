// SPDX-License-Identifier: PostgreSQL
// A node made of an image: a tiny one, built here of a shell and a few tools of this host with their libraries. Its disk lies
// on a real file system, because what is left there must be removable by a plain user.
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/sandbox/fixture.h"

static char home[PATH_MAX]; // of this test: home/image is the tree, home/disk the node's

// A script of this host, outside any lab; $0 is `home`.
static int host_sh(const char *script) {
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl("/bin/sh", "/bin/sh", "-ec", script, home, (char *)NULL);
        _exit(127);
    }
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

// "postgres" is 4242 here, and somebody else has the id that postgres has on this host.
#define MAKE_IMAGE                                                                                                     \
    "cd \"$0\"; mkdir -p image/etc image/usr/bin image/var image/usr/lib/postgresql/99/bin disk log; cd image;"        \
    "ln -s usr/bin bin;"                                                                                               \
    "for p in sh cat ls rm grep id touch; do f=$(readlink -f $(command -v $p)); cp \"$f\" usr/bin/$p;"                 \
    "  ldd \"$f\" | grep -o '/[^ ]*' | while read l; do mkdir -p \".${l%/*}\"; cp -n \"$l\" \".$l\"; done; done;"      \
    "echo 99.1 >etc/debian_version; echo keep >etc/image-file;"                                                        \
    "u=$(id -u postgres) g=$(id -g postgres);"                                                                         \
    "printf 'root:x:0:0::/:/bin/sh\\nother:x:%s:%s::/:/bin/sh\\npostgres:x:4242:4343::/var/lib/postgresql:/bin/sh\\n'" \
    "  $u $g >etc/passwd;"                                                                                             \
    "printf 'root:x:0:\\nothers:x:%s:\\npostgres:x:4343:\\n' $g >etc/group;"                                           \
    "find . -printf '%P %y %m %s %T@\\n' | sort >../before"

static struct node *image_node(struct lab *lab, bool on) {
    char image[PATH_MAX + 8], disk[PATH_MAX + 8], log[PATH_MAX + 8];
    (void)snprintf(image, sizeof image, "%s/image", home);
    (void)snprintf(disk, sizeof disk, "%s/disk", home);
    (void)snprintf(log, sizeof log, "%s/log", home);
    struct node_spec spec = {
        .name = "n1", .address = "10.77.0.1", .disk_dir = disk, .log_dir = log, .image_root = image};
    CHECK_OK(node_new(lab->loop, lab->sw, &spec, &lab->sink, &lab->nodes[0], err));
    lab->n = 1;
    if (on)
        CHECK_OK(node_power_on(lab->nodes[0], err));
    return lab->nodes[0];
}

static void root_body(struct lab *lab, void *arg) {
    (void)arg;
    struct node *n = image_node(lab, true);
    CHECK(NODE_SH(lab, n, "test \"$(cat /etc/debian_version)\" = 99.1") == 0);
    CHECK(NODE_SH(lab, n, "test ! -e /etc/fstab -a ! -e /usr/bin/env -a ! -e /home -a ! -e /run/bascule") == 0);
    CHECK(NODE_SH(lab, n, "case $PATH in /usr/lib/postgresql/99/bin:*) ;; *) exit 1;; esac") == 0);
    CHECK(NODE_SH(lab, n, "test \"$(id -un):$(id -gn)\" = postgres:postgres") == 0);
    CHECK(NODE_SH(lab, n, "grep -q '^other:x:4242:4343:' /etc/passwd && grep -q '^others:x:4343:' /etc/group") == 0);
    CHECK(NODE_SH(lab, n, "test \"$(cat /etc/hostname)\" = n1 -a \"$(cat /etc/image-file)\" = keep") == 0);
    CHECK(NODE_SH(lab, n,
                  "test \"$(cat /proc/1/comm)\" = init -a \"$(ls /sys/class/net)\" = \"$(printf 'eth0\\nlo')\"") == 0);
    CHECK(NODE_SH(lab, n,
                  "echo x >/dev/null; cat /dev/urandom | { read -r y || :; } && touch /tmp/a /run/postgresql/b "
                  "/dev/shm/c /var/lib/postgresql/d /var/lib/etcd/e /var/log/f") == 0);
    CHECK(NODE_SH(lab, n, "! touch /dev/x && ! rm -f /dev/null && test -e /dev/null -a -e /dev/pts/ptmx") == 0);
    cleanup_free char *outside = xasprintf("/proc/%d/root/run/postgresql/b", (int)node_init_pid(n));
    CHECK(fs_exists(outside)); // the observers' way to its sockets
    CHECK(lab_count(lab, EVENT_SERVICE) > 0);
}
static void the_root_of_a_node_is_its_image(void **state) {
    (void)state;
    in_lab(root_body, NULL);
}

static void writes_body(struct lab *lab, void *arg) {
    (void)arg;
    struct node *n = image_node(lab, true);
    CHECK(NODE_SH(lab, n, "echo changed >/etc/image-file; echo new >/usr/bin/new; rm /usr/bin/id; touch /tmp/gone") ==
          0);
    CHECK_OK(node_power_off(n, NULL, err));
    CHECK_OK(node_power_on(n, err));
    CHECK(NODE_SH(lab, n, "test \"$(cat /etc/image-file) $(cat /usr/bin/new)\" = 'changed new'") == 0);
    CHECK(NODE_SH(lab, n, "test ! -e /usr/bin/id -a ! -e /tmp/gone") == 0);
}
static void what_a_node_writes_stays_its_own_and_outlives_a_power_cut(void **state) {
    (void)state;
    in_lab(writes_body, NULL);
    assert_int_equal(host_sh("cd \"$0/image\"; find . -printf '%P %y %m %s %T@\\n' | sort | cmp - ../before"), 0);
    assert_int_equal(host_sh("test \"$(cat \"$0/disk/root/etc/image-file\")\" = changed"), 0);
}

static void missing_body(struct lab *lab, void *arg) {
    (void)arg;
    struct err err = {0};
    struct node_spec missing = {.name = "n1",
                                .address = "10.77.0.1",
                                .disk_dir = SANDBOX_STATE "/disk",
                                .log_dir = SANDBOX_STATE "/log",
                                .image_root = "/nonexistent"};
    struct node *none = NULL;
    CHECK(node_new(lab->loop, lab->sw, &missing, &lab->sink, &none, &err) < 0 && strstr(err.msg, "/nonexistent"));
}
static void a_missing_image_is_told_by_its_path(void **state) {
    (void)state;
    in_lab(missing_body, NULL);
}

// Folders of an image that are links to a folder of the user: nothing is made there, nothing of it is seen in the node.
static void evil_body(struct lab *lab, void *arg) {
    cleanup_free char *image = xasprintf("%s/evil", home), *disk = xasprintf("%s/evil-disk", home),
                      *log = xasprintf("%s/log", home);
    struct node_spec spec = {
        .name = "n1", .address = "10.77.0.1", .disk_dir = disk, .log_dir = log, .image_root = image};
    struct err err = {0};
    if (node_new(lab->loop, lab->sw, &spec, &lab->sink, &lab->nodes[0], &err) < 0) {
        CHECK(strstr(err.msg, image)); // refused, and the image is named
        return;
    }
    lab->n = 1;
    // Without /usr there is no shell in it to ask.
    if (node_power_on(lab->nodes[0], &err) < 0 || str_eq(arg, "usr"))
        return;
    CHECK(NODE_SH(lab, lab->nodes[0], "! grep -r swordfish /etc /var/log /tmp && ! test -e /etc/victims-own") == 0);
}

static void links_of_an_image_lead_nowhere_outside(void **state) {
    (void)state;
    static const char *const places[] = {"proc", "sys",        "dev",       "run",          "tmp",
                                         "var",  "var/log",    "var/lib",   "var/lib/etcd", "etc",
                                         "usr",  "etc/passwd", "etc/group", "run/lock",     "dev/pts"};
    assert_int_equal(host_sh("cd \"$0\"; mkdir -p victim/inner; : >victim/victims-own;"
                             "printf 'swordfish:x:1:1::/:/bin/sh\\n' | tee victim/passwd >victim/group;"
                             "find victim -printf '%P %y %m %s %T@\\n' | sort >victim-before"),
                     0);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        cleanup_free char *make =
            xasprintf("cd \"$0\"; rm -rf evil evil-disk; mkdir evil-disk; cp -a image evil; cd evil;"
                      "p=%s; rm -rf $p; mkdir -p $(dirname $p); l=\"$0/victim\";"
                      "case $p in etc/*) l=$l/${p#etc/};; esac; ln -s \"$l\" $p",
                      places[i]);
        assert_int_equal(host_sh(make), 0);
        in_lab(evil_body, (void *)places[i]);
        if (host_sh("cd \"$0\"; find victim -printf '%P %y %m %s %T@\\n' | sort | diff victim-before -") != 0)
            fail_msg("%s as a link: the folder that it names was changed", places[i]);
        if (host_sh("! grep -rl swordfish \"$0/evil-disk\"") != 0)
            fail_msg("%s as a link: what it names was read", places[i]);
    }
}

static void a_plain_user_can_remove_what_is_left_of_a_disk(void **state) {
    (void)state;
    assert_int_equal(host_sh("test -d \"$0/disk/root.work\" && rm -r \"$0/disk\" && test ! -e \"$0/disk\""), 0);
}

static int setup(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(home, sizeof home, "%s/test_sandbox_image.%d", tmp ? tmp : "/tmp", (int)getpid());
    return mkdir(home, 0755) == 0 && host_sh(MAKE_IMAGE) == 0 ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    return host_sh("rm -rf \"$0\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_of_a_node_is_its_image),
        cmocka_unit_test(what_a_node_writes_stays_its_own_and_outlives_a_power_cut),
        cmocka_unit_test(a_missing_image_is_told_by_its_path),
        cmocka_unit_test(links_of_an_image_lead_nowhere_outside),
        cmocka_unit_test(a_plain_user_can_remove_what_is_left_of_a_disk),
    };
    sandbox_test_begin();
    return cmocka_run_group_tests(tests, setup, teardown);
}
