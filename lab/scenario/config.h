// SPDX-License-Identifier: PostgreSQL
#pragma once
// The text of a user's configuration file (~/.config/bascule/config.yaml): where runs go, the dashboard's colours, and settings that every
// run and every lab by hand shall have.
#include "lab/scenario/read.h"
#include "lab/scenario/yaml/diag.h"

enum { CONFIG_THEME_MAX = 8 };

struct config {
    char *runs_dir;               // an absolute path; NULL = not said
    char theme[CONFIG_THEME_MAX]; // "auto", "dark", "light"; "" = not said
    setting_list set;             // as --set would have them; each is known and its value allowed. Owned
};

// Reads the text of the file `path` (for the messages). home: what "~/" stands for; NULL or "" = there is none. Returns 0 and fills *ret
// (config_done), or -EINVAL when the diagnostics hold an error; *ret is then empty. A file without content says nothing, and is no mistake.
int config_read_text(const char *path, const char *text, size_t len, const char *home, struct diags *d,
                     struct config *ret);
// The file's text: a regular file of at most 1 MB, never a pipe that would hang the reader.
int config_load(const char *path, struct strbuf *ret, struct err *err);
void config_done(struct config *c);
// Is it a setting of the scenario (its application, its times), which a lab by hand has not?
bool config_of_scenario(const char *setting);
