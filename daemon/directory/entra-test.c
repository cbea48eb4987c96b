/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The test of a connection, of each address for itself: of authentication-url its name, TLS and a
 * token; of api-url its name, TLS, the permission to read people, the groups, a person's fields.
 */
#include <string.h>

#include "common/alloc.h"
#include "common/text.h"
#include "directory/entra-private.h"

#define GROUP_NAME_MAX 100 /* bytes shown */

/* One of the two services. */
struct service {
	const char *name_step, *tls_step, *host;
};

static struct service authentication_of(const struct entra_settings *settings)
{
	return (struct service){"authentication name", "authentication TLS", settings->token_host};
}

static struct service api_of(const struct entra_settings *settings)
{
	return (struct service){"API name", "API TLS", settings->api_host};
}

/* Its name and TLS, as far as a request came. */
static void add_reached(const struct entra_settings *settings, struct connection_steps *steps,
	struct service service, const struct entra_reply *reply)
{
	const char *file = settings->ca_file;

	if (reply->is_resolved)
		connection_step_passed(steps, service.name_step, "%s is found", service.host);
	if (reply->is_connected)
		connection_step_passed(steps, service.tls_step, "%s has proved its name%s%s",
			service.host,
			file ? " by an authority of " : " to this system's authorities",
			file ? file : "");
}

/* The step at which a request without a good answer has stopped. */
static const char *stopped_at(
	struct service service, const struct entra_reply *reply, const char *answered)
{
	if (!reply->is_resolved)
		return service.name_step;
	return reply->is_connected ? answered : service.tls_step;
}

/* NULL when it gives a token, else the step that has failed. */
static const char *test_authentication(
	struct directory *directory, struct connection_steps *steps, struct error *error)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	_cleanup_entra_reply_ struct entra_reply reply = {0};

	if (!entra_prove_ready(directory, error))
		return "secret";
	bool done = entra_token_test(directory, &reply, error);
	add_reached(settings, steps, authentication_of(settings), &reply);
	if (!done)
		return stopped_at(authentication_of(settings), &reply, "token");
	connection_step_passed(steps, "token", "%s gives the application a token by its %s",
		settings->token_host, settings->by_certificate ? "certificate" : "client secret");
	return NULL;
}

/*
 * Without a token Graph refuses what is asked for, which proves its name and TLS all the same. What
 * is wrong with it is added to *error.
 */
static void test_api_without_token(
	struct directory *directory, struct connection_steps *steps, struct error *error)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	const struct entra_query query = {.limit = 1};
	_cleanup_free_ char *url = entra_collection_url(settings, &query);
	struct http_request request = {.method = HTTP_GET, .url = url};
	_cleanup_entra_reply_ struct entra_reply reply = {0};
	_cleanup_error_ struct error failure = ERROR_INIT;
	bool done = entra_send(directory, &request, &reply, &failure);

	add_reached(settings, steps, api_of(settings), &reply);
	if (done)
		return;
	_cleanup_free_ char *first = xstrdup(error_message(error));
	error_set(error, error->code, "%s; besides, %s: %s", first,
		stopped_at(api_of(settings), &reply, "API"), error_message(&failure));
}

static bool test_group(struct directory *directory, const char *id, struct connection_steps *steps)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	_cleanup_entra_reply_ struct entra_reply reply = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *url =
		xasprintf("%s/groups/%s?$select=id,displayName", settings->api, id);

	if (!entra_call(directory, url, NULL, &reply, &error)) {
		error_prefix(&error, "group %s", id);
		return connection_step_failed(steps, "groups", &error);
	}
	const char *name = json_string_value(json_object_get(reply.json, "displayName"));
	_cleanup_free_ char *shown = text_shown(name ? name : id, GROUP_NAME_MAX);
	connection_step_passed(steps, "groups", "only members of %s get cards", shown);
	return true;
}

static bool test_groups(struct directory *directory, struct connection_steps *steps)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;

	for (size_t i = 0; i < settings->group_count; i++) {
		if (!test_group(directory, settings->groups[i], steps))
			return false;
	}
	return true;
}

/* "name, upn, email" of those fields that the person has, or has not. */
static char *list_fields(
	const struct field_mapping *mapped, const struct fields *has, bool is_filled)
{
	char *list = xstrdup("");

	for (size_t i = 0; i < mapped->count; i++) {
		const char *name = mapped->items[i].field;
		if ((fields_get(has, name) != NULL) != is_filled)
			continue;
		char *longer = xasprintf("%s%s%s", list, list[0] ? ", " : "", name);
		free(list);
		list = longer;
	}
	return list;
}

static bool test_mapping(const struct entra_settings *settings,
	const struct directory_people *people, struct connection_steps *steps)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	const struct fields *has = people->count > 0 ? &people->items[0].fields : NULL;

	if (!has)
		return true;
	_cleanup_free_ char *filled = list_fields(&settings->fields, has, true);
	_cleanup_free_ char *empty = list_fields(&settings->fields, has, false);
	if (filled[0]) {
		connection_step_passed(steps, "mapping", "the first one has %s%s%s", filled,
			empty[0] ? "; not " : "", empty);
		return true;
	}
	error_set(&error, ENTRA_FAILED, "the first one has none of the fields: check \"fields\"");
	return connection_step_failed(steps, "mapping", &error);
}

/* Read as it is, without filter and groups; whether an account is enabled is not shown to each. */
static bool test_permission(struct directory *directory, struct connection_steps *steps)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	_cleanup_people_ struct directory_people people = {0};
	_cleanup_entra_reply_ struct entra_reply reply = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *url =
		xasprintf("%s/users?$select=id,accountEnabled&$top=1", settings->api);
	bool done = entra_call(directory, url, NULL, &reply, &error);

	add_reached(settings, steps, api_of(settings), &reply);
	if (!done)
		return connection_step_failed(
			steps, stopped_at(api_of(settings), &reply, "permission"), &error);
	if (!entra_read_people(settings, reply.json, 1, &people, &error))
		return connection_step_failed(steps, "permission", &error);
	connection_step_passed(steps, "permission", "the application may read people");
	return true;
}

static bool test_people(struct directory *directory, struct connection_steps *steps)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	_cleanup_people_ struct directory_people people = {0};
	_cleanup_entra_reply_ struct entra_reply reply = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	const struct entra_query query = {.limit = 1, .is_sorted = true};
	_cleanup_free_ char *url = entra_collection_url(settings, &query);

	if (!entra_call(directory, url, NULL, &reply, &error) ||
		!entra_read_people(settings, reply.json, query.limit, &people, &error))
		return connection_step_failed(steps, "people", &error);
	const json_t *count = json_object_get(reply.json, "@odata.count");
	connection_step_passed(steps, "people", "%lld found%s",
		(long long)(json_is_integer(count) ? json_integer_value(count)
						   : (json_int_t)people.count),
		settings->group_count > 1 ? " in the first group" : "");
	return test_mapping(settings, &people, steps);
}

bool entra_test(struct directory *directory, struct connection_steps *steps)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	const char *failed = test_authentication(directory, steps, &error);

	if (!failed)
		return test_permission(directory, steps) && test_groups(directory, steps) &&
		       test_people(directory, steps);
	test_api_without_token(directory, steps, &error);
	return connection_step_failed(steps, failed, &error);
}
