/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What operators do is signed by keys that their cards vouched for. Each way to tamper is tried by
 * someone who can compute the whole chain anew: the hashes fit, and only the signatures tell.
 */
#include "audit/signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audit/audit.h"
#include "audit/verify.h"
#include "common/alloc.h"
#include "common/audit-signature.h"
#include "common/log.h"
#include "lib/person.h"
#include "unit/store/fixture.h"

#define HOUR_US (60 * 60 * INT64_C(1000000))

static EVP_PKEY *authority_key;
static X509 *authority;
static struct person ada = {.name = "ADA23", .card = "yubikey-1"};
static struct person bob = {.name = "BOB45", .card = "yubikey-2"};
/* Has a key and a certificate, but not from the authority. */
static struct person eve = {.name = "ADA23", .card = "yubikey-1"};

static int make_people(void **state)
{
	(void)state;
	authority_key = EVP_EC_gen("P-256");
	authority = person_certify(authority_key, "Authority", NULL, authority_key);
	person_equip(&ada, "P-256", authority, authority_key);
	person_equip(&bob, "P-384", authority, authority_key);
	person_equip(&eve, "P-256", NULL, NULL);
	return 0;
}

static int remove_people(void **state)
{
	(void)state;
	person_forget(&ada);
	person_forget(&bob);
	person_forget(&eve);
	EVP_PKEY_free(authority_key);
	X509_free(authority);
	return 0;
}

/* --- logins and what is done under them --- */

/* What the person's card answers to a challenge. */
static void prove(const struct person *person, const struct audit_challenge *challenge,
	struct audit_proof *proof)
{
	audit_challenge_encode(challenge, &proof->challenge);
	person_sign(person, &proof->challenge, &proof->signature);
	person_append_certificate(person, &proof->certificate);
}

static struct audit_signer *log_in(struct store *store, const struct person *person)
{
	struct audit_signer *signer = audit_signer_new(NULL);
	struct audit_proof proof _cleanup_audit_proof_ = {0};
	struct audit_challenge challenge = {.store_id = (char *)store_id(store),
		.card = (char *)person->card,
		.time_us = audit_now_us()};
	int64_t record = 0;

	challenge.until_us = challenge.time_us + HOUR_US;
	memcpy(challenge.key, audit_signer_key(signer), sizeof(challenge.key));
	prove(person, &challenge, &proof);
	const struct audit_entry entry = {.actor = AUDIT_CALLER("uid=0"),
		.operation = AUDIT_LOGIN_OPERATION,
		.card = person->card,
		.operator_name = person->name,
		.proof = &proof,
		.id = &record};
	assert_true(audit_write_entry(store, &entry, NULL));
	audit_signer_set_login(signer, person->name, record);
	return signer;
}

static void act(struct store *store, const char *operation, struct audit_signer *one,
	struct audit_signer *other)
{
	struct audit_actor *actor _cleanup_audit_actor_ = audit_actor_new("uid=0 pid=1");

	if (one)
		audit_actor_add(actor, one);
	if (other)
		audit_actor_add(actor, other);
	assert_true(audit_write(store, actor, operation, "card", 7, NULL, NULL, NULL));
}

/*
 * 1: before anybody logged in; 2, 3: logins of Ada and Bob; 4, 5: Ada's doings; 6: Bob's; 7: both;
 * 8: the daemon's.
 */
static void write_trail(struct store *store)
{
	act(store, "add-system-owner", NULL, NULL);
	struct audit_signer *of_ada _cleanup_audit_signer_ = log_in(store, &ada);
	struct audit_signer *of_bob _cleanup_audit_signer_ = log_in(store, &bob);
	act(store, "issue", of_ada, NULL);
	act(store, "revoke", of_ada, NULL);
	act(store, "suspend", of_bob, NULL);
	act(store, "rotate-master-key", of_ada, of_bob);
	assert_true(audit_write(store, &audit_daemon, "recover", "card", 0, NULL, NULL, NULL));
}

/* --- the walk --- */

struct trail {
	struct audit_record *records; /* record 1 is the first */
	size_t count;
	const char *store_id;
	X509_STORE *anchors;
	size_t from; /* the walk begins behind this one */
};

static void trail_load(struct trail *trail, struct store *store)
{
	const struct audit_filter all = {.limit = 100};
	int64_t next;

	*trail = (struct trail){.store_id = store_id(store)};
	assert_true(store_audit_list(store, &all, &trail->records, &trail->count, &next, NULL));
}

static void trail_clear(struct trail *trail)
{
	audit_records_free(trail->records, trail->count);
	X509_STORE_free(trail->anchors);
}
#define _cleanup_trail_ _cleanup_(trail_clear)

static void trust_authority(struct trail *trail)
{
	trail->anchors = X509_STORE_new();
	assert_int_equal(X509_STORE_add_cert(trail->anchors, authority), 1);
}

/* As whoever has the database can. */
static void chain_anew(struct trail *trail)
{
	static const uint8_t zeros[AUDIT_HASH_BYTES];
	const uint8_t *previous = zeros;

	for (size_t i = 0; i < trail->count; i++) {
		audit_record_chain(&trail->records[i], previous);
		previous = trail->records[i].hash;
	}
}

/* "" for a whole trail; else what is wrong. Heap. */
static char *walk(struct trail *trail)
{
	struct audit_verifier verifier _cleanup_audit_verifier_ = {0};
	size_t from = trail->from;

	audit_verifier_init(&verifier, trail->store_id, (int64_t)from,
		from ? trail->records[from - 1].hash : NULL);
	verifier.logins.anchors = trail->anchors;
	for (size_t i = 0; i < from; i++) {
		if (audit_record_is_login(&trail->records[i]))
			audit_verifier_earlier_login(&verifier, &trail->records[i]);
	}
	for (size_t i = from; i < trail->count; i++)
		audit_verifier_record(&verifier, &trail->records[i]);
	audit_verifier_end(&verifier, (int64_t)trail->count);
	if (verifier.problem != AUDIT_WHOLE)
		assert_int_equal(verifier.problem, AUDIT_SIGNATURE);
	return xstrdup(verifier.text ? verifier.text : "");
}

static void expect(struct trail *trail, const char *text)
{
	_cleanup_free_ char *found = walk(trail);

	if (text[0] ? !strstr(found, text) : found[0])
		fail_msg("instead of \"%s\": \"%s\"", text, found);
}

/* --- the tests --- */

static void what_operators_do_carries_their_signatures(void **state)
{
	struct fixture *fixture = *state;
	struct trail trail _cleanup_trail_;
	struct audit_verifier verifier _cleanup_audit_verifier_ = {0};
	int64_t records;

	write_trail(fixture->store);
	trail_load(&trail, fixture->store);
	assert_string_equal(trail.records[6].operator_name, "ADA23 BOB45");
	assert_null(trail.records[7].operator_name);
	expect(&trail, "");
	trust_authority(&trail);
	expect(&trail, "");
	assert_true(audit_verify(fixture->store, NULL, &verifier, &records, NULL));
	assert_int_equal(verifier.problem, AUDIT_WHOLE);
	assert_int_equal(verifier.logins.signed_records, 4);
	assert_int_equal(verifier.logins.operator_count, 2);
	assert_string_equal(verifier.logins.operators[1].subject, "CN=BOB45");
	assert_int_equal(verifier.logins.operators[1].records, 2);
}

static void each_of_several_operators_finds_the_record(void **state)
{
	static const struct {
		const char *name, *ids;
	} cases[] = {{"ADA23", "2457"}, {"BOB45", "367"}, {"ADA23 BOB45", ""}, {"ADA", ""}};
	struct fixture *fixture = *state;

	write_trail(fixture->store);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct audit_filter filter = {.operator_name = cases[i].name, .limit = 10};
		struct audit_record *records;
		size_t count;
		int64_t next;
		char ids[16] = "";
		assert_true(
			store_audit_list(fixture->store, &filter, &records, &count, &next, NULL));
		for (size_t k = 0; k < count; k++)
			ids[k] = (char)('0' + records[k].id);
		assert_string_equal(ids, cases[i].ids);
		audit_records_free(records, count);
	}
}

static void set(char **text, const char *value)
{
	free(*text);
	*text = xstrdup(value);
}

static void change_actor(struct audit_record *records)
{
	set(&records[3].actor, "uid=1");
}

static void change_result(struct audit_record *records)
{
	set(&records[3].outcome, "Failed");
}

static void change_operation(struct audit_record *records)
{
	set(&records[4].operation, "retire");
}

static void change_time(struct audit_record *records)
{
	records[5].time_us++;
}

static void change_signature(struct audit_record *records)
{
	records[3].signature.data[records[3].signature.length - 1] ^= 1;
}

static void drop_signature(struct audit_record *records)
{
	buffer_clear(&records[4].signature);
}

static void cut_signature(struct audit_record *records)
{
	buffer_truncate(&records[4].signature, 40);
}

static void exchange_signatures(struct audit_record *records)
{
	struct buffer kept = records[3].signature;

	records[3].signature = records[4].signature;
	records[4].signature = kept;
}

static void drop_operator(struct audit_record *records)
{
	set(&records[3].operator_name, NULL);
}

static void drop_second_operator(struct audit_record *records)
{
	set(&records[6].operator_name, "ADA23");
}

static void drop_second_operator_whole(struct audit_record *records)
{
	set(&records[6].operator_name, "ADA23");
	buffer_truncate(&records[6].signature, records[6].signature.length / 2);
}

static void strip_operator(struct audit_record *records)
{
	set(&records[3].operator_name, NULL);
	buffer_clear(&records[3].signature);
}

static void name_another(struct audit_record *records)
{
	set(&records[5].operator_name, "ADA23");
}

static void name_nobody(struct audit_record *records)
{
	set(&records[0].operator_name, "ADA23");
}

static void drop_login(struct audit_record *records)
{
	set(&records[1].operation, "noted");
	set(&records[1].operator_name, NULL);
	buffer_clear(&records[1].signature);
}

static void drop_proof(struct audit_record *records)
{
	buffer_clear(&records[1].signature);
}

static void damage_proof(struct audit_record *records)
{
	records[1].signature.data[20] ^= 1;
}

static void change_login_card(struct audit_record *records)
{
	set(&records[1].card, "yubikey-2");
}

static void change_login_name(struct audit_record *records)
{
	set(&records[1].operator_name, "BOB45");
}

static void change_login_time(struct audit_record *records)
{
	records[1].time_us += HOUR_US;
}

/* The challenge with another session key, as if the card had signed that. */
static void change_session_key(struct audit_record *records)
{
	struct audit_proof proof _cleanup_audit_proof_ = {0};

	assert_true(audit_proof_decode(&records[1].signature, &proof));
	proof.challenge.data[proof.challenge.length - 1] ^= 1;
	buffer_truncate(&records[1].signature, 0);
	audit_proof_encode(&proof, &records[1].signature);
}

static void every_kind_of_tampering_shows(void **state)
{
	static const struct {
		void (*tamper)(struct audit_record *records);
		const char *text;
	} cases[] = {
		{change_actor, "record 4 has a signature that is not operator ADA23's for it"},
		{change_result, "record 4 has a signature that is not operator ADA23's for it"},
		{change_operation, "record 5 has a signature that is not"},
		{change_time, "record 6 has a signature that is not operator BOB45's for it"},
		{change_signature, "record 4 has a signature that is not"},
		{drop_signature, "record 5 names operator ADA23, who did not sign it"},
		{cut_signature, "record 5 has a damaged signature"},
		{exchange_signatures, "record 4 has a signature that is not"},
		{drop_operator, "record 4 has a signature of nobody whom it names"},
		{strip_operator, "record 4 is a change that no operator signed"},
		{drop_second_operator, "record 7 has a signature that is not"},
		{drop_second_operator_whole, "record 7 has a signature that is not"},
		{name_another, "record 6 names operator ADA23, but is signed under the login of "
			       "BOB45 (record 3)"},
		{name_nobody, "record 1 names operator ADA23, who did not sign it"},
		{drop_login, "record 4 is signed under a login that is not there (record 2)"},
		{drop_proof, "record 2 names operator ADA23, who did not sign it"},
		{damage_proof, "record 2 has a damaged proof of its login"},
		{change_login_card, "record 2 has the proof of a login with another card"},
		{change_login_name, "record 4 names operator ADA23, but is signed under the login"},
		{change_login_time, "record 2 has the proof of a login at another time"},
		{change_session_key,
			"record 2 has a proof that the card of the certificate did not sign"},
	};
	struct fixture *fixture = *state;

	write_trail(fixture->store);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct trail trail _cleanup_trail_;
		trail_load(&trail, fixture->store);
		cases[i].tamper(trail.records);
		chain_anew(&trail);
		expect(&trail, cases[i].text);
	}
}

/* Of a login's proof (record 2) and of two operators' signatures (record 7). */
static void every_byte_counts(void **state)
{
	static const size_t places[] = {1, 6};
	struct fixture *fixture = *state;
	struct trail trail _cleanup_trail_;

	write_trail(fixture->store);
	trail_load(&trail, fixture->store);
	trust_authority(&trail);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct buffer *bytes = &trail.records[places[i]].signature;
		for (size_t k = 0; k < bytes->length; k += k < 300 ? 1 : 5) {
			bytes->data[k] ^= 0x41;
			chain_anew(&trail);
			_cleanup_free_ char *found = walk(&trail);
			if (!found[0])
				fail_msg("byte %zu of record %zu counts for nothing", k,
					places[i] + 1);
			bytes->data[k] ^= 0x41;
		}
	}
	chain_anew(&trail);
	expect(&trail, "");
}

/* Who has the trail can let any card sign; only the authority tells the cards apart. */
static void the_authority_tells_whose_card_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct trail trail _cleanup_trail_;

	struct audit_signer *signer _cleanup_audit_signer_ = log_in(fixture->store, &eve);
	act(fixture->store, "revoke", signer, NULL);
	trail_load(&trail, fixture->store);
	expect(&trail, "");
	trust_authority(&trail);
	expect(&trail, "record 1 is a login whose certificate does not come from a trusted "
		       "authority");
}

static void the_proof_of_another_store_is_none(void **state)
{
	struct fixture *fixture = *state;
	struct trail trail _cleanup_trail_;

	write_trail(fixture->store);
	trail_load(&trail, fixture->store);
	trail.store_id = "another";
	expect(&trail, "record 2 has the proof of a login to another store");
}

static void a_signature_is_good_while_the_login_is(void **state)
{
	struct fixture *fixture = *state;
	struct trail trail _cleanup_trail_;

	struct audit_signer *signer _cleanup_audit_signer_ = log_in(fixture->store, &ada);
	trail_load(&trail, fixture->store);
	/* Much later, and signed all the same. */
	struct audit_record late = {.id = 2,
		.time_us = trail.records[0].time_us + 2 * HOUR_US,
		.actor = xstrdup("uid=0"),
		.operator_name = xstrdup(ada.name),
		.operation = xstrdup("issue"),
		.outcome = xstrdup("ok")};
	assert_true(audit_signer_sign(signer, &late, trail.records[0].hash, trail.store_id, NULL));
	audit_record_chain(&late, trail.records[0].hash);
	trail.records = xreallocarray(trail.records, 2, sizeof(*trail.records));
	trail.records[trail.count++] = late;
	expect(&trail, "record 2 is signed by operator ADA23 outside the time of the login");
}

static void a_walk_may_begin_behind_the_logins(void **state)
{
	struct fixture *fixture = *state;
	struct trail trail _cleanup_trail_;

	write_trail(fixture->store);
	trail_load(&trail, fixture->store);
	trail.from = 4;
	expect(&trail, "");
	drop_login(trail.records);
	expect(&trail, "record 5 is signed under a login that is not there (record 2)");
}

/* A job goes on when its operator has logged out, and signs with the key that it holds. */
static void a_key_lives_as_long_as_one_holds_it(void **state)
{
	struct fixture *fixture = *state;
	struct trail trail _cleanup_trail_;
	struct audit_signer *login = log_in(fixture->store, &ada);
	struct audit_actor *job _cleanup_audit_actor_ = audit_actor_new("uid=0");

	audit_actor_add(job, login);
	audit_signer_unref(login);
	assert_true(audit_write(fixture->store, job, "issue", NULL, 1, NULL, NULL, NULL));
	trail_load(&trail, fixture->store);
	assert_string_equal(trail.records[1].operator_name, "ADA23");
	expect(&trail, "");
}

static void a_challenge_is_exactly_what_it_says(void **state)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct audit_challenge read _cleanup_audit_challenge_ = {0};
	const struct audit_challenge challenge = {.store_id = (char *)"store",
		.card = (char *)"yubikey-1",
		.time_us = 5,
		.until_us = 6,
		.nonce = {1},
		.key = {2}};

	(void)state;
	audit_challenge_encode(&challenge, &bytes);
	assert_true(audit_challenge_decode(&bytes, &read));
	assert_string_equal(read.card, "yubikey-1");
	assert_int_equal(read.until_us, 6);
	assert_memory_equal(read.key, challenge.key, sizeof(read.key));
	size_t whole = bytes.length;
	buffer_append_u8(&bytes, 0);
	assert_false(audit_challenge_decode(&bytes, &read));
	for (size_t length = 0; length < whole; length++) {
		buffer_truncate(&bytes, whole);
		struct buffer part = {.data = bytes.data, .length = length};
		assert_false(audit_challenge_decode(&part, &read));
	}
	bytes.data[5] ^= 1; /* of the purpose */
	assert_false(audit_challenge_decode(&bytes, &read));
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(what_operators_do_carries_their_signatures),
		WITH_STORE(each_of_several_operators_finds_the_record),
		WITH_STORE(every_kind_of_tampering_shows),
		WITH_STORE(every_byte_counts),
		WITH_STORE(the_authority_tells_whose_card_it_was),
		WITH_STORE(the_proof_of_another_store_is_none),
		WITH_STORE(a_signature_is_good_while_the_login_is),
		WITH_STORE(a_walk_may_begin_behind_the_logins),
		WITH_STORE(a_key_lives_as_long_as_one_holds_it),
		cmocka_unit_test(a_challenge_is_exactly_what_it_says),
	};

	log_set_level(LOG_LEVEL_WARNING);
	return cmocka_run_group_tests(tests, make_people, remove_people);
}
