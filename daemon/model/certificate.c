/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates as the store keeps them; declared in credential.h. */
#include "model/credential.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/alloc.h"

/* What no honest authority exceeds: a card's certificate object holds a few thousand bytes. */
#define DER_MAXIMUM    (64 * 1024)
#define SERIAL_MAXIMUM 20 /* octets, RFC 5280 section 4.1.2.2 */
#define NAME_MAXIMUM   4096

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(BIGNUM *, BN_free);

static const char *const statuses[CERTIFICATE_STATUS_COUNT] = {
	[CERTIFICATE_PENDING] = "pending",
	[CERTIFICATE_VALID] = "valid",
	[CERTIFICATE_ON_HOLD] = "on-hold",
	[CERTIFICATE_REVOKED] = "revoked",
};

/* removeFromCRL (8) is for delta CRLs only and no reason that a caller can give. */
static const struct revocation_reason reasons[] = {
	{"unspecified", 0},
	{"keyCompromise", 1},
	{"cACompromise", 2},
	{"affiliationChanged", 3},
	{"superseded", 4},
	{"cessationOfOperation", 5},
	{"certificateHold", 6},
	{"privilegeWithdrawn", 9},
	{"aACompromise", 10},
};

const char *certificate_status_name(enum certificate_status status)
{
	return (size_t)status < CERTIFICATE_STATUS_COUNT ? statuses[status] : NULL;
}

enum certificate_status certificate_status_from_name(const char *name)
{
	enum certificate_status status = 0;

	while (status < CERTIFICATE_STATUS_COUNT && (!name || strcmp(statuses[status], name) != 0))
		status++;
	return status;
}

const struct revocation_reason *revocation_reason_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (!name || strcmp(reasons[i].name, name) == 0)
			return &reasons[i];
	}
	return NULL;
}

void certificate_clear(struct certificate *certificate)
{
	free(certificate->authority);
	free(certificate->profile);
	free(certificate->serial_hex);
	free(certificate->subject);
	free(certificate->reason);
	free(certificate->request);
	buffer_clear(&certificate->der);
	*certificate = (struct certificate){0};
}

void certificates_clear(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++)
		certificate_clear(&certificates->items[i]);
	free(certificates->items);
	*certificates = (struct certificates)CERTIFICATES_INIT;
}

void certificates_take(struct certificates *certificates, struct certificate *certificate)
{
	certificates->items = xreallocarray(
		certificates->items, certificates->count + 1, sizeof(*certificates->items));
	certificates->items[certificates->count++] = *certificate;
	*certificate = (struct certificate){0};
}

/* Returns false with ERROR_AUTHORITY_FAILED; leaves OpenSSL's queue of this thread empty. */
static bool refuse(struct error *error, const char *why)
{
	ERR_clear_error();
	return error_set(error, ERROR_AUTHORITY_FAILED, "the certificate cannot be used: %s", why);
}

/* Heap hex of the serial number, or NULL. */
static char *serial_to_hex(const X509 *x509)
{
	uint8_t bytes[SERIAL_MAXIMUM] = {0};
	BIGNUM *serial _cleanup_(BN_freep) = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);

	if (!serial || BN_is_negative(serial) || BN_num_bytes(serial) > SERIAL_MAXIMUM)
		return NULL;
	int length = BN_bn2bin(serial, bytes);
	return hex_encode(bytes, length ? (size_t)length : 1);
}

/* Heap RFC 4514 string with non-ASCII characters as UTF-8, or NULL. */
static char *name_to_string(const X509_NAME *name)
{
	unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new(BIO_s_mem());
	char *data = NULL;

	if (!bio || X509_NAME_print_ex(bio, name, 0, flags) < 0)
		return NULL;
	long length = BIO_get_mem_data(bio, &data);
	if (length < 0 || length > NAME_MAXIMUM || (length && memchr(data, 0, (size_t)length)))
		return NULL;
	char *text = xcalloc((size_t)length + 1, 1);
	if (length)
		memcpy(text, data, (size_t)length);
	return text;
}

static bool time_to_seconds(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm tm = {0};

	if (!ASN1_TIME_to_tm(time, &tm))
		return false;
	*seconds = timegm(&tm);
	return true;
}

bool certificate_from_der(
	struct certificate *certificate, const uint8_t *der, size_t length, struct error *error)
{
	const unsigned char *position = der;
	int64_t not_before, not_after;

	if (length == 0 || length > DER_MAXIMUM)
		return refuse(error, "it is empty or too large");
	X509 *x509 _cleanup_(X509_freep) = d2i_X509(NULL, &position, (long)length);
	if (!x509 || position != der + length)
		return refuse(error, "it is not one X.509 certificate in DER");
	if (!time_to_seconds(X509_get0_notBefore(x509), &not_before) ||
		!time_to_seconds(X509_get0_notAfter(x509), &not_after) || not_after < not_before)
		return refuse(error, "its validity is malformed");
	_cleanup_free_ char *serial = serial_to_hex(x509);
	if (!serial)
		return refuse(error, "its serial number is negative or too long");
	_cleanup_free_ char *subject = name_to_string(X509_get_subject_name(x509));
	if (!subject)
		return refuse(error, "its subject is malformed or too long");
	free(certificate->serial_hex);
	certificate->serial_hex = steal_pointer(&serial);
	free(certificate->subject);
	certificate->subject = steal_pointer(&subject);
	certificate->not_before = not_before;
	certificate->not_after = not_after;
	struct buffer copy = BUFFER_INIT;
	buffer_append(&copy, der, length);
	buffer_move(&certificate->der, &copy);
	return true;
}

/* In DER the length stands before the value (X.690, 8.1.3 and 10.1). */
bool certificate_has_text(const struct certificate *certificate, const char *text)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;
	size_t length = strlen(text);

	if (length == 0)
		return true;
	if (length > UINT8_MAX || certificate->der.length == 0)
		return false;
	if (length > INT8_MAX)
		buffer_append_u8(&value, 0x81);
	buffer_append_u8(&value, (uint8_t)length);
	buffer_append_string(&value, text);
	return !value.failed && memmem(certificate->der.data, certificate->der.length, value.data,
					value.length) != NULL;
}
