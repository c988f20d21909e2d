// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/user_settings.h"

#include "lab/cli/user_config.h"

static bool has(const setting_list *list, const char *key) {
    VEC_FOREACH (list, s)
        if (str_eq(s->key, key))
            return true;
    return false;
}

int user_config_settings(struct start_options *o, bool of_scenario, struct err *err) {
    const struct user_config *u;
    int r = user_config(&u, err);
    if (r < 0)
        return r;
    setting_list all = {0};
    VEC_FOREACH (&u->c.set, s)
        if (!has(&o->set, s->key) && (of_scenario || !config_of_scenario(s->key)))
            VEC_PUSH(&all, ((struct setting){.key = xstrdup(s->key), .value = xstrdup(s->value)}));
    o->defaults = all.n;
    VEC_FOREACH (&o->set, s)
        VEC_PUSH(&all, *s); // their texts go along
    VEC_DONE(&o->set);
    o->set = all;
    return 0;
}

void user_config_tell(const struct start_options *o) {
    const struct user_config *u;
    if (!o->defaults || user_config(&u, NULL) < 0)
        return;
    (void)printf("settings of %s:", u->path);
    for (size_t i = 0; i < o->defaults; i++)
        (void)printf("%s %s=%s", i ? "," : "", o->set.items[i].key, o->set.items[i].value);
    (void)printf("\n");
}

int user_config_theme(enum theme *theme, struct err *err) {
    const struct user_config *u;
    int r = user_config(&u, err);
    return r < 0 || !*u->c.theme ? r : theme_parse(u->c.theme, theme, err);
}
