// SPDX-License-Identifier: PostgreSQL
// bascule image list, verify, remove.
#include <libsmartcols/libsmartcols.h>
#include <time.h>

#include "lab/base/json.h"
#include "lab/cli/simple.h"
#include "lab/cmd/image/image.h"
#include "lab/image/verify.h"
#include "lab/sandbox/sandbox.h"

enum { TOLD_MAX = 50 }; // differences that are printed; --json has all

// ---- list ------------------------------------------------------------------------------------------------------------------

static void time_text(usec_t wall, char *ret, size_t size) {
    time_t t = (time_t)(wall / SEC);
    struct tm tm;
    if (wall == 0 || !localtime_r(&t, &tm) || strftime(ret, size, "%Y-%m-%d %H:%M", &tm) == 0)
        (void)str_copy(ret, size, "");
}

static void list_row(struct libscols_table *table, const struct image_info *i) {
    struct libscols_line *line = scols_table_new_line(table, NULL);
    char size[32] = "< 1 MB", built[32];
    if (i->bytes >> 20)
        (void)snprintf(size, sizeof size, "%" PRIu64 " MB", i->bytes >> 20);
    time_text(i->built, built, sizeof built);
    const char *cells[] = {i->image.name,
                           i->image.release,
                           i->image.postgresql,
                           i->image.patroni,
                           i->image.etcd,
                           i->image.haproxy,
                           size,
                           built,
                           i->image.id,
                           i->state < 0 ? "damaged" : "complete"};
    for (size_t c = 0; c < ARRAY_SIZE(cells); c++) {
        cleanup_free char *text = xstrndup(cells[c], c == 8 ? 19 : strlen(cells[c])); // of the id twelve digits
        (void)scols_line_set_data(line, c, *text ? text : "-");
    }
}

static void list_table(const image_info_list *list) {
    static const char *const heads[] = {"NAME",    "RELEASE", "POSTGRESQL", "PATRONI", "ETCD",
                                        "HAPROXY", "SIZE",    "BUILT",      "ID",      "STATE"};
    struct libscols_table *table = scols_new_table();
    for (size_t c = 0; c < ARRAY_SIZE(heads); c++)
        (void)scols_table_new_column(table, heads[c], 0.1, c == 6 ? SCOLS_FL_RIGHT : 0);
    VEC_FOREACH (list, i)
        list_row(table, i);
    (void)scols_print_table(table);
    scols_unref_table(table);
    VEC_FOREACH (list, i)
        if (i->state < 0)
            (void)printf("%s is damaged: %s\n", i->image.name, i->why);
}

static void list_json(const image_info_list *list) {
    cleanup_json cJSON *array = cJSON_CreateArray();
    VEC_FOREACH (list, i) {
        cleanup_strbuf struct strbuf text = {0};
        image_json_write(i, &text);
        cJSON *o = cJSON_Parse(strbuf_str(&text));
        (void)cJSON_AddStringToObject(o, "name", i->image.name);
        (void)cJSON_AddStringToObject(o, "root", i->image.root);
        (void)cJSON_AddStringToObject(o, "state", i->state < 0 ? "damaged" : "complete");
        (void)cJSON_AddStringToObject(o, "why", i->why);
        (void)cJSON_AddItemToArray(array, o);
    }
    char *text = cJSON_Print(array);
    (void)printf("%s\n", text);
    cJSON_free(text);
}

int image_list_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("image list", SIMPLE_JSON | SIMPLE_NO_ARGS, "", "Lists your images.", 0, argc, argv, &o);
    struct err err = {0};
    image_info_list list = {0};
    size_t leftovers = 0;
    if (sandbox_drop_root(&err) < 0 || image_list(&list, &leftovers, &err) < 0)
        return cli_fail(EXIT_BROKEN, &err);
    if (o.json)
        list_json(&list);
    else if (list.n)
        list_table(&list);
    else
        (void)printf("no image yet; this makes one: bascule image build debian-13\n");
    if (leftovers && !o.json)
        (void)printf("%zu unfinished: a build or import is at work, or was interrupted (the next one clears it away)\n",
                     leftovers);
    VEC_DONE(&list);
    return EXIT_PASS;
}

// ---- verify ----------------------------------------------------------------------------------------------------------------

struct told {
    bool json;
    size_t n;
    cJSON *array; // borrowed
};

static void tell_change(void *arg, enum manifest_change change, const char *path, const char *was, const char *is) {
    static const char *const words[] = {
        [MANIFEST_DIFFERS] = "differs", [MANIFEST_MISSING] = "missing", [MANIFEST_NEW] = "new"};
    struct told *t = arg;
    if (t->json) {
        cJSON *o = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(o, "change", words[change]);
        (void)cJSON_AddStringToObject(o, "path", path);
        (void)cJSON_AddStringToObject(o, "was", was ? was : "");
        (void)cJSON_AddStringToObject(o, "is", is ? is : "");
        (void)cJSON_AddItemToArray(t->array, o);
    } else if (t->n < TOLD_MAX) {
        (void)printf("%-8s /%s%s%s%s%s%s\n", words[change], path, was && is ? " (" : "", was && is ? was : "",
                     was && is ? " was expected, it is " : "", was && is ? is : "", was && is ? ")" : "");
    }
    t->n++;
}

static void verify_json(const char *name, const struct image_verdict *v, cJSON *changes) {
    cleanup_json cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "name", name);
    (void)cJSON_AddStringToObject(o, "id", v->expected);
    (void)cJSON_AddStringToObject(o, "computed", v->computed);
    (void)cJSON_AddBoolToObject(o, "intact", v->changes == 0);
    (void)cJSON_AddItemToObject(o, "changes", changes);
    char *text = cJSON_Print(o);
    (void)printf("%s\n", text);
    cJSON_free(text);
}

int image_verify_main(int argc, char **argv) {
    bool json = false;
    const char *name = image_parse_name("image verify",
                                        "Computes the content id of an image again, from all of its files, and names "
                                        "those that differ, are missing or are new.",
                                        &json, argc, argv);
    struct err err = {0};
    struct image_progress p;
    struct image_verdict v = {0};
    cJSON *changes = cJSON_CreateArray();
    struct told told = {.json = json, .array = changes};
    image_progress_begin(&p);
    int r = sandbox_drop_root(&err);
    if (r == 0)
        r = image_verify(name, &p.ui, tell_change, &told, &v, &err);
    int code = image_progress_end(&p, r, &err);
    if (code != EXIT_PASS) {
        cJSON_Delete(changes);
        return r == -EBADMSG ? EXIT_EXPECTATION : code; // damaged beyond comparing is an answer too
    }
    if (told.n > TOLD_MAX && !json)
        (void)printf("and %zu more (--json shows all)\n", told.n - TOLD_MAX);
    if (json) {
        verify_json(name, &v, changes);
    } else {
        cJSON_Delete(changes);
        (void)printf(v.changes ? "%s: %zu of its files are not what they must be; build or import it again\n"
                               : "%s: intact\n",
                     name, v.changes);
        (void)printf("%" PRIu64 " files, %" PRIu64 " MB read, %s\n", v.files, v.bytes >> 20, v.computed);
    }
    return v.changes ? EXIT_EXPECTATION : EXIT_PASS;
}

// ---- remove ----------------------------------------------------------------------------------------------------------------

int image_remove_main(int argc, char **argv) {
    const char *name =
        image_parse_name("image remove", "Takes an image away. Not while a lab uses it.", NULL, argc, argv);
    struct err err = {0};
    struct image_progress p;
    image_progress_begin(&p);
    int r = sandbox_drop_root(&err);
    if (r == 0)
        r = image_remove(name, &p.ui, &err);
    return image_progress_end(&p, r, &err);
}
