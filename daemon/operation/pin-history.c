/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/pin-history.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "common/alloc.h"
#include "operation/template-rules.h"

#define KEY_LABEL   "tessera pin history"
#define DAY_SECONDS ((int64_t)24 * 3600)

unsigned pin_history_length(const struct pin_policy *policy)
{
	return policy->history == 0 && policy->maximum_age_days > 0 ? 1 : policy->history;
}

/* The key is made when it is first needed; two at once make one. */
static bool prepare_key(struct token *token, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	bool found = false;

	if (!token_has_key(token, KEY_LABEL, &found, error))
		return false;
	if (found || token_generate_aes(token, KEY_LABEL, &failure) || failure.code == ERROR_EXISTS)
		return true;
	return error_move(error, &failure);
}

static bool make_tag(struct token *token, const char *serial, const struct secret *pin,
	const uint8_t salt[16], uint8_t tag[16], struct error *error)
{
	struct buffer data _cleanup_buffer_ = BUFFER_INIT_WIPE;

	buffer_append_string(&data, serial);
	buffer_append_u8(&data, 0);
	buffer_append(&data, salt, 16);
	buffer_append(&data, pin->data, pin->length);
	if (data.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	return token_cmac(token, KEY_LABEL, data.data, data.length, tag, error);
}

static bool is_same(struct token *token, const char *serial, const struct secret *pin,
	const struct pin_record *record, bool *same, struct error *error)
{
	uint8_t tag[16];

	if (!make_tag(token, serial, pin, record->salt, tag, error))
		return false;
	*same = CRYPTO_memcmp(tag, record->tag, sizeof(tag)) == 0;
	return true;
}

static bool refuse(const struct pin_policy *policy, struct error *error)
{
	if (policy->history == 0)
		return error_set(error, ERROR_PIN_POLICY, "the new PIN is the present one");
	return error_set(error, ERROR_PIN_POLICY,
		policy->history == 1 ? "the PIN may not be the last one again"
				     : "the PIN may not be one of the last %u",
		policy->history);
}

static bool check_records(struct services *services, struct token *token,
	const struct credential *credential, const struct pin_policy *policy,
	const struct secret *pin, struct error *error)
{
	_cleanup_free_ struct pin_record *records = NULL;
	unsigned left = pin_history_length(policy);
	size_t count = 0;

	if (!store_pin_list(services->store, credential->id, &records, &count, error))
		return false;
	for (size_t i = 0; i < count && left > 0; i++) {
		bool same = false;
		if (records[i].pending)
			continue;
		if (!is_same(token, credential->serial, pin, &records[i], &same, error))
			return false;
		if (same)
			return refuse(policy, error);
		left--;
	}
	return true;
}

/*
 * Without the token PINs cannot be compared, nor remembered. A policy that wants their age alone
 * can have its date: the record's tag is that of no PIN.
 */
static bool make_date(
	const struct pin_policy *policy, struct pin_record *record, struct error *error)
{
	if (policy->history > 0)
		return error_set(error, ERROR_LOCKED,
			"the master key is locked, so that the new PIN cannot be compared with "
			"those of before: a system owner or custodian must log in first");
	return (RAND_bytes(record->salt, sizeof(record->salt)) == 1 &&
		       RAND_bytes(record->tag, sizeof(record->tag)) == 1) ||
	       error_set(error, ERROR_FAILED, "no random numbers");
}

bool pin_history_check(struct services *services, const struct credential *credential,
	const struct pin_policy *policy, const struct secret *pin, struct pin_record *record,
	struct error *error)
{
	struct token *token = services->token;

	*record = (struct pin_record){0};
	if (pin_history_length(policy) == 0)
		return true;
	if (!token)
		return make_date(policy, record, error);
	if (!prepare_key(token, error) ||
		!check_records(services, token, credential, policy, pin, error))
		return false;
	if (RAND_bytes(record->salt, sizeof(record->salt)) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers");
	return make_tag(token, credential->serial, pin, record->salt, record->tag, error);
}

bool pin_history_waits_for_token(
	struct services *services, const struct credential *credential, struct error *error)
{
	if (services->token)
		return false;
	struct template *template _cleanup_template_ = card_template(services, credential, error);
	return template && template->pin_policy.history > 0;
}

bool pin_history_expiry(struct services *services, const struct credential *credential,
	int64_t *expires_at, struct error *error)
{
	int64_t set_at = 0;
	unsigned days = 0;

	*expires_at = 0;
	if (!credential->template_name ||
		(credential->state != LIFECYCLE_ACTIVE &&
			credential->state != LIFECYCLE_INACTIVE) ||
		credential_waits_for_pin(credential))
		return true;
	if (!store_template_pin_age(services->store, credential->template_name,
		    credential->template_version, &days, error))
		return false;
	if (days == 0)
		return true;
	if (!store_pin_set_at(services->store, credential->id, &set_at, error))
		return false;
	*expires_at = set_at + days * DAY_SECONDS;
	return true;
}
