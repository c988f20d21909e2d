// SPDX-License-Identifier: PostgreSQL
#pragma once
// bascule matrix: what its files share. A command reads what shall run, run.c runs it, table.c and json.c print what cells.c says of it.
#include "lab/cmd/matrix/cells.h"

int matrix_main(int argc, char **argv);

// Runs everything, `jobs` at a time, telling on stderr what has ended. A first Ctrl-C lets the running ones heal and end and starts
// no more, a second one ends them at once. Returns the signal, or 0.
int matrix_run_all(struct matrix *m);

void matrix_print_table(const struct matrix *m);
void matrix_print_json(const struct matrix *m);
