/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "authority/local-ca-private.h"
#include "common/alloc.h"
#include "common/log.h"
#include "unit/authority/fixture.h"

static int setup(void **state)
{
	struct authority_fixture *fixture = fixture_new("ec-p256");

	fixture_prepare(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static X509_CRL *published_crl(struct authority_fixture *fixture)
{
	_cleanup_free_ char *path = xasprintf("%s/local.crl", fixture->publish_folder);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	X509_CRL *crl = d2i_X509_CRL_fp(file, NULL);
	fclose(file);
	assert_non_null(crl);
	return crl;
}

static int64_t crl_number(const X509_CRL *crl)
{
	int64_t number = 0;
	ASN1_INTEGER *value = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

	assert_non_null(value);
	ASN1_INTEGER_get_int64(&number, value);
	ASN1_INTEGER_free(value);
	return number;
}

/* A certificate of a saved credential, saved too. */
static void issue(struct authority_fixture *fixture, struct certificate *certificate)
{
	struct store *store = fixture->services.store;
	struct credential credential = {.serial = (char *)"card-1",
		.card_type = (char *)"piv",
		.state = LIFECYCLE_ACTIVE,
		.kdf = (char *)"",
		.key_version = 1};
	struct credential *present _cleanup_credential_ =
		store_credential_by_serial(store, "card-1", NULL);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!present && !store_credential_save(store, &credential, &error))
		fail_msg("%s", error_message(&error));
	fixture_enroll(fixture, "smartcard-logon", certificate);
	certificate->credential_id = present ? present->id : credential.id;
	certificate->slot = KEY_SLOT_AUTHENTICATION;
	certificate->authority = xstrdup("local");
	certificate->profile = xstrdup("smartcard-logon");
	if (!store_certificate_save(store, certificate, &error))
		fail_msg("%s", error_message(&error));
}

/* As the verbs do: the store first, then the authority. */
static void change(struct authority_fixture *fixture, struct certificate *certificate,
	enum certificate_status status, const char *reason)
{
	struct authority *authority = fixture->authority;

	certificate->status = status;
	free(certificate->reason);
	certificate->reason = xstrdup(reason);
	certificate->revoked_at = status == CERTIFICATE_VALID ? 0 : time(NULL);
	assert_true(store_certificate_save(fixture->services.store, certificate, NULL));
	if (status == CERTIFICATE_VALID)
		assert_true(authority->driver->resume(authority, certificate, NULL));
	else
		assert_true(authority->driver->revoke(
			authority, certificate, revocation_reason_find(reason), NULL));
}

/* The reason in the CRL: -1 when it has none, -2 when the certificate is not listed. */
static long listed_reason(struct authority_fixture *fixture, const struct certificate *certificate)
{
	X509_CRL *crl _cleanup_(X509_CRL_freep) = published_crl(fixture);
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(certificate);
	X509_REVOKED *entry = NULL;

	if (X509_CRL_get0_by_cert(crl, &entry, x509) != 1)
		return -2;
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	long value = reason ? ASN1_ENUMERATED_get(reason) : -1;
	ASN1_ENUMERATED_free(reason);
	return value;
}

static int verify(struct authority_fixture *fixture, const struct certificate *certificate)
{
	X509 *ca _cleanup_(X509_freep) = fixture_ca(fixture);
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(certificate);
	X509_CRL *crl _cleanup_(X509_CRL_freep) = published_crl(fixture);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();

	X509_STORE_add_cert(store, ca);
	X509_STORE_add_crl(store, crl);
	X509_STORE_CTX_init(context, store, x509, NULL);
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT);
	X509_verify_cert(context);
	int result = X509_STORE_CTX_get_error(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return result;
}

/* As after a full disk or a killed daemon between saving the connection and making the CA. */
static void publishing_completes_a_ca_that_was_cut_off(void **state)
{
	struct authority_fixture *fixture = fixture_new("ec-p256");
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	fixture_reopen(fixture);
	if (!fixture->authority->driver->publish(fixture->authority, &error))
		fail_msg("%s", error_message(&error));
	X509 *made _cleanup_(X509_freep) = fixture_ca(fixture);
	fixture_reopen(fixture);
	assert_true(fixture->authority->driver->publish(fixture->authority, &error));
	X509 *kept _cleanup_(X509_freep) = fixture_ca(fixture);
	assert_int_equal(X509_cmp(made, kept), 0);
	fixture_free(fixture);
}

static void a_new_ca_publishes_an_empty_signed_crl(void **state)
{
	struct authority_fixture *fixture = *state;
	X509_CRL *crl _cleanup_(X509_CRL_freep) = published_crl(fixture);
	X509 *ca _cleanup_(X509_freep) = fixture_ca(fixture);
	int days = 0, seconds = 0;

	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
	assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)), 0);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), -1);
	assert_int_equal(crl_number(crl), 1);
	ASN1_TIME_diff(
		&days, &seconds, X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl));
	assert_int_equal(days, 7);
	assert_true(X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1) >= 0);
}

static void a_revoked_certificate_is_listed_with_its_reason(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate one = {0}, other = {0};

	issue(fixture, &one);
	issue(fixture, &other);
	assert_int_equal(verify(fixture, &one), X509_V_OK);
	change(fixture, &one, CERTIFICATE_REVOKED, "keyCompromise");
	assert_int_equal(listed_reason(fixture, &one), CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(verify(fixture, &one), X509_V_ERR_CERT_REVOKED);
	assert_int_equal(verify(fixture, &other), X509_V_OK);
	change(fixture, &other, CERTIFICATE_REVOKED, "unspecified");
	assert_int_equal(listed_reason(fixture, &other), -1);
	assert_int_equal(listed_reason(fixture, &one), CRL_REASON_KEY_COMPROMISE);
	X509_CRL *crl _cleanup_(X509_CRL_freep) = published_crl(fixture);
	assert_int_equal(crl_number(crl), 3);
	certificate_clear(&one);
	certificate_clear(&other);
}

static void a_certificate_on_hold_is_listed_until_it_is_resumed(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate certificate = {0};

	issue(fixture, &certificate);
	change(fixture, &certificate, CERTIFICATE_ON_HOLD, "certificateHold");
	assert_int_equal(listed_reason(fixture, &certificate), CRL_REASON_CERTIFICATE_HOLD);
	assert_int_equal(verify(fixture, &certificate), X509_V_ERR_CERT_REVOKED);
	change(fixture, &certificate, CERTIFICATE_VALID, NULL);
	assert_int_equal(listed_reason(fixture, &certificate), -2);
	assert_int_equal(verify(fixture, &certificate), X509_V_OK);
	certificate_clear(&certificate);
}

static void long_expired_certificates_leave_the_list(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate certificate = {0};

	issue(fixture, &certificate);
	certificate.not_after = time(NULL) - 13 * 86400;
	change(fixture, &certificate, CERTIFICATE_REVOKED, "superseded");
	assert_int_equal(listed_reason(fixture, &certificate), CRL_REASON_SUPERSEDED);
	certificate.not_after = time(NULL) - 15 * 86400;
	change(fixture, &certificate, CERTIFICATE_REVOKED, "superseded");
	assert_int_equal(listed_reason(fixture, &certificate), -2);
	certificate_clear(&certificate);
}

static void a_fresh_crl_is_given_again_and_an_old_one_renewed(void **state)
{
	struct authority_fixture *fixture = *state;
	struct authority *authority = fixture->authority;
	_cleanup_buffer_ struct buffer first = BUFFER_INIT, second = BUFFER_INIT;
	struct local_ca *ca = authority->data;

	assert_true(authority->driver->crl(authority, &first, NULL));
	assert_true(authority->driver->crl(authority, &second, NULL));
	assert_int_equal(first.length, second.length);
	assert_memory_equal(first.data, second.data, first.length);
	ca->settings.crl_days = 30; /* now more than half of its time is over */
	assert_true(authority->driver->crl(authority, &second, NULL));
	X509_CRL *crl _cleanup_(X509_CRL_freep) = published_crl(fixture);
	assert_int_equal(crl_number(crl), 2);
	assert_true(store_value_set(
		fixture->services.store, "ca-crl/local", (const uint8_t *)"damaged", 7, NULL));
	assert_true(authority->driver->crl(authority, &second, NULL));
	X509_CRL *third _cleanup_(X509_CRL_freep) = published_crl(fixture);
	assert_int_equal(crl_number(third), 3);
}

static void the_openssl_command_reads_the_published_files(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate certificate = {0};
	char line[256], text[8192] = "";

	issue(fixture, &certificate);
	change(fixture, &certificate, CERTIFICATE_REVOKED, "keyCompromise");
	_cleanup_free_ char *command =
		xasprintf("cd '%s' && openssl crl -in local.crl.pem -CAfile local.crt.pem -verify "
			  "-noout -text 2>&1",
			fixture->publish_folder);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		strncat(text, line, sizeof(text) - strlen(text) - 1);
	assert_int_equal(pclose(pipe), 0);
	assert_non_null(strstr(text, "verify OK"));
	assert_non_null(strstr(text, "Key Compromise"));
	certificate_clear(&certificate);
}

static void *renew(void *argument)
{
	struct authority_fixture *fixture = argument;
	struct authority *authority = authority_open(&fixture->services, "local", NULL);

	for (int i = 0; i < 5; i++)
		authority->driver->resume(authority, NULL, NULL);
	authority_close(authority);
	return NULL;
}

static void threads_never_publish_an_older_crl_over_a_newer_one(void **state)
{
	struct authority_fixture *fixture = *state;
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, renew, fixture);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	X509_CRL *crl _cleanup_(X509_CRL_freep) = published_crl(fixture);
	assert_int_equal(crl_number(crl), 1 + 4 * 5);
}

static void nothing_half_written_stays_in_the_folder(void **state)
{
	struct authority_fixture *fixture = *state;
	DIR *folder = opendir(fixture->publish_folder);
	int files = 0;

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		files += entry->d_name[0] != '.';
	closedir(folder);
	assert_int_equal(files, 4);
}

static void revoking_fails_when_the_list_cannot_be_published(void **state)
{
	struct authority_fixture *fixture = *state;
	struct authority *authority = fixture->authority;
	_cleanup_error_ struct error error = ERROR_INIT;

	fixture->services.publish_folder = "/proc/no-such-folder";
	assert_false(authority->driver->revoke(authority, NULL, NULL, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	assert_non_null(strstr(error.message, "/proc/no-such-folder"));
}

static void a_local_ca_has_nothing_to_collect(void **state)
{
	struct authority_fixture *fixture = *state;
	struct authority *authority = fixture->authority;
	struct certificate certificate = {0};
	enum enroll_outcome outcome;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(authority->driver->collect(authority, &certificate, &outcome, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(publishing_completes_a_ca_that_was_cut_off),
		TEST(a_new_ca_publishes_an_empty_signed_crl),
		TEST(a_revoked_certificate_is_listed_with_its_reason),
		TEST(a_certificate_on_hold_is_listed_until_it_is_resumed),
		TEST(long_expired_certificates_leave_the_list),
		TEST(a_fresh_crl_is_given_again_and_an_old_one_renewed),
		TEST(the_openssl_command_reads_the_published_files),
		TEST(threads_never_publish_an_older_crl_over_a_newer_one),
		TEST(nothing_half_written_stays_in_the_folder),
		TEST(revoking_fails_when_the_list_cannot_be_published),
		TEST(a_local_ca_has_nothing_to_collect),
	};

	log_set_level(LOG_LEVEL_WARNING);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
