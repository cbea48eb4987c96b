/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files ldap* share that know libldap. */
#ifndef TESSERA_DIRECTORY_LDAP_PRIVATE_H
#define TESSERA_DIRECTORY_LDAP_PRIVATE_H

#include <ldap.h>

#include "core/stream.h"
#include "directory/ldap-link.h"

struct ldap_link {
	LDAP *ld;
	struct stream *stream;
	char *host; /* with its port */
	unsigned timeout_ms;
	bool is_local; /* the server is on this machine */
	bool is_broken;
	bool is_too_long;	    /* it broke since a message was */
	int64_t opened_at, used_at; /* seconds of the monotonic clock, for the pool */
};

/* Waits for the next message about a request; the caller ldap_msgfree()s it. NULL: the link is
 * broken. end: of all waiting, in ms of the monotonic clock. */
LDAPMessage *ldap_link_next(struct ldap_link *link, int id, int64_t end, struct error *error);
/* When a request that begins now has to be answered. */
int64_t ldap_link_end(const struct ldap_link *link);
/* Fails with a result code of the server, or of libldap. Returns false. */
bool ldap_link_fail(struct ldap_link *link, int code, const char *what, struct error *error);
/* The result code in a message. *controls (for ldap_controls_free()) and *referrals (for
 * ldap_memvfree()) may be NULL. */
int ldap_link_result(
	struct ldap_link *link, LDAPMessage *message, LDAPControl ***controls, char ***referrals);

#endif
