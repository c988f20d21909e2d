// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the files of `bascule image` share.
#include "lab/cli/cli.h"
#include "lab/image/store.h"

int image_main(int argc, char **argv);
int image_build_main(int argc, char **argv);
int image_import_main(int argc, char **argv);
int image_export_main(int argc, char **argv);
int image_list_main(int argc, char **argv);
int image_verify_main(int argc, char **argv);
int image_remove_main(int argc, char **argv);

// A command with exactly one argument, an image's name, and no options but --json (when `json` is given). Returns it.
const char *image_parse_name(const char *command, const char *doc, bool *json, int argc, char **argv);

// Progress on stderr, stages with their seconds; SIGINT, SIGTERM and SIGHUP set its stop.
struct image_progress {
    struct image_ui ui;
    usec_t start;
    bool tty;
    char what[256]; // the stage that a terminal's line shows, "" = none yet
};
void image_progress_begin(struct image_progress *p);
// Ends the line. Prints err when code is not EXIT_PASS; a command that was stopped by a signal ends by that signal.
int image_progress_end(struct image_progress *p, int r, const struct err *err);
