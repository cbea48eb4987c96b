/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/authority/fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "common/alloc.h"
#include "core/signing-key.h"
#include "operation/connection-kinds.h"

const char fixture_document[] =
	"{\"name\": \"local\", \"kind\": \"local-ca\", \"key-algorithm\": \"%s\","
	" \"subject\": [[\"CN\", \"Test CA\"], [\"O\", \"Caf\u00e9\"]],"
	" \"validity-days\": 100, \"crl-days\": 7,"
	" \"crl-url\": \"http://pki.example.org/local.crl?a=1,b=2\","
	" \"profiles\": {"
	"  \"smartcard-logon\": {\"validity-days\": 30, \"key-usage\": [\"digitalSignature\"],"
	"   \"extended-key-usage\": [\"clientAuth\", \"smartcardLogon\"]},"
	"  \"long\": {\"validity-days\": 3650,"
	"   \"key-usage\": [\"keyEncipherment\", \"keyAgreement\"],"
	"   \"extended-key-usage\": [\"emailProtection\"]},"
	"  \"encipher-only\": {\"key-usage\": [\"keyEncipherment\"]},"
	"  \"card-authentication\": {\"key-usage\": [\"digitalSignature\"],"
	"   \"extended-key-usage\": [\"id-PIV-cardAuth\"]}}}";

static void save_connection(struct authority_fixture *fixture, const char *key_algorithm)
{
	char text[2048];
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	snprintf(text, sizeof(text), fixture_document, key_algorithm);
	if (!connection_check_document(text, &connection, &error))
		fail_msg("%s: %s", error.field, error.message);
	assert_string_equal(connection.name, "local");
	assert_string_equal(connection.kind, "local-ca");
	assert_true(store_connection_save(fixture->services.store, &connection, NULL));
}

struct authority_fixture *fixture_new(const char *key_algorithm)
{
	struct authority_fixture *fixture = xnew(struct authority_fixture);
	_cleanup_error_ struct error error = ERROR_INIT;

	fixture->token = token_fixture_new();
	_cleanup_free_ char *path = xasprintf("%s/store.db", fixture->token->folder);
	fixture->publish_folder = xasprintf("%s/public", fixture->token->folder);
	fixture->services = (struct connection_services){
		.store = store_open(path, &error),
		.token = fixture->token->token,
		.publish_folder = fixture->publish_folder,
	};
	if (!fixture->services.store)
		fail_msg("%s", error_message(&error));
	save_connection(fixture, key_algorithm);
	return fixture;
}

void fixture_reopen(struct authority_fixture *fixture)
{
	authority_close(fixture->authority);
	fixture->authority = authority_open(&fixture->services, "local", NULL);
	assert_non_null(fixture->authority);
}

void fixture_prepare(struct authority_fixture *fixture)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!connection_prepare(&fixture->services, "local", &error))
		fail_msg("%s", error_message(&error));
	fixture_reopen(fixture);
}

void fixture_free(struct authority_fixture *fixture)
{
	authority_close(fixture->authority);
	store_close(fixture->services.store);
	token_fixture_free(fixture->token);
	free(fixture->publish_folder);
	free(fixture);
}

X509 *fixture_ca(struct authority_fixture *fixture)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	struct authority *authority = fixture->authority;

	assert_true(authority->driver->ca_certificate(authority, &der, NULL));
	const unsigned char *position = der.data;
	return d2i_X509(NULL, &position, (long)der.length);
}

X509_REQ *fixture_request(const char *key_name)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) =
		strncmp(key_name, "RSA-", 4) == 0 ? EVP_RSA_gen((unsigned)atoi(key_name + 4))
						  : EVP_EC_gen(key_name);
	X509_REQ *request = X509_REQ_new();

	assert_non_null(key);
	assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	return request;
}

void fixture_enroll(
	struct authority_fixture *fixture, const char *profile, struct certificate *certificate)
{
	struct name_rule subject[] = {{(char *)"CN", (char *)"Ada"}};
	struct authority_request request = {.profile = profile,
		.request = fixture_request("P-256"),
		.subject = subject,
		.subject_count = 1};
	enum enroll_outcome outcome = ENROLL_PENDING;
	_cleanup_error_ struct error error = ERROR_INIT;

	bool done = fixture->authority->driver->enroll(
		fixture->authority, &request, certificate, &outcome, &error);
	X509_REQ_free(request.request);
	if (!done)
		fail_msg("%s", error_message(&error));
	assert_int_equal(outcome, ENROLL_ISSUED);
	assert_int_equal(certificate->status, CERTIFICATE_VALID);
}

X509 *fixture_x509(const struct certificate *certificate)
{
	const unsigned char *position = certificate->der.data;
	X509 *x509 = d2i_X509(NULL, &position, (long)certificate->der.length);

	assert_non_null(x509);
	return x509;
}
