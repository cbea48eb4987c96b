/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/tlv.h"
#include "unit/vcard/fixture.h"

#define GET_CHUID "00CB3FFF055C035FC102"
#define PIECE	  200

/* PUT DATA's data for a CHUID of length bytes. */
static void build_put(struct buffer *command, size_t length)
{
	tlv_append(command, 0x5C, (uint8_t[]){0x5F, 0xC1, 0x02}, 3);
	tlv_append_header(command, 0x53, length);
	for (size_t i = 0; i < length; i++)
		buffer_append_u8(command, (uint8_t)i);
}

static void assert_is_object(const struct buffer *data, size_t length)
{
	struct reader value;

	assert_true(tlv_find(reader_of(data), 0x53, &value));
	assert_int_equal(reader_left(&value), length);
	const uint8_t *bytes = reader_bytes(&value, length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(bytes[i], i & 0xFF);
}

/* All but the last piece with the chaining bit. */
static uint16_t put_in_pieces(struct vcard *card, const struct buffer *data)
{
	struct reader reader = reader_of(data);

	while (reader_left(&reader) > PIECE)
		assert_int_equal(
			transmit_data(card, "10DB3FFF", reader_bytes(&reader, PIECE), PIECE, NULL),
			0x9000);
	size_t rest = reader_left(&reader);
	return transmit_data(card, "00DB3FFF", reader_bytes(&reader, rest), rest, NULL);
}

static void object_is_written_and_read_in_pieces(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	_cleanup_buffer_ struct buffer put = BUFFER_INIT, whole = BUFFER_INIT, part = BUFFER_INIT;

	(void)state;
	authenticate(card);
	build_put(&put, 1500);
	assert_int_equal(put_in_pieces(card, &put), 0x9000);
	uint16_t status = transmit(card, GET_CHUID "00", &part);
	assert_int_equal(status, 0x6100);
	assert_int_equal(part.length, 256);
	buffer_append(&whole, part.data, part.length);
	while (status >> 8 == 0x61) {
		status = transmit(card, "00C0000000", &part);
		buffer_append(&whole, part.data, part.length);
	}
	assert_int_equal(status, 0x9000);
	assert_is_object(&whole, 1500);
	assert_status(card, "00C0000000", 0x6985);
}

static void last_piece_tells_how_much_is_left(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	_cleanup_buffer_ struct buffer put = BUFFER_INIT, part = BUFFER_INIT;

	(void)state;
	authenticate(card);
	build_put(&put, 100);
	assert_int_equal(put_in_pieces(card, &put), 0x9000);
	assert_int_equal(transmit(card, GET_CHUID "40", &part), 0x6100 + 102 - 64);
	assert_int_equal(part.length, 64);
	assert_int_equal(transmit(card, "00C0000010", &part), 0x6100 + 102 - 64 - 16);
	/* Another command drops what is left. */
	assert_status(card, VERIFY_STATUS, 0x63C3);
	assert_status(card, "00C0000000", 0x6985);
	/* So does the first piece of a chain. */
	assert_int_equal(transmit(card, GET_CHUID "40", NULL), 0x6100 + 102 - 64);
	assert_status(card, "10DB3FFF055C035FC102", 0x9000);
	assert_status(card, "00C0000000", 0x6985);
}

static void extended_length_needs_no_pieces(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	_cleanup_buffer_ struct buffer put = BUFFER_INIT, whole = BUFFER_INIT;

	(void)state;
	authenticate(card);
	build_put(&put, 2000);
	assert_int_equal(transmit_data(card, "00DB3FFF", put.data, put.length, NULL), 0x9000);
	assert_int_equal(transmit(card, "00CB3FFF 000005 5C035FC102 0000", &whole), 0x9000);
	assert_is_object(&whole, 2000);
	assert_int_equal(transmit(card, "00CB3FFF 000005 5C035FC102 0200", &whole), 0x6100);
	assert_int_equal(whole.length, 512);
}

static void broken_off_chain_is_not_executed(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	authenticate(card);
	assert_status(card, "10DB3FFF055C035FC102", 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C3);
	assert_status(card, "00DB3FFF0453020102", 0x6A80);
	assert_status(card, GET_CHUID, 0x6A82);
	/* A piece with other parameters does not go on with the chain either. */
	assert_status(card, "10DB3FFF055C035FC102", 0x9000);
	assert_status(card, "00DB3FFE0453020102", 0x6A86);
	assert_status(card, "00DB3FFF0453020102", 0x6A80);
	/* Nor does GET RESPONSE. */
	assert_status(card, "10DB3FFF055C035FC102", 0x9000);
	assert_status(card, "00C0000000", 0x6985);
	assert_status(card, "00DB3FFF0453020102", 0x6A80);
	assert_status(card, "10DB3FFF055C035FC102", 0x9000);
	assert_status(card, "00DB3FFF0453020102", 0x9000);
	assert_answer(card, GET_CHUID, "53020102");
}

static void endless_chain_is_cut(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	uint8_t piece[255] = {0};
	uint16_t status = 0x9000;
	int pieces = 0;

	(void)state;
	while (status == 0x9000 && pieces++ < 1000)
		status = transmit_data(card, "10DB3FFF", piece, sizeof(piece), NULL);
	assert_int_equal(status, 0x6700);
	assert_true(pieces < 100);
}

static void too_large_an_object_is_refused(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	_cleanup_buffer_ struct buffer put = BUFFER_INIT;

	(void)state;
	authenticate(card);
	build_put(&put, 4000);
	assert_int_equal(put_in_pieces(card, &put), 0x6A84);
	assert_status(card, GET_CHUID, 0x6A82);
}

static void lengths_that_do_not_fit_are_refused(void **state)
{
	static const char *const commands[] = {"00CB3F", "00CB3FFF055C035FC1",
		"00CB3FFF055C035FC1020000", "00CB3FFF0000055C035FC1", "00CB3FFF0000055C035FC10200",
		"00CB3FFF00000800"};
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	struct buffer response = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		assert_status(card, commands[i], 0x6700);
	assert_true(vcard_transmit(card, NULL, 0, &response));
	assert_memory_equal(response.data, "\x67\x00", 2);
	buffer_clear(&response);
}

static void t0_card_answers_after_data_by_get_response_only(void **state)
{
	struct vcard_options options = {.atr = "3b8b005465737365726120504956"};
	struct vcard *card _cleanup_vcard_ = vcard_open(&options, NULL);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	(void)state;
	assert_int_equal(transmit(card, SELECT_PIV, &data), 0x6113);
	assert_int_equal(data.length, 0);
	assert_int_equal(transmit(card, "00C0000013", &data), 0x9000);
	assert_int_equal(data.length, 0x13);
	assert_status(card, SELECT_PIV "00", 0x6700);
	assert_status(card, "00CB3FFF 000005 5C035FC102", 0x6700);
	assert_answer(card, "00FD000000", "050403");
	assert_status(card, VERIFY_STATUS "00", 0x63C3);
	assert_status(card, VERIFY_PIN, 0x9000);
}

static void other_classes_are_refused(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, "80CB3FFF055C035FC102", 0x6E00);
	assert_status(card, "0CCB3FFF055C035FC102", 0x6882);
	assert_status(card, "01CB3FFF055C035FC102", 0x6881);
	assert_status(card, "00EE0000", 0x6D00);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_is_written_and_read_in_pieces),
		cmocka_unit_test(last_piece_tells_how_much_is_left),
		cmocka_unit_test(extended_length_needs_no_pieces),
		cmocka_unit_test(broken_off_chain_is_not_executed),
		cmocka_unit_test(endless_chain_is_cut),
		cmocka_unit_test(too_large_an_object_is_refused),
		cmocka_unit_test(lengths_that_do_not_fit_are_refused),
		cmocka_unit_test(t0_card_answers_after_data_by_get_response_only),
		cmocka_unit_test(other_classes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
