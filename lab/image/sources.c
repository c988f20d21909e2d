// SPDX-License-Identifier: PostgreSQL
// apt's two formats: one line for each archive (sources.list), and stanzas of fields (deb822, *.sources). Both become the same list of
// apt_source. From that list sources_for_suite writes the lines for a release that the host itself need not run.
#include "lab/image/sources.h"

#include <fnmatch.h>

#include "lab/base/fs.h"

enum { FILE_MAX = 1 << 20 };
static const char blanks[] = " \t\r";

void sources_done(apt_source_list *list) {
    VEC_FOREACH (list, s) {
        free(s->uri);
        free(s->suite);
        free(s->signed_by);
    }
    VEC_DONE(list);
}

void line_list_done(line_list *list) {
    VEC_FOREACH (list, line)
        free(*line);
    VEC_DONE(list);
}

static bool is_yes(const char *s) {
    return strcasecmp(s, "yes") == 0 || strcasecmp(s, "true") == 0 || str_eq(s, "1");
}
static bool is_no(const char *s) {
    return strcasecmp(s, "no") == 0 || strcasecmp(s, "false") == 0 || str_eq(s, "0");
}

static bool has_word(const char *words, const char *word) {
    size_t len = strlen(word);
    for (const char *p = words; *(p += strspn(p, " \t\r\n"));) {
        size_t n = strcspn(p, " \t\r\n");
        if (n == len && strncmp(p, word, n) == 0)
            return true;
        p += n;
    }
    return false;
}

static void add(apt_source_list *list, const char *uri, const char *suite, const char *signed_by, bool trusted,
                bool has_main) {
    struct apt_source *s = VEC_ADD(list);
    s->uri = xstrdup(uri);
    s->suite = xstrdup(suite);
    s->signed_by = signed_by && signed_by[0] == '/' ? xstrdup(signed_by) : NULL;
    s->trusted = trusted;
    s->main = has_main;
}

// ---- one line each ---------------------------------------------------------------------------------------------------

struct line_options {
    char *signed_by;
    bool trusted;
};

// "[ arch=amd64 signed-by=/path trusted=yes ]": p is behind the bracket; returns what follows the closing one, or NULL.
static char *read_options(char *p, struct line_options *o) {
    char *end = strchr(p, ']'), *save = NULL;
    if (!end)
        return NULL;
    *end = '\0';
    for (char *word = strtok_r(p, blanks, &save); word; word = strtok_r(NULL, blanks, &save)) {
        if (strncasecmp(word, "signed-by=", 10) == 0)
            o->signed_by = word + 10;
        else if (strncasecmp(word, "trusted=", 8) == 0)
            o->trusted = is_yes(word + 8);
    }
    return end + 1;
}

static void read_line(char *line, apt_source_list *list) {
    char *p = line + strspn(line, blanks), *save = NULL;
    p[strcspn(p, "#")] = '\0';
    if (!str_starts(p, "deb") || !p[3] || !strchr(blanks, p[3])) // "deb-src" is not for us
        return;
    p += 3;
    p += strspn(p, blanks);
    struct line_options o = {0};
    if (*p == '[' && !(p = read_options(p + 1, &o)))
        return;
    const char *uri = strtok_r(p, blanks, &save), *suite = strtok_r(NULL, blanks, &save), *component;
    bool has_main = false;
    while ((component = strtok_r(NULL, blanks, &save)))
        has_main |= str_eq(component, "main");
    if (uri && suite)
        add(list, uri, suite, o.signed_by, o.trusted, has_main);
}

void sources_parse_list(const char *text, apt_source_list *list) {
    cleanup_free char *copy = xstrdup(text);
    char *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        read_line(line, list);
}

// ---- deb822 ----------------------------------------------------------------------------------------------------------

enum field {
    FIELD_TYPES,
    FIELD_URIS,
    FIELD_SUITES,
    FIELD_COMPONENTS,
    FIELD_SIGNED_BY,
    FIELD_ENABLED,
    FIELD_TRUSTED,
    FIELDS
};
static const char *const field_names[FIELDS] = {"Types",     "URIs",    "Suites", "Components",
                                                "Signed-By", "Enabled", "Trusted"};

struct stanza {
    struct strbuf value[FIELDS];
    int last; // the field that a line beginning with a blank goes on with, -1 = none of ours
};

static void stanza_line(struct stanza *st, const char *line) {
    if (*line == ' ' || *line == '\t') {
        if (st->last >= 0)
            strbuf_addf(&st->value[st->last], "\n%s", line);
        return;
    }
    const char *colon = strchr(line, ':');
    st->last = -1;
    for (int i = 0; colon && i < FIELDS; i++)
        if (strlen(field_names[i]) == (size_t)(colon - line) &&
            strncasecmp(line, field_names[i], (size_t)(colon - line)) == 0)
            st->last = i;
    if (st->last >= 0) {
        strbuf_clear(&st->value[st->last]);
        strbuf_add(&st->value[st->last], colon + 1 + strspn(colon + 1, blanks));
    }
}

static void stanza_trim(struct strbuf *b) {
    while (b->len && strchr(" \t\r\n", b->data[b->len - 1]))
        b->data[--b->len] = '\0';
}

static void stanza_end(struct stanza *st, apt_source_list *list) {
    for (int i = 0; i < FIELDS; i++)
        stanza_trim(&st->value[i]);
    const char *signed_by = strbuf_str(&st->value[FIELD_SIGNED_BY]);
    bool usable = has_word(strbuf_str(&st->value[FIELD_TYPES]), "deb") && !is_no(strbuf_str(&st->value[FIELD_ENABLED]));
    char *uri_save = NULL, *suite_save = NULL;
    cleanup_free char *uris = xstrdup(strbuf_str(&st->value[FIELD_URIS]));
    for (char *uri = usable ? strtok_r(uris, " \t\r\n", &uri_save) : NULL; uri;
         uri = strtok_r(NULL, " \t\r\n", &uri_save)) {
        cleanup_free char *suites = xstrdup(strbuf_str(&st->value[FIELD_SUITES]));
        for (char *suite = strtok_r(suites, " \t\r\n", &suite_save); suite;
             suite = strtok_r(NULL, " \t\r\n", &suite_save))
            add(list, uri, suite, strchr(signed_by, '\n') ? NULL : signed_by,
                is_yes(strbuf_str(&st->value[FIELD_TRUSTED])),
                has_word(strbuf_str(&st->value[FIELD_COMPONENTS]), "main"));
    }
    for (int i = 0; i < FIELDS; i++)
        strbuf_clear(&st->value[i]);
    st->last = -1;
}

void sources_parse_deb822(const char *text, apt_source_list *list) {
    struct stanza st = {.last = -1};
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        cleanup_free char *line = xstrndup(p, n);
        if (line[strspn(line, blanks)] == '\0')
            stanza_end(&st, list);
        else if (*line != '#')
            stanza_line(&st, line);
        p += n + (p[n] != '\0');
    }
    stanza_end(&st, list);
    for (int i = 0; i < FIELDS; i++)
        strbuf_done(&st.value[i]);
}

// ---- the host's --------------------------------------------------------------------------------------------------------

static int is_sources(const struct dirent *e) {
    return fnmatch("*.list", e->d_name, 0) == 0 || fnmatch("*.sources", e->d_name, 0) == 0;
}

static void read_file(const char *path, apt_source_list *list) {
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read(path, FILE_MAX, &text, NULL) < 0)
        return;
    if (str_ends(path, ".sources"))
        sources_parse_deb822(strbuf_str(&text), list);
    else
        sources_parse_list(strbuf_str(&text), list);
}

void sources_read(const char *apt_dir, apt_source_list *list) {
    cleanup_free char *own = xasprintf("%s/sources.list", apt_dir), *dir = xasprintf("%s/sources.list.d", apt_dir);
    read_file(own, list);
    struct dirent **names = NULL;
    int n = scandir(dir, &names, is_sources, alphasort);
    for (int i = 0; i < n; i++) {
        cleanup_free char *path = xasprintf("%s/%s", dir, names[i]->d_name);
        read_file(path, list);
        free(names[i]);
    }
    free(names);
}

// ---- the image's -------------------------------------------------------------------------------------------------------

static bool path_ends(const char *uri, const char *folder) {
    cleanup_free char *trimmed = xstrdup(uri);
    for (size_t n = strlen(trimmed); n && trimmed[n - 1] == '/'; n--)
        trimmed[n - 1] = '\0';
    cleanup_free char *tail = xasprintf("/%s", folder);
    return str_ends(trimmed, tail);
}

bool sources_is_debian(const struct apt_source *s) {
    if (!s->main || str_starts(s->uri, "cdrom:"))
        return false;
    if (s->signed_by && strstr(s->signed_by, "debian-archive"))
        return true;
    // Debian's cloud images: "mirror+file:///etc/apt/mirrors/debian.list".
    return path_ends(s->uri, "debian") || path_ends(s->uri, "debian-security") || str_ends(s->uri, "/debian.list") ||
           str_ends(s->uri, "/debian-security.list");
}

enum pocket { POCKET_RELEASE, POCKET_UPDATES, POCKET_SECURITY, POCKET_OTHER, POCKETS = POCKET_OTHER };

static enum pocket pocket_of(const char *suite) {
    static const char *const releases[] = {"bullseye", "bookworm",  "trixie",   "forky",   "duke",
                                           "stable",   "oldstable", "unstable", "testing", "sid"};
    size_t n = strcspn(suite, "-/");
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(releases); i++)
        known |= strlen(releases[i]) == n && strncmp(releases[i], suite, n) == 0;
    if (!known)
        return POCKET_OTHER;
    const char *tail = suite + n;
    if (!*tail)
        return POCKET_RELEASE;
    if (str_eq(tail, "-updates"))
        return POCKET_UPDATES;
    return str_eq(tail, "-security") || str_eq(tail, "/updates") ? POCKET_SECURITY : POCKET_OTHER;
}

static void add_line(line_list *ret, const struct apt_source *s, const char *suite, const char *tail) {
    const char *key = s->signed_by ? s->signed_by : SOURCES_KEYRING;
    *VEC_ADD(ret) = s->trusted ? xasprintf("deb [trusted=yes] %s %s%s main", s->uri, suite, tail)
                               : xasprintf("deb [signed-by=%s] %s %s%s main", key, s->uri, suite, tail);
}

void sources_for_suite(const apt_source_list *host, const char *suite, const char *mirror, line_list *ret) {
    static const char *const tails[POCKETS] = {"", "-updates", "-security"};
    struct apt_source debian = {.uri = (char *)"http://deb.debian.org/debian"}, // borrowed, never freed or written
        security = {.uri = (char *)"http://deb.debian.org/debian-security"}, own = {.uri = (char *)mirror};
    const struct apt_source *found[POCKETS] = {0};
    if (mirror) {
        found[POCKET_RELEASE] = &own;
    } else {
        VEC_FOREACH (host, s) {
            enum pocket p = sources_is_debian(s) ? pocket_of(s->suite) : POCKET_OTHER;
            if (p != POCKET_OTHER && !found[p])
                found[p] = s;
        }
        if (!found[POCKET_RELEASE]) {
            found[POCKET_RELEASE] = found[POCKET_UPDATES] = &debian;
            found[POCKET_SECURITY] = &security;
        }
    }
    bool rolling = str_eq(suite, "sid") || str_eq(suite, "unstable"); // has neither updates nor security
    for (int p = 0; p < POCKETS; p++)
        if (found[p] && (p == POCKET_RELEASE || !rolling))
            add_line(ret, found[p], suite, tails[p]);
}
