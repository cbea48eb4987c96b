/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-reach.h"

#include <string.h>

#include "common/alloc.h"
#include "connection/secret.h"
#include "core/srv.h"

#define ATTEMPTS 2 /* of one request */

static struct ldap_pool *pool_of(const struct directory *directory)
{
	return directory->services->ldap;
}

/* --- binding --- */

static bool bind_simple(struct directory *directory, struct ldap_link *link, struct error *error)
{
	const struct ldap_directory *ldap = directory->data;
	_cleanup_secret_ struct secret password = SECRET_INIT;
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!connection_need_secret(
		    directory->services, directory->name, LDAP_SECRET, &password, error))
		return false;
	if (ldap_link_bind_simple(link, ldap->access.bind_dn, &password, NULL, &failure))
		return true;
	if (failure.code != ERROR_ACCESS_DENIED)
		return error_move(error, &failure);
	return error_set(error, ERROR_DIRECTORY_FAILED,
		"%s does not take %s with this password (tessera connection secret %s %s)",
		ldap_link_host(link), ldap->access.bind_dn, directory->name, LDAP_SECRET);
}

static bool bind_external(struct directory *directory, struct ldap_link *link, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;

	(void)directory;
	if (ldap_link_bind_external(link, &failure))
		return true;
	if (failure.code == ERROR_ACCESS_DENIED)
		return error_set(error, ERROR_DIRECTORY_FAILED,
			"%s does not take what the client certificate, or the local socket, says: "
			"look at its mapping of names",
			ldap_link_host(link));
	return error_move(error, &failure);
}

bool ldap_bind_service(struct directory *directory, struct ldap_link *link, struct error *error)
{
	const struct ldap_directory *ldap = directory->data;

	switch (ldap->access.bind) {
	case LDAP_BIND_SIMPLE:
		return bind_simple(directory, link, error);
	case LDAP_BIND_EXTERNAL:
		return bind_external(directory, link, error);
	case LDAP_BIND_GSSAPI:
		return ldap->flavour->bind(directory, link, error);
	default:
		return true;
	}
}

/* --- connecting --- */

/* For the pool: what is wrong with a server may be wrong for one connection alone. */
static char *host_key(const struct directory *directory, const struct ldap_host *host)
{
	const struct ldap_directory *ldap = directory->data;

	return host->port ? xasprintf("%s\n%s:%u", ldap->use, host->name, host->port)
			  : xasprintf("%s\n%s", ldap->use, host->name);
}

static bool open_identity(
	struct directory *directory, struct identity *identity, struct error *error)
{
	const struct ldap_access *access = &((struct ldap_directory *)directory->data)->access;

	return access->bind != LDAP_BIND_EXTERNAL || access->security == LDAP_BY_NOTHING ||
	       identity_open(identity, directory->services, directory->name,
		       IDENTITY_CLIENT_CERTIFICATE, access->client_key, error);
}

static struct ldap_link *open_link(struct directory *directory, const struct ldap_host *host,
	ldap_bind_function *bind, struct ldap_attempt *attempt, struct error *error)
{
	const struct ldap_directory *ldap = directory->data;
	struct identity identity = {0};
	_cleanup_ldap_link_ struct ldap_link *link = NULL;

	/* A person is proved by a password, and not by our certificate besides. */
	if (bind != ldap_bind_service || open_identity(directory, &identity, error))
		link = ldap_link_open(&ldap->access, host, &identity, &attempt->reach, error);
	identity_close(&identity, directory->services);
	if (link && bind && !bind(directory, link, error))
		return NULL;
	return steal_pointer(&link);
}

struct ldap_link *ldap_reach_host(struct directory *directory, const struct ldap_host *host,
	ldap_bind_function *bind, struct ldap_attempt *attempt, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_free_ char *name = host_key(directory, host);
	struct ldap_attempt ignored;

	attempt = attempt ? attempt : &ignored;
	*attempt = (struct ldap_attempt){.host = host->name};
	struct ldap_link *link = open_link(directory, host, bind, attempt, &failure);

	if (link)
		return link;
	if (failure.code == ERROR_NETWORK_FAILED || failure.code == ERROR_TIMEOUT)
		ldap_pool_host_failed(pool_of(directory), name);
	error_move(error, &failure);
	return NULL;
}

/* Adds "; " and another server's failure. */
static void add_failure(struct error *all, struct error *failure)
{
	if (all->code == ERROR_NONE) {
		error_move(all, failure);
		return;
	}
	_cleanup_free_ char *before = xstrdup(error_message(all));
	error_set(all, failure->code, "%s; %s", before, error_message(failure));
	error_clear(failure);
}

static bool another_may_do(const struct error *failure)
{
	return failure->code == ERROR_NETWORK_FAILED || failure->code == ERROR_TIMEOUT;
}

/* In the order in which they are asked; heap. */
static const struct ldap_host **order(
	const struct directory *directory, const struct ldap_host *hosts, size_t count)
{
	const struct ldap_host **ordered = xcalloc(count, sizeof(struct ldap_host *));
	size_t awake = 0, resting = 0;

	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *name = host_key(directory, &hosts[i]);
		if (ldap_pool_host_rests(pool_of(directory), name))
			ordered[count - ++resting] = &hosts[i];
		else
			ordered[awake++] = &hosts[i];
	}
	return ordered;
}

static struct ldap_link *reach_one_of(struct directory *directory, const struct ldap_host *hosts,
	size_t count, ldap_bind_function *bind, struct ldap_attempt *attempt, struct error *error)
{
	_cleanup_free_ const struct ldap_host **ordered = order(directory, hosts, count);
	_cleanup_error_ struct error failures = ERROR_INIT;

	for (size_t i = 0; i < count; i++) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		struct ldap_link *link =
			ldap_reach_host(directory, ordered[i], bind, attempt, &failure);
		if (link)
			return link;
		bool goes_on = another_may_do(&failure);
		if (!goes_on)
			error_clear(&failures);
		add_failure(&failures, &failure);
		if (!goes_on)
			break;
	}
	error_move(error, &failures);
	return NULL;
}

static struct ldap_link *reach_domain(struct directory *directory, ldap_bind_function *bind,
	struct ldap_attempt *attempt, struct error *error)
{
	const struct ldap_access *access = &((struct ldap_directory *)directory->data)->access;
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_free_ char *name = xasprintf("_ldap._tcp.%s", access->domain);
	struct ldap_host hosts[SRV_TARGETS_MAX];

	if (!srv_find(name, access->dns_server, (unsigned)access->timeout_seconds * 1000, &targets,
		    &failure)) {
		/* That DNS knows none says nothing about people. */
		error_set(error,
			failure.code == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_NETWORK_FAILED, "%s",
			error_message(&failure));
		return NULL;
	}
	for (size_t i = 0; i < targets.count; i++)
		hosts[i] = (struct ldap_host){targets.items[i].host, targets.items[i].port};
	struct ldap_link *link =
		reach_one_of(directory, hosts, targets.count, bind, attempt, error);
	if (attempt)
		attempt->host = NULL; /* it goes with the targets */
	return link;
}

struct ldap_link *ldap_reach(struct directory *directory, ldap_bind_function *bind,
	struct ldap_attempt *attempt, struct error *error)
{
	const struct ldap_access *access = &((struct ldap_directory *)directory->data)->access;

	return access->domain ? reach_domain(directory, bind, attempt, error)
			      : reach_one_of(directory, access->hosts, access->host_count, bind,
					attempt, error);
}

/* --- asking --- */

/* A kept connection may have ended since; that is no attempt yet. */
static bool ask_kept(struct directory *directory,
	bool (*ask)(struct directory *, struct ldap_link **, void *, struct error *), void *context,
	bool *is_answered, struct error *error)
{
	const struct ldap_directory *ldap = directory->data;
	struct ldap_link *link = ldap_pool_take(pool_of(directory), ldap->use);

	*is_answered = false;
	if (!link)
		return false;
	bool works = ask(directory, &link, context, error);
	*is_answered = works || !link || !ldap_link_is_broken(link);
	if (link)
		ldap_pool_give(pool_of(directory), ldap->use, link);
	return works;
}

bool ldap_ask(struct directory *directory,
	bool (*ask)(struct directory *, struct ldap_link **link, void *context, struct error *),
	void *context, struct error *error)
{
	const struct ldap_directory *ldap = directory->data;
	_cleanup_error_ struct error failure = ERROR_INIT;
	bool is_answered;
	bool works = ask_kept(directory, ask, context, &is_answered, &failure);

	for (int attempt = 0; !is_answered && attempt < ATTEMPTS; attempt++) {
		error_clear(&failure);
		struct ldap_link *link = ldap_reach(directory, ldap_bind_service, NULL, &failure);
		if (!link)
			break;
		_cleanup_free_ char *host = xasprintf("%s\n%s", ldap->use, ldap_link_host(link));
		works = ask(directory, &link, context, &failure);
		is_answered = works || !another_may_do(&failure);
		if (!is_answered)
			ldap_pool_host_failed(pool_of(directory), host);
		if (link)
			ldap_pool_give(pool_of(directory), ldap->use, link);
	}
	return works || error_move(error, &failure);
}
