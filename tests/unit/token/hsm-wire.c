/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemon asks of a slot's process, as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "token/hsm-wire.h"

static const uint8_t bytes[] = "0123456789";

static struct hsm_request full_request(const struct secret *pin, const struct secret *new_pin)
{
	return (struct hsm_request){.operation = HSM_BEGIN,
		.use = HSM_VERIFY,
		.stream = 0xFFFFFFFE,
		.object = HSM_SESSION_OBJECT + 7,
		.second = 8,
		.mechanism = 0x80000001,
		.length = 9,
		.parameter = READER_INIT(bytes, 3),
		.input = READER_INIT(bytes, 10),
		.signature = READER_INIT(bytes, 1),
		.templates = {READER_INIT(bytes, 5), READER_INIT(bytes, 0)},
		.pin = pin,
		.new_pin = new_pin};
}

static void expect_bytes(const struct reader *got, size_t length)
{
	assert_int_equal(got->length, length);
	assert_memory_equal(got->data, bytes, length);
}

static void a_request_comes_as_it_was_sent(void **state)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT, got_pin = SECRET_INIT;
	_cleanup_secret_ struct secret got_new = SECRET_INIT;
	_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;
	struct hsm_request got;

	(void)state;
	assert_true(secret_set(&pin, "271828", 6));
	const struct hsm_request sent = full_request(&pin, NULL);
	wire_put_request(&message, &sent);
	struct reader reader = reader_of(&message);
	assert_true(wire_get_request(&reader, &got, &got_pin, &got_new));
	assert_int_equal(got.operation, sent.operation);
	assert_int_equal(got.use, sent.use);
	assert_int_equal(got.stream, sent.stream);
	assert_int_equal(got.object, sent.object);
	assert_int_equal(got.second, sent.second);
	assert_int_equal(got.mechanism, sent.mechanism);
	assert_int_equal(got.length, sent.length);
	expect_bytes(&got.parameter, 3);
	expect_bytes(&got.input, 10);
	expect_bytes(&got.signature, 1);
	expect_bytes(&got.templates[0], 5);
	assert_int_equal(got.templates[1].length, 0);
	assert_true(secret_equal(&pin, got.pin));
	assert_false(secret_is_set(got.new_pin));
}

/* False for what makes no sense. */
static bool is_read(const uint8_t *data, size_t length)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT, new_pin = SECRET_INIT;
	struct reader reader = READER_INIT(data, length);
	struct hsm_request got;

	return wire_get_request(&reader, &got, &pin, &new_pin);
}

static void nothing_but_a_whole_request_is_read(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;
	const struct hsm_request sent = full_request(NULL, NULL);

	(void)state;
	wire_put_request(&message, &sent);
	assert_true(is_read(message.data, message.length));
	for (size_t length = 0; length < message.length; length++)
		assert_false(is_read(message.data, length));
	for (size_t i = 0; i < 2; i++) { /* the operation, and the use of a stream */
		uint8_t right = message.data[i];
		message.data[i] = HSM_OPERATION_COUNT;
		assert_false(is_read(message.data, message.length));
		message.data[i] = right;
	}
	buffer_append_u8(&message, 0);
	assert_false(is_read(message.data, message.length));
}

static void what_is_left_of_the_output_is_told(void **state)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT, message = BUFFER_INIT;
	_cleanup_buffer_ struct buffer got_output = BUFFER_INIT;
	struct wire_outcome got = {.reply = {.output = &got_output}};

	(void)state;
	buffer_append(&output, bytes, sizeof(bytes));
	const struct wire_outcome sent = {.done = true,
		.token_serial = 5,
		.reply = {.output = &output, .numbers = {70000, 0}}};
	wire_put_outcome(&message, &sent, NULL);
	assert_true(wire_get_outcome(reader_of(&message), &got, NULL));
	assert_true(got.done);
	assert_int_equal(got.reply.numbers[0], 70000);
	assert_int_equal(got_output.length, sizeof(bytes));
	assert_memory_equal(got_output.data, bytes, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_comes_as_it_was_sent),
		cmocka_unit_test(nothing_but_a_whole_request_is_read),
		cmocka_unit_test(what_is_left_of_the_output_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
