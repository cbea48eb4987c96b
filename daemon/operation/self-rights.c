/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/self-rights.h"

#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "operation/login.h"
#include "operation/system-user.h"
#include "operation/template-rules.h"

#define HOLDER_UPN "upn"

void self_leave_clear(struct self_leave *leave)
{
	free(leave->label);
	*leave = (struct self_leave){0};
}

void self_person_clear(struct self_person *person)
{
	free(person->id);
	free(person->login);
	free(person->person_id);
	fields_clear(&person->holder);
	self_leave_clear(&person->leave);
	*person = (struct self_person){0};
}

/* --- whose a card is --- */

/* Whether the caller has logged in with the card, or with another one of the same holder. */
static bool is_of_login(struct services *services, const struct self_caller *caller,
	const struct credential *credential)
{
	size_t count;
	_cleanup_free_ int64_t *ids = logins_credentials(services->logins, caller->name, &count);
	bool own = false;

	for (size_t i = 0; i < count && !own; i++) {
		struct credential *other _cleanup_credential_ =
			store_credential_by_id(services->store, ids[i], NULL);
		own = other && other->state == LIFECYCLE_ACTIVE &&
		      (other->id == credential->id ||
			      template_rules_same_holder(&other->holder, &credential->holder));
	}
	return own;
}

/* A UPN says it alone, where both have one; directories take no care of upper and lower case. */
static bool is_named(const struct fields *holder, const char *user, const char *upn)
{
	const char *holders_upn = fields_get(holder, HOLDER_UPN);
	const char *holders_user = fields_get(holder, HOLDER_USER);

	if (holders_upn && holders_upn[0] && upn && upn[0])
		return strcasecmp(holders_upn, upn) == 0;
	return holders_user && holders_user[0] && user && strcasecmp(holders_user, user) == 0;
}

/* Users of the system who are people of a directory have their login name or their UPN there. */
static bool is_of_user(
	uid_t uid, const struct credential *credential, const struct template *template)
{
	struct fields user _cleanup_fields_ = FIELDS_INIT;

	if (system_user_has_issued(uid, credential))
		return true;
	if (!template->self_service.system_users_are_directory ||
		!system_user_holder(uid, &user, NULL))
		return false;
	const char *name = fields_get(&user, HOLDER_USER);
	return is_named(&credential->holder, name, strchr(name, '@') ? name : NULL);
}

/* By what the directory knows them by, where that is kept with the card. */
static bool is_of_person(const struct self_identity *identity, const struct credential *credential,
	const struct template *template)
{
	const struct person_link *link = &credential->person;
	const char *directory = template->self_service.directory;

	if (!directory || strcmp(directory, identity->connection) != 0 || credential->user_id)
		return false;
	if (link->connection)
		return strcmp(link->connection, identity->connection) == 0 &&
		       strcmp(link->id, identity->person_id) == 0;
	return is_named(&credential->holder, fields_get(&identity->fields, HOLDER_USER),
		fields_get(&identity->fields, HOLDER_UPN));
}

/* service: SELF_SERVICE_COUNT for whatever it is. */
static bool is_proved(const struct self_identity *identity, const struct self_caller *caller,
	const struct credential *credential, const struct template *template,
	enum self_service service)
{
	switch (identity->way) {
	case SELF_BY_SYSTEM_USER:
		return is_of_user(caller->uid, credential, template);
	case SELF_BY_DIRECTORY:
		return is_of_person(identity, credential, template);
	case SELF_BY_CODE:
		return identity->credential_id == credential->id &&
		       (service == SELF_SERVICE_COUNT || identity->purpose == service);
	default:
		return false;
	}
}

/* --- what they may do --- */

static bool find_leave(struct services *services, const struct self_caller *caller,
	const struct credential *credential, const struct template *template, self_ways ways,
	enum self_service service, struct self_leave *leave)
{
	bool found = false;
	size_t count;

	if ((ways & self_way_bit(SELF_BY_CARD) && is_of_login(services, caller, credential)) ||
		(ways & self_way_bit(SELF_BY_USER_ID) &&
			is_of_user(caller->uid, credential, template)))
		return true;
	struct self_identity *identities = selves_of(services->selves, caller->name, &count);
	for (size_t i = 0; i < count && !found; i++) {
		struct self_identity *identity = &identities[i];
		found = ways & self_way_bit(identity->way) &&
			is_proved(identity, caller, credential, template, service);
		if (found && leave) {
			leave->code = identity->code;
			leave->label = steal_pointer(&identity->label);
		}
	}
	self_identities_free(identities, count);
	return found;
}

bool self_may(struct services *services, const struct self_caller *caller,
	const struct credential *credential, enum self_service service, struct self_leave *leave)
{
	struct template *template _cleanup_template_ = card_template(services, credential, NULL);
	self_ways ways = template ? template->self_service.ways[service] : 0;

	return ways && find_leave(services, caller, credential, template, ways, service, leave);
}

/* --- issue --- */

static bool person_of_user(const struct self_caller *caller, const struct template *template,
	struct self_person *person, struct error *error)
{
	person->id = system_user_id(caller->uid);
	if (!system_user_holder(caller->uid, &person->holder, error))
		return false;
	if (template->issue.holder == ISSUE_HOLDER_DIRECTORY)
		person->login = xstrdup(fields_get(&person->holder, HOLDER_USER));
	return true;
}

/* A proof that the template takes, for a card that is to be issued by it. */
static bool fits_template(const struct self_identity *identity, const struct template *template)
{
	const char *directory = template->issue.directory.connection;

	if (!(template->self_service.ways[SELF_SERVICE_ISSUE] & self_way_bit(identity->way)))
		return false;
	if (identity->way == SELF_BY_DIRECTORY)
		return directory && strcmp(directory, identity->connection) == 0;
	return identity->way != SELF_BY_CODE ||
	       (identity->purpose == SELF_SERVICE_ISSUE && identity->template_name &&
		       strcmp(identity->template_name, template->name) == 0 &&
		       (!directory || (identity->connection &&
					      strcmp(directory, identity->connection) == 0)));
}

static bool take_person(struct services *services, const struct self_caller *caller,
	const struct template *template, struct self_person *person, struct error *error)
{
	bool found = false, taken = true;
	size_t count;
	struct self_identity *identities = selves_of(services->selves, caller->name, &count);

	for (size_t i = 0; i < count && !found; i++) {
		struct self_identity *identity = &identities[i];
		found = fits_template(identity, template);
		if (!found)
			continue;
		if (identity->way == SELF_BY_SYSTEM_USER)
			taken = person_of_user(caller, template, person, error);
		else
			fields_copy(&person->holder, &identity->fields);
		if (identity->way != SELF_BY_SYSTEM_USER && !identity->person_id)
			person->id = steal_pointer(&identity->id);
		person->person_id = steal_pointer(&identity->person_id);
		person->leave.code = identity->code;
		person->leave.label = steal_pointer(&identity->label);
	}
	self_identities_free(identities, count);
	return found ? taken
		     : error_set(error, ERROR_ACCESS_DENIED,
			       "who issues a card by the template \"%s\" has to prove first who "
			       "they are (tessera self issue)",
			       template->name);
}

bool self_find_person(struct services *services, const struct self_caller *caller,
	const struct template *template, bool is_operator, struct self_person *person,
	struct error *error)
{
	self_ways ways = template->self_service.ways[SELF_SERVICE_ISSUE];
	bool by_user = template->issue.holder == ISSUE_HOLDER_SYSTEM_USER;

	if ((by_user && is_operator) || ways & self_way_bit(SELF_BY_USER_ID))
		return person_of_user(caller, template, person, error);
	return take_person(services, caller, template, person, error);
}

/* --- the list --- */

struct ids {
	int64_t *items;
	size_t count;
};

static void add_id(struct ids *ids, int64_t id)
{
	for (size_t i = 0; i < ids->count; i++) {
		if (ids->items[i] == id)
			return;
	}
	if (ids->count == SELF_CARDS_MAX || id == 0)
		return;
	ids->items = xreallocarray(ids->items, ids->count + 1, sizeof(*ids->items));
	ids->items[ids->count++] = id;
}

static void add_all(struct ids *ids, int64_t *found, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_id(ids, found[i]);
	free(found);
}

/* Cards with this field of the holder, which may be another's. */
static bool add_named(struct services *services, const char *field, const char *value,
	struct ids *ids, struct error *error)
{
	_cleanup_free_ char *name = xasprintf("holder.%s", field);
	struct search search = {.field = name, .text = value, .after = "", .limit = SELF_CARDS_MAX};
	_cleanup_free_ char *next = NULL;
	int64_t *found = NULL;
	size_t count = 0;

	if (!value || !value[0])
		return true;
	if (!store_credential_search(services->store, &search, &found, &count, &next, error))
		return false;
	add_all(ids, found, count);
	return true;
}

static bool add_of_id(
	struct services *services, const char *user_id, struct ids *ids, struct error *error)
{
	int64_t *found = NULL;
	size_t count = 0;

	if (!store_credentials_of_user(
		    services->store, user_id, SELF_CARDS_MAX, &found, &count, error))
		return false;
	add_all(ids, found, count);
	return true;
}

static bool add_of_user(struct services *services, const struct self_caller *caller,
	struct ids *ids, struct error *error)
{
	struct fields user _cleanup_fields_ = FIELDS_INIT;
	_cleanup_free_ char *id = system_user_id(caller->uid);

	/* A user who is in no database has none. */
	if (!system_user_holder(caller->uid, &user, NULL))
		return true;
	const char *name = fields_get(&user, HOLDER_USER);
	return add_of_id(services, id, ids, error) &&
	       add_named(services, HOLDER_USER, name, ids, error) &&
	       add_named(services, HOLDER_UPN, strchr(name, '@') ? name : NULL, ids, error);
}

/* The card of a login, and others of the same holder. */
static bool add_of_logins(struct services *services, const struct self_caller *caller,
	struct ids *ids, struct error *error)
{
	static const char *const identifiers[] = {"id", "upn", "email"};
	size_t count;
	bool good = true;
	_cleanup_free_ int64_t *found = logins_credentials(services->logins, caller->name, &count);

	for (size_t i = 0; i < count && good; i++) {
		struct credential *credential _cleanup_credential_ =
			store_credential_by_id(services->store, found[i], NULL);
		add_id(ids, found[i]);
		for (size_t j = 0; credential && good && j < ARRAY_SIZE(identifiers); j++)
			good = add_named(services, identifiers[j],
				fields_get(&credential->holder, identifiers[j]), ids, error);
	}
	return good;
}

static bool add_of_person(struct services *services, const struct self_identity *identity,
	struct ids *ids, struct error *error)
{
	int64_t *found = NULL;
	size_t count = 0;

	if (!store_person_cards(services->store, identity->connection, identity->person_id, &found,
		    &count, error))
		return false;
	add_all(ids, found, count);
	return true;
}

static bool add_of_identities(struct services *services, const struct self_caller *caller,
	struct ids *ids, struct error *error)
{
	size_t count;
	bool good = true;
	struct self_identity *identities = selves_of(services->selves, caller->name, &count);

	for (size_t i = 0; i < count && good; i++) {
		const struct self_identity *identity = &identities[i];
		add_id(ids, identity->credential_id);
		if (identity->way == SELF_BY_DIRECTORY)
			good = add_of_person(services, identity, ids, error) &&
			       add_named(services, HOLDER_USER,
				       fields_get(&identity->fields, HOLDER_USER), ids, error) &&
			       add_named(services, HOLDER_UPN,
				       fields_get(&identity->fields, HOLDER_UPN), ids, error);
	}
	self_identities_free(identities, count);
	return good;
}

#define ALL_WAYS (self_way_bit(SELF_WAY_COUNT) - 1)

/* When the first thing of the card that still counts ends. */
static bool find_end(struct services *services, const struct credential *credential, int64_t *end,
	struct error *error)
{
	_cleanup_certificates_ struct certificates certificates = {0};

	*end = credential->expires_at;
	if (!store_certificate_list(services->store, credential->id, &certificates, error))
		return false;
	for (size_t i = 0; i < certificates.count; i++) {
		const struct certificate *certificate = &certificates.items[i];
		if (certificate->status == CERTIFICATE_VALID &&
			(*end == 0 || certificate->not_after < *end))
			*end = certificate->not_after;
	}
	return true;
}

/* Whether the card is the caller's in any way; *card is filled then. */
static bool look_at(struct services *services, const struct self_caller *caller, int64_t id,
	struct self_card *card)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, id, NULL);

	if (!credential || credential_is_key(credential) ||
		!lifecycle_is_managed(credential->state))
		return false;
	struct template *template _cleanup_template_ = card_template(services, credential, NULL);
	if (!template || !find_leave(services, caller, credential, template, ALL_WAYS,
				 SELF_SERVICE_COUNT, NULL))
		return false;
	for (enum self_service i = SELF_SERVICE_ACTIVATE; i < SELF_SERVICE_COUNT; i++) {
		enum lifecycle_state next;
		card->may[i] = credential_check(credential, self_service_verb(i), &next, NULL) &&
			       self_may(services, caller, credential, i, NULL);
	}
	card->credential = steal_pointer(&credential);
	return true;
}

void self_cards_free(struct self_card *cards, size_t count)
{
	for (size_t i = 0; i < count; i++)
		credential_free(cards[i].credential);
	free(cards);
}

bool self_cards(struct services *services, const struct self_caller *caller,
	struct self_card **cards, size_t *count, struct error *error)
{
	struct ids ids = {0};
	bool good = add_of_logins(services, caller, &ids, error) &&
		    add_of_user(services, caller, &ids, error) &&
		    add_of_identities(services, caller, &ids, error);

	*cards = xcalloc(ids.count + 1, sizeof(**cards));
	*count = 0;
	for (size_t i = 0; i < ids.count && good; i++) {
		struct self_card *card = &(*cards)[*count];
		if (!look_at(services, caller, ids.items[i], card))
			continue;
		(*count)++;
		good = find_end(services, card->credential, &card->expires_at, error);
	}
	free(ids.items);
	if (good)
		return true;
	self_cards_free(*cards, *count);
	*cards = NULL;
	*count = 0;
	return false;
}
