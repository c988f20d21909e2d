// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the room: one function per kind of event that needs more than a line, all called by model_apply.
#include "lab/model/model.h"

size_t model_index(const struct model *m, const struct model_node *n);

// replication.c: who streams from the leader, and how far behind
void model_apply_row(struct model *m, const struct event *ev);
void model_apply_link(struct model *m, const struct event *ev);
void model_apply_slot(struct model *m, const struct event *ev);
void model_forget_rows(struct model *m, const struct model_node *n); // as sender and as standby
void model_derive_replication(struct model *m); // fills streaming, sync_state and lag of every node

// claim.c: who leads where no authority says it; after every event that may change it
void model_note_claim(struct model_node *n, usec_t t, usec_t before); // before: when its manager was last heard
void model_derive_leader(struct model *m, const struct event *ev);

// facts.c: the leader accepts writes, and nobody else does
bool facts_one_writer_leads(const struct model *m);

// diverge.c: who follows another history than the leader; the key before the model takes the new holder
void model_diverge_key(struct model *m, const struct event *ev);
void model_diverge_leader(struct model *m, struct model_node *n, bool theft, usec_t t); // n leads from t on
void model_diverge_sql(struct model *m, const struct model_node *n, const struct event *ev);
void model_diverge_power(struct model *m, const struct model_node *n, usec_t t);
void model_apply_version(struct model *m, const struct event *ev);

// dcs.c: keys, lease, settings
void model_apply_authority(struct model *m, const struct event *ev);
void model_apply_entry(struct model *m, const struct event *ev);
void model_apply_grant(struct model *m, const struct event *ev);
void model_apply_config(struct model *m, const struct event *ev);
