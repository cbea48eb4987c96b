/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap.h"

#include <string.h>

#include <openssl/sha.h>

#include "common/alloc.h"
#include "connection/identity.h"
#include "connection/secret.h"
#include "connection/settings.h"
#include "directory/ldap-filter.h"

/* --- what directories of these sorts have --- */

static const struct preset {
	const char *name, *filter, *id;
	struct mapping_default fields[12];
	const char *typed[8];
	struct ldap_disabled disabled[6];
} presets[] = {
	{
		.name = "inetOrgPerson", /* RFC 2798 */
		.filter = "(objectClass=inetOrgPerson)",
		.id = "entryUUID", /* RFC 4530 */
		.fields = {{"name", {"displayName", "cn"}}, {"given-name", {"givenName"}},
			{"surname", {"sn"}}, {"user", {"uid"}}, {"email", {"mail"}},
			{"employee-number", {"employeeNumber"}}, {"phone", {"telephoneNumber"}},
			{"department", {"departmentNumber", "ou"}}, {"title", {"title"}}},
		.typed = {"cn", "sn", "givenName", "uid", "mail", "employeeNumber"},
		/* Locked for good: another time there is a lock by wrong passwords, which anyone
		 * can cause (draft-behera-ldap-password-policy-10, 5.3.3). */
		.disabled = {{"pwdAccountLockedTime", "000001010000Z"}, {"nsAccountLock", "TRUE"}},
	},
	{
		.name = "posixAccount", /* RFC 2307 */
		.filter = "(objectClass=posixAccount)",
		.id = "entryUUID",
		.fields = {{"name", {"cn"}}, {"given-name", {"givenName"}}, {"surname", {"sn"}},
			{"user", {"uid"}}, {"email", {"mail"}}},
		.typed = {"cn", "uid"},
		.disabled = {{"shadowExpire", NULL}, {"pwdAccountLockedTime", "000001010000Z"},
			{"nsAccountLock", "TRUE"}},
	},
	{
		.name = "freeipa",
		.filter = "(&(objectClass=inetOrgPerson)(objectClass=posixAccount))",
		.id = "ipaUniqueID",
		.fields = {{"name", {"displayName", "cn"}}, {"given-name", {"givenName"}},
			{"surname", {"sn"}}, {"user", {"uid"}}, {"email", {"mail"}},
			{"upn", {"krbCanonicalName", "krbPrincipalName"}},
			{"employee-number", {"employeeNumber"}}, {"phone", {"telephoneNumber"}},
			{"department", {"departmentNumber", "ou"}}, {"title", {"title"}},
			{"sid", {"ipaNTSecurityIdentifier"}}},
		.typed = {"cn", "sn", "givenName", "uid", "mail"},
		.disabled = {{"nsAccountLock", "TRUE"}, {"krbPrincipalExpiration", NULL}},
	},
};

static const char *preset_at(size_t index)
{
	return index < ARRAY_SIZE(presets) ? presets[index].name : NULL;
}

/* --- the document --- */

static const char *method_at(size_t index)
{
	static const char *const names[] = {[LDAP_BIND_ANONYMOUS] = "anonymous",
		[LDAP_BIND_SIMPLE] = "simple",
		[LDAP_BIND_EXTERNAL] = "external"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

/* What goes with the method, and nothing else. */
static bool check_bind(
	const struct document_node *bind, struct ldap_access *access, struct error *error)
{
	struct document_node node;

	if (access->bind == LDAP_BIND_SIMPLE && !document_member(bind, "dn", &node, error))
		return false;
	if (access->bind == LDAP_BIND_SIMPLE && !strchr(access->bind_dn, '='))
		return document_fail(&node, error,
			"a distinguished name is expected, like cn=reader,dc=example,dc=org");
	if (access->bind != LDAP_BIND_SIMPLE && document_find(bind, "dn", &node))
		return document_fail(&node, error, "this goes with \"method\": \"simple\" only");
	if (!document_find(bind, "client-key", &node))
		return true;
	if (access->bind != LDAP_BIND_EXTERNAL)
		return document_fail(&node, error, "this goes with \"method\": \"external\" only");
	return strncmp(access->client_key, "pkcs11:", strlen("pkcs11:")) == 0 ||
	       document_fail(
		       &node, error, "a URI like pkcs11:token=LABEL;object=LABEL is expected");
}

static bool read_bind(
	const struct document_node *root, struct ldap_access *access, struct error *error)
{
	static const char *const members[] = {"method", "dn", "client-key"};
	struct document_node bind, method;
	size_t choice;

	if (!document_find(root, "bind", &bind))
		return true;
	if (!document_check_members(&bind, members, ARRAY_SIZE(members), error) ||
		!document_member(&bind, "method", &method, error) ||
		!document_choice(&method, method_at, &choice, error) ||
		!settings_read_text(&bind, "dn", &access->bind_dn, error) ||
		!settings_read_text(&bind, "client-key", &access->client_key, error))
		return false;
	access->bind = (enum ldap_bind)choice;
	return check_bind(&bind, access, error);
}

static bool read_people(
	const struct document_node *root, struct ldap_people *people, struct error *error)
{
	struct document_node node;
	size_t choice = 0;

	if (document_find(root, "preset", &node) &&
		!document_choice(&node, preset_at, &choice, error))
		return false;
	const struct preset *preset = &presets[choice];
	return ldap_read_base(root, false, preset->filter, people, error) &&
	       field_mapping_read(root, preset->fields, ldap_attribute_is_valid,
		       LDAP_ATTRIBUTE_FORM, &people->mapping, error) &&
	       ldap_read_attributes(root, preset->typed, preset->id, people, error) &&
	       ldap_read_disabled(root, preset->disabled, people, error);
}

static bool parse(struct ldap_directory *ldap, const char *document, struct error *error)
{
	static const char *const members[] = {"name", "kind", "comment", "hosts", "domain",
		"dns-server", "security", "ca-file", "bind", "base", "filter", "scope", "preset",
		"fields", "search-attributes", "id-attribute", "disabled", "referrals",
		"referral-hosts", "timeout-seconds"};
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	_cleanup_free_ char *comment = NULL;

	return json && document_check_members(&root, members, ARRAY_SIZE(members), error) &&
	       settings_read_text(&root, "comment", &comment, error) &&
	       ldap_read_access(&root, &ldap->access, error) &&
	       read_bind(&root, &ldap->access, error) && read_people(&root, &ldap->people, error);
}

static void directory_data_free(struct ldap_directory *ldap)
{
	if (!ldap)
		return;
	ldap_access_clear(&ldap->access);
	ldap_people_clear(&ldap->people);
	free(ldap->use);
	free(ldap);
}

char *ldap_use(const char *connection, const char *document)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)document, strlen(document), digest);
	_cleanup_free_ char *hex = hex_encode(digest, sizeof(digest));
	return xasprintf("%s\n%s", connection, hex ? hex : "");
}

/* --- the driver --- */

static bool check(const char *document, struct error *error)
{
	struct ldap_directory *ldap = xnew(struct ldap_directory);
	bool good = parse(ldap, document, error);

	directory_data_free(ldap);
	return good;
}

static bool open_directory(struct directory *directory, const char *document, struct error *error)
{
	struct ldap_directory *ldap = xnew(struct ldap_directory);

	directory->data = ldap;
	ldap->use = ldap_use(directory->name, document);
	return parse(ldap, document, error);
}

void ldap_directory_close(struct directory *directory)
{
	directory_data_free(directory->data);
	directory->data = NULL;
}

const char *ldap_directory_field_at(struct directory *directory, size_t index)
{
	const struct field_mapping *mapping =
		&((struct ldap_directory *)directory->data)->people.mapping;

	return index < mapping->count ? mapping->items[index].field : NULL;
}

const char *ldap_directory_secret_at(size_t index)
{
	static const char *const names[] = {LDAP_SECRET, IDENTITY_CLIENT_CERTIFICATE};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

bool ldap_directory_check_secret(struct directory *directory, const char *name,
	const struct secret *secret, struct error *error)
{
	const struct ldap_directory *ldap = directory->data;

	if (strcmp(name, LDAP_SECRET) == 0)
		return connection_check_password(secret, name, error);
	return identity_check_certificate(secret, ldap->access.client_key == NULL, error);
}

const struct directory_driver ldap_driver = {
	.kind = LDAP_KIND,
	.check = check,
	.secret_at = ldap_directory_secret_at,
	.check_secret = ldap_directory_check_secret,
	.open = open_directory,
	.test = ldap_directory_test,
	.search = ldap_directory_search,
	.get = ldap_directory_get,
	.find = ldap_directory_find,
	.authenticate = ldap_directory_authenticate,
	.field_at = ldap_directory_field_at,
	.close = ldap_directory_close,
};
