/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/audit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/utf8.h"
#include "core/journal.h"

/* What a caller can make a record grow to. */
#define NAME_MAXIMUM 128  /* bytes */
#define TEXT_MAXIMUM 1024 /* bytes */

#define REFUSALS_A_MINUTE_MAX 30

/* As the log level, one for the process. */
static atomic_bool syslog_enabled;

void audit_set_syslog(bool enabled)
{
	atomic_store(&syslog_enabled, enabled);
}

/* A copy of at most maximum bytes, whole UTF-8 characters only; NULL for NULL and for nothing. */
static char *limited(const char *text, size_t maximum)
{
	if (!text || !text[0])
		return NULL;
	size_t length = strnlen(text, maximum + 1);
	if (length > maximum) {
		length = maximum;
		while (length > 0 && ((uint8_t)text[length] & 0xC0) == 0x80)
			length--;
	}
	char *copy = xcalloc(length + 1, 1);
	memcpy(copy, text, length);
	utf8_repair(copy);
	return copy;
}

/* The caller's sentence, and what went wrong. Heap or NULL. */
static char *make_detail(const struct error *result, const char *detail)
{
	if (!result || result->code == ERROR_NONE)
		return limited(detail, TEXT_MAXIMUM);
	_cleanup_free_ char *both =
		detail ? xasprintf("%s: %s", detail, error_message(result)) : NULL;
	return limited(both ? both : error_message(result), TEXT_MAXIMUM);
}

static void log_record(const struct audit_record *record)
{
	log_notice("audit: %s %s%s%s actor=\"%s\" operator=\"%s\" card=%s job=%u",
		record->operation, record->outcome, record->detail ? ": " : "",
		record->detail ? record->detail : "", record->actor,
		record->operator_name ? record->operator_name : "",
		record->card ? record->card : "-", record->job);
}

static void send_record(const struct audit_record *record, bool stored)
{
	char number[32] = "", job[32] = "";

	if (!atomic_load(&syslog_enabled))
		return;
	if (stored)
		snprintf(number, sizeof(number), "%lld", (long long)record->id);
	if (record->job)
		snprintf(job, sizeof(job), "%u", record->job);
	_cleanup_free_ char *hash = stored ? hex_encode(record->hash, sizeof(record->hash)) : NULL;
	_cleanup_free_ char *message = xasprintf("audit: %s %s%s%s", record->operation,
		record->outcome, record->detail ? ": " : "", record->detail ? record->detail : "");
	const struct journal_field fields[] = {
		{"TESSERA_AUDIT_ID", number},
		{"TESSERA_OPERATION", record->operation},
		{"TESSERA_OUTCOME", record->outcome},
		{"TESSERA_ACTOR", record->actor},
		{"TESSERA_OPERATOR", record->operator_name},
		{"TESSERA_CARD", record->card},
		{"TESSERA_JOB", job},
		{"TESSERA_DETAIL", record->detail},
		{"TESSERA_HASH", hash},
	};
	journal_send(JOURNAL_SOCKET, message, fields, ARRAY_SIZE(fields));
}

struct signing {
	struct store *store;
	const struct audit_entry *entry;
};

/* A login that does not sign leaves its signature out, which a verifier tells. */
static void sign(void *context, struct audit_record *record, const uint8_t *previous)
{
	const struct signing *signing = context;
	const struct audit_actor *actor = signing->entry->actor;

	if (signing->entry->proof) {
		audit_proof_encode(signing->entry->proof, &record->signature);
		return;
	}
	for (size_t i = 0; i < actor->signer_count; i++) {
		struct error failure _cleanup_error_ = ERROR_INIT;
		if (!audit_signer_sign(actor->signers[i], record, previous,
			    store_id(signing->store), &failure))
			log_error("audit record not signed: %s", error_message(&failure));
	}
}

/* A login is one operator's, whoever else is logged in. */
static char *operators_of(const struct audit_entry *entry)
{
	return entry->proof ? xstrdup(entry->operator_name) : audit_actor_operators(entry->actor);
}

bool audit_write_entry(struct store *store, const struct audit_entry *entry, struct error *error)
{
	const struct error *result = entry->result;
	bool succeeded = !result || result->code == ERROR_NONE;
	_cleanup_audit_record_ struct audit_record record = {
		.time_us = audit_now_us(),
		.actor = limited(entry->actor->caller, TEXT_MAXIMUM),
		.operator_name = operators_of(entry),
		.operation = limited(entry->operation, NAME_MAXIMUM),
		.card = limited(entry->card, NAME_MAXIMUM),
		.outcome = xstrdup(succeeded ? "ok" : error_name(result->code)),
		.detail = make_detail(result, entry->detail),
		.job = entry->job,
	};

	struct signing signing = {store, entry};
	/* First, so that the log has it even when the store cannot take it. */
	log_record(&record);
	bool stored = store_audit_append(store, &record, sign, &signing, error);
	send_record(&record, stored);
	if (stored && entry->id)
		*entry->id = record.id;
	return stored ||
	       error_prefix(error, "the audit record of %s was not written", entry->operation);
}

bool audit_write(struct store *store, const struct audit_actor *actor, const char *operation,
	const char *card, unsigned job, const struct error *result, const char *detail,
	struct error *error)
{
	const struct audit_entry entry = {.actor = actor,
		.operation = operation,
		.card = card,
		.job = job,
		.result = result,
		.detail = detail};

	return audit_write_entry(store, &entry, error);
}

bool audit_write_refusal(struct store *store, struct rate_limit *limit,
	const struct audit_actor *actor, const char *operation, const char *card, unsigned job,
	const struct error *result, const char *detail, struct error *error)
{
	return !rate_limit_pass(limit, REFUSALS_A_MINUTE_MAX) ||
	       audit_write(store, actor, operation, card, job, result, detail, error);
}
