/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "card/card-type.h"
#include "card/card.h"
#include "common/buffer.h"

static void firmware_tells_the_type(void **state)
{
	static const struct {
		unsigned firmware;
		const char *type;
		uint8_t admin_algorithm;
	} cards[] = {
		{0, "piv", 0x03},
		{0x010004, "yubikey-neo", 0x03},
		{0x040307, "yubikey-4", 0x03},
		{0x050403, "yubikey-5", 0x03},
		{0x0506FF, "yubikey-5", 0x03},
		{0x050700, "yubikey-5", 0x0A},
		{0xFFFFFF, "yubikey-5", 0x0A},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		const struct card_type *type = card_type_match("piv", NULL, 0, cards[i].firmware);
		assert_non_null(type);
		assert_string_equal(type->name, cards[i].type);
		assert_int_equal(type->factory_admin_algorithm, cards[i].admin_algorithm);
	}
	assert_null(card_type_match("gids", NULL, 0, 0));
}

static void every_type_is_complete_and_can_be_found(void **state)
{
	const struct card_type *type;
	(void)state;

	for (size_t i = 0; (type = card_type_at(i)); i++) {
		struct buffer key _cleanup_buffer_ = BUFFER_INIT;
		assert_non_null(card_type_find(type->name));
		assert_non_null(type->title);
		assert_non_null(type->manufacturer);
		assert_int_not_equal(type->algorithms, 0);
		assert_true(hex_decode(type->factory_admin_key, &key));
		assert_int_equal(key.length, admin_key_length(type->factory_admin_algorithm));
	}
	assert_null(card_type_find("no such type"));
	assert_null(card_type_find(NULL));
}

static void management_keys_have_their_algorithm_s_length(void **state)
{
	(void)state;
	assert_int_equal(admin_key_length(0x03), 24);
	assert_int_equal(admin_key_length(0x08), 16);
	assert_int_equal(admin_key_length(0x0A), 24);
	assert_int_equal(admin_key_length(0x0C), 32);
	assert_int_equal(admin_key_length(0x00), 0);
	assert_int_equal(admin_key_length(0xFF), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(firmware_tells_the_type),
		cmocka_unit_test(every_type_is_complete_and_can_be_found),
		cmocka_unit_test(management_keys_have_their_algorithm_s_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
