/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holders who are people of a directory, and the watch over them; by the store and a fake. */
#include "operation/people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/people-list.h"
#include "operation/people-watch.h"
#include "unit/operation/fake-directory.h"
#include "unit/store/fixture.h"

#define TEMPLATE_WITH(more)                                                                        \
	"{\"name\": \"staff\", \"card-type\": \"piv\", \"keys\": [{\"slot\": \"signature\", "      \
	"\"algorithm\": \"ec-p256\"}], \"issue\": {\"holder\": {\"from\": \"directory\", "         \
	"\"directory\": \"staff\"" more "}, \"chuid\": {\"person\": \"{number}\"}}}"

static struct services services;
static struct operation operation = {.services = &services, .actor = &audit_daemon};
static struct template *template;
/* What the listener has heard. */
static char heard[4096];

static void hear_person(void *context, int64_t credential_id, const char *what)
{
	char text[64];

	(void)context;
	snprintf(text, sizeof(text), "%d:%s ", (int)credential_id, what);
	strncat(heard, text, sizeof(heard) - strlen(heard) - 1);
}

static void hear_missing(void *context, const char *connection, unsigned missing, unsigned count)
{
	char text[64];

	(void)context;
	snprintf(text, sizeof(text), "%s:%u/%u ", connection, missing, count);
	strncat(heard, text, sizeof(heard) - strlen(heard) - 1);
}

static void set_template(const char *document)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	template_free(template);
	template = template_parse(document, &error);
	if (!template)
		fail_msg("%s", error_message(&error));
	assert_true(store_template_save(services.store, template, &error));
}

static int set_up(void **state)
{
	if (fixture_set_up(state) != 0)
		return -1;
	services = (struct services){.store = ((struct fixture *)*state)->store,
		.open_directory = fake_open,
		.listener = {.person = hear_person, .people_missing = hear_missing}};
	services.connections.store = services.store;
	services.contacts = contacts_new(&services, NULL, NULL);
	fake = (struct fake_directory){
		.people = {{"p1", "ada", "Ada Lovelace", "ada@example.org", false, false},
			{"p2", "grace", "Grace Hopper", NULL, false, false},
			{"p3", "twin", "Castor", NULL, false, false},
			{"p4", "twin", "Pollux", NULL, false, false}},
		.count = 4};
	heard[0] = '\0';
	set_template(TEMPLATE_WITH(", \"further\": [\"number\", \"email\"], \"if-gone\": "
				   "\"suspend\", \"if-disabled\": \"suspend\""));
	return 0;
}

static int tear_down(void **state)
{
	contacts_free(services.contacts);
	template_free(template);
	template = NULL;
	return fixture_tear_down(state);
}

/* --- who it is --- */

static bool find(const char *login, const char *number, const char *email,
	struct person_holder *holder, struct error *error)
{
	struct fields given _cleanup_fields_ = FIELDS_INIT;
	const struct issue_terms terms = {.person = login};

	if (number)
		fields_set(&given, "number", number);
	if (email)
		fields_set(&given, "email", email);
	return people_find_holder(&services, template, &given, &terms, holder, error);
}

static void fields_come_from_the_directory(void **state)
{
	struct person_holder holder _cleanup_person_holder_ = {0};

	(void)state;
	assert_true(find("ada", "7", NULL, &holder, NULL));
	assert_string_equal(fields_get(&holder.fields, "name"), "Ada Lovelace");
	assert_string_equal(fields_get(&holder.fields, "email"), "ada@example.org");
	assert_string_equal(fields_get(&holder.fields, "number"), "7");
	assert_string_equal(holder.link.connection, "staff");
	assert_string_equal(holder.link.id, "p1");
	assert_int_equal(holder.link.given.count, 1);
	assert_string_equal(fields_get(&holder.link.given, "number"), "7");
}

static void assert_refused(const char *login, const char *number, const char *email,
	enum error_code code, const char *field, const char *words)
{
	struct person_holder holder _cleanup_person_holder_ = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(find(login, number, email, &holder, &error));
	if (error.code != code || !error.field || strcmp(error.field, field) != 0 ||
		!strstr(error_message(&error), words))
		fail_msg("%s, %s: %s", error_name(error.code), error.field, error_message(&error));
}

static void who_gets_no_card_is_told_why(void **state)
{
	(void)state;
	assert_refused("nobody", "7", NULL, ERROR_NOT_FOUND, "person", "nobody with the login");
	assert_refused("twin", "7", NULL, ERROR_INVALID_ARGUMENT, "person", "several");
	assert_refused(NULL, "7", NULL, ERROR_INVALID_ARGUMENT, "person", "say who it is");
	fake.people[0].is_disabled = true;
	assert_refused("ada", "7", NULL, ERROR_INVALID_ARGUMENT, "person", "locked on 2026-11-01");
	fake.people[0].is_disabled = false;
	assert_refused("ada", NULL, NULL, ERROR_INVALID_ARGUMENT, "number", "missing");
}

static void fields_that_disagree_are_refused(void **state)
{
	struct person_holder holder _cleanup_person_holder_ = {0};

	(void)state;
	assert_refused("ada", "7", "other@example.org", ERROR_INVALID_ARGUMENT, "email",
		"ada@example.org");
	assert_true(find("ada", "7", "ada@example.org", &holder, NULL));
	assert_null(fields_get(&holder.link.given, "email"));
	person_holder_clear(&holder);
	/* Grace has none there, and the template lets it be given. */
	assert_true(find("grace", "7", "grace@example.org", &holder, NULL));
	assert_string_equal(fields_get(&holder.link.given, "email"), "grace@example.org");
	set_template(TEMPLATE_WITH(", \"further\": [\"number\"]"));
	assert_refused("grace", "7", "grace@example.org", ERROR_INVALID_ARGUMENT, "email",
		"/issue/holder/further");
}

static void a_directory_that_is_down_says_nothing(void **state)
{
	struct person_holder holder _cleanup_person_holder_ = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	fake.is_down = true;
	assert_false(find("ada", "7", NULL, &holder, &error));
	assert_int_equal(error.code, ERROR_NETWORK_FAILED);
	assert_non_null(strstr(error_message(&error), "staff"));
}

static void a_template_asks_only_for_what_the_directory_has(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_true(people_check_template(&services, template, &error));
	set_template(TEMPLATE_WITH(""));
	assert_false(people_check_template(&services, template, &error));
	assert_int_equal(error.code, ERROR_INVALID_TEMPLATE);
	assert_string_equal(error.field, "/issue/holder/directory");
	assert_non_null(strstr(error_message(&error), "\"number\""));
}

/* --- cards --- */

/* An active card of the person, as issued by the template. */
static int64_t give_card(const char *id)
{
	static int number;
	_cleanup_free_ char *serial = xasprintf("card-%d", ++number);
	_cleanup_credential_ struct credential *credential = sample_credential(serial);
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;
	_cleanup_person_ struct directory_person person = {0};
	_cleanup_directory_ struct directory *directory = fake_open(NULL, "staff", NULL);

	assert_true(directory->driver->get(directory, id, &person, NULL));
	credential->person.connection = xstrdup("staff");
	credential->person.id = xstrdup(id);
	fields_copy(&credential->holder, &person.fields);
	credential->template_name = xstrdup(template->name);
	credential->template_version = template->version;
	credential->state = LIFECYCLE_ACTIVE;
	assert_true(people_note(&services, &credential->person, &person, &record, NULL));
	assert_true(store_credential_save(services.store, credential, NULL));
	return credential->id;
}

static struct credential *card(int64_t id)
{
	return store_credential_by_id(services.store, id, NULL);
}

static enum lifecycle_state state_of(int64_t id)
{
	_cleanup_credential_ struct credential *credential = card(id);

	return credential->state;
}

static bool check(bool is_confirmed, struct error *error)
{
	const struct people_check request = {.is_confirmed = is_confirmed};

	heard[0] = '\0';
	return operation_check_people(&operation, &request, error);
}

static void assert_record(const char *id, enum person_state state, const char *news)
{
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;

	assert_true(store_person_get(services.store, "staff", id, &record, NULL));
	assert_int_equal(record.state, state);
	assert_string_equal(record.news, news);
}

static size_t count_audit(const char *what)
{
	const struct audit_filter filter = {.operation = what, .limit = 100};
	struct audit_record *records;
	size_t count = 0;
	int64_t next;

	assert_true(store_audit_list(services.store, &filter, &records, &count, &next, NULL));
	audit_records_free(records, count);
	return count;
}

static void who_is_gone_is_told_once_and_suspended_once(void **state)
{
	(void)state;
	int64_t one = give_card("p1"), two = give_card("p1"), other = give_card("p2");

	assert_true(check(false, NULL));
	assert_string_equal(heard, "");
	fake_find("p1")->is_gone = true;
	assert_true(check(false, NULL));
	_cleanup_free_ char *both = xasprintf("%d:gone %d:gone ", (int)one, (int)two);
	assert_string_equal(heard, both);
	assert_int_equal(state_of(one), LIFECYCLE_INACTIVE);
	assert_int_equal(state_of(two), LIFECYCLE_INACTIVE);
	assert_int_equal(state_of(other), LIFECYCLE_ACTIVE);
	_cleanup_credential_ struct credential *suspended = card(one);
	assert_string_equal(suspended->reason, PERSON_REASON_GONE);
	assert_record("p1", PERSON_GONE, "");
	assert_int_equal(count_audit("suspend"), 2);
	assert_int_equal(count_audit("person-gone"), 2);
	assert_true(check(false, NULL));
	assert_string_equal(heard, "");
	assert_int_equal(count_audit("suspend"), 2);
	/* An operator knows better; that is not undone. */
	assert_true(operation_resume(&operation, one, NULL));
	assert_true(check(false, NULL));
	assert_int_equal(state_of(one), LIFECYCLE_ACTIVE);
}

static void without_a_policy_it_is_only_told(void **state)
{
	(void)state;
	set_template(TEMPLATE_WITH(", \"further\": [\"number\"]"));
	int64_t id = give_card("p1");
	fake_find("p1")->is_disabled = true;
	assert_true(check(false, NULL));
	assert_non_null(strstr(heard, ":disabled"));
	assert_int_equal(state_of(id), LIFECYCLE_ACTIVE);
	assert_int_equal(count_audit("person-disabled"), 1);
}

static void who_is_back_is_told_and_resumed_only_if_we_suspended(void **state)
{
	(void)state;
	set_template(TEMPLATE_WITH(", \"further\": [\"number\"], \"if-disabled\": \"suspend\", "
				   "\"if-back\": \"resume\""));
	int64_t ours = give_card("p1"), theirs = give_card("p1");
	assert_true(operation_suspend(&operation, theirs, "on holiday", NULL));
	fake_find("p1")->is_disabled = true;
	assert_true(check(false, NULL));
	assert_int_equal(state_of(ours), LIFECYCLE_INACTIVE);
	fake_find("p1")->is_disabled = false;
	assert_true(check(false, NULL));
	assert_non_null(strstr(heard, ":back"));
	assert_int_equal(state_of(ours), LIFECYCLE_ACTIVE);
	assert_int_equal(state_of(theirs), LIFECYCLE_INACTIVE);
	assert_record("p1", PERSON_PRESENT, "");
}

static void nobody_else_gives_our_reasons(void **state)
{
	const struct audit_actor somebody = {.caller = "uid=1000"};
	struct operation own = {.services = &services, .actor = &somebody};
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	int64_t id = give_card("p1");
	assert_false(operation_suspend(&own, id, PERSON_REASON_GONE, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_int_equal(state_of(id), LIFECYCLE_ACTIVE);
}

static void an_error_of_the_directory_is_nobodys_end(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	int64_t one = give_card("p1"), two = give_card("p2");
	fake_find("p2")->is_gone = true;
	fake.is_down = true;
	assert_false(check(false, &error));
	assert_int_equal(error.code, ERROR_NETWORK_FAILED);
	assert_int_equal(state_of(one), LIFECYCLE_ACTIVE);
	assert_int_equal(state_of(two), LIFECYCLE_ACTIVE);
	assert_record("p2", PERSON_PRESENT, "");
	/* One who cannot be asked for keeps nobody else from being looked at. */
	fake.is_down = false;
	fake.broken = "p1";
	assert_true(check(false, NULL));
	assert_record("p1", PERSON_PRESENT, "");
	assert_int_equal(state_of(two), LIFECYCLE_INACTIVE);
}

/* Ten people more, of whom each has a card. */
static void give_many(void)
{
	static char ids[40][8];

	for (size_t i = 0; i < 40; i++) {
		snprintf(ids[i], sizeof(ids[i]), "m%02zu", i);
		fake.people[fake.count++] =
			(struct fake_person){.id = ids[i], .login = ids[i], .name = ids[i]};
		give_card(ids[i]);
	}
}

static void a_look_that_breaks_off_believes_nothing(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	give_many();
	fake_find("m00")->is_gone = true;
	fake_find("m01")->name = "Another";
	fake.asked = 0;
	fake.down_after = 20;
	assert_false(check(false, &error));
	assert_record("m00", PERSON_PRESENT, "");
	/* What it did see is not lost, and told with the next look. */
	assert_record("m01", PERSON_PRESENT, "changed");
	fake.down_after = 0;
	assert_true(check(false, NULL));
	assert_record("m00", PERSON_GONE, "");
	assert_record("m01", PERSON_PRESENT, "");
	assert_int_equal(count_audit("person-changed"), 1);
}

static void so_many_at_once_are_not_believed(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	give_many();
	for (size_t i = 4; i < 10; i++)
		fake.people[i].is_gone = true;
	assert_false(check(false, &error));
	assert_non_null(strstr(error_message(&error), "--confirm"));
	assert_string_equal(heard, "staff:6/40 ");
	assert_int_equal(count_audit("people-missing"), 1);
	assert_int_equal(count_audit("suspend"), 0);
	assert_record("m00", PERSON_PRESENT, "");
	assert_true(check(true, NULL));
	assert_int_equal(count_audit("suspend"), 6);
	assert_record("m00", PERSON_GONE, "");
}

static void five_are_believed(void **state)
{
	(void)state;
	give_many();
	for (size_t i = 4; i < 9; i++)
		fake.people[i].is_disabled = true;
	assert_true(check(false, NULL));
	assert_int_equal(count_audit("suspend"), 5);
}

static void what_was_found_and_not_told_is_told_later(void **state)
{
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;
	const struct person_link link = {.connection = (char *)"staff", .id = (char *)"p1"};

	(void)state;
	int64_t one = give_card("p1"), two = give_card("p1");
	/* As after a kill when the first card was done, and the second one was not. */
	fake_find("p1")->is_gone = true;
	assert_true(people_note(&services, &link, NULL, &record, NULL));
	assert_true(operation_suspend(&operation, one, PERSON_REASON_GONE, NULL));
	assert_record("p1", PERSON_GONE, "gone");
	assert_true(check(false, NULL));
	assert_int_equal(state_of(one), LIFECYCLE_INACTIVE);
	assert_int_equal(state_of(two), LIFECYCLE_INACTIVE);
	assert_int_equal(count_audit("suspend"), 2);
	assert_record("p1", PERSON_GONE, "");
}

static void a_card_that_is_busy_is_suspended_later(void **state)
{
	(void)state;
	int64_t id = give_card("p1");
	_cleanup_credential_ struct credential *credential = card(id);
	fake_find("p1")->is_gone = true;
	assert_true(contacts_claim(services.contacts, credential->serial, NULL));
	assert_true(check(false, NULL));
	assert_int_equal(state_of(id), LIFECYCLE_ACTIVE);
	assert_record("p1", PERSON_GONE, "gone");
	contacts_release(services.contacts, credential->serial);
	assert_true(check(false, NULL));
	assert_int_equal(state_of(id), LIFECYCLE_INACTIVE);
	assert_record("p1", PERSON_GONE, "");
}

/* --- changed fields --- */

static void changed_fields_are_listed_until_the_card_has_them(void **state)
{
	struct person_holder holder _cleanup_person_holder_ = {0};
	struct fields changes _cleanup_fields_ = FIELDS_INIT;
	struct person_finding *findings;
	enum change_effect effect;
	size_t count;
	int64_t next;

	(void)state;
	int64_t id = give_card("p1");
	fake_find("p1")->name = "Ada King";
	assert_true(check(false, NULL));
	assert_non_null(strstr(heard, ":changed"));
	assert_true(people_list(&services, 0, 10, &findings, &count, &next, NULL));
	assert_int_equal(count, 1);
	assert_int_equal(next, 0);
	assert_string_equal(fields_get(&findings[0].changes, "name"), "Ada King");
	person_findings_free(findings, count);
	_cleanup_credential_ struct credential *credential = card(id);
	assert_true(people_find_changes(
		&services, template, credential, &holder, &changes, &effect, NULL));
	assert_int_equal(changes.count, 1);
	assert_int_equal(effect, CHANGE_RULE); /* it is in no certificate */
	fields_copy(&credential->holder, &holder.fields);
	assert_true(store_credential_save(services.store, credential, NULL));
	assert_true(people_list(&services, 0, 10, &findings, &count, &next, NULL));
	assert_int_equal(count, 0);
	person_findings_free(findings, count);
}

static void a_card_issued_anew_takes_the_fields_of_now(void **state)
{
	struct person_holder holder _cleanup_person_holder_ = {0};
	static const struct fields none = FIELDS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	int64_t id = give_card("p1");
	_cleanup_credential_ struct credential *credential = card(id);
	fields_set(&credential->person.given, "number", "7");
	fields_set(&credential->holder, "number", "7");
	fake_find("p1")->name = "Ada King";
	assert_true(people_refresh_holder(
		&services, template, credential, &none, false, &holder, NULL));
	assert_string_equal(fields_get(&holder.fields, "name"), "Ada King");
	assert_string_equal(fields_get(&holder.fields, "number"), "7");
	person_holder_clear(&holder);
	fake.is_down = true;
	assert_false(people_refresh_holder(
		&services, template, credential, &none, false, &holder, &error));
	person_holder_clear(&holder);
	assert_true(
		people_refresh_holder(&services, template, credential, &none, true, &holder, NULL));
	assert_string_equal(fields_get(&holder.fields, "name"), "Ada Lovelace");
	assert_string_equal(holder.link.id, "p1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(fields_come_from_the_directory),
		TEST(who_gets_no_card_is_told_why),
		TEST(fields_that_disagree_are_refused),
		TEST(a_directory_that_is_down_says_nothing),
		TEST(a_template_asks_only_for_what_the_directory_has),
		TEST(who_is_gone_is_told_once_and_suspended_once),
		TEST(without_a_policy_it_is_only_told),
		TEST(who_is_back_is_told_and_resumed_only_if_we_suspended),
		TEST(nobody_else_gives_our_reasons),
		TEST(an_error_of_the_directory_is_nobodys_end),
		TEST(a_look_that_breaks_off_believes_nothing),
		TEST(so_many_at_once_are_not_believed),
		TEST(five_are_believed),
		TEST(what_was_found_and_not_told_is_told_later),
		TEST(a_card_that_is_busy_is_suspended_later),
		TEST(changed_fields_are_listed_until_the_card_has_them),
		TEST(a_card_issued_anew_takes_the_fields_of_now),
	};

	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
