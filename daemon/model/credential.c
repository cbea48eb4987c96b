/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/credential.h"

#include <stdlib.h>

#include "common/alloc.h"

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
	return copy;
}

void credential_forget(struct credential *credential)
{
	fields_clear(&credential->holder);
	free(steal_pointer(&credential->template_name));
	credential->template_version = 0;
	free(steal_pointer(&credential->reason));
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
