/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What people type, and what a directory answers: whatever is typed becomes one whole filter, and
 * an entry becomes a person whose fields a holder may have. Each line of the input is a value of
 * the next attribute.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "directory/ldap-filter.h"
#include "directory/ldap-people.h"
#include "fuzz/fuzz.h"
#include "model/holder.h"

static void check_filter(struct buffer *filter)
{
	buffer_append_u8(filter, 0);
	if (strlen((const char *)filter->data) + 1 != filter->length ||
		!ldap_filter_check((const char *)filter->data, NULL))
		abort();
	buffer_clear(filter);
}

static void check_typed(const char *text)
{
	static const char *const attributes[] = {"cn", "mail;lang-en"};
	struct buffer filter _cleanup_buffer_ = BUFFER_INIT;

	if (strlen(text) > 100)
		return;
	ldap_filter_typed(&filter, attributes, 2, text);
	check_filter(&filter);
	ldap_filter_any(&filter, attributes, 2, text);
	check_filter(&filter);
	(void)ldap_filter_check(text, NULL);
	(void)ldap_attribute_is_valid(text);
}

static void check_entry(const uint8_t *data, size_t length)
{
	static char *names[] = {"entryUUID", "uid", "mail", "nsAccountLock", "shadowExpire"};
	static struct mapped_field fields[] = {{"user", {"uid"}, 1}, {"sid", {"mail", "uid"}, 2}};
	static const struct ldap_disabled disabled[] = {
		{"nsAccountLock", "TRUE"}, {"shadowExpire", NULL}};
	struct ldap_directory ldap = {.people = {.id = names[0],
					      .mapping = {fields, ARRAY_SIZE(fields)},
					      .disabled = (struct ldap_disabled *)disabled,
					      .disabled_count = ARRAY_SIZE(disabled)}};
	_cleanup_ldap_entry_ struct ldap_entry entry = {.dn = xmemdup("uid=a,dc=b", 11)};
	_cleanup_person_ struct directory_person person = {0};

	entry.attributes = xcalloc(ARRAY_SIZE(names), sizeof(*entry.attributes));
	for (size_t i = 0; i < ARRAY_SIZE(names) && length > 0; i++) {
		const uint8_t *end = memchr(data, '\n', length);
		size_t line = end ? (size_t)(end - data) : length;
		struct ldap_attribute *attribute = &entry.attributes[entry.count++];
		attribute->name = xstrdup(names[i]);
		attribute->values = xcalloc(1, sizeof(*attribute->values));
		attribute->values[0] = (struct ldap_value){xcalloc(line + 1, 1), line};
		memcpy(attribute->values[0].data, data, line);
		attribute->count = 1;
		data += end ? line + 1 : line;
		length -= end ? line + 1 : line;
	}
	if (ldap_person_read(&ldap, &entry, &person) &&
		(!person.id[0] || !holder_check(&person.fields, NULL)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	_cleanup_free_ char *text = xcalloc(length + 1, 1);

	if (length > 0)
		memcpy(text, data, length);
	check_typed(text);
	check_entry(data, length);
	return 0;
}
