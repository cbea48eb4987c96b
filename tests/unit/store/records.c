/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credentials, certificates, intents, templates and connections. */
#include "store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

static void a_credential_comes_back_as_it_was_saved(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_template_ struct template *template = sample_template("employee", "local");
	_cleanup_credential_ struct credential *credential = sample_credential("yubikey-1");

	assert_true(store_template_save(fixture->store, template, NULL));
	credential->template_name = xstrdup("employee");
	credential->template_version = template->version;
	credential->state = LIFECYCLE_INACTIVE;
	credential->key_version = UINT32_MAX;
	credential->reason = xstrdup("lost");
	fields_set(&credential->holder, "email", "ada@example.org");
	assert_true(store_credential_save(fixture->store, credential, NULL));
	assert_int_equal(credential->id, 1);
	assert_true(credential->created_at > 0);
	fixture_reopen(fixture);
	_cleanup_credential_ struct credential *read =
		store_credential_by_serial(fixture->store, "yubikey-1", NULL);
	assert_non_null(read);
	assert_int_equal(read->id, credential->id);
	assert_string_equal(read->card_type, "piv");
	assert_int_equal(read->state, LIFECYCLE_INACTIVE);
	assert_string_equal(fields_get(&read->holder, "email"), "ada@example.org");
	assert_string_equal(read->template_name, "employee");
	assert_int_equal(read->template_version, template->version);
	assert_string_equal(read->kdf, "SP800-108-CMAC-AES256");
	assert_int_equal(read->key_version, UINT32_MAX);
	assert_memory_equal(read->key_check_value, credential->key_check_value, 3);
	assert_int_equal(read->admin_algorithm, 0x0C);
	assert_string_equal(read->reason, "lost");
	assert_int_equal(read->changed_at, credential->changed_at);
}

static void a_credential_is_updated(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *credential = sample_credential("one");
	int64_t count;

	assert_true(store_credential_save(fixture->store, credential, NULL));
	credential->state = LIFECYCLE_RETIRED;
	free(steal_pointer(&credential->kdf));
	assert_true(store_credential_save(fixture->store, credential, NULL));
	_cleanup_credential_ struct credential *read =
		store_credential_by_id(fixture->store, credential->id, NULL);
	assert_int_equal(read->state, LIFECYCLE_RETIRED);
	assert_null(read->kdf);
	assert_null(read->template_name);
	assert_true(store_credential_count(fixture->store, &count, NULL));
	assert_int_equal(count, 1);
}

static void a_user_has_one_card_of_a_template_until_it_is_given_up(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *credential = sample_credential("one");
	const enum lifecycle_state has[] = {LIFECYCLE_ISSUED, LIFECYCLE_ACTIVE, LIFECYCLE_INACTIVE,
		LIFECYCLE_REVOKED, LIFECYCLE_EXPIRED};
	const enum lifecycle_state has_not[] = {
		LIFECYCLE_UNREGISTERED, LIFECYCLE_REGISTERED, LIFECYCLE_RETIRED};

	_cleanup_template_ struct template *template = sample_template("own", "local");
	assert_true(store_template_save(fixture->store, template, NULL));
	credential->template_name = xstrdup("own");
	credential->template_version = template->version;
	credential->user_id = xstrdup("1000");
	for (size_t i = 0; i < ARRAY_SIZE(has) + ARRAY_SIZE(has_not); i++) {
		_cleanup_free_ char *serial = NULL, *other = NULL, *stranger = NULL;
		bool counts = i < ARRAY_SIZE(has);
		credential_set_state(credential, counts ? has[i] : has_not[i - ARRAY_SIZE(has)]);
		assert_true(store_credential_save(fixture->store, credential, NULL));
		assert_true(store_credential_of_user(fixture->store, "1000", "own", &serial, NULL));
		assert_true(store_credential_of_user(fixture->store, "1000", "ec", &other, NULL));
		assert_true(
			store_credential_of_user(fixture->store, "100", "own", &stranger, NULL));
		assert_int_equal(serial != NULL, counts);
		assert_null(other);
		assert_null(stranger);
	}
	_cleanup_free_ char *replaced = NULL;
	credential->state = LIFECYCLE_REVOKED;
	credential->replaced_by = 7;
	assert_true(store_credential_save(fixture->store, credential, NULL));
	assert_true(store_credential_of_user(fixture->store, "1000", "own", &replaced, NULL));
	assert_null(replaced);
}

static void an_inactive_card_remembers_what_it_was(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *credential = sample_credential("one");

	credential->user_id = xstrdup("0");
	credential_set_state(credential, LIFECYCLE_ISSUED);
	credential_set_state(credential, LIFECYCLE_INACTIVE);
	assert_true(store_credential_save(fixture->store, credential, NULL));
	_cleanup_credential_ struct credential *kept =
		store_credential_by_serial(fixture->store, "one", NULL);
	assert_int_equal(kept->before, LIFECYCLE_ISSUED);
	assert_string_equal(kept->user_id, "0");
	/* As a version before saved it. */
	fixture_sql(fixture, "UPDATE credential SET state_before = NULL, user_id = NULL");
	_cleanup_credential_ struct credential *old =
		store_credential_by_serial(fixture->store, "one", NULL);
	assert_int_equal(old->before, LIFECYCLE_ACTIVE);
	assert_null(old->user_id);
}

static void a_serial_is_taken_once(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *one = sample_credential("same");
	_cleanup_credential_ struct credential *other = sample_credential("same");
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(store_credential_save(fixture->store, one, NULL));
	assert_false(store_credential_save(fixture->store, other, &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	assert_int_equal(other->id, 0);
}

static void what_does_not_exist_is_not_found(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *credential = sample_credential("one");
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_null(store_credential_by_id(fixture->store, 1, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_null(store_credential_by_serial(fixture->store, "x' OR '1'='1", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	credential->id = 77;
	assert_false(store_credential_save(fixture->store, credential, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	credential->id = 0;
	credential->template_name = xstrdup("nowhere");
	credential->template_version = 1;
	assert_false(store_credential_save(fixture->store, credential, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

static void credentials_are_listed_in_pages_and_by_state(void **state)
{
	struct fixture *fixture = *state;
	int64_t *ids;
	size_t count;

	for (int i = 0; i < 10; i++) {
		_cleanup_free_ char *serial = xasprintf("card-%d", i);
		_cleanup_credential_ struct credential *credential = sample_credential(serial);
		credential->state = i % 2 ? LIFECYCLE_ACTIVE : LIFECYCLE_ISSUED;
		assert_true(store_credential_save(fixture->store, credential, NULL));
	}
	assert_true(store_credential_list(
		fixture->store, LIFECYCLE_STATE_COUNT, 3, 4, &ids, &count, NULL));
	assert_int_equal(count, 4);
	assert_int_equal(ids[0], 4);
	assert_int_equal(ids[3], 7);
	free(ids);
	assert_true(store_credential_list(
		fixture->store, LIFECYCLE_ACTIVE, 2, 100, &ids, &count, NULL));
	assert_int_equal(count, 4);
	assert_int_equal(ids[0], 4);
	free(ids);
	assert_true(store_credential_list(
		fixture->store, LIFECYCLE_REVOKED, 0, 100, &ids, &count, NULL));
	assert_int_equal(count, 0);
	free(ids);
}

static struct certificate sample_certificate(int64_t credential_id, const char *serial)
{
	struct certificate certificate = {
		.credential_id = credential_id,
		.slot = KEY_SLOT_SIGNATURE,
		.authority = xstrdup("local"),
		.profile = xstrdup("signature"),
		.serial_hex = xstrdup(serial),
		.not_before = 1,
		.not_after = time(NULL) + 1000,
		.status = CERTIFICATE_VALID,
	};

	buffer_append_string(&certificate.der, "DER");
	return certificate;
}

static void certificates_are_saved_held_and_listed(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *credential = sample_credential("one");
	_cleanup_certificates_ struct certificates read = CERTIFICATES_INIT;
	assert_true(store_credential_save(fixture->store, credential, NULL));
	_cleanup_certificate_ struct certificate held = sample_certificate(credential->id, "0a");
	_cleanup_certificate_ struct certificate valid = sample_certificate(credential->id, "0b");

	assert_true(store_certificate_save(fixture->store, &held, NULL));
	assert_true(store_certificate_save(fixture->store, &valid, NULL));
	held.status_before_hold = CERTIFICATE_VALID;
	held.status = CERTIFICATE_ON_HOLD;
	held.reason = xstrdup("certificateHold");
	held.revoked_at = 1234;
	assert_true(store_certificate_save(fixture->store, &held, NULL));
	assert_true(store_certificate_list(fixture->store, credential->id, &read, NULL));
	assert_int_equal(read.count, 2);
	assert_int_equal(read.items[0].status, CERTIFICATE_ON_HOLD);
	assert_int_equal(read.items[0].status_before_hold, CERTIFICATE_VALID);
	assert_int_equal(read.items[0].der.length, 3);
	assert_null(read.items[0].subject);
	assert_true(store_certificate_list_revoked(fixture->store, "local", 0, 10, &read, NULL));
	assert_int_equal(read.count, 1);
	assert_string_equal(read.items[0].serial_hex, "0a");
	assert_string_equal(read.items[0].reason, "certificateHold");
	assert_int_equal(read.items[0].revoked_at, 1234);
	assert_int_equal(read.items[0].der.length, 0);
	assert_true(store_certificate_list_revoked(fixture->store, "other", 0, 10, &read, NULL));
	assert_int_equal(read.count, 0);
}

static void wrong_certificates_are_refused(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *credential = sample_credential("one");
	_cleanup_error_ struct error error = ERROR_INIT;
	assert_true(store_credential_save(fixture->store, credential, NULL));
	_cleanup_certificate_ struct certificate orphan = sample_certificate(99, "0a");
	_cleanup_certificate_ struct certificate first = sample_certificate(credential->id, "0a");
	_cleanup_certificate_ struct certificate twin = sample_certificate(credential->id, "0a");

	assert_false(store_certificate_save(fixture->store, &orphan, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_true(store_certificate_save(fixture->store, &first, NULL));
	assert_false(store_certificate_save(fixture->store, &twin, &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	assert_int_equal(twin.id, 0);
}

static struct intent sample_intent(const char *serial, const char *step)
{
	return (struct intent){
		.serial = xstrdup(serial),
		.operation = xstrdup("issue"),
		.step = xstrdup(step),
		.new_version = 1,
	};
}

static void intents_are_listed_oldest_first_until_removed(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_intent_ struct intent first = sample_intent("one", "puk");
	_cleanup_intent_ struct intent second = sample_intent("one", "management-key");
	_cleanup_intent_ struct intent other = sample_intent("two", "puk");
	struct intent *read;
	size_t count;

	assert_true(store_intent_add(fixture->store, &first, NULL));
	assert_true(store_intent_add(fixture->store, &second, NULL));
	assert_true(store_intent_add(fixture->store, &other, NULL));
	assert_true(store_intent_list(fixture->store, "one", &read, &count, NULL));
	assert_int_equal(count, 2);
	assert_string_equal(read[0].step, "puk");
	assert_string_equal(read[1].step, "management-key");
	assert_int_equal(read[1].new_version, 1);
	intents_free(read, count);
	assert_true(store_intent_remove(fixture->store, first.id, NULL));
	assert_true(store_intent_remove(fixture->store, first.id, NULL));
	assert_true(store_intent_list(fixture->store, "one", &read, &count, NULL));
	assert_int_equal(count, 1);
	assert_int_equal(read[0].id, second.id);
	intents_free(read, count);
}

static void an_intent_survives_a_daemon_that_is_killed(void **state)
{
	struct fixture *fixture = *state;
	struct intent *read;
	size_t count;
	int status;

	store_close(fixture->store);
	fixture->store = NULL;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *store = store_open(fixture->path, NULL);
		struct intent kept = sample_intent("one", "puk");
		struct intent lost = sample_intent("one", "pin");
		bool added = store && store_intent_add(store, &kept, NULL) &&
			     store_begin(store, NULL) && store_intent_add(store, &lost, NULL);
		kill(getpid(), added ? SIGKILL : SIGTERM);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	fixture_reopen(fixture);
	assert_true(store_intent_list(fixture->store, "one", &read, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(read[0].step, "puk");
	intents_free(read, count);
}

static void a_template_gets_a_new_version_each_time(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_template_ struct template *first = sample_template("t", "local");
	_cleanup_template_ struct template *second = sample_template("t", "other");

	assert_true(store_template_save(fixture->store, first, NULL));
	assert_true(store_template_save(fixture->store, second, NULL));
	assert_int_equal(first->version, 1);
	assert_int_equal(second->version, 2);
	_cleanup_template_ struct template *newest =
		store_template_get(fixture->store, "t", 0, NULL);
	assert_int_equal(newest->version, 2);
	assert_string_equal(newest->keys[0].authority, "other");
	_cleanup_template_ struct template *old = store_template_get(fixture->store, "t", 1, NULL);
	assert_int_equal(old->version, 1);
	assert_string_equal(old->keys[0].authority, "local");
}

static void a_removed_template_stays_for_those_who_have_it(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_template_ struct template *template = sample_template("t", "local");
	_cleanup_error_ struct error error = ERROR_INIT;
	char **names;
	size_t count;

	assert_true(store_template_save(fixture->store, template, NULL));
	assert_true(store_template_remove(fixture->store, "t", NULL));
	assert_null(store_template_get(fixture->store, "t", 0, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	_cleanup_template_ struct template *old = store_template_get(fixture->store, "t", 1, NULL);
	assert_non_null(old);
	assert_false(store_template_remove(fixture->store, "t", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_true(store_template_list(fixture->store, &names, &count, NULL));
	assert_int_equal(count, 0);
	store_names_free(names, count);
	assert_true(store_template_save(fixture->store, template, NULL));
	assert_int_equal(template->version, 2);
	assert_true(store_template_list(fixture->store, &names, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(names[0], "t");
	store_names_free(names, count);
}

static void connections_are_saved_replaced_and_listed(void **state)
{
	struct fixture *fixture = *state;
	struct connection local = {(char *)"local", (char *)"local-ca", (char *)"{}"};
	struct connection backup = {(char *)"backup", (char *)"local-ca", (char *)"{}"};
	_cleanup_connection_ struct connection read = CONNECTION_INIT;
	char **names;
	size_t count;

	assert_true(store_connection_save(fixture->store, &local, NULL));
	assert_true(store_connection_save(fixture->store, &backup, NULL));
	local.document = (char *)"{\"x\": 1}";
	assert_true(store_connection_save(fixture->store, &local, NULL));
	assert_true(store_connection_get(fixture->store, "local", &read, NULL));
	assert_string_equal(read.kind, "local-ca");
	assert_string_equal(read.document, "{\"x\": 1}");
	assert_true(store_connection_list(fixture->store, &names, &count, NULL));
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "backup");
	assert_string_equal(names[1], "local");
	store_names_free(names, count);
}

static enum error_code remove_local(struct store *store)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	store_connection_remove(store, "local", &error);
	return error.code;
}

static void a_connection_in_use_is_not_removed(void **state)
{
	struct fixture *fixture = *state;
	struct connection local = {(char *)"local", (char *)"local-ca", (char *)"{}"};
	_cleanup_template_ struct template *template = sample_template("t", "local");
	_cleanup_credential_ struct credential *credential = sample_credential("one");
	assert_true(store_credential_save(fixture->store, credential, NULL));
	_cleanup_certificate_ struct certificate certificate =
		sample_certificate(credential->id, "0a");

	assert_int_equal(remove_local(fixture->store), ERROR_NOT_FOUND);
	assert_true(store_connection_save(fixture->store, &local, NULL));
	assert_true(store_template_save(fixture->store, template, NULL));
	assert_int_equal(remove_local(fixture->store), ERROR_IN_USE);
	assert_true(store_template_remove(fixture->store, "t", NULL));
	assert_true(store_certificate_save(fixture->store, &certificate, NULL));
	assert_int_equal(remove_local(fixture->store), ERROR_IN_USE);
	certificate.status = CERTIFICATE_REVOKED;
	assert_true(store_certificate_save(fixture->store, &certificate, NULL));
	assert_int_equal(remove_local(fixture->store), ERROR_NONE);
	assert_int_equal(remove_local(fixture->store), ERROR_NOT_FOUND);
}

#define ROUNDS 100

/* Takes two numbers in one transaction: they follow each other if nobody came between. */
static void *count_in_pairs(void *argument)
{
	struct store *store = argument;
	intptr_t wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t one = 0, other = 0;
		bool done = store_begin(store, NULL) &&
			    store_counter_next(store, "shared", &one, NULL) &&
			    store_counter_next(store, "shared", &other, NULL) &&
			    store_commit(store, NULL);
		wrong += !done || other != one + 1;
	}
	return (void *)wrong;
}

static void two_threads_do_not_mix_their_transactions(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[2];
	int64_t last;

	for (int i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, count_in_pairs, fixture->store), 0);
	for (int i = 0; i < 2; i++) {
		void *wrong;
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_true(store_counter_get(fixture->store, "shared", &last, NULL));
	assert_int_equal(last, 4 * ROUNDS);
}

static void an_added_type_is_kept_and_removed(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	char **names;
	size_t count;

	assert_true(store_card_type_add(fixture->store, "ours", "{1}", NULL));
	assert_false(store_card_type_add(fixture->store, "ours", "{2}", &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	fixture_reopen(fixture);
	_cleanup_free_ char *document = store_card_type_get(fixture->store, "ours", NULL);
	assert_string_equal(document, "{1}");
	assert_true(store_card_type_list(fixture->store, &names, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(names[0], "ours");
	store_names_free(names, count);
	assert_true(store_card_type_remove(fixture->store, "ours", NULL));
	assert_null(store_card_type_get(fixture->store, "ours", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_false(store_card_type_remove(fixture->store, "ours", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

static void a_type_of_managed_cards_stays(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *credential = sample_credential("one");
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(store_card_type_add(fixture->store, "piv", "{}", NULL));
	assert_true(store_credential_save(fixture->store, credential, NULL));
	assert_false(store_card_type_remove(fixture->store, "piv", &error));
	assert_int_equal(error.code, ERROR_IN_USE);
	credential->state = LIFECYCLE_RETIRED;
	assert_true(store_credential_save(fixture->store, credential, NULL));
	assert_true(store_card_type_remove(fixture->store, "piv", NULL));
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_credential_comes_back_as_it_was_saved),
		WITH_STORE(a_credential_is_updated),
		WITH_STORE(a_user_has_one_card_of_a_template_until_it_is_given_up),
		WITH_STORE(an_inactive_card_remembers_what_it_was),
		WITH_STORE(a_serial_is_taken_once),
		WITH_STORE(what_does_not_exist_is_not_found),
		WITH_STORE(credentials_are_listed_in_pages_and_by_state),
		WITH_STORE(certificates_are_saved_held_and_listed),
		WITH_STORE(wrong_certificates_are_refused),
		WITH_STORE(intents_are_listed_oldest_first_until_removed),
		WITH_STORE(an_intent_survives_a_daemon_that_is_killed),
		WITH_STORE(a_template_gets_a_new_version_each_time),
		WITH_STORE(a_removed_template_stays_for_those_who_have_it),
		WITH_STORE(connections_are_saved_replaced_and_listed),
		WITH_STORE(a_connection_in_use_is_not_removed),
		WITH_STORE(an_added_type_is_kept_and_removed),
		WITH_STORE(a_type_of_managed_cards_stays),
		WITH_STORE(two_threads_do_not_mix_their_transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
