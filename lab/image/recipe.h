// SPDX-License-Identifier: PostgreSQL
#pragma once
// What an image is called, and what is put into it unless the user says otherwise. Pure.
#include "lab/base/err.h"

struct recipe {
    const char *name;  // "debian-13"
    const char *suite; // "trixie"
};

// 1 to 63 characters of a-z 0-9 '.' '-' '_', the first a letter or digit, not "host" (the word for no image) and not
// "sha256-..." (what content folders are called). 0 or -EINVAL.
int recipe_check_name(const char *name, struct err *err);
// The releases that are known by name; NULL for any other (then the user names the suite).
const struct recipe *recipe_find(const char *name);
// A suite becomes part of an apt line: letters, digits, '-', '.', '/' only. 0 or -EINVAL.
int recipe_check_suite(const char *suite, struct err *err);
// A Debian package name (Debian policy 5.6.1: lower case letters, digits, + - .), also "name=version" or "name/suite".
int recipe_check_package(const char *package, struct err *err);
// NULL-terminated: the stack, and what makes a node feel like a machine.
extern const char *const recipe_packages[];
