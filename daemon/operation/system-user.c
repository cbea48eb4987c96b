/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/system-user.h"

#include <pwd.h>
#include <string.h>

#include "common/alloc.h"
#include "model/holder.h"

#define RECORD_BYTES 16384

char *system_user_id(uid_t uid)
{
	return xasprintf("%lu", (unsigned long)uid);
}

/* The full name is what stands before the first comma (passwd(5)); one that is none, or not
 * legible, is not worth a card. */
static void set_full_name(struct fields *holder, const struct passwd *user)
{
	const char *comment = user->pw_gecos ? user->pw_gecos : "";
	_cleanup_free_ char *name = xasprintf("%.*s", (int)strcspn(comment, ","), comment);

	fields_set(holder, HOLDER_USER_NAME, name);
	if (!name[0] || !holder_check(holder, NULL))
		fields_set(holder, HOLDER_USER_NAME, user->pw_name);
}

bool system_user_holder(uid_t uid, struct fields *holder, struct error *error)
{
	_cleanup_free_ char *buffer = xcalloc(1, RECORD_BYTES);
	struct passwd record, *user = NULL;
	int failure = getpwuid_r(uid, &record, buffer, RECORD_BYTES, &user);

	fields_clear(holder);
	if (!user)
		return error_set(error, ERROR_NOT_FOUND, "the user database has no user %lu%s%s",
			(unsigned long)uid, failure ? ": " : "", failure ? strerror(failure) : "");
	_cleanup_free_ char *id = system_user_id(uid);
	fields_set(holder, HOLDER_USER, user->pw_name);
	fields_set(holder, HOLDER_USER_ID, id);
	set_full_name(holder, user);
	return holder_check(holder, error);
}

bool system_user_check_first(
	struct services *services, const char *id, const char *template_name, struct error *error)
{
	_cleanup_free_ char *serial = NULL;

	if (!store_credential_of_user(services->store, id, template_name, &serial, error))
		return false;
	return !serial || error_set(error, ERROR_EXISTS,
				  "you have the card %s of the template \"%s\" already; an "
				  "operator replaces or "
				  "retires it",
				  serial, template_name);
}

bool system_user_has_issued(uid_t uid, const struct credential *credential)
{
	struct fields user _cleanup_fields_ = FIELDS_INIT;
	_cleanup_free_ char *id = system_user_id(uid);
	const char *login = fields_get(&credential->holder, HOLDER_USER);

	return credential->user_id && strcmp(credential->user_id, id) == 0 && login &&
	       system_user_holder(uid, &user, NULL) &&
	       strcmp(fields_get(&user, HOLDER_USER), login) == 0;
}
