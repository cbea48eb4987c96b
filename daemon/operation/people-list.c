/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/people-list.h"

#include "common/alloc.h"

/* So many cards are looked at for one page at most. */
#define CARDS_A_PAGE 500

static void finding_clear(struct person_finding *finding)
{
	credential_free(finding->credential);
	person_record_clear(&finding->record);
	fields_clear(&finding->changes);
}

void person_findings_free(struct person_finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		finding_clear(&findings[i]);
	free(findings);
}

/* Fills *finding. */
static bool look_at(
	struct store *store, int64_t id, struct person_finding *finding, struct error *error)
{
	*finding = (struct person_finding){0};
	finding->credential = store_credential_by_id(store, id, error);
	if (!finding->credential)
		return false;
	const struct person_link *link = &finding->credential->person;
	if (!store_person_get(store, link->connection, link->id, &finding->record, error))
		return false;
	person_changes(&finding->record, link, &finding->credential->holder, &finding->changes);
	return true;
}

static bool is_worth_telling(const struct person_finding *finding)
{
	return finding->record.state != PERSON_PRESENT || finding->changes.count > 0 ||
	       (finding->credential->state == LIFECYCLE_INACTIVE &&
		       person_reason_is_ours(finding->credential->reason));
}

bool people_list(struct services *services, int64_t after, unsigned limit,
	struct person_finding **findings, size_t *count, int64_t *next, struct error *error)
{
	_cleanup_free_ int64_t *ids = NULL;
	size_t cards = 0, i = 0;

	*count = 0;
	if (!store_person_list_cards(services->store, after, CARDS_A_PAGE, &ids, &cards, error))
		return false;
	struct person_finding *found = xcalloc(limit, sizeof(*found));
	for (; i < cards && *count < limit; i++) {
		struct person_finding *finding = &found[*count];
		_cleanup_error_ struct error failure = ERROR_INIT;
		bool done = look_at(services->store, ids[i], finding, &failure);
		if (done && is_worth_telling(finding)) {
			(*count)++;
			continue;
		}
		finding_clear(finding);
		/* A card may have gone, or become another one's, since the list was made. */
		if (!done && failure.code != ERROR_NOT_FOUND) {
			person_findings_free(found, *count);
			return error_move(error, &failure);
		}
	}
	*next = i < cards || cards == CARDS_A_PAGE ? ids[i - 1] : 0;
	*findings = found;
	return true;
}
