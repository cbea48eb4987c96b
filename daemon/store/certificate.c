/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/alloc.h"
#include "store/store-private.h"

#define COLUMNS                                                                                    \
	"id, credential_id, slot, authority, profile, serial_hex, subject, not_before, not_after," \
	" status, status_before_hold, reason, revoked_at, der, request"

/* In the order of both statements below. */
static void bind_certificate(struct statement *statement, const struct certificate *certificate)
{
	bind_int64(statement, certificate->id);
	bind_int64(statement, certificate->credential_id);
	bind_int64(statement, certificate->slot);
	bind_text(statement, certificate->authority);
	bind_text(statement, certificate->profile);
	bind_text(statement, certificate->serial_hex);
	bind_text(statement, certificate->subject);
	bind_int64(statement, certificate->not_before);
	bind_int64(statement, certificate->not_after);
	bind_text(statement, certificate_status_name(certificate->status));
	bind_text(statement, certificate_status_name(certificate->status_before_hold));
	bind_text(statement, certificate->reason);
	bind_int64(statement, certificate->revoked_at);
	bind_blob(statement, certificate->der.data, certificate->der.length);
	bind_text(statement, certificate->request);
}

static bool write_certificate(struct store *store, const char *sql,
	const struct certificate *certificate, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, sql, error);
	int64_t id;

	if (!statement)
		return false;
	bind_certificate(statement, certificate);
	return statement_run_int64(statement, &id, error);
}

static bool insert(struct store *store, struct certificate *certificate, struct error *error)
{
	static const char sql[] =
		"INSERT INTO certificate (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
		" $10, $11, $12, $13, $14, $15) RETURNING id";

	return store_counter_next(store, "certificate", &certificate->id, error) &&
	       write_certificate(store, sql, certificate, error);
}

/* ERROR_NOT_FOUND when RETURNING gives no row. */
static bool update(struct store *store, const struct certificate *certificate, struct error *error)
{
	static const char sql[] =
		"UPDATE certificate SET (" COLUMNS ") = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
		" $11, $12, $13, $14, $15) WHERE id = $1 RETURNING id";

	return write_certificate(store, sql, certificate, error);
}

bool store_certificate_save(
	struct store *store, struct certificate *certificate, struct error *error)
{
	struct certificate changed = *certificate; /* borrows what it holds */

	if (!database_begin(store->database, error))
		return false;
	bool saved = certificate->id == 0 ? insert(store, &changed, error)
					  : update(store, &changed, error);
	if (!database_end(store->database, saved, error))
		return error_prefix(error, "certificate of %s",
			key_slot_name(certificate->slot) ? key_slot_name(certificate->slot)
							 : "no slot");
	certificate->id = changed.id;
	return true;
}

static enum certificate_status read_status(struct statement *statement)
{
	_cleanup_free_ char *name = column_text(statement);

	return certificate_status_from_name(name);
}

static bool read_certificate(
	struct statement *statement, struct certificate *certificate, struct error *error)
{
	certificate->id = column_int64(statement);
	certificate->credential_id = column_int64(statement);
	certificate->slot = (key_slot)column_int64(statement);
	certificate->authority = column_text(statement);
	certificate->profile = column_text(statement);
	certificate->serial_hex = column_text(statement);
	certificate->subject = column_text(statement);
	certificate->not_before = column_int64(statement);
	certificate->not_after = column_int64(statement);
	certificate->status = read_status(statement);
	certificate->status_before_hold = read_status(statement);
	certificate->reason = column_text(statement);
	certificate->revoked_at = column_int64(statement);
	column_blob(statement, &certificate->der);
	certificate->request = column_text(statement);
	if (certificate->status == CERTIFICATE_STATUS_COUNT ||
		certificate->status_before_hold == CERTIFICATE_STATUS_COUNT)
		return store_fail_damaged("certificate", certificate->id, error);
	return true;
}

/* All rows of a statement with its parameters bound. */
static bool read_all(
	struct statement *statement, struct certificates *certificates, struct error *error)
{
	_cleanup_certificates_ struct certificates read = CERTIFICATES_INIT;
	_cleanup_error_ struct error local = ERROR_INIT;

	while (statement_row(statement, &local)) {
		_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
		if (!read_certificate(statement, &certificate, error))
			return false;
		certificates_take(&read, &certificate);
	}
	if (local.code != ERROR_NONE)
		return error_move(error, &local);
	certificates_clear(certificates);
	*certificates = read;
	read = (struct certificates)CERTIFICATES_INIT;
	return true;
}

bool store_certificate_list(struct store *store, int64_t credential_id,
	struct certificates *certificates, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM certificate WHERE credential_id = $1 ORDER BY id", error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	return read_all(statement, certificates, error);
}

bool store_certificate_list_revoked(struct store *store, const char *authority, int64_t after,
	unsigned limit, struct certificates *certificates, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id, credential_id, slot, authority, profile, serial_hex, subject,"
		" not_before, not_after, status, status_before_hold, reason, revoked_at, NULL, NULL"
		" FROM certificate WHERE authority = $1 AND status IN ('on-hold', 'revoked')"
		" AND id > $2 ORDER BY id LIMIT $3",
		error);

	if (!statement)
		return false;
	bind_text(statement, authority);
	bind_int64(statement, after);
	bind_int64(statement, limit);
	return read_all(statement, certificates, error);
}

bool store_certificate_list_ending(struct store *store, int64_t until, int64_t after_end,
	int64_t after_id, unsigned limit, struct certificates *certificates, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT certificate.id, credential_id, slot, authority, profile, serial_hex,"
		" subject, not_before, not_after, status, status_before_hold, certificate.reason,"
		" revoked_at, NULL, NULL FROM certificate"
		" JOIN credential ON credential.id = credential_id"
		" WHERE status IN ('valid', 'on-hold') AND not_after <= $1"
		" AND (not_after, certificate.id) > ($2, $3)"
		" AND state IN ('issued', 'active', 'inactive')"
		" ORDER BY not_after, certificate.id LIMIT $4",
		error);

	if (!statement)
		return false;
	bind_int64(statement, until);
	bind_int64(statement, after_end);
	bind_int64(statement, after_id);
	bind_int64(statement, limit);
	return read_all(statement, certificates, error);
}

bool store_certificate_get(
	struct store *store, int64_t id, struct certificate *certificate, struct error *error)
{
	_cleanup_certificates_ struct certificates found = CERTIFICATES_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT " COLUMNS " FROM certificate WHERE id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, id);
	if (!read_all(statement, &found, error))
		return false;
	if (found.count == 0)
		return error_set(
			error, ERROR_NOT_FOUND, "there is no certificate %lld", (long long)id);
	certificate_clear(certificate);
	*certificate = found.items[0];
	found.items[0] = (struct certificate)CERTIFICATE_INIT;
	return true;
}

bool store_certificate_remove(struct store *store, int64_t id, struct error *error)
{
	if (!database_begin(store->database, error))
		return false;
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "DELETE FROM certificate WHERE id = $1", error);
	bool removed = statement && store_task_remove(store, id, error);
	if (removed) {
		bind_int64(statement, id);
		removed = statement_run(statement, error);
	}
	return database_end(store->database, removed, error);
}
