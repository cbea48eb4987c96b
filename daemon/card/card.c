/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/card.h"

#include <string.h>
#include <time.h>

#include "card/application.h"
#include "card/atr.h"
#include "card/card-private.h"
#include "card/security-domain.h"
#include "card/status-word.h"
#include "common/alloc.h"

#define INS_SELECT	   0xA4
#define SELECT_BY_NAME	   0x04
#define CONNECT_TIMEOUT_MS 30000

static const struct card_driver *const drivers[] = {&piv_driver};

void card_key_clear(struct card_key *key)
{
	EVP_PKEY_free(key->public_key);
	buffer_clear(&key->certificate);
	*key = (struct card_key){0};
}

/* There is to be a channel and none that can be used. */
static bool lacks_channel(const struct card_private *private)
{
	return private->secure_key.public_key &&
	       (!private->secure || secure_channel_is_broken(private->secure));
}

/* The card is taken: makes it as the driver left it. */
static bool restore(struct card *card, bool was_reset, struct error *error)
{
	card->private->selected = false;
	if (!was_reset && !lacks_channel(card->private))
		return true;
	if (card->private->application_length)
		return card_select_again(card, error);
	card_note_security_lost(card);
	return true;
}

static bool exchange(struct card *card, const struct apdu *command, struct buffer *response,
	uint16_t *status, struct error *error)
{
	struct card_private *private = card->private;

	if (private->secure)
		return secure_channel_exchange(
			private->secure, &private->channel, command, response, status, error);
	if (private->secure_key.public_key)
		return error_set(
			error, ERROR_CARD_FAILED, "there is no encrypted channel to the card");
	return apdu_exchange(&private->channel, command, response, status, error);
}

/* A reset that the transport was told of by its first command is one that begin() was not told of.
 */
bool card_exchange(struct card *card, const struct apdu *command, struct buffer *response,
	uint16_t *status, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (exchange(card, command, response, status, &failure))
		return true;
	if (!card->transport->was_reset)
		return error_move(error, &failure);
	card->transport->was_reset = false;
	return restore(card, true, error) && exchange(card, command, response, status, error);
}

void card_note_security_lost(struct card *card)
{
	atomic_fetch_add(&card->epoch, 1);
}

bool card_select_plain(struct card *card, const uint8_t *application, size_t length,
	struct buffer *response, uint16_t *status, struct error *error)
{
	struct apdu command = {.ins = INS_SELECT,
		.p1 = SELECT_BY_NAME,
		.data = application,
		.length = length,
		.answer = APDU_ANSWER_SHORT};
	struct apdu_channel *channel = &card->private->channel;
	struct error failure _cleanup_error_ = ERROR_INIT;

	secure_channel_free(steal_pointer(&card->private->secure));
	if (apdu_exchange(channel, &command, response, status, &failure))
		return true;
	if (!card->transport->was_reset)
		return error_move(error, &failure);
	card->transport->was_reset = false;
	card_note_security_lost(card);
	return apdu_exchange(channel, &command, response, status, error);
}

static bool open_channel(struct card *card, struct error *error)
{
	struct card_private *private = card->private;

	if (!private->secure_key.public_key)
		return true;
	private->secure = scp11_open(&private->channel, &private->secure_key, error);
	return private->secure || error_prefix(error, "no encrypted channel");
}

bool card_secure(struct card *card, struct error *error)
{
	struct card_private *private = card->private;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (!card->transport->is_remote || !private->trust || !card->info.can_encrypt ||
		!private->channel.extended || card->transport->is_t0)
		return true;
	if (!security_domain_read_key(card, private->trust, &private->secure_key, &refusal) &&
		refusal.code != ERROR_NOT_SUPPORTED)
		return error_move(error, &refusal);
	if (!card_select_again(card, error))
		return false;
	card->info.is_encrypted = private->secure != NULL;
	return true;
}

bool card_has_channel_key(struct card *card, X509_STORE *trust, bool *has, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;
	struct scp11_key key = {0};

	bool is_there = security_domain_read_key(card, trust, &key, &refusal);
	scp11_key_clear(&key);
	if (is_there || refusal.code == ERROR_NOT_SUPPORTED || refusal.code == ERROR_CARD_FOREIGN)
		*has = is_there;
	if (refusal.code == ERROR_NO_CARD || refusal.code == ERROR_NO_READER_SERVICE)
		return error_move(error, &refusal);
	return card_select_again(card, error);
}

bool card_select(struct card *card, const uint8_t *application, size_t length,
	struct buffer *response, struct error *error)
{
	struct card_private *private = card->private;
	struct buffer name _cleanup_buffer_ = BUFFER_INIT; /* application may be our own copy */
	uint16_t status;

	if (length > sizeof(private->application))
		return error_set(error, ERROR_INVALID_ARGUMENT, "application name too long");
	if (!card_select_plain(card, application, length, response, &status, error))
		return false;
	if (status != SW_SUCCESS) {
		status_word_check(status, "SELECT", error);
		return error_set(error, ERROR_CARD_UNKNOWN,
			"the card does not have the application (%04X)", status);
	}
	buffer_append(&name, application, length);
	if (name.length)
		memcpy(private->application, name.data, name.length);
	private->application_length = length;
	private->selected = true;
	return open_channel(card, error);
}

bool card_select_again(struct card *card, struct error *error)
{
	card_note_security_lost(card);
	return card_select(
		card, card->private->application, card->private->application_length, NULL, error);
}

struct card *card_open(struct transport *transport)
{
	struct card *card = xnew(struct card);
	struct card_private *private = xnew(struct card_private);

	card->transport = transport;
	card->private = private;
	private->channel.transport = transport;
	private->channel.extended = transport->maximum_data > TRANSPORT_SHORT_DATA &&
				    atr_announces_extended(transport->atr, transport->atr_length);
	atomic_init(&private->references, 1);
	atomic_init(&card->epoch, 1);
	pthread_mutex_init(&private->lock, NULL);
	return card;
}

static void info_clear(struct card_info *info)
{
	free(info->serial);
	free(info->model);
	free(info->manufacturer);
	*info = (struct card_info){0};
}

static void card_free(struct card *card)
{
	card->transport->ops->free(card->transport);
	pthread_mutex_destroy(&card->private->lock);
	secure_channel_free(card->private->secure);
	scp11_key_clear(&card->private->secure_key);
	free(card->private);
	card_type_unref(card->type);
	info_clear(&card->info);
	free(card);
}

struct card *card_ref(struct card *card)
{
	atomic_fetch_add(&card->private->references, 1);
	return card;
}

void card_unref(struct card *card)
{
	if (card && atomic_fetch_sub(&card->private->references, 1) == 1)
		card_free(card);
}

static bool has_application(void *context, const struct buffer *application)
{
	return card_application_is_there(context, application->data, application->length, NULL);
}

/* driver: NULL when none knows the card. */
static bool match_type(struct card *card, const char *driver, unsigned firmware)
{
	struct card_evidence evidence = {.driver = driver,
		.atr = card->transport->atr,
		.atr_length = card->transport->atr_length,
		.firmware = firmware,
		.has_application = has_application,
		.context = card};

	card_type_unref(card->type);
	card->type = card_types_match(card->private->types, &evidence);
	card->info.type = card->type ? card->type->name : NULL;
	return card->type != NULL;
}

bool card_find_type(struct card *card, unsigned firmware, struct error *error)
{
	if (!match_type(card, card->driver->name, firmware))
		return error_set(error, ERROR_CARD_UNKNOWN,
			"the card is of no known type; tessera type detect proposes one");
	return true;
}

/* No driver knows the card: an error that says what it is nevertheless. */
static bool recognise(struct card *card, struct error *error)
{
	card->driver = NULL;
	if (!match_type(card, NULL, 0))
		return error_set(error, ERROR_CARD_UNKNOWN,
			"the card is of no known type; tessera type detect proposes one");
	const struct card_type *type = card->type;
	if (card_driver_is_there(type->driver))
		return error_set(error, ERROR_CARD_UNKNOWN,
			"this is a %s (type %s), but the application that the driver %s needs is "
			"not on it",
			type->title, type->name, type->driver);
	return error_set(error, ERROR_CARD_UNKNOWN,
		"this is a %s (type %s), which cannot be used yet: this version has no driver %s",
		type->title, type->name, type->driver);
}

/* The first driver that knows the card. Only ERROR_CARD_UNKNOWN leads on to the next. */
static bool identify(struct card *card, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		info_clear(&card->info);
		card->driver = drivers[i];
		if (drivers[i]->identify(card, &refusal))
			return true;
		if (refusal.code != ERROR_CARD_UNKNOWN)
			return error_move(error, &refusal);
	}
	return recognise(card, error);
}

struct card *card_connect(struct transport *transport, struct card_types *types, X509_STORE *trust,
	struct card_type **type, struct error *error)
{
	_cleanup_card_ struct card *card = card_open(transport);

	if (!card_begin(card, CONNECT_TIMEOUT_MS, error))
		return NULL;
	card->private->types = types;
	card->private->trust = trust;
	bool known = identify(card, error);
	card->private->types = NULL;
	card->private->trust = NULL;
	if (type && card->type)
		*type = card_type_ref(card->type);
	card_end(card);
	return known ? steal_pointer(&card) : NULL;
}

static bool lock_card(struct card *card, unsigned timeout_ms, struct error *error)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	if (pthread_mutex_clocklock(&card->private->lock, CLOCK_MONOTONIC, &until) != 0)
		return error_set(error, ERROR_BUSY, "another operation is using the card");
	return true;
}

bool card_begin(struct card *card, unsigned timeout_ms, struct error *error)
{
	struct transport *transport = card->transport;
	bool was_reset = false;

	if (!lock_card(card, timeout_ms, error))
		return false;
	if (!transport->ops->begin(transport, &was_reset, error)) {
		pthread_mutex_unlock(&card->private->lock);
		return false;
	}
	if (!restore(card, was_reset, error)) {
		card_end(card);
		return false;
	}
	return true;
}

void card_end(struct card *card)
{
	card->transport->ops->end(card->transport);
	pthread_mutex_unlock(&card->private->lock);
}
