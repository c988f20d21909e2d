// SPDX-License-Identifier: PostgreSQL
#pragma once
// Where the host's apt gets Debian from, so that a classroom's own mirror is used for images too. sources.list(5), both formats.
#include <stdbool.h>

#include "lab/base/err.h"
#include "lab/base/vec.h"

struct apt_source {
    char *uri, *suite;
    char *signed_by; // path of a keyring, NULL = none named (or the key itself stands in the file)
    bool trusted;    // [trusted=yes]
    bool main;       // has the component "main"
};
typedef VEC(struct apt_source) apt_source_list;
void sources_done(apt_source_list *list);

// Binary sources ("deb") only; lines that can't be read are passed over: apt complains about them itself.
void sources_parse_list(const char *text, apt_source_list *list);
void sources_parse_deb822(const char *text, apt_source_list *list);
// sources.list, sources.list.d/*.list and *.sources below `apt_dir` ("/etc/apt"). What does not exist gives nothing.
void sources_read(const char *apt_dir, apt_source_list *list);

// Debian itself, and not a third party's archive that uses Debian's suite names: the URI's path ends in "debian" or
// "debian-security", or the keyring is Debian's.
bool sources_is_debian(const struct apt_source *s);

typedef VEC(char *) line_list;
void line_list_done(line_list *list);
// The lines of sources.list for `suite`: the host's mirrors of Debian with the suite replaced, those for updates and security
// included where the host has them; Debian's public mirrors when the host names none. With `mirror` only that one.
void sources_for_suite(const apt_source_list *host, const char *suite, const char *mirror, line_list *ret);
#define SOURCES_KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg" // from debian-archive-keyring
