/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/authority.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "authority/digicert-one.h"
#include "authority/local-ca.h"
#include "authority/ms-cs.h"
#include "authority/pki-platform.h"
#include "authority/revocation-check.h"
#include "authority/smtp.h"
#include "common/alloc.h"
#include "model/document.h"

static const struct authority_driver *const drivers[] = {
	&local_ca_driver, &digicert_one_driver, &pki_platform_driver, &ms_cs_driver, &smtp_driver};

static const char *kind_at(size_t index)
{
	return index < ARRAY_SIZE(drivers) ? drivers[index]->kind : NULL;
}

static const struct authority_driver *driver_find(const char *kind, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i]->kind, kind) == 0)
			return drivers[i];
	error_set_field(error, ERROR_INVALID_CONNECTION, "/kind",
		"there is no kind of connection called \"%s\"", kind);
	return NULL;
}

struct authority *authority_open(
	const struct authority_services *services, const char *name, struct error *error)
{
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;
	_cleanup_authority_ struct authority *authority = NULL;

	if (!store_connection_get(services->store, name, &connection, error))
		return NULL;
	const struct authority_driver *driver = driver_find(connection.kind, error);
	if (!driver)
		return NULL;
	authority = xnew(struct authority);
	authority->driver = driver;
	authority->services = services;
	authority->name = xstrdup(name);
	if (!driver->open(authority, connection.document, error)) {
		error_prefix(error, "connection %s", name);
		return NULL;
	}
	return steal_pointer(&authority);
}

void authority_close(struct authority *authority)
{
	if (!authority)
		return;
	authority->driver->close(authority);
	revocation_settings_clear(&authority->revocation);
	free(authority->name);
	free(authority);
}

bool authority_check_document(
	const char *document, struct connection *connection, struct error *error)
{
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node name_node, kind_node;
	const char *name;
	size_t kind;

	if (!json)
		return false;
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	if (!json_is_object(json))
		return document_fail(&root, error, "an object is expected");
	if (!document_member(&root, "name", &name_node, error) ||
		!document_name(&name_node, &name, error) ||
		!document_member(&root, "kind", &kind_node, error) ||
		!document_choice(&kind_node, kind_at, &kind, error) ||
		!drivers[kind]->check(document, error))
		return false;
	connection_clear(connection);
	connection->name = xstrdup(name);
	connection->kind = xstrdup(drivers[kind]->kind);
	connection->document = xstrdup(document);
	return true;
}

bool authority_prepare(
	const struct authority_services *services, const char *name, struct error *error)
{
	_cleanup_authority_ struct authority *authority = authority_open(services, name, error);

	return authority &&
	       (!authority->driver->prepare || authority->driver->prepare(authority, error));
}

bool authority_tells_all(const char *kind)
{
	const struct authority_driver *driver = driver_find(kind, NULL);

	return !driver || driver->tells_all;
}

/* --- steps of a test --- */

void authority_steps_clear(struct authority_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		free(steps->items[i].name);
		free(steps->items[i].message);
	}
	free(steps->items);
	*steps = (struct authority_steps)AUTHORITY_STEPS_INIT;
}

/* Takes the message over. */
static void add_step(
	struct authority_steps *steps, const char *name, bool has_passed, char *message)
{
	steps->items = xreallocarray(steps->items, steps->count + 1, sizeof(*steps->items));
	steps->items[steps->count++] = (struct authority_step){
		.name = xstrdup(name), .has_passed = has_passed, .message = message};
}

void authority_step_passed(struct authority_steps *steps, const char *name, const char *format, ...)
{
	char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);
	add_step(steps, name, true, message);
}

bool authority_step_failed(struct authority_steps *steps, const char *name, struct error *error)
{
	add_step(steps, name, false, xstrdup(error_message(error)));
	error_clear(error);
	return false;
}

/* --- what is kept besides the document --- */

char *authority_secret_name(const char *connection, const char *name)
{
	return xasprintf("connection-secret/%s/%s", connection, name);
}

static char *profiles_name(const char *connection)
{
	return xasprintf("connection-profiles/%s", connection);
}

bool authority_check_secret(struct authority *authority, const char *name,
	const struct secret *secret, struct error *error)
{
	const struct authority_driver *driver = authority->driver;
	_cleanup_free_ char *known = NULL;
	const char *each;

	for (size_t i = 0; driver->secret_at && (each = driver->secret_at(i)); i++) {
		if (strcmp(each, name) == 0)
			return !secret || !driver->check_secret ||
			       driver->check_secret(authority, name, secret, error);
		char *longer = xasprintf("%s%s%s", known ? known : "", known ? ", " : "", each);
		free(known);
		known = longer;
	}
	if (!known)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
			"a connection of kind %s has no secrets", driver->kind);
	return error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
		"the secrets of a connection of kind %s are %s", driver->kind, known);
}

bool authority_update_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles fetched = AUTHORITY_PROFILES_INIT;
	_cleanup_free_ char *name = profiles_name(authority->name);

	if (!authority->driver->update)
		return authority->driver->profiles(authority, profiles, error);
	if (!authority->driver->update(authority, &fetched, error))
		return false;
	_cleanup_free_ char *text = authority_profiles_text(&fetched);
	return store_value_set(authority->services->store, name, (const uint8_t *)text,
		       strlen(text), error) &&
	       authority->driver->profiles(authority, profiles, error);
}

bool authority_kept_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	_cleanup_free_ char *name = profiles_name(authority->name);
	_cleanup_error_ struct error missing = ERROR_INIT;
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (!store_value_get(authority->services->store, name, &text, &missing))
		return missing.code == ERROR_NOT_FOUND || error_move(error, &missing);
	return authority_profiles_parse(profiles, &text, error);
}

bool authority_forget(struct store *store, const char *name, struct error *error)
{
	_cleanup_free_ char *profiles = profiles_name(name);
	bool done = store_value_remove(store, profiles, error);

	for (size_t i = 0; done && i < ARRAY_SIZE(drivers); i++) {
		const char *each;
		for (size_t j = 0;
			done && drivers[i]->secret_at && (each = drivers[i]->secret_at(j)); j++) {
			_cleanup_free_ char *secret = authority_secret_name(name, each);
			done = store_value_remove(store, secret, error);
		}
	}
	return done;
}

/* --- what comes back --- */

bool authority_check_key(
	const struct certificate *certificate, X509_REQ *request, struct error *error)
{
	const unsigned char *position = certificate->der.data;
	X509 *x509 = d2i_X509(NULL, &position, (long)certificate->der.length);
	bool same = x509 && EVP_PKEY_eq(X509_get0_pubkey(x509), X509_REQ_get0_pubkey(request)) == 1;

	X509_free(x509);
	ERR_clear_error();
	return same || error_set(error, ERROR_AUTHORITY_FAILED,
			       "it gave a certificate for another key, which was not used");
}
