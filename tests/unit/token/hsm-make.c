/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects that programs make in an HSM, and what of them is theirs alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "lib/token-fixture.h"
#include "token/attributes.h"
#include "token/hsm-private.h"
#include "token/token-private.h"

struct fixture {
	struct token_fixture *own;
	struct hsm *hsm;
	struct hsm_owner *ada, *bob;
	struct secret pin;
};

static const char officer[] = "57721566";

/* One whose security officer has a PIN that we know. */
static void make_token(struct fixture *fixture)
{
	CK_FUNCTION_LIST *functions = fixture->own->token->module.functions;
	CK_UTF8CHAR label[32] = "web                             ";
	CK_SLOT_ID slots[8];
	CK_ULONG count = ARRAY_SIZE(slots);
	CK_SESSION_HANDLE session;

	assert_int_equal(functions->C_GetSlotList(CK_FALSE, slots, &count), CKR_OK);
	CK_SLOT_ID slot = slots[count - 1];
	CK_UTF8CHAR *pin = (CK_UTF8CHAR *)(uintptr_t)officer;
	assert_int_equal(functions->C_InitToken(slot, pin, strlen(officer), label), CKR_OK);
	functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
	assert_int_equal(functions->C_Login(session, CKU_SO, pin, strlen(officer)), CKR_OK);
	assert_int_equal(
		functions->C_InitPIN(session, fixture->pin.data, fixture->pin.length), CKR_OK);
	functions->C_Logout(session);
	functions->C_CloseSession(session);
}

static int setup(void **state)
{
	struct fixture *fixture = xnew(struct fixture);

	fixture->own = token_fixture_new();
	secret_set(&fixture->pin, "271828", 6);
	const struct hsm_options options = {.module = TOKEN_MODULE, .label = "web"};
	make_token(fixture);
	fixture->hsm = hsm_open(&options, NULL);
	if (!fixture->hsm)
		return -1;
	fixture->ada = hsm_owner_new(fixture->hsm);
	fixture->bob = hsm_owner_new(fixture->hsm);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	hsm_owner_free(fixture->ada);
	hsm_owner_free(fixture->bob);
	hsm_close(fixture->hsm);
	secret_clear(&fixture->pin);
	token_fixture_free(fixture->own);
	free(fixture);
	return 0;
}

static void log_in(struct fixture *fixture)
{
	bool changed;

	assert_true(hsm_login(fixture->hsm, &fixture->pin, &changed, NULL));
}

/* --- requests --- */

static void add_number(struct buffer *template, CK_ATTRIBUTE_TYPE type, CK_ULONG number)
{
	attributes_append(template, (uint32_t)type, &number, sizeof(number));
}

static void add_flag(struct buffer *template, CK_ATTRIBUTE_TYPE type, bool flag)
{
	CK_BBOOL value = flag;

	attributes_append(template, (uint32_t)type, &value, sizeof(value));
}

static void add_label(struct buffer *template, const char *label)
{
	attributes_append(template, CKA_LABEL, label, strlen(label));
}

/* An AES key of zeros that does everything. */
static void add_key(struct buffer *template, const char *label, bool stays, bool is_private)
{
	static const CK_ATTRIBUTE_TYPE can[] = {CKA_SIGN, CKA_VERIFY, CKA_ENCRYPT, CKA_DECRYPT,
		CKA_WRAP, CKA_UNWRAP, CKA_DERIVE, CKA_EXTRACTABLE};
	static const uint8_t zeros[16];

	add_number(template, CKA_CLASS, CKO_SECRET_KEY);
	add_number(template, CKA_KEY_TYPE, CKK_AES);
	add_flag(template, CKA_TOKEN, stays);
	add_flag(template, CKA_PRIVATE, is_private);
	add_flag(template, CKA_SENSITIVE, false);
	add_label(template, label);
	attributes_append(template, CKA_VALUE, zeros, sizeof(zeros));
	for (size_t i = 0; i < ARRAY_SIZE(can); i++)
		add_flag(template, can[i], true);
}

static bool call(struct fixture *fixture, struct hsm_owner *owner, struct hsm_request *request,
	const struct buffer *template, struct hsm_reply *reply, struct error *error)
{
	if (template)
		request->templates[0] = reader_of(template);
	return hsm_call(fixture->hsm, owner, request, reply, error);
}

static uint32_t make_key(struct fixture *fixture, struct hsm_owner *owner, const char *label,
	bool stays, bool is_private)
{
	struct buffer template _cleanup_buffer_ = BUFFER_INIT;
	struct hsm_request request = {.operation = HSM_CREATE};
	struct hsm_reply reply = {0};

	add_key(&template, label, stays, is_private);
	assert_true(call(fixture, owner, &request, &template, &reply, NULL));
	assert_int_equal(reply.changed, stays);
	return reply.numbers[0];
}

static bool encrypts(struct fixture *fixture, struct hsm_owner *owner, uint32_t key)
{
	static const uint8_t data[16] = {1};
	struct buffer output _cleanup_buffer_ = BUFFER_INIT;
	const struct hsm_request request = {.operation = HSM_ENCRYPT,
		.object = key,
		.mechanism = CKM_AES_ECB,
		.input = READER_INIT(data, sizeof(data))};
	struct hsm_reply reply = {.output = &output};

	return hsm_call(fixture->hsm, owner, &request, &reply, NULL) && output.length == 16;
}

static bool destroy(struct fixture *fixture, struct hsm_owner *owner, uint32_t object)
{
	const struct hsm_request request = {.operation = HSM_DESTROY, .object = object};
	struct hsm_reply reply = {0};

	return hsm_call(fixture->hsm, owner, &request, &reply, NULL);
}

/* The list is what the token would show now, with the same numbers. */
static void expect_list(struct fixture *fixture, size_t count)
{
	_cleanup_hsm_objects_ struct hsm_objects *known = hsm_objects(fixture->hsm);
	bool changed = false;

	assert_int_equal(known->count, count);
	assert_true(hsm_refresh(fixture->hsm, &changed, NULL));
	assert_false(changed);
	_cleanup_hsm_objects_ struct hsm_objects *read = hsm_objects(fixture->hsm);
	assert_int_equal(read->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(read->items[i]->number, known->items[i]->number);
		assert_true(hsm_object_is_same(read->items[i], known->items[i]));
		assert_true(i == 0 || known->items[i - 1]->number < known->items[i]->number);
	}
}

static const char *label_of(struct fixture *fixture, uint32_t number)
{
	static char label[64];
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(fixture->hsm);
	const struct hsm_object *object = hsm_objects_find(objects, number);

	strncpy(label, object ? object->label : "nothing", sizeof(label) - 1);
	return label;
}

/* --- tests --- */

static void the_list_follows_what_is_made_and_destroyed(void **state)
{
	struct fixture *fixture = *state;
	uint32_t keys[20];

	log_in(fixture);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		keys[i] = make_key(fixture, NULL, "key", true, i % 2);
	expect_list(fixture, ARRAY_SIZE(keys));
	/* Who looks at the list while it changes sees what was. */
	_cleanup_hsm_objects_ struct hsm_objects *before = hsm_objects(fixture->hsm);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i += 2)
		assert_true(destroy(fixture, NULL, keys[i]));
	assert_int_equal(before->count, ARRAY_SIZE(keys));
	assert_non_null(hsm_objects_find(before, keys[0]));
	expect_list(fixture, ARRAY_SIZE(keys) / 2);
	assert_false(destroy(fixture, NULL, keys[0]));
	assert_false(encrypts(fixture, NULL, keys[0]));
	assert_true(encrypts(fixture, NULL, keys[1]));
	assert_true(make_key(fixture, NULL, "new", true, true) > keys[19]);
	hsm_logout(fixture->hsm);
}

static void a_changed_object_keeps_its_number(void **state)
{
	struct fixture *fixture = *state;
	struct buffer template _cleanup_buffer_ = BUFFER_INIT;
	struct hsm_reply reply = {0};

	log_in(fixture);
	uint32_t first = make_key(fixture, NULL, "first", true, true);
	uint32_t second = make_key(fixture, NULL, "second", true, true);
	struct hsm_request request = {.operation = HSM_SET_ATTRIBUTES, .object = first};
	add_label(&template, "changed");
	assert_true(call(fixture, NULL, &request, &template, &reply, NULL));
	assert_true(reply.changed);
	assert_int_equal(reply.numbers[0], first);
	assert_string_equal(label_of(fixture, first), "changed");
	assert_string_equal(label_of(fixture, second), "second");
	expect_list(fixture, 2);
	hsm_logout(fixture->hsm);
}

static void a_copy_is_an_object_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct buffer template _cleanup_buffer_ = BUFFER_INIT;
	struct hsm_reply reply = {0};

	log_in(fixture);
	struct hsm_request request = {
		.operation = HSM_COPY, .object = make_key(fixture, NULL, "origin", true, true)};
	add_label(&template, "copy");
	assert_true(call(fixture, fixture->ada, &request, &template, &reply, NULL));
	assert_string_equal(label_of(fixture, reply.numbers[0]), "copy");
	assert_true(destroy(fixture, NULL, request.object));
	assert_true(encrypts(fixture, NULL, reply.numbers[0]));
	expect_list(fixture, 1);
	hsm_logout(fixture->hsm);
}

static void key_pairs_show_as_two_objects(void **state)
{
	static const uint8_t p256[] = {6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7};
	struct fixture *fixture = *state;
	struct buffer public_key _cleanup_buffer_ = BUFFER_INIT;
	struct buffer private_key _cleanup_buffer_ = BUFFER_INIT;
	struct hsm_request request = {
		.operation = HSM_GENERATE_PAIR, .mechanism = CKM_EC_KEY_PAIR_GEN};
	struct hsm_reply reply = {0};

	log_in(fixture);
	add_flag(&public_key, CKA_TOKEN, true);
	attributes_append(&public_key, CKA_EC_PARAMS, p256, sizeof(p256));
	add_flag(&private_key, CKA_TOKEN, false);
	request.templates[0] = reader_of(&public_key);
	request.templates[1] = reader_of(&private_key);
	/* One stays, and the other one is the owner's. */
	assert_true(hsm_call(fixture->hsm, fixture->ada, &request, &reply, NULL));
	assert_true(reply.numbers[0] < HSM_SESSION_OBJECT);
	assert_true(reply.numbers[1] > HSM_SESSION_OBJECT);
	expect_list(fixture, 1);
	hsm_logout(fixture->hsm);
}

static void what_does_not_stay_is_its_owners_alone(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	uint32_t ours = make_key(fixture, fixture->ada, "ada's", false, true);
	uint32_t theirs = make_key(fixture, fixture->bob, "bob's", false, true);
	assert_true(ours > HSM_SESSION_OBJECT);
	expect_list(fixture, 0);
	/* The numbers are each owner's own: the same one is another key. */
	assert_int_equal(ours, theirs);
	assert_true(encrypts(fixture, fixture->ada, ours));
	assert_false(encrypts(fixture, NULL, ours));
	assert_true(destroy(fixture, fixture->bob, theirs));
	assert_false(encrypts(fixture, fixture->bob, theirs));
	assert_true(encrypts(fixture, fixture->ada, ours));
	assert_false(destroy(fixture, fixture->bob, ours));
	hsm_logout(fixture->hsm);
}

static void objects_end_with_their_owner(void **state)
{
	struct fixture *fixture = *state;
	CK_OBJECT_HANDLE found[4];
	CK_ULONG count = 0;
	_cleanup_session_ struct session session = SESSION_INIT;

	log_in(fixture);
	for (int i = 0; i < 3; i++)
		make_key(fixture, fixture->ada, "short", false, i % 2);
	assert_int_equal(fixture->hsm->owners, 1);
	hsm_owner_free(fixture->ada);
	fixture->ada = NULL;
	assert_int_equal(fixture->hsm->owners, 0);
	/* The token itself has none left. */
	assert_true(session_take(fixture->hsm->sessions, &session, NULL));
	assert_int_equal(session.functions->C_FindObjectsInit(session.handle, NULL, 0), CKR_OK);
	session.functions->C_FindObjects(session.handle, found, 4, &count);
	session.functions->C_FindObjectsFinal(session.handle);
	session_return(&session);
	assert_int_equal(count, 0);
	hsm_logout(fixture->hsm);
}

static void private_ones_end_with_the_login(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	log_in(fixture); /* another client's */
	uint32_t hidden = make_key(fixture, fixture->ada, "private", false, true);
	uint32_t open = make_key(fixture, fixture->ada, "public", false, false);
	uint32_t other = make_key(fixture, fixture->bob, "private", false, true);
	hsm_owner_logout(fixture->ada);
	hsm_logout(fixture->hsm);
	assert_false(encrypts(fixture, fixture->ada, hidden));
	assert_true(encrypts(fixture, fixture->ada, open));
	assert_true(encrypts(fixture, fixture->bob, other));
	hsm_logout(fixture->hsm);
}

/* A token that has lost an object is not logged in anew for that: it would end all that is private.
 */
static void an_object_that_has_gone_takes_no_others_along(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_session_ struct session session = SESSION_INIT;

	log_in(fixture);
	uint32_t gone = make_key(fixture, NULL, "gone", true, true);
	uint32_t kept = make_key(fixture, fixture->ada, "kept", false, true);
	_cleanup_hsm_object_ struct hsm_object *object = hsm_find_object(fixture->hsm, NULL, gone);
	assert_true(session_take(fixture->hsm->sessions, &session, NULL));
	assert_int_equal(
		session.functions->C_DestroyObject(session.handle, object->handle), CKR_OK);
	session_return(&session);
	assert_false(encrypts(fixture, NULL, gone));
	assert_true(encrypts(fixture, fixture->ada, kept));
	expect_list(fixture, 0);
	hsm_logout(fixture->hsm);
}

static void an_owner_has_a_limit(void **state)
{
	struct fixture *fixture = *state;
	struct buffer template _cleanup_buffer_ = BUFFER_INIT;
	struct hsm_request request = {.operation = HSM_CREATE};
	struct hsm_reply reply = {0};
	struct error error _cleanup_error_ = ERROR_INIT;

	add_number(&template, CKA_CLASS, CKO_DATA);
	add_flag(&template, CKA_PRIVATE, false);
	for (int i = 0; i < 1000; i++)
		assert_true(call(fixture, fixture->ada, &request, &template, &reply, NULL));
	assert_false(call(fixture, fixture->ada, &request, &template, &reply, &error));
	assert_int_equal(error.code, ERROR_TOKEN_REFUSED);
	assert_int_equal(error.ckr, CKR_DEVICE_MEMORY);
	assert_true(call(fixture, fixture->bob, &request, &template, &reply, NULL));
	/* Nobody's objects are not made. */
	assert_false(call(fixture, NULL, &request, &template, &reply, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
}

static void a_refusal_has_the_tokens_own_value(void **state)
{
	struct fixture *fixture = *state;
	struct buffer template _cleanup_buffer_ = BUFFER_INIT;
	struct hsm_request request = {.operation = HSM_CREATE};
	struct hsm_reply reply = {0};
	struct error error _cleanup_error_ = ERROR_INIT;

	/* No class. */
	assert_false(call(fixture, fixture->ada, &request, &template, &reply, &error));
	assert_int_equal(error.code, ERROR_TOKEN_REFUSED);
	assert_int_equal(error.ckr, CKR_TEMPLATE_INCOMPLETE);
	add_key(&template, "nobody is logged in", true, true);
	assert_false(call(fixture, fixture->ada, &request, &template, &reply, &error));
	assert_int_equal(error.code, ERROR_PIN_REQUIRED);
}

/* --- PINs --- */

static bool do_pin(struct fixture *fixture, enum hsm_operation operation, const char *pin,
	const char *new_pin, struct error *error)
{
	_cleanup_secret_ struct secret old = SECRET_INIT, fresh = SECRET_INIT;
	const struct hsm_request request = {.operation = operation, .pin = &old, .new_pin = &fresh};
	struct hsm_reply reply = {0};

	secret_set(&old, pin, strlen(pin));
	if (new_pin)
		secret_set(&fresh, new_pin, strlen(new_pin));
	return hsm_call(fixture->hsm, NULL, &request, &reply, error);
}

static void expect_pin_refusal(struct fixture *fixture, enum hsm_operation operation,
	const char *pin, const char *new_pin, enum error_code code, CK_RV ckr)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_false(do_pin(fixture, operation, pin, new_pin, &error));
	assert_int_equal(error.code, code);
	if (ckr)
		assert_int_equal(error.ckr, ckr);
}

static bool has_user_pin(struct fixture *fixture)
{
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};

	hsm_information(fixture->hsm, &information);
	return information.has_user_pin;
}

static void the_officer_sets_the_pin_of_a_token_nobody_uses(void **state)
{
	struct fixture *fixture = *state;

	assert_true(do_pin(fixture, HSM_CHECK_SO_PIN, officer, NULL, NULL));
	expect_pin_refusal(fixture, HSM_CHECK_SO_PIN, "314159", NULL, ERROR_PIN_WRONG, 0);
	expect_pin_refusal(fixture, HSM_INIT_PIN, "314159", "161803", ERROR_PIN_WRONG, 0);
	expect_pin_refusal(fixture, HSM_INIT_PIN, officer, "1", ERROR_PIN_LENGTH, 0);
	log_in(fixture);
	expect_pin_refusal(fixture, HSM_INIT_PIN, officer, "161803", ERROR_TOKEN_REFUSED,
		CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	hsm_logout(fixture->hsm);
	assert_true(do_pin(fixture, HSM_INIT_PIN, officer, "161803", NULL));
	secret_set(&fixture->pin, "161803", 6);
	log_in(fixture);
	hsm_logout(fixture->hsm);
}

static void the_officer_changes_the_own_pin(void **state)
{
	struct fixture *fixture = *state;

	expect_pin_refusal(fixture, HSM_SET_SO_PIN, "314159", "16180339", ERROR_PIN_WRONG, 0);
	expect_pin_refusal(fixture, HSM_SET_SO_PIN, officer, "1", ERROR_PIN_LENGTH, 0);
	log_in(fixture);
	expect_pin_refusal(fixture, HSM_SET_SO_PIN, officer, "16180339", ERROR_TOKEN_REFUSED,
		CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	hsm_logout(fixture->hsm);
	assert_true(do_pin(fixture, HSM_SET_SO_PIN, officer, "16180339", NULL));
	expect_pin_refusal(fixture, HSM_CHECK_SO_PIN, officer, NULL, ERROR_PIN_WRONG, 0);
	assert_true(do_pin(fixture, HSM_CHECK_SO_PIN, "16180339", NULL, NULL));
	/* The user's is what it was. */
	log_in(fixture);
	hsm_logout(fixture->hsm);
}

static void who_is_logged_in_stays_so_when_the_pin_changes(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	uint32_t key = make_key(fixture, NULL, "key", true, true);
	expect_pin_refusal(fixture, HSM_SET_PIN, "314159", "161803", ERROR_PIN_WRONG, 0);
	assert_true(do_pin(fixture, HSM_SET_PIN, "271828", "161803", NULL));
	assert_true(encrypts(fixture, NULL, key));
	/* Also when the token loses the login. */
	session_pool_logout(fixture->hsm->sessions);
	assert_true(encrypts(fixture, NULL, key));
	hsm_logout(fixture->hsm);
}

static void expect_no_pin_yet(struct fixture *fixture)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	bool changed;

	assert_false(hsm_login(fixture->hsm, &fixture->pin, &changed, &error));
	assert_int_equal(error.code, ERROR_TOKEN_REFUSED);
	assert_int_equal(error.ckr, CKR_USER_PIN_NOT_INITIALIZED);
}

static void a_token_is_begun_anew_when_nobody_uses_it(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	uint32_t key = make_key(fixture, NULL, "key", true, false);
	expect_pin_refusal(
		fixture, HSM_INIT_TOKEN, officer, NULL, ERROR_TOKEN_REFUSED, CKR_SESSION_EXISTS);
	hsm_logout(fixture->hsm);
	make_key(fixture, fixture->ada, "ada's", false, false);
	expect_pin_refusal(
		fixture, HSM_INIT_TOKEN, officer, NULL, ERROR_TOKEN_REFUSED, CKR_SESSION_EXISTS);
	hsm_owner_free(fixture->ada);
	fixture->ada = NULL;
	expect_pin_refusal(fixture, HSM_INIT_TOKEN, "314159", NULL, ERROR_PIN_WRONG, 0);
	assert_true(encrypts(fixture, NULL, key));
	assert_true(has_user_pin(fixture));
	assert_true(do_pin(fixture, HSM_INIT_TOKEN, officer, NULL, NULL));
	expect_list(fixture, 0);
	assert_false(has_user_pin(fixture));
	expect_no_pin_yet(fixture);
	assert_true(do_pin(fixture, HSM_INIT_PIN, officer, "161803", NULL));
	assert_true(has_user_pin(fixture));
	secret_set(&fixture->pin, "161803", 6);
	log_in(fixture);
	make_key(fixture, NULL, "key", true, true);
	expect_list(fixture, 1);
	hsm_logout(fixture->hsm);
}

/* --- threads --- */

struct maker {
	struct fixture *fixture;
	struct hsm_owner *owner;
	unsigned failures;
};

static void *make_and_destroy(void *argument)
{
	struct maker *maker = argument;
	struct fixture *fixture = maker->fixture;

	for (int i = 0; i < 15; i++) {
		uint32_t stays = make_key(fixture, maker->owner, "stays", true, true);
		uint32_t ends = make_key(fixture, maker->owner, "ends", false, true);
		maker->failures += !encrypts(fixture, maker->owner, ends);
		maker->failures += !encrypts(fixture, maker->owner, stays);
		maker->failures += !destroy(fixture, maker->owner, ends);
		maker->failures += i % 3 != 0 && !destroy(fixture, maker->owner, stays);
	}
	return NULL;
}

static void threads_make_and_destroy_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct maker makers[4] = {{fixture, fixture->ada, 0}, {fixture, fixture->ada, 0},
		{fixture, fixture->bob, 0}, {fixture, fixture->bob, 0}};
	pthread_t threads[4];
	bool changed;

	log_in(fixture);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, make_and_destroy, &makers[i]);
	for (int i = 0; i < 20; i++)
		assert_true(hsm_refresh(fixture->hsm, &changed, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(makers[i].failures, 0);
	}
	expect_list(fixture, 4 * 5);
	hsm_logout(fixture->hsm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_list_follows_what_is_made_and_destroyed),
		TEST(a_changed_object_keeps_its_number),
		TEST(a_copy_is_an_object_of_its_own),
		TEST(key_pairs_show_as_two_objects),
		TEST(what_does_not_stay_is_its_owners_alone),
		TEST(objects_end_with_their_owner),
		TEST(private_ones_end_with_the_login),
		TEST(an_object_that_has_gone_takes_no_others_along),
		TEST(an_owner_has_a_limit),
		TEST(a_refusal_has_the_tokens_own_value),
		TEST(the_officer_sets_the_pin_of_a_token_nobody_uses),
		TEST(the_officer_changes_the_own_pin),
		TEST(who_is_logged_in_stays_so_when_the_pin_changes),
		TEST(a_token_is_begun_anew_when_nobody_uses_it),
		TEST(threads_make_and_destroy_at_once),
	};

	return cmocka_run_group_tests_name("token/hsm-make", tests, NULL, NULL);
}
