/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One person of a directory. */
#ifndef TESSERA_DIRECTORY_LDAP_LOOKUP_H
#define TESSERA_DIRECTORY_LDAP_LOOKUP_H

#include "directory/ldap.h"

/* The configured filter, and what `more` asks besides (empty: nothing), as one; heap. */
char *ldap_people_filter(const struct ldap_directory *ldap, const struct buffer *more);
/* As ldap_directory_find(); *dn (heap, may be NULL) is the person's entry. */
bool ldap_find_entry(struct directory *directory, const char *login,
	struct directory_person *person, char **dn, struct error *error);

#endif
