/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/dispatch.h"

#include <string.h>

#include "common/log.h"

#define CLASS_GLOBAL_PLATFORM 0x80
#define CLASS_CHAINING	      0x10
#define CLASS_SECURE_MESSAGES 0x0C
#define CLASS_SECURED	      0x04 /* of these GlobalPlatform's way, which is SCP03's */
#define CLASS_CHANNEL	      0x03

#define CHAIN_MAXIMUM 16384

enum {
	INS_VERIFY = 0x20,
	INS_GENERAL_AUTHENTICATE = 0x87,
	INS_INTERNAL_AUTHENTICATE = 0x88,
	INS_SELECT = 0xA4,
	INS_GET_RESPONSE = 0xC0,
	INS_GET_DOMAIN_DATA = 0xCA,
};

/* Who has a command: every PIV card, a YubiKey, a YubiKey with SCP11. */
enum origin { STANDARD, YUBIKEY, SCP11 };

struct command {
	uint8_t ins;
	unsigned applets; /* those that know it */
	enum origin origin;
	uint32_t since; /* YubiKey firmware */
	card_command *function;
};

static const struct command commands[] = {
	{INS_VERIFY, APPLET_PIV, STANDARD, 0, command_verify},
	{0x24, APPLET_PIV, STANDARD, 0, command_change_reference_data},
	{0x2C, APPLET_PIV, STANDARD, 0, command_reset_retry_counter},
	{INS_GENERAL_AUTHENTICATE, APPLET_PIV, STANDARD, 0, command_general_authenticate},
	{0xCB, APPLET_PIV, STANDARD, 0, command_get_data},
	{0xDB, APPLET_PIV, STANDARD, 0, command_put_data},
	{0x47, APPLET_PIV, STANDARD, 0, command_generate_key},
	{0xFD, APPLET_PIV, YUBIKEY, 0, command_get_version},
	{0xF8, APPLET_PIV, YUBIKEY, VCARD_FIRMWARE(5, 0, 0), command_get_serial},
	{0xFF, APPLET_PIV, YUBIKEY, 0, command_set_management_key},
	{0xFE, APPLET_PIV, YUBIKEY, 0, command_import_key},
	{0xFA, APPLET_PIV, YUBIKEY, 0, command_set_pin_retries},
	{0xFB, APPLET_PIV, YUBIKEY, 0, command_reset},
	{0xF9, APPLET_PIV, YUBIKEY, VCARD_FIRMWARE(4, 3, 0), command_attest},
	{0xF7, APPLET_PIV, YUBIKEY, VCARD_FIRMWARE(5, 3, 0), command_get_metadata},
	{0xF6, APPLET_PIV, YUBIKEY, VCARD_FIRMWARE(5, 7, 0), command_move_key},
	{0x1D, APPLET_MANAGEMENT, YUBIKEY, 0, command_read_config},
	{0x01, APPLET_OTP, YUBIKEY, 0, command_otp},
	{INS_INTERNAL_AUTHENTICATE, APPLET_PIV | APPLET_SECURITY_DOMAIN, SCP11, 0,
		command_internal_authenticate},
	{INS_GET_DOMAIN_DATA, APPLET_SECURITY_DOMAIN, SCP11, 0, command_get_domain_data},
};

static bool has_command(const struct vcard *card, const struct command *command)
{
	switch (command->origin) {
	case STANDARD:
		return true;
	case YUBIKEY:
		return !card_is_nist(card) && card->options.firmware >= command->since;
	case SCP11:
		return card_has_scp11(card);
	}
	return false;
}

static const struct command *find_command(const struct vcard *card, uint8_t ins)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		if (command->ins == ins && (command->applets & card->status.applet))
			return has_command(card, command) ? command : NULL;
	}
	return NULL;
}

/*
 * "PIN Always" means a VERIFY directly before (SP 800-73-4 part 1, 4.2). The YubiKey only asks
 * that no other operation used it up.
 */
static void age_pin(struct vcard *card, uint8_t ins)
{
	if (card_is_nist(card) && ins != INS_GENERAL_AUTHENTICATE && ins != INS_VERIFY)
		card->status.pin_fresh = false;
}

static uint16_t save(struct vcard *card)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!card->dirty || !card->options.state_path) {
		card->dirty = false;
		return SW_SUCCESS;
	}
	if (!state_save(&card->state, card->options.state_path, &error)) {
		log_error("state not saved: %s", error_message(&error));
		return SW_MEMORY_FAILURE;
	}
	card->dirty = false;
	return SW_SUCCESS;
}

static uint16_t run(struct vcard *card, const struct apdu *apdu, struct buffer *data)
{
	const struct command *command = find_command(card, apdu->ins);
	uint16_t status;

	age_pin(card, apdu->ins);
	if (apdu->ins == INS_SELECT)
		status = command_select(card, apdu, data);
	else
		status = command ? command->function(card, apdu, data) : SW_UNKNOWN_INSTRUCTION;
	uint16_t saved = save(card);
	return saved == SW_SUCCESS ? status : saved;
}

static uint16_t send_pending(struct vcard *card, size_t maximum, struct buffer *data)
{
	size_t left = card->pending.length - card->pending_at;
	size_t count = left < maximum ? left : maximum;

	buffer_append(data, card->pending.data + card->pending_at, count);
	card->pending_at += count;
	left -= count;
	if (left == 0) {
		buffer_clear(&card->pending);
		return SW_SUCCESS;
	}
	return SW_MORE_DATA | (left < APDU_SHORT_RESPONSE ? (uint16_t)left : 0);
}

static void drop_pending(struct vcard *card)
{
	buffer_clear(&card->pending);
	card->pending_at = 0;
}

/* Keeps a piece of a command chain (ISO/IEC 7816-4, 5.3.3). */
static uint16_t collect(struct vcard *card, const struct apdu *apdu)
{
	struct reader data = apdu->data;
	size_t length = reader_left(&data);

	if (card->chain.length + length > CHAIN_MAXIMUM) {
		buffer_clear(&card->chain);
		card->chaining = false;
		return SW_WRONG_LENGTH;
	}
	memcpy(card->chain_header, (uint8_t[]){apdu->ins, apdu->p1, apdu->p2}, 3);
	card->chaining = true;
	buffer_append(&card->chain, reader_bytes(&data, length), length);
	return SW_SUCCESS;
}

/* A command that does not go on with the chain ends it, unexecuted. */
static void drop_other_chain(struct vcard *card, const struct apdu *apdu)
{
	const uint8_t header[3] = {apdu->ins, apdu->p1, apdu->p2};

	if (card->chaining && memcmp(header, card->chain_header, sizeof(header)) == 0)
		return;
	buffer_clear(&card->chain);
	card->chaining = false;
}

/* The answer in card->pending: only one of success is protected, others come alone. */
static uint16_t protect(struct vcard *card, uint16_t status)
{
	bool done =
		status == SW_SUCCESS && secure_channel_wrap(&card->channel, status, &card->pending);

	return done || status != SW_SUCCESS ? status : SW_FAILED;
}

static uint16_t run_whole(
	struct vcard *card, struct apdu *apdu, bool is_secured, struct buffer *data)
{
	_cleanup_buffer_ struct buffer chain = BUFFER_INIT_WIPE;

	if (card->chaining) {
		uint16_t status = collect(card, apdu);
		if (status != SW_SUCCESS)
			return status;
		buffer_move(&chain, &card->chain);
		card->chaining = false;
		apdu->data = reader_of(&chain);
	}
	uint16_t status = run(card, apdu, &card->pending);
	if (is_secured)
		status = protect(card, status);
	if (status != SW_SUCCESS || card->pending.failed) {
		buffer_clear(&card->pending);
		return status != SW_SUCCESS ? status : SW_FAILED;
	}
	return send_pending(card, apdu->response_maximum, data);
}

static bool is_secured(const struct vcard *card, const struct apdu *apdu)
{
	return card_has_scp11(card) && (apdu->cla & CLASS_SECURE_MESSAGES) == CLASS_SECURED;
}

/* Commands of GlobalPlatform have a class of their own, but GET DATA has both. */
static bool fits_instruction(const struct vcard *card, const struct apdu *apdu)
{
	bool is_global_platform = apdu->cla & CLASS_GLOBAL_PLATFORM;

	if (apdu->ins == INS_GET_DOMAIN_DATA)
		return true;
	if (apdu->ins == INS_INTERNAL_AUTHENTICATE)
		return is_global_platform || !card_has_scp11(card);
	return !is_global_platform;
}

static uint16_t check_class(const struct vcard *card, const struct apdu *apdu)
{
	uint8_t cla = apdu->cla;
	const uint8_t known =
		CLASS_GLOBAL_PLATFORM | CLASS_CHAINING | CLASS_SECURE_MESSAGES | CLASS_CHANNEL;

	if ((cla & ~known) || !fits_instruction(card, apdu))
		return SW_UNKNOWN_CLASS;
	if (cla & CLASS_CHANNEL)
		return SW_NO_CHANNELS;
	if (!(cla & CLASS_SECURE_MESSAGES))
		return SW_SUCCESS;
	if (!is_secured(card, apdu))
		return SW_NO_SECURE_MESSAGING;
	bool may_be = card->channel.is_open && !(cla & CLASS_CHAINING) && apdu->ins != INS_SELECT;
	return may_be ? SW_SUCCESS : SW_UNKNOWN_CLASS;
}

/*
 * T=0 knows short commands only, none with both data and Le, and no answer to a command with data
 * but by GET RESPONSE (ISO/IEC 7816-3, 12.2).
 */
static bool fit_t0(struct apdu *apdu)
{
	bool has_data = reader_left(&apdu->data) > 0;

	if (has_data)
		apdu->response_maximum = 0;
	return !apdu->is_extended && !(has_data && apdu->has_le);
}

/* Takes the command apart. Other than SW_SUCCESS, no command of a channel can be what it is. */
static uint16_t read_command(
	const struct vcard *card, const uint8_t *bytes, size_t length, struct apdu *apdu)
{
	if (!apdu_parse(bytes, length, apdu))
		return SW_WRONG_LENGTH;
	if (card->is_t0 && !fit_t0(apdu))
		return SW_WRONG_LENGTH;
	return check_class(card, apdu);
}

/* What is not the command that is due ends the channel. */
static bool unwrap(struct vcard *card, struct apdu *apdu, struct buffer *plain)
{
	if (!secure_channel_unwrap(&card->channel, apdu, plain)) {
		card_end_channel(card);
		return false;
	}
	apdu->cla &= (uint8_t)~CLASS_SECURED;
	apdu->data = reader_of(plain);
	return true;
}

static uint16_t run_secured(struct vcard *card, struct apdu *apdu, struct buffer *data)
{
	_cleanup_buffer_ struct buffer plain = BUFFER_INIT_WIPE;

	drop_pending(card);
	if (!unwrap(card, apdu, &plain))
		return SW_SECURITY_STATUS;
	return run_whole(card, apdu, true, data);
}

static uint16_t run_plain(struct vcard *card, struct apdu *apdu, struct buffer *data)
{
	bool was_open = card->channel.is_open;

	if (apdu->ins == INS_GET_RESPONSE && card->pending.length > 0)
		return send_pending(card, apdu->response_maximum, data);
	card_end_channel(card);
	if (apdu->ins == INS_GET_RESPONSE || (was_open && apdu->ins != INS_SELECT))
		return SW_CONDITIONS;
	drop_pending(card);
	if (apdu->cla & CLASS_CHAINING)
		return collect(card, apdu);
	return run_whole(card, apdu, false, data);
}

uint16_t dispatch_command(
	struct vcard *card, const uint8_t *bytes, size_t length, struct buffer *data)
{
	struct apdu apdu;
	uint16_t status = read_command(card, bytes, length, &apdu);

	if (status != SW_SUCCESS) {
		card_end_channel(card);
		return status;
	}
	drop_other_chain(card, &apdu);
	return is_secured(card, &apdu) ? run_secured(card, &apdu, data)
				       : run_plain(card, &apdu, data);
}

uint16_t dispatch_failure(struct vcard *card, const uint8_t *bytes, size_t length, uint16_t status,
	struct buffer *data)
{
	_cleanup_buffer_ struct buffer plain = BUFFER_INIT_WIPE;
	struct apdu apdu;

	if (!card->channel.is_open || read_command(card, bytes, length, &apdu) != SW_SUCCESS ||
		!is_secured(card, &apdu))
		return status;
	drop_pending(card);
	if (!unwrap(card, &apdu, &plain))
		return SW_SECURITY_STATUS;
	status = protect(card, status);
	buffer_append(data, card->pending.data, card->pending.length);
	drop_pending(card);
	return status;
}
