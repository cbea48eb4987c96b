/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a request for a certificate holds, and what is sent of it. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "authority/ms-cs-agent.h"
#include "authority/ms-cs-check.h"
#include "authority/ms-cs-private.h"
#include "authority/ms-cs-request.h"
#include "common/alloc.h"

#define UPN_OID "1.3.6.1.4.1.311.20.2.3"

DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free);

/* --- subject alternative names --- */

static ASN1_IA5STRING *plain_text(const char *value)
{
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	if (text)
		ASN1_STRING_set(text, value, -1);
	return text;
}

static OTHERNAME *principal_name(const char *value)
{
	OTHERNAME *other = OTHERNAME_new();

	ASN1_OBJECT_free(other->type_id);
	other->type_id = OBJ_txt2obj(UPN_OID, 1);
	ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();
	ASN1_STRING_set(text, value, -1);
	ASN1_TYPE_set(other->value, V_ASN1_UTF8STRING, text);
	return other;
}

static bool add_name(GENERAL_NAMES *list, const struct name_rule *rule, struct error *error)
{
	static const struct {
		const char *type;
		int kind;
	} kinds[] = {
		{"email", GEN_EMAIL}, {"dns", GEN_DNS}, {"uri", GEN_URI}, {"upn", GEN_OTHERNAME}};
	GENERAL_NAME *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].type, rule->type) != 0)
			continue;
		name = GENERAL_NAME_new();
		GENERAL_NAME_set0_value(name, kinds[i].kind,
			kinds[i].kind == GEN_OTHERNAME ? (void *)principal_name(rule->pattern)
						       : (void *)plain_text(rule->pattern));
	}
	if (name && sk_GENERAL_NAME_push(list, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return error_set_field(error, ERROR_INVALID_ARGUMENT, rule->type,
		"no request to Microsoft CS has a name %s", rule->type);
}

static bool add_names(STACK_OF(X509_EXTENSION) * extensions, const struct authority_request *asked,
	struct error *error)
{
	GENERAL_NAMES *list _cleanup_(GENERAL_NAMES_freep) = GENERAL_NAMES_new();

	for (size_t i = 0; i < asked->san_count; i++) {
		if (!add_name(list, &asked->san[i], error))
			return false;
	}
	if (asked->san_count == 0)
		return true;
	X509_EXTENSION *extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, list);
	if (extension && sk_X509_EXTENSION_push(extensions, extension) > 0)
		return true;
	X509_EXTENSION_free(extension);
	ERR_clear_error();
	return error_set(error, ERROR_FAILED, "a certificate request cannot be encoded");
}

bool ms_cs_request_extensions(struct authority *authority, const struct authority_request *asked,
	STACK_OF(X509_EXTENSION) * extensions, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;

	if (!ms_cs_profiles(authority, &profiles, error))
		return false;
	const struct authority_profile *profile =
		authority_profiles_find(&profiles, asked->profile, error);
	if (!profile)
		return false;
	const struct ms_cs_template template = {.name = profile->name,
		.oid = json_string_value(json_object_get(profile->settings, "oid"))};
	return ms_cs_request_add_template(extensions, &template, error) &&
	       (!ms_cs_takes_subject(profile) || add_names(extensions, asked, error));
}

/* --- what is sent --- */

static bool put_request(X509_REQ *request, struct buffer *token, struct error *error)
{
	int length = i2d_X509_REQ(request, NULL);
	unsigned char *room = length > 0 ? buffer_extend(token, (size_t)length) : NULL;

	if (room && i2d_X509_REQ(request, &room) == length)
		return true;
	ERR_clear_error();
	return error_set(error, ERROR_FAILED, "a certificate request cannot be encoded");
}

static const char *requester_of(const struct authority_request *asked)
{
	for (size_t i = 0; i < asked->field_count; i++) {
		if (strcmp(asked->fields[i].type, MS_CS_REQUESTER) == 0)
			return asked->fields[i].pattern;
	}
	return "";
}

bool ms_cs_wrap(struct authority *authority, const struct authority_profile *profile,
	const struct authority_request *asked, struct buffer *token, const char **value_type,
	struct error *error)
{
	const struct ms_cs *cs = authority->data;
	const struct authority_field *field = authority_profile_field(profile, MS_CS_REQUESTER);
	const char *requester = requester_of(asked);
	struct ms_cs_agent agent = {0};

	*value_type = VALUE_TYPE_PKCS10;
	if (!ms_cs_is_on_behalf(profile))
		return put_request(asked->request, token, error);
	*value_type = VALUE_TYPE_PKCS7;
	bool done =
		ms_cs_requester_check(
			field && field->pattern ? field->pattern : "", requester, error) &&
		ms_cs_agent_open(authority, &cs->settings.agent, asked->operator, & agent, error) &&
		ms_cs_agent_wrap(asked->request, &agent, requester, token, error);
	ms_cs_agent_close(authority, &agent);
	return done;
}

bool ms_cs_operator_purpose(
	struct authority *authority, const char *profile, const char **purpose, struct error *error)
{
	const struct ms_cs *cs = authority->data;
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;

	*purpose = NULL;
	if (!cs->settings.agent.is_operator)
		return true;
	if (!ms_cs_profiles(authority, &profiles, error))
		return false;
	const struct authority_profile *found = authority_profiles_find(&profiles, profile, error);
	if (found && ms_cs_is_on_behalf(found))
		*purpose = MS_CS_PURPOSE_AGENT;
	return found != NULL;
}
