/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/operator.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/alloc.h"

static void roles_clear(struct operator_record *record)
{
	for (size_t i = 0; i < record->role_count; i++)
		free(record->roles[i]);
	free(record->roles);
	record->roles = NULL;
	record->role_count = 0;
}

void operator_clear(struct operator_record *record)
{
	roles_clear(record);
	free(record->id);
	buffer_clear(&record->sealed);
	*record = (struct operator_record)OPERATOR_INIT;
}

bool operator_has_role(const struct operator_record *record, const char *role)
{
	for (size_t i = 0; i < record->role_count; i++) {
		if (strcmp(record->roles[i], role) == 0)
			return true;
	}
	return false;
}

void operator_set_roles(struct operator_record *record, char *const *roles, size_t count)
{
	roles_clear(record);
	record->roles = xcalloc(count + 1, sizeof(*record->roles));
	for (size_t i = 0; i < count; i++) {
		if (!operator_has_role(record, roles[i]))
			record->roles[record->role_count++] = xstrdup(roles[i]);
	}
}

char *operator_roles_text(const struct operator_record *record)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < record->role_count; i++) {
		char *longer = xasprintf("%s%s%s", text, i > 0 ? " " : "", record->roles[i]);
		free(text);
		text = longer;
	}
	return text;
}

char *operator_id_random(size_t length, struct error *error)
{
	static const char characters[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"; /* 31 */
	const size_t count = sizeof(characters) - 1;
	_cleanup_free_ char *id = xcalloc(length + 1, 1);
	uint8_t byte;

	for (size_t i = 0; i < length;) {
		if (RAND_bytes(&byte, 1) != 1) {
			error_set(error, ERROR_FAILED, "no random numbers");
			return NULL;
		}
		/* Only whole multiples, so that every character is equally likely. */
		if (byte < 256 / count * count)
			id[i++] = characters[byte % count];
	}
	return steal_pointer(&id);
}
