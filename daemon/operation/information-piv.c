/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data objects, secrets and keys that a driver can read. */
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <time.h>

#include "card/chuid.h"
#include "common/alloc.h"
#include "model/credential.h"
#include "operation/information-private.h"

#define TIME_LENGTH sizeof("2030-12-31T23:59:59Z")

static void set_reader(json_t *object, const char *member, struct reader value)
{
	information_set_hex(object, member, value.data, reader_left(&value));
}

static void set_text(json_t *object, const char *member, const char *text)
{
	if (text && text[0])
		json_object_set_new(object, member, json_string(text));
}

/* --- data objects --- */

static json_t *describe_fasc_n(const struct fasc_n *fasc_n)
{
	json_t *object = json_object();

	set_text(object, "agency", fasc_n->agency);
	set_text(object, "system", fasc_n->system);
	set_text(object, "credential", fasc_n->credential);
	set_text(object, "series", fasc_n->series);
	set_text(object, "issue", fasc_n->issue);
	set_text(object, "person", fasc_n->person);
	set_text(object, "category", fasc_n->category);
	set_text(object, "organisation", fasc_n->organisation);
	set_text(object, "association", fasc_n->association);
	return object;
}

static json_t *describe_chuid(const struct buffer *contents)
{
	json_t *object = json_object();
	struct chuid chuid;

	json_object_set_new(object, "valid", json_boolean(chuid_parse(contents, &chuid)));
	if (chuid.has_fasc_n)
		json_object_set_new(object, "fasc_n", describe_fasc_n(&chuid.fasc_n));
	set_reader(object, "guid", chuid.guid);
	set_text(object, "expires", chuid.expires);
	json_object_set_new(object, "signed", json_boolean(chuid.is_signed));
	return object;
}

static void set_version(json_t *object, const char *member, uint8_t version)
{
	_cleanup_free_ char *text = xasprintf("%u.%u", version >> 4, version & 0xF);

	if (version)
		set_text(object, member, text);
}

static json_t *describe_ccc(const struct buffer *contents)
{
	json_t *object = json_object();
	struct ccc ccc;

	json_object_set_new(object, "valid", json_boolean(ccc_parse(contents, &ccc)));
	set_reader(object, "card_identifier", ccc.card_identifier);
	set_version(object, "container_version", ccc.container_version);
	set_version(object, "grammar_version", ccc.grammar_version);
	if (ccc.data_model)
		json_object_set_new(object, "data_model", json_integer(ccc.data_model));
	return object;
}

static json_t *describe_discovery(const struct buffer *contents)
{
	json_t *object = json_object();
	struct discovery discovery;

	json_object_set_new(object, "valid", json_boolean(discovery_parse(contents, &discovery)));
	set_reader(object, "application", discovery.application);
	json_object_set_new(object, "pin", json_boolean(discovery.pin_usage & DISCOVERY_PIN));
	json_object_set_new(
		object, "global_pin", json_boolean(discovery.pin_usage & DISCOVERY_GLOBAL_PIN));
	json_object_set_new(
		object, "biometry", json_boolean(discovery.pin_usage & DISCOVERY_BIOMETRY));
	json_object_set_new(object, "asks_for",
		json_string(discovery.pin_usage & DISCOVERY_GLOBAL_FIRST ? "global PIN" : "PIN"));
	return object;
}

json_t *information_piv(struct card *card)
{
	static const struct {
		enum card_object object;
		const char *member;
		json_t *(*describe)(const struct buffer *contents);
	} objects[] = {{CARD_OBJECT_CHUID, "chuid", describe_chuid},
		{CARD_OBJECT_CCC, "ccc", describe_ccc},
		{CARD_OBJECT_DISCOVERY, "discovery", describe_discovery}};
	json_t *piv = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		struct buffer contents _cleanup_buffer_ = BUFFER_INIT;
		if (card->driver->read(card, objects[i].object, KEY_SLOT_NONE, &contents, NULL))
			json_object_set_new(piv, objects[i].member, objects[i].describe(&contents));
	}
	return piv;
}

/* --- PIN, PUK and management key --- */

static json_t *describe_secret(struct card *card, enum card_secret which)
{
	struct card_secret_state state;
	json_t *object = json_object();

	if (!card->driver->secret_state(card, which, &state, NULL))
		return object;
	if (state.tries_left >= 0) {
		json_object_set_new(object, "tries_left", json_integer(state.tries_left));
		json_object_set_new(object, "blocked", json_boolean(state.blocked));
	}
	if (state.known_default)
		json_object_set_new(object, "factory_value", json_boolean(state.is_default));
	return object;
}

json_t *information_secrets(struct card *card)
{
	const struct card_info *info = &card->info;
	json_t *secrets = json_object();
	json_t *pin = describe_secret(card, CARD_SECRET_PIN);
	json_t *admin = describe_secret(card, CARD_SECRET_ADMIN);

	json_object_set_new(pin, "minimum_length", json_integer(info->pin_minimum));
	json_object_set_new(pin, "maximum_length", json_integer(info->pin_maximum));
	set_text(admin, "algorithm", admin_algorithm_name(info->admin_algorithm));
	json_object_set_new(secrets, "pin", pin);
	json_object_set_new(secrets, "puk", describe_secret(card, CARD_SECRET_PUK));
	json_object_set_new(secrets, "management_key", admin);
	return secrets;
}

/* --- keys --- */

static void set_time(json_t *object, const char *member, int64_t seconds)
{
	time_t moment = (time_t)seconds;
	char text[TIME_LENGTH];
	struct tm utc;

	if (gmtime_r(&moment, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		set_text(object, member, text);
}

static json_t *describe_certificate(const struct buffer *der)
{
	struct certificate certificate _cleanup_certificate_ = CERTIFICATE_INIT;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	json_t *object = json_object();

	SHA256(der->data, der->length, digest);
	if (certificate_from_der(&certificate, der->data, der->length, NULL)) {
		set_text(object, "subject", certificate.subject);
		set_text(object, "serial", certificate.serial_hex);
		set_time(object, "not_before", certificate.not_before);
		set_time(object, "not_after", certificate.not_after);
	}
	information_set_hex(object, "sha256", digest, sizeof(digest));
	return object;
}

static json_t *describe_key(const struct card_key *key)
{
	json_t *object = json_object();

	set_text(object, "slot", key_slot_name(key->slot));
	set_text(object, "algorithm", key_algorithm_name(key->algorithm));
	set_text(object, "pin", pin_use_name(key->pin));
	set_text(object, "touch", touch_use_name(key->touch));
	if (key->certificate.length)
		json_object_set_new(object, "certificate", describe_certificate(&key->certificate));
	return object;
}

json_t *information_keys(struct card *card)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < KEY_SLOT_COUNT; i++) {
		struct card_key key _cleanup_(card_key_clear) = {0};
		if (card->driver->read_key(card, key_slot_at(i), &key, NULL) &&
			(key.algorithm != KEY_ALGORITHM_NONE || key.certificate.length))
			json_array_append_new(keys, describe_key(&key));
	}
	return keys;
}
