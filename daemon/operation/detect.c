/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A credential type for a card that is of none, from what can be read without a PIN. */
#include <ctype.h>
#include <string.h>

#include "card/application.h"
#include "card/atr.h"
#include "common/alloc.h"
#include "model/document.h"
#include "operation/information-private.h"
#include "operation/information.h"

#define NAME_MAXIMUM	32 /* of what the historical bytes give to the type's name */
#define NAME_MINIMUM	3
#define PIN_MINIMUM	4
#define PIN_MAXIMUM	16
#define PIV_PIN_MINIMUM 6 /* SP 800-73-4 part 2, 2.4.3 */
#define PIV_PIN_MAXIMUM 8

#define NOTES_START "Proposed by detect from one card. Check name, title and manufacturer"
#define NOTES_MASK                                                                                 \
	", and mask those bytes of the ATR that differ from card to card (speed, issuer's data, "  \
	"check byte). "
#define NOTES_FACTORY                                                                              \
	"The factory's secrets cannot be read from a card: without those in \"factory\", which "   \
	"have "                                                                                    \
	"to be right, it cannot be taken into ownership."

/* The longest run of letters and digits among the historical bytes, lower case; NULL: none. */
static char *name_of_atr(const struct reader *history)
{
	size_t best = 0, best_length = 0, length = 0;

	for (size_t i = 0; i < reader_left(history); i++) {
		length = isalnum(history->data[i]) && isascii(history->data[i]) ? length + 1 : 0;
		if (length > best_length) {
			best_length = length;
			best = i + 1 - length;
		}
	}
	if (best_length < NAME_MINIMUM || best_length > NAME_MAXIMUM)
		return NULL;
	char *name = xcalloc(best_length + 1, 1);
	for (size_t i = 0; i < best_length; i++)
		name[i] = (char)tolower(history->data[best + i]);
	return name;
}

/* A name that no type has yet. */
static char *free_name(struct services *services, const struct card *card)
{
	struct atr atr;

	atr_parse(card->transport->atr, card->transport->atr_length, &atr);
	_cleanup_free_ char *word = name_of_atr(&atr.historical);
	_cleanup_free_ char *base = word ? xasprintf("card-%s", word) : xstrdup("card-new");
	for (unsigned number = 1;; number++) {
		char *name = number == 1 ? xstrdup(base) : xasprintf("%s-%u", base, number);
		_cleanup_card_type_ struct card_type *taken =
			card_types_find(services->types, name);
		if (!taken)
			return name;
		free(name);
	}
}

/* The first driver that an application of the card is for, and which application that is. */
static const char *driver_of(struct card *card, const struct card_application **found)
{
	const struct card_application *application;

	for (size_t i = 0; (application = card_application_at(i)); i++) {
		if (!application->driver || !card_application_is_there(card, application->name,
						    application->length, NULL))
			continue;
		*found = application;
		return application->driver;
	}
	return "pkcs11";
}

static json_t *propose_match(const struct card *card, const struct card_application *application)
{
	const struct transport *transport = card->transport;
	json_t *match = json_object();
	json_t *atr = json_object();

	information_set_hex(atr, "value", transport->atr, transport->atr_length);
	json_object_set_new(match, "atr", json_pack("[o]", atr));
	if (card->driver && card->info.firmware) {
		_cleanup_free_ char *firmware = firmware_text(card->info.firmware);
		json_object_set_new(match, "firmware",
			json_pack("{s:s,s:s}", "from", firmware, "to", firmware));
	}
	if (application) {
		_cleanup_free_ char *name = hex_encode(application->name, application->length);
		json_object_set_new(match, "applications", json_pack("[s]", name));
	}
	return match;
}

static json_t *propose_algorithms(const struct card *card)
{
	json_t *algorithms = json_array();

	for (enum key_algorithm i = KEY_ALGORITHM_NONE + 1; i < KEY_ALGORITHM_COUNT; i++) {
		if (card->driver ? card->info.algorithms & 1U << i : i == KEY_ALGORITHM_RSA_2048)
			json_array_append_new(algorithms, json_string(key_algorithm_name(i)));
	}
	return algorithms;
}

static void set_pin(json_t *document, const char *driver)
{
	bool is_piv = strcmp(driver, "piv") == 0;

	json_object_set_new(document, "pin",
		json_pack("{s:i,s:i,s:s}", "minimum-length", is_piv ? PIV_PIN_MINIMUM : PIN_MINIMUM,
			"maximum-length", is_piv ? PIV_PIN_MAXIMUM : PIN_MAXIMUM, "unblock",
			is_piv ? "puk" : "admin-key"));
}

/* What the general type says of them is as good a guess as any. */
static void guess_factory(json_t *document, const struct card *card)
{
	const struct card_type *type = card->type;

	if (!type || !type->factory_admin_key || !type->factory_pin || !type->factory_puk)
		return;
	json_object_set_new(document, "factory",
		json_pack("{s:s,s:s,s:s,s:s}", "pin", type->factory_pin, "puk", type->factory_puk,
			"management-key", type->factory_admin_key, "management-algorithm",
			admin_algorithm_name(type->factory_admin_algorithm)));
}

static char *propose(struct services *services, struct card *card)
{
	const struct card_application *application = NULL;
	const char *driver = driver_of(card, &application);
	_cleanup_free_ char *name = free_name(services, card);
	_cleanup_json_ json_t *document = json_object();

	json_object_set_new(document, "name", json_string(name));
	json_object_set_new(
		document, "title", json_string(application ? application->title : "Card or token"));
	json_object_set_new(document, "manufacturer", json_string("unknown"));
	json_object_set_new(document, "driver", json_string(driver));
	json_object_set_new(document, "match", propose_match(card, application));
	set_pin(document, driver);
	json_object_set_new(
		document, "keys", json_pack("{s:o}", "algorithms", propose_algorithms(card)));
	guess_factory(document, card);
	json_object_set_new(document, "notes", json_string(NOTES_START NOTES_MASK NOTES_FACTORY));
	return json_dumps(document, JSON_INDENT(2));
}

bool card_detect_type(struct services *services, unsigned reader, char **type, char **document,
	struct error *error)
{
	_cleanup_look_ struct look look = LOOK_INIT;

	if (!look_begin(&look, services, reader, error))
		return false;
	*type = xstrdup(look.status.card_type);
	*document = propose(services, look.card);
	return true;
}
