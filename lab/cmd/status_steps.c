// SPDX-License-Identifier: PostgreSQL
// The plan of the scenario as `bascule status` lists it: what is done, what goes on, what comes next, what is still to come.
#include <stdio.h>

#include "lab/base/json.h"
#include "lab/cmd/status_nodes.h"

enum { TEXT_MIN = 20 }; // columns; on a narrower terminal lines are as long as they are

static size_t longest_name(const cJSON *steps) {
    size_t longest = 0;
    const cJSON *s;
    cJSON_ArrayForEach (s, steps) {
        size_t n = strlen(json_str(s, "name", ""));
        longest = n > longest ? n : longest;
    }
    return longest;
}

// Broken at spaces, the lines after the first under its beginning. Words are ASCII but for names of the scenario's author.
static void print_text(const char *text, size_t indent, int width) {
    bool breaks = width > 0 && (size_t)width > indent + TEXT_MIN;
    size_t at = indent;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " ");
        if (breaks && p != text && at + 1 + n > (size_t)width) {
            (void)printf("\n%*s", (int)indent, "");
            at = indent;
        } else if (p != text) {
            (void)printf(" ");
            at++;
        }
        (void)printf("%.*s", (int)n, p);
        at += n;
        p += n + strspn(p + n, " ");
    }
    (void)printf("\n");
}

void status_print_steps(const cJSON *status, int width) {
    const cJSON *steps = cJSON_GetObjectItemCaseSensitive(status, "steps"), *s;
    int name = (int)longest_name(steps), n = 0;
    cJSON_ArrayForEach (s, steps) {
        int head = printf("%-7s %2d %-*s ", json_str(s, "state", ""), ++n, name, json_str(s, "name", ""));
        print_text(json_str(s, "text", ""), (size_t)(head > 0 ? head : 0), width);
    }
}
