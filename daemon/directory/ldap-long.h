/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists in which an entry is longer than a message may be. */
#ifndef TESSERA_DIRECTORY_LDAP_LONG_H
#define TESSERA_DIRECTORY_LDAP_LONG_H

#include "directory/ldap-link.h"

typedef bool ldap_take(void *context, const struct ldap_entry *, struct error *);

/*
 * Does a search again whose answer was too long (outcome.is_too_long): the names of the entries
 * first, then each by itself. Of one that is too long only the attributes `few` are asked for, and
 * given to take_few; when they are too long as well it is left out, and the log says so. *link is a
 * new one at the end, or NULL. has_more and the entries are as those of ldap_link_search().
 */
bool ldap_search_one_by_one(struct directory *directory, struct ldap_link **link,
	const struct ldap_request *request, ldap_take *take, const char *const *few,
	ldap_take *take_few, void *context, bool *has_more, struct error *error);

#endif
