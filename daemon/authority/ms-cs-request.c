/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/ms-cs-request.h"

#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "common/macros.h"

#define TEMPLATE_NAME_OID "1.3.6.1.4.1.311.20.2" /* szOID_ENROLL_CERTTYPE_EXTENSION */
#define TEMPLATE_OID	  "1.3.6.1.4.1.311.21.7" /* szOID_CERTIFICATE_TEMPLATE */
#define OID_MAX		  256			 /* characters */

DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free);
DEFINE_CLEANUP(ASN1_STRING *, ASN1_STRING_free);
DEFINE_CLEANUP(X509_EXTENSION *, X509_EXTENSION_free);

struct template_id {
	ASN1_OBJECT *oid;
	ASN1_INTEGER *major_version, *minor_version;
};
/* OpenSSL's templates want names that are one word. */
typedef struct template_id TEMPLATE_ID;
ASN1_SEQUENCE(TEMPLATE_ID) = {ASN1_SIMPLE(TEMPLATE_ID, oid, ASN1_OBJECT),
	ASN1_OPT(TEMPLATE_ID, major_version, ASN1_INTEGER),
	ASN1_OPT(TEMPLATE_ID, minor_version, ASN1_INTEGER)} static_ASN1_SEQUENCE_END(TEMPLATE_ID)
	IMPLEMENT_STATIC_ASN1_ALLOC_FUNCTIONS(TEMPLATE_ID)

		DEFINE_CLEANUP(TEMPLATE_ID *, TEMPLATE_ID_free);

bool ms_cs_is_oid(const char *text)
{
	static const char digits[] = "0123456789";
	size_t count = 0;

	if (strlen(text) > OID_MAX)
		return false;
	for (;; text++, count++) {
		size_t length = strspn(text, digits);
		if (length == 0)
			return false;
		text += length;
		if (*text != '.')
			return *text == '\0' && count >= 1;
	}
}

static bool failed(const struct ms_cs_template *template, struct error *error)
{
	ERR_clear_error();
	return error_set(error, ERROR_INVALID_ARGUMENT,
		"\"%.64s\" cannot be the name of a certificate template",
		template->oid	 ? template->oid
		: template->name ? template->name
				 : "");
}

/* The encoded value, which an extension's OCTET STRING holds; heap. */
static ASN1_OCTET_STRING *wrap(void *value, const ASN1_ITEM *item)
{
	unsigned char *der = NULL;
	int length = ASN1_item_i2d(value, &der, item);
	ASN1_OCTET_STRING *octets = length > 0 ? ASN1_OCTET_STRING_new() : NULL;

	if (!octets) {
		OPENSSL_free(der);
		return NULL;
	}
	ASN1_STRING_set0(octets, der, length);
	return octets;
}

static ASN1_OCTET_STRING *encode_name(const char *name)
{
	ASN1_STRING *text _cleanup_(ASN1_STRING_freep) = NULL;

	if (name[0] == '\0' || ASN1_mbstring_copy(&text, (const unsigned char *)name, -1,
				       MBSTRING_UTF8, B_ASN1_BMPSTRING) != V_ASN1_BMPSTRING)
		return NULL;
	return wrap(text, ASN1_ITEM_rptr(ASN1_BMPSTRING));
}

static bool set_version(ASN1_INTEGER **integer, long version)
{
	if (version <= 0)
		return true;
	*integer = ASN1_INTEGER_new();
	return *integer && ASN1_INTEGER_set(*integer, version) == 1;
}

static ASN1_OCTET_STRING *encode_oid(const struct ms_cs_template *template)
{
	TEMPLATE_ID *id _cleanup_(TEMPLATE_ID_freep) = TEMPLATE_ID_new();
	ASN1_OBJECT *oid = ms_cs_is_oid(template->oid) ? OBJ_txt2obj(template->oid, 1) : NULL;

	if (!id || !oid) {
		ASN1_OBJECT_free(oid);
		return NULL;
	}
	ASN1_OBJECT_free(id->oid);
	id->oid = oid;
	/* A minor version alone would be taken for the major one. */
	if (!set_version(&id->major_version, template->major_version) ||
		(template->major_version > 0 &&
			!set_version(&id->minor_version, template->minor_version)))
		return NULL;
	return wrap(id, ASN1_ITEM_rptr(TEMPLATE_ID));
}

bool ms_cs_request_add_template(STACK_OF(X509_EXTENSION) * extensions,
	const struct ms_cs_template *template, struct error *error)
{
	ASN1_OBJECT *type _cleanup_(ASN1_OBJECT_freep) =
		OBJ_txt2obj(template->oid ? TEMPLATE_OID : TEMPLATE_NAME_OID, 1);
	ASN1_STRING *value _cleanup_(ASN1_STRING_freep) = template->oid ? encode_oid(template)
							  : template->name
								  ? encode_name(template->name)
								  : NULL;
	X509_EXTENSION *extension _cleanup_(X509_EXTENSION_freep) =
		type && value ? X509_EXTENSION_create_by_OBJ(NULL, type, 0, value) : NULL;

	if (!extension || sk_X509_EXTENSION_push(extensions, extension) == 0)
		return failed(template, error);
	steal_pointer(&extension);
	return true;
}
