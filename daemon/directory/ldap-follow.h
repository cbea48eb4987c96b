/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Searches that go on where servers refer to others (RFC 4511, 4.5.3 and 4.1.10). */
#ifndef TESSERA_DIRECTORY_LDAP_FOLLOW_H
#define TESSERA_DIRECTORY_LDAP_FOLLOW_H

#include "directory/ldap-link.h"

/*
 * As ldap_link_search(). Referrals are passed over, or followed, as the connection says: to its own
 * hosts and referral-hosts alone, so that its password goes nowhere else, and a few steps deep.
 * ERROR_DIRECTORY_FAILED when all of the search is elsewhere and is not followed.
 */
bool ldap_follow(struct directory *directory, struct ldap_link **link,
	const struct ldap_request *request,
	bool (*take)(void *context, const struct ldap_entry *, struct error *), void *context,
	struct ldap_outcome *outcome, struct error *error);

#endif
