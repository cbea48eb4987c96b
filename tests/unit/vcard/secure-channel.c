/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/tlv.h"
#include "unit/vcard/fixture.h"
#include "unit/vcard/secure-host.h"
#include "vcard/keys.h"

#define GET_CHUID      "00CB3FFF055C035FC102"
#define GET_PRINTED    "00CB3FFF055C035FC109"
#define PUT_HEADER     "00DB3FFF"
#define SECURED_STATUS "04200080 08 0011223344556677"
#define GET_VERSION    "00FD0000"
#define OBJECT_MAXIMUM 3000

/* A card with its channel; the host's side has what it sent last. */
struct fixture {
	struct test_issuer *issuer;
	struct vcard *card;
	struct host host;
};

static int set_up(void **state)
{
	struct fixture *fixture = xnew(struct fixture);

	fixture->issuer = test_issuer_new();
	fixture->card = open_scp11_card(fixture->issuer);
	host_open(&fixture->host, fixture->card);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	vcard_free(fixture->card);
	host_clear(&fixture->host);
	test_issuer_free(fixture->issuer);
	free(fixture);
	return 0;
}

/* A right command of this host gets 6E00, as without a channel. */
static void assert_over(struct fixture *fixture)
{
	assert_secure(&fixture->host, fixture->card, GET_VERSION, 0x6E00);
	assert_status(fixture->card, SECURED_STATUS, 0x6E00);
}

static void refuse_wrapped(struct fixture *fixture, const struct buffer *wrapped)
{
	assert_int_equal(transmit_bytes(fixture->card, wrapped, NULL), 0x6982);
	assert_over(fixture);
}

static void commands_and_answers_go_both_ways(void **state)
{
	struct fixture *fixture = *state;
	struct host *host = &fixture->host;

	for (int form = 0; form < 4; form++) {
		host->is_short = form & 1;
		host->sends_no_padding = form & 2;
		assert_secure_answer(host, fixture->card, VERIFY_PIN, "");
		assert_secure_answer(host, fixture->card, VERIFY_STATUS, "");
		assert_secure_answer(host, fixture->card, GET_VERSION, "050702");
		assert_secure_answer(host, fixture->card, "00CB3FFF035C017E00",
			"7e124f0ba0000003080000100001005f2f024000");
		assert_secure(host, fixture->card, GET_CHUID, 0x6A82);
		assert_secure(host, fixture->card, "00200080FF", 0x9000);
		assert_secure(host, fixture->card, "00990000", 0x6D00);
	}
}

/* Proves the factory's AES-192 management key inside the channel, as authenticate_external() does.
 */
static void authenticate_secured(struct fixture *fixture)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT, inner = BUFFER_INIT,
				       command = BUFFER_INIT, wrapped = BUFFER_INIT;
	struct reader template, challenge;
	uint8_t key[24], block[16];

	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i % 8 + 1;
	assert_int_equal(
		host_send(&fixture->host, fixture->card, "00870A9B047C028100", &answer), 0x9000);
	assert_true(tlv_find(reader_of(&answer), 0x7C, &template));
	assert_true(tlv_find(template, 0x81, &challenge));
	assert_true(block_encrypt(block_cipher_find(ALGORITHM_AES192), key,
		reader_bytes(&challenge, sizeof(block)), block));
	tlv_append(&inner, 0x82, block, sizeof(block));
	tlv_append(&command, 0x7C, inner.data, inner.length);
	host_wrap_data(
		&fixture->host, "00870A9B", command.data, command.length, DATA_PADDED, &wrapped);
	assert_int_equal(host_transmit(&fixture->host, fixture->card, &wrapped, NULL), 0x9000);
}

static uint16_t put_object(struct fixture *fixture, size_t length)
{
	_cleanup_buffer_ struct buffer command = BUFFER_INIT, wrapped = BUFFER_INIT;

	append_hex(&command, "5C035FC109");
	tlv_append_header(&command, 0x53, length);
	for (size_t i = 0; i < length; i++)
		buffer_append_u8(&command, (uint8_t)(i * 7));
	host_wrap_data(
		&fixture->host, PUT_HEADER, command.data, command.length, DATA_PADDED, &wrapped);
	return host_transmit(&fixture->host, fixture->card, &wrapped, NULL);
}

static void assert_object(struct fixture *fixture, size_t length)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT;
	struct reader value;

	assert_int_equal(host_send(&fixture->host, fixture->card, GET_PRINTED, &answer), 0x9000);
	assert_true(tlv_find(reader_of(&answer), 0x53, &value));
	assert_int_equal(reader_left(&value), length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(reader_u8(&value), (uint8_t)(i * 7));
}

/* Data of each length around a block, and longer than short commands and answers carry. */
static void data_of_every_length_goes_through(void **state)
{
	static const size_t lengths[] = {
		1, 100, 238, 239, 240, 241, 255, 256, 1000, OBJECT_MAXIMUM};
	struct fixture *fixture = *state;

	assert_int_equal(put_object(fixture, 1), 0x6982);
	authenticate_secured(fixture);
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
	for (size_t length = 1; length < 40; length++) {
		assert_int_equal(put_object(fixture, length), 0x9000);
		assert_object(fixture, length);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		fixture->host.is_short = false;
		assert_int_equal(put_object(fixture, lengths[i]), 0x9000);
		assert_object(fixture, lengths[i]);
		/* A short command gets its answer in pieces. */
		fixture->host.is_short = true;
		assert_object(fixture, lengths[i]);
	}
}

static void pieces_are_fetched_in_clear(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	authenticate_secured(fixture);
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
	assert_int_equal(put_object(fixture, 1000), 0x9000);
	fixture->host.is_short = true;
	host_wrap(&fixture->host, GET_PRINTED, &wrapped);
	assert_int_equal(transmit_bytes(fixture->card, &wrapped, NULL), 0x6100);
	assert_status(fixture->card, "00C0000000", 0x6100);
	/* The next command ends the answer. */
	assert_secure(&fixture->host, fixture->card, VERIFY_STATUS, 0x9000);
	assert_status(fixture->card, "00C0000000", 0x6985);
	assert_over(fixture);
}

static void failures_come_alone_and_leave_the_channel(void **state)
{
	struct fixture *fixture = *state;

	assert_secure(&fixture->host, fixture->card, VERIFY_WRONG, 0x63C2);
	assert_secure(&fixture->host, fixture->card, VERIFY_STATUS, 0x63C2);
	assert_secure(&fixture->host, fixture->card, GET_PRINTED, 0x6982);
	assert_secure(&fixture->host, fixture->card, "00CB00000100", 0x6A86);
	assert_secure(&fixture->host, fixture->card, "00C00000", 0x6D00);
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
}

static void every_changed_byte_ends_the_channel(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	host_wrap(&fixture->host, VERIFY_PIN, &wrapped);
	/* P1, P2, the data and its MAC; the others change the form of the command, or the command.
	 */
	for (size_t at = 2; at < wrapped.length - 2; at++) {
		if (at >= 4 && at < 7)
			continue;
		assert_status(fixture->card, SELECT_PIV, 0x9000);
		host_open(&fixture->host, fixture->card);
		host_wrap(&fixture->host, VERIFY_PIN, &wrapped);
		wrapped.data[at] ^= (uint8_t)(1 << at % 8);
		refuse_wrapped(fixture, &wrapped);
	}
	assert_status(fixture->card, VERIFY_STATUS, 0x63C3);
}

static void other_command_than_the_one_sealed_ends_the_channel(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	host_wrap(&fixture->host, GET_VERSION, &wrapped);
	wrapped.data[1] = 0xF8;
	refuse_wrapped(fixture, &wrapped);
}

/* Lc is under the MAC as it was sent: short is not extended. */
static void form_of_the_command_is_sealed_too(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT, other = BUFFER_INIT;

	host_wrap(&fixture->host, VERIFY_PIN, &wrapped);
	buffer_append(&other, wrapped.data, 4);
	buffer_append(&other, wrapped.data + 6, wrapped.length - 6 - 2);
	refuse_wrapped(fixture, &other);
}

static void response_length_is_not_sealed(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	host_wrap(&fixture->host, VERIFY_PIN, &wrapped);
	buffer_truncate(&wrapped, wrapped.length - 2);
	assert_int_equal(host_transmit(&fixture->host, fixture->card, &wrapped, NULL), 0x9000);
}

static void command_sent_twice_ends_the_channel(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	host_wrap(&fixture->host, VERIFY_PIN, &wrapped);
	assert_int_equal(host_transmit(&fixture->host, fixture->card, &wrapped, NULL), 0x9000);
	refuse_wrapped(fixture, &wrapped);
	assert_status(fixture->card, VERIFY_STATUS, 0x63C3);
}

static void command_left_out_ends_the_channel(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	host_wrap(&fixture->host, GET_VERSION, &wrapped);
	host_wrap(&fixture->host, GET_VERSION, &wrapped);
	refuse_wrapped(fixture, &wrapped);
}

static void commands_of_another_channel_are_strange(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_host_ struct host other = {0};
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	host_wrap(&fixture->host, VERIFY_PIN, &wrapped);
	host_open(&other, fixture->card);
	refuse_wrapped(fixture, &wrapped);
	assert_secure(&other, fixture->card, VERIFY_PIN, 0x6E00);
}

static void command_without_a_whole_mac_ends_the_channel(void **state)
{
	static const char *const commands[] = {
		"04FD0000", "04FD000000", "04FD00000000000000", "04FD0000 07 00112233445566"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_status(fixture->card, SELECT_PIV, 0x9000);
		host_open(&fixture->host, fixture->card);
		assert_status(fixture->card, commands[i], 0x6982);
		assert_over(fixture);
	}
}

static void send_data(
	struct fixture *fixture, enum data_form form, const char *hex, unsigned status)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT, wrapped = BUFFER_INIT;

	append_hex(&data, hex);
	assert_status(fixture->card, SELECT_PIV, 0x9000);
	host_open(&fixture->host, fixture->card);
	host_wrap_data(&fixture->host, "00FD0000", data.data, data.length, form, &wrapped);
	assert_int_equal(host_transmit(&fixture->host, fixture->card, &wrapped, NULL), status);
	if (status != 0x9000)
		assert_over(fixture);
}

#define ZEROS "00000000000000000000000000000000"

/* Under a right MAC: the padding is one to sixteen bytes, and what is encrypted whole blocks. */
static void data_has_to_decipher(void **state)
{
	struct fixture *fixture = *state;

	send_data(fixture, DATA_WITHOUT_PADDING, "000102030405060708090a0b0c0d0e80", 0x9000);
	send_data(fixture, DATA_WITHOUT_PADDING, "80000000000000000000000000000000", 0x9000);
	send_data(fixture, DATA_WITHOUT_PADDING, "000102030405060708090a0b0c0d0e0f", 0x6982);
	send_data(fixture, DATA_WITHOUT_PADDING, "000102030405060708090a0b0c0d8001", 0x6982);
	send_data(fixture, DATA_WITHOUT_PADDING, "80010000000000000000000000000000", 0x6982);
	send_data(fixture, DATA_WITHOUT_PADDING, ZEROS, 0x6982);
	send_data(fixture, DATA_WITHOUT_PADDING, ZEROS ZEROS, 0x6982);
	send_data(fixture, DATA_WITHOUT_PADDING, "000102030405060708090a0b0c0d0e80" ZEROS, 0x6982);
	send_data(fixture, DATA_IN_CLEAR, "80", 0x6982);
	send_data(fixture, DATA_IN_CLEAR, "000102030405060708090a0b0c0d80", 0x6982);
	send_data(fixture, DATA_IN_CLEAR, ZEROS "80", 0x6982);
}

static void command_in_clear_ends_the_channel(void **state)
{
	static const char *const commands[] = {GET_VERSION, VERIFY_STATUS, "00C0000000",
		"10DB3FFF0100", "00990000", TELL_KEYS, OPEN_HEADER};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_status(fixture->card, SELECT_PIV, 0x9000);
		host_open(&fixture->host, fixture->card);
		assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
		assert_status(fixture->card, commands[i], 0x6985);
		assert_over(fixture);
		assert_status(fixture->card, VERIFY_STATUS, 0x63C3);
	}
}

static void command_of_a_wrong_class_ends_the_channel(void **state)
{
	static const struct {
		uint8_t cla;
		unsigned status;
	} classes[] = {{0x14, 0x6E00}, {0x0C, 0x6882}, {0x08, 0x6882}, {0x05, 0x6881},
		{0x84, 0x6E00}, {0x44, 0x6E00}};
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		assert_status(fixture->card, SELECT_PIV, 0x9000);
		host_open(&fixture->host, fixture->card);
		host_wrap(&fixture->host, VERIFY_PIN, &wrapped);
		wrapped.data[0] = classes[i].cla;
		assert_int_equal(transmit_bytes(fixture->card, &wrapped, NULL), classes[i].status);
		assert_over(fixture);
	}
}

static void selection_ends_the_channel(void **state)
{
	static const struct {
		const char *command;
		unsigned status;
	} selections[] = {{SELECT_PIV, 0x9000}, {SELECT_MANAGER, 0x9000}, {SELECT_DOMAIN, 0x9000},
		{"00A4040004A0000003", 0x6A82}, {"00A4000005A000000308", 0x6A86}};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(selections); i++) {
		assert_status(fixture->card, SELECT_PIV, 0x9000);
		host_open(&fixture->host, fixture->card);
		assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
		assert_status(fixture->card, selections[i].command, selections[i].status);
		assert_over(fixture);
		assert_status(fixture->card, SELECT_PIV, 0x9000);
		assert_status(fixture->card, VERIFY_STATUS, 0x63C3);
	}
	host_open(&fixture->host, fixture->card);
	assert_secure(&fixture->host, fixture->card, SELECT_PIV, 0x6E00);
	assert_over(fixture);
}

static void reset_of_the_card_ends_the_channel(void **state)
{
	struct fixture *fixture = *state;

	vcard_reset(fixture->card);
	assert_over(fixture);
	assert_status(fixture->card, SELECT_PIV, 0x9000);
	assert_over(fixture);
	host_open(&fixture->host, fixture->card);
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
}

static void factory_reset_goes_through_the_channel(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++)
		host_send(&fixture->host, fixture->card, VERIFY_WRONG, NULL);
	for (int i = 0; i < 3; i++)
		host_send(&fixture->host, fixture->card,
			"002C0080103939393939393939363534333231FFFF", NULL);
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x6983);
	assert_secure(&fixture->host, fixture->card, "00FB0000", 0x9000);
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
}

static void proofs_are_lost_when_a_channel_ends(void **state)
{
	struct fixture *fixture = *state;

	authenticate_secured(fixture);
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
	assert_int_equal(put_object(fixture, 10), 0x9000);
	/* By a wrong MAC, PIV staying selected. */
	assert_status(fixture->card, SECURED_STATUS, 0x6982);
	assert_status(fixture->card, VERIFY_STATUS, 0x63C3);
	assert_status(fixture->card, "00DB3FFF095C035FC10253020102", 0x6982);
}

static void proofs_are_lost_when_a_channel_opens(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer data = BUFFER_INIT, answer = BUFFER_INIT;
	X509 *certificates[2];

	assert_int_equal(host_certificates(fixture->card, certificates, 2), 2);
	assert_status(fixture->card, VERIFY_PIN, 0x9000);
	assert_int_equal(authenticate_external(fixture->card, ALGORITHM_AES192), 0x9000);
	host_request(&fixture->host, &data);
	assert_int_equal(
		transmit_data(fixture->card, OPEN_HEADER, data.data, data.length, &answer), 0x9000);
	host_accept(&fixture->host, certificates[1], reader_of(&data), reader_of(&answer));
	assert_secure(&fixture->host, fixture->card, VERIFY_STATUS, 0x63C3);
	assert_int_equal(put_object(fixture, 10), 0x6982);
	X509_free(certificates[0]);
	X509_free(certificates[1]);
}

static void no_second_channel_inside_one(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer request = BUFFER_INIT, wrapped = BUFFER_INIT;
	_cleanup_host_ struct host other = {0};

	host_request(&other, &request);
	host_wrap_data(
		&fixture->host, OPEN_HEADER, request.data, request.length, DATA_PADDED, &wrapped);
	assert_int_equal(host_transmit(&fixture->host, fixture->card, &wrapped, NULL), 0x6985);
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x9000);
}

static void knobs_work_inside_the_channel(void **state)
{
	struct fixture *fixture = *state;
	struct vcard_knobs *knobs = vcard_knobs(fixture->card);
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT, before = BUFFER_INIT,
				       after = BUFFER_INIT;

	/* A failure is not done, and leaves both sides in step. */
	vcard_reset_count(fixture->card);
	knobs->fail_at = 1;
	knobs->fail_status = 0x6F00;
	assert_secure(&fixture->host, fixture->card, VERIFY_PIN, 0x6F00);
	assert_secure(&fixture->host, fixture->card, VERIFY_STATUS, 0x63C3);
	assert_int_equal(vcard_count(fixture->card), 2);
	knobs->fail_at = 3;
	knobs->fail_status = 0x9000;
	assert_secure_answer(&fixture->host, fixture->card, VERIFY_PIN, "");
	assert_secure(&fixture->host, fixture->card, VERIFY_STATUS, 0x63C3);
	/* What is garbled is the protected answer. */
	knobs->wrong_answer_at = 5;
	host_wrap(&fixture->host, GET_VERSION, &wrapped);
	assert_int_equal(transmit_bytes(fixture->card, &wrapped, &after), 0x9000);
	assert_int_equal(after.length, 24);
	/* Gone: with the card goes the channel. */
	knobs->vanish_after = 6;
	host_wrap(&fixture->host, VERIFY_PIN, &wrapped);
	assert_int_equal(transmit_bytes(fixture->card, &wrapped, NULL), GONE);
	vcard_reset(fixture->card);
	assert_over(fixture);
}

static void log_shows_the_header_as_it_was_sent(void **state)
{
	const struct fixture *fixture = *state;
	char line[200];
	FILE *log = tmpfile();
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 7, 2),
		.scp11_ca = fixture->issuer->path,
		.apdu_log = log};
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	_cleanup_host_ struct host host = {0};

	assert_non_null(log);
	host_open(&host, card);
	vcard_reset_count(card);
	rewind(log);
	assert_secure(&host, card, VERIFY_PIN, 0x9000);
	rewind(log);
	assert_non_null(fgets(line, sizeof(line), log));
	assert_string_equal(line, "1 04 20 00 80 Lc=24 SW=9000\n");
	fclose(log);
}

#define IN_CHANNEL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CHANNEL(commands_and_answers_go_both_ways),
		IN_CHANNEL(data_of_every_length_goes_through),
		IN_CHANNEL(pieces_are_fetched_in_clear),
		IN_CHANNEL(failures_come_alone_and_leave_the_channel),
		IN_CHANNEL(every_changed_byte_ends_the_channel),
		IN_CHANNEL(other_command_than_the_one_sealed_ends_the_channel),
		IN_CHANNEL(form_of_the_command_is_sealed_too),
		IN_CHANNEL(response_length_is_not_sealed),
		IN_CHANNEL(command_sent_twice_ends_the_channel),
		IN_CHANNEL(command_left_out_ends_the_channel),
		IN_CHANNEL(commands_of_another_channel_are_strange),
		IN_CHANNEL(command_without_a_whole_mac_ends_the_channel),
		IN_CHANNEL(data_has_to_decipher),
		IN_CHANNEL(command_in_clear_ends_the_channel),
		IN_CHANNEL(command_of_a_wrong_class_ends_the_channel),
		IN_CHANNEL(selection_ends_the_channel),
		IN_CHANNEL(reset_of_the_card_ends_the_channel),
		IN_CHANNEL(factory_reset_goes_through_the_channel),
		IN_CHANNEL(proofs_are_lost_when_a_channel_ends),
		IN_CHANNEL(proofs_are_lost_when_a_channel_opens),
		IN_CHANNEL(no_second_channel_inside_one),
		IN_CHANNEL(knobs_work_inside_the_channel),
		IN_CHANNEL(log_shows_the_header_as_it_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
