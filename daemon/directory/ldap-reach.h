/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Getting a connection to one of a directory's servers, bound as the connection's document says. */
#ifndef TESSERA_DIRECTORY_LDAP_REACH_H
#define TESSERA_DIRECTORY_LDAP_REACH_H

#include "directory/ldap-pool.h"

/* How a new connection is bound; NULL: not at all. */
typedef bool ldap_bind_function(
	struct directory *directory, struct ldap_link *link, struct error *error);

/* How far the last attempt to connect came: for a test. */
struct ldap_attempt {
	const char *host; /* of the connection's settings, or NULL */
	enum ldap_reach reach;
};

/* As the document says. ERROR_DIRECTORY_FAILED when the server refuses the account. */
bool ldap_bind_service(struct directory *directory, struct ldap_link *link, struct error *error);

/*
 * A new connection to the first server that answers; those that did not a moment ago come last.
 * attempt may be NULL. ERROR_NETWORK_FAILED or ERROR_TIMEOUT says it of each of them.
 */
struct ldap_link *ldap_reach(struct directory *directory, ldap_bind_function *bind,
	struct ldap_attempt *attempt, struct error *error);
/* The same to one server alone. */
struct ldap_link *ldap_reach_host(struct directory *directory, const struct ldap_host *host,
	ldap_bind_function *bind, struct ldap_attempt *attempt, struct error *error);

/*
 * Has `ask` ask over a kept connection, or a new one. When that breaks it asks again, once, over a
 * new one, perhaps of another server.
 */
bool ldap_ask(struct directory *directory,
	bool (*ask)(struct directory *, struct ldap_link **link, void *context, struct error *),
	void *context, struct error *error);

#endif
