/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "card/apdu.h"
#include "card/atr.h"
#include "card/status-word.h"
#include "lib/transport-script.h"

#define STEPS(...)                                                                                 \
	(const struct script_step[])                                                               \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			NULL, ""                                                                   \
		}                                                                                  \
	}

static const uint8_t zeros[600];

/* What a command became on the wire, and its answer, against a card that answers from steps. */
struct exchange {
	struct apdu_channel channel;
	struct buffer response;
	uint16_t status;
	struct error error;
	bool done;
	char *log;
};

static struct exchange exchange_with(
	struct transport *transport, bool extended, const struct apdu *command)
{
	struct exchange e = {.channel = {.transport = transport, .extended = extended}};

	e.done = apdu_exchange(&e.channel, command, &e.response, &e.status, &e.error);
	e.log = transport_script_take_log(e.channel.transport);
	return e;
}

static struct exchange exchange(
	const struct script_step *steps, bool extended, const struct apdu *command)
{
	return exchange_with(transport_script_new(steps), extended, command);
}

/* The same with a card of T=0. */
static struct exchange exchange_t0(const struct script_step *steps, const struct apdu *command)
{
	struct transport *transport = transport_script_new(steps);

	transport->is_t0 = true;
	transport->maximum_data = TRANSPORT_SHORT_DATA;
	return exchange_with(transport, false, command);
}

static void exchange_clear(struct exchange *e)
{
	e->channel.transport->ops->free(e->channel.transport);
	buffer_clear(&e->response);
	error_clear(&e->error);
	free(e->log);
}

#define EXCHANGE struct exchange __attribute__((cleanup(exchange_clear)))

static void a_command_without_data_or_answer_is_its_header(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({NULL, "9000"}), true, &(struct apdu){.ins = 0x20, .p2 = 0x80});

	assert_true(e.done);
	assert_int_equal(e.status, 0x9000);
	assert_string_equal(e.log, "00200080 ");
}

static void data_and_answer_make_a_short_command(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({NULL, "01029000"}), true,
		&(struct apdu){.ins = 0xCB, .data = zeros, .length = 2, .answer = 256});

	assert_true(e.done);
	assert_string_equal(e.log, "00cb000002000000 ");
	assert_int_equal(e.response.length, 2);
}

/* ISO/IEC 7816-3, 12.2: one length byte at the header's end, and no Le behind data. */
static void a_t0_card_gets_commands_in_its_own_form(void **state)
{
	static const struct {
		struct apdu command;
		const char *log;
	} cases[] = {
		{{.ins = 0x20, .p2 = 0x80}, "0020008000 "},
		{{.ins = 0xFD, .answer = 256}, "00fd000000 "},
		{{.ins = 0xDB, .data = zeros, .length = 2}, "00db0000020000 "},
		{{.ins = 0xCB, .data = zeros, .length = 2, .answer = 256},
			"00cb0000020000 00c0000002 "},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EXCHANGE e =
			exchange_t0(STEPS({"00cb", "6102"}, {"00c0", "01029000"}, {NULL, "9000"}),
				&cases[i].command);
		assert_true(e.done);
		assert_int_equal(e.status, 0x9000);
		assert_string_equal(e.log, cases[i].log);
		assert_int_equal(e.response.length, i == 3 ? 2 : 0);
	}
}

static void long_data_goes_extended_where_card_and_reader_can(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({NULL, "9000"}), true,
		&(struct apdu){.ins = 0x87, .data = zeros, .length = 266, .answer = 65536});

	assert_true(e.done);
	assert_memory_equal(e.log, "0087000000010a", 14);
	assert_int_equal(strlen(e.log), 2 * (7 + 266 + 2) + 1);
	assert_string_equal(e.log + strlen(e.log) - 5, "0000 ");
}

static void long_data_is_chained_where_they_cannot(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({NULL, "9000"}), false,
		&(struct apdu){.ins = 0xDB, .data = zeros, .length = 600});

	assert_true(e.done);
	assert_memory_equal(e.log, "10db0000ff", 10);
	assert_non_null(strstr(e.log, " 00db00005a"));
	assert_int_equal(strlen(e.log), 2 * (600 + 3 * 5) + 3);
}

static void a_chain_ends_at_the_first_refusal(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({NULL, "6884"}), false,
		&(struct apdu){.ins = 0xDB, .data = zeros, .length = 600});

	assert_true(e.done);
	assert_int_equal(e.status, 0x6884);
	assert_null(strchr(e.log, ' ')[1] ? "more" : NULL);
}

static void a_card_that_refuses_extended_length_gets_a_chain(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({"0087000000", "6700"}, {NULL, "9000"}), true,
		&(struct apdu){.ins = 0x87, .data = zeros, .length = 266, .answer = 65536});

	assert_true(e.done);
	assert_int_equal(e.status, 0x9000);
	assert_false(e.channel.extended);
}

static void wrong_data_length_does_not_end_extended_length(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({NULL, "6700"}), true,
		&(struct apdu){.ins = 0x87, .data = zeros, .length = 266, .answer = 65536});

	assert_true(e.done);
	assert_int_equal(e.status, 0x6700);
	assert_true(e.channel.extended);
}

static void the_rest_of_an_answer_is_fetched(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({"00cb", "01026103"}, {"00c0000003", "0304059000"}), false,
		&(struct apdu){.ins = 0xCB, .answer = 256});

	assert_true(e.done);
	assert_string_equal(e.log, "00cb000000 00c0000003 ");
	assert_int_equal(e.response.length, 5);
	assert_memory_equal(e.response.data, "\1\2\3\4\5", 5);
}

static void the_right_answer_length_is_used_once(void **state)
{
	(void)state;
	EXCHANGE e = exchange(STEPS({"00cb000003", "0304059000"}, {"00cb", "6c03"}), false,
		&(struct apdu){.ins = 0xCB, .answer = 256});

	assert_true(e.done);
	assert_string_equal(e.log, "00cb000000 00cb000003 ");
	assert_int_equal(e.response.length, 3);
}

static void endless_answers_are_refused(void **state)
{
	static const char *const answers[] = {"6100", "6c10", "00", ""};
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		EXCHANGE e = exchange(STEPS({NULL, answers[i]}), false,
			&(struct apdu){.ins = 0xCB, .answer = 256});
		assert_false(e.done);
		assert_int_equal(e.error.code, ERROR_CARD_FAILED);
	}
	EXCHANGE e = exchange(
		STEPS({NULL, "006100"}), false, &(struct apdu){.ins = 0xCB, .answer = 256});
	assert_false(e.done);
	assert_int_equal(e.error.code, ERROR_CARD_FAILED);
	/* it is not heard to the end: 1 KiB of a byte at a time, with some room */
	assert_true(strlen(e.log) < 2000 * strlen("00c0000000 "));
}

static void a_pulled_card_is_no_card(void **state)
{
	(void)state;
	EXCHANGE e =
		exchange(STEPS({NULL, NULL}), false, &(struct apdu){.ins = 0xCB, .answer = 256});

	assert_false(e.done);
	assert_int_equal(e.error.code, ERROR_NO_CARD);
}

static void the_history_tells_of_extended_length(void **state)
{
	static const struct {
		const char *atr;
		bool extended;
	} cards[] = {
		{"3bfd1300008131fe158073c021c057597562694b657940", true},  /* YubiKey 5 */
		{"3bfc1300008131fe15597562696b65794e454f72", false},	   /* no capabilities */
		{"3bfd1300008131fe158073c0218057597562694b657940", false}, /* chaining only */
		{"3bfd1300008131fe158073c021", false},			   /* cut */
		{"3bff", false},
		{"3b", false},
		{"", false},
		{"3bffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		struct buffer atr _cleanup_buffer_ = BUFFER_INIT;
		assert_true(hex_decode(cards[i].atr, &atr));
		assert_int_equal(atr_announces_extended(atr.data, atr.length), cards[i].extended);
	}
}

static void status_words_have_their_meanings(void **state)
{
	static const struct {
		uint16_t status;
		enum error_code code;
		long detail;
	} words[] = {
		{0x63C2, ERROR_PIN_WRONG, 2},
		{0x63C0, ERROR_PIN_BLOCKED, 0},
		{0x6983, ERROR_PIN_BLOCKED, 0x6983},
		{0x6982, ERROR_PIN_REQUIRED, 0x6982},
		{0x6A82, ERROR_NOT_FOUND, 0x6A82},
		{0x6D00, ERROR_NOT_SUPPORTED, 0x6D00},
		{0x6A80, ERROR_DATA_INVALID, 0x6A80},
		{0x1234, ERROR_CARD_FAILED, 0x1234},
	};
	(void)state;

	assert_true(status_word_check(0x9000, "TEST", NULL));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(status_word_check(words[i].status, "TEST", &error));
		assert_int_equal(error.code, words[i].code);
		assert_int_equal(error.detail, words[i].detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_without_data_or_answer_is_its_header),
		cmocka_unit_test(data_and_answer_make_a_short_command),
		cmocka_unit_test(a_t0_card_gets_commands_in_its_own_form),
		cmocka_unit_test(long_data_goes_extended_where_card_and_reader_can),
		cmocka_unit_test(long_data_is_chained_where_they_cannot),
		cmocka_unit_test(a_chain_ends_at_the_first_refusal),
		cmocka_unit_test(a_card_that_refuses_extended_length_gets_a_chain),
		cmocka_unit_test(wrong_data_length_does_not_end_extended_length),
		cmocka_unit_test(the_rest_of_an_answer_is_fetched),
		cmocka_unit_test(the_right_answer_length_is_used_once),
		cmocka_unit_test(endless_answers_are_refused),
		cmocka_unit_test(a_pulled_card_is_no_card),
		cmocka_unit_test(the_history_tells_of_extended_length),
		cmocka_unit_test(status_words_have_their_meanings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
