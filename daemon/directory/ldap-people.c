/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-people.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/alloc.h"
#include "common/utf8.h"

#define DAY	  (24 * 60 * 60)
#define ID_MAX	  1024 /* bytes */
#define SHOWN_MAX 256  /* bytes of a DN where it stands for a name */

/* --- what is read --- */

static void add_name(const char ***names, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcasecmp((*names)[i], name) == 0)
			return;
	}
	*names = xreallocarray(*names, *count + 2, sizeof(**names));
	(*names)[(*count)++] = name;
	(*names)[*count] = NULL;
}

const char **ldap_person_attributes(const struct ldap_directory *ldap)
{
	const struct ldap_people *people = &ldap->people;
	const char **names = NULL;
	size_t count = 0;

	add_name(&names, &count, people->id);
	for (size_t i = 0; i < people->mapping.count; i++) {
		for (size_t j = 0; j < people->mapping.items[i].count; j++)
			add_name(&names, &count, people->mapping.items[i].attributes[j]);
	}
	for (size_t i = 0; i < people->disabled_count; i++)
		add_name(&names, &count, people->disabled[i].attribute);
	if (ldap->flavour && ldap->flavour->attributes) {
		for (const char *const *each = ldap->flavour->attributes; *each; each++)
			add_name(&names, &count, *each);
	}
	return names;
}

/* --- who is disabled --- */

/* "20261127110846.5Z", in seconds since 1970; -1 for anything else. */
static int64_t parse_time(const struct ldap_value *value)
{
	struct tm time = {0};
	char text[15];

	if (value->length < 15 || strspn(value->data, "0123456789") < 14)
		return -1;
	memcpy(text, value->data, 14);
	text[14] = '\0';
	if (sscanf(text, "%4d%2d%2d%2d%2d%2d", &time.tm_year, &time.tm_mon, &time.tm_mday,
		    &time.tm_hour, &time.tm_min, &time.tm_sec) != 6)
		return -1;
	time.tm_year -= 1900;
	time.tm_mon--;
	return timegm(&time);
}

/* Days since 1970, or a time; 0 and less is never, as in shadow(5). */
static bool has_passed(const struct ldap_value *value, int64_t now)
{
	static const char digits[] = "0123456789";
	int64_t when;

	if (value->length > 0 && value->length < 10 && strspn(value->data, digits) == value->length)
		when = strtol(value->data, NULL, 10) * DAY;
	else
		when = parse_time(value);
	return when > 0 && when <= now;
}

bool ldap_disabled_applies(
	const struct ldap_disabled *rule, const struct ldap_entry *entry, int64_t now)
{
	const struct ldap_attribute *attribute = ldap_entry_attribute(entry, rule->attribute);

	for (size_t i = 0; attribute && i < attribute->count; i++) {
		const struct ldap_value *value = &attribute->values[i];
		if (rule->value ? strlen(rule->value) == value->length &&
					  strncasecmp(rule->value, value->data, value->length) == 0
				: has_passed(value, now))
			return true;
	}
	return false;
}

static void read_disabled(const struct ldap_people *people, const struct ldap_entry *entry,
	struct directory_person *person)
{
	for (size_t i = 0; i < people->disabled_count; i++) {
		const struct ldap_disabled *rule = &people->disabled[i];
		if (!ldap_disabled_applies(rule, entry, time(NULL)))
			continue;
		person->is_disabled = true;
		if (rule->value)
			person_note(person, "disabled in the directory: %s is %s", rule->attribute,
				rule->value);
		else
			person_note(person, "disabled in the directory: %s has passed",
				rule->attribute);
		return;
	}
}

/* --- fields --- */

static void read_field(const struct mapped_field *field, const struct ldap_entry *entry,
	struct directory_person *person)
{
	for (size_t i = 0; i < field->count; i++) {
		const struct ldap_value *value = ldap_entry_value(entry, field->attributes[i]);
		if (value && person_set_field(person, field->field, value->data, value->length))
			return;
	}
}

/* Text alone, without control characters. */
static char *text_id(const struct ldap_directory *ldap, const struct ldap_entry *entry)
{
	const struct ldap_value *value = ldap_entry_value(entry, ldap->people.id);

	if (!value || value->length == 0 || value->length > ID_MAX)
		return NULL;
	char *id = xstrdup(value->data), *repaired = xstrdup(value->data);
	utf8_repair(repaired);
	bool good = strlen(id) == value->length && strcmp(id, repaired) == 0;
	for (const char *c = id; *c && good; c++)
		good = (unsigned char)*c >= 0x20 && *c != 0x7F;
	free(repaired);
	if (good)
		return id;
	free(id);
	return NULL;
}

static char *shown_name(const struct directory_person *person, const struct ldap_entry *entry)
{
	static const char *const fields[] = {"name", "user", "email"};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = fields_get(&person->fields, fields[i]);
		if (value)
			return xstrdup(value);
	}
	char *dn = xasprintf("%.*s", SHOWN_MAX, entry->dn ? entry->dn : "");
	utf8_repair(dn);
	return dn;
}

bool ldap_person_read(const struct ldap_directory *ldap, const struct ldap_entry *entry,
	struct directory_person *person)
{
	const struct ldap_flavour *flavour = ldap->flavour;

	person->id = flavour && flavour->id_of ? flavour->id_of(ldap, entry) : text_id(ldap, entry);
	if (!person->id)
		return false;
	read_disabled(&ldap->people, entry, person);
	for (size_t i = 0; i < ldap->people.mapping.count; i++)
		read_field(&ldap->people.mapping.items[i], entry, person);
	if (flavour && flavour->read)
		flavour->read(ldap, entry, person);
	person->name = shown_name(person, entry);
	return true;
}
