/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/audit.h"

#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#include "common/alloc.h"
#include "common/log.h"

/* What a caller can make a record grow to. */
#define NAME_MAXIMUM 128  /* bytes */
#define TEXT_MAXIMUM 1024 /* bytes */
#define PAGE	     256  /* records read at once by audit_verify */
#define ABSENT	     UINT32_MAX

#define REFUSALS_A_MINUTE_MAX 30

/* Each field with its length first, so that no two records give the same bytes. */
static void append_text(struct buffer *buffer, const char *text)
{
	buffer_append_u32(buffer, text ? (uint32_t)strlen(text) : ABSENT);
	if (text)
		buffer_append_string(buffer, text);
}

static void append_number(struct buffer *buffer, int64_t number)
{
	buffer_append_u32(buffer, sizeof(number));
	buffer_append_u32(buffer, (uint32_t)((uint64_t)number >> 32));
	buffer_append_u32(buffer, (uint32_t)number);
}

static void chain(struct audit_record *record, const uint8_t previous[32])
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	buffer_append(&buffer, previous, 32);
	append_number(&buffer, record->id);
	append_number(&buffer, record->time_us);
	append_text(&buffer, record->actor);
	append_text(&buffer, record->operation);
	append_text(&buffer, record->card);
	append_text(&buffer, record->outcome);
	append_text(&buffer, record->detail);
	append_number(&buffer, record->job);
	if (buffer.failed)
		abort(); /* as all allocation in the daemon: a record without its hash is none */
	SHA256(buffer.data, buffer.length, record->hash);
}

/* A copy of at most maximum bytes, not cut inside a UTF-8 character; NULL gives NULL. */
static char *limited(const char *text, size_t maximum)
{
	if (!text)
		return NULL;
	size_t length = strnlen(text, maximum + 1);
	if (length > maximum) {
		length = maximum;
		while (length > 0 && ((uint8_t)text[length] & 0xC0) == 0x80)
			length--;
	}
	char *copy = xcalloc(length + 1, 1);
	return memcpy(copy, text, length);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
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
	log_notice("audit: %s %s%s%s actor=\"%s\" card=%s job=%u", record->operation,
		record->outcome, record->detail ? ": " : "", record->detail ? record->detail : "",
		record->actor, record->card ? record->card : "-", record->job);
}

bool audit_write(struct store *store, const char *actor, const char *operation, const char *card,
	unsigned job, const struct error *result, const char *detail, struct error *error)
{
	bool succeeded = !result || result->code == ERROR_NONE;
	_cleanup_audit_record_ struct audit_record record = {
		.time_us = now_us(),
		.actor = limited(actor, TEXT_MAXIMUM),
		.operation = limited(operation, NAME_MAXIMUM),
		.card = limited(card, NAME_MAXIMUM),
		.outcome = xstrdup(succeeded ? "ok" : error_name(result->code)),
		.detail = make_detail(result, detail),
		.job = job,
	};

	/* First, so that the journal has it even when the store cannot take it. */
	log_record(&record);
	return store_audit_append(store, &record, chain, error) ||
	       error_prefix(error, "the audit record of %s was not written", operation);
}

bool audit_write_refusal(struct store *store, struct rate_limit *limit, const char *actor,
	const char *operation, const char *card, unsigned job, const struct error *result,
	const char *detail, struct error *error)
{
	return !rate_limit_pass(limit, REFUSALS_A_MINUTE_MAX) ||
	       audit_write(store, actor, operation, card, job, result, detail, error);
}

/* Whether the record is number `expected` and its hash follows from `previous`, which moves on. */
static bool fits(struct audit_record *record, int64_t expected, uint8_t previous[32])
{
	uint8_t stored[32];

	memcpy(stored, record->hash, sizeof(stored));
	chain(record, previous);
	memcpy(previous, stored, sizeof(stored));
	return record->id == expected && memcmp(record->hash, stored, sizeof(stored)) == 0;
}

/* Checks the records after *records; *more says whether there were any. */
static bool verify_page(struct store *store, int64_t *records, int64_t *first_bad,
	uint8_t previous[32], bool *more, struct error *error)
{
	struct audit_record *page;
	size_t count;

	if (!store_audit_list(store, NULL, *records, PAGE, &page, &count, error))
		return false;
	for (size_t i = 0; i < count && *first_bad == 0; i++) {
		if (fits(&page[i], *records + 1, previous))
			*records = page[i].id;
		else
			*first_bad = *records + 1;
	}
	*more = count > 0 && *first_bad == 0;
	audit_records_free(page, count);
	return true;
}

bool audit_verify(struct store *store, int64_t *records, int64_t *first_bad, struct error *error)
{
	uint8_t previous[32] = {0};
	int64_t good = 0, bad = 0, last;
	bool more = true;

	/* Before the walk: records that are written meanwhile are walked too, and do no harm. */
	if (!store_audit_last(store, &last, error))
		return false;
	while (more) {
		if (!verify_page(store, &good, &bad, previous, &more, error))
			return false;
	}
	if (bad == 0 && good < last)
		bad = good + 1; /* cut off at the end */
	*records = good > last ? good : last;
	*first_bad = bad;
	return true;
}
