// SPDX-License-Identifier: PostgreSQL
#pragma once
// Known defects of the versions in use (docs/measures.md, "Noise and verdict"; defect.c).
#include "lab/record/event.h"

struct defect_measure { // a known defect of the scenario
    char id[EVENT_NAME_MAX], software[EVENT_NAME_MAX], versions[EVENT_NAME_MAX];
    enum defect_signature signature;
    char reference[EVENT_TEXT_MAX], text[EVENT_TEXT_MAX], explains[EVENT_TEXT_MAX];
    bool always;
    bool seen; // its signature is in the log
    usec_t at;
    char node[NODE_NAME_MAX];     // seen: who did it
    char detail[160];             // seen: what was seen
    char version[EVENT_NAME_MAX]; // of the software on that node, "" = not recorded; not seen: the oldest of all nodes
    bool affected;                // that version is among `versions`
};

struct version_seen {
    char component[EVENT_NAME_MAX], version[EVENT_NAME_MAX];
    char nodes[EVENT_TEXT_MAX]; // "n1,n3" when nodes differ; "" = all that run it
};
