/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/schema.h"

#include "common/macros.h"

/*
 * migrations[N] brings version N to N + 1. Once released, a text is never
 * changed: a change is a new text at the end. Identifiers are given out by
 * the table counter, so that none is used twice. Times are seconds since 1970.
 */
static const char *const migrations[] = {
	/* 1 */
	"CREATE TABLE schema_version (version BIGINT NOT NULL);"
	"INSERT INTO schema_version (version) VALUES (0);"

	"CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL);"

	"CREATE TABLE named_value (name TEXT PRIMARY KEY, value BYTEA NOT NULL);"

	"CREATE TABLE template ("
	"	name TEXT NOT NULL,"
	"	version BIGINT NOT NULL,"
	"	document TEXT NOT NULL,"
	"	removed BIGINT NOT NULL DEFAULT 0,"
	"	PRIMARY KEY (name, version));"

	"CREATE TABLE connection ("
	"	name TEXT PRIMARY KEY,"
	"	kind TEXT NOT NULL,"
	"	document TEXT NOT NULL);"

	"CREATE TABLE credential ("
	"	id BIGINT PRIMARY KEY,"
	"	serial TEXT NOT NULL UNIQUE,"
	"	card_type TEXT NOT NULL,"
	"	state TEXT NOT NULL,"
	"	holder TEXT NOT NULL,"
	"	template_name TEXT,"
	"	template_version BIGINT,"
	"	kdf TEXT,"
	"	key_version BIGINT NOT NULL,"
	"	key_check_value BYTEA NOT NULL,"
	"	admin_algorithm BIGINT NOT NULL,"
	"	reason TEXT,"
	"	created_at BIGINT NOT NULL,"
	"	changed_at BIGINT NOT NULL,"
	"	FOREIGN KEY (template_name, template_version) REFERENCES template (name, version));"
	"CREATE INDEX credential_state ON credential (state, id);"

	"CREATE TABLE certificate ("
	"	id BIGINT PRIMARY KEY,"
	"	credential_id BIGINT NOT NULL REFERENCES credential (id),"
	"	slot BIGINT NOT NULL,"
	"	authority TEXT NOT NULL,"
	"	profile TEXT,"
	"	serial_hex TEXT,"
	"	subject TEXT,"
	"	not_before BIGINT NOT NULL,"
	"	not_after BIGINT NOT NULL,"
	"	status TEXT NOT NULL,"
	"	status_before_hold TEXT NOT NULL,"
	"	reason TEXT,"
	"	revoked_at BIGINT NOT NULL,"
	"	der BYTEA NOT NULL,"
	"	UNIQUE (authority, serial_hex));"
	"CREATE INDEX certificate_credential ON certificate (credential_id);"
	"CREATE INDEX certificate_status ON certificate (authority, status);"

	"CREATE TABLE intent ("
	"	id BIGINT PRIMARY KEY,"
	"	serial TEXT NOT NULL,"
	"	operation TEXT NOT NULL,"
	"	step TEXT NOT NULL,"
	"	old_version BIGINT NOT NULL,"
	"	new_version BIGINT NOT NULL,"
	"	created_at BIGINT NOT NULL);"
	"CREATE INDEX intent_serial ON intent (serial, id);"

	"CREATE TABLE audit ("
	"	id BIGINT PRIMARY KEY,"
	"	time_us BIGINT NOT NULL,"
	"	actor TEXT NOT NULL,"
	"	operation TEXT NOT NULL,"
	"	card TEXT,"
	"	outcome TEXT NOT NULL,"
	"	detail TEXT,"
	"	job BIGINT NOT NULL,"
	"	hash BYTEA NOT NULL);"
	"CREATE INDEX audit_card ON audit (card, id);",

	/* 2: operators */
	"CREATE TABLE operator ("
	"	credential_id BIGINT PRIMARY KEY REFERENCES credential (id),"
	"	id TEXT NOT NULL UNIQUE,"
	"	roles TEXT NOT NULL,"
	"	active BIGINT NOT NULL,"
	"	sealed BYTEA NOT NULL,"
	"	created_at BIGINT NOT NULL,"
	"	last_login_at BIGINT NOT NULL);",

	/* 3: earlier PINs, for the PIN policy */
	"CREATE TABLE pin_history ("
	"	id BIGINT PRIMARY KEY,"
	"	credential_id BIGINT NOT NULL REFERENCES credential (id),"
	"	salt BYTEA NOT NULL,"
	"	tag BYTEA NOT NULL,"
	"	pending BIGINT NOT NULL,"
	"	set_at BIGINT NOT NULL);"
	"CREATE INDEX pin_history_credential ON pin_history (credential_id, id);",

	/* 4: credential types that were added */
	"CREATE TABLE card_type (name TEXT PRIMARY KEY, document TEXT NOT NULL);",

	/*
	 * 5: operators, checkpoints and quick lists of the audit trail; finding credentials by what
	 * is known of the holder. A store of version 4 is always SQLite's, so that its functions
	 * may fill the new tables; its lower() is for ASCII letters, as search.c has it.
	 */
	"ALTER TABLE audit ADD COLUMN operator TEXT;"
	"ALTER TABLE audit ADD COLUMN signature BYTEA;"
	"ALTER TABLE audit ADD COLUMN caller TEXT;"
	"UPDATE audit SET caller = substr(actor, 1, instr(actor || ' ', ' ') - 1);"
	"CREATE INDEX audit_caller ON audit (caller, id);"
	"CREATE INDEX audit_operation ON audit (operation, id);"
	"CREATE INDEX audit_outcome ON audit (outcome, id);"
	"CREATE INDEX audit_operator ON audit (operator, id) WHERE operator IS NOT NULL;"
	"CREATE INDEX audit_failed ON audit (id) WHERE outcome <> 'ok';"

	/* In each run of records the time never goes back; the first run has no row. */
	"CREATE TABLE audit_run (first_id BIGINT PRIMARY KEY);"
	"INSERT INTO audit_run (first_id)"
	"	SELECT later.id FROM audit AS earlier JOIN audit AS later"
	"	ON later.id = earlier.id + 1 WHERE later.time_us < earlier.time_us;"

	"CREATE TABLE audit_checkpoint ("
	"	id BIGINT PRIMARY KEY,"
	"	record_id BIGINT NOT NULL,"
	"	hash BYTEA NOT NULL,"
	"	time_us BIGINT NOT NULL,"
	"	public_key BYTEA NOT NULL,"
	"	signature BYTEA NOT NULL);"
	"CREATE INDEX audit_checkpoint_record ON audit_checkpoint (record_id);"

	"CREATE TABLE credential_field ("
	"	credential_id BIGINT NOT NULL REFERENCES credential (id),"
	"	name TEXT NOT NULL,"
	"	folded TEXT NOT NULL,"
	"	PRIMARY KEY (credential_id, name));"
	"CREATE INDEX credential_field_folded ON credential_field (folded, credential_id, name);"
	"INSERT INTO credential_field (credential_id, name, folded)"
	"	SELECT credential.id, field.key, lower(field.value)"
	"	FROM credential, json_each(credential.holder) AS field WHERE field.value <> '';"
	"CREATE INDEX certificate_serial ON certificate (serial_hex, credential_id);"
	"CREATE INDEX certificate_revoked ON certificate (authority, id)"
	"	WHERE status IN ('on-hold', 'revoked');",

	/* 6: versions of the master key, PUKs that were shown, cards by key version */
	"CREATE TABLE master_key ("
	"	version BIGINT PRIMARY KEY,"
	"	key_check_value BYTEA NOT NULL,"
	"	made_at BIGINT NOT NULL);"

	"CREATE TABLE puk ("
	"	serial TEXT PRIMARY KEY,"
	"	generation BIGINT NOT NULL,"
	"	next_generation BIGINT NOT NULL,"
	"	old_first BIGINT NOT NULL,"
	"	state TEXT NOT NULL,"
	"	exposed_at BIGINT NOT NULL,"
	"	exposed_until BIGINT NOT NULL);"
	"CREATE INDEX puk_exposed ON puk (serial) WHERE state = 'exposed';"
	"CREATE INDEX credential_key_version ON credential (key_version, id);",

	/* 7: cards with an end date, and cards that replace others (0: none) */
	"ALTER TABLE credential ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;"
	"ALTER TABLE credential ADD COLUMN replaces BIGINT NOT NULL DEFAULT 0;"
	"ALTER TABLE credential ADD COLUMN replaced_by BIGINT NOT NULL DEFAULT 0;"
	"CREATE INDEX credential_expires ON credential (expires_at)"
	"	WHERE expires_at > 0 AND state IN ('issued', 'active', 'inactive');",

	/* 8: when a version of a template was saved, and the cards that have it */
	"ALTER TABLE template ADD COLUMN saved_at BIGINT NOT NULL DEFAULT 0;"
	"CREATE INDEX credential_template ON credential (template_name, template_version, id)"
	"	WHERE state IN ('issued', 'active', 'inactive');",

	/* 9: the records of each of several operators; before, none was named */
	"DROP INDEX audit_operator;"
	"CREATE TABLE audit_operator ("
	"	operator TEXT NOT NULL,"
	"	record_id BIGINT NOT NULL,"
	"	PRIMARY KEY (operator, record_id));",

	/* 10: custom roles, and how many operators an operation needs */
	"CREATE TABLE role ("
	"	name TEXT PRIMARY KEY,"
	"	description TEXT NOT NULL,"
	"	permissions TEXT NOT NULL);"
	"CREATE TABLE quorum (permission TEXT PRIMARY KEY, operators BIGINT NOT NULL);",

	/* 11: users who issued cards to themselves; what suspended cards were before */
	"ALTER TABLE credential ADD COLUMN user_id TEXT;"
	"ALTER TABLE credential ADD COLUMN state_before TEXT;"
	"CREATE INDEX credential_user ON credential (user_id) WHERE user_id IS NOT NULL;",

	/* 12: backups of the master key, and whose keys open them */
	"CREATE TABLE key_backup ("
	"	id TEXT PRIMARY KEY,"
	"	made_at BIGINT NOT NULL,"
	"	needed BIGINT NOT NULL,"
	"	newest_version BIGINT NOT NULL);"
	"CREATE TABLE key_backup_card ("
	"	backup_id TEXT NOT NULL REFERENCES key_backup (id),"
	"	serial TEXT NOT NULL,"
	"	key_digest BYTEA NOT NULL,"
	"	PRIMARY KEY (backup_id, serial));",

	/* 13: slots, whose keys programs use through the daemon, and who may use which */
	"CREATE TABLE slot ("
	"	name TEXT PRIMARY KEY,"
	"	number BIGINT NOT NULL UNIQUE,"
	"	module TEXT NOT NULL,"
	"	token_label TEXT NOT NULL,"
	"	token_serial TEXT NOT NULL,"
	"	pin TEXT NOT NULL,"
	"	pin_file TEXT NOT NULL,"
	"	sealed_pin BYTEA NOT NULL,"
	"	audit_uses BIGINT NOT NULL);"

	"CREATE TABLE slot_rule ("
	"	slot TEXT NOT NULL REFERENCES slot (name) ON DELETE CASCADE,"
	"	subject TEXT NOT NULL,"
	"	key TEXT NOT NULL,"
	"	operations BIGINT NOT NULL,"
	"	PRIMARY KEY (slot, subject, key));",

	/*
	 * 14: what an authority finds an outstanding certificate by; what is still to be asked or
	 * told of a certificate
	 */
	"ALTER TABLE certificate ADD COLUMN request TEXT;"
	"CREATE TABLE task ("
	"	id BIGINT PRIMARY KEY,"
	"	certificate_id BIGINT NOT NULL UNIQUE REFERENCES certificate (id),"
	"	kind TEXT NOT NULL,"
	"	created_at BIGINT NOT NULL,"
	"	attempts BIGINT NOT NULL,"
	"	next_at BIGINT NOT NULL,"
	"	problem TEXT);"
	"CREATE INDEX task_next ON task (next_at);",

	/* 15: where the modules of slots run */
	"ALTER TABLE slot ADD COLUMN process TEXT NOT NULL DEFAULT 'daemon';"
	"ALTER TABLE slot ADD COLUMN timeout BIGINT NOT NULL DEFAULT 60;"
	"ALTER TABLE slot ADD COLUMN environment TEXT NOT NULL DEFAULT '';",

	/* 16: keys in slots that are credentials; a slot may go and come back by its name */
	"CREATE TABLE hsm_key ("
	"	credential_id BIGINT PRIMARY KEY REFERENCES credential (id),"
	"	slot TEXT NOT NULL,"
	"	label TEXT NOT NULL,"
	"	id BYTEA NOT NULL,"
	"	new_id BYTEA NOT NULL,"
	"	old_id BYTEA NOT NULL,"
	"	was_there BIGINT NOT NULL,"
	"	step TEXT NOT NULL,"
	"	last_certificate BIGINT NOT NULL);"
	"CREATE INDEX hsm_key_slot ON hsm_key (slot, label);"
	"CREATE INDEX hsm_key_step ON hsm_key (slot) WHERE step <> '';",

	/*
	 * 17: tasks that are overdue: when that is to be said next, how often it was, and how often
	 * by mail; mail that is to be sent; what was said once and is not said again
	 */
	"ALTER TABLE task ADD COLUMN alarm_at BIGINT NOT NULL DEFAULT 0;"
	"ALTER TABLE task ADD COLUMN alarms BIGINT NOT NULL DEFAULT 0;"
	"ALTER TABLE task ADD COLUMN alarms_mailed BIGINT NOT NULL DEFAULT 0;"
	"UPDATE task SET alarm_at = created_at + 86400;"
	"CREATE INDEX task_alarm ON task (alarm_at);"
	"CREATE TABLE mail ("
	"	id BIGINT PRIMARY KEY,"
	"	recipient TEXT NOT NULL,"
	"	subject TEXT NOT NULL,"
	"	body TEXT NOT NULL,"
	"	card TEXT NOT NULL,"
	"	about TEXT NOT NULL,"
	"	created_at BIGINT NOT NULL,"
	"	attempts BIGINT NOT NULL,"
	"	next_at BIGINT NOT NULL);"
	"CREATE INDEX mail_next ON mail (next_at, id);"
	"CREATE TABLE notice (name TEXT PRIMARY KEY, made_at BIGINT NOT NULL);"
	"CREATE INDEX certificate_ends ON certificate (not_after, id)"
	"	WHERE status IN ('valid', 'on-hold');",

	/*
	 * 18: people of directories: whose a card is, with the fields that were given besides, and
	 * how the directory had them last
	 */
	"ALTER TABLE credential ADD COLUMN person_connection TEXT;"
	"ALTER TABLE credential ADD COLUMN person_id TEXT;"
	"ALTER TABLE credential ADD COLUMN person_given TEXT;"
	"CREATE INDEX credential_person ON credential (person_connection, person_id)"
	"	WHERE person_id IS NOT NULL;"
	"CREATE TABLE person ("
	"	connection TEXT NOT NULL,"
	"	id TEXT NOT NULL,"
	"	name TEXT NOT NULL,"
	"	state TEXT NOT NULL,"
	"	since BIGINT NOT NULL,"
	"	reason TEXT NOT NULL,"
	"	fields TEXT NOT NULL,"
	"	seen_at BIGINT NOT NULL,"
	"	news TEXT NOT NULL,"
	"	PRIMARY KEY (connection, id));"
	"CREATE INDEX person_news ON person (connection, id) WHERE news <> '';",

	/*
	 * 19: one-time codes of self-service, of which only a salted hash is kept; who has proved
	 * it wrong too often (the subject is a hash)
	 */
	"CREATE TABLE self_code ("
	"	id BIGINT PRIMARY KEY,"
	"	selector TEXT NOT NULL UNIQUE,"
	"	salt BYTEA NOT NULL,"
	"	hash BYTEA NOT NULL,"
	"	purpose TEXT NOT NULL,"
	"	credential_id BIGINT REFERENCES credential (id) ON DELETE CASCADE,"
	"	template_name TEXT,"
	"	user_id TEXT,"
	"	holder TEXT NOT NULL,"
	"	given_by TEXT NOT NULL,"
	"	created_at BIGINT NOT NULL,"
	"	expires_at BIGINT NOT NULL,"
	"	used_at BIGINT NOT NULL,"
	"	failures BIGINT NOT NULL);"
	"CREATE INDEX self_code_credential ON self_code (credential_id)"
	"	WHERE credential_id IS NOT NULL;"
	"CREATE TABLE lock_out ("
	"	subject TEXT PRIMARY KEY,"
	"	failures BIGINT NOT NULL,"
	"	last_at BIGINT NOT NULL,"
	"	until BIGINT NOT NULL);"
	"CREATE INDEX lock_out_last ON lock_out (last_at);",

	/* 20: cards that can encrypt the way to them */
	"CREATE TABLE secure_card (serial TEXT PRIMARY KEY);",
};

int64_t schema_version(void)
{
	return ARRAY_SIZE(migrations);
}

static bool read_version(struct database *database, int64_t *version, struct error *error)
{
	bool has_tables, is_ours;

	if (!database_has_table(database, NULL, &has_tables, error) ||
		!database_has_table(database, "schema_version", &is_ours, error))
		return false;
	if (!has_tables) {
		*version = 0;
		return true;
	}
	if (!is_ours)
		return error_set(error, ERROR_STORE_FAILED,
			"the file is a database, but not a store of Tessera");
	_cleanup_statement_ struct statement *statement =
		database_prepare(database, "SELECT version FROM schema_version", error);
	return statement && statement_run_int64(statement, version, error);
}

static bool write_version(struct database *database, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(database, "UPDATE schema_version SET version = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, schema_version());
	return statement_run(statement, error);
}

/* The version is read again: another process may have been here first. */
static bool migrate(struct database *database, struct error *error)
{
	int64_t version;

	if (!read_version(database, &version, error))
		return false;
	for (; version < schema_version(); version++) {
		if (!database_execute(database, migrations[version], error))
			return error_prefix(error, "schema version %lld", (long long)version + 1);
	}
	return write_version(database, error);
}

bool schema_update(struct database *database, struct error *error)
{
	int64_t version;

	if (!read_version(database, &version, error))
		return false;
	if (version < 0 || version > schema_version())
		return error_set(error, ERROR_STORE_FAILED,
			"the store has schema version %lld, this program knows up to %lld: install "
			"the newer program",
			(long long)version, (long long)schema_version());
	if (version == schema_version())
		return true;
	if (!database_begin(database, error))
		return false;
	bool migrated = migrate(database, error);
	return database_end(database, migrated, error);
}
