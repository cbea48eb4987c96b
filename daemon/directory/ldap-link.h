/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection to a directory server. TLS is our own (core/stream.h) and lies below libldap,
 * whose own waits forever for a server that stops in the middle of a handshake, and does not say
 * what is wrong with a certificate. libldap never connects by itself.
 *
 * Errors, everywhere: ERROR_NETWORK_FAILED and ERROR_TIMEOUT when the server did not answer, or is
 * busy: another one may; ERROR_DIRECTORY_FAILED when it refuses.
 */
#ifndef TESSERA_DIRECTORY_LDAP_LINK_H
#define TESSERA_DIRECTORY_LDAP_LINK_H

#include "common/buffer.h"
#include "connection/identity.h"
#include "directory/ldap.h"

/* Bytes of one message, which holds at most one entry: more is refused unread. */
#define LDAP_MESSAGE_MAX (1024 * 1024)

struct ldap_link;

/* How far a new connection came: for the steps of a test. */
enum ldap_reach { LDAP_REACH_NOTHING, LDAP_REACH_HOST, LDAP_REACH_SECURE };

/* Connects, and begins TLS; identity is for LDAP_BIND_EXTERNAL. reach may be NULL. */
struct ldap_link *ldap_link_open(const struct ldap_access *access, const struct ldap_host *host,
	const struct identity *identity, enum ldap_reach *reach, struct error *error);
/* NULL is allowed. */
void ldap_link_close(struct ldap_link *link);
DEFINE_CLEANUP(struct ldap_link *, ldap_link_close);
#define _cleanup_ldap_link_ _cleanup_(ldap_link_closep)

/* "ldap.example.org:389". */
const char *ldap_link_host(const struct ldap_link *link);
bool ldap_link_is_secure(const struct ldap_link *link);
/* Whether something went wrong on it, so that it is good for nothing but to be closed. */
bool ldap_link_is_broken(const struct ldap_link *link);

/* What a server said about a password besides taking or refusing it
 * (draft-behera-ldap-password-policy-10, 6.2). */
enum ldap_password_state { LDAP_PASSWORD_FINE, LDAP_PASSWORD_EXPIRED, LDAP_PASSWORD_MUST_CHANGE };

/* Simple bind (RFC 4513, 5.1.3). ERROR_ACCESS_DENIED: the name or the password is wrong. state may
 * be NULL. */
bool ldap_link_bind_simple(struct ldap_link *link, const char *dn, const struct secret *password,
	enum ldap_password_state *state, struct error *error);
/* SASL EXTERNAL (RFC 4513, 5.2.3): as the certificate, or the local socket, says. Errors alike. */
bool ldap_link_bind_external(struct ldap_link *link, struct error *error);

struct ldap_request {
	const char *base;
	enum ldap_scope scope;
	const char *filter;
	const char *const *attributes; /* NULL behind the last */
	size_t limit;		       /* entries */
	bool is_paged;
	const struct buffer *cookie; /* of the page before, or NULL */
};

struct ldap_outcome {
	bool has_more;
	struct buffer cookie; /* of a paged search that has more */
	char **referrals;     /* URLs to where the search goes on */
	size_t referral_count;
	bool is_elsewhere; /* all of it: only the referrals lead on */
	bool is_too_long;  /* it failed since a message is longer than LDAP_MESSAGE_MAX */
};
void ldap_outcome_clear(struct ldap_outcome *outcome);
#define _cleanup_ldap_outcome_ _cleanup_(ldap_outcome_clear)

/*
 * Searches and gives each entry to `take`, which ends the search with false. Entries beyond the
 * limit are not given; that there are any is has_more.
 */
bool ldap_link_search(struct ldap_link *link, const struct ldap_request *request,
	bool (*take)(void *context, const struct ldap_entry *, struct error *), void *context,
	struct ldap_outcome *outcome, struct error *error);

#endif
