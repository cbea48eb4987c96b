/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/self-give.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "core/user.h"
#include "model/holder.h"
#include "operation/login.h"
#include "operation/people.h"
#include "operation/self-code.h"
#include "operation/self.h"
#include "operation/system-user.h"
#include "operation/template-rules.h"

/* --- for a card --- */

static bool check_takes_code(
	const struct template *template, enum self_service purpose, struct error *error)
{
	const char *section =
		purpose == SELF_SERVICE_ISSUE ? "/issue/authentication" : "/self-service";
	_cleanup_free_ char *place =
		purpose == SELF_SERVICE_ISSUE
			? xstrdup(section)
			: xasprintf("%s/%s", section, self_service_name(purpose));

	return template->self_service.ways[purpose] & self_way_bit(SELF_BY_CODE) ||
	       error_set_field(error, ERROR_NOT_SUPPORTED, place,
		       "the template \"%s\" takes no codes for that", template->name);
}

/* An operator's card gives power over others: those who may appoint operators help with it. */
static bool check_no_operator(struct services *services, int64_t credential_id, struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct error absence _cleanup_error_ = ERROR_INIT;

	if (store_operator_get(services->store, credential_id, &record, &absence))
		return error_set(error, ERROR_NOT_SUPPORTED,
			"there are no codes for operators' cards; help with it directly");
	return absence.code == ERROR_NOT_FOUND || error_move(error, &absence);
}

static bool for_card(struct services *services, const struct self_gift *gift,
	struct self_code *code, struct error *error)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, gift->credential_id, error);
	enum lifecycle_state next;

	if (!credential ||
		!logins_check_other(services->logins, gift->caller, credential->id, error) ||
		!check_no_operator(services, credential->id, error) ||
		!credential_check(credential, self_service_verb(gift->purpose), &next, error))
		return false;
	struct template *template _cleanup_template_ = card_template(services, credential, error);
	if (!template)
		return credential->template_name ? false
						 : error_set(error, ERROR_NOT_SUPPORTED,
							   "the card was issued by no template");
	code->credential_id = credential->id;
	return check_takes_code(template, gift->purpose, error);
}

/* --- for a card that is to be issued --- */

static bool for_user(const char *name, struct self_code *code, struct error *error)
{
	uid_t uid;

	if (!name || !user_find(name, &uid) || !system_user_holder(uid, &code->holder, NULL))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "user",
			"the template's cards are for users of the system: whose login name is "
			"it?");
	code->user_id = system_user_id(uid);
	return true;
}

/* The directory says who it is when the card is issued; here only whether there is such a person.
 */
static bool for_person_of_directory(struct services *services, const struct template *template,
	const char *login, struct self_code *code, struct error *error)
{
	const char *connection = template->issue.directory.connection;
	struct directory_person person _cleanup_person_ = {0};

	if (!login)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "person",
			"the template's cards are for people of the directory \"%s\": whose login "
			"name is it?",
			connection);
	struct directory *directory _cleanup_directory_ = people_open(services, connection, error);
	if (!directory || !directory->driver->find(directory, login, &person, error))
		return false;
	code->user_id = xasprintf("%s:%s", connection, person.id);
	return true;
}

static bool for_fields(const struct template *template, const struct self_gift *gift,
	struct self_code *code, struct error *error)
{
	fields_copy(&code->holder, gift->holder);
	if (!holder_check(&code->holder, error))
		return false;
	/* An ID is made when the card is. */
	return template->id_length > 0 || template_check_holder(template, &code->holder, error);
}

/* What is said of the person that does not fit the template. */
static bool check_said(
	const struct template *template, const struct self_gift *gift, struct error *error)
{
	enum issue_holder from = template->issue.holder;
	bool by_fields = from == ISSUE_HOLDER_FIELDS || from == ISSUE_HOLDER_SIMPLE_ID;
	const char *wrong = gift->holder->count > 0 && !by_fields	     ? "holder"
			    : gift->user && from != ISSUE_HOLDER_SYSTEM_USER ? "user"
			    : gift->person && from != ISSUE_HOLDER_DIRECTORY ? "person"
									     : NULL;

	return !wrong || error_set_field(error, ERROR_INVALID_ARGUMENT, wrong,
				 "the holders of the template's cards come from another place: %s",
				 issue_holder_name(from));
}

static bool for_person(struct services *services, const struct self_gift *gift,
	struct self_code *code, struct error *error)
{
	struct template *template _cleanup_template_ =
		store_template_get(services->store, gift->template_name, 0, error);

	if (!template || !check_takes_code(template, gift->purpose, error))
		return false;
	code->template_name = xstrdup(template->name);
	if (!check_said(template, gift, error))
		return false;
	switch (template->issue.holder) {
	case ISSUE_HOLDER_SYSTEM_USER:
		return for_user(gift->user, code, error);
	case ISSUE_HOLDER_DIRECTORY:
		return for_person_of_directory(services, template, gift->person, code, error);
	default:
		return for_fields(template, gift, code, error);
	}
}

/* --- both --- */

static bool set_end(const struct self_gift *gift, struct self_code *code, struct error *error)
{
	int64_t hours = gift->hours ? gift->hours : SELF_CODE_HOURS;

	if (hours < 1 || hours > SELF_CODE_HOURS_MAX)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "hours",
			"a code is good for 1 to %d hours", SELF_CODE_HOURS_MAX);
	code->expires_at = time(NULL) + hours * 3600;
	return true;
}

bool self_give(struct services *services, const struct self_gift *gift, struct secret *code,
	int64_t *expires_at, struct error *error)
{
	struct self_code made _cleanup_self_code_ = {.purpose = gift->purpose,
		.given_by = xstrdup(gift->given_by ? gift->given_by : "")};
	bool is_issue = gift->purpose == SELF_SERVICE_ISSUE;

	if (!logins_may(services->logins, gift->caller, self_service_permission(gift->purpose),
		    error) ||
		!set_end(gift, &made, error) ||
		!(is_issue ? for_person(services, gift, &made, error)
			   : for_card(services, gift, &made, error)) ||
		!self_code_make(services, &made, code, error))
		return false;
	*expires_at = made.expires_at;
	return true;
}

/* --- lock-outs --- */

static bool lift_card(
	struct services *services, const char *serial, bool *was_locked, struct error *error)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services->store, serial, error);
	char id[32];

	if (!credential)
		return false;
	snprintf(id, sizeof(id), "%" PRId64, credential->id);
	return selves_lift(services->selves, "card", id, was_locked, error);
}

/* Wrong passwords are counted by the login name, and codes by what the directory knows them by. */
static bool lift_person(
	struct services *services, const char *name, bool *was_locked, struct error *error)
{
	const char *colon = strchr(name, ':');
	struct directory_person person _cleanup_person_ = {0};
	bool by_code = false;

	if (!colon)
		return error_set_field(
			error, ERROR_INVALID_ARGUMENT, "name", "it must be CONNECTION:LOGIN");
	_cleanup_free_ char *connection = xasprintf("%.*s", (int)(colon - name), name);
	_cleanup_free_ char *login = self_lock_name(connection, colon + 1);
	if (!selves_lift(services->selves, "directory", login, was_locked, error))
		return false;
	struct directory *directory _cleanup_directory_ = people_open(services, connection, NULL);
	if (!directory || !directory->driver->find(directory, colon + 1, &person, NULL))
		return true;
	_cleanup_free_ char *id = xasprintf("%s:%s", connection, person.id);
	bool lifted = selves_lift(services->selves, "person", id, &by_code, error);
	*was_locked = *was_locked || by_code;
	return lifted;
}

bool self_lift(struct services *services, const char *kind, const char *name, bool *was_locked,
	struct error *error)
{
	uid_t uid;

	if (strcmp(kind, "person") == 0)
		return lift_person(services, name, was_locked, error);
	if (strcmp(kind, "card") == 0)
		return lift_card(services, name, was_locked, error);
	if (strcmp(kind, "code") == 0)
		return selves_lift(services->selves, "code", name, was_locked, error);
	if (strcmp(kind, "user") != 0)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "kind",
			"it must be card, code, user or person (CONNECTION:LOGIN)");
	if (!user_find(name, &uid))
		return error_set(
			error, ERROR_NOT_FOUND, "there is no user \"%.64s\" on this machine", name);
	_cleanup_free_ char *id = system_user_id(uid);
	return selves_lift(services->selves, "person", id, was_locked, error);
}
