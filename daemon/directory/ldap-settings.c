/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of the documents of directories that speak LDAP. */
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "connection/settings.h"
#include "core/srv.h"
#include "directory/ldap-filter.h"
#include "directory/ldap.h"

#define HOSTS_MAX	16
#define HOST_MAX	255
#define PORT_MAX	65535
#define LIST_MAX	16 /* elements of other lists */
#define SECONDS_DEFAULT 10
#define SECONDS_MAX	120

static const struct {
	const char *name;
	enum ldap_security security;
	unsigned port; /* where it is not given */
} securities[] = {{"starttls", LDAP_BY_STARTTLS, 389}, {"ldaps", LDAP_BY_TLS, 636},
	{"none", LDAP_BY_NOTHING, 389}};

static const char *security_at(size_t index)
{
	return index < ARRAY_SIZE(securities) ? securities[index].name : NULL;
}

static const char *referrals_at(size_t index)
{
	static const char *const names[] = {"ignore", "follow"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static const char *scope_at(size_t index)
{
	static const char *const names[] = {
		[LDAP_BELOW] = "subtree", [LDAP_ONE_LEVEL] = "one-level", [LDAP_THE_BASE] = "base"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

/* --- clearing --- */

static void hosts_free(struct ldap_host *hosts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(hosts[i].name);
	free(hosts);
}

static void texts_free(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void ldap_access_clear(struct ldap_access *access)
{
	hosts_free(access->hosts, access->host_count);
	hosts_free(access->referral_hosts, access->referral_host_count);
	free(access->domain);
	free(access->dns_server);
	free(access->ca_file);
	free(access->bind_dn);
	free(access->client_key);
	*access = (struct ldap_access){0};
}

void ldap_people_clear(struct ldap_people *people)
{
	field_mapping_clear(&people->mapping);
	texts_free(people->typed, people->typed_count);
	for (size_t i = 0; i < people->disabled_count; i++) {
		free((char *)people->disabled[i].attribute);
		free((char *)people->disabled[i].value);
	}
	free(people->disabled);
	free(people->base);
	free(people->filter);
	free(people->id);
	*people = (struct ldap_people){0};
}

/* --- hosts --- */

bool ldap_host_is_local(const struct ldap_host *host)
{
	return host->name[0] == '/' || settings_host_is_local(host->name);
}

/* "host", "host:636", "[::1]:636"; *host stays empty for anything else. */
static bool parse_host(const char *text, unsigned port, struct ldap_host *host)
{
	static const char name[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	static const char address[] = "0123456789abcdefABCDEF:.";
	bool is_bracketed = text[0] == '[';
	const char *begin = is_bracketed ? text + 1 : text;
	size_t length = strspn(begin, is_bracketed ? address : name);
	const char *rest = begin + length;
	unsigned long number = port;

	if (length == 0 || length > HOST_MAX || (is_bracketed && *rest++ != ']'))
		return false;
	if (*rest == ':') {
		char *end;
		number = strspn(rest + 1, "0123456789") ? strtoul(rest + 1, &end, 10) : 0;
		if (number < 1 || number > PORT_MAX || *end != '\0')
			return false;
	} else if (*rest != '\0') {
		return false;
	}
	*host = (struct ldap_host){xasprintf("%.*s", (int)length, begin), (unsigned)number};
	return true;
}

/* Why people's data, and passwords, may go there by this security; NULL: they may. */
static const char *why_not(const struct ldap_host *host, enum ldap_security security)
{
	if (host->port == 0 && security != LDAP_BY_NOTHING)
		return "a local socket has no TLS: set security to none";
	if (security == LDAP_BY_NOTHING && !ldap_host_is_local(host))
		return "security none is for this machine alone (127.0.0.1, ::1, a local socket): "
		       "use "
		       "starttls or ldaps";
	return NULL;
}

static bool read_host(const struct document_node *node, enum ldap_security security, unsigned port,
	struct ldap_host *host, struct error *error)
{
	const char *text, *problem;

	if (!document_string(node, 1, HOST_MAX, &text, error))
		return false;
	if (text[0] == '/')
		*host = (struct ldap_host){xstrdup(text), 0};
	else if (!parse_host(text, port, host))
		return document_fail(node, error,
			"a host is expected, with a port if need be (ldap.example.org:389), or the "
			"path of a local socket");
	problem = why_not(host, security);
	return !problem || document_fail(node, error, "%s", problem);
}

bool ldap_read_hosts(const struct document_node *list, enum ldap_security security, unsigned port,
	struct ldap_host **hosts, size_t *host_count, struct error *error)
{
	size_t count;

	if (!document_array(list, 1, HOSTS_MAX, &count, error))
		return false;
	*hosts = xcalloc(count, sizeof(**hosts));
	for (size_t i = 0; i < count; i++) {
		struct document_node node = document_at(list, i);
		(*host_count)++;
		if (!read_host(&node, security, port, &(*hosts)[i], error))
			return false;
	}
	return true;
}

/* Exactly one of "hosts" and "domain". */
static bool read_place(const struct document_node *root, unsigned port, struct ldap_access *access,
	struct error *error)
{
	struct document_node hosts, domain, server;
	bool has_hosts = document_find(root, "hosts", &hosts);

	if (!settings_read_text(root, "dns-server", &access->dns_server, error))
		return false;
	if (document_find(root, "dns-server", &server) && !srv_server_is_valid(access->dns_server))
		return document_fail(&server, error, "an IP address, with a port if need be");
	if (!document_find(root, "domain", &domain)) {
		if (!has_hosts)
			return document_fail(root, error, "\"hosts\" or \"domain\" is missing");
		return ldap_read_hosts(
			&hosts, access->security, port, &access->hosts, &access->host_count, error);
	}
	if (has_hosts)
		return document_fail(&domain, error, "this is in place of \"hosts\"");
	if (access->security != LDAP_BY_STARTTLS)
		return document_fail(&domain, error,
			"what DNS names is asked with \"security\": \"starttls\" only");
	return settings_read_text(root, "domain", &access->domain, error) &&
	       (srv_name_is_valid(access->domain) ||
		       document_fail(&domain, error, "a DNS name like example.org is expected"));
}

static bool read_referrals(const struct document_node *root, unsigned port,
	struct ldap_access *access, struct error *error)
{
	struct document_node node;
	size_t choice = 0;

	if (document_find(root, "referrals", &node) &&
		!document_choice(&node, referrals_at, &choice, error))
		return false;
	access->follow_referrals = choice == 1;
	if (!document_find(root, "referral-hosts", &node))
		return true;
	if (!access->follow_referrals)
		return document_fail(&node, error, "this goes with \"referrals\": \"follow\" only");
	return ldap_read_hosts(&node, access->security, port, &access->referral_hosts,
		&access->referral_host_count, error);
}

bool ldap_read_access(
	const struct document_node *root, struct ldap_access *access, struct error *error)
{
	struct document_node node;
	size_t choice = 0;

	if (document_find(root, "security", &node) &&
		!document_choice(&node, security_at, &choice, error))
		return false;
	access->security = securities[choice].security;
	access->timeout_seconds = SECONDS_DEFAULT;
	return read_place(root, securities[choice].port, access, error) &&
	       settings_read_path(root, "ca-file", &access->ca_file, error) &&
	       read_referrals(root, securities[choice].port, access, error) &&
	       (!document_find(root, "timeout-seconds", &node) ||
		       document_integer(&node, 1, SECONDS_MAX, &access->timeout_seconds, error));
}

/* --- people --- */

/* One whole distinguished name is the server's to judge; this keeps out what is none at all. */
static bool read_dn(
	const struct document_node *root, const char *member, char **dn, struct error *error)
{
	struct document_node node;

	if (!settings_read_text(root, member, dn, error))
		return false;
	return !document_find(root, member, &node) || strchr(*dn, '=') ||
	       document_fail(&node, error, "a distinguished name is expected, like %s",
		       "ou=people,dc=example,dc=org");
}

bool ldap_read_base(const struct document_node *root, bool is_optional, const char *filter,
	struct ldap_people *people, struct error *error)
{
	_cleanup_error_ struct error problem = ERROR_INIT;
	struct document_node node;
	size_t choice = LDAP_BELOW;

	if ((!is_optional && !document_member(root, "base", &node, error)) ||
		!read_dn(root, "base", &people->base, error))
		return false;
	people->filter = xstrdup(filter);
	if (!settings_read_text(root, "filter", &people->filter, error))
		return false;
	if (document_find(root, "filter", &node) && !ldap_filter_check(people->filter, &problem))
		return document_fail(&node, error, "%s", error_message(&problem));
	if (document_find(root, "scope", &node) &&
		!document_choice(&node, scope_at, &choice, error))
		return false;
	people->scope = (enum ldap_scope)choice;
	return true;
}

static bool read_attribute(const struct document_node *node, char **attribute, struct error *error)
{
	const char *text;

	if (!document_string(node, 1, LDAP_ATTRIBUTE_MAX, &text, error))
		return false;
	if (!ldap_attribute_is_valid(text))
		return document_fail(node, error, "%s is expected", LDAP_ATTRIBUTE_FORM);
	*attribute = xstrdup(text);
	return true;
}

static bool read_typed(
	const struct document_node *list, struct ldap_people *people, struct error *error)
{
	size_t count;

	if (!document_array(list, 1, LIST_MAX, &count, error))
		return false;
	people->typed = xcalloc(count, sizeof(*people->typed));
	for (size_t i = 0; i < count; i++) {
		struct document_node node = document_at(list, i);
		if (!read_attribute(&node, &people->typed[people->typed_count++], error))
			return false;
	}
	return true;
}

bool ldap_read_attributes(const struct document_node *root, const char *const *typed,
	const char *id, struct ldap_people *people, struct error *error)
{
	struct document_node node;

	if (document_find(root, "search-attributes", &node)) {
		if (!read_typed(&node, people, error))
			return false;
	} else {
		people->typed = xcalloc(LIST_MAX, sizeof(*people->typed));
		for (; *typed; typed++)
			people->typed[people->typed_count++] = xstrdup(*typed);
	}
	if (document_find(root, "id-attribute", &node))
		return read_attribute(&node, &people->id, error);
	people->id = xstrdup(id);
	return true;
}

static bool read_rule(
	const struct document_node *node, struct ldap_disabled *rule, struct error *error)
{
	static const char *const members[] = {"attribute", "value", "past"};
	struct document_node attribute, member;
	char *name = NULL, *value = NULL;
	bool is_past = false;

	bool is_read = document_check_members(node, members, ARRAY_SIZE(members), error) &&
		       document_member(node, "attribute", &attribute, error) &&
		       read_attribute(&attribute, &name, error) &&
		       settings_read_text(node, "value", &value, error);
	*rule = (struct ldap_disabled){name, value};
	if (!is_read)
		return false;
	if (document_find(node, "past", &member) && !document_boolean(&member, &is_past, error))
		return false;
	return is_past != (rule->value != NULL) ||
	       document_fail(node, error,
		       "either \"value\" or \"past\": true is expected beside the attribute");
}

bool ldap_read_disabled(const struct document_node *root, const struct ldap_disabled *defaults,
	struct ldap_people *people, struct error *error)
{
	struct document_node list;
	size_t count;

	people->disabled = xcalloc(LIST_MAX, sizeof(*people->disabled));
	if (!document_find(root, "disabled", &list)) {
		for (; defaults->attribute; defaults++)
			people->disabled[people->disabled_count++] = (struct ldap_disabled){
				xstrdup(defaults->attribute), xstrdup(defaults->value)};
		return true;
	}
	if (!document_array(&list, 0, LIST_MAX, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct document_node node = document_at(&list, i);
		if (!read_rule(&node, &people->disabled[people->disabled_count++], error))
			return false;
	}
	return true;
}
