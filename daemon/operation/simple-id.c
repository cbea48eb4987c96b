/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/simple-id.h"

#include "common/alloc.h"
#include "operation/contact.h"

/* So many in a row are taken only where there is next to no room left. */
#define ATTEMPTS_MAX 200

static char *claim_name(const char *id)
{
	return xasprintf("simple ID %s", id);
}

/* Claimed before it is looked for: of two threads that have made the same, one has it. */
static bool take(struct services *services, const char *id, bool *is_free, struct error *error)
{
	_cleanup_free_ char *claim = claim_name(id);
	bool is_taken = true;

	*is_free = false;
	if (!contacts_claim(services->contacts, claim, NULL))
		return true;
	bool done = store_holder_id_is_taken(services->store, id, &is_taken, error);
	*is_free = done && !is_taken;
	if (!*is_free)
		contacts_release(services->contacts, claim);
	return done;
}

char *simple_id_new(
	struct services *services, size_t length, simple_id_source source, struct error *error)
{
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		_cleanup_free_ char *id = source(length, error);
		bool is_free = false;
		if (!id || !take(services, id, &is_free, error))
			return NULL;
		if (is_free)
			return steal_pointer(&id);
	}
	error_set(error, ERROR_LIMIT_REACHED,
		"nearly all simple IDs of %zu characters are taken: let the template make longer "
		"ones (id-length)",
		length);
	return NULL;
}

void simple_id_release(struct services *services, const char *id)
{
	_cleanup_free_ char *claim = id ? claim_name(id) : NULL;

	if (claim)
		contacts_release(services->contacts, claim);
}
