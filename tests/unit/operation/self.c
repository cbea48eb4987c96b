/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One-time codes, lock-outs and whose a card is, by the store alone; tests/e2e has them with cards.
 */
#include "operation/self.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "operation/login.h"
#include "operation/self-code.h"
#include "operation/self-private.h"
#include "operation/self-rights.h"
#include "unit/operation/fake-directory.h"
#include "unit/store/fixture.h"

#define DOCUMENT                                                                                   \
	"{\"name\": \"staff\", \"card-type\": \"piv\", \"keys\": [{\"slot\": \"signature\","       \
	" \"algorithm\": \"ec-p256\"}], \"self-service\": {\"unblock\": [\"code\"],"               \
	" \"retire\": [\"code\", \"user-id\"], \"system-users\": \"directory\"}}"

/* Of people of the fake directory. */
#define OFFICE                                                                                     \
	"{\"name\": \"office\", \"card-type\": \"piv\", \"keys\": [{\"slot\": \"signature\","      \
	" \"algorithm\": \"ec-p256\"}], \"issue\": {\"by\": \"user\", \"authentication\":"         \
	" [\"directory\", \"code\"], \"holder\": {\"from\": \"directory\", \"directory\":"         \
	" \"staff\"}}, \"self-service\": {\"unblock\": [\"directory\"]}}"

static struct services services;
static struct store *store;
static struct fixture *fixture;

static void make_selves(void)
{
	services.selves = selves_new(&services);
	services.selves->refusal_ms = 1;
}

static int set_up(void **state)
{
	if (fixture_set_up(state) != 0)
		return -1;
	fixture = *state;
	store = fixture->store;
	services = (struct services){.store = store};
	services.logins = logins_new(&services, 60);
	services.open_directory = fake_open;
	fake = (struct fake_directory){
		.people = {{"p1", "ada", "Ada Lovelace", "ada@example.org", false, false},
			{"p2", "grace", "Grace Hopper", NULL, false, false},
			{"p3", "mallory", "Mallory", NULL, true, false},
			{"p4", "twin", "Castor", NULL, false, false},
			{"p5", "twin", "Pollux", NULL, false, false}},
		.count = 5};
	make_selves();
	struct template *template _cleanup_template_ = template_parse(DOCUMENT, NULL);
	struct template *office _cleanup_template_ = template_parse(OFFICE, NULL);
	return store_template_save(store, template, NULL) &&
			       store_template_save(store, office, NULL)
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	selves_free(services.selves);
	logins_free(services.logins);
	return fixture_tear_down(state);
}

static struct credential *make_card(const char *serial)
{
	struct credential *credential = sample_credential(serial);

	credential->state = LIFECYCLE_ACTIVE;
	credential->template_name = xstrdup("staff");
	credential->template_version = 1;
	fields_set(&credential->holder, "user", "root");
	assert_true(store_credential_save(store, credential, NULL));
	return credential;
}

/* A code to unblock the card, as text. */
static void give(int64_t card, int64_t expires_at, char text[32])
{
	struct self_code code _cleanup_self_code_ = {.purpose = SELF_SERVICE_UNBLOCK,
		.credential_id = card,
		.given_by = xstrdup("K7M2P"),
		.expires_at = expires_at};
	struct secret secret _cleanup_secret_ = SECRET_INIT;

	assert_true(self_code_make(&services, &code, &secret, NULL));
	assert_int_equal(secret.length, strlen("K7M2-P9QX-AB3D-EF4G"));
	memcpy(text, secret.data, secret.length);
	text[secret.length] = '\0';
}

static bool prove(const char *caller, uid_t uid, const char *text, struct error *error)
{
	const struct self_request request = {
		.caller = caller, .uid = uid, .actor = AUDIT_CALLER("uid=7")};
	struct secret code _cleanup_secret_ = SECRET_INIT;

	assert_true(secret_set(&code, text, strlen(text)));
	return self_prove_code(services.selves, &request, &code, error);
}

static int64_t later(void)
{
	return time(NULL) + 3600;
}

static bool may(
	const char *caller, uid_t uid, const struct credential *card, enum self_service service)
{
	const struct self_caller self = {.name = caller, .uid = uid};

	return self_may(&services, &self, card, service, NULL);
}

static void a_code_is_read_as_people_type_it(void **state)
{
	static const char *const same[] = {
		"K7M2-P9QX-AB3D-EF4G", "k7m2p9qxab3def4g", " K7M2 P9QX AB3D EF4G "};
	static const char *const wrong[] = {"", "K7M2", "K7M2-P9QX-AB3D-EF4", "\xff",
		"K7M2-P9QX-AB3D-EF4GG",
		"K7M2-P9QX-AB3D-EF4G-K7M2-P9QX-AB3D-EF4G-K7M2-P9QX-AB3D-EF4G"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same) + ARRAY_SIZE(wrong); i++) {
		bool is_good = i < ARRAY_SIZE(same);
		const char *text = is_good ? same[i] : wrong[i - ARRAY_SIZE(same)];
		struct secret secret _cleanup_secret_ = SECRET_INIT;
		struct self_code_typed typed _cleanup_self_code_typed_ = {.rest = SECRET_INIT};
		assert_true(secret_set(&secret, text, strlen(text)));
		assert_true(self_code_read(&secret, &typed, NULL));
		assert_int_equal(typed.rest.length, SELF_CODE_REST);
		assert_int_equal(
			memcmp(typed.rest.data, "P9QXAB3DEF4G", SELF_CODE_REST) == 0, is_good);
	}
}

static void a_code_lets_its_caller_do_one_thing_to_one_card(void **state)
{
	struct credential *one _cleanup_credential_ = make_card("one");
	struct credential *other _cleanup_credential_ = make_card("other");
	struct self_leave leave _cleanup_self_leave_ = {0};
	const struct self_caller self = {.name = "ada", .uid = 7};
	char text[32];

	(void)state;
	give(one->id, later(), text);
	assert_false(may("ada", 7, one, SELF_SERVICE_UNBLOCK));
	assert_true(prove("ada", 7, text, NULL));
	assert_true(self_may(&services, &self, one, SELF_SERVICE_UNBLOCK, &leave));
	assert_true(leave.code > 0);
	assert_memory_equal(leave.label, "code ", 5);
	assert_false(may("ada", 7, one, SELF_SERVICE_RETIRE));
	assert_false(may("ada", 7, other, SELF_SERVICE_UNBLOCK));
	assert_false(may("eve", 7, one, SELF_SERVICE_UNBLOCK));
	selves_end(services.selves, "ada");
	assert_false(may("ada", 7, one, SELF_SERVICE_UNBLOCK));
}

static void a_code_is_used_once(void **state)
{
	struct credential *card _cleanup_credential_ = make_card("one");
	struct self_leave leave _cleanup_self_leave_ = {0};
	const struct self_caller self = {.name = "ada", .uid = 7};
	char text[32];

	(void)state;
	give(card->id, later(), text);
	assert_true(prove("ada", 7, text, NULL));
	assert_true(prove("bob", 7, text, NULL));
	assert_true(self_may(&services, &self, card, SELF_SERVICE_UNBLOCK, &leave));
	assert_true(store_self_code_spend(store, leave.code, time(NULL), NULL));
	assert_false(store_self_code_spend(store, leave.code, time(NULL), NULL));
	assert_false(may("ada", 7, card, SELF_SERVICE_UNBLOCK));
	assert_false(may("bob", 7, card, SELF_SERVICE_UNBLOCK));
	assert_false(prove("eve", 7, text, NULL));
	/* What was not done after all leaves it good. */
	assert_true(store_self_code_restore(store, leave.code, NULL));
	assert_true(may("bob", 7, card, SELF_SERVICE_UNBLOCK));
}

static void a_code_runs_out_and_is_removed(void **state)
{
	struct credential *card _cleanup_credential_ = make_card("one");
	struct self_code *codes = NULL;
	size_t count = 0;
	char old[32], removed[32], selector[5] = "";

	(void)state;
	give(card->id, time(NULL), old);
	assert_false(prove("ada", 7, old, NULL));
	give(card->id, later(), removed);
	assert_true(prove("ada", 7, removed, NULL));
	assert_true(store_self_code_list(store, time(NULL), 10, &codes, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(codes[0].given_by, "K7M2P");
	self_codes_free(codes, count);
	memcpy(selector, removed, 4);
	assert_true(store_self_code_remove(store, selector, NULL));
	assert_false(store_self_code_remove(store, selector, NULL));
	assert_false(may("ada", 7, card, SELF_SERVICE_UNBLOCK));
	assert_true(store_self_code_purge(store, time(NULL) + 1, NULL));
	memcpy(selector, old, 4);
	assert_false(store_self_code_remove(store, selector, NULL));
}

static void wrong(const char *caller, uid_t uid, const char *text)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_false(prove(caller, uid, text, &error));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
}

static void five_wrong_tries_lock_the_card_for_all_its_codes_and_a_restart_does_not_help(
	void **state)
{
	struct credential *card _cleanup_credential_ = make_card("one");
	struct error error _cleanup_error_ = ERROR_INIT;
	char first[32], second[32], text[32], id[16];
	bool was_locked = false;

	(void)state;
	give(card->id, later(), first);
	give(card->id, later(), second);
	snprintf(text, sizeof(text), "%.4s-AAAA-AAAA-AAAA", first);
	for (int i = 0; i < 5; i++)
		wrong("eve", 8, text);
	wrong("ada", 7, first);
	wrong("ada", 7, second);
	selves_free(services.selves);
	fixture_reopen(fixture);
	store = services.store = fixture->store;
	make_selves();
	wrong("ada", 7, second);
	snprintf(id, sizeof(id), "%d", (int)card->id);
	assert_true(selves_lift(services.selves, "card", id, &was_locked, NULL));
	assert_true(was_locked);
	if (!prove("ada", 7, second, &error))
		fail_msg("%s", error_message(&error));
	/* The code that was guessed at stays locked. */
	wrong("ada", 7, first);
}

static void too_many_tries_within_a_minute_are_not_looked_at(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct credential *card _cleanup_credential_ = make_card("one");
	char text[32];
	int tries = 0;

	(void)state;
	give(card->id, later(), text);
	while (prove("ada", 9, text, &error))
		tries++;
	assert_int_equal(error.code, ERROR_BUSY);
	assert_true(tries >= 20 && tries <= 40); /* a minute may have turned meanwhile */
	assert_true(prove("ada", 10, text, NULL));
}

static void users_of_the_system_are_people_of_the_directory_where_the_template_says_so(void **state)
{
	struct credential *card _cleanup_credential_ = make_card("one");

	(void)state;
	assert_true(may("any", 0, card, SELF_SERVICE_RETIRE));
	assert_false(may("any", 0, card, SELF_SERVICE_UNBLOCK));
	assert_false(may("any", 65534, card, SELF_SERVICE_RETIRE));
	fields_set(&card->holder, "user", "ROOT");
	assert_true(may("any", 0, card, SELF_SERVICE_RETIRE));
	fields_set(&card->holder, "user", "ada");
	assert_false(may("any", 0, card, SELF_SERVICE_RETIRE));
}

static void the_list_has_own_cards_with_what_may_be_done_now(void **state)
{
	struct credential *card _cleanup_credential_ = make_card("one");
	const struct self_caller root = {.name = "root", .uid = 0}, nobody = {"nobody", 65534};
	struct self_card *cards = NULL;
	size_t count = 0;
	char text[32];

	(void)state;
	assert_true(self_cards(&services, &nobody, &cards, &count, NULL));
	assert_int_equal(count, 0);
	self_cards_free(cards, count);
	assert_true(self_cards(&services, &root, &cards, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(cards[0].credential->serial, "one");
	assert_true(cards[0].may[SELF_SERVICE_RETIRE]);
	assert_false(cards[0].may[SELF_SERVICE_UNBLOCK]);
	assert_false(cards[0].may[SELF_SERVICE_ACTIVATE]);
	self_cards_free(cards, count);
	give(card->id, later(), text);
	assert_true(prove("nobody", 65534, text, NULL));
	assert_true(self_cards(&services, &nobody, &cards, &count, NULL));
	assert_int_equal(count, 1);
	assert_true(cards[0].may[SELF_SERVICE_UNBLOCK]);
	assert_false(cards[0].may[SELF_SERVICE_RETIRE]);
	self_cards_free(cards, count);
}

/* --- people of a directory --- */

static bool log_in(const char *caller, const char *login, const char *password, struct error *error)
{
	const struct self_request request = {
		.caller = caller, .uid = 7, .actor = AUDIT_CALLER("uid=7")};
	struct secret secret _cleanup_secret_ = SECRET_INIT;

	assert_true(secret_set(&secret, password, strlen(password)));
	return self_prove_password(services.selves, &request, NULL, login, &secret, error);
}

static struct credential *make_office_card(const char *serial, const char *person)
{
	struct credential *credential = make_card(serial);

	free(credential->template_name);
	credential->template_name = xstrdup("office");
	if (person) {
		credential->person.connection = xstrdup("staff");
		credential->person.id = xstrdup(person);
	}
	assert_true(store_credential_save(store, credential, NULL));
	return credential;
}

static void a_password_proves_whose_a_card_is(void **state)
{
	struct credential *linked _cleanup_credential_ = make_office_card("linked", "p1");
	struct credential *given _cleanup_credential_ = make_office_card("given", NULL);
	struct credential *others _cleanup_credential_ = make_office_card("others", "p2");

	(void)state;
	fields_set(&given->holder, "user", "Ada");
	fields_set(&others->holder, "user", "ada");
	assert_true(log_in("ada", "ada", "secret of ada", NULL));
	assert_true(may("ada", 7, linked, SELF_SERVICE_UNBLOCK));
	assert_true(may("ada", 7, given, SELF_SERVICE_UNBLOCK));
	/* What the directory knows them by counts, not a name that was theirs once. */
	assert_false(may("ada", 7, others, SELF_SERVICE_UNBLOCK));
	assert_false(may("eve", 7, linked, SELF_SERVICE_UNBLOCK));
}

static void who_issues_is_who_has_proved_it(void **state)
{
	struct template *office _cleanup_template_ = store_template_get(store, "office", 0, NULL);
	const struct self_caller ada = {"ada", 7}, eve = {"eve", 7};
	struct self_person person _cleanup_self_person_ = {0};
	struct self_person nobody _cleanup_self_person_ = {0};

	(void)state;
	assert_true(log_in("ada", "ada", "secret of ada", NULL));
	assert_true(self_find_person(&services, &ada, office, false, &person, NULL));
	assert_string_equal(person.person_id, "p1");
	assert_string_equal(person.leave.label, "directory staff ada");
	assert_false(self_find_person(&services, &eve, office, false, &nobody, NULL));
	/* An operator's right makes nobody a person of a directory. */
	assert_false(self_find_person(&services, &eve, office, true, &nobody, NULL));
}

static void whatever_is_wrong_with_a_password_is_told_alike(void **state)
{
	static const char *const tries[][2] = {{"ada", "wrong"}, {"ada", ""},
		{"nobody", "secret of nobody"}, {"mallory", "secret of mallory"},
		{"twin", "secret of twin"}};
	_cleanup_free_ char *told = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(log_in("ada", tries[i][0], tries[i][1], &error));
		assert_int_equal(error.code, ERROR_ACCESS_DENIED);
		assert_true(!told || strcmp(told, error_message(&error)) == 0);
		free(told);
		told = xstrdup(error_message(&error));
	}
}

static void a_person_who_is_locked_out_is_not_asked_for_by_any_spelling(void **state)
{
	static const char *const spellings[] = {"ada", "ADA", " ada", "ada@example.org", "X\\ada"};
	bool was_locked = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		assert_false(log_in("ada", spellings[i], "wrong", NULL));
	unsigned asked = fake.asked;
	assert_false(log_in("ada", "ada", "secret of ada", NULL));
	assert_int_equal(fake.asked, asked);
	assert_true(log_in("grace", "grace", "secret of grace", NULL));
	_cleanup_free_ char *name = self_lock_name("staff", "Ada");
	assert_true(selves_lift(services.selves, "directory", name, &was_locked, NULL));
	assert_true(was_locked);
	assert_true(log_in("ada", "ada", "secret of ada", NULL));
}

static void a_directory_that_is_down_locks_nobody_out(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	fake.is_down = true;
	for (int i = 0; i < 6; i++) {
		assert_false(log_in("ada", "ada", "secret of ada", &error));
		assert_int_equal(error.code, ERROR_NETWORK_FAILED);
	}
	fake.is_down = false;
	assert_true(log_in("ada", "ada", "secret of ada", NULL));
}

static void only_directories_that_templates_name_are_asked(void **state)
{
	const struct self_request request = {
		.caller = "ada", .uid = 7, .actor = AUDIT_CALLER("uid=7")};
	struct secret secret _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_true(secret_set(&secret, "secret of ada", strlen("secret of ada")));
	assert_false(
		self_prove_password(services.selves, &request, "other", "ada", &secret, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_false(
		self_prove_password(services.selves, &request, NULL, "a\nda", &secret, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_int_equal(fake.asked, 0);
	assert_true(self_prove_password(services.selves, &request, "staff", "ada", &secret, NULL));
}

static void one_user_waits_once_and_few_on_threads_of_others(void **state)
{
	struct selves *selves = services.selves;
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_true(selves_ask_begin(selves, 1, true, NULL));
	assert_false(selves_ask_begin(selves, 1, false, &error));
	assert_int_equal(error.code, ERROR_BUSY);
	assert_true(selves_ask_begin(selves, 2, true, NULL));
	assert_false(selves_ask_begin(selves, 3, true, NULL));
	assert_true(selves_ask_begin(selves, 3, false, NULL));
	selves_ask_end(selves, 1);
	assert_true(selves_ask_begin(selves, 4, true, NULL));
	assert_true(selves_ask_begin(selves, 1, false, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_code_is_read_as_people_type_it),
		TEST(a_code_lets_its_caller_do_one_thing_to_one_card),
		TEST(a_code_is_used_once),
		TEST(a_code_runs_out_and_is_removed),
		TEST(five_wrong_tries_lock_the_card_for_all_its_codes_and_a_restart_does_not_help),
		TEST(too_many_tries_within_a_minute_are_not_looked_at),
		TEST(users_of_the_system_are_people_of_the_directory_where_the_template_says_so),
		TEST(a_password_proves_whose_a_card_is),
		TEST(who_issues_is_who_has_proved_it),
		TEST(whatever_is_wrong_with_a_password_is_told_alike),
		TEST(a_person_who_is_locked_out_is_not_asked_for_by_any_spelling),
		TEST(a_directory_that_is_down_locks_nobody_out),
		TEST(only_directories_that_templates_name_are_asked),
		TEST(one_user_waits_once_and_few_on_threads_of_others),
		TEST(the_list_has_own_cards_with_what_may_be_done_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
