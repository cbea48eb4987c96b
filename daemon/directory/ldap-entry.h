/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An entry as a directory answered it. */
#ifndef TESSERA_DIRECTORY_LDAP_ENTRY_H
#define TESSERA_DIRECTORY_LDAP_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/macros.h"

/* A value may be anything: text in any encoding, NUL bytes. NUL follows it that does not count. */
struct ldap_value {
	char *data;
	size_t length;
};

struct ldap_attribute {
	char *name; /* as the directory writes it: with options, in either case */
	struct ldap_value *values;
	size_t count;
};

struct ldap_entry {
	char *dn;
	struct ldap_attribute *attributes;
	size_t count;
};
#define LDAP_ENTRY_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_ldap_entry_ _cleanup_(ldap_entry_clear)
void ldap_entry_clear(struct ldap_entry *entry);

/* The attribute of that name, in either case; NULL: there is none. */
const struct ldap_attribute *ldap_entry_attribute(const struct ldap_entry *entry, const char *name);
/*
 * The value that stands for an attribute with several, whose order a directory does not promise
 * (RFC 4511, 4.1.7): the one that names the entry (is in the first part of its DN), else the first
 * in the order of their bytes. NULL: there is none.
 */
const struct ldap_value *ldap_entry_value(const struct ldap_entry *entry, const char *name);

#endif
