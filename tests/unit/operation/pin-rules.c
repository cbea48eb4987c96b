/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules beside a real store and a real token; of the card only its limits are asked. */
#include "operation/pin-rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "common/alloc.h"
#include "lib/token-fixture.h"
#include "operation/pin-history.h"

#define KEY_LABEL "tessera pin history"

static struct token_fixture *token;
static struct services services;
static struct card card = {.info = {.pin_minimum = 6, .pin_maximum = 8}};

static int set_up(void **state)
{
	(void)state;
	token = token_fixture_new();
	_cleanup_free_ char *path = xasprintf("%s/store.db", token->folder);
	services = (struct services){.token = token->token, .store = store_open(path, NULL)};
	return services.store ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(services.store);
	token_fixture_free(token);
	return 0;
}

static struct credential *add_credential(const char *serial)
{
	struct credential *credential = xnew(struct credential);

	credential->serial = xstrdup(serial);
	credential->card_type = xstrdup("piv");
	credential->state = LIFECYCLE_ACTIVE;
	assert_true(store_credential_save(services.store, credential, NULL));
	return credential;
}

/* What the rules say of the PIN; one that they allow is recorded as set. */
static enum error_code set_pin(struct pin_rules *rules, const char *text)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct pin_record record;
	int64_t id = rules->credential->id;

	secret_set(&pin, text, strlen(text));
	if (!pin_rules_check(rules, &pin, &record, &error))
		return error.code;
	assert_true(store_pin_add(services.store, id, &record, NULL));
	assert_true(store_pin_confirm(
		services.store, id, record.id, pin_history_length(rules->policy), NULL));
	return ERROR_NONE;
}

static void load(struct pin_rules *rules, const struct credential *credential,
	const struct pin_policy *policy)
{
	assert_true(pin_rules_load(rules, &services, credential, &card, NULL));
	rules->policy = policy;
}

static void none_of_the_last_pins_comes_again(void **state)
{
	static const struct pin_policy policy = {
		.minimum_length = 6, .maximum_length = 8, .characters = PIN_DIGITS, .history = 2};
	_cleanup_credential_ struct credential *credential = add_credential("history");
	struct pin_rules rules _cleanup_pin_rules_ = PIN_RULES_INIT;

	(void)state;
	load(&rules, credential, &policy);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_NONE);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_PIN_POLICY);
	assert_int_equal(set_pin(&rules, "314159"), ERROR_NONE);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_PIN_POLICY);
	assert_int_equal(set_pin(&rules, "161803"), ERROR_NONE);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_NONE);
}

static void with_an_age_alone_the_present_pin_is_no_new_one(void **state)
{
	static const struct pin_policy policy = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_DIGITS,
		.maximum_age_days = 1};
	_cleanup_credential_ struct credential *credential = add_credential("age");
	struct pin_rules rules _cleanup_pin_rules_ = PIN_RULES_INIT;

	(void)state;
	load(&rules, credential, &policy);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_NONE);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_PIN_POLICY);
	assert_int_equal(set_pin(&rules, "314159"), ERROR_NONE);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_NONE);
}

/* As docs/security.md describes it, by another implementation. */
static void expected_tag(const char *serial, const struct pin_record *record, const char *pin,
	const uint8_t key[32], uint8_t tag[16])
{
	struct buffer data _cleanup_buffer_ = BUFFER_INIT;
	char cipher[] = "AES-256-CBC";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_end()};
	size_t length = 0;

	buffer_append(&data, serial, strlen(serial) + 1);
	buffer_append(&data, record->salt, sizeof(record->salt));
	buffer_append_string(&data, pin);
	assert_non_null(EVP_Q_mac(NULL, "CMAC", NULL, NULL, parameters, key, 32, data.data,
		data.length, tag, 16, &length));
	assert_int_equal(length, 16);
}

static void the_record_is_a_salted_mac(void **state)
{
	static const struct pin_policy policy = {
		.minimum_length = 6, .maximum_length = 8, .characters = PIN_DIGITS, .history = 1};
	_cleanup_credential_ struct credential *credential = add_credential("mac");
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct pin_record one, other;
	uint8_t key[32], tag[16];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	assert_true(token_destroy(token->token, KEY_LABEL, NULL));
	token_fixture_import_aes(token, KEY_LABEL, key, sizeof(key));
	secret_set(&pin, "271828", 6);
	assert_true(pin_history_check(&services, credential, &policy, &pin, &one, NULL));
	assert_true(pin_history_check(&services, credential, &policy, &pin, &other, NULL));
	assert_memory_not_equal(one.salt, other.salt, sizeof(one.salt));
	assert_memory_not_equal(one.tag, other.tag, sizeof(one.tag));
	expected_tag("mac", &one, "271828", key, tag);
	assert_memory_equal(one.tag, tag, sizeof(tag));
}

static void without_the_token_there_is_no_history(void **state)
{
	static const struct pin_policy policy = {
		.minimum_length = 6, .maximum_length = 8, .characters = PIN_DIGITS, .history = 1};
	_cleanup_credential_ struct credential *credential = add_credential("locked");
	struct pin_rules rules _cleanup_pin_rules_ = PIN_RULES_INIT;

	(void)state;
	load(&rules, credential, &policy);
	services.token = NULL;
	assert_int_equal(set_pin(&rules, "271828"), ERROR_LOCKED);
	rules.policy = &pin_policy_default;
	assert_int_equal(set_pin(&rules, "271828"), ERROR_NONE);
	services.token = token->token;
}

/* The PIN gets a date while the token is locked; what is remembered of it is no PIN's. */
static void without_the_token_a_pin_has_its_age(void **state)
{
	static const struct pin_policy policy = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_DIGITS,
		.maximum_age_days = 1};
	_cleanup_credential_ struct credential *credential = add_credential("dated");
	struct pin_rules rules _cleanup_pin_rules_ = PIN_RULES_INIT;
	_cleanup_free_ struct pin_record *records = NULL;
	size_t count = 0;

	(void)state;
	load(&rules, credential, &policy);
	services.token = NULL;
	assert_int_equal(set_pin(&rules, "271828"), ERROR_NONE);
	services.token = token->token;
	assert_true(store_pin_list(services.store, credential->id, &records, &count, NULL));
	assert_int_equal(count, 1);
	assert_true(records[0].set_at > 0);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_NONE);
	assert_int_equal(set_pin(&rules, "271828"), ERROR_PIN_POLICY);
}

static void the_serial_of_the_card_is_the_holders_too(void **state)
{
	static const struct pin_policy policy = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_DIGITS,
		.refuses_holder_data = true};
	_cleanup_credential_ struct credential *credential = add_credential("yubikey-10245789");
	struct pin_rules rules _cleanup_pin_rules_ = PIN_RULES_INIT;

	(void)state;
	load(&rules, credential, &policy);
	assert_int_equal(set_pin(&rules, "024578"), ERROR_PIN_POLICY);
	assert_int_equal(set_pin(&rules, "024587"), ERROR_NONE);
}

static void made_pins_keep_the_rules(void **state)
{
	static const struct {
		struct pin_policy policy;
		size_t length;
	} cases[] = {
		{{.minimum_length = 6, .maximum_length = 8, .characters = PIN_DIGITS}, 6},
		{{.minimum_length = 8, .maximum_length = 8, .characters = PIN_ANY}, 8},
		{{.minimum_length = 6,
			 .maximum_length = 8,
			 .characters = PIN_DIGITS,
			 .maximum_repeats = 1,
			 .maximum_sequence = 1},
			6},
		{{.minimum_length = 6,
			 .maximum_length = 8,
			 .characters = PIN_ANY,
			 .required = {2, 4, 2, 1, 2}},
			8},
		{{.minimum_length = 7,
			 .maximum_length = 8,
			 .characters = PIN_ANY,
			 .required = {[PIN_CLASS_SPECIAL] = 8}},
			8},
		{{.minimum_length = 6,
			 .maximum_length = 6,
			 .characters = PIN_ALPHANUMERIC,
			 .required = {[PIN_CLASS_UPPER] = 6}},
			6},
	};
	_cleanup_credential_ struct credential *credential = add_credential("made");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pin_rules rules _cleanup_pin_rules_ = PIN_RULES_INIT;
		load(&rules, credential, &cases[i].policy);
		for (unsigned n = 0; n < 50; n++) {
			struct secret pin _cleanup_secret_ = SECRET_INIT;
			struct error error _cleanup_error_ = ERROR_INIT;
			struct pin_record record;
			if (!pin_rules_generate(&rules, &pin, &record, &error) ||
				!pin_rules_check(&rules, &pin, &record, &error))
				fail_msg("policy %zu: %s", i, error_message(&error));
			assert_int_equal(pin.length, cases[i].length);
		}
	}
}

/* Chi-square of the digits of many PINs; 1 in 100000 fair generators is beyond the limit. */
static void made_digits_are_equally_likely(void **state)
{
	static const struct pin_policy policy = {
		.minimum_length = 8, .maximum_length = 8, .characters = PIN_DIGITS};
	_cleanup_credential_ struct credential *credential = add_credential("fair");
	struct pin_rules rules _cleanup_pin_rules_ = PIN_RULES_INIT;
	unsigned counts[10] = {0}, rounds = 1000;
	double square = 0, expected = rounds * 8 / 10.0;

	(void)state;
	load(&rules, credential, &policy);
	for (unsigned n = 0; n < rounds; n++) {
		struct secret pin _cleanup_secret_ = SECRET_INIT;
		struct pin_record record;
		assert_true(pin_rules_generate(&rules, &pin, &record, NULL));
		for (size_t i = 0; i < pin.length; i++)
			counts[pin.data[i] - '0']++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		square += (counts[i] - expected) * (counts[i] - expected) / expected;
	assert_true(square < 39.3);
}

static void rules_that_leave_no_pin_are_told(void **state)
{
	static const struct pin_policy policy = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_DIGITS,
		.required = {[PIN_CLASS_SPECIAL] = 1}};
	_cleanup_credential_ struct credential *credential = add_credential("none");
	struct pin_rules rules _cleanup_pin_rules_ = PIN_RULES_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct pin_record record;

	(void)state;
	load(&rules, credential, &policy);
	assert_false(pin_rules_generate(&rules, &pin, &record, &error));
	assert_int_equal(error.code, ERROR_PIN_POLICY);
	assert_false(secret_is_set(&pin));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_of_the_last_pins_comes_again),
		cmocka_unit_test(with_an_age_alone_the_present_pin_is_no_new_one),
		cmocka_unit_test(the_record_is_a_salted_mac),
		cmocka_unit_test(without_the_token_there_is_no_history),
		cmocka_unit_test(without_the_token_a_pin_has_its_age),
		cmocka_unit_test(the_serial_of_the_card_is_the_holders_too),
		cmocka_unit_test(made_pins_keep_the_rules),
		cmocka_unit_test(made_digits_are_equally_likely),
		cmocka_unit_test(rules_that_leave_no_pin_are_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
