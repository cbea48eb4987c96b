/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/credential.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "model/card-type.h"

void credential_free(struct credential *credential)
{
	if (!credential)
		return;
	free(credential->serial);
	free(credential->card_type);
	fields_clear(&credential->holder);
	free(credential->template_name);
	free(credential->kdf);
	free(credential->reason);
	free(credential->user_id);
	person_link_clear(&credential->person);
	free(credential);
}

struct credential *credential_copy(const struct credential *credential)
{
	struct credential *copy = xnew(struct credential);

	*copy = *credential;
	copy->serial = xstrdup(credential->serial);
	copy->card_type = xstrdup(credential->card_type);
	copy->holder = (struct fields)FIELDS_INIT;
	fields_copy(&copy->holder, &credential->holder);
	copy->template_name = xstrdup(credential->template_name);
	copy->kdf = xstrdup(credential->kdf);
	copy->reason = xstrdup(credential->reason);
	copy->user_id = xstrdup(credential->user_id);
	copy->person = (struct person_link){0};
	person_link_copy(&copy->person, &credential->person);
	return copy;
}

void credential_forget(struct credential *credential)
{
	fields_clear(&credential->holder);
	free(steal_pointer(&credential->template_name));
	credential->template_version = 0;
	free(steal_pointer(&credential->reason));
	free(steal_pointer(&credential->user_id));
	person_link_clear(&credential->person);
	credential->expires_at = 0;
	credential->replaces = 0;
	credential->replaced_by = 0;
}

void credential_apply_expiry(struct credential *credential, int64_t now)
{
	if (credential->expires_at && credential->expires_at <= now &&
		lifecycle_check(credential->state, LIFECYCLE_EXPIRE, NULL, NULL))
		credential->state = LIFECYCLE_EXPIRED;
}

bool credential_is_key(const struct credential *credential)
{
	return credential->card_type && strcmp(credential->card_type, HSM_KEY_TYPE) == 0;
}

bool credential_check(const struct credential *credential, enum lifecycle_verb verb,
	enum lifecycle_state *next, struct error *error)
{
	bool is_allowed = credential_is_key(credential)
				  ? lifecycle_check_key(credential->state, verb, next, error)
				  : lifecycle_check(credential->state, verb, next, error);

	if (!is_allowed)
		return false;
	if (next && lifecycle_rule(verb)->flags & LIFECYCLE_GOES_BACK &&
		credential->before == LIFECYCLE_ISSUED)
		*next = LIFECYCLE_ISSUED;
	return true;
}

void credential_set_state(struct credential *credential, enum lifecycle_state state)
{
	if (state == LIFECYCLE_INACTIVE && credential->state != LIFECYCLE_INACTIVE)
		credential->before = credential->state;
	credential->state = state;
}

bool credential_waits_for_pin(const struct credential *credential)
{
	return credential->state == LIFECYCLE_ISSUED ||
	       (credential->state == LIFECYCLE_INACTIVE && credential->before == LIFECYCLE_ISSUED);
}
