/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections to directories that are kept for the next request, the searches that wait for their
 * next page, and which servers did not answer a moment ago. Each function may be called from any
 * thread. use: what connections of different use differ in (struct ldap_directory).
 */
#ifndef TESSERA_DIRECTORY_LDAP_POOL_H
#define TESSERA_DIRECTORY_LDAP_POOL_H

#include "directory/ldap-link.h"

struct ldap_pool;
struct ldap_pool *ldap_pool_new(void);
/* NULL is allowed, here and below: nothing is kept. No request may be under way. */
void ldap_pool_free(struct ldap_pool *pool);

/* One that is bound as the connection says and was idle; NULL: there is none. */
struct ldap_link *ldap_pool_take(struct ldap_pool *pool, const char *use);
/* Keeps it, or closes it if it is broken or too many are kept. */
void ldap_pool_give(struct ldap_pool *pool, const char *use, struct ldap_link *link);
/* Closes what is kept of a connection: its secrets are others now. */
void ldap_pool_forget(struct ldap_pool *pool, const char *connection);

/* A search that has a next page. */
struct ldap_cursor {
	struct ldap_link *link;
	struct buffer cookie;
	char *filter; /* of the search, which has to be the same */
};
void ldap_cursor_free(struct ldap_cursor *cursor);
DEFINE_CLEANUP(struct ldap_cursor *, ldap_cursor_free);
#define _cleanup_ldap_cursor_ _cleanup_(ldap_cursor_freep)

/* Puts it aside for LDAP_CURSOR_SECONDS, and takes it over; its name, heap. */
char *ldap_pool_put_cursor(struct ldap_pool *pool, const char *use, struct ldap_cursor *cursor);
/* NULL: it is not there (any more), or of another use. */
struct ldap_cursor *ldap_pool_take_cursor(
	struct ldap_pool *pool, const char *use, const char *name);

/* A server that did not answer is asked last for half a minute. */
void ldap_pool_host_failed(struct ldap_pool *pool, const char *host);
bool ldap_pool_host_rests(struct ldap_pool *pool, const char *host);

#endif
