/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader whose agent is in this process: answers on another thread, none, wrong ones. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "card/transport-remote.h"
#include "common/alloc.h"

/* What the agent does with a command. */
enum answer { ANSWER, WAS_RESET_ONCE, TOO_LONG, WRONG_SERIAL, FAIL, SILENT, PULL };

struct agent {
	struct remote_reader *reader;
	enum answer answer;
	uint32_t serial;
	unsigned sent, begun, ended, lost;
	bool expected_reset;
	pthread_t thread;
	bool has_thread;
};

static void *answer(void *argument)
{
	struct agent *agent = argument;
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ uint8_t *long_answer = xcalloc(REMOTE_RESPONSE_MAXIMUM + 1, 1);
	uint32_t serial = agent->serial;

	switch (agent->answer) {
	case ANSWER:
		remote_reader_answer(agent->reader, serial, false, (const uint8_t *)"\x90\x00", 2);
		break;
	case WAS_RESET_ONCE:
		agent->answer = ANSWER;
		remote_reader_answer(agent->reader, serial, true, NULL, 0);
		break;
	case TOO_LONG:
		remote_reader_answer(
			agent->reader, serial, false, long_answer, REMOTE_RESPONSE_MAXIMUM + 1);
		break;
	case WRONG_SERIAL:
		remote_reader_answer(
			agent->reader, serial + 1, false, (const uint8_t *)"\x90\x00", 2);
		remote_reader_remove(agent->reader);
		break;
	case FAIL:
		error_set(&error, ERROR_BUSY, "another program holds the card");
		remote_reader_fail(agent->reader, serial, &error);
		break;
	case PULL:
		remote_reader_remove(agent->reader);
		break;
	case SILENT:
		break;
	}
	return NULL;
}

static void join(struct agent *agent)
{
	if (agent->has_thread)
		pthread_join(agent->thread, NULL);
	agent->has_thread = false;
}

static bool send_command(void *context, const struct remote_command *command, uint32_t *serial)
{
	struct agent *agent = context;

	join(agent);
	agent->sent++;
	agent->begun += command->begins;
	agent->expected_reset = command->begins && command->expects_reset;
	*serial = ++agent->serial;
	agent->has_thread = pthread_create(&agent->thread, NULL, answer, agent) == 0;
	return true;
}

static void end(void *context)
{
	((struct agent *)context)->ended++;
}

static void lost(void *context)
{
	((struct agent *)context)->lost++;
}

static const struct remote_reader_ops ops = {.send = send_command, .end = end, .lost = lost};
static const struct remote_card card = {
	.atr = (const uint8_t *)"\x3b\x00", .atr_length = 2, .maximum_data = 65535};

static struct transport *start(struct agent *agent)
{
	*agent = (struct agent){.reader = remote_reader_new(&ops, agent)};
	assert_true(remote_reader_insert(agent->reader, &card, NULL));
	struct transport *transport = transport_remote_open(agent->reader, NULL);
	assert_non_null(transport);
	return transport;
}

static void stop(struct agent *agent, struct transport *transport)
{
	join(agent);
	transport->ops->free(transport);
	remote_reader_close(agent->reader);
	remote_reader_unref(agent->reader);
}

/* The code of the error; ERROR_NONE and 9000 otherwise. */
static enum error_code say(struct transport *transport)
{
	struct buffer response _cleanup_buffer_ = BUFFER_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	static const uint8_t command[] = {0x00, 0xCB, 0x3F, 0xFF};

	if (transport->ops->transmit(transport, command, sizeof(command), &response, &error)) {
		assert_int_equal(response.length, 2);
		return ERROR_NONE;
	}
	return error.code;
}

static void a_card_is_taken_with_the_first_command_and_let_go_without_asking(void **state)
{
	struct agent agent;
	struct transport *transport = start(&agent);
	bool was_reset = false;

	(void)state;
	assert_true(transport->is_remote);
	assert_int_equal(transport->atr_length, 2);
	assert_true(transport->ops->begin(transport, &was_reset, NULL));
	assert_true(was_reset); /* the first time counts as after a reset */
	assert_int_equal(agent.sent, 0);
	assert_int_equal(say(transport), ERROR_NONE);
	assert_true(agent.expected_reset);
	assert_int_equal(say(transport), ERROR_NONE);
	transport->ops->end(transport);
	assert_int_equal(agent.sent, 2);
	assert_int_equal(agent.begun, 1);
	assert_int_equal(agent.ended, 1);
	was_reset = false;
	assert_true(transport->ops->begin(transport, &was_reset, NULL));
	assert_false(was_reset);
	transport->ops->end(transport);
	assert_int_equal(agent.ended, 1); /* nothing was said, so nothing was taken */
	stop(&agent, transport);
}

static void a_reset_is_told_by_the_first_command(void **state)
{
	struct agent agent;
	struct transport *transport = start(&agent);
	bool was_reset = false;

	(void)state;
	assert_true(transport->ops->begin(transport, &was_reset, NULL));
	assert_int_equal(say(transport), ERROR_NONE);
	transport->ops->end(transport);
	was_reset = false;
	assert_true(transport->ops->begin(transport, &was_reset, NULL));
	agent.answer = WAS_RESET_ONCE;
	assert_int_equal(say(transport), ERROR_CARD_FAILED);
	assert_true(transport->was_reset);
	assert_int_equal(say(transport), ERROR_NONE);
	assert_int_equal(agent.begun, 2);
	transport->ops->end(transport);
	assert_int_equal(agent.ended, 2);
	stop(&agent, transport);
}

static void what_no_card_answers_is_an_error(void **state)
{
	static const struct {
		enum answer answer;
		enum error_code code;
	} cases[] = {{TOO_LONG, ERROR_CARD_FAILED}, {WRONG_SERIAL, ERROR_NO_CARD},
		{FAIL, ERROR_BUSY}, {PULL, ERROR_NO_CARD}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct agent agent;
		struct transport *transport = start(&agent);
		bool was_reset = false;
		agent.answer = cases[i].answer;
		assert_true(transport->ops->begin(transport, &was_reset, NULL));
		assert_int_equal(say(transport), cases[i].code);
		transport->ops->end(transport);
		stop(&agent, transport);
	}
}

static void a_silent_agent_loses_its_card(void **state)
{
	struct agent agent;
	struct transport *transport = start(&agent);
	struct error error _cleanup_error_ = ERROR_INIT;
	bool was_reset = false;

	(void)state;
	remote_reader_set_patience(agent.reader, 50);
	agent.answer = SILENT;
	assert_true(transport->ops->begin(transport, &was_reset, NULL));
	assert_int_equal(say(transport), ERROR_NO_CARD);
	assert_int_equal(agent.lost, 1);
	agent.answer = ANSWER;
	assert_int_equal(say(transport), ERROR_NO_CARD); /* also when it wakes up later */
	transport->ops->end(transport);
	assert_false(transport->ops->begin(transport, &was_reset, &error));
	assert_int_equal(error.code, ERROR_NO_CARD);
	stop(&agent, transport);
}

static void another_card_is_not_the_one_that_was_there(void **state)
{
	struct agent agent;
	struct transport *transport = start(&agent);
	bool was_reset = false;

	(void)state;
	assert_true(transport->ops->begin(transport, &was_reset, NULL));
	assert_int_equal(say(transport), ERROR_NONE);
	assert_true(remote_reader_insert(agent.reader, &card, NULL));
	assert_int_equal(say(transport), ERROR_NO_CARD);
	transport->ops->end(transport);
	assert_int_equal(agent.ended, 0); /* the agent knows */
	struct transport *fresh = transport_remote_open(agent.reader, NULL);
	assert_true(fresh->ops->begin(fresh, &was_reset, NULL));
	assert_int_equal(say(fresh), ERROR_NONE);
	fresh->ops->end(fresh);
	fresh->ops->free(fresh);
	stop(&agent, transport);
}

static void *begin_and_end(void *argument)
{
	struct transport *transport = argument;
	bool was_reset = false;

	if (!transport->ops->begin(transport, &was_reset, NULL))
		return NULL;
	transport->ops->end(transport);
	return transport;
}

static void two_transports_of_a_card_take_turns(void **state)
{
	struct agent agent;
	struct transport *transport = start(&agent);
	struct transport *other = transport_remote_open(agent.reader, NULL);
	bool was_reset = false;
	pthread_t thread;
	void *done;

	(void)state;
	assert_true(transport->ops->begin(transport, &was_reset, NULL));
	assert_int_equal(pthread_create(&thread, NULL, begin_and_end, other), 0);
	assert_int_equal(say(transport), ERROR_NONE);
	transport->ops->end(transport);
	pthread_join(thread, &done);
	assert_ptr_equal(done, other);
	other->ops->free(other);
	stop(&agent, transport);
}

static void a_reader_that_was_closed_has_no_card(void **state)
{
	struct agent agent;
	struct transport *transport = start(&agent);
	struct error error _cleanup_error_ = ERROR_INIT;
	bool was_reset = false;

	(void)state;
	assert_true(transport->ops->begin(transport, &was_reset, NULL));
	remote_reader_close(agent.reader);
	assert_int_equal(say(transport), ERROR_NO_CARD);
	assert_int_equal(agent.sent, 0);
	transport->ops->end(transport);
	assert_true(remote_reader_insert(agent.reader, &card, NULL));
	assert_null(transport_remote_open(agent.reader, &error));
	assert_int_equal(error.code, ERROR_NO_CARD);
	stop(&agent, transport);
}

static void an_answer_to_reset_has_a_length(void **state)
{
	static const uint8_t bytes[TRANSPORT_ATR_MAXIMUM + 1];
	struct agent agent;
	struct transport *transport = start(&agent);

	(void)state;
	for (size_t length = 0; length <= sizeof(bytes); length += sizeof(bytes)) {
		struct error error _cleanup_error_ = ERROR_INIT;
		const struct remote_card strange = {.atr = bytes, .atr_length = length};
		assert_false(remote_reader_insert(agent.reader, &strange, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	}
	stop(&agent, transport);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_is_taken_with_the_first_command_and_let_go_without_asking),
		cmocka_unit_test(a_reset_is_told_by_the_first_command),
		cmocka_unit_test(what_no_card_answers_is_an_error),
		cmocka_unit_test(a_silent_agent_loses_its_card),
		cmocka_unit_test(another_card_is_not_the_one_that_was_there),
		cmocka_unit_test(two_transports_of_a_card_take_turns),
		cmocka_unit_test(a_reader_that_was_closed_has_no_card),
		cmocka_unit_test(an_answer_to_reset_has_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
