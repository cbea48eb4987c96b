/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The provider's side of cards. */
#include <pthread.h>
#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/contact.h"
#include "operation/pin-history.h"
#include "operation/pin.h"
#include "operation/provider-private.h"
#include "operation/session.h"
#include "operation/unblock-code.h"
#include "operation/verbs.h"

/* Longer than any signature; an operation that holds the card longer is a verb. */
#define CARD_TIMEOUT_MS 10000

/* One token that this client is logged in to. */
struct login {
	unsigned slot;
	struct card
		*card;	/* the card that saw the PIN: another one in the reader is not logged in */
	unsigned epoch; /* of the card when the PIN was proved last */
	unsigned pin_changes; /* of the card when it took this PIN */
	struct secret pin;    /* proved again when another program has reset the card */
	struct login *next;
};

static void login_free(struct login *login)
{
	secret_clear(&login->pin);
	card_unref(login->card);
	free(login);
}

static struct card_turn *turn_of(struct provider_client *client, unsigned slot)
{
	return &client->card_turns[slot % CARD_TURNS];
}

static void turn_endp(struct card_turn **turn)
{
	pthread_mutex_unlock(&(*turn)->lock);
}
#define _cleanup_turn_ _cleanup_(turn_endp) __attribute__((unused))

/* Other threads of the client wait until it ends. */
static struct card_turn *turn_begin(struct provider_client *client, unsigned slot)
{
	struct card_turn *turn = turn_of(client, slot);

	pthread_mutex_lock(&turn->lock);
	return turn;
}

/* In a turn, as all that follows. */
static struct login **find_login(struct provider_client *client, unsigned slot)
{
	struct login **login = &turn_of(client, slot)->logins;

	while (*login && (*login)->slot != slot)
		login = &(*login)->next;
	return login;
}

/* Takes a login off the list. True when no client is left that proved the PIN to that card. */
static bool take_login(
	struct provider_client *client, struct login **position, struct login **taken)
{
	struct login *login = *position;

	*position = login->next;
	*taken = login;
	return contacts_count_login(client->services->contacts, login->slot, login->card, -1) == 0;
}

/* The last client that leaves takes the card's PIN state with it: nobody else inherits it. */
static void remove_login(struct provider_client *client, struct login **position)
{
	struct login *login;

	if (take_login(client, position, &login) &&
		card_begin(login->card, CARD_TIMEOUT_MS, NULL)) {
		login->card->driver->authenticate(login->card, CARD_SECRET_PIN, NULL, NULL);
		card_end(login->card);
	}
	login_free(login);
}

static void end_all(struct provider_client *client)
{
	for (size_t i = 0; i < CARD_TURNS; i++) {
		while (client->card_turns[i].logins)
			remove_login(client, &client->card_turns[i].logins);
	}
}

struct contact_reach provider_reach(const struct provider_client *client)
{
	bool own = client->services->remote_readers == REMOTE_READERS_EVERYONE;

	return (struct contact_reach){
		.kind = own ? REACH_OWN : REACH_HERE, .user = client->user.uid};
}

/* The card in the slot, if its credential may be used for the verb now. */
static struct card *usable_card(struct provider_client *client, unsigned slot,
	enum lifecycle_verb verb, char **serial, struct error *error)
{
	struct contact_status status _cleanup_contact_status_ = {0};

	contacts_await(client->services->contacts, slot);
	const struct contact_reach reach = provider_reach(client);
	if (!contacts_status(client->services->contacts, slot, &status, error) ||
		!contact_check_reach(&status, &reach, error))
		return NULL;
	if (!status.card_present) {
		error_set(error, ERROR_NO_CARD, "there is no card in the reader");
		return NULL;
	}
	struct card *card _cleanup_card_ = contacts_card(client->services->contacts, slot, error);
	if (!card)
		return NULL;
	if (!status.credential) {
		error_set(error, ERROR_WRONG_STATE, "the card is not managed");
		return NULL;
	}
	if (status.credential->state == LIFECYCLE_ISSUED) {
		error_set(error, ERROR_PIN_BLOCKED, "the card has not been activated yet");
		return NULL;
	}
	if (!lifecycle_check(status.credential->state, verb, NULL, error))
		return NULL;
	if (serial)
		*serial = xstrdup(status.serial);
	return steal_pointer(&card);
}

/* Records a login that succeeded. */
static void record_login(struct provider_client *client, const char *serial)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!audit_write(
		    client->services->store, client->actor, "login", serial, 0, NULL, NULL, &error))
		log_error("audit record not written: %s", error_message(&error));
}

/* What a refusal tells about the tries that are left. */
static void note_tries(struct provider_client *client, unsigned slot, const struct error *failure)
{
	if (failure->code != ERROR_PIN_WRONG && failure->code != ERROR_PIN_BLOCKED)
		return;
	struct card_secret_state state = {
		.tries_left = failure->code == ERROR_PIN_WRONG ? (int)failure->detail : 0,
		.blocked = failure->code == ERROR_PIN_BLOCKED || failure->detail == 0};
	contacts_note_pin(client->services->contacts, slot, &state);
}

static void note_failure(
	struct provider_client *client, unsigned slot, const char *serial, struct error *failure)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	note_tries(client, slot, failure);
	/* The card's own counter limits wrong PINs; the other failures cost a caller nothing. */
	bool written =
		failure->code == ERROR_PIN_WRONG
			? audit_write(client->services->store, client->actor, "login", serial, 0,
				  failure, NULL, &error)
			: audit_write_refusal(client->services->store, &client->services->refusals,
				  client->actor, "login", serial, 0, failure, NULL, &error);
	if (!written)
		log_error("audit record not written: %s", error_message(&error));
}

static bool prove_pin(struct card *card, const struct secret *pin, struct error *error)
{
	if (pin->length == 0 || pin->length > card->info.pin_maximum)
		return error_set(error, ERROR_PIN_LENGTH, "a PIN has 1 to %u characters",
			card->info.pin_maximum);
	return card->driver->authenticate(card, CARD_SECRET_PIN, pin, error);
}

/* A right PIN gave lost tries back. The card is asked how many, but only when some were lost. */
static void note_success(struct provider_client *client, unsigned slot, struct card *card)
{
	struct contact_status status _cleanup_contact_status_ = {0};
	struct card_secret_state state;

	if (!contacts_status(client->services->contacts, slot, &status, NULL) ||
		!status.card_present || status.pin.tries_left < 0 ||
		status.pin.tries_left >= card_secret_tries(&status.pin))
		return;
	if (card->driver->secret_state(card, CARD_SECRET_PIN, &state, NULL))
		contacts_note_pin(client->services->contacts, slot, &state);
}

static void add_login(
	struct provider_client *client, unsigned slot, struct card *card, const struct secret *pin)
{
	struct login *login = xnew(struct login);
	struct login **first = &turn_of(client, slot)->logins;

	*login = (struct login){.slot = slot,
		.card = card_ref(card),
		.epoch = atomic_load(&card->epoch),
		.pin_changes = atomic_load(&card->pin_changes),
		.next = *first};
	if (!secret_copy(&login->pin, pin))
		log_warning("no locked memory for a PIN: it cannot be proved again after a reset");
	*first = login;
	contacts_count_login(client->services->contacts, slot, card, 1);
}

/* A login to a card that has left the reader is none. */
static void drop_stale_login(struct provider_client *client, unsigned slot, const struct card *card)
{
	struct login **login = find_login(client, slot);

	if (*login && (*login)->card != card)
		remove_login(client, login);
}

/* Nobody is locked out by a change that is due and cannot be made: after a start the holder may be
 * whom everybody waits for. */
static bool change_waits(struct provider_client *client, unsigned slot)
{
	struct contact_status status _cleanup_contact_status_ = {0};

	return contacts_status(client->services->contacts, slot, &status, NULL) &&
	       status.credential &&
	       pin_history_waits_for_token(client->services, status.credential, NULL);
}

/* The PIN can still be changed. */
static bool check_pin_age(struct provider_client *client, unsigned slot, struct error *error)
{
	return !contacts_pin_has_expired(client->services->contacts, slot) ||
	       change_waits(client, slot) ||
	       error_set(error, ERROR_PIN_EXPIRED,
		       "the PIN is older than its template allows; change it first");
}

static bool log_in(struct provider_client *client, unsigned slot, const struct secret *pin,
	bool *audited, struct error *error)
{
	_cleanup_free_ char *serial = NULL;
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_turn_ struct card_turn *turn = turn_begin(client, slot);
	struct card *card _cleanup_card_ = usable_card(client, slot, LIFECYCLE_USE, &serial, error);

	if (!card)
		return false;
	drop_stale_login(client, slot, card);
	struct login **login = find_login(client, slot);
	if (*login && (*login)->pin_changes != atomic_load(&card->pin_changes))
		remove_login(client, login);
	if (*find_login(client, slot))
		return error_set(error, ERROR_ALREADY_LOGGED_IN, "already logged in");
	*audited = true;
	if (!check_pin_age(client, slot, &failure)) {
		note_failure(client, slot, serial, &failure);
		return error_move(error, &failure);
	}
	if (!card_begin(card, CARD_TIMEOUT_MS, &failure)) {
		note_failure(client, slot, serial, &failure);
		return error_move(error, &failure);
	}
	bool proved = prove_pin(card, pin, &failure);
	if (proved) {
		note_success(client, slot, card);
		add_login(client, slot, card, pin);
	}
	card_end(card);
	if (proved) {
		record_login(client, serial);
		return true;
	}
	note_failure(client, slot, serial, &failure);
	return error_move(error, &failure);
}

static bool log_out(struct provider_client *client, unsigned slot, struct error *error)
{
	_cleanup_turn_ struct card_turn *turn = turn_begin(client, slot);
	struct login **login = find_login(client, slot);

	if (!*login)
		return error_set(error, ERROR_PIN_REQUIRED, "not logged in");
	remove_login(client, login);
	return true;
}

static bool find_key(struct provider_client *client, unsigned slot, unsigned key,
	enum key_algorithm *algorithm, enum pin_use *pin, struct error *error)
{
	if (key <= UINT8_MAX &&
		contacts_key_info(client->services->contacts, slot, (key_slot)key, algorithm, pin))
		return true;
	return error_set(error, ERROR_NOT_FOUND, "the card has no key %02X", key);
}

/* Ends a login within its card's transaction, and the card's PIN state with the last one. */
static bool end_login(struct provider_client *client, struct login *login, const char *reason,
	struct error *error)
{
	if (take_login(client, find_login(client, login->slot), &login))
		login->card->driver->authenticate(login->card, CARD_SECRET_PIN, NULL, NULL);
	login_free(login);
	return error_set(error, ERROR_PIN_REQUIRED, "%s: log in again", reason);
}

/*
 * The PIN again, for a card that has lost its state. A PIN that may not be the card's any more is
 * not tried: the programs that keep it would block the card together.
 */
static bool prove_again(struct provider_client *client, struct login *login, struct error *error)
{
	struct card *card = login->card;

	if (!secret_is_set(&login->pin))
		return end_login(client, login, "the card was reset", error);
	if (login->pin_changes != atomic_load(&card->pin_changes))
		return end_login(client, login, "the PIN was changed", error);
	if (prove_pin(card, &login->pin, error)) {
		login->epoch = atomic_load(&card->epoch);
		return true;
	}
	if (error->code == ERROR_PIN_WRONG || error->code == ERROR_PIN_BLOCKED) {
		note_tries(client, login->slot, error);
		atomic_fetch_add(&card->pin_changes, 1);
		return end_login(client, login, "the PIN was changed elsewhere", error);
	}
	return false;
}

/* One use of a key, with everything that must stand around it. */
struct use {
	struct card *card;
	unsigned key;
	enum key_algorithm algorithm;
	enum key_use use;
	const uint8_t *input;
	size_t length;
	struct buffer *output;
};

static bool use_once(const struct use *use, struct error *error)
{
	return use->card->driver->use_key(use->card, (key_slot)use->key, use->algorithm, use->use,
		use->input, use->length, use->output, error);
}

/* The card is asked at most twice: another program may have ended the PIN state in between. */
static bool use_with_login(struct provider_client *client, struct login *login,
	const struct use *use, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (!login)
		return error_set(error, ERROR_PIN_REQUIRED, "log in first");
	if (atomic_load(&use->card->epoch) != login->epoch && !prove_again(client, login, error))
		return false;
	if (use_once(use, &refusal))
		return true;
	if (refusal.code != ERROR_PIN_REQUIRED)
		return error_move(error, &refusal);
	if (!prove_again(client, login, error))
		return false;
	if (use_once(use, error))
		return true;
	return error->code == ERROR_PIN_REQUIRED &&
	       end_login(client, login, "the card does not take the PIN", error);
}

static bool use_with_pin(struct provider_client *client, unsigned slot, const char *serial,
	const struct secret *pin, const struct use *use, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!secret_is_set(pin))
		return error_set(error, ERROR_PIN_REQUIRED, "this key wants the PIN for each use");
	if (!prove_pin(use->card, pin, &failure)) {
		note_failure(client, slot, serial, &failure);
		return error_move(error, &failure);
	}
	bool done = use_once(use, error);
	note_success(client, slot, use->card);
	return done;
}

static bool use_key(
	struct provider_client *client, const struct provider_use *asked, struct error *error)
{
	_cleanup_free_ char *serial = NULL;
	struct error failure _cleanup_error_ = ERROR_INIT;
	enum pin_use policy;
	unsigned slot = asked->slot;
	_cleanup_turn_ struct card_turn *turn = turn_begin(client, slot);
	struct card *card _cleanup_card_ = usable_card(client, slot, LIFECYCLE_USE, &serial, error);
	struct use wanted = {.card = card,
		.key = asked->key,
		.use = asked->use,
		.input = asked->input,
		.length = asked->length,
		.output = asked->output};

	if (!card || !find_key(client, slot, asked->key, &wanted.algorithm, &policy, error))
		return false;
	drop_stale_login(client, slot, card);
	if (policy != PIN_USE_NEVER && !check_pin_age(client, slot, error)) {
		if (*find_login(client, slot))
			remove_login(client, find_login(client, slot));
		return false;
	}
	if (!card_begin(card, CARD_TIMEOUT_MS, error))
		return false;
	bool done = policy == PIN_USE_NEVER ? use_once(&wanted, &failure)
		    : policy == PIN_USE_ALWAYS
			    ? use_with_pin(client, slot, serial, asked->pin, &wanted, &failure)
			    : use_with_login(client, *find_login(client, slot), &wanted, &failure);
	card_end(card);
	if (!done)
		error_move(error, &failure);
	return done;
}

static bool change_pin(struct provider_client *client, unsigned slot, const struct secret *old_pin,
	struct secret *new_pin, bool *audited, struct error *error)
{
	struct contact_status status _cleanup_contact_status_ = {0};
	struct operation operation = {.services = client->services,
		.actor = client->actor,
		.reach = provider_reach(client)};
	_cleanup_turn_ struct card_turn *turn = turn_begin(client, slot);
	struct card *card _cleanup_card_ =
		usable_card(client, slot, LIFECYCLE_CHANGE_PIN, NULL, error);

	if (!card || !contacts_status(client->services->contacts, slot, &status, error))
		return false;
	if (!status.credential)
		return error_set(error, ERROR_NO_CARD, "the card was removed");
	*audited = true;
	if (!operation_change_pin(&operation, status.credential->id, old_pin, new_pin, error))
		return false;
	struct login *login = *find_login(client, slot);
	if (login && login->card == card) {
		login->pin_changes = atomic_load(&card->pin_changes);
		if (!secret_copy(&login->pin, new_pin))
			secret_clear(&login->pin);
	}
	return true;
}

static bool credential_in_slot(
	struct provider_client *client, unsigned slot, int64_t *credential_id, struct error *error)
{
	struct contact_status status _cleanup_contact_status_ = {0};

	contacts_await(client->services->contacts, slot);
	const struct contact_reach reach = provider_reach(client);
	if (!contacts_status(client->services->contacts, slot, &status, error) ||
		!contact_check_reach(&status, &reach, error))
		return false;
	if (!status.credential)
		return error_set(error, ERROR_NO_CARD, "there is no managed card in the reader");
	*credential_id = status.credential->id;
	return true;
}

static bool check_code(struct provider_client *client, unsigned slot, const struct secret *code,
	struct error *error)
{
	struct operation operation = {.services = client->services,
		.actor = client->actor,
		.reach = provider_reach(client)};
	int64_t credential_id;

	return credential_in_slot(client, slot, &credential_id, error) &&
	       operation_check_code(&operation, credential_id, code, error);
}

static bool init_pin(struct provider_client *client, unsigned slot, const struct secret *code,
	struct secret *pin, struct error *error)
{
	struct operation operation = {.services = client->services,
		.actor = client->actor,
		.reach = provider_reach(client)};
	int64_t credential_id;

	return credential_in_slot(client, slot, &credential_id, error) &&
	       operation_unblock_with_code(&operation, credential_id, code, pin, error);
}

const struct provider_kind provider_cards = {.end = end_all,
	.login = log_in,
	.logout = log_out,
	.use_key = use_key,
	.change_pin = change_pin,
	.check_code = check_code,
	.init_pin = init_pin};
