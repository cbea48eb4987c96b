/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/actor.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

const struct audit_actor audit_daemon = {.caller = "tesserad"};

struct audit_actor *audit_actor_new(const char *caller)
{
	struct audit_actor *actor = xnew(struct audit_actor);

	actor->caller = xstrdup(caller);
	return actor;
}

void audit_actor_add(struct audit_actor *actor, struct audit_signer *signer)
{
	for (size_t i = 0; i < actor->signer_count; i++) {
		if (strcmp(audit_signer_name(actor->signers[i]), audit_signer_name(signer)) == 0)
			return;
	}
	actor->signers = xreallocarray(
		actor->signers, actor->signer_count + 1, sizeof(struct audit_signer *));
	actor->signers[actor->signer_count++] = audit_signer_ref(signer);
}

void audit_actor_free(struct audit_actor *actor)
{
	if (!actor)
		return;
	for (size_t i = 0; i < actor->signer_count; i++)
		audit_signer_unref(actor->signers[i]);
	free(actor->signers);
	free((char *)actor->caller);
	free(actor);
}

char *audit_actor_operators(const struct audit_actor *actor)
{
	char *names = NULL;

	for (size_t i = 0; i < actor->signer_count; i++) {
		const char *name = audit_signer_name(actor->signers[i]);
		char *longer = names ? xasprintf("%s %s", names, name) : xstrdup(name);
		free(names);
		names = longer;
	}
	return names;
}
