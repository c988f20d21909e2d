// SPDX-License-Identifier: PostgreSQL
#pragma once
// What a system that manages a cluster may be able to do. A scenario names what it `needs`, a system declares what it has
// (struct ha_kind); who lacks something skips the scenario. A word says what people get, not how a program does it.

// name of the bit, word in scenarios, its meaning in one line for people
#define ABILITIES(X)                                                                                                   \
    X(SWITCHOVER, "switchover", "leadership is handed over in good order when somebody asks for it")                   \
    X(REJOIN, "rejoin", "a former leader comes back as a standby by itself, even with WAL that nobody else has")       \
    X(SYNC, "sync", "a synchronous standby is named, and another one when it is lost")                                 \
    X(PAUSE, "pause", "its automatic decisions can be suspended and resumed")                                          \
    X(FENCING, "fencing", "a leader that can't keep its hold on leadership stops taking writes by itself")             \
    X(WATCHDOG, "watchdog", "the leader's machine loses its power when its manager falls silent")                      \
    X(LEASE, "lease", "leadership is given for a time and must be renewed")                                            \
    X(DCS, "dcs", "who leads is written in a store that decides by majority: etcd")

enum {
#define X(bit, word, about) ABILITY_NUMBER_##bit,
    ABILITIES(X)
#undef X
        ABILITY_COUNT
};
enum ability { // bits, for sets of them
#define X(bit, word, about) CAN_##bit = 1 << ABILITY_NUMBER_##bit,
    ABILITIES(X)
#undef X
};

// By number, 0 to ABILITY_COUNT - 1; the bit is 1 << number. Static texts.
const char *ability_word(unsigned number);
const char *ability_about(unsigned number);
// The bit of a word; 0 = there is no such word.
unsigned ability_find(const char *word);
