// SPDX-License-Identifier: PostgreSQL
#pragma once
// YAML text as a tree in which every value and every key knows its place. Built from libyaml's events and not from its
// documents: only events tell aliases from copies (so they can be refused) and let us stop at a depth.
#include "lab/base/vec.h"

struct mark {
    int line, col; // from 1, columns in characters; 0,0 = the file as a whole
};

enum ynode_kind { YNODE_NOTHING, YNODE_TEXT, YNODE_LIST, YNODE_MAP };

struct ynode {
    enum ynode_kind kind;
    struct mark mark;
    char *key; // in a mapping: this value's key
    struct mark key_mark;
    char *text;    // YNODE_TEXT; never NULL there
    bool verbatim; // the text stands in the file letter by letter, on one line, from text_col on
    int text_col;
    VEC(struct ynode *) items; // YNODE_LIST, YNODE_MAP; owned
};

// Limits against files that are small to write and large to read.
enum { YAML_BYTES_MAX = 1 << 20, YAML_DEPTH_MAX = 24, YAML_NODES_MAX = 20000 };

// The tree is told of what is wrong through this; it goes on after everything but a broken syntax.
struct yaml_sink {
    void (*complain)(void *arg, struct mark at, const char *text);
    void *arg;
};

// Reads one document. Always returns a tree, or NULL when the file holds nothing usable. *ret_whole is false when the
// syntax broke somewhere: the tree then ends there, and what is missing in it may only be missing in the tree.
struct ynode *yaml_tree_read(const char *text, size_t len, const struct yaml_sink *sink, bool *ret_whole);
void ynode_free(struct ynode *n);
const struct ynode *ynode_get(const struct ynode *map, const char *key); // NULL when absent
const char *ynode_kind_name(enum ynode_kind kind);                       // "text", "a list", "a mapping", "nothing"
