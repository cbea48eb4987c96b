/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The card's SCP11b key and its certificates. A real card gets both where it is made. */
#include <errno.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "vcard/certificate.h"
#include "vcard/keys.h"
#include "vcard/scp11.h"

#define CHAIN_MAXIMUM 8

static const char subject[] = "YubiKey virtual SCP11b";

/* What the file holds: the issuing CA's key and certificate, then those of its issuers. */
struct issuer {
	EVP_PKEY *key;
	X509 *chain[CHAIN_MAXIMUM];
	size_t count;
};

static void issuer_clear(struct issuer *issuer)
{
	EVP_PKEY_free(issuer->key);
	for (size_t i = 0; i < issuer->count; i++)
		X509_free(issuer->chain[i]);
}

/* Nobody is there who could be asked for a passphrase. */
static int no_passphrase(char *out, int size, int writing, void *data)
{
	(void)out, (void)size, (void)writing, (void)data;
	return -1;
}

static void read_chain(const char *path, struct issuer *issuer)
{
	BIO *file = BIO_new_file(path, "r");

	while (file && issuer->count < CHAIN_MAXIMUM) {
		X509 *certificate = PEM_read_bio_X509(file, NULL, no_passphrase, NULL);
		if (!certificate)
			break;
		issuer->chain[issuer->count++] = certificate;
	}
	BIO_free(file);
}

static bool read_issuer(const char *path, struct issuer *issuer, struct error *error)
{
	BIO *file = BIO_new_file(path, "r");

	if (!file)
		return error_set_field(
			error, ERROR_INVALID_ARGUMENT, "scp11_ca", "%s: %s", path, strerror(errno));
	issuer->key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL);
	BIO_free(file);
	read_chain(path, issuer);
	if (!issuer->key || issuer->count == 0 ||
		X509_check_private_key(issuer->chain[0], issuer->key) != 1)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "scp11_ca",
			"%s does not hold the key and certificate of a CA in PEM", path);
	return true;
}

static X509 *make_certificate(const struct vcard *card, const struct issuer *issuer)
{
	_cleanup_certificate_ X509 *certificate = certificate_new(card->state.scp11_key, subject);

	if (!certificate ||
		X509_set_issuer_name(certificate, X509_get_subject_name(issuer->chain[0])) != 1 ||
		!certificate_add_known_extension(
			certificate, NID_basic_constraints, "critical,CA:FALSE") ||
		!certificate_add_known_extension(
			certificate, NID_key_usage, "critical,keyAgreement") ||
		!certificate_add_device_serial(certificate, card->state.serial) ||
		X509_sign(certificate, issuer->key, EVP_sha256()) <= 0)
		return NULL;
	return steal_pointer(&certificate);
}

static bool is_root(X509 *certificate)
{
	return X509_NAME_cmp(
		       X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

/* From the top down, without the root: who checks has that. */
static bool make_certificates(struct vcard *card, const struct issuer *issuer)
{
	_cleanup_certificate_ X509 *leaf = make_certificate(card, issuer);
	struct buffer *out = &card->state.scp11_certificates;

	buffer_clear(out);
	for (size_t i = issuer->count; leaf && i-- > 0;)
		if (!is_root(issuer->chain[i]) && !certificate_append(issuer->chain[i], out))
			return false;
	return leaf && certificate_append(leaf, out);
}

bool scp11_set_up(struct vcard *card, struct error *error)
{
	struct issuer issuer = {0};

	if (card->state.scp11_key && card->state.scp11_certificates.length > 0)
		return true;
	bool done = read_issuer(card->options.scp11_ca, &issuer, error);
	if (done) {
		EVP_PKEY_free(card->state.scp11_key);
		card->state.scp11_key = EVP_EC_gen("P-256");
		done = card->state.scp11_key && make_certificates(card, &issuer);
		if (!done)
			error_set(error, ERROR_FAILED, "the SCP11 key cannot be made");
	}
	issuer_clear(&issuer);
	return done;
}
