/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-entry.h"

#include <ldap.h>
#include <string.h>
#include <strings.h>

void ldap_entry_clear(struct ldap_entry *entry)
{
	for (size_t i = 0; i < entry->count; i++) {
		struct ldap_attribute *attribute = &entry->attributes[i];
		for (size_t j = 0; j < attribute->count; j++)
			free(attribute->values[j].data);
		free(attribute->values);
		free(attribute->name);
	}
	free(entry->attributes);
	free(entry->dn);
	*entry = (struct ldap_entry)LDAP_ENTRY_INIT;
}

const struct ldap_attribute *ldap_entry_attribute(const struct ldap_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (strcasecmp(entry->attributes[i].name, name) == 0)
			return &entry->attributes[i];
	}
	return NULL;
}

static int compare(const struct ldap_value *one, const struct ldap_value *other)
{
	size_t shorter = one->length < other->length ? one->length : other->length;
	int order = memcmp(one->data, other->data, shorter);

	if (order != 0)
		return order;
	return one->length < other->length ? -1 : one->length > other->length;
}

static bool is_value(const struct ldap_value *value, const struct berval *other)
{
	return value->length == other->bv_len &&
	       strncasecmp(value->data, other->bv_val, value->length) == 0;
}

static const struct ldap_value *find_in_rdn(
	const struct ldap_attribute *attribute, const char *name, LDAPRDN rdn)
{
	for (size_t i = 0; rdn[i]; i++) {
		if (rdn[i]->la_attr.bv_len != strlen(name) ||
			strncasecmp(rdn[i]->la_attr.bv_val, name, strlen(name)) != 0)
			continue;
		for (size_t j = 0; j < attribute->count; j++) {
			if (is_value(&attribute->values[j], &rdn[i]->la_value))
				return &attribute->values[j];
		}
	}
	return NULL;
}

static const struct ldap_value *naming_value(
	const struct ldap_entry *entry, const struct ldap_attribute *attribute, const char *name)
{
	LDAPDN dn = NULL;
	const struct ldap_value *value = NULL;

	if (!entry->dn || ldap_str2dn(entry->dn, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return NULL;
	if (dn && dn[0])
		value = find_in_rdn(attribute, name, dn[0]);
	ldap_dnfree(dn);
	return value;
}

const struct ldap_value *ldap_entry_value(const struct ldap_entry *entry, const char *name)
{
	const struct ldap_attribute *attribute = ldap_entry_attribute(entry, name);
	const struct ldap_value *first;

	if (!attribute || attribute->count == 0)
		return NULL;
	first = &attribute->values[0];
	if (attribute->count == 1)
		return first;
	const struct ldap_value *naming = naming_value(entry, attribute, name);
	if (naming)
		return naming;
	for (size_t i = 1; i < attribute->count; i++) {
		if (compare(&attribute->values[i], first) < 0)
			first = &attribute->values[i];
	}
	return first;
}
