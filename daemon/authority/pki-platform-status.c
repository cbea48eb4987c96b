/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Revoking, suspending, resuming, and what the service says that a certificate is. */
#include <string.h>
#include <strings.h>

#include "authority/issued.h"
#include "authority/pki-platform-private.h"
#include "common/alloc.h"

#define SPACE	  "http://schemas.verisign.com/pkiservices/2009/07/management"
#define WORDS_MAX 300

/* The service's words for RFC 5280's reasons. */
static const char *reason_word(const struct revocation_reason *reason)
{
	static const char *const words[] = {
		[0] = "Unspecified",
		[1] = "KeyCompromise",
		[2] = "CACompromise",
		[3] = "AffiliationChanged",
		[4] = "Superseded",
		[5] = "CessationOfOperation",
		[9] = "PrivilegeWithdrawn",
		[10] = "AACompromise",
	};
	const char *word = (size_t)reason->code < ARRAY_SIZE(words) ? words[reason->code] : NULL;

	return word ? word : words[0];
}

/* Heap: in capitals, as clients of the service that are known write it. */
static char *serial_of(const struct certificate *certificate)
{
	char *serial = xstrdup(certificate->serial_hex);

	for (char *c = serial; *c; c++) {
		if (*c >= 'a' && *c <= 'f')
			*c = (char)(*c - 'a' + 'A');
	}
	return serial;
}

/* --- status --- */

/* The one that is looked for, among those with its serial number. */
struct wanted {
	const struct certificate *certificate;
	char *status; /* what is said of it, or NULL */
};

static bool visit(void *context, const char *certificate, const char *serial, const char *status)
{
	struct wanted *wanted = context;
	const struct buffer *own = &wanted->certificate->der;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	bool is_it = certificate && issued_decode(certificate, &der, NULL) &&
		     der.length == own->length && memcmp(der.data, own->data, own->length) == 0;

	(void)serial;
	if (!is_it)
		return true;
	wanted->status = xstrdup(status ? status : "");
	return false;
}

static bool read_status(const char *word, enum certificate_status *status, struct error *error)
{
	static const struct {
		const char *word;
		enum certificate_status status;
	} words[] = {
		{"VALID", CERTIFICATE_VALID},
		{"EXPIRED", CERTIFICATE_VALID},
		{"SUSPENDED", CERTIFICATE_ON_HOLD},
		{"REVOKED", CERTIFICATE_REVOKED},
	};

	for (size_t i = 0; word && i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i].word, word) != 0)
			continue;
		*status = words[i].status;
		return true;
	}
	return error_set(error, ERROR_AUTHORITY_FAILED,
		word ? "PKI Platform says that the certificate is \"%.32s\""
		     : "PKI Platform does not know the certificate",
		word);
}

bool pki_platform_status(struct authority *authority, const struct certificate *certificate,
	enum certificate_status *status, struct error *error)
{
	_cleanup_free_ char *serial = serial_of(certificate);
	struct pki_platform_criteria criteria = {.serial = serial};
	struct wanted wanted = {.certificate = certificate};
	bool done = pki_platform_search(authority, &criteria, visit, &wanted, error) &&
		    read_status(wanted.status, status, error);

	free(wanted.status);
	return done;
}

/* --- changing it --- */

/* What an update asks for, and what the certificate is after it. */
struct change {
	const char *verb, *reason;
	enum certificate_status wanted;
};

/* Which success codes there are is not documented; those of failures are negative. */
static bool read_outcome(const struct xml_element *answer, struct error *error)
{
	_cleanup_free_ char *code = pki_platform_text(answer, "successCode");
	_cleanup_free_ char *message = pki_platform_text(answer, "successMsg");
	_cleanup_free_ char *count = pki_platform_text(answer, "revocationCount");
	_cleanup_free_ char *words = issued_words(message ? message : "", WORDS_MAX);

	if (!code || strtol(code, NULL, 10) < 0)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"PKI Platform says: %s (code %.32s)", words, code ? code : "missing");
	return !count || strtol(count, NULL, 10) != 0 ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "PKI Platform says that it changed no certificate: %s", words);
}

static bool send_change(struct authority *authority, const struct certificate *certificate,
	const struct change *change, struct error *error)
{
	static const struct pki_platform_operation operation = {"certificateManagementService",
		SPACE "/updateCertificateStatus", "updateCertificateStatusResponse", true};
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
	_cleanup_reply_ struct pki_platform_reply reply = {0};
	_cleanup_free_ char *serial = serial_of(certificate);

	pki_platform_begin(&writer, "m:updateCertificateStatusRequest", "m", SPACE);
	xml_put_element(&writer, "m:version", "1.0");
	if (change->reason)
		xml_put_element(&writer, "m:revocationReason", change->reason);
	xml_put_element(&writer, "m:certificateSerialNumber", serial);
	xml_put_element(&writer, "m:operationType", change->verb);
	return pki_platform_call(authority, &operation, &writer, &reply, error) &&
	       read_outcome(reply.answer, error);
}

/* What failed may have been done, now or before. */
static bool make_change(struct authority *authority, const struct certificate *certificate,
	const struct change *change, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	enum certificate_status status;

	if (send_change(authority, certificate, change, &failure) ||
		(pki_platform_status(authority, certificate, &status, NULL) &&
			status == change->wanted))
		return true;
	return error_move(error, &failure);
}

bool pki_platform_revoke(struct authority *authority, const struct certificate *certificate,
	const struct revocation_reason *reason, struct error *error)
{
	struct change change = {"Revoke", reason_word(reason), CERTIFICATE_REVOKED};

	return make_change(authority, certificate, &change, error);
}

bool pki_platform_suspend(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	static const struct change change = {"Suspend", NULL, CERTIFICATE_ON_HOLD};

	return make_change(authority, certificate, &change, error);
}

bool pki_platform_resume(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	static const struct change change = {"Resume", NULL, CERTIFICATE_VALID};

	return make_change(authority, certificate, &change, error);
}
