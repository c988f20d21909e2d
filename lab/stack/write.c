// SPDX-License-Identifier: PostgreSQL
// Puts the configuration where each node will look for it. The nodes are off.
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/node/places.h"
#include "lab/stack/internal.h"

static int put(const char *root, const char *file, const struct strbuf *text, mode_t mode, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", root, file);
    cleanup_free char *folder = xstrdup(path);
    *strrchr(folder, '/') = '\0';
    int r = fs_mkdirs(folder, 0755, err);
    if (r == 0)
        r = fs_write(path, strbuf_str(text), text->len, mode, err);
    if (r == 0 && chmod(path, mode) < 0) // whatever the umask says
        r = err_sys(err, errno, "chmod '%s'", path);
    return r;
}

static int write_daemons(const struct stack *s, size_t i, struct err *err) {
    const struct node_def *n = stack_def(s, i);
    int r = 0;
    for (size_t k = 0; k < s->ops->n_files && r == 0; k++) {
        const struct stack_file *f = &s->ops->files[k];
        if (f->services && !(n->services & f->services))
            continue;
        cleanup_strbuf struct strbuf text = {0};
        f->make(&s->conf, n, &text);
        r = put(f->home ? node_postgresql_dir(s->o.nodes[i]) : node_etc_dir(s->o.nodes[i]), f->file, &text, f->mode,
                err);
    }
    return r;
}

// The postgres user's home is /var/lib/postgresql, on every node, as Debian has it.
static int write_comforts(const struct stack *s, size_t i, struct err *err) {
    cleanup_strbuf struct strbuf profile = {0};
    cleanup_strbuf struct strbuf environment = {0};
    cleanup_strbuf struct strbuf pgpass = {0};
    cleanup_strbuf struct strbuf service = {0};
    conf_profile(&s->conf, stack_def(s, i), &profile);
    conf_environment(&s->conf, stack_def(s, i), &environment);
    conf_pgpass(&pgpass);
    conf_pg_service(&s->conf, &service);
    const char *home = node_postgresql_dir(s->o.nodes[i]);
    int r = put(node_etc_dir(s->o.nodes[i]), "profile.d/bascule.sh", &profile, 0644, err);
    if (r == 0)
        r = put(node_etc_dir(s->o.nodes[i]), "environment", &environment, 0644, err);
    if (r == 0)
        r = put(home, ".pgpass", &pgpass, 0600, err); // libpq ignores it when others may read it
    return r < 0 ? r : put(home, ".pg_service.conf", &service, 0644, err);
}

int write_configuration(const struct stack *s, struct err *err) {
    for (size_t i = 0; i < stack_count(s); i++) {
        if (s->ops->folders)
            s->ops->folders(s->o.nodes[i]);
        int r = write_daemons(s, i, err);
        if (r == 0)
            r = write_comforts(s, i, err);
        if (r < 0)
            return err_wrap(err, "configuration of %s", stack_def(s, i)->name);
    }
    return 0;
}
