/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Revoking, suspending, resuming, and what the API says that a certificate is. */
#include <string.h>
#include <strings.h>

#include <openssl/sha.h>

#include "authority/digicert-one-private.h"
#include "common/alloc.h"

#define ALREADY_REVOKED "already has been revoked"

/* The API's words for RFC 5280's reasons. */
static const char *reason_word(const struct revocation_reason *reason)
{
	static const char *const words[] = {
		[0] = "unspecified",
		[1] = "key_compromise",
		[2] = "ca_compromise",
		[3] = "affiliation_changed",
		[4] = "superseded",
		[5] = "cessation_of_operation",
		[6] = "certificate_hold",
		[9] = "privilege_withdrawn",
		[10] = "aa_compromise",
	};
	const char *word = (size_t)reason->code < ARRAY_SIZE(words) ? words[reason->code] : NULL;

	return word ? word : words[0];
}

static void to_upper(char *hex)
{
	for (; *hex; hex++) {
		if (*hex >= 'a' && *hex <= 'f')
			*hex = (char)(*hex - 'a' + 'A');
	}
}

/* Heap: upper-case hex, as the API has it, of the certificate's SHA-256. */
static char *thumbprint_of(const struct certificate *certificate)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256(certificate->der.data, certificate->der.length, digest);
	char *thumbprint = hex_encode(digest, sizeof(digest));
	to_upper(thumbprint);
	return thumbprint;
}

/* The path of a certificate, with its fingerprint: an account may have a serial number twice. */
static char *path_of(const struct certificate *certificate, const char *verb)
{
	_cleanup_free_ char *serial = http_escape(certificate->serial_hex);

	to_upper(serial);
	if (certificate->der.length == 0 || verb[0] == '\0')
		return xasprintf("/certificate/%s%s", serial, verb);
	_cleanup_free_ char *thumbprint = thumbprint_of(certificate);
	return xasprintf("/certificate/%s%s?thumbprint_sha256=%s", serial, verb, thumbprint);
}

/* After a failure: whether the authority has the certificate as it is wanted all the same. */
static bool is_already(struct authority *authority, const struct certificate *certificate,
	enum certificate_status wanted)
{
	enum certificate_status status;

	return digicert_one_status(authority, certificate, &status, NULL) && status == wanted;
}

static bool put_reason(struct authority *authority, const struct certificate *certificate,
	const char *word, enum certificate_status wanted, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_free_ char *path = path_of(certificate, "/revoke");
	json_t *body _cleanup_json_ = json_pack("{s:s}", "revocation_reason", word);

	if (digicert_one_call(authority, HTTP_PUT, path, body, &reply, &failure) ||
		(wanted == CERTIFICATE_REVOKED && digicert_one_says(&reply, ALREADY_REVOKED)) ||
		is_already(authority, certificate, wanted))
		return true;
	return error_move(error, &failure);
}

bool digicert_one_revoke(struct authority *authority, const struct certificate *certificate,
	const struct revocation_reason *reason, struct error *error)
{
	return put_reason(authority, certificate, reason_word(reason), CERTIFICATE_REVOKED, error);
}

bool digicert_one_suspend(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	return put_reason(authority, certificate, "certificate_hold", CERTIFICATE_ON_HOLD, error);
}

bool digicert_one_resume(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_free_ char *path = path_of(certificate, "/revoke");

	if (digicert_one_call(authority, HTTP_DELETE, path, NULL, &reply, &failure) ||
		is_already(authority, certificate, CERTIFICATE_VALID))
		return true;
	return error_move(error, &failure);
}

static bool read_status(const json_t *object, enum certificate_status *status, struct error *error)
{
	static const struct {
		const char *word;
		enum certificate_status status;
	} words[] = {
		{"issued", CERTIFICATE_VALID},
		{"expired", CERTIFICATE_VALID},
		{"suspended", CERTIFICATE_ON_HOLD},
		{"revoked", CERTIFICATE_REVOKED},
	};
	const char *word = json_string_value(json_object_get(object, "status"));

	for (size_t i = 0; word && i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i].word, word) != 0)
			continue;
		*status = words[i].status;
		return true;
	}
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"DigiCert ONE says that the certificate is \"%.32s\"", word ? word : "");
}

/* A serial number that the account has twice. */
static bool status_by_search(struct authority *authority, const struct certificate *certificate,
	enum certificate_status *status, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	_cleanup_free_ char *thumbprint = thumbprint_of(certificate);
	_cleanup_free_ char *path =
		xasprintf("/certificate-search?thumbprint=%s&offset=0&limit=2", thumbprint);

	if (!digicert_one_call(authority, HTTP_GET, path, NULL, &reply, error) ||
		!digicert_one_need_object(&reply, error))
		return false;
	return read_status(json_array_get(json_object_get(reply.json, "items"), 0), status, error);
}

bool digicert_one_status(struct authority *authority, const struct certificate *certificate,
	enum certificate_status *status, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_free_ char *path = path_of(certificate, "");

	if (digicert_one_call(authority, HTTP_GET, path, NULL, &reply, &failure) &&
		digicert_one_need_object(&reply, &failure))
		return read_status(reply.json, status, error);
	if (digicert_one_says(&reply, "collision") && certificate->der.length > 0)
		return status_by_search(authority, certificate, status, error);
	return error_move(error, &failure);
}
