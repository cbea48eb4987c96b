/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/key-backup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "common/alloc.h"

/* A backup for two cards, with two versions. */
static void make(struct key_backup *backup)
{
	*backup = (struct key_backup){.id = "sixteen bytes id",
		.store_id = xstrdup("00112233445566778899aabbccddeeff"),
		.token_label = xstrdup("tessera"),
		.made_at = 1700000000,
		.needed = 2,
		.versions = xcalloc(2, sizeof(*backup->versions)),
		.version_count = 2,
		.cards = xcalloc(2, sizeof(*backup->cards)),
		.card_count = 2};
	backup->versions[0] = (struct key_backup_version){1, {1, 2, 3}};
	backup->versions[1] = (struct key_backup_version){3, {4, 5, 6}};
	for (size_t i = 0; i < 2; i++) {
		backup->cards[i].serial = xasprintf("yubikey-%zu", i + 1);
		backup->cards[i].operator_id = xstrdup(i == 0 ? "K7M2P" : "");
		buffer_fill(&backup->cards[i].certificate, 0x30, 10 + i);
		buffer_fill(&backup->cards[i].sealed, 0x31, 20 + i);
	}
	buffer_fill(&backup->data, 0x55, 99);
}

static char *sample(void)
{
	struct key_backup backup _cleanup_key_backup_ = KEY_BACKUP_INIT;

	make(&backup);
	char *text = key_backup_format(&backup, NULL);
	assert_non_null(text);
	return text;
}

static void a_document_comes_back(void **state)
{
	struct key_backup backup _cleanup_key_backup_ = KEY_BACKUP_INIT;
	struct key_backup read _cleanup_key_backup_ = KEY_BACKUP_INIT;
	_cleanup_free_ char *text = sample();

	(void)state;
	make(&backup);
	assert_true(key_backup_parse(text, &read, NULL));
	assert_memory_equal(read.id, backup.id, sizeof(read.id));
	assert_string_equal(read.store_id, backup.store_id);
	assert_string_equal(read.token_label, "tessera");
	assert_int_equal(read.made_at, 1700000000);
	assert_int_equal(read.needed, 2);
	assert_int_equal(key_backup_newest(&read), 3);
	assert_int_equal(read.card_count, 2);
	assert_int_equal(read.cards[1].sealed.length, 21);
	assert_int_equal(read.data.length, 99);
	assert_int_equal(key_backup_find_card(&read, "yubikey-2"), 1);
	assert_int_equal(key_backup_find_card(&read, "yubikey-3"), 2);
	_cleanup_free_ char *cards = key_backup_cards_text(&read);
	assert_string_equal(cards, "yubikey-1 (K7M2P), yubikey-2");
	_cleanup_free_ char *one = key_backup_associated(&backup);
	_cleanup_free_ char *other = key_backup_associated(&read);
	assert_string_equal(one, other);
	assert_null(strstr(one, "\"data\""));
}

/* Sets the value at a place of the document: a member, or an element and a member of it. */
static char *changed(const char *member, int index, const char *inner, const char *value)
{
	_cleanup_free_ char *text = sample();
	json_t *document = json_loads(text, 0, NULL);
	json_t *object =
		inner ? json_array_get(json_object_get(document, member), (size_t)index) : document;
	json_t *replacement = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;

	assert_true(!value || replacement);
	if (replacement)
		json_object_set_new(object, inner ? inner : member, replacement);
	else
		json_object_del(object, inner ? inner : member);
	char *result = json_dumps(document, 0);
	json_decref(document);
	return result;
}

static void wrong_members_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *member;
		int index;
		const char *inner, *value, *field;
	} cases[] = {
		{"format", 0, NULL, "\"something\"", "/format"},
		{"format-version", 0, NULL, "2", "/format-version"},
		{"format-version", 0, NULL, "\"1\"", "/format-version"},
		{"id", 0, NULL, "\"00\"", "/id"},
		{"id", 0, NULL, "\"zz112233445566778899aabbccddeeff\"", "/id"},
		{"store", 0, NULL, NULL, "/store"},
		{"token", 0, NULL, "\"\"", "/token"},
		{"made-at", 0, NULL, "-1", "/made-at"},
		{"needed", 0, NULL, "0", "/needed"},
		{"needed", 0, NULL, "3", "/needed"},
		{"needed", 0, NULL, "1.5", "/needed"},
		{"master-keys", 0, NULL, "[]", "/master-keys"},
		{"master-keys", 1, "version", "1", "/master-keys/1/version"},
		{"master-keys", 0, "version", "0", "/master-keys/0/version"},
		{"master-keys", 0, "key-check-value", "\"0102\"", "/master-keys/0/key-check-value"},
		{"cards", 0, NULL, "[]", "/cards"},
		{"cards", 0, NULL, "{}", "/cards"},
		{"cards", 1, "serial", "\"yubikey-1\"", "/cards/1"},
		{"cards", 1, "serial", "\"\"", "/cards/1/serial"},
		{"cards", 1, "sealed", "\"AAA\"", "/cards/1/sealed"},
		{"cards", 1, "sealed", "\"AAA!\"", "/cards/1/sealed"},
		{"cards", 1, "sealed", "\"AAB=\"", "/cards/1/sealed"},
		{"cards", 1, "sealed", "\"AA AA\"", "/cards/1/sealed"},
		{"cards", 1, "sealed", "\"====\"", "/cards/1/sealed"},
		{"cards", 1, "secret", "\"x\"", "/cards/1/secret"},
		{"data", 0, NULL, "\"\"", "/data"},
		{"data", 0, NULL, "null", "/data"},
		{"more", 0, NULL, "1", "/more"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct key_backup read _cleanup_key_backup_ = KEY_BACKUP_INIT;
		struct error error _cleanup_error_ = ERROR_INIT;
		_cleanup_free_ char *text =
			changed(cases[i].member, cases[i].index, cases[i].inner, cases[i].value);
		if (key_backup_parse(text, &read, &error))
			fail_msg("case %zu was taken", i);
		assert_int_equal(error.code, ERROR_DATA_INVALID);
		if (strcmp(error.field ? error.field : "", cases[i].field) != 0)
			fail_msg("case %zu: %s: %s", i, error.field, error_message(&error));
	}
}

static void a_cut_or_changed_text_breaks_nothing(void **state)
{
	_cleanup_free_ char *text = sample();
	size_t length = strlen(text);

	(void)state;
	srandom(1);
	for (unsigned round = 0; round < 20000; round++) {
		struct key_backup read _cleanup_key_backup_ = KEY_BACKUP_INIT;
		_cleanup_free_ char *copy = xstrdup(text);
		for (unsigned i = 0; i < 1 + round % 4; i++)
			copy[(size_t)random() % length] = (char)random();
		if (round % 3 == 0)
			copy[(size_t)random() % length] = '\0';
		if (key_backup_parse(copy, &read, NULL)) {
			_cleanup_free_ char *again = key_backup_format(&read, NULL);
			assert_non_null(again);
			assert_true(read.needed >= 1 && read.needed <= read.card_count);
		}
	}
}

static void too_much_is_refused(void **state)
{
	struct key_backup backup _cleanup_key_backup_ = KEY_BACKUP_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *long_text = xcalloc(KEY_BACKUP_SIZE_MAXIMUM + 2, 1);

	(void)state;
	make(&backup);
	buffer_fill(&backup.data, 1, KEY_BACKUP_SIZE_MAXIMUM);
	assert_null(key_backup_format(&backup, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
	memset(long_text, ' ', KEY_BACKUP_SIZE_MAXIMUM + 1);
	assert_false(key_backup_parse(long_text, &backup, &error));
	memset(long_text, '[', KEY_BACKUP_SIZE_MAXIMUM);
	assert_false(key_backup_parse(long_text, &backup, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_comes_back),
		cmocka_unit_test(wrong_members_are_refused_with_their_place),
		cmocka_unit_test(a_cut_or_changed_text_breaks_nothing),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests_name("model/key-backup", tests, NULL, NULL);
}
