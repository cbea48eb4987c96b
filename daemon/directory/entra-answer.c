/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Graph says of people, and what Entra ID and Graph say is wrong. */
#include <string.h>

#include "common/alloc.h"
#include "common/text.h"
#include "directory/entra-private.h"

#define WORDS_MAX 300 /* bytes of a service's own */

/* --- people --- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && text[0] ? text : NULL;
}

/* The value of a property, or of one inside another ("a/b"); the first one of several. */
static const json_t *value_of(const json_t *user, const char *property)
{
	_cleanup_free_ char *outer = xasprintf("%.*s", (int)strcspn(property, "/@"), property);
	const char *slash = strchr(property, '/');
	const json_t *value = json_object_get(user, outer);

	if (slash) {
		_cleanup_free_ char *inner =
			xasprintf("%.*s", (int)strcspn(slash + 1, "@"), slash + 1);
		value = json_object_get(value, inner);
	}
	return json_is_array(value) ? json_array_get(value, 0) : value;
}

/* The first that the person has counts. */
static void read_field(
	struct directory_person *person, const struct mapped_field *field, const json_t *user)
{
	for (size_t i = 0; i < field->count; i++) {
		const char *property = field->attributes[i];
		const json_t *value = value_of(user, property);
		const char *text = json_string_value(value);
		size_t length = json_string_length(value);

		if (length > 0 && property[strlen(property) - 1] == '@')
			length = strcspn(text, "@");
		if (length > 0 && person_set_field(person, field->field, text, length))
			return;
	}
}

static const char *shown_name(const struct fields *fields, const char *id)
{
	static const char *const names[] = {"name", "upn", "user", "email"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = fields_get(fields, names[i]);
		if (value)
			return value;
	}
	return id;
}

bool entra_is_guid(const char *text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	for (; text[i] && shape[i]; i++) {
		if (shape[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	}
	return !text[i] && !shape[i];
}

bool entra_read_person(const struct field_mapping *fields, const json_t *user,
	struct directory_person *person, struct error *error)
{
	const char *id = text_of(user, "id");
	const json_t *enabled = json_object_get(user, "accountEnabled");

	if (!id || !entra_is_guid(id))
		return error_set(error, ENTRA_FAILED,
			"what Graph answers is no person: there is no id in it");
	/* Left out where the application may not see it: nobody gets a card by that. */
	if (!json_is_boolean(enabled))
		return error_set(error, ENTRA_FAILED,
			"Graph does not say whether the account %s is enabled: grant the "
			"application the permission User.Read.All",
			id);
	person->id = xstrdup(id);
	person->is_disabled = json_is_false(enabled);
	if (person->is_disabled)
		person_note(person, "the account is disabled in Entra ID");
	for (size_t i = 0; i < fields->count; i++)
		read_field(person, &fields->items[i], user);
	person->name = xstrdup(shown_name(&person->fields, id));
	return true;
}

static bool has_person(const struct directory_people *people, const char *id)
{
	for (size_t i = 0; i < people->count; i++) {
		if (strcasecmp(people->items[i].id, id) == 0)
			return true;
	}
	return false;
}

/* The same person twice is one. */
static bool add_person(const struct field_mapping *fields, const json_t *user,
	struct directory_people *people, struct error *error)
{
	struct directory_person person = {0};

	if (!entra_read_person(fields, user, &person, error))
		return false;
	if (has_person(people, person.id)) {
		directory_person_clear(&person);
		return true;
	}
	people->items = xreallocarray(people->items, people->count + 1, sizeof(*people->items));
	people->items[people->count++] = person;
	return true;
}

bool entra_read_people(const struct entra_settings *settings, const json_t *json, size_t limit,
	struct directory_people *people, struct error *error)
{
	const json_t *value = json_object_get(json, "value"), *user;
	const json_t *next = json_object_get(json, "@odata.nextLink");
	size_t index;

	if (!json_is_array(value) || (next && !json_is_string(next)))
		return error_set(error, ENTRA_FAILED,
			"what answers is not Graph: check api-url (there is no list of people)");
	if (json_array_size(value) > limit)
		return error_set(error, ENTRA_FAILED,
			"Graph answers with %zu people where %zu were asked for",
			json_array_size(value), limit);
	if (next && !entra_is_of_api(settings, json_string_value(next)))
		return error_set(error, ENTRA_FAILED,
			"Graph's next page is at another address than %s: it is not asked there",
			settings->api);
	json_array_foreach(value, index, user)
	{
		if (!add_person(&settings->fields, user, people, error))
			return false;
	}
	free(people->next);
	people->next = xstrdup(json_string_value(next));
	return true;
}

/* --- what is wrong --- */

char *entra_words(const json_t *json)
{
	const json_t *said = json_object_get(json, "error");
	const char *code = text_of(said, "code"), *message = text_of(said, "message");

	if (!code && !message)
		return NULL;
	_cleanup_free_ char *words = xasprintf(
		"%s%s%s", code ? code : "", code && message ? ": " : "", message ? message : "");
	return text_shown(words, WORDS_MAX);
}

bool entra_says(const json_t *json, const char *code)
{
	const char *said = text_of(json_object_get(json, "error"), "code");

	return said && strcmp(said, code) == 0;
}

/* "AADSTS7000215", by number (Microsoft Entra authentication and authorization error codes). */
static const struct {
	json_int_t code;
	const char *advice;
} advices[] = {
	{7000215,
		"the client secret is wrong: it is the secret's value that is needed, not its id"},
	{7000222, "the client secret has expired: make another one for the application"},
	{7000218, "the application has to prove itself by a client secret or a certificate"},
	{7000216, "the application has to prove itself by a client secret or a certificate"},
	{700016, "the tenant has no application of this client-id"},
	{7000112, "the application is disabled in the tenant"},
	{90002, "there is no such tenant in this cloud: check tenant and cloud"},
	{900023, "there is no such tenant in this cloud: check tenant and cloud"},
	{90013, "the request is not taken: check tenant and client-id"},
	{900382, "the application is of another cloud: check cloud"},
	{700027, "the certificate is not one of the application's: upload it there, under "
		 "Certificates & secrets"},
	{50013, "the assertion's signature does not fit: is the key the certificate's?"},
	{50027, "the assertion is not understood: try another assertion-algorithm"},
	{700024, "the assertion is not of this time: compare this machine's clock"},
	{7000214, "the certificate is revoked: upload another one"},
	{1000502, "the certificate is not valid now: upload another one"},
	{70011, "this cloud does not give tokens for api-url: check both addresses"},
	{500011, "the tenant does not know the service at api-url: check cloud and api-url"},
	{1002012, "this cloud does not give tokens for api-url: check both addresses"},
	{53003, "a Conditional Access policy of the tenant blocks the application"},
	{50034, "the tenant does not know the account: check tenant"},
};

/* The number in "AADSTS7000215: ...", or 0. */
static json_int_t number_in(const char *description)
{
	const char *begin = description ? strstr(description, "AADSTS") : NULL;

	return begin ? strtoll(begin + strlen("AADSTS"), NULL, 10) : 0;
}

static const char *advice_for(json_int_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		if (advices[i].code == code)
			return advices[i].advice;
	}
	return NULL;
}

/* Its first line; NULL when it has a secret in it. */
static char *description_shown(const char *description, const struct secret *secret)
{
	size_t length = description ? strcspn(description, "\r\n") : 0;

	if (length == 0 || (secret_is_set(secret) && secret->length > 0 &&
				   memmem(description, length, secret->data, secret->length)))
		return NULL;
	_cleanup_free_ char *line = xasprintf("%.*s", (int)length, description);
	return text_shown(line, WORDS_MAX);
}

char *entra_token_words(const json_t *json, const struct secret *secret)
{
	const json_t *codes = json_object_get(json, "error_codes");
	const char *description = text_of(json, "error_description");
	const char *kind = text_of(json, "error");
	json_int_t code = json_integer_value(json_array_get(codes, 0));

	if (code == 0)
		code = number_in(description);
	if (advice_for(code))
		return xasprintf("%s (AADSTS%lld)", advice_for(code), (long long)code);
	char *shown = description_shown(description, secret);
	return shown ? shown : description_shown(kind, secret);
}
