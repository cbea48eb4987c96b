/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/entra.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/alloc.h"
#include "directory/entra-private.h"

#define SECRET_MAX 512 /* bytes; Microsoft's have 40 */

static bool check(const char *document, struct error *error)
{
	struct entra_settings settings = {0};
	bool good = entra_settings_parse(&settings, document, error);

	entra_settings_clear(&settings);
	return good;
}

static const char *secret_at(size_t index)
{
	static const char *const names[] = {ENTRA_CLIENT_SECRET, IDENTITY_CLIENT_CERTIFICATE};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static bool check_certificate(const struct secret *secret, bool needs_key, struct error *error)
{
	if (!identity_check_certificate(secret, needs_key, error))
		return false;
	BIO *bio = BIO_new_mem_buf(secret->data, (int)secret->length);
	X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, (void *)"");
	bool good = x509 && entra_check_certificate(x509, error);
	X509_free(x509);
	BIO_free(bio);
	ERR_clear_error();
	return good;
}

static bool check_secret(struct directory *directory, const char *name, const struct secret *secret,
	struct error *error)
{
	const struct entra *entra = directory->data;

	if (strcmp(name, ENTRA_CLIENT_SECRET) != 0)
		return check_certificate(secret, entra->settings.client_key == NULL, error);
	_cleanup_free_ char *text =
		xasprintf("%.*s", (int)secret->length, (const char *)secret->data);
	bool is_id = entra_is_guid(text);
	explicit_bzero(text, strlen(text));
	if (is_id)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
			"that is a secret's id: its value is needed, which is shown once when the "
			"secret is made");
	return identity_check_visible(secret, "a client secret", SECRET_MAX, error);
}

static const char *field_at(struct directory *directory, size_t index)
{
	const struct field_mapping *fields =
		&((const struct entra *)directory->data)->settings.fields;

	return index < fields->count ? fields->items[index].field : NULL;
}

static bool entra_open(struct directory *directory, const char *document, struct error *error)
{
	struct entra *entra = xnew(struct entra);

	directory->data = entra;
	entra->document = xstrdup(document);
	return entra_settings_parse(&entra->settings, document, error);
}

static void entra_close(struct directory *directory)
{
	struct entra *entra = directory->data;

	if (!entra)
		return;
	identity_close(&entra->identity, directory->services);
	entra_settings_clear(&entra->settings);
	free(entra->document);
	free(entra->memory_key);
	free(entra);
	directory->data = NULL;
}

const struct directory_driver entra_driver = {
	.kind = "entra-id",
	.check = check,
	.secret_at = secret_at,
	.check_secret = check_secret,
	.open = entra_open,
	.test = entra_test,
	.search = entra_search,
	.get = entra_get,
	.find = entra_find,
	/* No `authenticate`: Microsoft's password grant is deprecated, and no second factor. */
	.field_at = field_at,
	.close = entra_close,
};
