// SPDX-License-Identifier: PostgreSQL
#include "lab/observe/proxy_csv.h"

// The n-th field of a line that ends at a newline or NUL. None of the three fields we want is ever quoted.
static bool field(const char *line, int n, char *ret, size_t size) {
    for (; n > 0; n--) {
        line += strcspn(line, ",\n");
        if (*line != ',')
            return false;
        line++;
    }
    size_t len = strcspn(line, ",\n");
    if (len >= size)
        len = size - 1;
    memcpy(ret, line, len);
    ret[len] = '\0';
    return len > 0;
}

static int column(const char *header, const char *name) {
    char text[EVENT_NAME_MAX];
    int columns = 1;
    for (const char *p = header; *p && *p != '\n'; p++)
        columns += *p == ',';
    for (int i = 0; i < columns; i++)
        if (field(header, i, text, sizeof text) && str_eq(text, name))
            return i;
    return -1;
}

void proxy_csv_read(const char *csv, void (*fn)(void *arg, const struct proxy_server *s), void *arg) {
    int status = column(csv, "status"); // its place has moved between versions before
    if (!str_starts(csv, "# pxname,svname,") || status < 0)
        return;
    for (const char *line = strchr(csv, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        struct proxy_server s;
        if (field(line + 1, 0, s.backend, sizeof s.backend) && field(line + 1, 1, s.server, sizeof s.server) &&
            field(line + 1, status, s.state, sizeof s.state) && !str_eq(s.server, "FRONTEND") &&
            !str_eq(s.server, "BACKEND"))
            fn(arg, &s);
    }
}
