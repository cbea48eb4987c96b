/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificate templates that the policy service lists [XCEP 3.1.4.1.3]. */
#include <string.h>

#include "authority/ms-cs-check.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"

#define TEMPLATES_MAX 1000

#define SUBJECT_FROM_REQUEST 0x1 /* of subjectNameFlags [MS-CRTD 2.28] */
#define ARCHIVES_KEY	     0x1 /* of privateKeyFlags [MS-CRTD 2.27] */

static const struct xml_element *in(const struct xml_element *element, const char *path)
{
	return xml_path(element, NS_POLICY, path);
}

static char *text_of(const struct xml_element *element, const char *path)
{
	return xml_text(in(element, path));
}

static int64_t number_of(const struct xml_element *element, const char *path)
{
	_cleanup_free_ char *text = text_of(element, path);

	return strtoll(text, NULL, 10);
}

static bool is_true(const struct xml_element *element, const char *path)
{
	_cleanup_free_ char *text = text_of(element, path);

	return strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
}

/* --- references into the answer's lists --- */

/* The child `item` of `list` whose child `id` is the reference; NULL: none. */
static const struct xml_element *find_referred(const struct xml_element *list, const char *item,
	const char *id, const struct xml_element *reference)
{
	_cleanup_free_ char *wanted = xml_text(reference);
	const struct xml_element *each = xml_child(list, NS_POLICY, item);

	for (; each; each = xml_next(each, NS_POLICY, item)) {
		_cleanup_free_ char *own = text_of(each, id);
		if (wanted[0] && strcmp(own, wanted) == 0)
			return each;
	}
	return NULL;
}

/* The OID that a reference stands for; "" for none; heap. */
static char *oid_of(const struct xml_element *response, const struct xml_element *reference)
{
	return text_of(
		find_referred(in(response, "oIDs"), "oID", "oIDReferenceID", reference), "value");
}

/* --- one template --- */

static void refuse(struct authority_profile *profile, const char *reason)
{
	if (!profile->is_usable)
		return;
	profile->is_usable = false;
	free(profile->reason);
	profile->reason = xstrdup(reason);
}

/* Certificates of the CAs that issue by the template, in base64. */
static json_t *issuers_of(const struct xml_element *response, const struct xml_element *policy)
{
	const struct xml_element *reference = in(policy, "cAs/cAReference");
	json_t *issuers = json_array();

	for (; reference; reference = xml_next(reference, NS_POLICY, "cAReference")) {
		const struct xml_element *ca =
			find_referred(in(response, "cAs"), "cA", "cAReferenceID", reference);
		_cleanup_free_ char *certificate = text_of(ca, "certificate");
		if (certificate[0] && is_true(ca, "enrollPermission"))
			json_array_append_new(issuers, json_string(certificate));
	}
	return issuers;
}

/* Whether each signature that the template wants is an enrollment agent's. */
static bool wants_agent(const struct xml_element *response, const struct xml_element *attributes)
{
	const struct xml_element *purpose = in(attributes, "rARequirements/rAEKUs/oIDReference");
	_cleanup_free_ char *oid = oid_of(response, purpose);

	return strcmp(oid, MS_CS_PURPOSE_AGENT) == 0;
}

static void check_usable(struct authority_profile *profile, const struct xml_element *response,
	const struct xml_element *attributes, const json_t *issuers)
{
	int64_t signatures = number_of(attributes, "rARequirements/rASignatures");

	if (!is_true(attributes, "permission/enroll"))
		refuse(profile, "the connection's account may not enroll by it");
	if (json_array_size(issuers) == 0)
		refuse(profile, "no CA that the connection's account may use issues by it");
	if (signatures > 1)
		refuse(profile, "it wants the signatures of several persons");
	if (signatures == 1 && !wants_agent(response, attributes))
		refuse(profile, "it wants a signature that is no enrollment agent's");
	if (number_of(attributes, "privateKeyFlags") & ARCHIVES_KEY)
		refuse(profile, "it wants the private key, which cards do not give");
}

static bool read_template(struct authority_profiles *profiles, const struct xml_element *response,
	const struct xml_element *policy, struct error *error)
{
	const struct xml_element *attributes = in(policy, "attributes");
	_cleanup_free_ char *name = text_of(attributes, "commonName");
	_cleanup_free_ char *oid = oid_of(response, in(policy, "policyOIDReference"));
	bool on_behalf = number_of(attributes, "rARequirements/rASignatures") > 0;
	int64_t flags = number_of(attributes, "subjectNameFlags");

	if (!name[0])
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the policy service lists a template without a name");
	struct authority_profile *profile =
		authority_profiles_add(profiles, oid[0] ? oid : name, name);
	json_t *issuers = issuers_of(response, policy);
	check_usable(profile, response, attributes, issuers);
	profile->settings = json_pack("{s:s*, s:b, s:b, s:I, s:o}", "oid", oid[0] ? oid : NULL,
		"on-behalf", on_behalf, "subject-from-request", (flags & SUBJECT_FROM_REQUEST) != 0,
		"least-key-bits",
		(json_int_t)number_of(attributes, "privateKeyAttributes/minimalKeyLength"),
		"issuers", issuers);
	return true;
}

bool ms_cs_policies_read(struct authority_profiles *profiles, const struct xml_element *response,
	struct error *error)
{
	const struct xml_element *policy = in(response, "response/policies/policy");

	if (!xml_is(response, NS_POLICY, "GetPoliciesResponse") || !in(response, "response"))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the policy service answers without policies");
	for (; policy; policy = xml_next(policy, NS_POLICY, "policy")) {
		if (profiles->count == TEMPLATES_MAX)
			return error_set(error, ERROR_AUTHORITY_FAILED,
				"the policy service lists more than %d templates", TEMPLATES_MAX);
		if (!read_template(profiles, response, policy, error))
			return false;
	}
	return true;
}
