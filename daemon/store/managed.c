/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many cards are managed: what a licence counts. */
#include "model/card-type.h"
#include "store/store-private.h"

/* A card between the intent to own it and its credential takes a place, too. */
#define COUNT_INTENTS                                                                              \
	"(SELECT count(DISTINCT serial) FROM intent WHERE NOT EXISTS (SELECT 1 FROM credential"    \
	" WHERE credential.serial = intent.serial AND credential.state IN " MANAGED_STATES "))"

/* The cards of system owners belong to the installation: they take no place. */
#define COUNT_OWNERS                                                                               \
	"(SELECT count(*) FROM operator JOIN credential ON credential.id = credential_id"          \
	" WHERE ' ' || roles || ' ' LIKE '% system-owner %' AND state IN " MANAGED_STATES ")"

static bool count(struct store *store, const char *sql, int64_t *number, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, sql, error);

	return statement && statement_run_int64(statement, number, error);
}

bool store_credential_count_managed(struct store *store, int64_t *number, struct error *error)
{
	static const char sql[] =
		"SELECT (SELECT count(*) FROM credential WHERE state IN " MANAGED_STATES
		" AND card_type <> '" HSM_KEY_TYPE "') - " COUNT_OWNERS " + " COUNT_INTENTS;

	return count(store, sql, number, error);
}

/* As many as there ever were is a bound that needs no counting of a million rows. */
bool store_credential_has_room(
	struct store *store, int64_t limit, bool *has_room, struct error *error)
{
	static const char sql[] =
		"SELECT (SELECT coalesce(max(id), 0) FROM credential) + " COUNT_INTENTS;
	int64_t number;

	if (!count(store, sql, &number, error) ||
		(number >= limit && !store_credential_count_managed(store, &number, error)))
		return false;
	*has_room = number < limit;
	return true;
}
