/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries as people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "directory/ldap-people.h"

static struct directory directory;

static int open_directory(void **state)
{
	(void)state;
	directory = (struct directory){.driver = &ldap_driver, .name = (char *)"staff"};
	return ldap_driver.open(&directory,
		       "{\"name\":\"staff\",\"kind\":\"ldap\",\"hosts\":[\"a\"],\"base\":\"dc=a\"}",
		       NULL)
		       ? 0
		       : -1;
}

static int close_directory(void **state)
{
	(void)state;
	ldap_driver.close(&directory);
	return 0;
}

static void add_value(struct ldap_entry *entry, const char *name, const void *data, size_t length)
{
	struct ldap_attribute *attribute = NULL;

	for (size_t i = 0; i < entry->count; i++) {
		if (strcmp(entry->attributes[i].name, name) == 0)
			attribute = &entry->attributes[i];
	}
	if (!attribute) {
		entry->attributes = xreallocarray(
			entry->attributes, entry->count + 1, sizeof(*entry->attributes));
		attribute = &entry->attributes[entry->count++];
		*attribute = (struct ldap_attribute){.name = xstrdup(name)};
	}
	attribute->values =
		xreallocarray(attribute->values, attribute->count + 1, sizeof(*attribute->values));
	struct ldap_value *value = &attribute->values[attribute->count++];
	value->data = xcalloc(length + 1, 1);
	value->length = length;
	memcpy(value->data, data, length);
}

static void add(struct ldap_entry *entry, const char *name, const char *value)
{
	add_value(entry, name, value, strlen(value));
}

static struct ldap_entry ada(void)
{
	struct ldap_entry entry = {.dn = xstrdup("uid=ada,dc=a")};

	add(&entry, "entryUUID", "11111111-2222-3333-4444-555555555555");
	add(&entry, "uid", "ada");
	add(&entry, "CN", "Ada Lovelace");
	return entry;
}

static void a_person_has_the_mapped_fields(void **state)
{
	_cleanup_ldap_entry_ struct ldap_entry entry = ada();
	_cleanup_person_ struct directory_person person = {0};

	(void)state;
	add(&entry, "sn", "Lovelace");
	assert_true(ldap_person_read(directory.data, &entry, &person));
	assert_string_equal(person.id, "11111111-2222-3333-4444-555555555555");
	assert_string_equal(person.name, "Ada Lovelace");
	assert_string_equal(fields_get(&person.fields, "user"), "ada");
	assert_string_equal(fields_get(&person.fields, "surname"), "Lovelace");
	assert_null(fields_get(&person.fields, "email"));
	assert_null(person.reason);
	assert_false(person.is_disabled);
}

static void of_several_values_one_is_always_the_same(void **state)
{
	_cleanup_ldap_entry_ struct ldap_entry entry = ada();
	_cleanup_person_ struct directory_person person = {0};

	(void)state;
	add(&entry, "uid", "aaa");
	add(&entry, "mail", "b@example.org");
	add(&entry, "mail", "a@example.org");
	add(&entry, "mail", "ab@example.org");
	assert_true(ldap_person_read(directory.data, &entry, &person));
	assert_string_equal(fields_get(&person.fields, "user"), "ada");
	assert_string_equal(fields_get(&person.fields, "email"), "a@example.org");
}

static void what_is_no_text_is_left_out_and_said(void **state)
{
	static const struct {
		const char *value;
		size_t length;
	} bad[] = {{"caf\xe9", 4}, {"a\0b", 3}, {"a\nb", 3}, {"\x1b[31m", 5}, {"\xed\xa0\x80", 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_ldap_entry_ struct ldap_entry entry = ada();
		_cleanup_person_ struct directory_person person = {0};
		add_value(&entry, "title", bad[i].value, bad[i].length);
		assert_true(ldap_person_read(directory.data, &entry, &person));
		assert_null(fields_get(&person.fields, "title"));
		assert_non_null(strstr(person.reason, "title is left out"));
	}
}

static void without_an_id_nobody_is_there(void **state)
{
	struct ldap_entry entry = {.dn = (char *)"uid=ada,dc=a"};
	_cleanup_ldap_entry_ struct ldap_entry odd = {.dn = xstrdup("uid=odd,dc=a")};
	_cleanup_person_ struct directory_person person = {0}, other = {0};

	(void)state;
	assert_false(ldap_person_read(directory.data, &entry, &person));
	add_value(&odd, "entryUUID", "a\0b", 3);
	assert_false(ldap_person_read(directory.data, &odd, &other));
}

static bool applies(const char *value, const char *of_entry, int64_t now)
{
	_cleanup_ldap_entry_ struct ldap_entry entry = {0};
	const struct ldap_disabled rule = {"a", value};

	add(&entry, "A", of_entry);
	return ldap_disabled_applies(&rule, &entry, now);
}

static void rules_say_who_is_disabled(void **state)
{
	const int64_t day = 86400, now = 20000 * day;

	(void)state;
	assert_true(applies("TRUE", "true", now));
	assert_false(applies("TRUE", "TRUER", now));
	assert_false(applies("TRUE", "FALSE", now));
	assert_true(applies(NULL, "19999", now));
	assert_true(applies(NULL, "20000", now));
	assert_false(applies(NULL, "20001", now));
	assert_false(applies(NULL, "0", now));
	assert_false(applies(NULL, "-1", now));
	assert_false(applies(NULL, "", now));
	assert_true(applies(NULL, "20200101000000Z", now));
	assert_false(applies(NULL, "20990101000000Z", now));
	assert_false(applies(NULL, "soon", now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_has_the_mapped_fields),
		cmocka_unit_test(of_several_values_one_is_always_the_same),
		cmocka_unit_test(what_is_no_text_is_left_out_and_said),
		cmocka_unit_test(without_an_id_nobody_is_there),
		cmocka_unit_test(rules_say_who_is_disabled),
	};

	return cmocka_run_group_tests(tests, open_directory, close_directory);
}
