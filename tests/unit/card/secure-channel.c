/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An encrypted channel to a virtual card, with somebody between who looks, changes and repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "card/security-domain.h"
#include "common/alloc.h"
#include "lib/transport-vcard.h"
#include "lib/types-fixture.h"
#include "unit/vcard/secure-host.h"

#define TIMEOUT_MS	1000
#define CLA_SECURED	0x04
#define INS_SELECT	0xA4
#define INS_GET_DATA	0xCA
#define INS_VERSION	0xFD
#define INS_OPEN	0x88
#define INS_VERIFY	0x20
#define INS_READ	0xCB
#define OUR_SERIAL	57000001
#define PUK_OF_FACTORY	"12345678"
#define OTHER_PIN	"271828"
#define OTHER_ADMIN_KEY "0123456789abcdefghijklmnopqrstuv"

/* The machine between: a transport in front of the card's. */
struct between {
	struct transport transport;
	struct transport *way; /* the card's */
	struct buffer seen;    /* all that passed, both ways */
	struct buffer last;    /* the last secured answer */
	unsigned clear;	       /* commands in the clear other than those that open a channel */
	unsigned openings;
	/* What it does once, to the next command with this instruction. */
	uint8_t ins;
	void (*to_command)(struct between *, struct buffer *command);
	void (*to_answer)(struct between *, struct buffer *answer);
	size_t at; /* for those two */
};

struct test {
	struct test_issuer *issuer;
	X509_STORE *trust;
	struct vcard *vcard;
	struct between *between;
	struct card *card;
	struct error error;
};

static void note(struct between *between, const uint8_t *command, size_t length)
{
	buffer_append(&between->seen, command, length);
	between->openings += command[1] == INS_OPEN;
	if (!(command[0] & CLA_SECURED) && command[1] != INS_SELECT && command[1] != INS_OPEN &&
		command[1] != INS_GET_DATA)
		between->clear++;
}

static bool between_transmit(struct transport *transport, const uint8_t *command, size_t length,
	struct buffer *response, struct error *error)
{
	struct between *self = (struct between *)transport;
	_cleanup_buffer_ struct buffer sent = BUFFER_INIT;
	bool is_meant = self->ins != 0 && command[1] == self->ins;

	note(self, command, length);
	buffer_append(&sent, command, length);
	if (is_meant && self->to_command)
		self->to_command(self, &sent);
	if (!self->way->ops->transmit(self->way, sent.data, sent.length, response, error))
		return false;
	buffer_append(&self->seen, response->data, response->length);
	if (is_meant && self->to_answer)
		self->to_answer(self, response);
	if (is_meant)
		self->ins = 0;
	buffer_truncate(&self->last, 0);
	buffer_append(&self->last, response->data, response->length);
	return true;
}

static bool between_begin(struct transport *transport, bool *was_reset, struct error *error)
{
	struct between *self = (struct between *)transport;

	return self->way->ops->begin(self->way, was_reset, error);
}

static void between_end(struct transport *transport)
{
	(void)transport;
}

static void between_free(struct transport *transport)
{
	struct between *self = (struct between *)transport;

	self->way->ops->free(self->way);
	buffer_clear(&self->seen);
	buffer_clear(&self->last);
	free(self);
}

static const struct transport_ops between_ops = {
	.begin = between_begin,
	.end = between_end,
	.transmit = between_transmit,
	.free = between_free,
};

static struct between *between_new(struct vcard *vcard)
{
	struct between *between = xnew(struct between);

	between->way = transport_vcard_new(vcard);
	between->transport = *between->way;
	between->transport.ops = &between_ops;
	between->transport.is_remote = true;
	return between;
}

/* --- what it can do --- */

static void flip(struct between *between, struct buffer *bytes)
{
	assert_in_range(between->at, 0, bytes->length - 1);
	bytes->data[between->at] ^= 1;
}

static void keep_status_alone(struct between *between, struct buffer *answer)
{
	(void)between;
	memmove(answer->data, answer->data + answer->length - 2, 2);
	buffer_truncate(answer, 2);
}

static void say_done(struct between *between, struct buffer *answer)
{
	(void)between;
	buffer_truncate(answer, 0);
	buffer_append_u16(answer, 0x9000);
}

static void say_wrong_pin_with_data(struct between *between, struct buffer *answer)
{
	(void)between;
	buffer_truncate(answer, 0);
	buffer_fill(answer, 7, 24);
	buffer_append_u16(answer, 0x63C2);
}

static void repeat(struct between *between, struct buffer *answer)
{
	buffer_truncate(answer, 0);
	buffer_append(answer, between->last.data, between->last.length);
}

static void cut(struct between *between, struct buffer *answer)
{
	uint8_t status[2];

	memcpy(status, answer->data + answer->length - 2, 2);
	buffer_truncate(answer, between->at);
	buffer_append(answer, status, 2);
}

/* --- setup --- */

static int setup_issuer(void **state)
{
	struct test *test = xnew(struct test);

	test->issuer = test_issuer_new();
	test->trust = security_domain_trust_load(test->issuer->root_path, &test->error);
	*state = test;
	return test->trust ? 0 : -1;
}

static int teardown_issuer(void **state)
{
	struct test *test = *state;

	X509_STORE_free(test->trust);
	test_issuer_free(test->issuer);
	free(test);
	return 0;
}

static struct vcard *open_vcard(const struct test *test, uint32_t firmware)
{
	const struct vcard_options options = {.firmware = firmware,
		.has_serial = true,
		.serial = OUR_SERIAL,
		.scp11_ca = test->issuer->path};
	struct error error _cleanup_error_ = ERROR_INIT;
	struct vcard *vcard = vcard_open(&options, &error);

	assert_non_null(vcard);
	return vcard;
}

static void try_connect(struct test *test, X509_STORE *trust)
{
	test->card =
		card_connect(&test->between->transport, types_fixture(), trust, NULL, &test->error);
}

static void connect_with(struct test *test, uint32_t firmware)
{
	test->vcard = open_vcard(test, firmware);
	test->between = between_new(test->vcard);
	try_connect(test, test->trust);
	if (!test->card)
		fail_msg("%s", error_message(&test->error));
	assert_true(card_begin(test->card, TIMEOUT_MS, &test->error));
}

static void disconnect(struct test *test)
{
	if (test->card)
		card_end(test->card);
	card_unref(test->card);
	vcard_free(test->vcard);
	error_clear(&test->error);
	test->card = NULL;
}

static void take_again(struct test *test)
{
	card_end(test->card);
	assert_true(card_begin(test->card, TIMEOUT_MS, &test->error));
}

static bool verify_pin(struct test *test, const char *pin)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	assert_true(secret_set(&secret, pin, strlen(pin)));
	error_clear(&test->error);
	return test->card->driver->authenticate(test->card, CARD_SECRET_PIN, &secret, &test->error);
}

static bool authenticate_admin(struct test *test)
{
	_cleanup_secret_ struct secret key = SECRET_INIT;

	return card_factory_secret(test->card, CARD_SECRET_ADMIN, &key, &test->error) &&
	       test->card->driver->authenticate(test->card, CARD_SECRET_ADMIN, &key, &test->error);
}

static bool change(struct test *test, enum card_secret which, enum card_secret authority,
	const char *old, const char *fresh)
{
	_cleanup_secret_ struct secret before = SECRET_INIT, after = SECRET_INIT;

	assert_true(secret_set(&before, old, strlen(old)));
	assert_true(secret_set(&after, fresh, strlen(fresh)));
	return test->card->driver->change_secret(
		test->card, which, authority, &before, &after, &test->error);
}

static bool read_chuid(struct test *test, struct buffer *chuid)
{
	error_clear(&test->error);
	return test->card->driver->read(
		test->card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, chuid, &test->error);
}

static void write_chuid(struct test *test)
{
	/* FASC-N, GUID and expiry (SP 800-73-4 part 1, table 9), not looked at here. */
	uint8_t chuid[29] = {0x30, 0x19};

	memset(chuid + 2, 0x55, 27);
	assert_true(authenticate_admin(test));
	assert_true(test->card->driver->write(
		test->card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, chuid, sizeof(chuid), &test->error));
}

static bool has_seen(const struct between *between, const char *text)
{
	return memmem(between->seen.data, between->seen.length, text, strlen(text)) != NULL;
}

/* --- tests --- */

static void nothing_that_matters_passes_in_the_clear(void **state)
{
	struct test *test = *state;

	connect_with(test, VCARD_FIRMWARE(5, 7, 2));
	assert_true(test->card->info.can_encrypt && test->card->info.is_encrypted);
	assert_string_equal(test->card->info.serial, "yubikey-57000001");
	/* SELECT and the version, before the card's type is known */
	assert_int_equal(test->between->clear, 1);
	assert_int_equal(test->between->openings, 1);
	assert_true(authenticate_admin(test));
	assert_true(change(test, CARD_SECRET_ADMIN, CARD_SECRET_ADMIN, "", OTHER_ADMIN_KEY));
	assert_true(change(test, CARD_SECRET_PIN, CARD_SECRET_PUK, PUK_OF_FACTORY, OTHER_PIN));
	assert_true(verify_pin(test, OTHER_PIN));
	take_again(test);
	assert_false(verify_pin(test, "999999"));
	assert_int_equal(test->error.code, ERROR_PIN_WRONG);
	assert_true(verify_pin(test, OTHER_PIN));
	assert_int_equal(test->between->clear, 1);
	assert_int_equal(test->between->openings, 1);
	assert_false(has_seen(test->between, OTHER_ADMIN_KEY));
	assert_false(has_seen(test->between, OTHER_PIN));
	assert_false(has_seen(test->between, PUK_OF_FACTORY));
	assert_false(has_seen(test->between, "57000001"));
	disconnect(test);
}

static void only_cards_far_away_that_can_are_spoken_to_so(void **state)
{
	struct test *test = *state;
	const uint32_t older = VCARD_FIRMWARE(5, 7, 1);

	connect_with(test, older);
	assert_false(test->card->info.can_encrypt || test->card->info.is_encrypted);
	assert_true(verify_pin(test, "123456"));
	disconnect(test);

	for (int without = 0; without < 3; without++) {
		test->vcard = open_vcard(test, VCARD_FIRMWARE(5, 7, 2));
		test->between = between_new(test->vcard);
		test->between->transport.is_remote = without != 0;
		if (without == 1)
			transport_vcard_set_short(&test->between->transport);
		try_connect(test, without == 2 ? NULL : test->trust);
		assert_non_null(test->card);
		assert_true(card_begin(test->card, TIMEOUT_MS, &test->error));
		assert_true(test->card->info.can_encrypt);
		assert_false(test->card->info.is_encrypted);
		assert_int_equal(test->between->openings, 0);
		assert_true(verify_pin(test, "123456"));
		disconnect(test);
	}
}

static void a_card_that_nobody_vouches_for_is_refused(void **state)
{
	struct test *test = *state;
	struct test_issuer *other = test_issuer_new();
	X509_STORE *trust = security_domain_trust_load(other->root_path, &test->error);

	test->vcard = open_vcard(test, VCARD_FIRMWARE(5, 7, 2));
	test->between = between_new(test->vcard);
	try_connect(test, trust);
	assert_null(test->card);
	assert_int_equal(test->error.code, ERROR_CARD_FOREIGN);
	assert_non_null(strstr(error_message(&test->error), "scp11-ca"));
	vcard_free(test->vcard);
	error_clear(&test->error);
	X509_STORE_free(trust);
	test_issuer_free(other);

	assert_null(security_domain_trust_load("/nowhere", &test->error));
	assert_int_equal(test->error.code, ERROR_INVALID_ARGUMENT);
	assert_null(security_domain_trust_load("/dev/null", &test->error));
	assert_int_equal(test->error.code, ERROR_INVALID_ARGUMENT);
	error_clear(&test->error);
}

/* The certified key, the card's own of this channel and the receipt, bit by bit. */
static void a_changed_opening_is_refused(void **state)
{
	struct test *test = *state;
	static const size_t places[] = {0, 1, 3, 4, 20, 66, 68, 69, 70, 85};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		test->vcard = open_vcard(test, VCARD_FIRMWARE(5, 7, 2));
		test->between = between_new(test->vcard);
		test->between->ins = INS_OPEN;
		test->between->to_answer = flip;
		test->between->at = places[i];
		try_connect(test, test->trust);
		assert_null(test->card);
		assert_int_equal(test->error.code, ERROR_CARD_FAILED);
		vcard_free(test->vcard);
		error_clear(&test->error);
	}
}

/* After that nothing is said in the clear, and what comes next is by another channel. */
static void assert_refused(struct test *test, unsigned openings, size_t place)
{
	_cleanup_buffer_ struct buffer chuid = BUFFER_INIT;
	unsigned clear = test->between->clear;

	if (read_chuid(test, &chuid) || test->error.code != ERROR_CARD_FAILED)
		fail_msg("changed at %zu: %s", place, error_message(&test->error));
	assert_int_equal(chuid.length, 0);
	assert_false(read_chuid(test, &chuid));
	assert_false(verify_pin(test, "123456"));
	take_again(test);
	assert_true(read_chuid(test, &chuid));
	assert_int_equal(chuid.length, 29);
	assert_int_equal(test->between->clear, clear);
	assert_int_equal(test->between->openings, openings + 1);
}

static void every_changed_byte_of_an_answer_is_found(void **state)
{
	struct test *test = *state;

	connect_with(test, VCARD_FIRMWARE(5, 7, 2));
	write_chuid(test);
	/* 29 bytes in two TLVs and padding are 32; the MAC */
	for (size_t at = 0; at < 32 + 8; at++) {
		test->between->ins = INS_READ;
		test->between->to_answer = flip;
		test->between->at = at;
		assert_refused(test, test->between->openings, at);
	}
	for (size_t length = 1; length < 32 + 8; length++) {
		test->between->ins = INS_READ;
		test->between->to_answer = cut;
		test->between->at = length;
		assert_refused(test, test->between->openings, length);
	}
	disconnect(test);
}

static void answers_without_mac_and_old_ones_are_found(void **state)
{
	struct test *test = *state;
	void (*const lies[])(struct between *, struct buffer *) = {
		keep_status_alone, say_done, say_wrong_pin_with_data, repeat};

	connect_with(test, VCARD_FIRMWARE(5, 7, 2));
	write_chuid(test);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		_cleanup_buffer_ struct buffer chuid = BUFFER_INIT;
		assert_true(read_chuid(test, &chuid));
		test->between->ins = INS_READ;
		test->between->to_answer = lies[i];
		assert_refused(test, test->between->openings, i);
	}
	/* A right PIN is not believed to have been right, either. */
	test->between->ins = INS_VERIFY;
	test->between->to_answer = say_done;
	assert_false(verify_pin(test, "000000"));
	assert_int_equal(test->error.code, ERROR_CARD_FAILED);
	take_again(test);
	assert_true(verify_pin(test, "123456"));
	disconnect(test);
}

/* The card finds it, does nothing and ends the channel. */
static void a_changed_command_is_not_done(void **state)
{
	struct test *test = *state;

	connect_with(test, VCARD_FIRMWARE(5, 7, 2));
	test->between->to_command = flip;
	for (size_t at = 2; at < 7 + 16 + 8; at++) {
		if (at >= 4 && at < 7)
			continue; /* the length */
		assert_true(verify_pin(test, "123456"));
		test->between->at = at;
		test->between->ins = INS_VERIFY;
		assert_false(verify_pin(test, "123456"));
		take_again(test);
		/* The first command of a new turn finds out, and is sent again by another channel.
		 */
		unsigned openings = test->between->openings;
		test->between->ins = INS_VERIFY;
		assert_true(verify_pin(test, "123456"));
		assert_true(test->between->openings > openings);
	}
	assert_int_equal(test->between->clear, 1);
	disconnect(test);
}

static void a_reader_here_tells_which_cards_can(void **state)
{
	struct test *test = *state;
	struct test_issuer *other = test_issuer_new();
	X509_STORE *none = security_domain_trust_load(other->root_path, &test->error);
	const uint32_t firmwares[] = {VCARD_FIRMWARE(5, 7, 1), VCARD_FIRMWARE(5, 7, 2)};

	for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++) {
		bool has = i == 0;
		test->vcard = open_vcard(test, firmwares[i]);
		test->between = between_new(test->vcard);
		test->between->transport.is_remote = false;
		try_connect(test, test->trust);
		assert_true(card_begin(test->card, TIMEOUT_MS, &test->error));
		assert_int_equal(test->card->info.can_encrypt, i == 1);
		unsigned epoch = test->card->epoch;
		assert_true(card_has_channel_key(test->card, test->trust, &has, &test->error));
		assert_int_equal(has, i == 1);
		assert_true(test->card->epoch > epoch);
		assert_true(verify_pin(test, "123456"));
		assert_true(card_has_channel_key(test->card, none, &has, &test->error));
		assert_false(has);
		/* A card that stumbles says neither. */
		for (int before = 0; before < 2 && i == 1; before++) {
			has = before;
			test->between->ins = INS_GET_DATA;
			test->between->to_answer = say_wrong_pin_with_data;
			assert_true(
				card_has_channel_key(test->card, test->trust, &has, &test->error));
			assert_int_equal(has, before);
		}
		assert_int_equal(test->between->openings, 0);
		disconnect(test);
	}
	X509_STORE_free(none);
	test_issuer_free(other);
}

static void a_reset_or_another_application_needs_another_channel(void **state)
{
	struct test *test = *state;
	static const uint8_t select_management[] = {
		0, 0xA4, 4, 0, 8, 0xA0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17};
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;

	connect_with(test, VCARD_FIRMWARE(5, 7, 2));
	write_chuid(test);
	unsigned epoch = test->card->epoch;
	transport_vcard_power_cycle(test->between->way);
	take_again(test);
	assert_true(test->card->epoch > epoch);
	assert_true(read_chuid(test, &response));
	assert_int_equal(test->between->openings, 2);

	epoch = test->card->epoch;
	card_end(test->card);
	assert_true(vcard_transmit(
		test->vcard, select_management, sizeof(select_management), &response));
	assert_true(card_begin(test->card, TIMEOUT_MS, &test->error));
	assert_true(read_chuid(test, &response));
	assert_int_equal(response.length, 29);
	assert_true(test->card->epoch > epoch);
	assert_int_equal(test->between->openings, 3);
	assert_int_equal(test->between->clear, 1);
	disconnect(test);
}

static void long_data_goes_whole_or_not_at_all(void **state)
{
	struct test *test = *state;
	static uint8_t data[4000];
	_cleanup_buffer_ struct buffer read = BUFFER_INIT;
	static const size_t lengths[] = {200, 255, 256, 1000, 2100, 2900};

	connect_with(test, VCARD_FIRMWARE(5, 7, 2));
	assert_true(authenticate_admin(test));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(data, (int)i + 1, sizeof(data));
		assert_true(test->card->driver->write(test->card, CARD_OBJECT_CHUID, KEY_SLOT_NONE,
			data, lengths[i], &test->error));
		if (!read_chuid(test, &read))
			fail_msg("%zu: %s", lengths[i], error_message(&test->error));
		assert_int_equal(read.length, lengths[i]);
		assert_memory_equal(read.data, data, lengths[i]);
	}
	assert_false(test->card->driver->write(
		test->card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, data, sizeof(data), &test->error));
	assert_int_equal(test->error.code, ERROR_DATA_LENGTH);
	/* Nothing was sent, and the channel is as it was. */
	assert_true(read_chuid(test, &read));
	assert_int_equal(read.length, 2900);
	assert_int_equal(test->between->openings, 1);
	disconnect(test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_that_matters_passes_in_the_clear),
		cmocka_unit_test(only_cards_far_away_that_can_are_spoken_to_so),
		cmocka_unit_test(a_card_that_nobody_vouches_for_is_refused),
		cmocka_unit_test(a_changed_opening_is_refused),
		cmocka_unit_test(every_changed_byte_of_an_answer_is_found),
		cmocka_unit_test(answers_without_mac_and_old_ones_are_found),
		cmocka_unit_test(a_changed_command_is_not_done),
		cmocka_unit_test(a_reader_here_tells_which_cards_can),
		cmocka_unit_test(a_reset_or_another_application_needs_another_channel),
		cmocka_unit_test(long_data_goes_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, setup_issuer, teardown_issuer);
}
