/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/tlv.h"
#include "lib/scratch.h"
#include "unit/vcard/fixture.h"
#include "vcard/keys.h"

#define PUT_CHUID "00DB3FFF095C035FC10253020102"
#define GET_CHUID "00CB3FFF055C035FC102"

struct place {
	char *folder;
	char *path;
};

static int set_up(void **state)
{
	struct place *place = xnew(struct place);

	place->folder = scratch_new();
	place->path = xasprintf("%s/card", place->folder);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	scratch_free(place->folder);
	free(place->path);
	free(place);
	return 0;
}

static struct vcard *reopen(struct vcard *card, const struct vcard_options *options)
{
	vcard_free(card);
	return open_card(options);
}

static void everything_survives_the_program(void **state)
{
	const struct place *place = *state;
	struct vcard_options options = {.state_path = place->path};
	static const uint8_t hash[32] = "hash";
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	_cleanup_buffer_ struct buffer before = BUFFER_INIT, after = BUFFER_INIT;

	uint32_t serial = vcard_serial(card);
	authenticate(card);
	assert_status(card, PUT_CHUID, 0x9000);
	assert_int_equal(generate(card, 0x9E, ALGORITHM_P256, NULL), 0x9000);
	assert_int_equal(generate(card, 0x9A, ALGORITHM_RSA2048, NULL), 0x9000);
	assert_int_equal(transmit(card, "00F7009A 000000", &before), 0x9000);
	assert_status(card, VERIFY_WRONG, 0x63C2);

	card = reopen(steal_pointer(&card), &options);
	assert_int_equal(vcard_serial(card), serial);
	assert_answer(card, GET_CHUID, "53020102");
	assert_status(card, VERIFY_STATUS, 0x63C2);
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x9000);
	assert_int_equal(transmit(card, "00F7009A 000000", &after), 0x9000);
	assert_int_equal(after.length, before.length);
	assert_memory_equal(after.data, before.data, before.length);
	assert_status(card, PUT_CHUID, 0x6982);
}

static void state_file_is_private_and_alone(void **state)
{
	const struct place *place = *state;
	struct vcard_options options = {.state_path = place->path};
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	_cleanup_free_ char *temporary = xasprintf("%s.new", place->path);
	struct stat status;

	assert_int_equal(stat(place->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_not_equal(access(temporary, F_OK), 0);
}

static void blank_forgets_the_state_and_an_option_sets_the_serial(void **state)
{
	const struct place *place = *state;
	struct vcard_options options = {.state_path = place->path};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	assert_status(card, VERIFY_WRONG, 0x63C2);
	options.blank = true;
	options.has_serial = true;
	options.serial = 4711;
	card = reopen(steal_pointer(&card), &options);
	assert_status(card, VERIFY_STATUS, 0x63C3);
	assert_answer(card, "00F80000", "00001267");
}

#define KILLS 30

/* Changes the PIN to and fro until somebody ends the process. No assertion here: it is a child. */
_Noreturn static void change_for_ever(const struct vcard_options *options)
{
	_cleanup_vcard_ struct vcard *card = vcard_open(options, NULL);

	if (!card)
		_exit(1);
	transmit(card, SELECT_PIV, NULL);
	for (;;) {
		transmit(card, "0024008010313233343536FFFF363534333231FFFF", NULL);
		transmit(card, "0024008010363534333231FFFF313233343536FFFF", NULL);
	}
}

/* Objects that make the file long enough for a half-written one to be seen. */
static void fill(struct vcard *card)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	authenticate(card);
	for (uint8_t last = 0x05; last <= 0x20; last++) {
		buffer_truncate(&data, 0);
		tlv_append(&data, 0x5C, (uint8_t[]){0x5F, 0xC1, last}, 3);
		tlv_append_header(&data, 0x53, 3000);
		buffer_fill(&data, last, 3000);
		assert_int_equal(
			transmit_data(card, "00DB3FFF", data.data, data.length, NULL), 0x9000);
	}
}

static void a_kill_at_any_moment_leaves_a_whole_state(void **state)
{
	const struct place *place = *state;
	struct vcard_options options = {.state_path = place->path};
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	_cleanup_buffer_ struct buffer object = BUFFER_INIT;
	int changed = 0;

	fill(card);
	for (unsigned i = 0; i < KILLS; i++) {
		int status = 0;
		pid_t child = fork();
		if (child == 0)
			change_for_ever(&options);
		usleep(2000 + i * 1313 % 20000);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		card = reopen(steal_pointer(&card), &options);
		assert_int_equal(
			transmit(card, "00CB3FFF 000005 5C035FC120 0000", &object), 0x9000);
		assert_int_equal(object.length, 4 + 3000);
		if (transmit(card, VERIFY_PIN, NULL) == 0x9000)
			continue;
		changed++;
		assert_status(card, "0020008008363534333231FFFF", 0x9000);
	}
	print_message("%d of %d kills found the other PIN\n", changed, KILLS);
}

static void spoiled_state_file_is_refused(void **state)
{
	const struct place *place = *state;
	struct vcard_options options = {.state_path = place->path};
	_cleanup_error_ struct error error = ERROR_INIT;

	vcard_free(open_card(&options));
	for (off_t length = 0; length < 60; length += 7) {
		assert_int_equal(truncate(place->path, length), 0);
		assert_null(vcard_open(&options, &error));
		assert_int_equal(error.code, ERROR_STORE_FAILED);
	}
}

static void state_that_cannot_be_saved_is_an_error(void **state)
{
	const struct place *place = *state;
	struct vcard_options options = {.state_path = place->path};
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *temporary = xasprintf("%s.new", place->path);

	/* A folder in the place of the temporary file stops root too. */
	assert_int_equal(mkdir(temporary, 0700), 0);
	assert_status(card, VERIFY_WRONG, 0x6581);
	assert_int_equal(rmdir(temporary), 0);
	assert_status(card, VERIFY_STATUS, 0x63C2);
	options.state_path = "/nonexistent/card";
	assert_null(vcard_open(&options, &error));
	assert_int_equal(error.code, ERROR_STORE_FAILED);
}

static void wrong_options_are_refused(void **state)
{
	static const struct vcard_options wrong[] = {
		{.atr = "3"}, {.atr = "3b"}, {.atr = "zz00"}, {.management_algorithm = 0x42}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		assert_null(vcard_open(&wrong[i], &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		assert_non_null(error.field);
	}
}

static void preset_chuid_is_there(void **state)
{
	static const uint8_t guid[16] = {0xAA, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct vcard_options options = {.profile = VCARD_PROFILE_NIST, .guid = guid};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	assert_answer(card, GET_CHUID,
		"533b3019d4e739da739ced39ce739d836858210842108421c84210c3eb"
		"3410aa0102030405060708090a0b0c0d0e0f350832303530313233313e00fe00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_survives_the_program, set_up, tear_down),
		cmocka_unit_test_setup_teardown(state_file_is_private_and_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			blank_forgets_the_state_and_an_option_sets_the_serial, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_kill_at_any_moment_leaves_a_whole_state, set_up, tear_down),
		cmocka_unit_test_setup_teardown(spoiled_state_file_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			state_that_cannot_be_saved_is_an_error, set_up, tear_down),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(preset_chuid_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
