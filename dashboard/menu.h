// SPDX-License-Identifier: PostgreSQL
#pragma once
// The menu of faults: mechanism, then target, then parameters. It knows the catalogue as a vocabulary and links no injector.
#include "dashboard/dash.h"
#include "lab/scenario/vocabulary/vocabulary.h"

enum { MENU_PARAMS_MAX = 12, MENU_VALUE_MAX = 48 };
enum menu_page { MENU_CLOSED, MENU_MECHANISM, MENU_TARGET, MENU_PARAMS };

struct menu {
    enum menu_page page;
    const struct vocabulary *vocabulary;
    int cursor, top;
    char search[32];                // typed letters narrow the list
    const struct mechanism *chosen; // from MENU_TARGET on
    char target[EVENT_NAME_MAX];
    char values[MENU_PARAMS_MAX][MENU_VALUE_MAX];
};
void menu_open(struct menu *m, const struct vocabulary *v);
// Every key belongs to an open menu. The last page gives a request.
void menu_key(struct menu *m, struct dash *d, int key, bool function, struct request *ret);
void menu_draw(struct menu *m, const struct dash *d, struct canvas *c, struct rect area);
