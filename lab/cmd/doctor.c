// SPDX-License-Identifier: PostgreSQL
// bascule doctor: tries what a lab needs, on this host, now. Each line: what, yes or no, and the way out.
#include <pwd.h>
#include <sys/utsname.h>

#include "injector/injector.h"
#include "lab/base/json.h"
#include "lab/cli/runs.h"
#include "lab/cli/simple.h"
#include "lab/cli/style.h"
#include "lab/cli/user_config.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/follow.h"
#include "lab/image/need.h"
#include "lab/image/store.h"
#include "lab/sandbox/sandbox.h"
#include "lab/stack/stack.h"

static const int DOCTOR_SCHEMA = 1; // of --json; raised when a key changes its meaning or goes

struct finding {
    const char *what;
    bool ok, optional; // optional: labs run without it
    char detail[ERR_MSG_MAX];
};
typedef VEC(struct finding) finding_list;

static void found(finding_list *list, const char *what, int r, const struct err *err, const char *good) {
    struct finding *f = VEC_ADD(list);
    f->what = what;
    f->ok = r >= 0;
    STR_COPY(f->detail, f->ok ? good : err->msg);
}

static void try_kernel(finding_list *list) {
    struct utsname u;
    struct err err = {0};
    unsigned major = 0, minor = 0;
    (void)uname(&u);
    int r = sscanf(u.release, "%u.%u", &major, &minor) == 2 && (major > 5 || (major == 5 && minor >= 15))
                ? 0
                : err_set(&err, ENOSYS, "%s is too old: 5.15 or later is needed", u.release);
    found(list, "kernel", r, &err, u.release);
}

static void try_user(finding_list *list) {
    struct err err = {0};
    uid_t uid;
    gid_t gid;
    char text[64] = "";
    int r = sandbox_identity(&uid, &gid, &err);
    (void)snprintf(text, sizeof text, "postgres is uid %u; labs run as uid %u", (unsigned)uid, (unsigned)getuid());
    found(list, "users", r, &err, text);
}

static void try_sandbox(finding_list *list) {
    struct err err = {0};
    int r = sandbox_probe_userns(&err);
    found(list, "user namespaces", r, &err, "can be made without root");
    if (r < 0)
        return; // the others would only repeat it
    r = sandbox_probe_overlay(&err);
    found(list, "overlay file system", r, &err, "works inside them");
    list->items[list->n - 1].optional =
        true; // a node's /etc can be a copy; nodes made of images are refused with a word of their own
    r = sandbox_probe_network(&err);
    found(list, "network", r, &err, "veth, bridge and nft's bridge family work inside them");
}

static void try_programs(finding_list *list) {
    struct node_def defs[2] = {{.name = "n1", .services = SERVICE_POSTGRES | SERVICE_ETCD},
                               {.name = "proxy", .services = SERVICE_HAPROXY}};
    struct topology t = {0};
    t.nodes.items = defs;
    t.nodes.n = 2;
    struct stack_paths paths[NODES_MAX] = {0};
    struct err err = {0};
    cleanup_strbuf struct strbuf text = {0};
    int r = stack_find_programs(&t, paths, &err);
    for (size_t i = 0; i < paths->n_found; i++)
        if (*paths->found[i].title)
            strbuf_addf(&text, "%s%s %s", text.len ? ", " : "", paths->found[i].title, paths->found[i].version);
    found(list, "programs", r, &err, strbuf_str(&text));
}

static void try_config(finding_list *list) {
    struct err err = {0};
    const struct user_config *u;
    cleanup_strbuf struct strbuf text = {0};
    int r = user_config(&u, &err);
    if (!u->found)
        strbuf_addf(&text, *u->path ? "none; it would be %s" : "none: HOME is not set", u->path);
    else
        strbuf_addf(&text, "%s%s", u->path, u->c.runs_dir || *u->c.theme || u->c.set.n ? ":" : " says nothing");
    const char *gap = "";
    if (u->c.runs_dir)
        strbuf_addf(&text, "%s runs-dir %s", gap, u->c.runs_dir), gap = ";";
    if (*u->c.theme)
        strbuf_addf(&text, "%s theme %s", gap, u->c.theme), gap = ";";
    for (size_t i = 0; i < u->c.set.n; i++)
        strbuf_addf(&text, "%s %s=%s",
                    i      ? ","
                    : *gap ? "; set"
                           : " set",
                    u->c.set.items[i].key, u->c.set.items[i].value);
    found(list, "configuration", r, &err, strbuf_str(&text));
}

static void try_folders(finding_list *list) {
    struct err err = {0};
    cleanup_strbuf struct strbuf dir = {0};
    int r = runs_dir(NULL, &dir, &err);
    cleanup_free char *text = xasprintf("runs go to %s", strbuf_str(&dir));
    found(list, "run folders", r, &err, text);
}

static void try_faults(finding_list *list) {
    size_t n = 0;
    const struct fault_ops *const *all = fault_catalogue(&n);
    for (size_t i = 0; i < n; i++) {
        struct err err = {0};
        if (all[i]->check_host) {
            found(list, all[i]->about.name, all[i]->check_host(&err), &err, "can be done here");
            list->items[list->n - 1].optional = true; // one fault less
        }
    }
}

// Images are for those who want another Debian than the host's: what is missing for them stops no lab.
static void try_images(finding_list *list, uid_t builder) {
    struct err err = {0};
    image_info_list images = {0};
    const struct passwd *pw = getpwuid(builder);
    int r = need_check(builder, pw ? pw->pw_name : "?", &err);
    found(list, "building images", r, &err, "bascule image build debian-13");
    list->items[list->n - 1].optional = true;
    r = image_list(&images, NULL, &err);
    if (r < 0 || images.n == 0) {
        found(list, "images", r, &err, "none yet; nodes can have this host's programs only");
        list->items[list->n - 1].optional = true;
    }
    VEC_FOREACH (&images, i) {
        cleanup_strbuf struct strbuf text = {0};
        strbuf_addf(&text, "%s: ", i->image.name);
        if (i->state < 0)
            (void)err_set(&err, EBADMSG, "%s is damaged: %s; build or import it again", i->image.name, i->why);
        else
            image_versions_text(&i->image, &text);
        found(list, "image", i->state, &err, strbuf_str(&text));
        list->items[list->n - 1].optional = true;
    }
    VEC_DONE(&images);
}

static void try_all(finding_list *list) {
    struct err err = {0};
    uid_t started_as = geteuid(); // root builds images as root
    int r = sandbox_drop_root(&err);
    if (r < 0)
        found(list, "unprivileged user", r, &err, "");
    try_kernel(list);
    try_user(list);
    try_sandbox(list);
    try_programs(list);
    try_config(list);
    try_folders(list);
    try_images(list, started_as);
    try_faults(list);
}

static void tell_text(const finding_list *list, bool able) {
    struct report_style style = cli_style(STDOUT_FILENO);
    VEC_FOREACH (list, f) {
        const char *mark = f->ok ? (style.utf8 ? "✓" : "ok") : f->optional ? "--" : (style.utf8 ? "✗" : "NO");
        (void)printf("%s %-20s %s\n", mark, f->what, f->detail);
    }
    (void)printf("%s\n", able ? "This host can run labs: bascule run leader-crash" : "This host can't run labs yet.");
}

static void tell_json(const finding_list *list, bool able) {
    cleanup_json cJSON *root = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(root, "schema_version", DOCTOR_SCHEMA);
    (void)cJSON_AddBoolToObject(root, "can_run_labs", able);
    cJSON *array = cJSON_AddArrayToObject(root, "findings");
    VEC_FOREACH (list, f) {
        cJSON *o = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(o, "what", f->what);
        (void)cJSON_AddBoolToObject(o, "ok", f->ok);
        (void)cJSON_AddBoolToObject(o, "needed", !f->optional);
        (void)cJSON_AddStringToObject(o, "detail", f->detail);
        (void)cJSON_AddItemToArray(array, o);
    }
    char *text = cJSON_Print(root);
    (void)printf("%s\n", text);
    cJSON_free(text);
}

int doctor_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("doctor", SIMPLE_JSON | SIMPLE_NO_ARGS, "",
                 "Tries what a lab needs on this host and says what is missing and what installs it.", 0, argc, argv,
                 &o);
    finding_list list = {0};
    try_all(&list);
    bool able = true;
    VEC_FOREACH (&list, f)
        able = able && (f->ok || f->optional);
    if (o.json)
        tell_json(&list, able);
    else
        tell_text(&list, able);
    VEC_DONE(&list);
    return able ? EXIT_PASS : EXIT_SKIPPED;
}
