// SPDX-License-Identifier: PostgreSQL
// bascule image build, import, export.
#include <pwd.h>

#include "lab/base/vec.h"
#include "lab/cmd/image/image.h"
#include "lab/image/make.h"
#include "lab/image/need.h"
#include "lab/image/recipe.h"
#include "lab/sandbox/sandbox.h"

static void tell_made(const struct image_progress *p, const struct image_info *info) {
    cleanup_strbuf struct strbuf versions = {0};
    image_versions_text(&info->image, &versions);
    (void)printf("%s: %s, %s\n%" PRIu64 " MB in %" PRIu64 " files, made in %" PRIu64 " s\n%s\n%s\n", info->image.name,
                 info->image.release, strbuf_str(&versions), info->bytes >> 20, info->files,
                 (usec_now() - p->start) / SEC, info->image.id, info->image.root);
}

// ---- build -----------------------------------------------------------------------------------------------------------------

struct build_options {
    struct build_request q;
    VEC(const char *) packages;
};

enum { OPT_SUITE = 1, OPT_PACKAGE, OPT_MIRROR, OPT_BARE };
static const struct argp_option build_argp_options[] = {
    {"suite", OPT_SUITE, "SUITE", 0, "the release's code name, when NAME does not tell (debian-13 is trixie)", 0},
    {"package", OPT_PACKAGE, "PACKAGE", 0, "one more package; may be repeated", 0},
    {"mirror", OPT_MIRROR, "URI", 0, "where to get packages (default: where this host's apt gets Debian)", 0},
    {"bare", OPT_BARE, NULL, 0, "without the stack and the tools: only what --package names", 0},
    {0},
};

static error_t parse_build(int key, char *arg, struct argp_state *state) {
    struct build_options *o = state->input;
    struct err err = {0};
    switch (key) {
    case OPT_SUITE:
        o->q.suite = arg;
        if (recipe_check_suite(arg, &err) < 0)
            argp_error(state, "%s", err.msg);
        return 0;
    case OPT_PACKAGE:
        if (recipe_check_package(arg, &err) < 0)
            argp_error(state, "%s", err.msg);
        VEC_PUSH(&o->packages, arg);
        return 0;
    case OPT_MIRROR:
        if (!strstr(arg, ":/") || strpbrk(arg, " \t[]"))
            argp_error(state, "--mirror wants a URI, e.g. http://deb.debian.org/debian, not '%s'", arg);
        o->q.mirror = arg;
        return 0;
    case OPT_BARE:
        o->q.bare = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->q.name)
            argp_error(state, "unexpected argument '%s'", arg);
        if (recipe_check_name(arg, &err) < 0)
            argp_error(state, "%s", err.msg);
        o->q.name = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which image? (debian-13, debian-12, or a name of your own with --suite)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// What building needs, told before anything is made.
static int check_host(struct err *err) {
    const struct passwd *pw = getpwuid(geteuid());
    char number[16];
    (void)snprintf(number, sizeof number, "%u", (unsigned)geteuid());
    if (need_check(geteuid(), pw ? pw->pw_name : number, err) < 0) {
        (void)err_wrap(err, "images can't be built here");
        err->code = ENOTSUP;
        return -ENOTSUP;
    }
    return geteuid() == 0 || sandbox_probe_userns(err) == 0 ? 0 : -ENOTSUP;
}

int image_build_main(int argc, char **argv) {
    static const struct argp argp = {
        build_argp_options,
        parse_build,
        "NAME",
        "Makes an image from Debian's packages, for this user. Started by root, mmdebstrap runs as root and the image "
        "belongs to the user that labs run as.\v"
        "debian-12, debian-13, debian-14 and debian-sid know their suite. An image of that name is replaced when the "
        "new one is complete.",
        NULL,
        NULL,
        NULL};
    struct build_options o = {0};
    cli_parse(&argp, "image build", argc, argv, 0, &o);
    struct err err = {0};
    const struct recipe *known = recipe_find(o.q.name);
    if (!o.q.suite && !known) {
        (void)err_set(&err, EINVAL, "which release is '%s'? say --suite, e.g. --suite trixie", o.q.name);
        return cli_fail(EXIT_USAGE, &err);
    }
    if (!o.q.suite)
        o.q.suite = known->suite;
    VEC_PUSH(&o.packages, NULL);
    o.q.packages = o.packages.items;
    struct worker w = {0};
    struct image_progress p;
    struct image_info info = {0};
    image_progress_begin(&p);
    int r = check_host(&err);
    if (r == 0)
        r = build_start(&o.q, &w, &err); // still as root, if we are
    if (r == 0)
        r = sandbox_drop_root(&err);
    if (r == 0)
        r = build_finish(&o.q, &w, &p.ui, &info, &err);
    worker_stop(&w);
    int code = image_progress_end(&p, r, &err);
    if (code == EXIT_PASS)
        tell_made(&p, &info);
    VEC_DONE(&o.packages);
    return code;
}

// ---- import, export --------------------------------------------------------------------------------------------------------

struct file_options {
    const char *name, *file, *second;
};

static error_t parse_import(int key, char *arg, struct argp_state *state) {
    struct file_options *o = state->input;
    struct err err = {0};
    switch (key) {
    case 'n':
        o->name = arg;
        if (recipe_check_name(arg, &err) < 0)
            argp_error(state, "%s", err.msg);
        return 0;
    case ARGP_KEY_ARG:
        if (o->file)
            argp_error(state, "unexpected argument '%s'", arg);
        o->file = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which tar file?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int image_import_main(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, "the image's name (default: the file's, without .tar and what follows)", 0}, {0}};
    static const struct argp argp = {options,
                                     parse_import,
                                     "TAR",
                                     "Makes an image from a tar of a root file system, compressed or not. No network "
                                     "is needed.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct file_options o = {0};
    cli_parse(&argp, "image import", argc, argv, 0, &o);
    struct err err = {0};
    struct image_progress p;
    struct image_info info = {0};
    image_progress_begin(&p);
    int r = sandbox_drop_root(&err);
    if (r == 0)
        r = import_tar(o.file, o.name, &p.ui, &info, &err);
    int code = image_progress_end(&p, r, &err);
    if (code == EXIT_PASS)
        tell_made(&p, &info);
    return code;
}

static error_t parse_export(int key, char *arg, struct argp_state *state) {
    struct file_options *o = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (o->second)
            argp_error(state, "unexpected argument '%s'", arg);
        *(o->file ? &o->second : &o->file) = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->second)
            argp_error(state, "wanted: an image's name and a file, e.g. debian-13 debian-13.tar.zst");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int image_export_main(int argc, char **argv) {
    static const struct argp argp = {NULL,
                                     parse_export,
                                     "NAME FILE",
                                     "Writes an image into a tar, compressed as the file's name says (.tar.gz, "
                                     ".tar.xz, .tar.zst), for `bascule image "
                                     "import` on another machine.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct file_options o = {0};
    cli_parse(&argp, "image export", argc, argv, 0, &o);
    struct err err = {0};
    struct image_progress p;
    image_progress_begin(&p);
    int r = sandbox_drop_root(&err);
    if (r == 0)
        r = export_tar(o.file, o.second, &p.ui, &err);
    return image_progress_end(&p, r, &err);
}
