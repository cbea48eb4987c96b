/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries as people. */
#ifndef TESSERA_DIRECTORY_LDAP_PEOPLE_H
#define TESSERA_DIRECTORY_LDAP_PEOPLE_H

#include "directory/ldap.h"

/* What is asked for of each entry; heap array of views, NULL behind the last. */
const char **ldap_person_attributes(const struct ldap_directory *ldap);
/* Fills *person (empty before). False: the entry has no id that the account may read. */
bool ldap_person_read(const struct ldap_directory *ldap, const struct ldap_entry *entry,
	struct directory_person *person);
/* Whether a rule says that a person is disabled, at a time in seconds since 1970. */
bool ldap_disabled_applies(
	const struct ldap_disabled *rule, const struct ldap_entry *entry, int64_t now);

#endif
