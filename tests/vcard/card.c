/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/card.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/tlv.h"
#include "vcard/attest.h"
#include "vcard/dispatch.h"
#include "vcard/keys.h"
#include "vcard/scp11.h"

#define DEFAULT_FIRMWARE VCARD_FIRMWARE(5, 4, 3)
#define DEFAULT_TRIES	 3
#define SCP11_SINCE	 VCARD_FIRMWARE(5, 7, 2)

#define TAG_CHUID 0x5FC102

static const char factory_pin[] = "123456\xFF\xFF";
static const char factory_puk[] = "12345678";

/* YubiKey 5 NFC. */
static const char yubikey_atr[] = "3bfd1300008131fe158073c021c057597562694b657940";
/* T=1 only; historical bytes "Tessera PIV". */
static const char nist_atr[] = "3b8b015465737365726120504956a2";

bool card_has_slot(const struct vcard *card, uint8_t slot)
{
	switch (slot) {
	case SLOT_AUTHENTICATION:
	case SLOT_SIGNATURE:
	case SLOT_KEY_MANAGEMENT:
	case SLOT_CARD_AUTHENTICATION:
		return true;
	case SLOT_ATTESTATION:
		return !card_is_nist(card) && card->options.firmware >= VCARD_FIRMWARE(4, 3, 0);
	default:
		return slot >= SLOT_RETIRED_FIRST && slot <= SLOT_RETIRED_LAST;
	}
}

bool card_has_scp11(const struct vcard *card)
{
	return card->options.scp11_ca && !card_is_nist(card) &&
	       card->options.firmware >= SCP11_SINCE;
}

void card_forget_proofs(struct vcard *card)
{
	card->status = (struct security_status){.applet = card->status.applet};
}

void card_end_channel(struct vcard *card)
{
	if (!card->channel.is_open)
		return;
	secure_channel_close(&card->channel);
	card_forget_proofs(card);
	buffer_clear(&card->pending);
	card->pending_at = 0;
}

bool card_touched(const struct vcard *card, uint8_t touch_policy)
{
	return touch_policy <= TOUCH_NEVER || !card->options.knobs.touch_deny;
}

static uint8_t factory_algorithm(const struct vcard *card)
{
	if (card->options.management_algorithm)
		return card->options.management_algorithm;
	return !card_is_nist(card) && card->options.firmware >= VCARD_FIRMWARE(5, 7, 0)
		       ? ALGORITHM_AES192
		       : ALGORITHM_3DES;
}

/* 01 to 08, repeated: what every PIV token ships with. */
static void set_factory_management(const struct vcard *card, struct management_key *key)
{
	const struct block_cipher *cipher = block_cipher_find(factory_algorithm(card));

	*key = (struct management_key){
		.algorithm = cipher->id, .touch_policy = TOUCH_NEVER, .length = cipher->key_length};
	for (uint8_t i = 0; i < cipher->key_length; i++)
		key->value[i] = i % 8 + 1;
}

static void set_reference(struct reference_data *reference, const char *value, uint8_t tries)
{
	memcpy(reference->value, value, STATE_REFERENCE_LENGTH);
	reference->tries_maximum = reference->tries_left = tries;
}

void card_restore_references(struct vcard *card, uint8_t pin_tries, uint8_t puk_tries)
{
	set_reference(&card->state.pin, factory_pin, pin_tries);
	set_reference(&card->state.puk, factory_puk, puk_tries);
	card->dirty = true;
}

bool card_is_factory_value(const struct vcard *card, uint8_t reference)
{
	struct management_key key;

	switch (reference) {
	case REFERENCE_PIN:
		return memcmp(card->state.pin.value, factory_pin, STATE_REFERENCE_LENGTH) == 0;
	case REFERENCE_PUK:
		return memcmp(card->state.puk.value, factory_puk, STATE_REFERENCE_LENGTH) == 0;
	default:
		set_factory_management(card, &key);
		return key.algorithm == card->state.management.algorithm &&
		       memcmp(key.value, card->state.management.value, sizeof(key.value)) == 0;
	}
}

void card_restore_factory(struct vcard *card)
{
	struct state *state = &card->state;

	for (size_t i = 0; i < STATE_KEY_COUNT; i++)
		if (state->keys[i].slot != SLOT_ATTESTATION)
			state_drop_key(state, state->keys[i].slot);
	for (size_t i = 0; i < STATE_OBJECT_COUNT; i++)
		if (state->objects[i].tag != ATTESTATION_OBJECT)
			state_put_object(state, state->objects[i].tag, NULL, 0);
	card_restore_references(card, DEFAULT_TRIES, DEFAULT_TRIES);
	set_factory_management(card, &state->management);
	card_forget_proofs(card);
}

/* SP 800-73-4 part 1, table 9; the FASC-N is the one for cards outside the federal government. */
static void put_chuid(struct vcard *card, const uint8_t *guid)
{
	static const uint8_t fascn[25] = {0xd4, 0xe7, 0x39, 0xda, 0x73, 0x9c, 0xed, 0x39, 0xce,
		0x73, 0x9d, 0x83, 0x68, 0x58, 0x21, 0x08, 0x42, 0x10, 0x84, 0x21, 0xc8, 0x42, 0x10,
		0xc3, 0xeb};
	_cleanup_buffer_ struct buffer chuid = BUFFER_INIT;

	tlv_append(&chuid, 0x30, fascn, sizeof(fascn));
	tlv_append(&chuid, 0x34, guid, 16);
	tlv_append(&chuid, 0x35, "20501231", 8);
	tlv_append(&chuid, 0x3E, NULL, 0);
	tlv_append(&chuid, 0xFE, NULL, 0);
	state_put_object(&card->state, TAG_CHUID, chuid.data, chuid.length);
}

static bool make_state(struct vcard *card, struct error *error)
{
	uint8_t random[4] = {0};

	RAND_bytes(random, sizeof(random));
	struct reader reader = READER_INIT(random, sizeof(random));
	card->state.serial = reader_u32(&reader) % 90000000 + 10000000;
	card_restore_factory(card);
	if (card->options.guid)
		put_chuid(card, card->options.guid);
	if (card_has_slot(card, SLOT_ATTESTATION) && !attestation_set_up(card))
		return error_set(error, ERROR_FAILED, "the attestation key cannot be made");
	return true;
}

static bool load_or_make_state(struct vcard *card, struct error *error)
{
	const struct vcard_options *options = &card->options;
	_cleanup_error_ struct error why = ERROR_INIT;

	bool loaded = options->state_path && !options->blank &&
		      state_load(&card->state, options->state_path, &why);
	if (why.code != ERROR_NONE && why.code != ERROR_NOT_FOUND)
		return error_move(error, &why);
	if (options->has_serial)
		card->state.serial = options->serial;
	uint32_t serial = card->state.serial;
	if (!loaded && !make_state(card, error))
		return false;
	if (options->has_serial)
		card->state.serial = serial;
	if (card_has_scp11(card) && !scp11_set_up(card, error))
		return false;
	card->dirty = false;
	return !options->state_path || state_save(&card->state, options->state_path, error);
}

/* The first protocol offered is in TD1, or is T=0 without one (ISO/IEC 7816-3, 8.2.3). */
static bool offers_t0_first(struct reader atr)
{
	reader_u8(&atr);
	uint8_t follows = reader_u8(&atr) >> 4;

	if (!(follows & 8))
		return true;
	for (uint8_t bit = 1; bit < 8; bit <<= 1)
		if (follows & bit)
			reader_u8(&atr);
	return (reader_u8(&atr) & 0x0F) == 0;
}

static bool check_options(struct vcard *card, struct error *error)
{
	struct vcard_options *options = &card->options;
	const char *atr = options->atr ? options->atr : card_is_nist(card) ? nist_atr : yubikey_atr;

	if (options->firmware == 0)
		options->firmware = DEFAULT_FIRMWARE;
	if (!hex_decode(atr, &card->atr) || card->atr.length < 2 || card->atr.length > 33)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "atr",
			"the ATR is not 2 to 33 bytes of hex");
	card->is_t0 = offers_t0_first(reader_of(&card->atr));
	if (options->management_algorithm && !block_cipher_find(options->management_algorithm))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "management_algorithm",
			"no such management key algorithm");
	return true;
}

struct vcard *vcard_open(const struct vcard_options *options, struct error *error)
{
	_cleanup_vcard_ struct vcard *card = xnew(struct vcard);

	card->options = *options;
	card->chain.wipe = card->pending.wipe = true;
	if (!check_options(card, error) || !load_or_make_state(card, error))
		return NULL;
	vcard_reset(card);
	return steal_pointer(&card);
}

void vcard_free(struct vcard *card)
{
	if (!card)
		return;
	state_clear(&card->state);
	buffer_clear(&card->chain);
	buffer_clear(&card->pending);
	buffer_clear(&card->atr);
	secure_channel_close(&card->channel);
	explicit_bzero(&card->status, sizeof(card->status));
	free(card);
}

/* A NIST card has one application, selected by default; a YubiKey has several. */
void vcard_reset(struct vcard *card)
{
	enum applet applet = card_is_nist(card) ? APPLET_PIV : APPLET_NONE;

	secure_channel_close(&card->channel);
	explicit_bzero(&card->status, sizeof(card->status));
	card->status.applet = applet;
	card->chaining = false;
	card->gone = false;
	buffer_clear(&card->chain);
	buffer_clear(&card->pending);
	card->pending_at = 0;
}

bool vcard_is_gone(const struct vcard *card)
{
	return card->gone;
}

bool vcard_is_held(const struct vcard *card)
{
	uint64_t hold_at = card->options.knobs.hold_at;

	return hold_at && card->count + 1 >= hold_at;
}

const struct buffer *vcard_atr(const struct vcard *card)
{
	return &card->atr;
}

uint32_t vcard_serial(const struct vcard *card)
{
	return card->state.serial;
}

struct vcard_knobs *vcard_knobs(struct vcard *card)
{
	return &card->options.knobs;
}

uint64_t vcard_count(const struct vcard *card)
{
	return card->count;
}

static void write_count(const struct vcard *card)
{
	char line[32];
	int length = snprintf(line, sizeof(line), "%-20llu\n", (unsigned long long)card->count);

	if (card->options.count_fd > 0 &&
		pwrite(card->options.count_fd, line, (size_t)length, 0) != length)
		log_warning("the count file cannot be written");
}

void vcard_reset_count(struct vcard *card)
{
	card->count = 0;
	write_count(card);
}

/* True once: when the card has seen as many APDUs as the knob says. */
static bool fires(const struct vcard *card, uint64_t *at)
{
	if (*at == 0 || *at != card->count)
		return false;
	*at = 0;
	return true;
}

static void pause_us(uint64_t microseconds)
{
	struct timespec time = {.tv_sec = (time_t)(microseconds / 1000000),
		.tv_nsec = (long)(microseconds % 1000000) * 1000};

	if (microseconds)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

/* Garbage in place of the data; a response without data gets some. */
static void garble(struct buffer *data)
{
	if (data->length == 0)
		buffer_append_u32(data, 0);
	for (size_t i = 0; i < data->length; i++)
		data->data[i] ^= 0x5A;
}

static void log_apdu(const struct vcard *card, const uint8_t *apdu, size_t length, uint16_t status)
{
	FILE *log = card->options.apdu_log;
	struct apdu parsed;

	if (!log)
		return;
	bool whole = apdu_parse(apdu, length, &parsed);
	fprintf(log, "%llu %02X %02X %02X %02X Lc=%zu ", (unsigned long long)card->count,
		parsed.cla, parsed.ins, parsed.p1, parsed.p2,
		whole ? reader_left(&parsed.data) : length);
	if (card->gone)
		fputs("gone\n", log);
	else
		fprintf(log, "SW=%04X\n", status);
	fflush(log);
}

static uint16_t answer(struct vcard *card, const uint8_t *apdu, size_t length, struct buffer *data)
{
	struct vcard_knobs *knobs = &card->options.knobs;

	if (fires(card, &knobs->vanish_at)) {
		card->gone = true;
		return 0;
	}
	if (fires(card, &knobs->fail_at))
		return dispatch_failure(card, apdu, length, knobs->fail_status, data);
	uint16_t status = dispatch_command(card, apdu, length, data);
	if (fires(card, &knobs->wrong_answer_at))
		garble(data);
	if (fires(card, &knobs->vanish_after))
		card->gone = true;
	return status;
}

bool vcard_transmit(struct vcard *card, const uint8_t *apdu, size_t length, struct buffer *response)
{
	const struct vcard_knobs *knobs = &card->options.knobs;

	buffer_truncate(response, 0);
	if (card->gone)
		return false;
	card->count++;
	uint16_t status = answer(card, apdu, length, response);
	write_count(card);
	log_apdu(card, apdu, length, status);
	if (card->gone) {
		buffer_truncate(response, 0);
		return false;
	}
	buffer_append_u16(response, status);
	pause_us(knobs->latency_apdu_us +
		 (uint64_t)knobs->latency_byte_us * (length + response->length));
	return !response->failed;
}
