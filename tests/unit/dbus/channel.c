/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/macros.h"
#include "dbus/channel.h"

static struct reader view(const char *text)
{
	return (struct reader)READER_INIT((const uint8_t *)text, strlen(text));
}

static void assert_bytes(const struct reader *bytes, const char *expected)
{
	assert_int_equal(bytes->length, strlen(expected));
	assert_memory_equal(bytes->data ? (const char *)bytes->data : "", expected, bytes->length);
}

static void write_example(struct buffer *buffer)
{
	const struct channel_question question = {.slot = 65537,
		.key = 0xFFFFFFFF,
		.mechanism = 0x1041,
		.operation = view("sign"),
		.parameter = view("parameter"),
		.pin = view("123456"),
		.input = view("the input")};

	channel_write_question(buffer, &question);
	assert_false(buffer->failed);
}

static void a_question_is_read_as_it_was_written(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT_WIPE;
	struct channel_question question;

	(void)state;
	write_example(&buffer);
	struct reader reader = reader_of(&buffer);
	assert_true(channel_read_question(&reader, &question));
	assert_int_equal(question.slot, 65537);
	assert_int_equal(question.key, 0xFFFFFFFF);
	assert_int_equal(question.mechanism, 0x1041);
	assert_bytes(&question.operation, "sign");
	assert_bytes(&question.parameter, "parameter");
	assert_bytes(&question.pin, "123456");
	assert_bytes(&question.input, "the input");
}

static void a_question_without_bytes_is_one(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT_WIPE;
	struct channel_question question = {0};

	(void)state;
	channel_write_question(&buffer, &question);
	struct reader reader = reader_of(&buffer);
	assert_true(channel_read_question(&reader, &question));
	assert_bytes(&question.input, "");
}

static void what_is_cut_or_too_long_is_no_question(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT_WIPE;
	struct channel_question question;

	(void)state;
	write_example(&buffer);
	for (size_t length = 0; length < buffer.length; length++) {
		struct reader cut = READER_INIT(buffer.data, length);
		assert_false(channel_read_question(&cut, &question));
	}
	buffer_append_u8(&buffer, 0);
	struct reader longer = reader_of(&buffer);
	assert_false(channel_read_question(&longer, &question));
}

static void lengths_that_lie_are_no_question(void **state)
{
	static const size_t lengths[] = {12, 16, 20, 24};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		_cleanup_buffer_ struct buffer buffer = BUFFER_INIT_WIPE;
		struct channel_question question;
		write_example(&buffer);
		buffer.data[lengths[i]] = 0xFF;
		struct reader reader = reader_of(&buffer);
		assert_false(channel_read_question(&reader, &question));
	}
}

static void an_output_comes_back(void **state)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT, output = BUFFER_INIT,
				       read = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	buffer_append_string(&output, "signature");
	channel_write_output(&answer, &output, false);
	struct reader reader = reader_of(&answer);
	assert_true(channel_read_answer(&reader, &read, NULL, &error));
	assert_int_equal(read.length, 9);
	assert_memory_equal(read.data, "signature", 9);
}

static void only_who_asks_for_it_is_told_of_more(void **state)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT, output = BUFFER_INIT,
				       read = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	bool has_more = false;

	(void)state;
	buffer_append_string(&output, "text");
	channel_write_output(&answer, &output, true);
	struct reader reader = reader_of(&answer);
	assert_true(channel_read_answer(&reader, &read, &has_more, &error));
	assert_true(has_more);
	assert_int_equal(read.length, 4);
	reader = reader_of(&answer);
	assert_false(channel_read_answer(&reader, &read, NULL, &error));
	assert_int_equal(error.code, ERROR_FAILED);
	buffer_truncate(&answer, 0);
	channel_write_output(&answer, &output, false);
	reader = reader_of(&answer);
	assert_true(channel_read_answer(&reader, &read, &has_more, NULL));
	assert_false(has_more);
}

static void an_error_comes_back_with_its_message(void **state)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT, output = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	channel_write_error(&answer, error_dbus_name(ERROR_PIN_WRONG), "2 tries are left", 0);
	struct reader reader = reader_of(&answer);
	assert_false(channel_read_answer(&reader, &output, NULL, &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	assert_string_equal(error_message(&error), "2 tries are left");
	assert_int_equal(output.length, 0);
}

static void the_token_s_refusal_comes_back(void **state)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT, output = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	channel_write_error(&answer, error_dbus_name(ERROR_TOKEN_REFUSED), "no", 0x12345678);
	struct reader reader = reader_of(&answer);
	assert_false(channel_read_answer(&reader, &output, NULL, &error));
	assert_int_equal(error.code, ERROR_TOKEN_REFUSED);
	assert_int_equal(error.ckr, 0x12345678);
}

static void a_long_message_is_cut_to_what_an_answer_holds(void **state)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT;
	static char text[2 * CHANNEL_ANSWER_MAX];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	channel_write_error(&answer, error_dbus_name(ERROR_FAILED), text, 0);
	assert_true(answer.length <= CHANNEL_ANSWER_MAX);
}

static void no_answer_is_an_error(void **state)
{
	static const char *const answers[] = {"", "\2x", "\1", "\1\0\0\0\0\xFFx"};
	static const size_t lengths[] = {0, 2, 1, 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		_cleanup_buffer_ struct buffer output = BUFFER_INIT;
		_cleanup_error_ struct error error = ERROR_INIT;
		struct reader reader = READER_INIT((const uint8_t *)answers[i], lengths[i]);
		assert_false(channel_read_answer(&reader, &output, NULL, &error));
		assert_int_equal(error.code, ERROR_FAILED);
	}
}

static void looking_takes_what_is_there_and_does_not_wait_for_more(void **state)
{
	struct channel_looks looks = {0};
	uint8_t data[4];
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(channel_look(ends[0], data, sizeof(data), &looks), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(looks.left_out, 1);
	assert_int_equal(send(ends[1], "longer", 6, 0), 6);
	assert_int_equal(channel_look(ends[0], data, sizeof(data), &looks), 6);
	assert_memory_equal(data, "long", 4);
	close(ends[1]);
	assert_int_equal(channel_look(ends[0], data, sizeof(data), &looks), 0);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_read_as_it_was_written),
		cmocka_unit_test(a_question_without_bytes_is_one),
		cmocka_unit_test(what_is_cut_or_too_long_is_no_question),
		cmocka_unit_test(lengths_that_lie_are_no_question),
		cmocka_unit_test(an_output_comes_back),
		cmocka_unit_test(only_who_asks_for_it_is_told_of_more),
		cmocka_unit_test(an_error_comes_back_with_its_message),
		cmocka_unit_test(the_token_s_refusal_comes_back),
		cmocka_unit_test(a_long_message_is_cut_to_what_an_answer_holds),
		cmocka_unit_test(no_answer_is_an_error),
		cmocka_unit_test(looking_takes_what_is_there_and_does_not_wait_for_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
