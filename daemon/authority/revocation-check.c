/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/revocation-check.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#include "authority/revocation-private.h"
#include "common/alloc.h"

#define OCSP_MAX   (64 * 1024)
#define ISSUER_MAX (256 * 1024)
#define LIST_MAX   (64 * 1024 * 1024)
#define CONNECT_MS (10 * 1000)
#define ANSWER_MS  (30 * 1000)
#define LIST_MS	   (60 * 1000)
#define CACHED_MAX 16

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(PKCS7 *, PKCS7_free);

/* One check under way. */
struct check {
	struct authority *authority;
	struct revocation_cache *cache;
	struct revocation_places places;
	X509 *certificate, *issuer;
};

static void check_clear(struct check *check)
{
	revocation_places_clear(&check->places);
	X509_free(check->certificate);
	X509_free(check->issuer);
}

/* --- fetching --- */

static bool fetch(struct http_request *request, struct buffer *body, struct error *error)
{
	_cleanup_http_answer_ struct http_answer answer = HTTP_ANSWER_INIT;

	request->allow_plain = true;
	request->connect_ms = CONNECT_MS;
	if (!http_send(NULL, request, &answer, error))
		return false;
	if (answer.status != 200)
		return error_set(error, ERROR_NETWORK_FAILED, "%s: it answers with status %ld",
			request->url, answer.status);
	buffer_move(body, &answer.body);
	return true;
}

static bool get(
	const char *url, size_t max, unsigned timeout_ms, struct buffer *body, struct error *error)
{
	struct http_request request = {
		.method = HTTP_GET, .url = url, .answer_max = max, .timeout_ms = timeout_ms};

	return fetch(&request, body, error);
}

void revocation_cache_clear(struct revocation_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++) {
		free(cache->items[i].url);
		buffer_clear(&cache->items[i].der);
		error_clear(&cache->items[i].failure);
	}
	free(cache->items);
	*cache = (struct revocation_cache)REVOCATION_CACHE_INIT;
}

static struct revocation_fetched *find_fetched(struct revocation_cache *cache, const char *url)
{
	for (size_t i = 0; i < cache->count; i++) {
		if (strcmp(cache->items[i].url, url) == 0)
			return &cache->items[i];
	}
	return NULL;
}

static struct revocation_fetched *add_fetched(struct revocation_cache *cache, const char *url)
{
	cache->items = xreallocarray(cache->items, cache->count + 1, sizeof(*cache->items));
	cache->items[cache->count] = (struct revocation_fetched){.url = xstrdup(url)};
	return &cache->items[cache->count++];
}

static bool give_fetched(
	const struct revocation_fetched *fetched, struct buffer *list, struct error *error)
{
	if (fetched->failure.code != ERROR_NONE)
		return error_set(
			error, fetched->failure.code, "%s", error_message(&fetched->failure));
	buffer_append(list, fetched->der.data, fetched->der.length);
	return true;
}

/* A host that is away costs a run of many checks its time limit once. */
static bool get_list(
	struct revocation_cache *cache, const char *url, struct buffer *list, struct error *error)
{
	if (!cache)
		return get(url, LIST_MAX, LIST_MS, list, error);
	struct revocation_fetched *fetched = find_fetched(cache, url);
	if (fetched)
		return give_fetched(fetched, list, error);
	if (cache->count == CACHED_MAX)
		return get(url, LIST_MAX, LIST_MS, list, error);
	fetched = add_fetched(cache, url);
	get(url, LIST_MAX, LIST_MS, &fetched->der, &fetched->failure);
	return give_fetched(fetched, list, error);
}

/* Answers of responders are for one certificate each; that one does not answer is for all. */
static bool ask(struct revocation_cache *cache, struct http_request *request, struct buffer *answer,
	struct error *error)
{
	struct revocation_fetched *fetched = cache ? find_fetched(cache, request->url) : NULL;
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (fetched)
		return give_fetched(fetched, answer, error);
	if (fetch(request, answer, &failure))
		return true;
	if (cache && cache->count < CACHED_MAX)
		error_set(&add_fetched(cache, request->url)->failure, failure.code, "%s",
			error_message(&failure));
	return error_move(error, &failure);
}

/* --- the issuer's certificate --- */

/* Whether it is that of the issuer, whoever gave it: its key has signed the certificate. Takes it
 * over. */
static bool take_issuer(struct check *check, X509 *candidate)
{
	bool is_issuer = candidate && !check->issuer &&
			 X509_check_issued(candidate, check->certificate) == X509_V_OK &&
			 X509_verify(check->certificate, X509_get0_pubkey(candidate)) == 1;

	ERR_clear_error();
	if (is_issuer)
		check->issuer = candidate;
	else
		X509_free(candidate);
	return is_issuer;
}

static bool issuer_from_pem(struct check *check, BIO *bio)
{
	X509 *candidate;
	bool found = false;

	while (!found && (candidate = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		found = take_issuer(check, candidate);
	ERR_clear_error();
	return found;
}

/* A certificate, or certificates in PKCS#7 (RFC 5280, 4.2.2.1), or PEM as some do. */
static bool issuer_from_answer(struct check *check, const struct buffer *answer)
{
	const unsigned char *position = answer->data;
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(answer->data, (int)answer->length);

	if (take_issuer(check, d2i_X509(NULL, &position, (long)answer->length)))
		return true;
	position = answer->data;
	PKCS7 *bag _cleanup_(PKCS7_freep) = d2i_PKCS7(NULL, &position, (long)answer->length);
	STACK_OF(X509) *all =
		bag && PKCS7_type_is_signed(bag) && bag->d.sign ? bag->d.sign->cert : NULL;
	ERR_clear_error();
	for (int i = 0; i < sk_X509_num(all); i++) {
		X509 *candidate = sk_X509_value(all, i);
		if (X509_up_ref(candidate) == 1 && take_issuer(check, candidate))
			return true;
	}
	return bio && issuer_from_pem(check, bio);
}

static bool issuer_from_file(struct check *check)
{
	const char *path = check->authority->revocation.issuer_file;
	BIO *bio _cleanup_(BIO_free_allp) = path ? BIO_new_file(path, "r") : NULL;

	ERR_clear_error();
	return bio && issuer_from_pem(check, bio);
}

static bool issuer_from_authority(struct check *check)
{
	struct authority *authority = check->authority;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	return authority->driver->ca_certificate &&
	       authority->driver->ca_certificate(authority, &der, NULL) && der.length > 0 &&
	       issuer_from_answer(check, &der);
}

static bool issuer_from_network(struct check *check, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;

	for (size_t i = 0; i < check->places.issuer_count; i++) {
		_cleanup_buffer_ struct buffer answer = BUFFER_INIT;
		error_clear(&failure);
		if (get(check->places.issuers[i], ISSUER_MAX, ANSWER_MS, &answer, &failure) &&
			issuer_from_answer(check, &answer))
			return true;
	}
	if (failure.code != ERROR_NONE)
		return error_move(error, &failure);
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"the certificate of its issuer is not known: name a file with it in the connection "
		"(revocation-check, issuer-file)");
}

static bool find_issuer(struct check *check, struct error *error)
{
	return issuer_from_file(check) || issuer_from_authority(check) ||
	       issuer_from_network(check, error);
}

/* --- looking --- */

static bool ask_responder(
	struct check *check, const char *url, struct revocation_view *view, struct error *error)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT, answer = BUFFER_INIT;
	struct revocation_question *question _cleanup_(revocation_question_freep) =
		revocation_question_new(check->issuer, check->certificate, &der, error);
	struct http_request request = {.method = HTTP_POST,
		.url = url,
		.accept = "application/ocsp-response",
		.content_type = "application/ocsp-request",
		.body = der.data,
		.body_length = der.length,
		.answer_max = OCSP_MAX,
		.timeout_ms = ANSWER_MS};

	if (!question || !ask(check->cache, &request, &answer, error))
		return false;
	return revocation_question_look(question, &answer, check->issuer, view, error) ||
	       error_prefix(error, "%s", url);
}

static bool read_list(
	struct check *check, const char *url, struct revocation_view *view, struct error *error)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (!get_list(check->cache, url, &text, error))
		return false;
	X509_CRL *crl _cleanup_(X509_CRL_freep) = revocation_list_parse(&text, error);
	return (crl && revocation_list_look(crl, check->issuer, check->certificate, view, error)) ||
	       error_prefix(error, "%s", url);
}

typedef bool (*look_function)(
	struct check *check, const char *url, struct revocation_view *view, struct error *error);

/* The first place that answers well. *failure is that of the last that did not. */
static bool look_at(struct check *check, look_function look, const char *configured,
	char *const urls[], size_t count, struct revocation_view *view, struct error *failure)
{
	if (configured)
		return look(check, configured, view, failure);
	for (size_t i = 0; i < count; i++) {
		error_clear(failure);
		if (look(check, urls[i], view, failure))
			return true;
	}
	return false;
}

static bool look(struct check *check, struct revocation_view *view, struct error *error)
{
	const struct revocation_settings *settings = &check->authority->revocation;
	const struct revocation_places *places = &check->places;
	_cleanup_error_ struct error unanswered = ERROR_INIT, unlisted = ERROR_INIT;

	if (look_at(check, ask_responder, settings->ocsp, places->responders,
		    places->responder_count, view, &unanswered) ||
		look_at(check, read_list, settings->crl, places->crls, places->crl_count, view,
			&unlisted))
		return true;
	if (unanswered.code == ERROR_NONE || unlisted.code == ERROR_NONE)
		return error_move(error, unlisted.code == ERROR_NONE ? &unanswered : &unlisted);
	return error_set(error, unlisted.code, "%s; %s", error_message(&unanswered),
		error_message(&unlisted));
}

static bool has_place(const struct check *check)
{
	const struct revocation_settings *settings = &check->authority->revocation;

	return settings->crl || settings->ocsp || check->places.crl_count > 0 ||
	       check->places.responder_count > 0;
}

static X509 *decode(const struct certificate *certificate)
{
	const unsigned char *position = certificate->der.data;
	X509 *x509 = d2i_X509(NULL, &position, (long)certificate->der.length);

	ERR_clear_error();
	return x509;
}

bool revocation_is_published(struct authority *authority, const struct certificate *certificate)
{
	struct check check _cleanup_(check_clear) = {
		.authority = authority, .certificate = decode(certificate)};

	if (!check.certificate || authority->revocation.is_off)
		return false;
	revocation_places_of(check.certificate, &check.places);
	return has_place(&check);
}

bool revocation_check(struct authority *authority, const struct certificate *certificate,
	struct revocation_cache *cache, struct revocation_view *view, struct error *error)
{
	struct check check _cleanup_(check_clear) = {
		.authority = authority, .cache = cache, .certificate = decode(certificate)};

	*view = (struct revocation_view){.is_published = false};
	if (!check.certificate || authority->revocation.is_off)
		return true;
	revocation_places_of(check.certificate, &check.places);
	return !has_place(&check) || (find_issuer(&check, error) && look(&check, view, error));
}

/* --- a list that is at hand --- */

static bool shows(
	X509_CRL *crl, X509 *issuer, const struct certificate *certificate, struct error *error)
{
	X509 *x509 _cleanup_(X509_freep) = decode(certificate);
	enum certificate_status wanted = certificate->status == CERTIFICATE_PENDING
						 ? CERTIFICATE_VALID
						 : certificate->status;
	struct revocation_view view = {0};

	if (!x509 || certificate->not_after < (int64_t)time(NULL))
		return true;
	if (!revocation_list_look(crl, issuer, x509, &view, error))
		return false;
	return view.status == wanted ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "its revocation list shows certificate %s as %s still",
		       certificate->serial_hex, certificate_status_name(view.status));
}

bool revocation_check_own(
	struct authority *authority, const struct certificates *certificates, struct error *error)
{
	_cleanup_buffer_ struct buffer list = BUFFER_INIT, der = BUFFER_INIT;

	if (!authority->driver->crl(authority, &list, error) ||
		!authority->driver->ca_certificate(authority, &der, error))
		return false;
	const unsigned char *position = der.data;
	X509 *issuer _cleanup_(X509_freep) = d2i_X509(NULL, &position, (long)der.length);
	X509_CRL *crl _cleanup_(X509_CRL_freep) = revocation_list_parse(&list, error);
	if (!crl || !issuer)
		return crl == NULL ? false
				   : error_set(error, ERROR_AUTHORITY_FAILED,
					     "the certificate of the CA is damaged");
	for (size_t i = 0; i < certificates->count; i++) {
		if (strcmp(certificates->items[i].authority, authority->name) == 0 &&
			!shows(crl, issuer, &certificates->items[i], error))
			return false;
	}
	return true;
}
