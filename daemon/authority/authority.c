/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/authority.h"

#include <string.h>

#include <openssl/err.h>

#include "authority/digicert-one.h"
#include "authority/local-ca.h"
#include "authority/ms-cs.h"
#include "authority/pki-platform.h"
#include "authority/revocation-check.h"
#include "common/alloc.h"
#include "model/document.h"

static const struct authority_driver *const drivers[] = {
	&local_ca_driver, &digicert_one_driver, &pki_platform_driver, &ms_cs_driver};

static const struct authority_driver *driver_find(const char *kind, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i]->kind, kind) == 0)
			return drivers[i];
	error_set(
		error, ERROR_NOT_SUPPORTED, "a connection of kind %s gives no certificates", kind);
	return NULL;
}

struct authority *authority_open(
	const struct connection_services *services, const char *name, struct error *error)
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

bool authority_tells_all(const char *kind)
{
	const struct authority_driver *driver = driver_find(kind, NULL);

	return !driver || driver->tells_all;
}

/* --- what is kept besides the document --- */

static char *profiles_name(const char *connection)
{
	return xasprintf("connection-profiles/%s", connection);
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

/* --- as kinds of connections --- */

static const char *kind_at(size_t index)
{
	return index < ARRAY_SIZE(drivers) ? drivers[index]->kind : NULL;
}

static bool check(size_t kind, const char *document, struct error *error)
{
	return drivers[kind]->check(document, error);
}

static const char *secret_at(size_t kind, size_t index)
{
	return drivers[kind]->secret_at ? drivers[kind]->secret_at(index) : NULL;
}

static bool check_secret(const struct connection_services *services, const char *connection,
	const char *name, const struct secret *secret, struct error *error)
{
	_cleanup_authority_ struct authority *authority =
		authority_open(services, connection, error);

	return authority &&
	       (!authority->driver->check_secret ||
		       authority->driver->check_secret(authority, name, secret, error));
}

static bool prepare(
	const struct connection_services *services, const char *connection, struct error *error)
{
	_cleanup_authority_ struct authority *authority =
		authority_open(services, connection, error);

	return authority &&
	       (!authority->driver->prepare || authority->driver->prepare(authority, error));
}

static bool test(const struct connection_services *services, const char *connection,
	struct connection_steps *steps, bool *works, struct error *error)
{
	_cleanup_authority_ struct authority *authority =
		authority_open(services, connection, error);

	if (authority)
		*works = authority->driver->test(authority, steps);
	return authority != NULL;
}

static bool forget(struct store *store, const char *connection, struct error *error)
{
	_cleanup_free_ char *profiles = profiles_name(connection);

	return store_value_remove(store, profiles, error);
}

const struct connection_family authority_family = {
	.kind_at = kind_at,
	.check = check,
	.secret_at = secret_at,
	.check_secret = check_secret,
	.prepare = prepare,
	.test = test,
	.forget = forget,
};
