/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/audit-logins.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/alloc.h"
#include "common/audit-signature.h"

/* Clocks are set now and then; the order of records is the chain's matter. */
#define CLOCK_TOLERANCE_US (5 * 60 * INT64_C(1000000))
/* A card may take its time to sign. */
#define CHALLENGE_US (2 * 60 * INT64_C(1000000))

DEFINE_CLEANUP(X509 *, X509_free);

struct audit_login {
	int64_t record;
	int64_t from_us, until_us;
	uint8_t key[AUDIT_SESSION_KEY_BYTES];
	size_t who; /* index of the operator */
};

void audit_logins_clear(struct audit_logins *logins)
{
	free(logins->items);
	for (size_t i = 0; i < logins->operator_count; i++) {
		free(logins->operators[i].name);
		free(logins->operators[i].card);
		free(logins->operators[i].subject);
		free(logins->operators[i].fingerprint);
	}
	free(logins->operators);
	*logins = (struct audit_logins){0};
}

static bool same(const char *one, const char *other)
{
	return one && other && strcmp(one, other) == 0;
}

bool audit_record_is_login(const struct audit_record *record)
{
	return same(record->operation, AUDIT_LOGIN_OPERATION) && same(record->outcome, "ok") &&
	       record->signature.length > 0;
}

bool audit_record_needs_operator(const struct audit_record *record)
{
	/*
	 * A card's PIN or unblock code is enough, or a template's leave; and without its master key
	 * nobody can log in to a restored installation.
	 */
	static const char *const for_others[] = {"login", "change-pin", "unblock",
		AUDIT_SELF_PREFIX "issue", AUDIT_SELF_PREFIX "activate",
		AUDIT_SELF_PREFIX "unblock", AUDIT_SELF_PREFIX "reissue",
		AUDIT_SELF_PREFIX "update", AUDIT_SELF_PREFIX "renew",
		AUDIT_SELF_PREFIX "report-lost", AUDIT_SELF_PREFIX "retire",
		AUDIT_SELF_PREFIX "authenticate", AUDIT_LOGIN_OPERATION, "begin-master-key-restore",
		"open-master-key-share", "finish-master-key-restore",
		/* An agent's, which no card of it has been used by yet. */
		"offer-reader",
		/* What programs do with HSM slots, by the slots' rules. */
		"use-key", "create-object", "copy-object", "change-object", "destroy-object",
		"generate-key", "generate-key-pair", "wrap-key", "unwrap-key", "derive-key",
		"read-key", "check-so-pin", "init-pin", "init-token", "change-officer-pin"};

	if (!same(record->outcome, "ok") || !record->actor ||
		strncmp(record->actor, "uid=", strlen("uid=")) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(for_others); i++) {
		if (same(record->operation, for_others[i]))
			return false;
	}
	return true;
}

/* --- logins --- */

/* Where the login of a record stands, or should stand. */
static size_t find_place(const struct audit_logins *logins, int64_t record)
{
	size_t low = 0, high = logins->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (logins->items[middle].record < record)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert(struct audit_logins *logins, const struct audit_login *login)
{
	size_t place = find_place(logins, login->record);

	if (place < logins->count && logins->items[place].record == login->record)
		return;
	if (logins->count == logins->room) {
		logins->room = logins->room ? logins->room * 2 : 64;
		logins->items = xreallocarray(logins->items, logins->room, sizeof(*logins->items));
	}
	memmove(&logins->items[place + 1], &logins->items[place],
		(logins->count - place) * sizeof(*logins->items));
	logins->items[place] = *login;
	logins->count++;
}

static char *subject_text(X509 *certificate)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *bytes = NULL;

	if (!text)
		abort();
	X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
	long length = BIO_get_mem_data(text, &bytes);
	char *copy = xcalloc((size_t)length + 1, 1);
	if (length > 0)
		memcpy(copy, bytes, (size_t)length);
	BIO_free(text);
	return copy;
}

/* Whether the certificate comes from a trusted authority and was good at that time. */
static bool is_certified(const struct audit_logins *logins, X509 *certificate, int64_t time_us)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();

	if (!context || X509_STORE_CTX_init(context, logins->anchors, certificate, NULL) != 1)
		abort();
	X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
	/* An authority below another one may be trusted by itself. */
	X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_time(rules, time_us / 1000000);
	bool good = X509_verify_cert(context) == 1;
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return good;
}

/* The entry for reports; made where there is none. */
static size_t find_operator(
	struct audit_logins *logins, const struct audit_record *record, X509 *certificate)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	unsigned length = sizeof(digest);
	size_t i = 0;

	if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1)
		abort();
	_cleanup_free_ char *fingerprint = hex_encode(digest, sizeof(digest));
	while (i < logins->operator_count &&
		!(same(logins->operators[i].name, record->operator_name) &&
			same(logins->operators[i].card, record->card) &&
			same(logins->operators[i].fingerprint, fingerprint)))
		i++;
	if (i == logins->operator_count) {
		logins->operators =
			xreallocarray(logins->operators, i + 1, sizeof(*logins->operators));
		logins->operators[i] =
			(struct audit_operator){.name = xstrdup(record->operator_name),
				.card = xstrdup(record->card),
				.subject = subject_text(certificate),
				.fingerprint = steal_pointer(&fingerprint)};
		logins->operator_count++;
	}
	return i;
}

/* What is wrong with the proof of a login, or NULL. */
static const char *proof_flaw(const struct audit_logins *logins, const struct audit_record *record,
	const struct audit_proof *proof, const struct audit_challenge *challenge, X509 *certificate)
{
	if (!record->operator_name || strchr(record->operator_name, ' '))
		return "is a login that does not name its operator";
	if (!same(challenge->store_id, logins->store_id))
		return "has the proof of a login to another store";
	if (!same(challenge->card, record->card))
		return "has the proof of a login with another card";
	if (record->time_us < challenge->time_us - CLOCK_TOLERANCE_US ||
		record->time_us > challenge->time_us + CHALLENGE_US + CLOCK_TOLERANCE_US)
		return "has the proof of a login at another time";
	if (!audit_login_is_signed(
		    certificate, &proof->challenge, proof->signature.data, proof->signature.length))
		return "has a proof that the card of the certificate did not sign";
	if (logins->anchors && !is_certified(logins, certificate, challenge->time_us))
		return "is a login whose certificate does not come from a trusted authority, or "
		       "was not valid then";
	return NULL;
}

char *audit_logins_add(struct audit_logins *logins, const struct audit_record *record)
{
	struct audit_proof proof _cleanup_audit_proof_ = {0};
	struct audit_challenge challenge _cleanup_audit_challenge_ = {0};
	X509 *certificate _cleanup_(X509_freep) = NULL;
	bool is_whole = false;

	if (audit_proof_decode(&record->signature, &proof) &&
		audit_challenge_decode(&proof.challenge, &challenge)) {
		const unsigned char *der = proof.certificate.data;
		certificate = d2i_X509(NULL, &der, (long)proof.certificate.length);
		is_whole = certificate && der == proof.certificate.data + proof.certificate.length;
		ERR_clear_error();
	}
	if (!is_whole)
		return xstrdup("has a damaged proof of its login");
	const char *flaw = proof_flaw(logins, record, &proof, &challenge, certificate);
	if (flaw)
		return xstrdup(flaw);
	struct audit_login login = {.record = record->id,
		.from_us = challenge.time_us,
		.until_us = challenge.until_us,
		.who = find_operator(logins, record, certificate)};
	memcpy(login.key, challenge.key, sizeof(login.key));
	insert(logins, &login);
	logins->operators[login.who].logins++;
	return NULL;
}

/* --- signatures --- */

static bool is_signed(const struct audit_logins *logins, const struct audit_record *record,
	const uint8_t previous[AUDIT_HASH_BYTES], const struct audit_login *login,
	const struct audit_signature *signature)
{
	struct buffer message _cleanup_buffer_ = BUFFER_INIT;
	EVP_PKEY *key =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, login->key, sizeof(login->key));
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	audit_signature_message(record, previous, logins->store_id, login->record, &message);
	bool good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature->bytes, sizeof(signature->bytes),
			    message.data, message.length) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}

/* One operator's signature. */
static char *check_one(struct audit_logins *logins, const struct audit_record *record,
	const uint8_t previous[AUDIT_HASH_BYTES], const char *name,
	const struct audit_signature *signature)
{
	size_t place = find_place(logins, signature->login);

	if (place == logins->count || logins->items[place].record != signature->login ||
		signature->login >= record->id)
		return xasprintf("is signed under a login that is not there (record %" PRId64 ")",
			signature->login);
	const struct audit_login *login = &logins->items[place];
	if (!same(logins->operators[login->who].name, name))
		return xasprintf("names operator %s, but is signed under the login of %s (record "
				 "%" PRId64 ")",
			name, logins->operators[login->who].name, login->record);
	if (!is_signed(logins, record, previous, login, signature))
		return xasprintf("has a signature that is not operator %s's for it", name);
	if (record->time_us < login->from_us - CLOCK_TOLERANCE_US ||
		record->time_us > login->until_us)
		return xasprintf(
			"is signed by operator %s outside the time of the login (record %" PRId64
			")",
			name, login->record);
	logins->operators[login->who].records++;
	return NULL;
}

char *audit_logins_check(struct audit_logins *logins, const struct audit_record *record,
	const uint8_t previous[AUDIT_HASH_BYTES])
{
	_cleanup_free_ char *names = record->operator_name ? xstrdup(record->operator_name) : NULL;
	struct reader signatures = reader_of(&record->signature);
	char *rest = NULL, *flaw = NULL;

	for (char *name = names ? strtok_r(names, " ", &rest) : NULL; name && !flaw;
		name = strtok_r(NULL, " ", &rest)) {
		struct audit_signature signature;
		if (reader_left(&signatures) == 0)
			flaw = xasprintf("names operator %s, who did not sign it", name);
		else if (!audit_signature_read(&signatures, &signature))
			flaw = xstrdup("has a damaged signature");
		else
			flaw = check_one(logins, record, previous, name, &signature);
	}
	if (!flaw && reader_left(&signatures) > 0)
		flaw = xstrdup("has a signature of nobody whom it names");
	if (!flaw && !names && logins->count > 0 && audit_record_needs_operator(record))
		flaw = xstrdup("is a change that no operator signed");
	if (!flaw && names)
		logins->signed_records++;
	return flaw;
}
