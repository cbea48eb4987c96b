/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/card-type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "card/card.h"
#include "lib/transport-script.h"
#include "lib/types-fixture.h"

static void firmware_tells_the_type(void **state)
{
	static const struct {
		unsigned firmware;
		const char *type;
		uint8_t admin_algorithm;
	} cards[] = {
		{0x010004, "yubikey-neo", 0x03},
		{0x040307, "yubikey-4", 0x03},
		{0x050403, "yubikey-5", 0x03},
		{0x0506FF, "yubikey-5", 0x03},
		{0x050700, "yubikey-5-7", 0x0A},
		{0xFFFFFF, "yubikey-5-7", 0x0A},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		struct card_evidence evidence = {.driver = "piv", .firmware = cards[i].firmware};
		_cleanup_card_type_ struct card_type *type =
			card_types_match(types_fixture(), &evidence);
		assert_non_null(type);
		assert_string_equal(type->name, cards[i].type);
		assert_int_equal(type->factory_admin_algorithm, cards[i].admin_algorithm);
	}
}

/* Answers to reset of real cards, from the sources that the types' notes name. */
static void cards_are_recognised_by_their_atr(void **state)
{
	static const struct {
		const char *atr, *type;
	} cards[] = {
		{"3bd596ff8191fe1fc34332333030cc", "hid-crescendo-2300"},
		{"3b7c1800004352455343454e444f383030", "hid-crescendo"},
		{"3b7f96000080318065b084565110120ffe829000", "idprime-830"},
		{"3b7f96000080318065b0846160fb120ffd829000", "idprime-930"},
		{"3bff9400008131fe4380318065b0846160fb120ffd8290000e", "idprime-930"},
		{"3bff9600008131fe4380318065b0855956fb120ffc82900002", "idprime-940"},
		{"3b7f96000080318065b085050039120ffe829000", "idprime-940"},
		{"3bff9600008131fe4380318065b0855956fb12017882900088", "etoken-5110"},
		{"3bff9600008131fe4380318065b0846566fb12017882900085", "etoken-5110-plus"},
		{"3bd5180081313a7d8073c8211030", "etoken-5110"},
		{"3b8c01805a4e6974726f6b657920337d", "nitrokey-3"},
		{"3b00", NULL},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		_cleanup_buffer_ struct buffer atr = BUFFER_INIT;
		assert_true(hex_decode(cards[i].atr, &atr));
		struct card_evidence evidence = {.atr = atr.data, .atr_length = atr.length};
		_cleanup_card_type_ struct card_type *type =
			card_types_match(types_fixture(), &evidence);
		if (cards[i].type ? !type || strcmp(type->name, cards[i].type) != 0 : type != NULL)
			fail_msg("%s is %s", cards[i].atr, type ? type->name : "nothing");
	}
}

/* Connects a card with the answers and, if not NULL, an answer to reset. */
static struct card *connect(const struct script_step *steps, const char *atr,
	struct card_type **type, struct error *error)
{
	struct transport *transport = transport_script_new(steps);
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	if (atr) {
		assert_true(hex_decode(atr, &bytes));
		memcpy(transport->atr, bytes.data, bytes.length);
		transport->atr_length = bytes.length;
	}
	return card_connect(transport, types_fixture(), NULL, type, error);
}

static void a_card_without_driver_is_recognised(void **state)
{
	static const struct script_step gids[] = {
		{"00a4040009a00000039742544659", "6f009000"}, {"", "6a82"}, {NULL, ""}};
	static const struct script_step nothing[] = {{NULL, "6a82"}, {NULL, ""}};
	static const struct {
		const struct script_step *steps;
		const char *atr, *type, *message;
	} cards[] = {
		{nothing, "3b7f96000080318065b0846160fb120ffd829000", "idprime-930",
			"this version has no driver pkcs11"},
		{gids, NULL, "gids", "this version has no driver gids"},
		{nothing, "3bd596ff8191fe1fc34332333030cc", "hid-crescendo-2300",
			"the application that the driver piv needs is not on it"},
		{nothing, NULL, NULL, "no known type"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		_cleanup_card_type_ struct card_type *type = NULL;
		assert_null(connect(cards[i].steps, cards[i].atr, &type, &error));
		assert_int_equal(error.code, ERROR_CARD_UNKNOWN);
		if (!strstr(error_message(&error), cards[i].message))
			fail_msg("%s", error_message(&error));
		assert_int_equal(type != NULL, cards[i].type != NULL);
		if (type)
			assert_string_equal(type->name, cards[i].type);
	}
}

/* It tells the same serial number and version on every device. */
static void a_nitrokey_is_not_believed_its_serial_number(void **state)
{
	static const struct script_step steps[] = {{"00a4", "61084f060000100001009000"},
		{"00fd", "0606069000"}, {"00f8", "0052f7439000"}, {"00f7", "9000"},
		{"00200080", "63c3"}, {NULL, ""}};
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_card_ struct card *card =
		connect(steps, "3b8c01805a4e6974726f6b657920337d", NULL, &error);
	(void)state;

	if (!card)
		fail_msg("%s", error_message(&error));
	assert_string_equal(card->info.type, "nitrokey-3");
	assert_string_equal(card->info.model, "Nitrokey 3");
	assert_null(card->info.serial);
	assert_int_equal(card->info.firmware, 0);
	assert_false(card->info.has_metadata);
	assert_false(card->info.can_attest);
	assert_true(card->info.can_set_admin_key);
}

static void every_shipped_type_is_there_once(void **state)
{
	size_t count;
	struct card_type **types = card_types_list(types_fixture(), &count);
	struct error error _cleanup_error_ = ERROR_INIT;
	(void)state;

	assert_int_equal(count, 17);
	for (size_t i = 0; i < count; i++) {
		_cleanup_card_type_ struct card_type *found =
			card_types_find(types_fixture(), types[i]->name);
		assert_ptr_equal(found, types[i]);
		assert_true(types[i]->is_shipped);
		assert_true(types[i]->notes != NULL);
		assert_true(i == 0 || strcmp(types[i - 1]->name, types[i]->name) < 0);
	}
	assert_false(card_types_add(types_fixture(), types[0], &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	card_types_list_free(types, count);
	assert_null(card_types_find(types_fixture(), "no-such-type"));
}

static void an_added_type_comes_before_a_shipped_one(void **state)
{
	static const char document[] =
		"{\"name\": \"zz\", \"title\": \"Ours\", \"manufacturer\": \"M\", \"driver\": "
		"\"piv\","
		" \"match\": {\"firmware\": {\"from\": \"5.4.3\", \"to\": \"5.4.3\"}}, \"pin\": "
		"{\"minimum-length\": 6, \"maximum-length\": 8}, \"keys\": {\"algorithms\": []}}";
	struct card_evidence evidence = {.driver = "piv", .firmware = 0x050403};
	_cleanup_card_type_ struct card_type *ours = card_type_parse(document, NULL);
	(void)state;

	assert_true(card_types_add(types_fixture(), ours, NULL));
	_cleanup_card_type_ struct card_type *found = card_types_match(types_fixture(), &evidence);
	assert_ptr_equal(found, ours);
	card_types_remove(types_fixture(), "zz");
	card_types_remove(types_fixture(), "zz");
	_cleanup_card_type_ struct card_type *after = card_types_match(types_fixture(), &evidence);
	assert_string_equal(after->name, "yubikey-5");
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
		cmocka_unit_test(cards_are_recognised_by_their_atr),
		cmocka_unit_test(a_card_without_driver_is_recognised),
		cmocka_unit_test(a_nitrokey_is_not_believed_its_serial_number),
		cmocka_unit_test(every_shipped_type_is_there_once),
		cmocka_unit_test(an_added_type_comes_before_a_shipped_one),
		cmocka_unit_test(management_keys_have_their_algorithm_s_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
