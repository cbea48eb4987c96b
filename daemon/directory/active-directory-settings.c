/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The document of a connection of the kind active-directory. */
#include <ctype.h>
#include <string.h>

#include "common/alloc.h"
#include "connection/settings.h"
#include "core/srv.h"
#include "directory/active-directory-private.h"
#include "directory/active-directory.h"
#include "directory/ldap-filter.h"

#define GROUPS_MAX	16
#define SECONDS_DEFAULT 10
#define SECONDS_MAX	120

static const char people_filter[] = "(&(objectCategory=person)(objectClass=user))";

/* The domain controller follows groups in groups (MS-ADTS 3.1.1.3.4.4.3). */
static const char member_in_chain[] = "memberOf:1.2.840.113556.1.4.1941:";

/* Those that domain controllers have an index of, so that each letter typed is answered at once. */
static const char *const typed[] = {
	"displayName", "sn", "givenName", "sAMAccountName", "userPrincipalName", "mail", NULL};

static const struct mapping_default fields[] = {
	{"name", {"displayName", "cn"}},
	{"given-name", {"givenName"}},
	{"surname", {"sn"}},
	{"user", {"sAMAccountName"}},
	{"upn", {"userPrincipalName"}},
	{"email", {"mail"}},
	{"employee-number", {"employeeID", "employeeNumber"}},
	{"phone", {"telephoneNumber", "mobile"}},
	{"department", {"department"}},
	{"title", {"title"}},
	{"sid", {"objectSid"}},
	{0},
};

void active_directory_clear(struct active_directory *directory)
{
	ldap_access_clear(&directory->ldap.access);
	ldap_people_clear(&directory->ldap.people);
	kerberos_settings_clear(&directory->kerberos);
	free(directory->ldap.use);
	free(directory->domain);
	free(directory->realm);
	for (size_t i = 0; i < directory->group_count; i++)
		free(directory->groups[i]);
	free(directory->groups);
}

/* --- the domain --- */

/* Where the domain's entries are (MS-ADTS 3.1.1.1.5; RFC 2247): "DC=lab,DC=test". */
static char *base_of(const char *domain)
{
	_cleanup_buffer_ struct buffer base = BUFFER_INIT;

	buffer_append_string(&base, "DC=");
	for (; *domain; domain++) {
		if (*domain == '.')
			buffer_append_string(&base, ",DC=");
		else
			buffer_append_u8(&base, (uint8_t)*domain);
	}
	buffer_append_u8(&base, 0);
	return (char *)steal_pointer(&base.data);
}

static bool read_domain(
	const struct document_node *root, struct active_directory *directory, struct error *error)
{
	struct document_node node;

	if (!document_member(root, "domain", &node, error) ||
		!settings_read_text(root, "domain", &directory->domain, error))
		return false;
	if (!srv_name_is_valid(directory->domain) || !strchr(directory->domain, '.'))
		return document_fail(
			&node, error, "the DNS name of a domain is expected, like ad.example.org");
	directory->realm = xstrdup(directory->domain);
	for (char *c = directory->realm; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return true;
}

/* --- its controllers --- */

/* What DNS has them under, behind "_ldap._tcp." (MS-ADTS 6.3.2.3): all of the domain, those of a
 * site, global catalogs. */
static char *place_of(const char *domain, const char *site, bool is_catalog)
{
	const char *kind = is_catalog ? "gc" : "dc";

	return site ? xasprintf("%s._sites.%s._msdcs.%s", site, kind, domain)
		    : xasprintf("%s._msdcs.%s", kind, domain);
}

static bool read_site(const struct document_node *root, char **site, struct error *error)
{
	struct document_node node;

	if (!document_find(root, "site", &node))
		return true;
	return settings_read_text(root, "site", site, error) &&
	       ((srv_name_is_valid(*site) && !strchr(*site, '.')) ||
		       document_fail(&node, error, "the name of a site is expected"));
}

static bool read_dns_server(
	const struct document_node *root, struct ldap_access *access, struct error *error)
{
	struct document_node node;

	if (!document_find(root, "dns-server", &node))
		return true;
	return settings_read_text(root, "dns-server", &access->dns_server, error) &&
	       (srv_server_is_valid(access->dns_server) ||
		       document_fail(&node, error,
			       "the IP address of a DNS server is expected, with a port if need "
			       "be"));
}

static unsigned port_of(const struct ldap_access *access, bool is_catalog)
{
	bool by_tls = access->security == LDAP_BY_TLS;

	return is_catalog ? (by_tls ? 3269 : 3268) : (by_tls ? 636 : 389);
}

/* "hosts" in place of what DNS says, which has no ports of TLS. */
static bool read_controllers(const struct document_node *root, struct active_directory *directory,
	bool is_catalog, struct error *error)
{
	struct ldap_access *access = &directory->ldap.access;
	_cleanup_free_ char *site = NULL;
	struct document_node hosts, security;

	if (!read_site(root, &site, error) || !read_dns_server(root, access, error))
		return false;
	if (document_find(root, "hosts", &hosts)) {
		if (site || access->dns_server)
			return document_fail(
				&hosts, error, "this is in place of \"site\" and \"dns-server\"");
		return ldap_read_hosts(&hosts, LDAP_BY_STARTTLS, port_of(access, is_catalog),
			&access->hosts, &access->host_count, error);
	}
	access->domain = place_of(directory->domain, site, is_catalog);
	return access->security != LDAP_BY_TLS || !document_find(root, "security", &security) ||
	       document_fail(&security, error,
		       "\"ldaps\" needs \"hosts\": what DNS names is asked with starttls");
}

static bool read_flag(
	const struct document_node *root, const char *member, bool *flag, struct error *error)
{
	struct document_node node;

	return !document_find(root, member, &node) || document_boolean(&node, flag, error);
}

/* --- as whom they are asked --- */

static const char *authentication_at(size_t index)
{
	static const char *const names[] = {"kerberos", "password"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static const char *security_at(size_t index)
{
	static const char *const names[] = {
		[LDAP_BY_STARTTLS] = "starttls", [LDAP_BY_TLS] = "ldaps"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

/* A password goes over TLS; Kerberos seals by itself, and domain controllers want one of both. */
static bool read_security(const struct document_node *root, bool by_kerberos,
	struct ldap_access *access, struct error *error)
{
	struct document_node node;
	size_t choice = LDAP_BY_STARTTLS;

	if (by_kerberos) {
		access->security = LDAP_BY_NOTHING;
		return (!document_find(root, "security", &node) &&
			       !document_find(root, "ca-file", &node)) ||
		       document_fail(&node, error,
			       "this goes with \"authentication\": \"password\" only: Kerberos "
			       "seals what is said");
	}
	if (document_find(root, "security", &node) &&
		!document_choice(&node, security_at, &choice, error))
		return false;
	access->security = (enum ldap_security)choice;
	return settings_read_path(root, "ca-file", &access->ca_file, error);
}

static bool read_user(const struct document_node *root, bool by_kerberos,
	struct ldap_access *access, struct error *error)
{
	struct document_node node;

	if (!by_kerberos)
		return document_member(root, "user", &node, error) &&
		       settings_read_text(root, "user", &access->bind_dn, error);
	return !document_find(root, "user", &node) ||
	       document_fail(&node, error, "this goes with \"authentication\": \"password\" only");
}

static bool read_authentication(
	const struct document_node *root, struct active_directory *directory, struct error *error)
{
	struct ldap_access *access = &directory->ldap.access;
	struct document_node node;
	size_t choice;

	if (!document_member(root, "authentication", &node, error) ||
		!document_choice(&node, authentication_at, &choice, error))
		return false;
	bool by_kerberos = choice == 0;
	access->bind = by_kerberos ? LDAP_BIND_GSSAPI : LDAP_BIND_SIMPLE;
	if (!kerberos_settings_parse(root, by_kerberos, &directory->kerberos, error))
		return false;
	return read_security(root, by_kerberos, access, error) &&
	       read_user(root, by_kerberos, access, error);
}

/* --- people --- */

static bool read_groups(
	const struct document_node *root, struct active_directory *directory, struct error *error)
{
	struct document_node list;
	const char *dn;
	size_t count;

	if (!document_find(root, "groups", &list))
		return true;
	if (!document_array(&list, 1, GROUPS_MAX, &count, error))
		return false;
	directory->groups = xcalloc(count, sizeof(*directory->groups));
	for (size_t i = 0; i < count; i++) {
		struct document_node node = document_at(&list, i);
		if (!document_string(&node, 1, SETTINGS_TEXT_MAX, &dn, error))
			return false;
		if (!strchr(dn, '='))
			return document_fail(&node, error,
				"the distinguished name of a group is expected, like %s",
				"CN=Cards,OU=Groups,DC=ad,DC=example,DC=org");
		directory->groups[directory->group_count++] = xstrdup(dn);
	}
	return true;
}

/* Only members of "groups" are people who may get cards. */
static void narrow(struct active_directory *directory)
{
	struct ldap_people *people = &directory->ldap.people;
	_cleanup_buffer_ struct buffer filter = BUFFER_INIT;

	if (directory->group_count == 0)
		return;
	buffer_append_string(&filter, "(&");
	buffer_append_string(&filter, people->filter);
	buffer_append_string(&filter, "(|");
	for (size_t i = 0; i < directory->group_count; i++)
		ldap_filter_equal(&filter, member_in_chain, directory->groups[i],
			strlen(directory->groups[i]));
	buffer_append(&filter, "))", sizeof("))"));
	free(people->filter);
	people->filter = (char *)steal_pointer(&filter.data);
}

static bool read_people(
	const struct document_node *root, struct active_directory *directory, struct error *error)
{
	struct ldap_people *people = &directory->ldap.people;

	if (!ldap_read_base(root, true, people_filter, people, error) ||
		!ldap_read_attributes(root, typed, "objectGUID", people, error) ||
		!field_mapping_read(root, fields, ldap_attribute_is_valid, LDAP_ATTRIBUTE_FORM,
			&people->mapping, error) ||
		!read_groups(root, directory, error))
		return false;
	if (!people->base)
		people->base = base_of(directory->domain);
	narrow(directory);
	return true;
}

static bool read_all(
	const struct document_node *root, struct active_directory *directory, struct error *error)
{
	static const char *const members[] = {"name", "kind", "comment", "domain", "site", "hosts",
		"dns-server", "global-catalog", "authentication", "kerberos", "user", "security",
		"ca-file", "timeout-seconds", "base", "scope", "filter", "groups",
		"search-attributes", "fields"};
	struct ldap_access *access = &directory->ldap.access;
	_cleanup_free_ char *comment = NULL;
	struct document_node node;
	bool is_catalog = false;

	access->timeout_seconds = SECONDS_DEFAULT;
	return document_check_members(root, members, ARRAY_SIZE(members), error) &&
	       read_domain(root, directory, error) && read_authentication(root, directory, error) &&
	       read_flag(root, "global-catalog", &is_catalog, error) &&
	       read_controllers(root, directory, is_catalog, error) &&
	       (!document_find(root, "timeout-seconds", &node) ||
		       document_integer(&node, 1, SECONDS_MAX, &access->timeout_seconds, error)) &&
	       read_people(root, directory, error);
}

bool active_directory_read(
	const char *document, struct active_directory *directory, struct error *error)
{
	_cleanup_json_ json_t *json = document_load(document, ERROR_INVALID_CONNECTION, error);

	if (!json)
		return false;
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	return read_all(&root, directory, error);
}
