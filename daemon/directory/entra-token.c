/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Access tokens: got by a client secret or an assertion, kept in memory until shortly before their
 * end, and never told. */
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/alloc.h"
#include "common/log.h"
#include "connection/memory.h"
#include "core/patience.h"
#include "core/signing-key.h"
#include "directory/entra-private.h"

#define SCHEME	       "Bearer "
#define TOKEN_MAX      16384 /* bytes; Microsoft's are below 5000 */
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define LIFE_MAX       (24 * 3600)
#define RENEW_BEFORE   300 /* seconds before its end */

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509 *, X509_free);

bool entra_prove_ready(struct directory *directory, struct error *error)
{
	struct entra *entra = directory->data;
	const char *name =
		entra->settings.by_certificate ? IDENTITY_CLIENT_CERTIFICATE : ENTRA_CLIENT_SECRET;
	const char *const texts[] = {directory->name, entra->document};

	if (!identity_open(&entra->identity, directory->services, directory->name, name,
		    entra->settings.client_key, error))
		return false;
	if (!entra->memory_key)
		entra->memory_key = connection_memory_key(directory->services->memory, texts,
			ARRAY_SIZE(texts), &entra->identity.secret);
	return true;
}

/* --- the request --- */

static void append_pair(struct buffer *form, const char *name, const char *value)
{
	char *escaped = http_escape(value);

	buffer_append_string(form, form->length > 0 ? "&" : "");
	buffer_append_string(form, name);
	buffer_append_u8(form, '=');
	buffer_append_string(form, escaped);
	explicit_bzero(escaped, strlen(escaped));
	free(escaped);
}

static bool append_secret(
	struct buffer *form, const char *name, const struct secret *value, struct error *error)
{
	_cleanup_secret_ struct secret text = SECRET_INIT;

	if (!secret_allocate(&text, value->length + 1))
		return error_set(error, ERROR_FAILED, "no memory is left for secrets");
	memcpy(text.data, value->data, value->length);
	append_pair(form, name, (const char *)text.data);
	return true;
}

static bool append_assertion(const struct entra *entra, struct buffer *form, struct error *error)
{
	const struct secret *pem = &entra->identity.secret;
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(pem->data, (int)pem->length);
	X509 *x509 _cleanup_(X509_freep) = PEM_read_bio_X509(bio, NULL, NULL, (void *)"");
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = NULL;
	_cleanup_secret_ struct secret token = SECRET_INIT;

	BIO_reset(bio);
	if (!entra->identity.key)
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	ERR_clear_error();
	if (!x509 || (!entra->identity.key && !key))
		return error_set(
			error, ENTRA_FAILED, "the client certificate or its key cannot be used");
	const struct entra_assertion assertion = {.audience = entra->settings.token_url,
		.client_id = entra->settings.client_id,
		.certificate = x509,
		.key = key ? key : entra->identity.key,
		.is_pkcs1 = entra->settings.is_pkcs1,
		.now = time(NULL)};
	append_pair(form, "client_assertion_type", ASSERTION_TYPE);
	return entra_check_certificate(x509, error) &&
	       entra_assertion_make(&assertion, &token, error) &&
	       append_secret(form, "client_assertion", &token, error);
}

static bool make_form(const struct entra *entra, struct buffer *form, struct error *error)
{
	append_pair(form, "grant_type", "client_credentials");
	append_pair(form, "client_id", entra->settings.client_id);
	append_pair(form, "scope", entra->settings.scope);
	return entra->settings.by_certificate
		       ? append_assertion(entra, form, error)
		       : append_secret(form, "client_secret", &entra->identity.secret, error);
}

/* --- the answer --- */

static bool fail_with_words(
	const struct entra *entra, const struct entra_reply *reply, struct error *error)
{
	_cleanup_free_ char *words = entra_token_words(reply->json, &entra->identity.secret);

	return error_set(error, ENTRA_FAILED, "%s gives no token (HTTP status %ld)%s%s",
		entra->settings.token_host, reply->status, words ? ": " : "", words ? words : "");
}

/* It becomes a line of HTTP: visible characters alone. */
static bool is_token(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			return false;
	}
	return length > 0 && length <= TOKEN_MAX;
}

static bool take_token(const struct entra *entra, const struct entra_reply *reply,
	struct secret *header, int64_t *seconds, struct error *error)
{
	const char *token = json_string_value(json_object_get(reply->json, "access_token"));
	const char *type = json_string_value(json_object_get(reply->json, "token_type"));
	json_int_t life = json_integer_value(json_object_get(reply->json, "expires_in"));

	if (!is_token(token) || !type || strcasecmp(type, "Bearer") != 0)
		return error_set(error, ENTRA_FAILED,
			"what answers at %s gives no token: check authentication-url",
			entra->settings.token_host);
	if (!secret_allocate(header, strlen(SCHEME) + strlen(token)))
		return error_set(error, ERROR_FAILED, "no memory is left for secrets");
	memcpy(header->data, SCHEME, strlen(SCHEME));
	memcpy(header->data + strlen(SCHEME), token, strlen(token));
	if (life < 0 || life > LIFE_MAX)
		life = life < 0 ? 0 : LIFE_MAX;
	*seconds = life - (life / 10 < RENEW_BEFORE ? life / 10 : RENEW_BEFORE);
	return true;
}

/* The parser's copy. */
static void wipe_token(const json_t *json)
{
	json_t *token = json_object_get(json, "access_token");

	if (json_is_string(token))
		explicit_bzero((char *)json_string_value(token), json_string_length(token));
}

static bool ask_once(struct directory *directory, struct secret *header, int64_t *seconds,
	struct entra_reply *reply, struct error *error)
{
	const struct entra *entra = directory->data;
	_cleanup_buffer_ struct buffer form = BUFFER_INIT_WIPE;

	if (!make_form(entra, &form, error))
		return false;
	struct http_request request = {.method = HTTP_POST,
		.url = entra->settings.token_url,
		.content_type = "application/x-www-form-urlencoded",
		.body = form.data,
		.body_length = form.length};
	if (!entra_send(directory, &request, reply, error))
		return false;
	if (reply->status < 200 || reply->status > 299)
		return fail_with_words(entra, reply, error);
	bool taken = take_token(entra, reply, header, seconds, error);
	wipe_token(reply->json);
	return taken;
}

static bool fetch(struct directory *directory, struct secret *header, int64_t *seconds,
	struct entra_reply *reply, struct error *error)
{
	const struct entra *entra = directory->data;
	struct patience patience = PATIENCE_INIT(entra->settings.retry_seconds);
	_cleanup_error_ struct error failure = ERROR_INIT;

	while (!ask_once(directory, header, seconds, reply, &failure)) {
		/* The status is the token endpoint's: it is no word of Graph's. */
		bool is_busy = entra_is_busy(reply->status);
		reply->status = 0;
		if (!is_busy || !patience_wait(&patience, reply->retry_after, &failure))
			return error_move(error, &failure);
		log_info("the token endpoint is asked again connection=%s: %s", directory->name,
			error_message(&failure));
		error_clear(&failure);
	}
	return true;
}

/* --- keeping it --- */

static bool fetch_and_keep(struct directory *directory, struct secret *header,
	struct entra_reply *reply, struct error *error)
{
	const struct entra *entra = directory->data;
	int64_t seconds = 0;

	if (!fetch(directory, header, &seconds, reply, error))
		return false;
	connection_memory_keep(directory->services->memory, entra->memory_key, header, seconds);
	return true;
}

bool entra_token(struct directory *directory, struct secret *header, struct entra_reply *reply,
	struct error *error)
{
	const struct entra *entra = directory->data;

	if (!entra_prove_ready(directory, error))
		return false;
	return connection_memory_find(directory->services->memory, entra->memory_key, header) ||
	       fetch_and_keep(directory, header, reply, error);
}

bool entra_token_test(struct directory *directory, struct entra_reply *reply, struct error *error)
{
	_cleanup_secret_ struct secret header = SECRET_INIT;

	return fetch_and_keep(directory, &header, reply, error);
}

void entra_token_drop(struct directory *directory, const struct secret *header)
{
	const struct entra *entra = directory->data;

	connection_memory_drop(directory->services->memory, entra->memory_key, header);
}
