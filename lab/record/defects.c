// SPDX-License-Identifier: PostgreSQL
#include "lab/record/defects.h"

#include <string.h>
#include <strings.h>

#include "lab/base/version.h"

static const struct defect_known all[] = {
    {.id = "patroni-2693",
     .software = "patroni",
     .versions = "< 3.0.3",
     .reference = "https://github.com/patroni/patroni/pull/2693",
     .text = "a leader whose lease has expired gets a new one and puts the leader key back unconditionally, whoever "
             "holds it now",
     .signature = DEFECT_LEADER_KEY_OVERWRITTEN,
     // Everything that follows from two leaders one after the other on one timeline: the second demotion and its outage included.
     .explains = "same_history, lost_writes, foreign_rows, split_brain, rejoin, write_outage"},
};

const struct defect_known *defects_known(size_t *ret_n) {
    *ret_n = sizeof all / sizeof all[0];
    return all;
}

const struct defect_known *defects_find(enum defect_signature signature, const char *software, const char *version) {
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].signature == signature && strcasecmp(all[i].software, software) == 0 &&
            version_in_range(all[i].versions, version))
            return &all[i];
    return NULL;
}
