/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

static bool fail_not_found(const char *name, struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND, "there is no slot \"%s\"", name);
}

static bool insert(struct store *store, const struct slot_record *record, struct error *error)
{
	_cleanup_free_ char *variables = slot_variables_text(record->variables);
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO slot (name, number, module, token_label, token_serial, pin, pin_file,"
		" sealed_pin, audit_uses, process, timeout, environment)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		error);

	if (!statement)
		return false;
	bind_text(statement, record->name);
	bind_int64(statement, record->number);
	bind_text(statement, record->module);
	bind_text(statement, record->token_label);
	bind_text(statement, record->token_serial);
	bind_text(statement, slot_pin_name(record->pin));
	bind_text(statement, record->pin_file);
	bind_blob(statement, record->sealed_pin.data, record->sealed_pin.length);
	bind_int64(statement, record->audit_uses);
	bind_text(statement, slot_process_name(record->process));
	bind_int64(statement, record->timeout);
	bind_text(statement, variables);
	return statement_run(statement, error);
}

bool store_slot_add(struct store *store, struct slot_record *record, struct error *error)
{
	if (!database_begin(store->database, error))
		return false;
	bool done = store_counter_next(store, "slot", &record->number, error);
	record->number += SLOT_NUMBER_FIRST - 1;
	done = done && insert(store, record, error);
	return database_end(store->database, done, error);
}

bool store_slot_remove(struct store *store, const char *name, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "DELETE FROM slot WHERE name = $1 RETURNING name", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	if (statement_row(statement, &local))
		return statement_run(statement, error);
	return local.code == ERROR_NONE ? fail_not_found(name, error) : error_move(error, &local);
}

bool store_slot_change(struct store *store, const struct slot_record *record, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_free_ char *variables = slot_variables_text(record->variables);
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE slot SET audit_uses = $1, process = $2, timeout = $3, environment = $4"
		" WHERE name = $5 RETURNING name",
		error);

	if (!statement)
		return false;
	bind_int64(statement, record->audit_uses);
	bind_text(statement, slot_process_name(record->process));
	bind_int64(statement, record->timeout);
	bind_text(statement, variables);
	bind_text(statement, record->name);
	if (statement_row(statement, &local))
		return statement_run(statement, error);
	return local.code == ERROR_NONE ? fail_not_found(record->name, error)
					: error_move(error, &local);
}

bool store_slot_set_token(struct store *store, const char *name, const char *label,
	const char *serial, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE slot SET token_label = $1, token_serial = $2 WHERE name = $3", error);

	if (!statement)
		return false;
	bind_text(statement, label);
	bind_text(statement, serial);
	bind_text(statement, name);
	return statement_run(statement, error);
}

static struct slot_record *read_record(struct statement *statement)
{
	struct slot_record *record = xnew(struct slot_record);

	record->name = column_text(statement);
	record->number = column_int64(statement);
	record->module = column_text(statement);
	record->token_label = column_text(statement);
	record->token_serial = column_text(statement);
	_cleanup_free_ char *pin = column_text(statement);
	record->pin = slot_pin_from_name(pin);
	record->pin_file = column_text(statement);
	record->sealed_pin = (struct buffer)BUFFER_INIT;
	column_blob(statement, &record->sealed_pin);
	record->audit_uses = column_int64(statement) != 0;
	_cleanup_free_ char *process = column_text(statement);
	record->process = slot_process_from_name(process);
	record->timeout = (unsigned)column_int64(statement);
	_cleanup_free_ char *variables = column_text(statement);
	record->variables = slot_variables_from_text(variables);
	return record;
}

bool store_slot_rules(struct store *store, const char *name, struct slot_rule **rules,
	size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT subject, key, operations FROM slot_rule WHERE slot = $1"
		" ORDER BY subject, key",
		error);

	*rules = NULL;
	*count = 0;
	if (!statement)
		return false;
	bind_text(statement, name);
	while (statement_row(statement, &local)) {
		*rules = xreallocarray(*rules, *count + 1, sizeof(**rules));
		struct slot_rule *rule = &(*rules)[(*count)++];
		rule->subject = column_text(statement);
		rule->key = column_text(statement);
		rule->operations = (unsigned)column_int64(statement);
	}
	if (local.code == ERROR_NONE)
		return true;
	slot_rules_free(*rules, *count);
	*rules = NULL;
	*count = 0;
	return error_move(error, &local);
}

static bool read_records(
	struct store *store, struct slot_record ***records, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT name, number, module, token_label, token_serial, pin, pin_file, sealed_pin,"
		" audit_uses, process, timeout, environment FROM slot ORDER BY number",
		error);

	if (!statement)
		return false;
	while (statement_row(statement, &local)) {
		*records = xreallocarray(*records, *count + 1, sizeof(struct slot_record *));
		(*records)[(*count)++] = read_record(statement);
	}
	return local.code == ERROR_NONE || error_move(error, &local);
}

void slot_records_free(struct slot_record **records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		slot_record_free(records[i]);
	free(records);
}

bool store_slot_list(
	struct store *store, struct slot_record ***records, size_t *count, struct error *error)
{
	*records = NULL;
	*count = 0;
	bool done = read_records(store, records, count, error);
	for (size_t i = 0; done && i < *count; i++)
		done = store_slot_rules(store, (*records)[i]->name, &(*records)[i]->rules,
			&(*records)[i]->rule_count, error);
	if (done)
		return true;
	slot_records_free(*records, *count);
	*records = NULL;
	*count = 0;
	return false;
}

bool store_slot_set_rule(
	struct store *store, const char *name, const struct slot_rule *rule, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO slot_rule (slot, subject, key, operations) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (slot, subject, key) DO UPDATE SET operations = excluded.operations",
		error);

	if (!statement)
		return false;
	bind_text(statement, name);
	bind_text(statement, rule->subject);
	bind_text(statement, rule->key);
	bind_int64(statement, rule->operations);
	return statement_run(statement, error);
}

bool store_slot_remove_rule(struct store *store, const char *name, const char *subject,
	const char *key, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"DELETE FROM slot_rule WHERE slot = $1 AND subject = $2 AND key = $3", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	bind_text(statement, subject);
	bind_text(statement, key);
	return statement_run(statement, error);
}
