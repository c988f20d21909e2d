// SPDX-License-Identifier: PostgreSQL
#pragma once
// The history of leadership: who led (held the leader key, or was the only one to say so) and when its lease was renewed, which servers accepted writes,
// when etcd served and who led it, what the managers and the administrators did about it, the settings in force. Phases and laws are told from it alone; the measures, the page and the
// dashboard share this one fold. Pure.
#include "lab/base/vec.h"
#include "lab/model/model.h"
#include "lab/model/quorum.h"

struct ha_system; // system.h

// A renewal of the leader's lease, as it was seen.
struct renewal {
    usec_t at, error; // it lies in [at - error, at]
    usec_t ttl;       // granted; 0 = not told
    bool seen;        // false: none was, the rest is zero
};
// The observer narrows one renewal down with several sightings: those that overlap are of the same one.
bool renewal_same(const struct renewal *a, const struct renewal *b);
// Of sightings of one renewal the narrowest counts. Keeps in *last, of all renewals shown to it in any order, the last one that can have been before `t`.
void renewal_note(struct renewal *last, struct renewal r, usec_t t);

struct key_change {  // of the leader key; without an authority, of who leads by its manager's word (lab/model/claim.c)
    usec_t t, error; // it lies in [t - error, t]
    bool gone, initial;        // initial: found by the first read, not seen to happen
    int64_t created;           // revision; 0 = not recorded
    char value[NODE_NAME_MAX]; // who holds it from then on; "" = nobody
};
struct renewal_seen { // of the holder's lease; several may be of the same renewal (renewal_same)
    usec_t t;         // when it was seen
    struct renewal renewal;
    char holder[NODE_NAME_MAX];
};
struct arbiter_seen { // what a member said of itself
    usec_t t;
    char node[NODE_NAME_MAX];
    bool leader;
};
struct quorum_loss { // the time in which etcd served nobody for want of a quorum (lab/model/quorum.h)
    usec_t from, to; // to = USEC_NEVER: not seen to end
};
struct node_word { // something that a node did
    usec_t t;
    char node[NODE_NAME_MAX];
};
struct write_stretch { // successive probes of one PostgreSQL that found the same
    char node[NODE_NAME_MAX];
    bool writable;
    usec_t from, last; // the first of them and the last so far
    usec_t previous;   // the answer of the probe before the first; 0 = not known
};
struct unwatched { // a stretch in which the observer stood still (lab/model/watch.h)
    usec_t from, to;
};
struct setting_seen {
    usec_t t;
    char key[EVENT_NAME_MAX], value[EVENT_NAME_MAX];
};
// What a candidate's manager says in its log of an election; each system knows its own words (struct ha_system).
enum ha_said {
    HA_SAID_NOTHING,
    HA_SAID_LOST,   // it stood back in a race, or lost it
    HA_SAID_NO_DCS, // it can't reach the store: there is no race
    HA_SAID_BUSY    // it was still asking the old leader when the race began
};
// A candidate's manager says why it did not become leader, or that it can't.
struct leader_said {
    usec_t t;
    char node[NODE_NAME_MAX];
    bool paused; // in maintenance mode
    enum ha_said said;
    const char *words; // static
};
struct leader_named { // an administrator asked for a new leader
    usec_t t;
    char id[EVENT_NAME_MAX]; // of the act
};

struct leadership {
    const struct ha_system *system; // set by the owner; NULL = not known: nobody's words are understood
    const struct ha_kind *kind;     // what the model knows the system by; NULL = no event yet
    size_t most; // entries kept of each list, 0 = all; set by the owner, a fifth goes when it is reached
    VEC(struct key_change) keys;
    VEC(struct renewal_seen) renewals;
    VEC(struct arbiter_seen) etcd;
    struct quorum_watch quorum;
    VEC(struct quorum_loss) quorum_losses;
    VEC(struct node_word) key_writes; // a manager has written its own entry: model_member_entry
    VEC(struct write_stretch) writable;
    VEC(struct leader_said) said;
    VEC(struct leader_named) named;
    VEC(struct setting_seen) settings;
    VEC(struct unwatched) unwatched;
};
void leadership_done(struct leadership *l);
// m has seen the event.
void leadership_event(struct leadership *l, const struct model *m, const struct event *ev);

// No authority says who leads, the managers do: that an old leader is given up shows in nothing but the next one.
bool leadership_claimed(const struct leadership *l);
// Who led (held the key) at t, "" = nobody or not known. What the first read found was there before.
const char *leadership_holder(const struct leadership *l, usec_t t);
// The last renewal of the lease that can have been before t.
struct renewal leadership_renewal(const struct leadership *l, usec_t t);
// The node of etcd's leader at t, "" = not known.
const char *leadership_etcd_leader(const struct leadership *l, usec_t t);
// When another one than at t was first seen to lead; USEC_NEVER = it was not.
usec_t leadership_etcd_changed(const struct leadership *l, usec_t t);
// How long before t the observer last looked when t is within a standstill or right after one; 0 = it watched. What the store told then may have happened
// so much earlier.
usec_t leadership_unwatched(const struct leadership *l, usec_t t);
// When an administrator first asked for a new leader, from `since` on, but by the act `id`; USEC_NEVER = nobody did.
usec_t leadership_named(const struct leadership *l, usec_t since, const char *id);
// The setting's value at t, a number of `unit`s; the first that was read also holds for the time before. fallback when it was not told, or
// when it is no duration (0 to USEC_LONGEST).
usec_t leadership_setting(const struct leadership *l, const char *key, usec_t t, usec_t unit, usec_t fallback);
// When `node` first wrote its own key in [from, to]; 0 = it did not.
usec_t leadership_wrote_key(const struct leadership *l, const char *node, usec_t from, usec_t to);
// When `node` accepted writes (again): the first accepted probe from t on, or t itself when it did all along. anew: it must have been refused first, so
// that a server that never stopped does not count as promoted. ret_error: how much earlier it may have been.
bool leadership_writable(const struct leadership *l, const char *node, usec_t t, bool anew, usec_t *ret,
                         usec_t *ret_error);
// When `node` first ceased to accept writes in (from, to]; 0 = it was not seen to.
usec_t leadership_fell(const struct leadership *l, const char *node, usec_t from, usec_t to, usec_t *ret_error);
