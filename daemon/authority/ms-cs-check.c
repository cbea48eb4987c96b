/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/ms-cs-check.h"

#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "model/holder.h"

#define SECURITY_OID "1.3.6.1.4.1.311.25.2"   /* szOID_NTDS_CA_SECURITY_EXT */
#define SID_OID	     "1.3.6.1.4.1.311.25.2.1" /* szOID_NTDS_OBJECTSID */
#define UPN_OID	     "1.3.6.1.4.1.311.20.2.3"
/* MS-PKCA 3.1.5.2.1.6: the SID in a URI of the subject alternative name maps strongly, too. */
#define SID_URI	  "tag:microsoft.com,2022-09-14:sid:"
#define TEXT_MAX  1024
#define SHOWN_MAX 64 /* of a foreign name in a message */

DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free);
DEFINE_CLEANUP(EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free);
DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free);

static bool has_oid(const ASN1_OBJECT *object, const char *oid)
{
	ASN1_OBJECT *wanted _cleanup_(ASN1_OBJECT_freep) = OBJ_txt2obj(oid, 1);

	return wanted && OBJ_cmp(object, wanted) == 0;
}

bool ms_cs_has_purpose(X509 *certificate, const char *oid)
{
	EXTENDED_KEY_USAGE *usages _cleanup_(EXTENDED_KEY_USAGE_freep) =
		X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool found = false;

	for (int i = 0; usages && !found && i < sk_ASN1_OBJECT_num(usages); i++)
		found = has_oid(sk_ASN1_OBJECT_value(usages, i), oid);
	ERR_clear_error();
	return found;
}

/* --- names --- */

/* Heap; NULL when it is too long, or has a byte that could hide what is behind it. */
static char *text_of(const ASN1_STRING *string)
{
	int length = ASN1_STRING_length(string);
	const unsigned char *data = ASN1_STRING_get0_data(string);

	if (length <= 0 || length > TEXT_MAX)
		return NULL;
	for (int i = 0; i < length; i++) {
		if (data[i] < ' ' || data[i] == 0x7f)
			return NULL;
	}
	return xasprintf("%.*s", length, (const char *)data);
}

static bool fail_unreadable(const char *what, struct error *error)
{
	ERR_clear_error();
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"the certificate that came has %s that cannot be read", what);
}

/* Of a name that is an otherName of that type and string type; NULL for all others. */
static const ASN1_STRING *other_name(const GENERAL_NAME *name, const char *oid, int type)
{
	if (name->type != GEN_OTHERNAME || !has_oid(name->d.otherName->type_id, oid) ||
		!name->d.otherName->value || name->d.otherName->value->type != type)
		return NULL;
	return name->d.otherName->value->value.asn1_string;
}

/* The one extension of that type. -1: there is none; -2: several. */
static int find_extension(X509 *certificate, const char *oid)
{
	ASN1_OBJECT *wanted _cleanup_(ASN1_OBJECT_freep) = OBJ_txt2obj(oid, 1);
	int index = wanted ? X509_get_ext_by_OBJ(certificate, wanted, -1) : -1;

	return index >= 0 && X509_get_ext_by_OBJ(certificate, wanted, index) >= 0 ? -2 : index;
}

static GENERAL_NAMES *read_security_names(X509 *certificate, int index)
{
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(certificate, index));
	const unsigned char *position = ASN1_STRING_get0_data(value);
	const unsigned char *end = position + ASN1_STRING_length(value);
	GENERAL_NAMES *names = d2i_GENERAL_NAMES(NULL, &position, end - position);

	if (names && position == end && sk_GENERAL_NAME_num(names) == 1)
		return names;
	GENERAL_NAMES_free(names);
	return NULL;
}

char *ms_cs_sid_of(X509 *certificate, struct error *error)
{
	int index = find_extension(certificate, SECURITY_OID);
	GENERAL_NAMES *names _cleanup_(GENERAL_NAMES_freep) =
		index >= 0 ? read_security_names(certificate, index) : NULL;

	if (index == -1)
		return NULL;
	const ASN1_STRING *string =
		names ? other_name(sk_GENERAL_NAME_value(names, 0), SID_OID, V_ASN1_OCTET_STRING)
		      : NULL;
	_cleanup_free_ char *sid = string ? text_of(string) : NULL;
	if (sid && holder_sid_is_valid(sid))
		return steal_pointer(&sid);
	fail_unreadable("a SID extension", error);
	return NULL;
}

/* --- what is compared --- */

/* One certificate under the eye. */
struct check {
	X509 *certificate;
	const struct ms_cs_expected *expected;
	bool has_upn, has_sid;
};

/* Windows takes letters of either case for the same. */
static bool compare(const char *what, const char *found, const char *expected, struct error *error)
{
	return !expected || strcasecmp(found, expected) == 0 ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "the certificate that came is for another account: its %s is \"%.*s\", and "
		       "the holder's is \"%.*s\"; it was not used",
		       what, SHOWN_MAX, found, SHOWN_MAX, expected);
}

static bool check_upn(struct check *check, const GENERAL_NAME *name, struct error *error)
{
	const ASN1_STRING *string = other_name(name, UPN_OID, V_ASN1_UTF8STRING);
	_cleanup_free_ char *upn = string ? text_of(string) : NULL;

	if (!upn)
		return fail_unreadable("a user principal name", error);
	check->has_upn = true;
	return compare("user principal name", upn, check->expected->upn, error);
}

static bool check_uri(struct check *check, const GENERAL_NAME *name, struct error *error)
{
	_cleanup_free_ char *uri = text_of(name->d.uniformResourceIdentifier);

	if (!uri || strncasecmp(uri, SID_URI, strlen(SID_URI)) != 0)
		return true;
	check->has_sid = true;
	return compare("SID", uri + strlen(SID_URI), check->expected->sid, error);
}

static bool check_name(struct check *check, const GENERAL_NAME *name, struct error *error)
{
	if (name->type == GEN_OTHERNAME && has_oid(name->d.otherName->type_id, UPN_OID))
		return check_upn(check, name, error);
	return name->type != GEN_URI || check_uri(check, name, error);
}

static bool check_names(struct check *check, struct error *error)
{
	int critical = 0;
	GENERAL_NAMES *names _cleanup_(GENERAL_NAMES_freep) =
		X509_get_ext_d2i(check->certificate, NID_subject_alt_name, &critical, NULL);

	/* -1: it has none. */
	if (!names && critical != -1)
		return fail_unreadable("a subject alternative name", error);
	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		if (!check_name(check, sk_GENERAL_NAME_value(names, i), error))
			return false;
	}
	return true;
}

static bool check_sid(struct check *check, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *sid = ms_cs_sid_of(check->certificate, &failure);

	if (!sid)
		return failure.code == ERROR_NONE || error_move(error, &failure);
	check->has_sid = true;
	return compare("SID", sid, check->expected->sid, error);
}

static bool check_purposes(const struct check *check, struct error *error)
{
	for (size_t i = 0; i < check->expected->purpose_count; i++) {
		const char *oid = check->expected->purposes[i];
		if (!ms_cs_has_purpose(check->certificate, oid))
			return error_set(error, ERROR_AUTHORITY_FAILED,
				"the certificate that came lacks the purpose %s (extended key "
				"usage): look at the template at the authority",
				oid);
	}
	return true;
}

/* Whether it is to be mapped to an account at all. */
static bool is_for_logon(const struct check *check)
{
	return check->expected->sid ||
	       ms_cs_has_purpose(check->certificate, MS_CS_PURPOSE_SMART_CARD_LOGON);
}

static char *find_warning(const struct check *check)
{
	if (!is_for_logon(check))
		return NULL;
	if (!check->has_sid)
		return xstrdup("weak mapping: the certificate has no SID extension, and domain "
			       "controllers in full enforcement mode (KB5014754) refuse it unless "
			       "the account maps it by altSecurityIdentities");
	if (!check->has_upn && check->expected->upn)
		return xstrdup("the certificate has no user principal name, and whoever logs on "
			       "with it has to say which account is meant");
	return NULL;
}

struct ms_cs_expected ms_cs_expected_of(const struct fields *holder)
{
	const char *upn = fields_get(holder, "upn");
	const char *sid = fields_get(holder, "sid");

	return (struct ms_cs_expected){
		.upn = upn && upn[0] ? upn : NULL, .sid = sid && sid[0] ? sid : NULL};
}

bool ms_cs_check_issued(X509 *certificate, const struct ms_cs_expected *expected, char **warning,
	struct error *error)
{
	struct check check = {.certificate = certificate, .expected = expected};
	bool good = check_names(&check, error) && check_sid(&check, error) &&
		    check_purposes(&check, error);

	*warning = good ? find_warning(&check) : NULL;
	ERR_clear_error();
	return good;
}
