/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who acts, as the audit trail names it, with what the operators among them sign by. */
#ifndef TESSERA_AUDIT_ACTOR_H
#define TESSERA_AUDIT_ACTOR_H

#include <stddef.h>

#include "audit/signer.h"

struct audit_actor {
	const char *caller; /* "uid=0 pid=12 exe=/usr/bin/busctl", or "tesserad" */
	/* The logins that the caller has; of each operator one. */
	struct audit_signer **signers;
	size_t signer_count;
};

/* What the daemon does by itself. */
extern const struct audit_actor audit_daemon;
/* A caller without logins; for the length of the enclosing block. */
#define AUDIT_CALLER(text) (&(const struct audit_actor){.caller = (text)})

/* Heap; copies the text. */
struct audit_actor *audit_actor_new(const char *caller);
/* Takes a reference; a login of one whose login is there already is left out. */
void audit_actor_add(struct audit_actor *actor, struct audit_signer *signer);
void audit_actor_free(struct audit_actor *actor);
DEFINE_CLEANUP(struct audit_actor *, audit_actor_free);
#define _cleanup_audit_actor_ _cleanup_(audit_actor_freep)

/* "K7M2P A9B3C", heap; NULL for none. */
char *audit_actor_operators(const struct audit_actor *actor);

#endif
