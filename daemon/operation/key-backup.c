/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/key-backup.h"

#include <string.h>
#include <time.h>

#include <openssl/rand.h>
#include <openssl/x509.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "keys/seal.h"
#include "keys/shares.h"
#include "keys/wrap.h"
#include "operation/key-content.h"
#include "operation/operators.h"
#include "operation/vault.h"

#define OPERATION "back-up-master-key"

DEFINE_CLEANUP(X509 *, X509_free);

char *key_backup_id_text(const struct key_backup *backup)
{
	return hex_encode(backup->id, sizeof(backup->id));
}

/* --- which cards --- */

/* Fills what is known of the card but what is sealed to it. */
static bool add_card(struct services *services, const struct operator_record *record,
	struct key_backup *backup, struct error *error)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, record->credential_id, error);

	if (!credential)
		return false;
	if (credential->state != LIFECYCLE_ACTIVE || !record->active)
		return error_set(error, ERROR_WRONG_STATE,
			"card %s of operator %s is not active and could not open a backup",
			credential->serial, record->id);
	if (backup->card_count == KEY_BACKUP_CARDS_MAXIMUM)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "cards",
			"a backup is for %d cards at most", KEY_BACKUP_CARDS_MAXIMUM);
	if (key_backup_find_card(backup, credential->serial) < backup->card_count)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "cards",
			"card %s is named twice", credential->serial);
	X509 *certificate _cleanup_(X509_freep) =
		operators_seal_certificate(services, record->credential_id, error);
	if (!certificate)
		return error_prefix(error, "card %s", credential->serial);
	backup->cards =
		xreallocarray(backup->cards, backup->card_count + 1, sizeof(*backup->cards));
	struct key_backup_card *card = &backup->cards[backup->card_count++];
	*card = (struct key_backup_card){
		.serial = xstrdup(credential->serial), .operator_id = xstrdup(record->id)};
	unsigned char *der = NULL;
	int length = i2d_X509(certificate, &der);
	buffer_append(&card->certificate, der, length > 0 ? (size_t)length : 0);
	OPENSSL_free(der);
	return true;
}

static bool is_named(
	struct services *services, const struct operator_record *record, const char *name)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, record->credential_id, NULL);

	return strcmp(record->id, name) == 0 ||
	       (credential && strcmp(credential->serial, name) == 0);
}

static bool can_open(struct services *services, const struct operator_record *record)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, record->credential_id, NULL);

	return record->active && record->sealed.length > 0 && credential &&
	       credential->state == LIFECYCLE_ACTIVE;
}

static bool add_named(struct services *services, const struct operator_record *operators,
	size_t count, const char *name, struct key_backup *backup, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (is_named(services, &operators[i], name))
			return add_card(services, &operators[i], backup, error);
	}
	return error_set_field(error, ERROR_NOT_FOUND, "cards",
		"\"%.64s\" is neither the card of an operator nor an operator's ID", name);
}

static bool add_all(struct services *services, const struct operator_record *operators,
	size_t count, struct key_backup *backup, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (can_open(services, &operators[i]) &&
			!add_card(services, &operators[i], backup, error))
			return false;
	}
	return backup->card_count > 0 ||
	       error_set(error, ERROR_NOT_FOUND,
		       "there is no active card of a system owner or custodian");
}

static bool choose_cards(struct services *services, const struct key_backup_request *request,
	struct key_backup *backup, struct error *error)
{
	struct operator_record *operators = NULL;
	size_t count = 0;

	if (!store_operator_list(services->store, &operators, &count, error))
		return false;
	bool done = request->card_count > 0 || add_all(services, operators, count, backup, error);
	for (size_t i = 0; done && i < request->card_count; i++)
		done = add_named(services, operators, count, request->cards[i], backup, error);
	operators_free(operators, count);
	return done;
}

/* --- sealing --- */

static bool seal_share(const struct share *share, struct key_backup_card *card, struct error *error)
{
	const unsigned char *position = card->certificate.data;
	X509 *certificate _cleanup_(X509_freep) =
		d2i_X509(NULL, &position, (long)card->certificate.length);
	struct secret packed _cleanup_secret_ = SECRET_INIT;

	return (certificate || error_set(error, ERROR_FAILED, "reading a certificate failed")) &&
	       share_pack(share, &packed, error) &&
	       seal(&packed, &certificate, 1, &card->sealed, error);
}

/* A fresh key, of which each card gets a share. */
static bool seal_key(struct key_backup *backup, struct secret *key, struct error *error)
{
	struct share *shares = NULL;

	if (!secret_allocate(key, WRAP_KEY_LENGTH) ||
		RAND_priv_bytes(key->data, (int)key->length) != 1 ||
		RAND_bytes(backup->id, sizeof(backup->id)) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers for a key");
	if (!shares_split(
		    key, backup->id, backup->needed, (unsigned)backup->card_count, &shares, error))
		return false;
	bool done = true;
	for (size_t i = 0; done && i < backup->card_count; i++)
		done = seal_share(&shares[i], &backup->cards[i], error);
	shares_free(shares, backup->card_count);
	return done;
}

static bool wrap_token(struct services *services, const struct secret *key,
	struct key_backup *backup, struct error *error)
{
	struct token_files files _cleanup_token_files_ = TOKEN_FILES_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct buffer content _cleanup_buffer_ = BUFFER_INIT_WIPE;

	if (!vault_copy(services->vault, &files, &pin, error) ||
		!key_content_build(&pin, &files, &content, error))
		return false;
	_cleanup_free_ char *associated = key_backup_associated(backup);
	return wrap(key, associated, &content, &backup->data, error);
}

/* The versions that are in the embedded token itself. */
static bool list_versions(struct services *services, struct key_backup *backup, struct error *error)
{
	_cleanup_free_ struct master_key_record *records = NULL;
	size_t count = 0;
	bool found = false;

	if (!store_master_key_list(services->store, &records, &count, error))
		return false;
	backup->versions = xcalloc(count + 1, sizeof(*backup->versions));
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *label = master_key_label(records[i].version);
		if (!token_has_own_key(services->token, label, &found, error))
			return false;
		if (!found)
			continue;
		struct key_backup_version *version = &backup->versions[backup->version_count++];
		version->version = records[i].version;
		memcpy(version->key_check_value, records[i].key_check_value,
			sizeof(version->key_check_value));
	}
	return backup->version_count > 0 ||
	       error_set(error, ERROR_TOKEN_FAILED, "the token holds no master key");
}

static bool make(struct services *services, const struct key_backup_request *request,
	struct key_backup *backup, struct error *error)
{
	const struct vault_options *settings = vault_settings(services->vault);
	struct secret key _cleanup_secret_ = SECRET_INIT;

	backup->store_id = xstrdup(store_id(services->store));
	backup->token_label = xstrdup(settings->token.label);
	backup->made_at = time(NULL);
	backup->needed = request->needed;
	return vault_check_open(services, error) &&
	       choose_cards(services, request, backup, error) &&
	       list_versions(services, backup, error) && seal_key(backup, &key, error) &&
	       wrap_token(services, &key, backup, error);
}

/* "version 2 for 2 of yubikey-1 (K7M2P), yubikey-2 (8XQ3W)" */
static char *describe(const struct key_backup *backup)
{
	_cleanup_free_ char *cards = key_backup_cards_text(backup);
	_cleanup_free_ char *id = key_backup_id_text(backup);

	return backup->card_count > 0 ? xasprintf("%s, version %u, %u of: %s", id,
						key_backup_newest(backup), backup->needed, cards)
				      : NULL;
}

bool operation_back_up_master_key(struct operation *operation,
	const struct key_backup_request *request, char **document, struct error *error)
{
	struct services *services = operation->services;
	struct key_backup backup _cleanup_key_backup_ = KEY_BACKUP_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *text = NULL;

	if (make(services, request, &backup, &result))
		text = key_backup_format(&backup, &result);
	bool done = text && key_backup_note(services, &backup, &result);
	_cleanup_free_ char *detail = describe(&backup);
	if (!audit_write(services->store, operation->actor, OPERATION, NULL, 0, &result, detail,
		    &failure))
		log_error("audit record not written: %s", error_message(&failure));
	if (!done)
		return error_move(error, &result);
	*document = steal_pointer(&text);
	return true;
}

/* --- remembering --- */

static bool digest_of(X509 *certificate, uint8_t digest[32])
{
	unsigned length = 0;

	return certificate && X509_pubkey_digest(certificate, EVP_sha256(), digest, &length) == 1 &&
	       length == 32;
}

/* What the store keeps of a backup. */
static bool make_record(
	const struct key_backup *backup, struct key_backup_record *record, struct error *error)
{
	*record = (struct key_backup_record){.id = key_backup_id_text(backup),
		.made_at = backup->made_at,
		.needed = backup->needed,
		.newest_version = key_backup_newest(backup),
		.cards = xcalloc(backup->card_count, sizeof(*record->cards))};
	for (size_t i = 0; i < backup->card_count; i++) {
		const unsigned char *position = backup->cards[i].certificate.data;
		X509 *certificate _cleanup_(X509_freep) =
			d2i_X509(NULL, &position, (long)backup->cards[i].certificate.length);
		record->cards[i].serial = xstrdup(backup->cards[i].serial);
		record->card_count = i + 1;
		if (!digest_of(certificate, record->cards[i].key_digest))
			return error_set(error, ERROR_DATA_INVALID,
				"the certificate of card %s is damaged", backup->cards[i].serial);
	}
	return true;
}

bool key_backup_note(
	struct services *services, const struct key_backup *backup, struct error *error)
{
	struct key_backup_record record _cleanup_(key_backup_record_clear) = {0};
	struct error failure _cleanup_error_ = ERROR_INIT;

	return (make_record(backup, &record, &failure) &&
		       store_key_backup_add(services->store, &record, &failure)) ||
	       failure.code == ERROR_EXISTS || error_move(error, &failure);
}

/* --- looking --- */

void key_backup_view_clear(struct key_backup_view *view)
{
	for (size_t i = 0; i < view->card_count; i++) {
		free(view->cards[i].serial);
		free(view->cards[i].operator_id);
	}
	free(view->cards);
	*view = (struct key_backup_view){0};
}

/* Cards that the store does not know keep their keys as far as anybody knows. */
static void look_at_card(struct services *services, const struct key_backup_card_record *record,
	struct key_backup_card_view *card)
{
	struct operator_record operator _cleanup_operator_ = OPERATOR_INIT;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services->store, record->serial, NULL);
	uint8_t digest[32];

	*card = (struct key_backup_card_view){.serial = xstrdup(record->serial),
		.operator_id = xstrdup(""),
		.opens = !credential};
	if (!credential)
		return;
	X509 *certificate _cleanup_(X509_freep) =
		operators_seal_certificate(services, credential->id, NULL);
	card->opens = credential->state != LIFECYCLE_RETIRED && digest_of(certificate, digest) &&
		      memcmp(digest, record->key_digest, sizeof(digest)) == 0;
	if (store_operator_get(services->store, credential->id, &operator, NULL)) {
		free(card->operator_id);
		card->operator_id = xstrdup(operator.id);
	}
}

static bool newest_version(struct services *services, uint32_t *version, struct error *error)
{
	_cleanup_free_ struct master_key_record *records = NULL;
	size_t count = 0;

	*version = 0;
	if (!store_master_key_list(services->store, &records, &count, error))
		return false;
	if (count > 0)
		*version = records[count - 1].version;
	return true;
}

static bool look(struct services *services, const struct key_backup_record *record,
	struct key_backup_view *view, struct error *error)
{
	uint32_t newest;

	if (!newest_version(services, &newest, error))
		return false;
	*view = (struct key_backup_view){.made_at = record->made_at,
		.newest_version = record->newest_version,
		.needed = record->needed,
		.is_newest = record->newest_version >= newest,
		.cards = xcalloc(record->card_count, sizeof(*view->cards)),
		.card_count = record->card_count};
	for (size_t i = 0; i < record->card_count; i++)
		look_at_card(services, &record->cards[i], &view->cards[i]);
	return true;
}

bool key_backup_look(struct services *services, const char *document, struct key_backup_view *view,
	struct error *error)
{
	struct key_backup backup _cleanup_key_backup_ = KEY_BACKUP_INIT;
	struct key_backup_record record _cleanup_(key_backup_record_clear) = {0};

	return key_backup_parse(document, &backup, error) && make_record(&backup, &record, error) &&
	       look(services, &record, view, error);
}

bool key_backup_last(struct services *services, struct key_backup_view *view, struct error *error)
{
	struct key_backup_record record _cleanup_(key_backup_record_clear) = {0};

	return store_key_backup_newest(services->store, &record, error) &&
	       look(services, &record, view, error);
}

const char *key_backup_state_name(enum key_backup_state state)
{
	static const char *const names[] = {
		[KEY_BACKUP_NONE] = "none",
		[KEY_BACKUP_HSM] = "hsm",
		[KEY_BACKUP_MISSING] = "missing",
		[KEY_BACKUP_UNREADABLE] = "unreadable",
		[KEY_BACKUP_WEAKENED] = "weakened",
		[KEY_BACKUP_GOOD] = "good",
	};

	return names[state];
}

enum key_backup_state key_backup_state(struct services *services)
{
	struct key_backup_view view _cleanup_(key_backup_view_clear) = {0};
	uint32_t newest = 0;
	size_t open = 0;

	if (!newest_version(services, &newest, NULL) || newest == 0)
		return KEY_BACKUP_NONE;
	if (!vault_settings(services->vault)->token.embedded_folder)
		return KEY_BACKUP_HSM;
	if (!key_backup_last(services, &view, NULL) || !view.is_newest)
		return KEY_BACKUP_MISSING;
	for (size_t i = 0; i < view.card_count; i++)
		open += view.cards[i].opens;
	return open < view.needed	? KEY_BACKUP_UNREADABLE
	       : open < view.card_count ? KEY_BACKUP_WEAKENED
					: KEY_BACKUP_GOOD;
}
