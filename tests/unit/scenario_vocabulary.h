// SPDX-License-Identifier: PostgreSQL
#pragma once
// A vocabulary for tests of the scenario reader, in the shape of the injector's (fault_vocabulary), which they must not
// link.
#include "lab/scenario/read.h"

#define TEST_SERVICES "patroni|postgres|etcd|haproxy"

static const struct mechanism_param test_kill_params[] = {
    {"service", "word", TEST_SERVICES, NULL, "whose process"},
    {"process", "word", "postmaster|walreceiver|startup|checkpointer|backend", "postmaster", "which of PostgreSQL's"},
    {"signal", "word", "KILL|TERM|INT|QUIT|SEGV|ABRT", "KILL", "the signal"},
    {0}};
static const struct mechanism_param test_stop_params[] = {{"service", "word", TEST_SERVICES, NULL, "what to stop"},
                                                          {0}};
static const struct mechanism_param test_pause_params[] = {
    {"service", "word", TEST_SERVICES, NULL, "whose process"},
    {"process", "word", "postmaster|walreceiver|startup|checkpointer|backend", "postmaster", "which of PostgreSQL's"},
    {"scope", "word", "process|tree", "tree", "with its descendants"},
    {0}};
static const struct mechanism_param test_drop_params[] = {
    {"with", "nodes", "others|all", "others", "the other side"},
    {"direction", "word", "both|in|out", "both", "which frames"},
    {"path", "paths", "all|sql|replication|rest|etcd_client|etcd_peer", "all", "which service paths"},
    {0}};
static const struct mechanism_param test_switchover_params[] = {{"candidate", "nodes", NULL, "", "who is to lead"},
                                                                {0}};
// Of every kind that no shipped mechanism uses yet.
static const struct mechanism_param test_kinds_params[] = {{"delay", "duration", NULL, "0", ""},
                                                           {"size", "size", NULL, "0", ""},
                                                           {"count", "count", NULL, "1", ""},
                                                           {"loss", "percent", NULL, "0%", ""},
                                                           {"hard", "bool", NULL, "no", ""},
                                                           {"text", "text", NULL, "", ""},
                                                           {0}};

static const struct mechanism test_mechanisms[] = {
    {"process.kill", false, false, "kills", test_kill_params},
    {"process.stop", false, false, "stops", test_stop_params},
    {"process.pause", false, false, "freezes", test_pause_params},
    {"node.power_off", false, false, "takes the power", NULL},
    {"net.drop", false, false, "drops frames", test_drop_params},
    {"link.down", false, false, "pulls the cable", NULL},
    {"test.kinds", false, false, "has every kind of parameter", test_kinds_params},
    {"cluster.switchover", true, true, "hands over", test_switchover_params},
    {"node.power_on", true, false, "gives the power back", NULL},
    {"process.resume", true, false, "thaws", NULL},
};
static const struct vocabulary test_vocabulary = {test_mechanisms, sizeof test_mechanisms / sizeof *test_mechanisms};
