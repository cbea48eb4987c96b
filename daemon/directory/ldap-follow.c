/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-follow.h"

#include <ldap.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/log.h"
#include "directory/ldap-reach.h"

#define HOPS_MAX    4
#define VISITED_MAX 16

/* One search, wherever it goes. */
struct journey {
	struct directory *directory;
	const struct ldap_access *access;
	const struct ldap_request *request;
	bool (*take)(void *, const struct ldap_entry *, struct error *);
	void *context;
	size_t count; /* of entries so far */
	char *visited[VISITED_MAX];
	size_t visited_count;
	bool is_refused; /* somewhere it was led where it must not go */
};

static bool take(void *context, const struct ldap_entry *entry, struct error *error)
{
	struct journey *journey = context;

	journey->count++;
	return journey->take(journey->context, entry, error);
}

static const struct ldap_host *find_host(
	const struct ldap_host *hosts, size_t count, const LDAPURLDesc *url)
{
	for (size_t i = 0; i < count; i++) {
		if (url->lud_host && strcasecmp(hosts[i].name, url->lud_host) == 0 &&
			hosts[i].port == (unsigned)url->lud_port)
			return &hosts[i];
	}
	return NULL;
}

/* The host of the connection's that a URL names; NULL: it names another. */
static const struct ldap_host *host_of(const struct ldap_access *access, const LDAPURLDesc *url)
{
	const struct ldap_host *host = find_host(access->hosts, access->host_count, url);

	return host ? host : find_host(access->referral_hosts, access->referral_host_count, url);
}

/* False: the journey was there already, or is too long. */
static bool visit(struct journey *journey, const LDAPURLDesc *url)
{
	char *place = xasprintf("%s:%d/%s", url->lud_host, url->lud_port,
		url->lud_dn && url->lud_dn[0] ? url->lud_dn : journey->request->base);

	for (size_t i = 0; i < journey->visited_count; i++) {
		if (strcasecmp(journey->visited[i], place) == 0) {
			free(place);
			return false;
		}
	}
	if (journey->visited_count == VISITED_MAX) {
		free(place);
		return false;
	}
	journey->visited[journey->visited_count++] = place;
	return true;
}

static bool go_on(struct journey *journey, const struct ldap_outcome *outcome, int hops,
	bool *has_more, struct error *error);

static bool go_to(struct journey *journey, const struct ldap_host *host, const LDAPURLDesc *url,
	int hops, bool *has_more, struct error *error)
{
	_cleanup_ldap_link_ struct ldap_link *link =
		ldap_reach_host(journey->directory, host, ldap_bind_service, NULL, error);
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	struct ldap_request request = *journey->request;

	if (!link)
		return false;
	request.limit = journey->request->limit - journey->count;
	request.is_paged = false;
	request.cookie = NULL;
	if (url->lud_dn && url->lud_dn[0])
		request.base = url->lud_dn;
	if (url->lud_scope == LDAP_SCOPE_BASE)
		request.scope = LDAP_THE_BASE;
	if (!ldap_link_search(link, &request, take, journey, &outcome, error))
		return false;
	*has_more = *has_more || outcome.has_more;
	return go_on(journey, &outcome, hops + 1, has_more, error);
}

/* Where one URL leads. */
static bool go_by(
	struct journey *journey, const char *text, int hops, bool *has_more, struct error *error)
{
	LDAPURLDesc *url = NULL;
	const struct ldap_host *host = NULL;
	bool works = true;

	if (ldap_url_parse(text, &url) == LDAP_URL_SUCCESS)
		host = host_of(journey->access, url);
	if (!host || hops >= HOPS_MAX || !visit(journey, url)) {
		journey->is_refused = true;
		log_debug("directory %s: the referral to %.200s is not followed",
			journey->directory->name, text);
	} else {
		works = go_to(journey, host, url, hops, has_more, error);
	}
	if (url)
		ldap_free_urldesc(url);
	return works;
}

static bool go_on(struct journey *journey, const struct ldap_outcome *outcome, int hops,
	bool *has_more, struct error *error)
{
	bool was_refused = journey->is_refused;

	journey->is_refused = false;
	for (size_t i = 0; i < outcome->referral_count; i++) {
		if (journey->count >= journey->request->limit) {
			*has_more = true;
			break;
		}
		if (!go_by(journey, outcome->referrals[i], hops, has_more, error))
			return false;
	}
	if (outcome->is_elsewhere && journey->is_refused)
		return error_set(error, ERROR_DIRECTORY_FAILED,
			"the directory refers to %.200s, which is none of the connection's hosts "
			"and referral-hosts, or leads in a circle",
			outcome->referrals[0]);
	journey->is_refused = journey->is_refused || was_refused;
	return true;
}

bool ldap_follow(struct directory *directory, struct ldap_link **link,
	const struct ldap_request *request,
	bool (*take_entry)(void *context, const struct ldap_entry *, struct error *), void *context,
	struct ldap_outcome *outcome, struct error *error)
{
	const struct ldap_access *access = &((struct ldap_directory *)directory->data)->access;
	struct journey journey = {.directory = directory,
		.access = access,
		.request = request,
		.take = take_entry,
		.context = context};

	bool works = ldap_link_search(*link, request, take, &journey, outcome, error);
	if (works && access->follow_referrals)
		works = go_on(&journey, outcome, 0, &outcome->has_more, error);
	else if (works && outcome->is_elsewhere)
		works = error_set(error, ERROR_DIRECTORY_FAILED,
			"%s has no such people and refers to %.200s: look at base, hosts and "
			"referrals",
			ldap_link_host(*link), outcome->referrals[0]);
	for (size_t i = 0; i < journey.visited_count; i++)
		free(journey.visited[i]);
	return works;
}
