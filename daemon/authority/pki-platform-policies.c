/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies, as an answer lists them, become profiles. */
#include <string.h>
#include <strings.h>

#include "authority/issued.h"
#include "authority/pki-platform-private.h"
#include "common/alloc.h"

#define SAN_OID		"2.5.29.17"
#define PROFILES_MAX	1000
#define OIDS_MAX	5000
#define AUTHORITIES_MAX 100
#define TEXT_MAX	256
#define BITS_MAX	65536

/* --- what policies refer to by a number --- */

struct reference {
	char *number;
	char *value; /* an OID, or a certificate in base64 */
	char *name;  /* of an OID, or NULL */
};

struct references {
	struct reference *items;
	size_t count;
};

static void references_clear(struct references *references)
{
	for (size_t i = 0; i < references->count; i++) {
		free(references->items[i].number);
		free(references->items[i].value);
		free(references->items[i].name);
	}
	free(references->items);
}

/* Where the elements are, and what their children are called. */
struct reference_kind {
	const char *list, *item, *number, *value, *name;
	size_t maximum;
};

static void read_references(struct references *references, const struct xml_element *answer,
	const struct reference_kind *kind)
{
	const struct xml_element *list = pki_platform_child(answer, kind->list);

	references->items = xcalloc(kind->maximum, sizeof(*references->items));
	for (const struct xml_element *item = pki_platform_child(list, kind->item);
		item && references->count < kind->maximum;
		item = pki_platform_next(item, kind->item))
		references->items[references->count++] = (struct reference){
			pki_platform_text(item, kind->number), pki_platform_text(item, kind->value),
			pki_platform_text(item, kind->name)};
}

/* By number, heap; NULL when there is none with a value. */
static const struct reference *find_reference(
	const struct references *references, const char *number)
{
	for (size_t i = 0; number && i < references->count; i++) {
		const struct reference *each = &references->items[i];
		if (each->number && each->value && strcmp(each->number, number) == 0)
			return each;
	}
	return NULL;
}

/* The number that stands for the extension with the names; NULL: none does. */
static const char *san_number(const struct references *oids)
{
	for (size_t i = 0; i < oids->count; i++) {
		if (oids->items[i].value && strcmp(oids->items[i].value, SAN_OID) == 0)
			return oids->items[i].number;
	}
	return NULL;
}

/* --- one policy --- */

/* Which words a status may have is not documented. */
static bool is_inactive(const char *status)
{
	static const char *const words[] = {
		"inactive", "disabled", "delete", "suspend", "retire", "expire", "revoke"};

	for (size_t i = 0; status && i < ARRAY_SIZE(words); i++) {
		if (strcasestr(status, words[i]))
			return true;
	}
	return false;
}

static void check_usable(struct authority_profile *profile, const struct xml_element *attributes)
{
	const struct xml_element *key = pki_platform_child(attributes, "privateKeyAttributes");
	const struct xml_element *escrow = pki_platform_child(key, "keyEscrowPolicy");
	const struct xml_element *system = pki_platform_child(attributes, "systemInfo");
	_cleanup_free_ char *status = pki_platform_text(attributes, "status");
	_cleanup_free_ char *format = pki_platform_text(system, "certificateDeliveryFormat");

	if (is_inactive(status))
		authority_profile_refuse(profile, "it is not active");
	if (pki_platform_is_true(escrow, "keyEscrowEnabled"))
		authority_profile_refuse(
			profile, "it keeps the private key in escrow, which a card does not give");
	if (format && strcasestr(format, "PKCS12"))
		authority_profile_refuse(profile, "it makes the private key itself (PKCS#12)");
}

/* "$overrideValidityDays", or the flag alone. */
static bool may_override_days(const struct xml_element *attributes)
{
	const struct xml_element *override =
		pki_platform_child(attributes, "certificateOverrideValidity");
	const struct xml_element *flag = pki_platform_child(override, "overrideFlag");
	const struct xml_element *pair = pki_platform_child(override, "overrideNameValuePair");

	if (flag && !pki_platform_is_true(override, "overrideFlag"))
		return false;
	for (; pair; pair = pki_platform_next(pair, "overrideNameValuePair")) {
		_cleanup_free_ char *name = xml_text(pair);
		if (strcasestr(name, "overrideValidityDays"))
			return true;
	}
	return false;
}

static json_int_t key_bits(const struct xml_element *attributes)
{
	_cleanup_free_ char *size = pki_platform_text(
		pki_platform_child(attributes, "privateKeyAttributes"), "keysize");
	long bits = size ? strtol(size, NULL, 10) : 0;

	return bits > 0 && bits <= BITS_MAX ? bits : 0;
}

/* The format that certificates come in, as the service names it; NULL: it does not say. */
static char *delivery_format(const struct xml_element *attributes)
{
	char *format = pki_platform_text(
		pki_platform_child(attributes, "systemInfo"), "certificateDeliveryFormat");

	if (format && strlen(format) <= TEXT_MAX)
		return format;
	free(format);
	return NULL;
}

/* Texts of answers that are no UTF-8 are none of ours. */
static json_t *text_or_null(const char *text)
{
	json_t *json = text ? json_string(text) : NULL;

	return json ? json : json_null();
}

static void read_settings(struct authority_profile *profile, const struct xml_element *policy,
	const struct references *authorities)
{
	const struct xml_element *attributes = pki_platform_child(policy, "attributes");
	_cleanup_free_ char *number =
		pki_platform_text(pki_platform_child(policy, "cAs"), "cAReference");
	const struct reference *issuer = find_reference(authorities, number);
	_cleanup_free_ char *format = delivery_format(attributes);

	profile->settings = json_pack("{s:b, s:I, s:o, s:o}", "override-validity",
		may_override_days(attributes), "key-bits", key_bits(attributes), "delivery",
		text_or_null(format), ISSUED_ISSUER, text_or_null(issuer ? issuer->value : NULL));
}

/* Everything that policies refer to. */
struct listed {
	struct references oids, authorities;
	const char *san_number;
};

static bool is_oid(const char *text)
{
	return text && strlen(text) <= TEXT_MAX && strspn(text, "0123456789.") == strlen(text);
}

static bool add_policy(struct authority_profiles *profiles, const struct xml_element *policy,
	const struct listed *listed, struct error *error)
{
	_cleanup_free_ char *number = pki_platform_text(policy, "policyOIDReference");
	const struct xml_element *attributes = pki_platform_child(policy, "attributes");
	const struct reference *oid = find_reference(&listed->oids, number);

	if (!oid || !is_oid(oid->value))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"PKI Platform lists a certificate profile without its OID");
	_cleanup_free_ char *name = issued_words(oid->name ? oid->name : oid->value, TEXT_MAX);
	struct authority_profile *profile = authority_profiles_add(profiles, oid->value, name);
	check_usable(profile, attributes);
	pki_platform_read_fields(profile, attributes, listed->san_number);
	read_settings(profile, policy, &listed->authorities);
	return true;
}

/* --- the list --- */

static bool add_policies(const struct xml_element *answer, struct authority_profiles *profiles,
	const struct listed *listed, struct error *error)
{
	const struct xml_element *response = pki_platform_child(answer, "response");
	const struct xml_element *list = pki_platform_child(response, "policies");

	if (!response || (xml_is_nil(list) && pki_platform_is_true(response, "policiesNotChanged")))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"PKI Platform's list of certificate profiles is not one");
	for (const struct xml_element *policy = pki_platform_child(list, "policy"); policy;
		policy = pki_platform_next(policy, "policy")) {
		if (profiles->count >= PROFILES_MAX)
			return error_set(error, ERROR_AUTHORITY_FAILED,
				"PKI Platform lists more than %d certificate profiles",
				PROFILES_MAX);
		if (!add_policy(profiles, policy, listed, error))
			return false;
	}
	return true;
}

bool pki_platform_read_policies(
	const struct xml_element *answer, struct authority_profiles *profiles, struct error *error)
{
	static const struct reference_kind oid = {
		"oIDs", "oID", "oIDReferenceID", "value", "defaultName", OIDS_MAX};
	static const struct reference_kind authority = {
		"cAs", "cA", "cAReferenceID", "certificate", "cAIssuerName", AUTHORITIES_MAX};
	struct listed listed = {0};

	read_references(&listed.oids, answer, &oid);
	read_references(&listed.authorities, answer, &authority);
	listed.san_number = san_number(&listed.oids);
	bool done = add_policies(answer, profiles, &listed, error);
	references_clear(&listed.oids);
	references_clear(&listed.authorities);
	return done;
}
