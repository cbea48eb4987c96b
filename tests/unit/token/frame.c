/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages between the daemon and the process of a slot's module, also from a hostile one. */
#include "token/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/macros.h"

#define TIMEOUT_MS 50

/* The two ends of a connection; the first one is the daemon's. */
static int ends[2];

static int open_ends(void **state)
{
	(void)state;
	return frame_pair(ends) && frame_limit_waiting(ends[0], TIMEOUT_MS) ? 0 : -1;
}

static int close_ends(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (ends[i] >= 0)
			close(ends[i]);
	}
	return 0;
}

static enum frame_result receive(struct buffer *message)
{
	return frame_receive(ends[0], message, frame_now_ms() + TIMEOUT_MS);
}

static void *send_it(void *argument)
{
	frame_send(ends[1], argument, FRAME_NO_DEADLINE);
	return NULL;
}

static void messages_arrive_as_they_were_sent(void **state)
{
	static const size_t sizes[] = {0, 1, FRAME_PACKET - 1, FRAME_PACKET, FRAME_PACKET + 1,
		10 * FRAME_PACKET, FRAME_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_buffer_ struct buffer sent = BUFFER_INIT;
		_cleanup_buffer_ struct buffer received = BUFFER_INIT;
		pthread_t sender;
		while (sent.length < sizes[i])
			buffer_append_u8(&sent, (uint8_t)(sent.length * 7 >> 3));
		buffer_append_string(&received, "something older");
		pthread_create(&sender, NULL, send_it, &sent);
		assert_int_equal(frame_receive(ends[0], &received, FRAME_NO_DEADLINE), FRAME_DONE);
		pthread_join(sender, NULL);
		assert_int_equal(received.length, sizes[i]);
		assert_true(sizes[i] == 0 || memcmp(received.data, sent.data, sizes[i]) == 0);
	}
}

static void messages_that_follow_each_other_stay_apart(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;

	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		buffer_truncate(&message, 0);
		buffer_fill(&message, i, i);
		assert_int_equal(frame_send(ends[1], &message, FRAME_NO_DEADLINE), FRAME_DONE);
	}
	for (uint8_t i = 0; i < 3; i++) {
		assert_int_equal(receive(&message), FRAME_DONE);
		assert_int_equal(message.length, i);
	}
}

static void what_is_too_long_is_not_sent(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;

	(void)state;
	buffer_fill(&message, 0, FRAME_MAX + 1);
	assert_int_equal(frame_send(ends[1], &message, FRAME_NO_DEADLINE), FRAME_INVALID);
	message.failed = true;
	buffer_truncate(&message, 1);
	assert_int_equal(frame_send(ends[1], &message, FRAME_NO_DEADLINE), FRAME_INVALID);
}

/* One packet as a hostile process may send it. */
static void send_packet(uint8_t head, size_t length)
{
	static uint8_t packet[2 * FRAME_PACKET];

	packet[0] = head;
	send(ends[1], packet, 1 + length, MSG_NOSIGNAL);
}

static void *send_without_end(void *argument)
{
	(void)argument;
	for (int i = 0; i < 2 * FRAME_MAX / FRAME_PACKET; i++)
		send_packet(1, FRAME_PACKET);
	return NULL;
}

static void a_message_without_end_is_cut_off(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	pthread_t sender;

	(void)state;
	pthread_create(&sender, NULL, send_without_end, NULL);
	assert_int_equal(frame_receive(ends[0], &message, frame_now_ms() + 60000), FRAME_INVALID);
	assert_in_range(message.length, FRAME_MAX, FRAME_MAX + FRAME_PACKET);
	close(ends[0]);
	ends[0] = -1;
	pthread_join(sender, NULL);
}

static void packets_that_are_none_are_refused(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;

	(void)state;
	send_packet(2, 5);
	assert_int_equal(receive(&message), FRAME_INVALID);
	send_packet(255, 0);
	assert_int_equal(receive(&message), FRAME_INVALID);
	send_packet(0, FRAME_PACKET + 1);
	assert_int_equal(receive(&message), FRAME_INVALID);
	send(ends[1], "", 0, 0);
	assert_int_equal(receive(&message), FRAME_CLOSED);
}

static void silence_ends_with_the_deadline(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	int64_t start = frame_now_ms();

	(void)state;
	assert_int_equal(receive(&message), FRAME_TIMEOUT);
	assert_true(frame_now_ms() - start >= TIMEOUT_MS);
}

static void *drip(void *argument)
{
	struct timespec pause = {0, TIMEOUT_MS * 1000000 / 4};

	(void)argument;
	for (int i = 0; i < 1000; i++) {
		uint8_t packet[] = {1, 'x'};
		if (send(ends[1], packet, sizeof(packet), MSG_NOSIGNAL) < 0)
			break;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void who_sends_drop_by_drop_is_cut_off(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	pthread_t sender;

	(void)state;
	pthread_create(&sender, NULL, drip, NULL);
	assert_int_equal(receive(&message), FRAME_TIMEOUT);
	close(ends[0]);
	ends[0] = -1;
	pthread_join(sender, NULL);
}

static void who_does_not_read_is_not_waited_for(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;

	(void)state;
	buffer_fill(&message, 0, FRAME_MAX);
	assert_int_equal(frame_send(ends[0], &message, frame_now_ms() + TIMEOUT_MS), FRAME_TIMEOUT);
}

static void an_end_that_is_closed_shows(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;

	(void)state;
	buffer_append_u8(&message, 1);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(frame_send(ends[0], &message, FRAME_NO_DEADLINE), FRAME_CLOSED);
	assert_int_equal(receive(&message), FRAME_CLOSED);
}

static void a_socket_is_passed_on_and_nothing_else_taken(void **state)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	int passed[2];

	(void)state;
	assert_true(frame_pair(passed));
	assert_true(frame_pass_socket(ends[0], passed[1]));
	close(passed[1]);
	int taken = frame_take_socket(ends[1]);
	assert_true(taken >= 0);
	assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
	buffer_append_u8(&message, 42);
	assert_int_equal(frame_send(taken, &message, FRAME_NO_DEADLINE), FRAME_DONE);
	assert_int_equal(frame_receive(passed[0], &message, FRAME_NO_DEADLINE), FRAME_DONE);
	assert_int_equal(message.data[0], 42);
	close(taken);
	close(passed[0]);
	send_packet(0, 1);
	assert_int_equal(frame_take_socket(ends[0]), -1);
	/* The descriptor that comes with a message is none of ours. */
	assert_true(frame_pass_socket(ends[1], ends[1]));
	int before = dup(ends[0]);
	close(before);
	assert_int_equal(receive(&message), FRAME_DONE);
	int after = dup(ends[0]);
	assert_int_equal(before, after);
	close(after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ends, close_ends)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_arrive_as_they_were_sent),
		TEST(messages_that_follow_each_other_stay_apart),
		TEST(what_is_too_long_is_not_sent),
		TEST(a_message_without_end_is_cut_off),
		TEST(packets_that_are_none_are_refused),
		TEST(silence_ends_with_the_deadline),
		TEST(who_sends_drop_by_drop_is_cut_off),
		TEST(who_does_not_read_is_not_waited_for),
		TEST(an_end_that_is_closed_shows),
		TEST(a_socket_is_passed_on_and_nothing_else_taken),
	};

	return cmocka_run_group_tests_name("token/frame", tests, NULL, NULL);
}
