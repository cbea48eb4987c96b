/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extensions of the local CA's certificates (RFC 5280, section 4.2). */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "authority/local-ca-private.h"
#include "common/alloc.h"

#define UPN_OID			    "1.3.6.1.4.1.311.20.2.3" /* userPrincipalName, an otherName of type UTF8String */
#define PIV_CARD_AUTHENTICATION_OID "2.16.840.1.101.3.6.8"

DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free);
DEFINE_CLEANUP(GENERAL_NAME *, GENERAL_NAME_free);
DEFINE_CLEANUP(EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free);
DEFINE_CLEANUP(X509_EXTENSION *, X509_EXTENSION_free);
DEFINE_CLEANUP(ASN1_STRING *, ASN1_STRING_free);

static bool failed(struct error *error)
{
	ERR_clear_error();
	return error_set(error, ERROR_AUTHORITY_FAILED, "cannot make a certificate's extensions");
}

/* An extension from OpenSSL's text form ("critical,CA:TRUE"). */
static bool add_text(
	X509 *certificate, X509 *issuer, int nid, const char *value, struct error *error)
{
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension _cleanup_(X509_EXTENSION_freep) =
		X509V3_EXT_conf_nid(NULL, &context, nid, value);
	return (extension && X509_add_ext(certificate, extension, -1) == 1) || failed(error);
}

static bool add_value(X509 *certificate, int nid, void *value, bool critical, struct error *error)
{
	return X509_add1_ext_i2d(certificate, nid, value, critical, X509V3_ADD_DEFAULT) == 1 ||
	       failed(error);
}

static bool add_key_usage(X509 *certificate, unsigned usage, struct error *error)
{
	ASN1_BIT_STRING *bits _cleanup_(ASN1_STRING_freep) = ASN1_BIT_STRING_new();

	/* KU_ bits are those of the first byte, the highest being bit 0 of the BIT STRING. */
	for (int i = 0; i < 8; i++)
		if (!bits || (usage & 0x80u >> i && !ASN1_BIT_STRING_set_bit(bits, i, 1)))
			return failed(error);
	return add_value(certificate, NID_key_usage, bits, true, error);
}

static bool add_extended_key_usage(X509 *certificate, unsigned numbers, struct error *error)
{
	EXTENDED_KEY_USAGE *usages _cleanup_(EXTENDED_KEY_USAGE_freep) = sk_ASN1_OBJECT_new_null();
	bool critical = false;
	const char *oid;

	for (size_t i = 0; usages && (oid = local_ca_purpose_oid(i)); i++) {
		if (!(numbers & 1u << i))
			continue;
		/* FIPS 201-3, appendix B.1: critical in a card authentication certificate. */
		critical |= strcmp(oid, PIV_CARD_AUTHENTICATION_OID) == 0;
		ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
		if (!object || !sk_ASN1_OBJECT_push(usages, object)) {
			ASN1_OBJECT_free(object);
			return failed(error);
		}
	}
	if (!usages)
		return failed(error);
	return sk_ASN1_OBJECT_num(usages) == 0 ||
	       add_value(certificate, NID_ext_key_usage, usages, critical, error);
}

static bool is_ascii(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return text[0] != '\0';
}

static bool is_email(const char *text)
{
	const char *at = strchr(text, '@');

	return is_ascii(text) && at && at != text && at[1] != '\0';
}

static bool is_upn(const char *text)
{
	return strchr(text, '@') && text[0] != '@' && text[strlen(text) - 1] != '@';
}

static bool is_dns_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._*";

	return is_ascii(text) && text[strspn(text, allowed)] == '\0' && strlen(text) <= 253;
}

static bool is_uri(const char *text)
{
	const char *colon = strchr(text, ':');

	return is_ascii(text) && colon && colon != text && colon[1] != '\0';
}

static bool set_ia5(GENERAL_NAME *name, int kind, const char *text)
{
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	if (!string || !ASN1_STRING_set(string, text, -1)) {
		ASN1_STRING_free(string);
		return false;
	}
	GENERAL_NAME_set0_value(name, kind, string);
	return true;
}

/* UTF-8 is checked by ASN1_mbstring_copy(). */
static bool set_upn(GENERAL_NAME *name, int kind, const char *text)
{
	ASN1_STRING *string = NULL;
	ASN1_OBJECT *type = OBJ_txt2obj(UPN_OID, 1);
	ASN1_TYPE *value = ASN1_TYPE_new();

	(void)kind;
	if (type && value &&
		ASN1_mbstring_copy(&string, (const unsigned char *)text, -1, MBSTRING_UTF8,
			B_ASN1_UTF8STRING) == V_ASN1_UTF8STRING) {
		ASN1_TYPE_set(value, V_ASN1_UTF8STRING, string);
		if (GENERAL_NAME_set0_othername(name, type, value))
			return true;
		string = NULL; /* value owns it */
	}
	ASN1_STRING_free(string);
	ASN1_TYPE_free(value);
	ASN1_OBJECT_free(type);
	return false;
}

static bool is_ip(const char *text)
{
	ASN1_OCTET_STRING *address _cleanup_(ASN1_STRING_freep) = a2i_IPADDRESS(text);

	return address != NULL;
}

static bool set_ip(GENERAL_NAME *name, int kind, const char *text)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);

	if (address)
		GENERAL_NAME_set0_value(name, kind, address);
	return address != NULL;
}

static const struct san_type {
	const char *name;
	int kind;
	bool (*check)(const char *);
	bool (*set)(GENERAL_NAME *, int, const char *);
} san_types[] = {
	{"email", GEN_EMAIL, is_email, set_ia5},
	{"upn", GEN_OTHERNAME, is_upn, set_upn},
	{"dns", GEN_DNS, is_dns_name, set_ia5},
	{"ip", GEN_IPADD, is_ip, set_ip},
	{"uri", GEN_URI, is_uri, set_ia5},
};

static bool add_name(GENERAL_NAMES *names, const struct name_rule *rule, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(san_types); i++) {
		const struct san_type *type = &san_types[i];
		if (strcmp(type->name, rule->type) != 0)
			continue;
		GENERAL_NAME *name _cleanup_(GENERAL_NAME_freep) = GENERAL_NAME_new();
		if (!name || !type->check(rule->pattern) ||
			!type->set(name, type->kind, rule->pattern))
			return error_set_field(error, ERROR_AUTHORITY_REJECTED, rule->type,
				"the value is no %s for a certificate", rule->type);
		if (!sk_GENERAL_NAME_push(names, name))
			return failed(error);
		steal_pointer(&name);
		return true;
	}
	return error_set_field(error, ERROR_AUTHORITY_REJECTED, rule->type,
		"names of type %s are not known here", rule->type);
}

static bool add_san(
	X509 *certificate, const struct local_ca_extensions *extensions, struct error *error)
{
	GENERAL_NAMES *names _cleanup_(GENERAL_NAMES_freep) = sk_GENERAL_NAME_new_null();

	if (!names)
		return failed(error);
	for (size_t i = 0; i < extensions->san_count; i++)
		if (!add_name(names, &extensions->san[i], error)) {
			ERR_clear_error();
			return false;
		}
	/* RFC 5280, 4.2.1.6: critical when the subject is empty. */
	return extensions->san_count == 0 || add_value(certificate, NID_subject_alt_name, names,
						     extensions->subject_is_empty, error);
}

/* The URL is ASCII without blanks (local-ca-settings.c); set as data, since text has commas. */
static bool add_crl_url(X509 *certificate, const char *url, struct error *error)
{
	CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
	DIST_POINT *point = DIST_POINT_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	bool done = false;

	if (points && point && name && names && set_ia5(name, GEN_URI, url) &&
		(point->distpoint = DIST_POINT_NAME_new()) && sk_GENERAL_NAME_push(names, name)) {
		name = NULL;
		point->distpoint->type = 0;
		point->distpoint->name.fullname = steal_pointer(&names);
		if (sk_DIST_POINT_push(points, point)) {
			point = NULL;
			done = X509_add1_ext_i2d(certificate, NID_crl_distribution_points, points,
				       0, X509V3_ADD_DEFAULT) == 1;
		}
	}
	sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
	GENERAL_NAME_free(name);
	DIST_POINT_free(point);
	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	return done || failed(error);
}

bool local_ca_add_extensions(X509 *certificate, X509 *issuer,
	const struct local_ca_extensions *extensions, struct error *error)
{
	return add_text(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE", error) &&
	       add_key_usage(certificate, extensions->key_usage, error) &&
	       add_extended_key_usage(certificate, extensions->extended_key_usage, error) &&
	       add_text(certificate, issuer, NID_subject_key_identifier, "hash", error) &&
	       add_text(certificate, issuer, NID_authority_key_identifier, "keyid:always", error) &&
	       (!extensions->crl_url || add_crl_url(certificate, extensions->crl_url, error)) &&
	       add_san(certificate, extensions, error);
}

bool local_ca_add_own_extensions(X509 *certificate, struct error *error)
{
	return add_text(certificate, certificate, NID_basic_constraints,
		       "critical,CA:TRUE,pathlen:0", error) &&
	       add_key_usage(certificate, KU_KEY_CERT_SIGN | KU_CRL_SIGN, error) &&
	       add_text(certificate, certificate, NID_subject_key_identifier, "hash", error);
}
