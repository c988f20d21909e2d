// SPDX-License-Identifier: PostgreSQL
#pragma once
// From an errand's process to the supervisor: one message, cut after the text's end. The other way there is only the end of file.
#include "injector/errand/process.h"

struct errand_message {
    char word; // enum errand_word
    usec_t t;  // absolute monotonic
    char key[32];
    char text[ERRAND_TEXT_MAX];
};
