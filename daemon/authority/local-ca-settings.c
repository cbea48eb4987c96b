/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local CA's connection document. */
#include <string.h>

#include <openssl/x509v3.h>

#include "authority/local-ca-private.h"
#include "common/alloc.h"
#include "model/document.h"

#define DAYS_DEFAULT_CA	     3650
#define DAYS_DEFAULT_PROFILE 365
#define DAYS_DEFAULT_CRL     7
#define DAYS_MAX_CA	     10957 /* 30 years */
#define DAYS_MAX_CRL	     365
#define SUBJECT_MAX	     16	 /* attributes */
#define VALUE_MAX	     128 /* bytes of one */
#define PROFILES_MAX	     64
#define USAGES_MAX	     32
#define TEXT_MAX	     1024

static const char *member_at(const char *const members[], size_t count, size_t index)
{
	return index < count ? members[index] : NULL;
}

static const enum key_algorithm algorithms[] = {KEY_ALGORITHM_EC_P256, KEY_ALGORITHM_EC_P384,
	KEY_ALGORITHM_RSA_3072, KEY_ALGORITHM_RSA_4096};

static const char *algorithm_at(size_t index)
{
	return index < ARRAY_SIZE(algorithms) ? key_algorithm_name(algorithms[index]) : NULL;
}

static const char *subject_type_at(size_t index)
{
	static const char *const types[] = {"CN", "O", "OU", "C", "L", "ST", "DC", "serialNumber"};

	return member_at(types, ARRAY_SIZE(types), index);
}

/* Key usages that a card's certificate may have (RFC 5280, 4.2.1.3). */
static const struct {
	const char *name;
	unsigned bit;
} key_usages[] = {
	{"digitalSignature", KU_DIGITAL_SIGNATURE},
	{"nonRepudiation", KU_NON_REPUDIATION},
	{"keyEncipherment", KU_KEY_ENCIPHERMENT},
	{"dataEncipherment", KU_DATA_ENCIPHERMENT},
	{"keyAgreement", KU_KEY_AGREEMENT},
};

static const char *key_usage_at(size_t index)
{
	return index < ARRAY_SIZE(key_usages) ? key_usages[index].name : NULL;
}

/* Extended key usages: RFC 5280, 4.2.1.12 and where else said. */
static const struct {
	const char *name;
	const char *oid;
} purposes[] = {
	{"serverAuth", "1.3.6.1.5.5.7.3.1"}, {"clientAuth", "1.3.6.1.5.5.7.3.2"},
	{"codeSigning", "1.3.6.1.5.5.7.3.3"}, {"emailProtection", "1.3.6.1.5.5.7.3.4"},
	{"secureShellClient", "1.3.6.1.5.5.7.3.21"},	    /* RFC 6187, 2.2.2 */
	{"documentSigning", "1.3.6.1.5.5.7.3.36"},	    /* RFC 9336 */
	{"pkinitClientAuth", "1.3.6.1.5.2.3.4"},	    /* RFC 4556, 3.2.2 */
	{"smartcardLogon", "1.3.6.1.4.1.311.20.2.2"},	    /* Microsoft */
	{"encryptingFileSystem", "1.3.6.1.4.1.311.10.3.4"}, /* Microsoft */
	{"id-PIV-cardAuth", "2.16.840.1.101.3.6.8"},	    /* FIPS 201-3, appendix B */
};

static const char *purpose_at(size_t index)
{
	return index < ARRAY_SIZE(purposes) ? purposes[index].name : NULL;
}

const char *local_ca_purpose_oid(size_t index)
{
	return index < ARRAY_SIZE(purposes) ? purposes[index].oid : NULL;
}

/* An optional number of days. */
static bool read_days(const struct document_node *object, const char *member, int64_t fallback,
	int64_t maximum, int64_t *days, struct error *error)
{
	struct document_node node;

	*days = fallback;
	return !document_find(object, member, &node) ||
	       document_integer(&node, 1, maximum, days, error);
}

/* An array of names, each once, as bits of their numbers. */
static bool read_names(const struct document_node *node, size_t minimum,
	const char *(*name_at)(size_t), unsigned *numbers, struct error *error)
{
	size_t count, choice;

	if (!document_array(node, minimum, USAGES_MAX, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct document_node element = document_at(node, i);
		if (!document_choice(&element, name_at, &choice, error))
			return false;
		if (*numbers & 1u << choice)
			return document_fail(&element, error, "this is in the list already");
		*numbers |= 1u << choice;
	}
	return true;
}

static bool read_usages(
	const struct document_node *node, struct local_ca_profile *profile, struct error *error)
{
	struct document_node usage, extended;
	unsigned numbers = 0;

	if (!document_member(node, "key-usage", &usage, error) ||
		!read_names(&usage, 1, key_usage_at, &numbers, error))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(key_usages); i++)
		if (numbers & 1u << i)
			profile->key_usage |= key_usages[i].bit;
	return !document_find(node, "extended-key-usage", &extended) ||
	       read_names(&extended, 0, purpose_at, &profile->extended_key_usage, error);
}

static bool read_profile(
	const struct document_node *node, struct local_ca_profile *profile, struct error *error)
{
	static const char *const members[] = {"validity-days", "key-usage", "extended-key-usage"};

	return document_check_members(node, members, ARRAY_SIZE(members), error) &&
	       read_days(node, "validity-days", DAYS_DEFAULT_PROFILE, DAYS_MAX_CA,
		       &profile->validity_days, error) &&
	       read_usages(node, profile, error);
}

static bool profile_name_check(
	const struct document_node *node, const char *name, struct error *error)
{
	json_t *text _cleanup_json_ = json_string(name);
	struct document_node named = document_child(node->parent, name, text);
	const char *value;

	return document_name(&named, &value, error);
}

static bool read_profiles(
	const struct document_node *root, struct local_ca_settings *settings, struct error *error)
{
	struct document_node node;
	const char *name;
	json_t *value;

	if (!document_member(root, "profiles", &node, error))
		return false;
	size_t count = json_object_size(node.value);
	if (count < 1 || count > PROFILES_MAX)
		return document_fail(
			&node, error, "an object of 1 to %d profiles is expected", PROFILES_MAX);
	settings->profiles = xcalloc(count, sizeof(*settings->profiles));
	json_object_foreach(node.value, name, value)
	{
		struct local_ca_profile *profile = &settings->profiles[settings->profile_count];
		struct document_node member = document_child(&node, name, value);

		if (!profile_name_check(&member, name, error) ||
			!read_profile(&member, profile, error))
			return false;
		profile->name = xstrdup(name);
		settings->profile_count++;
	}
	return true;
}

/* ["CN", "Tessera Local CA"] */
static bool read_attribute(
	const struct document_node *node, struct local_ca_settings *settings, struct error *error)
{
	size_t two, choice;
	const char *value;

	if (!document_array(node, 2, 2, &two, error))
		return false;
	struct document_node type = document_at(node, 0), text = document_at(node, 1);
	if (!document_choice(&type, subject_type_at, &choice, error) ||
		!document_string(&text, 1, VALUE_MAX, &value, error))
		return false;
	if (strcmp(subject_type_at(choice), "C") == 0 && strlen(value) != 2)
		return document_fail(&text, error, "a country is two capital letters (ISO 3166)");
	settings->subject[settings->subject_count++] = (struct name_rule){
		.type = xstrdup(subject_type_at(choice)), .pattern = xstrdup(value)};
	return true;
}

static bool read_subject(
	const struct document_node *root, struct local_ca_settings *settings, struct error *error)
{
	struct document_node node;
	size_t count;

	if (!document_member(root, "subject", &node, error) ||
		!document_array(&node, 1, SUBJECT_MAX, &count, error))
		return false;
	settings->subject = xcalloc(count, sizeof(*settings->subject));
	for (size_t i = 0; i < count; i++) {
		struct document_node pair = document_at(&node, i);
		if (!read_attribute(&pair, settings, error))
			return false;
	}
	return true;
}

static bool read_crl_url(
	const struct document_node *root, struct local_ca_settings *settings, struct error *error)
{
	struct document_node node;
	const char *url;

	if (!document_find(root, "crl-url", &node))
		return true;
	if (!document_string(&node, 1, TEXT_MAX, &url, error))
		return false;
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0 &&
		strncmp(url, "ldap://", 7) != 0)
		return document_fail(&node, error, "an http, https or ldap URL is expected");
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			return document_fail(&node, error, "a URL is of ASCII without spaces");
	settings->crl_url = xstrdup(url);
	return true;
}

static bool read_key_algorithm(
	const struct document_node *root, struct local_ca_settings *settings, struct error *error)
{
	struct document_node node;
	size_t choice = 0;

	if (document_find(root, "key-algorithm", &node) &&
		!document_choice(&node, algorithm_at, &choice, error))
		return false;
	settings->key_algorithm = algorithms[choice];
	return true;
}

static const char *kind_at(size_t index)
{
	return index == 0 ? "local-ca" : NULL;
}

static bool read_head(const struct document_node *root, struct error *error)
{
	struct document_node node;
	const char *text;
	size_t choice;

	if (!document_member(root, "name", &node, error) || !document_name(&node, &text, error) ||
		!document_member(root, "kind", &node, error) ||
		!document_choice(&node, kind_at, &choice, error))
		return false;
	return !document_find(root, "comment", &node) ||
	       document_string(&node, 0, TEXT_MAX, &text, error);
}

bool local_ca_settings_parse(
	struct local_ca_settings *settings, const char *document, struct error *error)
{
	static const char *const members[] = {"name", "kind", "comment", "key-algorithm", "subject",
		"validity-days", "crl-days", "crl-url", "profiles"};
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);

	if (!json)
		return false;
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	return document_check_members(&root, members, ARRAY_SIZE(members), error) &&
	       read_head(&root, error) && read_key_algorithm(&root, settings, error) &&
	       read_subject(&root, settings, error) &&
	       read_days(&root, "validity-days", DAYS_DEFAULT_CA, DAYS_MAX_CA,
		       &settings->validity_days, error) &&
	       read_days(&root, "crl-days", DAYS_DEFAULT_CRL, DAYS_MAX_CRL, &settings->crl_days,
		       error) &&
	       read_crl_url(&root, settings, error) && read_profiles(&root, settings, error);
}

void local_ca_settings_clear(struct local_ca_settings *settings)
{
	for (size_t i = 0; i < settings->subject_count; i++) {
		free(settings->subject[i].type);
		free(settings->subject[i].pattern);
	}
	free(settings->subject);
	for (size_t i = 0; i < settings->profile_count; i++)
		free(settings->profiles[i].name);
	free(settings->profiles);
	free(settings->crl_url);
	*settings = (struct local_ca_settings){0};
}

const struct local_ca_profile *local_ca_profile_find(
	const struct local_ca_settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->profile_count; i++)
		if (strcmp(settings->profiles[i].name, name) == 0)
			return &settings->profiles[i];
	return NULL;
}
