/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/piv.h"

/* SP 800-78-4, table 6-2; 05 and 16 as SP 800-78-5 and the YubiKey 5.7 have them */
static const uint8_t algorithm_references[KEY_ALGORITHM_COUNT] = {
	[KEY_ALGORITHM_RSA_1024] = 0x06,
	[KEY_ALGORITHM_RSA_2048] = 0x07,
	[KEY_ALGORITHM_RSA_3072] = 0x05,
	[KEY_ALGORITHM_RSA_4096] = 0x16,
	[KEY_ALGORITHM_EC_P256] = 0x11,
	[KEY_ALGORITHM_EC_P384] = 0x14,
};

/* What other applications answer to PIV's commands. */
static const uint16_t foreign_statuses[] = {SW_APPLET_SELECT_FAILED, SW_FUNCTION_NOT_SUPPORTED,
	SW_FILE_NOT_FOUND, SW_WRONG_PARAMETERS, SW_REFERENCE_NOT_FOUND, SW_WRONG_P1_P2,
	SW_INS_NOT_SUPPORTED, SW_CLA_NOT_SUPPORTED};

uint8_t piv_algorithm_reference(enum key_algorithm algorithm)
{
	return (size_t)algorithm < ARRAY_SIZE(algorithm_references)
		       ? algorithm_references[algorithm]
		       : 0;
}

enum key_algorithm piv_algorithm_from_reference(uint8_t reference)
{
	for (enum key_algorithm a = KEY_ALGORITHM_NONE + 1; a < KEY_ALGORITHM_COUNT; a++) {
		if (algorithm_references[a] == reference)
			return a;
	}
	return KEY_ALGORITHM_NONE;
}

/* What PIV's commands are answered when another application, or none that knows our channel, is
 * selected. */
static const uint16_t channel_statuses[] = {SW_NO_SECURE_MESSAGING, SW_SECURITY_NOT_SATISFIED,
	SW_CONDITIONS_NOT_SATISFIED, SW_SECURE_MESSAGING_MISSING, SW_SECURE_MESSAGING_WRONG};

static bool looks_foreign(const struct card_private *private, uint16_t status)
{
	for (size_t i = 0; private->secure && i < ARRAY_SIZE(channel_statuses); i++) {
		if (channel_statuses[i] == status)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(foreign_statuses); i++) {
		if (foreign_statuses[i] == status)
			return true;
	}
	return false;
}

/* Asks for the PIN's state, which only PIV knows by this reference, and which changes nothing. */
static bool is_selected(struct card *card, bool *selected, struct error *error)
{
	struct apdu command = {.ins = PIV_INS_VERIFY, .p2 = PIV_REFERENCE_PIN};
	uint16_t status;
	unsigned tries;

	if (!card_exchange(card, &command, NULL, &status, error))
		return false;
	*selected =
		status == SW_SUCCESS || status == SW_BLOCKED || status_word_tries(status, &tries);
	return true;
}

bool piv_exchange(struct card *card, const struct apdu *command, struct buffer *response,
	uint16_t *status, struct error *error)
{
	struct card_private *state = card->private;
	bool selected;

	if (!card_exchange(card, command, response, status, error))
		return false;
	if (*status == SW_SUCCESS)
		state->selected = true;
	if (state->selected || !looks_foreign(state, *status))
		return true;
	if (!is_selected(card, &selected, error))
		return false;
	state->selected = true;
	if (selected)
		return true;
	return card_select_again(card, error) &&
	       card_exchange(card, command, response, status, error);
}

bool piv_command(struct card *card, const struct apdu *command, const char *what,
	struct buffer *response, struct error *error)
{
	uint16_t status;

	return piv_exchange(card, command, response, &status, error) &&
	       status_word_check(status, what, error);
}

bool piv_admin_command(struct card *card, const struct apdu *command, const char *what,
	struct buffer *response, struct error *error)
{
	uint16_t status;

	if (!piv_exchange(card, command, response, &status, error))
		return false;
	if (status != SW_SECURITY_NOT_SATISFIED)
		return status_word_check(status, what, error);
	error_set(error, ERROR_CARD_FAILED, "%s: the card wants its management key first (%04X)",
		what, status);
	return error_set_detail(error, status);
}

bool piv_malformed(const char *what, struct error *error)
{
	return error_set(error, ERROR_CARD_FAILED, "%s: the card's answer is malformed", what);
}

bool piv_general_authenticate(struct card *card, uint8_t algorithm, uint8_t reference,
	const struct buffer *template, size_t answer, struct buffer *response, uint16_t *status,
	struct error *error)
{
	struct apdu command = {.ins = PIV_INS_GENERAL_AUTHENTICATE,
		.p1 = algorithm,
		.p2 = reference,
		.data = template->data,
		.length = template->length,
		.answer = answer};

	if (template->failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	return piv_exchange(card, &command, response, status, error);
}

bool piv_template_find(
	const struct buffer *response, uint32_t tag, struct reader *value, struct error *error)
{
	struct reader template;

	if (!tlv_find(reader_of(response), PIV_TAG_AUTHENTICATION, &template) ||
		!tlv_find(template, tag, value))
		return piv_malformed("GENERAL AUTHENTICATE", error);
	return true;
}

static bool authenticate(
	struct card *card, enum card_secret which, const struct secret *secret, struct error *error)
{
	switch (which) {
	case CARD_SECRET_PIN:
		return piv_pin_authenticate(card, secret, error);
	case CARD_SECRET_ADMIN:
		if (!secret)
			return error_set(error, ERROR_NOT_SUPPORTED,
				"what the management key allows ends with the card's use only");
		return piv_admin_authenticate(card, secret, error);
	default:
		return error_set(error, ERROR_NOT_SUPPORTED, "a PUK is not provable alone");
	}
}

static bool change_secret(struct card *card, enum card_secret which, enum card_secret authority,
	const struct secret *old, const struct secret *fresh, struct error *error)
{
	if (which != CARD_SECRET_ADMIN)
		return piv_pin_change(card, which, authority, old, fresh, error);
	if (authority != CARD_SECRET_ADMIN || !card->info.can_set_admin_key)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"this card's management key cannot be changed in this way");
	return yubikey_set_management_key(card, fresh, error);
}

static bool admin_state(struct card *card, struct card_secret_state *state, struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct yubikey_metadata metadata;

	*state = (struct card_secret_state){.tries_left = -1, .tries_total = -1};
	if (!card->info.has_metadata)
		return true;
	if (!yubikey_metadata(card, PIV_REFERENCE_ADMIN, &response, &metadata, error))
		return false;
	state->known_default = metadata.tells_default;
	state->is_default = metadata.is_default;
	return true;
}

static bool secret_state(struct card *card, enum card_secret which, struct card_secret_state *state,
	struct error *error)
{
	return which == CARD_SECRET_ADMIN ? admin_state(card, state, error)
					  : piv_pin_state(card, which, state, error);
}

static bool reset(struct card *card, const struct card_tries *tries, struct error *error)
{
	if (tries && !card->info.can_set_tries)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"this card's numbers of PIN and PUK tries cannot be changed");
	if (tries)
		return yubikey_set_pin_retries(card, tries, error);
	if (!card->info.can_reset)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"this card cannot be set back to its factory state");
	return yubikey_reset(card, error);
}

const struct card_driver piv_driver = {
	.name = "piv",
	.identify = piv_identify,
	.read = piv_read,
	.write = piv_write,
	.read_key = piv_read_key,
	.generate_key = piv_generate_key,
	.use_key = piv_use_key,
	.authenticate = authenticate,
	.change_secret = change_secret,
	.secret_state = secret_state,
	.reset = reset,
};
