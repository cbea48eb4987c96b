/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/key-restore.h"

#include <stdatomic.h>
#include <string.h>

#include <openssl/x509.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "core/state-folder.h"
#include "keys/shares.h"
#include "keys/wrap.h"
#include "model/key-backup.h"
#include "operation/card-key.h"
#include "operation/contact.h"
#include "operation/key-backup.h"
#include "operation/key-content.h"
#include "operation/operators.h"
#include "operation/vault.h"

#define OPERATION	"finish-master-key-restore"
#define CARD_TIMEOUT_MS 3000
/* The store's value once a token was restored on a store without an owner: the backup's id. */
#define VALUE_RESTORED "restored-master-key"

DEFINE_CLEANUP(X509 *, X509_free);

struct key_restorer {
	struct services *services;
	pthread_mutex_t caller_lock; /* guards caller; nothing is locked or waited for under it */
	char *caller;		     /* NULL: there is no restoration */
	atomic_bool caller_is_gone;
	pthread_mutex_t
		lock; /* guards all below; taken before all others and held over card work */
	struct key_backup backup;
	struct share *shares; /* that were opened */
	size_t share_count;
};

struct key_restorer *key_restorer_new(struct services *services)
{
	struct key_restorer *restorer = xnew(struct key_restorer);

	restorer->services = services;
	pthread_mutex_init(&restorer->caller_lock, NULL);
	pthread_mutex_init(&restorer->lock, NULL);
	return restorer;
}

/* NULL: nobody's. */
static void set_caller(struct key_restorer *restorer, const char *caller)
{
	pthread_mutex_lock(&restorer->caller_lock);
	free(restorer->caller);
	restorer->caller = caller ? xstrdup(caller) : NULL;
	restorer->caller_is_gone = false;
	pthread_mutex_unlock(&restorer->caller_lock);
}

static bool is_caller(struct key_restorer *restorer, const char *caller)
{
	pthread_mutex_lock(&restorer->caller_lock);
	bool is = restorer->caller && strcmp(restorer->caller, caller) == 0;
	pthread_mutex_unlock(&restorer->caller_lock);
	return is;
}

static void forget(struct key_restorer *restorer)
{
	set_caller(restorer, NULL);
	key_backup_clear(&restorer->backup);
	shares_free(steal_pointer(&restorer->shares), restorer->share_count);
	restorer->share_count = 0;
}

void key_restorer_free(struct key_restorer *restorer)
{
	if (!restorer)
		return;
	forget(restorer);
	pthread_mutex_destroy(&restorer->lock);
	pthread_mutex_destroy(&restorer->caller_lock);
	free(restorer);
}

/* Unless somebody is at work with it, who does the same at the end. */
static void forget_if_gone(struct key_restorer *restorer)
{
	if (!restorer->caller_is_gone || pthread_mutex_trylock(&restorer->lock) != 0)
		return;
	if (restorer->caller_is_gone)
		forget(restorer);
	pthread_mutex_unlock(&restorer->lock);
}

static void leave(struct key_restorer *restorer)
{
	pthread_mutex_unlock(&restorer->lock);
	forget_if_gone(restorer);
}

/* Never waits: it is called by the main thread, too. */
void key_restore_end(struct key_restorer *restorer, const char *caller)
{
	if (!is_caller(restorer, caller))
		return;
	restorer->caller_is_gone = true;
	forget_if_gone(restorer);
}

void key_restore_cards(struct key_restorer *restorer,
	void (*each)(void *context, const char *serial, const char *operator_id), void *context)
{
	pthread_mutex_lock(&restorer->lock);
	for (size_t i = 0; i < restorer->backup.card_count; i++)
		each(context, restorer->backup.cards[i].serial,
			restorer->backup.cards[i].operator_id);
	pthread_mutex_unlock(&restorer->lock);
}

void key_restore_progress(struct key_restorer *restorer, unsigned *opened, unsigned *needed)
{
	pthread_mutex_lock(&restorer->lock);
	*opened = (unsigned)restorer->share_count;
	*needed = restorer->backup.needed;
	pthread_mutex_unlock(&restorer->lock);
}

/* Where a token is put together before it takes its place; heap. */
static char *folder_beside(const struct vault_token *token)
{
	return xasprintf("%s.restore", token->embedded_folder);
}

void key_restore_discard(struct services *services)
{
	const struct vault_token *token = &vault_settings(services->vault)->token;
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!token->embedded_folder)
		return;
	_cleanup_free_ char *folder = folder_beside(token);
	if (!token_files_remove(folder, &error))
		log_warning("%s", error_message(&error));
}

/* --- whether it fits --- */

static bool was_restored(struct services *services)
{
	struct buffer value _cleanup_buffer_ = BUFFER_INIT;

	return store_value_get(services->store, VALUE_RESTORED, &value, NULL);
}

bool key_restore_check_usable(struct services *services, struct error *error)
{
	return services->token || operators_initialised(services) || !was_restored(services) ||
	       error_set(error, ERROR_WRONG_STATE,
		       "the master key was restored, but is locked again since the service was "
		       "started anew: restore it once more (tessera key restore), then initialise");
}

/* What lies there may be replaced only where it came from a backup and belongs to no owner yet. */
static bool check_place(struct services *services, struct error *error)
{
	const struct vault_token *token = &vault_settings(services->vault)->token;

	if (!token->embedded_folder)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the configuration names an HSM for the master key: restore the HSM by its "
			"maker's means");
	if (services->token)
		return error_set(error, ERROR_EXISTS,
			"the master key is here and unlocked: there is nothing to restore");
	if (token_files_exist(token->embedded_folder) &&
		(operators_initialised(services) || !was_restored(services)))
		return error_set(error, ERROR_EXISTS,
			"there is a token in %s already: nothing is written over it; move it away "
			"first if it is not the one to keep",
			token->embedded_folder);
	return true;
}

static const struct key_backup_version *find_version(
	const struct key_backup *backup, uint32_t version)
{
	for (size_t i = 0; i < backup->version_count; i++) {
		if (backup->versions[i].version == version)
			return &backup->versions[i];
	}
	return NULL;
}

static bool check_version(const struct key_backup *backup, const struct master_key_record *record,
	bool is_newest, struct error *error)
{
	const struct key_backup_version *version = find_version(backup, record->version);

	if (!version && is_newest)
		return error_set(error, ERROR_WRONG_STATE,
			"the backup does not have master key version %u, which this store knows: "
			"a newer backup is needed",
			record->version);
	return !version ||
	       memcmp(version->key_check_value, record->key_check_value,
		       sizeof(record->key_check_value)) == 0 ||
	       error_set(error, ERROR_WRONG_STATE,
		       "master key version %u of the backup is another one than this store's",
		       record->version);
}

/* A store with an owner takes its own backup only; a fresh one takes any. */
static bool check_store(
	struct services *services, const struct key_backup *backup, struct error *error)
{
	_cleanup_free_ struct master_key_record *records = NULL;
	size_t count = 0;

	if (!operators_initialised(services))
		return true;
	if (strcmp(backup->store_id, store_id(services->store)) != 0)
		return error_set(error, ERROR_WRONG_STATE,
			"the backup is of another installation's master key");
	if (!store_master_key_list(services->store, &records, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!check_version(backup, &records[i], i + 1 == count, error))
			return false;
	}
	return true;
}

bool key_restore_begin(struct key_restorer *restorer, const char *caller, const char *document,
	struct error *error)
{
	struct key_backup backup _cleanup_key_backup_ = KEY_BACKUP_INIT;

	if (!check_place(restorer->services, error) ||
		!key_backup_parse(document, &backup, error) ||
		!check_store(restorer->services, &backup, error))
		return false;
	pthread_mutex_lock(&restorer->lock);
	forget(restorer);
	set_caller(restorer, caller);
	restorer->backup = backup;
	restorer->shares = xcalloc(backup.card_count, sizeof(*restorer->shares));
	backup = (struct key_backup)KEY_BACKUP_INIT;
	leave(restorer);
	return true;
}

/* --- cards --- */

static bool check_begun(struct key_restorer *restorer, const char *caller, struct error *error)
{
	return is_caller(restorer, caller) ||
	       error_set(error, ERROR_WRONG_STATE,
		       "no restoration has begun over this connection: give the backup first");
}

static bool was_here(const struct key_restorer *restorer, size_t index)
{
	for (size_t i = 0; i < restorer->share_count; i++) {
		if (restorer->shares[i].number == index + 1)
			return true;
	}
	return false;
}

static bool find_share(const struct key_restorer *restorer, const struct card *card, size_t *index,
	struct error *error)
{
	_cleanup_free_ char *cards = key_backup_cards_text(&restorer->backup);
	const char *serial = card->info.serial ? card->info.serial : "without a serial number";

	*index = key_backup_find_card(&restorer->backup, serial);
	if (*index == restorer->backup.card_count)
		return error_set(error, ERROR_NOT_FOUND,
			"card %s opens nothing of this backup; these do: %s", serial, cards);
	return !was_here(restorer, *index) ||
	       error_set(error, ERROR_EXISTS,
		       "the share of card %s is here already; another card is needed", serial);
}

static bool unseal_share(struct card *card, const struct key_backup_card *entry,
	struct secret *packed, struct error *error)
{
	const unsigned char *position = entry->certificate.data;
	X509 *certificate _cleanup_(X509_freep) =
		d2i_X509(NULL, &position, (long)entry->certificate.length);
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!certificate)
		return error_set(error, ERROR_DATA_INVALID,
			"the backup is damaged: the certificate of card %s cannot be read",
			entry->serial);
	if (card_key_unseal(
		    card, certificate, &entry->sealed, SHARE_PACKED_LENGTH, packed, &failure))
		return true;
	if (failure.code == ERROR_NO_CARD)
		return error_move(error, &failure);
	return error_set(error, ERROR_DATA_INVALID,
		"card %s does not open its share: it has got other keys since the backup was made, "
		"or the backup is damaged (%s)",
		entry->serial, error_message(&failure));
}

static bool ask_card(struct key_restorer *restorer, struct card *card, unsigned reader,
	const struct secret *pin, const struct key_backup_card *entry, struct secret *packed,
	struct error *error)
{
	if (!card_begin(card, CARD_TIMEOUT_MS, error))
		return false;
	bool proved = card->driver->authenticate(card, CARD_SECRET_PIN, pin, error);
	bool done = proved && unseal_share(card, entry, packed, error);
	/* The proof was for this alone: no other program goes on with it. */
	if (proved)
		card->driver->authenticate(card, CARD_SECRET_PIN, NULL, NULL);
	card_end(card);
	if (!proved)
		card_key_note_pin(restorer->services->contacts, reader, error);
	return done;
}

static bool take_share(struct key_restorer *restorer, const struct secret *packed, size_t index,
	struct error *error)
{
	struct share share _cleanup_(share_clear) = {0};
	const struct key_backup *backup = &restorer->backup;

	if (!share_unpack(packed, &share, error))
		return error_prefix(error, "card %s", backup->cards[index].serial);
	if (memcmp(share.set, backup->id, sizeof(share.set)) != 0 || share.number != index + 1 ||
		share.needed != backup->needed)
		return error_set(error, ERROR_DATA_INVALID,
			"the backup is damaged: the share of card %s is none of this backup",
			backup->cards[index].serial);
	restorer->shares[restorer->share_count++] = share;
	share = (struct share){0};
	return true;
}

static bool open_with_card(struct key_restorer *restorer, struct card *card, unsigned reader,
	const struct secret *pin, struct error *error)
{
	struct secret packed _cleanup_secret_ = SECRET_INIT;
	size_t index;

	return find_share(restorer, card, &index, error) &&
	       ask_card(restorer, card, reader, pin, &restorer->backup.cards[index], &packed,
		       error) &&
	       take_share(restorer, &packed, index, error);
}

bool key_restore_open(struct key_restorer *restorer, const char *caller, unsigned reader,
	const struct secret *pin, struct error *error)
{
	contacts_await(restorer->services->contacts, reader);
	struct card *card _cleanup_card_ =
		contacts_card(restorer->services->contacts, reader, error);

	if (!card)
		return false;
	pthread_mutex_lock(&restorer->lock);
	bool done = check_begun(restorer, caller, error) &&
		    open_with_card(restorer, card, reader, pin, error);
	leave(restorer);
	return done;
}

/* --- the end --- */

static bool read_content(struct key_restorer *restorer, struct secret *pin,
	struct token_files *files, struct error *error)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct buffer content _cleanup_buffer_ = BUFFER_INIT_WIPE;
	_cleanup_free_ char *associated = key_backup_associated(&restorer->backup);

	return (shares_combine(restorer->shares, restorer->share_count, &key, error) &&
		       unwrap(&key, associated, &restorer->backup.data, &content, error) &&
		       key_content_parse(&content, pin, files, error)) ||
	       error_prefix(error, "the backup is damaged");
}

static bool check_keys(const struct key_backup *backup, struct token *token, struct error *error)
{
	uint8_t value[3];

	for (size_t i = 0; i < backup->version_count; i++) {
		_cleanup_free_ char *label = master_key_label(backup->versions[i].version);
		if (!token_key_check_value(token, label, value, error))
			return false;
		if (memcmp(value, backup->versions[i].key_check_value, sizeof(value)) != 0)
			return error_set(error, ERROR_DATA_INVALID,
				"the backup is damaged: master key version %u in it is another one "
				"than it says",
				backup->versions[i].version);
	}
	return true;
}

/* In unattended mode the token gets the PIN that the machine's file has. */
static bool adopt_pin(const struct vault_token *which, struct token *token, struct secret *pin,
	struct error *error)
{
	struct secret wanted _cleanup_secret_ = SECRET_INIT;

	if (!which->pin_file)
		return true;
	if (!pin_file_read(which->pin_file, &wanted, error))
		return false;
	if (!secret_equal(pin, &wanted) && !token_set_pin(token, pin, &wanted, error))
		return false;
	secret_move(pin, &wanted);
	return true;
}

/* Opens what was written, where it was written, before it takes its place. */
static bool try_token(const struct key_backup *backup, const struct vault_token *which,
	const char *folder, struct secret *pin, struct error *error)
{
	const struct token_options options = {.module = which->module,
		.label = which->label,
		.embedded_folder = folder,
		.must_exist = true};
	struct token *token = token_open(&options, pin, error);
	bool done =
		token && check_keys(backup, token, error) && adopt_pin(which, token, pin, error);

	token_close(token);
	return done || error_prefix(error, "the token of the backup");
}

/* One try to put a token in its place. */
struct placing {
	struct services *services;
	const struct key_backup *backup;
	const struct token_files *files;
	struct secret *pin;
};

/* What an initialisation without an owner has left is not kept; what it is replaced by stays known.
 */
static bool prepare_fresh(const struct placing *placing, struct error *error)
{
	struct services *services = placing->services;
	const struct vault_token *which = &vault_settings(services->vault)->token;
	_cleanup_free_ char *id = key_backup_id_text(placing->backup);

	return store_value_set(
		       services->store, VALUE_RESTORED, (const uint8_t *)id, strlen(id), error) &&
	       store_master_key_forget_all(services->store, error) &&
	       token_embedded_remove(which->embedded_folder, error);
}

static bool place(void *context, struct error *error)
{
	const struct placing *placing = context;
	struct services *services = placing->services;
	const struct vault_token *which = &vault_settings(services->vault)->token;
	_cleanup_free_ char *folder = folder_beside(which);
	bool done = check_place(services, error) &&
		    token_files_write(folder, placing->files, error) &&
		    try_token(placing->backup, which, folder, placing->pin, error) &&
		    (operators_initialised(services) || prepare_fresh(placing, error)) &&
		    token_files_move(folder, which->embedded_folder, error);

	if (!done)
		token_files_remove(folder, NULL);
	return done;
}

static bool finish(struct key_restorer *restorer, struct error *error)
{
	struct services *services = restorer->services;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct token_files files _cleanup_token_files_ = TOKEN_FILES_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;
	struct placing placing = {services, &restorer->backup, &files, &pin};

	if (restorer->share_count < restorer->backup.needed)
		return error_set(error, ERROR_WRONG_STATE,
			"%zu of %u cards have opened their share; more are needed",
			restorer->share_count, restorer->backup.needed);
	if (!check_store(services, &restorer->backup, error) ||
		!read_content(restorer, &pin, &files, error) ||
		!vault_place(services->vault, place, &placing, error))
		return false;
	if (!vault_open(services->vault, &pin, error))
		return error_prefix(error, "the token is in its place, but not unlocked");
	/* The token may have got another PIN than the one that is sealed to cards. */
	if (!operators_seal_anew(services, &failure) ||
		!key_backup_note(services, &restorer->backup, &failure))
		log_warning("after restoring the master key: %s", error_message(&failure));
	return true;
}

static bool audit(struct key_restorer *restorer, const struct audit_actor *actor,
	struct error *result, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *id = key_backup_id_text(&restorer->backup);
	char *detail =
		xasprintf("%s, version %u, opened by", id, key_backup_newest(&restorer->backup));

	for (size_t i = 0; i < restorer->share_count; i++) {
		char *longer = xasprintf("%s %s", detail,
			restorer->backup.cards[restorer->shares[i].number - 1].serial);
		free(detail);
		detail = longer;
	}
	if (!audit_write(
		    restorer->services->store, actor, OPERATION, NULL, 0, result, detail, &failure))
		log_error("audit record not written: %s", error_message(&failure));
	free(detail);
	return result->code == ERROR_NONE || error_move(error, result);
}

bool key_restore_finish(struct key_restorer *restorer, const char *caller,
	const struct audit_actor *actor, struct error *error)
{
	struct error result _cleanup_error_ = ERROR_INIT;

	pthread_mutex_lock(&restorer->lock);
	if (check_begun(restorer, caller, &result))
		finish(restorer, &result);
	bool done = audit(restorer, actor, &result, error);
	if (done) {
		log_notice("the master key was restored");
		forget(restorer);
	}
	leave(restorer);
	return done;
}
