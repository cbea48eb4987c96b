/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The key of a login: whose it is, how long it lives, and that each login has its own. */
#include "operation/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "audit/audit.h"
#include "audit/verify.h"
#include "common/alloc.h"
#include "common/log.h"
#include "lib/person.h"
#include "operation/login-private.h"
#include "unit/store/fixture.h"

#define IDLE_SECONDS 3600
#define THREADS	     6
#define ROUNDS	     10

static struct services services;
static struct person ada = {.name = "ADA23", .card = "yubikey-1"};
static struct person bob = {.name = "BOB45", .card = "yubikey-2"};
/* A holder who is no operator. */
static struct person eve = {.name = "Eve", .card = "yubikey-3"};

static int make_people(void **state)
{
	(void)state;
	person_equip(&ada, "P-256", NULL, NULL);
	person_equip(&bob, "P-384", NULL, NULL);
	person_equip(&eve, "P-256", NULL, NULL);
	return 0;
}

static int remove_people(void **state)
{
	(void)state;
	person_forget(&ada);
	person_forget(&bob);
	person_forget(&eve);
	return 0;
}

static void save(const struct person *person, bool is_operator)
{
	struct credential *credential _cleanup_credential_ = sample_credential(person->card);
	struct certificate certificate _cleanup_certificate_ = CERTIFICATE_INIT;
	struct buffer der _cleanup_buffer_ = BUFFER_INIT;
	char *roles[] = {(char *)"normal"};

	credential->state = LIFECYCLE_ACTIVE;
	assert_true(store_credential_save(services.store, credential, NULL));
	person_append_certificate(person, &der);
	assert_true(certificate_from_der(&certificate, der.data, der.length, NULL));
	certificate.credential_id = credential->id;
	certificate.slot = KEY_SLOT_AUTHENTICATION;
	certificate.status = CERTIFICATE_VALID;
	certificate.authority = xstrdup("local");
	certificate.profile = xstrdup("login");
	assert_true(store_certificate_save(services.store, &certificate, NULL));
	if (!is_operator)
		return;
	struct operator_record record _cleanup_operator_ = {
		.credential_id = credential->id, .id = xstrdup(person->name), .active = true};
	operator_set_roles(&record, roles, 1);
	assert_true(store_operator_save(services.store, &record, NULL));
}

static int set_up(void **state)
{
	if (fixture_set_up(state) != 0)
		return -1;
	services = (struct services){.store = ((struct fixture *)*state)->store};
	services.logins = logins_new(&services, IDLE_SECONDS);
	save(&ada, true);
	save(&bob, true);
	save(&eve, false);
	return 0;
}

static int tear_down(void **state)
{
	logins_free(services.logins);
	return fixture_tear_down(state);
}

/* signer: whose card signs. */
static bool try_login(const char *caller, const struct person *person, const struct person *signer,
	struct error *error)
{
	struct buffer challenge _cleanup_buffer_ = BUFFER_INIT;
	struct buffer signature _cleanup_buffer_ = BUFFER_INIT;
	const struct login_request request = {.caller = caller, .actor = AUDIT_CALLER("uid=7")};

	assert_true(login_begin(services.logins, caller, person->card, &challenge, NULL));
	person_sign(signer, &challenge, &signature);
	return login_finish(
		services.logins, &request, person->card, signature.data, signature.length, error);
}

static void log_in(const char *caller, const struct person *person)
{
	assert_true(try_login(caller, person, person, NULL));
}

/* What needs an operator, or, for an actor without one, only a PIN. */
static void act(const struct audit_actor *actor)
{
	const char *operation = actor->signer_count ? "issue" : "change-pin";

	assert_true(audit_write(services.store, actor, operation, "card", 1, NULL, NULL, NULL));
}

/* The operators of the last record. Heap. */
static char *last_operators(void)
{
	const struct audit_filter newest = {.newest_first = true, .limit = 1};
	struct audit_record *records;
	size_t count;
	int64_t next;

	assert_true(store_audit_list(services.store, &newest, &records, &count, &next, NULL));
	assert_int_equal(count, 1);
	char *text = xstrdup(records[0].operator_name ? records[0].operator_name : "nobody");
	audit_records_free(records, count);
	return text;
}

static void expect_operators(const char *names)
{
	_cleanup_free_ char *found = last_operators();

	assert_string_equal(found, names);
}

/* All signatures of the trail are good. Returns how many records have some. */
static unsigned verify(void)
{
	struct audit_verifier verifier _cleanup_audit_verifier_ = {0};
	int64_t records;

	assert_true(audit_verify(services.store, NULL, &verifier, &records, NULL));
	if (verifier.problem != AUDIT_WHOLE)
		fail_msg("%s", verifier.text);
	return (unsigned)verifier.logins.signed_records;
}

static int64_t count_records(void)
{
	int64_t count;

	assert_true(store_audit_last(services.store, &count, NULL));
	return count;
}

static void what_is_done_in_a_login_is_signed(void **state)
{
	(void)state;
	log_in("a", &ada);
	expect_operators("ADA23");
	struct audit_actor *actor _cleanup_audit_actor_ =
		logins_actor(services.logins, "a", "uid=7");
	act(actor);
	expect_operators("ADA23");
	struct audit_actor *other _cleanup_audit_actor_ =
		logins_actor(services.logins, "b", "uid=7");
	act(other);
	expect_operators("nobody");
	assert_int_equal(verify(), 1);
}

static void all_who_are_logged_in_sign(void **state)
{
	(void)state;
	log_in("a", &ada);
	log_in("a", &bob);
	expect_operators("BOB45"); /* a login is one operator's */
	log_in("a", &eve);
	struct audit_actor *actor _cleanup_audit_actor_ =
		logins_actor(services.logins, "a", "uid=7");
	act(actor);
	expect_operators("ADA23 BOB45 yubikey-3");
	assert_int_equal(verify(), 1);
}

static void what_was_begun_is_signed_when_the_login_has_ended(void **state)
{
	(void)state;
	log_in("a", &ada);
	struct audit_actor *actor _cleanup_audit_actor_ =
		logins_actor(services.logins, "a", "uid=7");
	logins_end(services.logins, "a");
	struct audit_actor *later _cleanup_audit_actor_ =
		logins_actor(services.logins, "a", "uid=7");
	act(later);
	expect_operators("nobody");
	act(actor);
	expect_operators("ADA23");
	assert_int_equal(verify(), 1);
}

static void logging_in_again_makes_another_key(void **state)
{
	(void)state;
	log_in("a", &ada);
	struct audit_actor *first _cleanup_audit_actor_ =
		logins_actor(services.logins, "a", "uid=7");
	log_in("a", &ada);
	struct audit_actor *second _cleanup_audit_actor_ =
		logins_actor(services.logins, "a", "uid=7");
	assert_int_equal(second->signer_count, 1);
	assert_ptr_not_equal(first->signers[0], second->signers[0]);
	assert_memory_not_equal(audit_signer_key(first->signers[0]),
		audit_signer_key(second->signers[0]), AUDIT_SESSION_KEY_BYTES);
	act(second);
	act(first);
	assert_int_equal(verify(), 2);
}

static void a_failed_login_leaves_one_record_and_no_login(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	size_t count;

	(void)state;
	assert_false(try_login("a", &ada, &eve, &error));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
	assert_int_equal(count_records(), 1);
	expect_operators("nobody");
	free(logins_credentials(services.logins, "a", &count));
	assert_int_equal(count, 0);
	verify();
}

/* What an operator did could not be proven later. */
static void a_login_that_cannot_be_recorded_is_none(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	size_t count;

	fixture_sql(*state, "DROP TABLE audit_operator");
	assert_false(try_login("a", &ada, &ada, &error));
	assert_int_equal(error.code, ERROR_STORE_FAILED);
	free(logins_credentials(services.logins, "a", &count));
	assert_int_equal(count, 0);
}

static void too_many_logins_are_refused_and_recorded(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	int made = 0;

	(void)state;
	for (; made < 1000 && error.code == ERROR_NONE; made++) {
		_cleanup_free_ char *caller = xasprintf("caller %d", made);
		try_login(caller, &ada, &ada, &error);
	}
	assert_int_equal(error.code, ERROR_BUSY);
	assert_int_equal(count_records(), made);
	expect_operators("nobody");
	logins_end(services.logins, "caller 5");
	log_in("another", &ada);
}

/* The card vouched for the key for a day, by the clock; one that was set anew ends logins as well.
 */
static void a_login_ends_after_a_day(void **state)
{
	static const struct {
		int64_t seconds; /* since the login */
		size_t count;
	} cases[] = {
		{0, 1}, {LOGIN_SECONDS_MAX - 60, 1}, {LOGIN_SECONDS_MAX, 0}, {-30, 1}, {-3600, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t count;
		log_in("a", &ada);
		services.logins->entries[0].from_us -= cases[i].seconds * INT64_C(1000000);
		free(logins_credentials(services.logins, "a", &count));
		assert_int_equal(count, cases[i].count);
		logins_end(services.logins, "a");
	}
}

static void *work(void *context)
{
	const char *caller = context;

	for (int i = 0; i < ROUNDS; i++) {
		log_in(caller, i % 2 ? &ada : &bob);
		struct audit_actor *actor _cleanup_audit_actor_ =
			logins_actor(services.logins, caller, "uid=7");
		if (i % 3 == 0)
			logins_end(services.logins, caller);
		act(actor);
	}
	return NULL;
}

static void logins_at_once_do_not_meet(void **state)
{
	static char names[THREADS][2] = {"a", "b", "c", "d", "e", "f"};
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, names[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(verify(), THREADS * ROUNDS);
}

#define WITH_LOGINS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOGINS(what_is_done_in_a_login_is_signed),
		WITH_LOGINS(all_who_are_logged_in_sign),
		WITH_LOGINS(what_was_begun_is_signed_when_the_login_has_ended),
		WITH_LOGINS(logging_in_again_makes_another_key),
		WITH_LOGINS(a_failed_login_leaves_one_record_and_no_login),
		WITH_LOGINS(a_login_that_cannot_be_recorded_is_none),
		WITH_LOGINS(too_many_logins_are_refused_and_recorded),
		WITH_LOGINS(a_login_ends_after_a_day),
		WITH_LOGINS(logins_at_once_do_not_meet),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, make_people, remove_people);
}
