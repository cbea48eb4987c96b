/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/people.h"

#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "operation/connections.h"
#include "operation/contact.h"

void person_holder_clear(struct person_holder *holder)
{
	fields_clear(&holder->fields);
	person_link_clear(&holder->link);
}

/* --- what is kept --- */

/* What there is to say when a person becomes what the look has found. */
static const char *news_of(
	const struct person_record *before, enum person_state found, const struct fields *fields)
{
	if (before->state != found)
		return found == PERSON_GONE	  ? PERSON_NEWS_GONE
		       : found == PERSON_DISABLED ? PERSON_NEWS_DISABLED
						  : PERSON_NEWS_BACK;
	if (before->news[0] || !fields || found != PERSON_PRESENT)
		return before->news;
	for (size_t i = 0; i < before->fields.count; i++) {
		const struct field *field = &before->fields.items[i];
		const char *now = fields_get(fields, field->name);
		if (!now || strcmp(now, field->value) != 0)
			return PERSON_NEWS_CHANGED;
	}
	return PERSON_NEWS_NONE;
}

static void set_text(char **text, const char *value)
{
	char *copy = xstrdup(value ? value : "");

	free(*text);
	*text = copy;
}

static void take_look(struct person_record *record, const struct directory_person *person)
{
	enum person_state found = !person		? PERSON_GONE
				  : person->is_disabled ? PERSON_DISABLED
							: PERSON_PRESENT;
	int64_t now = time(NULL);

	record->news = news_of(record, found, person ? &person->fields : NULL);
	if (record->state != found)
		record->since = now;
	record->state = found;
	set_text(&record->reason, person && person->is_disabled ? person->reason : "");
	if (!person)
		return;
	record->seen_at = now;
	set_text(&record->name, person->name);
	if (found == PERSON_PRESENT)
		fields_copy(&record->fields, &person->fields);
}

bool people_note(struct services *services, const struct person_link *link,
	const struct directory_person *person, struct person_record *record, struct error *error)
{
	_cleanup_error_ struct error missing = ERROR_INIT;

	if (!store_person_get(services->store, link->connection, link->id, record, &missing)) {
		if (missing.code != ERROR_NOT_FOUND)
			return error_move(error, &missing);
		person_record_clear(record);
		*record = (struct person_record){.connection = xstrdup(link->connection),
			.id = xstrdup(link->id),
			.name = xstrdup(""),
			.state = PERSON_PRESENT,
			.since = time(NULL),
			.news = PERSON_NEWS_NONE};
	}
	take_look(record, person);
	return store_person_save(services->store, record, error);
}

/* --- looking people up --- */

struct directory *people_open(
	struct services *services, const char *connection, struct error *error)
{
	return services->open_directory(&services->connections, connection, error);
}

static bool refuse_disabled(
	const struct person_link *link, const struct directory_person *person, struct error *error)
{
	const char *reason = person->reason && person->reason[0] ? person->reason : NULL;

	return error_set_field(error, ERROR_INVALID_ARGUMENT, "person",
		"%s is disabled in the directory \"%s\" and gets no card%s%s",
		person->name ? person->name : link->id, link->connection, reason ? ": " : "",
		reason ? reason : "");
}

/* Present and not disabled, and kept as such. */
static bool take_person(struct services *services, const char *connection,
	const struct directory_person *person, struct person_link *link, struct error *error)
{
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;

	link->connection = xstrdup(connection);
	link->id = xstrdup(person->id);
	if (person->is_disabled)
		return refuse_disabled(link, person, error);
	return people_note(services, link, person, &record, error);
}

static bool ask(struct directory *directory, const char *login, const char *id,
	struct directory_person *person, struct error *error)
{
	return login ? directory->driver->find(directory, login, person, error)
		     : directory->driver->get(directory, id, person, error);
}

/* By login, or by id where login is NULL. */
static bool look_up(struct services *services, const char *connection, const char *login,
	const char *id, struct directory_person *person, struct error *error)
{
	_cleanup_directory_ struct directory *directory = people_open(services, connection, error);
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!directory)
		return error_prefix(error, "directory \"%s\"", connection);
	if (ask(directory, login, id, person, &failure))
		return true;
	if (failure.code == ERROR_NOT_FOUND)
		return error_set_field(error, ERROR_NOT_FOUND, "person",
			"the directory \"%s\" has nobody with the %s \"%s\"", connection,
			login ? "login" : "id", login ? login : id);
	/* Several have that login: which of them is said by the id. */
	if (failure.code == ERROR_INVALID_ARGUMENT)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "person",
			"directory \"%s\": %s", connection, error_message(&failure));
	error_prefix(&failure, "directory \"%s\"", connection);
	return error_move(error, &failure);
}

/* --- fields --- */

static bool check_given(const struct template *template, const struct directory_person *person,
	const struct field *field, struct error *error)
{
	const char *directory = template->issue.directory.connection;
	const char *known = fields_get(&person->fields, field->name);

	if (known)
		return strcmp(known, field->value) == 0 ||
		       error_set_field(error, ERROR_INVALID_ARGUMENT, field->name,
			       "the field \"%s\" is given as \"%s\", and the directory \"%s\" has "
			       "\"%s\": leave it out, or have the directory corrected",
			       field->name, field->value, directory, known);
	return template_takes_further(template, field->name) ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, field->name,
		       "the field \"%s\" is not given but comes from the directory \"%s\", which "
		       "has none for %s (/issue/holder/further lets it be given)",
		       field->name, directory, person->name ? person->name : person->id);
}

/* Those of the directory, and what may be given besides; what was given before (is_again) gives way
 * to what the directory has by now. */
static bool merge(const struct template *template, const struct directory_person *person,
	const struct fields *given, bool is_again, struct person_holder *holder,
	struct error *error)
{
	fields_copy(&holder->fields, &person->fields);
	for (size_t i = 0; i < given->count; i++) {
		const struct field *field = &given->items[i];
		if (!is_again && !check_given(template, person, field, error))
			return false;
		if (fields_get(&person->fields, field->name))
			continue;
		fields_set(&holder->fields, field->name, field->value);
		fields_set(&holder->link.given, field->name, field->value);
	}
	return true;
}

static bool check_complete(const struct template *template, const struct directory_person *person,
	const struct person_holder *holder, struct error *error)
{
	return template_check_holder(template, &holder->fields, error) ||
	       error_prefix(error, "%s in the directory \"%s\"",
		       person->name ? person->name : person->id, holder->link.connection);
}

static bool find(struct services *services, const struct template *template, const char *login,
	const char *id, const struct fields *given, bool is_again, struct person_holder *holder,
	struct error *error)
{
	_cleanup_person_ struct directory_person person = {0};
	const char *connection = template->issue.directory.connection;

	return look_up(services, connection, login, id, &person, error) &&
	       take_person(services, connection, &person, &holder->link, error) &&
	       merge(template, &person, given, is_again, holder, error) &&
	       check_complete(template, &person, holder, error);
}

/* --- issue --- */

bool people_find_holder(struct services *services, const struct template *template,
	const struct fields *given, const struct issue_terms *terms, struct person_holder *holder,
	struct error *error)
{
	const char *login = terms ? terms->person : NULL, *id = terms ? terms->person_id : NULL;
	const char *connection = template->issue.directory.connection;

	if (!connection && (login || id))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "person",
			"holders of cards of the template \"%s\" are not looked up in a directory",
			template->name);
	if (!connection) {
		fields_copy(&holder->fields, given);
		return true;
	}
	if (!login == !id)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "person",
			"the template \"%s\" is for people of the directory \"%s\": say who it is, "
			"by login name or by id",
			template->name, connection);
	return find(services, template, login, id, given, false, holder, error);
}

bool people_claim_first(struct operation *operation, const struct template *template,
	const struct person_link *link, char **claim, struct error *error)
{
	struct services *services = operation->services;
	_cleanup_free_ char *serial = NULL;

	*claim = NULL;
	if (!link->connection)
		return true;
	_cleanup_free_ char *name =
		xasprintf("of person %s of %s by %s", link->id, link->connection, template->name);
	if (!contacts_claim(services->contacts, name, error))
		return false;
	*claim = steal_pointer(&name);
	if (!store_credential_of_person(
		    services->store, link->connection, link->id, template->name, &serial, error))
		return false;
	if (serial && template->issue.directory.one_each)
		return error_set_field(error, ERROR_EXISTS, "person",
			"this person has the card %s of the template \"%s\" already: replace or "
			"retire that one",
			serial, template->name);
	if (serial)
		job_result(operation->job, "other-card", serial);
	return true;
}

void people_release(struct services *services, char *claim)
{
	if (claim)
		contacts_release(services->contacts, claim);
	free(claim);
}

/* --- again --- */

/* Without asking: what was found last counts. */
static bool keep(struct services *services, const struct credential *credential,
	struct person_holder *holder, struct error *error)
{
	const struct person_link *link = &credential->person;
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;

	fields_copy(&holder->fields, &credential->holder);
	person_link_copy(&holder->link, link);
	if (!store_person_get(services->store, link->connection, link->id, &record, NULL) ||
		record.state == PERSON_PRESENT)
		return true;
	return error_set_field(error, ERROR_INVALID_ARGUMENT, "person",
		"%s is %s in the directory \"%s\", as it was seen last, and gets no card",
		record.name, person_state_name(record.state), link->connection);
}

bool people_refresh_holder(struct services *services, const struct template *template,
	const struct credential *credential, const struct fields *given, bool keep_fields,
	struct person_holder *holder, struct error *error)
{
	const char *connection = template->issue.directory.connection;
	const struct person_link *link = &credential->person;

	if (!connection) {
		fields_copy(&holder->fields, given->count ? given : &credential->holder);
		return true;
	}
	if (!link->connection || strcmp(link->connection, connection) != 0)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "person",
			"the template \"%s\" is for people of the directory \"%s\", and the card "
			"%s is of none of them: retire it, and issue it with --person",
			template->name, connection, credential->serial);
	if (keep_fields && given->count)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, given->items[0].name,
			"fields are either kept or given");
	if (keep_fields)
		return keep(services, credential, holder, error);
	bool is_again = given->count == 0;
	return find(services, template, NULL, link->id, is_again ? &link->given : given, is_again,
		holder, error);
}

/* --- changes --- */

static bool patterns_use(const struct template *template, const char *name)
{
	struct fields used _cleanup_fields_ = FIELDS_INIT;

	for (size_t i = 0; i < template->key_count; i++) {
		const struct template_key *key = &template->keys[i];
		for (size_t j = 0; j < key->subject_count; j++)
			pattern_add_fields(key->subject[j].pattern, NULL, &used);
		for (size_t j = 0; j < key->san_count; j++)
			pattern_add_fields(key->san[j].pattern, NULL, &used);
	}
	return fields_get(&used, name) != NULL;
}

static bool chuid_uses(const struct template *template, const char *name)
{
	struct fields used _cleanup_fields_ = FIELDS_INIT;

	pattern_add_fields(template->issue.chuid.credential, NULL, &used);
	pattern_add_fields(template->issue.chuid.person, NULL, &used);
	return fields_get(&used, name) != NULL;
}

/* What is in certificates takes new ones. */
static enum change_effect effect_of(
	struct services *services, const struct template *template, const struct fields *changes)
{
	struct fields of_authorities _cleanup_fields_ = FIELDS_INIT;
	enum change_effect most = CHANGE_NONE;

	connection_required_fields(services, template, &of_authorities);
	for (size_t i = 0; i < changes->count; i++) {
		const char *name = changes->items[i].name;
		enum change_effect effect =
			patterns_use(template, name) || fields_get(&of_authorities, name)
				? CHANGE_REISSUE
			: chuid_uses(template, name) ? CHANGE_CARD
						     : CHANGE_RULE;
		most = effect > most ? effect : most;
	}
	return most;
}

bool people_find_changes(struct services *services, const struct template *template,
	const struct credential *credential, struct person_holder *holder, struct fields *changes,
	enum change_effect *effect, struct error *error)
{
	_cleanup_person_ struct directory_person person = {0};
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;
	_cleanup_error_ struct error failure = ERROR_INIT;
	const struct person_link *link = &credential->person;

	*effect = CHANGE_NONE;
	fields_copy(&holder->fields, &credential->holder);
	person_link_copy(&holder->link, link);
	if (!link->connection)
		return true;
	if (!look_up(services, link->connection, NULL, link->id, &person, &failure))
		return failure.code == ERROR_NOT_FOUND || error_move(error, &failure);
	if (person.is_disabled)
		return true;
	if (!people_note(services, link, &person, &record, error))
		return false;
	person_changes(&record, link, &credential->holder, changes);
	*effect = effect_of(services, template, changes);
	person_holder_clear(holder);
	*holder = (struct person_holder){0};
	holder->link.connection = xstrdup(link->connection);
	holder->link.id = xstrdup(link->id);
	fields_copy(&holder->fields, &link->given);
	fields_copy(&holder->link.given, &link->given);
	for (size_t i = 0; i < person.fields.count; i++)
		fields_set(
			&holder->fields, person.fields.items[i].name, person.fields.items[i].value);
	return true;
}
