/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/pin-history.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "common/alloc.h"

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

	if (!token)
		return error_set(error, ERROR_TOKEN_FAILED,
			"the token, which knows the PINs of before, is locked");
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

static bool check_records(struct services *services, const struct credential *credential,
	const struct pin_policy *policy, const struct secret *pin, struct error *error)
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
		if (!is_same(services->token, credential->serial, pin, &records[i], &same, error))
			return false;
		if (same)
			return refuse(policy, error);
		left--;
	}
	return true;
}

bool pin_history_check(struct services *services, const struct credential *credential,
	const struct pin_policy *policy, const struct secret *pin, struct pin_record *record,
	struct error *error)
{
	*record = (struct pin_record){0};
	if (pin_history_length(policy) == 0)
		return true;
	if (!prepare_key(services->token, error) ||
		!check_records(services, credential, policy, pin, error))
		return false;
	if (RAND_bytes(record->salt, sizeof(record->salt)) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers");
	return make_tag(services->token, credential->serial, pin, record->salt, record->tag, error);
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
