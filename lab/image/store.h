// SPDX-License-Identifier: PostgreSQL
#pragma once
// Where images lie, one store per user:
//   DIR/sha256-HEX/root/        the unpacked tree
//   DIR/sha256-HEX/manifest     what must be in it (manifest.h); the content id is this file's hash
//   DIR/sha256-HEX/image.json   versions, size, when and from what it was made
//   DIR/NAME -> sha256-HEX      the name, a link; replaced by rename(2)
//   DIR/.new-XXXXXX/            being made; whoever holds the lock removes what another has left
//   DIR/.lock                   flock(2): one build, import or removal at a time
// A content folder gets its name when all of it is on the disk, and a name points to it after that: what is seen is complete,
// whatever was interrupted.
#include <stdint.h>

#include "lab/base/usec.h"
#include "lab/base/vec.h"
#include "lab/image/image.h"

// How a long command talks: both may be NULL. No logging in this room.
struct image_ui {
    void (*say)(void *arg, const char *what); // a new stage: "unpacking"
    void (*tick)(void *arg);                  // about once a second while waiting
    void *arg;
    const volatile bool *stop; // set by the caller's signal handler: give up, leave nothing; NULL = never
};
void image_say(const struct image_ui *ui, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool image_stopped(const struct image_ui *ui);

// What list shows beside struct image.
struct image_info {
    struct image image; // name and id are known also of a damaged one
    uint64_t bytes, files;
    usec_t built;        // wall clock, µs since 1970, 0 = not known
    char suite[64];      // "" = imported
    char from[PATH_MAX]; // the mirror, or the tar file
    int state;           // 0 = complete; negative: -errno, and why says what is the matter
    char why[256];
};
typedef VEC(struct image_info) image_info_list;

// BASCULE_IMAGES_DIR, else $XDG_DATA_HOME/bascule/images, else ~/.local/share/bascule/images.
int store_dir(char *ret, size_t size, struct err *err);

struct store {
    char dir[PATH_MAX];
    int lock; // -1 = not held
};
// Makes the folder, takes the lock (waits, saying so; -ECANCELED when told to stop), removes leftovers. -ENOENT with create false
// when there is no store yet.
int store_open(bool create, const struct image_ui *ui, struct store *ret, struct err *err);
void store_close(struct store *s);
// A fresh DIR/.new-XXXXXX with an empty "root" in it.
int store_stage(const struct store *s, char ret[static PATH_MAX], struct err *err);
// Normalises, reads versions, hashes, writes image.json, syncs, renames, points the name to it. The staging folder is gone
// afterwards, also after a failure. The content that the name pointed to before is removed unless something needs it.
int store_commit(const struct store *s, const char *staging, struct image_info *info, const struct image_ui *ui,
                 struct err *err);
// Removes content folders that no name points to and no process uses.
void store_collect(const struct store *s);
// A process of this user has the content folder mounted: 0 = none, else its pid.
pid_t store_in_use(const char *id);

// All names, sorted; damaged ones too. *ret_leftovers (may be NULL): how many unfinished folders lie about.
int image_list(image_info_list *ret, size_t *ret_leftovers, struct err *err);
int image_remove(const char *name, const struct image_ui *ui, struct err *err);
// As image_find, with everything that is known.
int image_info_find(const char *name, struct image_info *ret, struct err *err);
// The folder name of an id: "sha256:ab" is "sha256-ab". ret holds at least MANIFEST_ID_MAX bytes.
void store_folder(const char *id, char *ret, size_t size);

// image.json
void image_json_write(const struct image_info *info, struct strbuf *out);
int image_json_read(const char *text, struct image_info *ret, struct err *err);

// Free space for images: -ENOSPC when fewer than `need` bytes are left in dir.
int store_check_room(const char *dir, uint64_t need, struct err *err);
