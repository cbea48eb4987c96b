/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/remaining.h"

#include <string.h>

#include "common/alloc.h"
#include "model/holder.h"
#include "operation/roles.h"

/* --- persons --- */

/* Cards that are linked over others are one person's, too: person[i] is the lowest of them. */
static unsigned count_distinct(struct credential *const *credentials, size_t count)
{
	_cleanup_free_ size_t *person = xcalloc(count + 1, sizeof(*person));
	unsigned persons = 0;

	for (size_t i = 0; i < count; i++) {
		person[i] = i;
		for (size_t j = 0; j < i; j++) {
			size_t former = person[i], found = person[j];
			if (former == found || !holder_is_same_person(&credentials[i]->holder,
						       &credentials[j]->holder))
				continue;
			for (size_t k = 0; k <= i; k++) {
				if (person[k] == former)
					person[k] = found;
			}
		}
	}
	for (size_t i = 0; i < count; i++) {
		bool is_first = true;
		for (size_t j = 0; j < i; j++)
			is_first = is_first && person[j] != person[i];
		persons += is_first;
	}
	return persons;
}

bool remaining_count_persons(struct services *services, const int64_t *credential_ids, size_t count,
	unsigned *persons, struct error *error)
{
	_cleanup_free_ struct credential **credentials = xcalloc(count + 1, sizeof(*credentials));
	size_t loaded = 0;

	while (loaded < count && (credentials[loaded] = store_credential_by_id(
					  services->store, credential_ids[loaded], error)))
		loaded++;
	if (loaded == count)
		*persons = count_distinct(credentials, count);
	for (size_t i = 0; i < loaded; i++)
		credential_free(credentials[i]);
	return loaded == count;
}

/* --- who may do something --- */

struct operators {
	struct operator_record *records;
	size_t count;
};

static void operators_clear(struct operators *operators)
{
	operators_free(operators->records, operators->count);
}

static permission_set permissions_of(struct services *services,
	const struct operator_record *record, const struct supposition *supposition)
{
	permission_set permissions = 0;

	if (supposition->credential_id == record->credential_id && !supposition->suspended)
		return supposition->permissions;
	for (size_t i = 0; i < record->role_count; i++) {
		bool is_changed =
			supposition->role && strcmp(record->roles[i], supposition->role) == 0;
		permissions |= is_changed ? supposition->role_has
					  : roles_permissions_of(services, &record->roles[i], 1);
	}
	return record->active ? permissions : 0;
}

static bool has_card(struct services *services, const struct operator_record *record,
	const struct supposition *supposition, bool may_be_suspended)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, record->credential_id, NULL);
	bool is_suspended =
		supposition->suspended && supposition->credential_id == record->credential_id;

	if (!credential)
		return false;
	if (may_be_suspended)
		return credential->state == LIFECYCLE_ACTIVE ||
		       credential->state == LIFECYCLE_INACTIVE ||
		       credential->state == LIFECYCLE_ISSUED;
	return credential->state == LIFECYCLE_ACTIVE && !is_suspended;
}

/* Counts the persons who could do it. */
static bool count_able(struct services *services, const struct operators *operators,
	enum permission permission, bool may_be_suspended, const struct supposition *supposition,
	unsigned *persons, struct error *error)
{
	_cleanup_free_ int64_t *ids = xcalloc(operators->count + 1, sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < operators->count; i++) {
		const struct operator_record *record = &operators->records[i];
		if (permissions_of(services, record, supposition) & permission_bit(permission) &&
			has_card(services, record, supposition, may_be_suspended))
			ids[count++] = record->credential_id;
	}
	return remaining_count_persons(services, ids, count, persons, error);
}

bool remaining_persons(
	struct services *services, enum permission permission, unsigned *count, struct error *error)
{
	const struct supposition as_it_is = {0};
	struct operators operators _cleanup_(operators_clear) = {0};

	return store_operator_list(services->store, &operators.records, &operators.count, error) &&
	       count_able(services, &operators, permission, false, &as_it_is, count, error);
}

/* --- checks --- */

/* Whether at least `needed` persons are left, or no fewer than there were. */
static bool check_left(struct services *services, const struct operators *operators,
	enum permission permission, unsigned needed, const struct supposition *supposition,
	struct error *error)
{
	const struct supposition as_it_is = {0};
	bool is_quorum = needed > 1;
	unsigned before, after;

	if (!count_able(services, operators, permission, is_quorum, &as_it_is, &before, error) ||
		!count_able(services, operators, permission, is_quorum, supposition, &after, error))
		return false;
	if (after >= needed || after >= before)
		return true;
	if (!is_quorum)
		return error_set(error, ERROR_IN_USE,
			"nobody would be left who may %s: this is the last administrator; make "
			"another one first",
			permission_description(permission));
	return error_set(error, ERROR_IN_USE,
		"%u operators would be left who may %s, and that takes %u; make another one first, "
		"or lower the quorum (tessera quorum set %s)",
		after, permission_description(permission), needed, permission_name(permission));
}

bool remaining_check(
	struct services *services, const struct supposition *supposition, struct error *error)
{
	struct operators operators _cleanup_(operators_clear) = {0};

	if (!store_operator_list(services->store, &operators.records, &operators.count, error) ||
		!check_left(
			services, &operators, PERMISSION_MANAGE_OPERATORS, 1, supposition, error))
		return false;
	for (enum permission i = 0; i < PERMISSION_COUNT; i++) {
		unsigned needed = 1;
		if (!permission_may_have_quorum(i))
			continue;
		if (!store_quorum_get(services->store, i, &needed, error))
			return false;
		if (needed > 1 && !check_left(services, &operators, i, needed, supposition, error))
			return false;
	}
	return true;
}
