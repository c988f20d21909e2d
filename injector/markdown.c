// SPDX-License-Identifier: PostgreSQL
// docs/faults.md out of the table, so that the page can't lie. tests/unit/test_fault_catalogue.c compares the two.
#include "injector/catalogue.h"
#include "lab/record/old_names.h"

static const char intro[] =
    "# Faults and actions\n"
    "\n"
    "<!-- Made from the table in injector/catalogue.c; do not edit. `build/tests/unit/test_fault_catalogue --write` "
    "makes it "
    "again. -->\n"
    "\n"
    "A fault is named by its mechanism, never by its hoped-for effect. Each one is *verified* by a measurement after "
    "it was\n"
    "injected and again after it was healed; a fault that could not be verified is reported as `unverified`, never "
    "assumed.\n"
    "\n"
    "```yaml\n"
    "steps:\n"
    "  - name: cut\n"
    "    inject: net.drop\n"
    "    target: leader\n"
    "    with: {with: peers, direction: both} # the fault's parameters\n"
    "    duration: 40s                        # then it is healed; without it, at the end\n"
    "```\n"
    "\n"
    "By hand, on a lab that is up: `bascule inject net.drop leader with=peers`, and `bascule heal --all`.\n"
    "\n"
    "The life of a fault in the event log: `asked`, `effective` (with the time at which the effect was seen), "
    "`verified` or\n"
    "`unverified`; `heal_asked`, `healed`, `heal_verified` or `heal_unverified`. `failed` means that it could not be "
    "injected; what\n"
    "was half done is healed at once. Several faults compose: a pair of nodes that two faults cut opens when both are "
    "healed, a\n"
    "process that two faults froze runs when both are healed. Healing everything thaws frozen processes first, then "
    "goes from the\n"
    "newest fault to the oldest.\n";

static void cell(struct strbuf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|')
            strbuf_add(out, "\\");
        strbuf_addn(out, text, 1);
    }
}

static void words_list(struct strbuf *out, const char *words) {
    for (const char *w = words; *w;) {
        size_t len = strcspn(w, "|");
        strbuf_addf(out, "%s`%.*s`", w == words ? "" : ", ", (int)len, w);
        w += len + (w[len] == '|');
    }
}

static void param_row(struct strbuf *out, const struct mechanism_param *p) {
    strbuf_addf(out, "| `%s` | ", p->name);
    if (p->words && str_eq(p->kind, "nodes"))
        strbuf_add(out, "node names, or ");
    if (p->words && str_eq(p->kind, "paths"))
        strbuf_add(out, "a list of TCP ports and ");
    if (p->words)
        words_list(out, p->words);
    else
        cell(out, str_eq(p->kind, "nodes") ? "a node name" : p->kind);
    if (!p->fallback)
        strbuf_add(out, " | required | ");
    else if (*p->fallback)
        strbuf_addf(out, " | `%s` | ", p->fallback);
    else
        strbuf_add(out, " | none | ");
    cell(out, p->help);
    strbuf_add(out, " |\n");
}

static void param_table(struct strbuf *out, const struct mechanism *m) {
    if (!m->params || !m->params->name) {
        strbuf_add(out, "\nNo parameters.\n");
        return;
    }
    strbuf_add(out, "\n| parameter | values | default | meaning |\n|---|---|---|---|\n");
    for (const struct mechanism_param *p = m->params; p->name; p++)
        param_row(out, p);
}

static void overview(struct strbuf *out, const struct fault_ops *const *faults, size_t n) {
    strbuf_add(out, "\n## Faults\n\n| fault | what it does | needs |\n|---|---|---|\n");
    for (size_t i = 0; i < n; i++)
        strbuf_addf(out, "| [`%s`](#%s) | %s | %s |\n", faults[i]->about.name, faults[i]->about.name,
                    faults[i]->about.summary, faults[i]->needs);
}

static void fault_section(struct strbuf *out, const struct fault_ops *f) {
    strbuf_addf(out, "\n<a id=\"%s\"></a>\n\n### %s\n\nIt %s.\n\n", f->about.name, f->about.name, f->about.summary);
    strbuf_addf(out, "- **Mechanism:** %s\n- **What still works:** %s\n- **Exercises:** %s\n- **Needs:** %s\n",
                f->mechanism, f->still_works, f->exercises, f->needs);
    param_table(out, &f->about);
}

static void action_section(struct strbuf *out, const struct action_row *a) {
    const char *then = old_name_then(a->about.name);
    strbuf_addf(out, "\n### %s\n\nIt %s. %s\n", a->about.name, a->about.summary, a->how);
    if (then)
        strbuf_addf(out, "\nOld name: `%s`.\n", then);
    param_table(out, &a->about);
}

void fault_catalogue_markdown(struct strbuf *out) {
    size_t n_faults, n_actions;
    const struct fault_ops *const *faults = fault_catalogue(&n_faults);
    const struct action_row *const *actions = action_rows(&n_actions);
    strbuf_add(out, intro);
    overview(out, faults, n_faults);
    for (size_t i = 0; i < n_faults; i++)
        fault_section(out, faults[i]);
    strbuf_add(out, "\n## Actions\n\nWhat an administrator does, as opposed to what breaks: `do:` in a scenario. "
                    "Acts on the cluster\nare named by no system: whoever manages it carries them out in its own way. "
                    "An old name is read for good, as the new one.\n");
    for (size_t i = 0; i < n_actions; i++)
        action_section(out, actions[i]);
}
