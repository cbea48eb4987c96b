/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/card-type.h"

#include <string.h>

#include "common/alloc.h"

/* More bits than an ATR of 33 bytes has come between one rule of card_type_fit() and the next. */
#define FIT_ADDED	0x1000000U
#define FIT_ATR_BIT	0x1000U
#define FIT_FIRMWARE	0x100U
#define FIT_APPLICATION 1U

static const struct {
	const char *name;
	bool is_there;
} drivers[] = {{"piv", true}, {"gids", false}, {"pkcs11", false}, {HSM_KEY_TYPE, true}};

static const struct {
	uint8_t algorithm; /* SP 800-78-4, table 6-2 */
	size_t length;
	const char *name;
} admin_algorithms[] = {
	{0x03, 24, "3des"}, {0x08, 16, "aes-128"}, {0x0A, 24, "aes-192"}, {0x0C, 32, "aes-256"}};

const char *card_driver_name_at(size_t index)
{
	return index < ARRAY_SIZE(drivers) ? drivers[index].name : NULL;
}

bool card_driver_is_there(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (strcmp(drivers[i].name, name) == 0)
			return drivers[i].is_there;
	}
	return false;
}

const char *admin_algorithm_name(uint8_t algorithm)
{
	for (size_t i = 0; i < ARRAY_SIZE(admin_algorithms); i++) {
		if (admin_algorithms[i].algorithm == algorithm)
			return admin_algorithms[i].name;
	}
	return NULL;
}

size_t admin_key_length(uint8_t algorithm)
{
	for (size_t i = 0; i < ARRAY_SIZE(admin_algorithms); i++) {
		if (admin_algorithms[i].algorithm == algorithm)
			return admin_algorithms[i].length;
	}
	return 0;
}

char *firmware_text(unsigned firmware)
{
	return xasprintf("%u.%u.%u", firmware >> 16, firmware >> 8 & 0xFF, firmware & 0xFF);
}

struct card_type *card_type_ref(struct card_type *type)
{
	atomic_fetch_add(&type->references, 1);
	return type;
}

static void type_free(struct card_type *type)
{
	for (size_t i = 0; i < type->atr_count; i++) {
		buffer_clear(&type->atrs[i].value);
		buffer_clear(&type->atrs[i].mask);
	}
	for (size_t i = 0; i < type->application_count; i++)
		buffer_clear(&type->applications[i]);
	free(type->atrs);
	free(type->applications);
	free(type->name);
	free(type->title);
	free(type->manufacturer);
	free(type->driver);
	free(type->notes);
	free(type->library);
	free(type->factory_pin);
	free(type->factory_puk);
	free(type->factory_admin_key);
	free(type->document);
	free(type);
}

void card_type_unref(struct card_type *type)
{
	if (type && atomic_fetch_sub(&type->references, 1) == 1)
		type_free(type);
}

/* --- which type a card is of --- */

/* The bits that count, when they all agree; 0 when one does not. */
static unsigned atr_bits(const struct card_atr *wanted, const struct card_evidence *evidence)
{
	unsigned bits = 0;

	if (wanted->value.length != evidence->atr_length)
		return 0;
	for (size_t i = 0; i < evidence->atr_length; i++) {
		uint8_t mask = wanted->mask.data[i];
		if ((evidence->atr[i] ^ wanted->value.data[i]) & mask)
			return 0;
		bits += (unsigned)__builtin_popcount(mask);
	}
	return bits;
}

static unsigned best_atr(const struct card_type *type, const struct card_evidence *evidence)
{
	unsigned best = 0;

	for (size_t i = 0; i < type->atr_count; i++) {
		unsigned bits = atr_bits(&type->atrs[i], evidence);
		if (bits > best)
			best = bits;
	}
	return best;
}

static bool firmware_fits(const struct card_type *type, unsigned firmware)
{
	return type->firmware_to == 0 ||
	       (firmware != 0 && firmware >= type->firmware_from && firmware <= type->firmware_to);
}

static bool has_applications(const struct card_type *type, const struct card_evidence *evidence)
{
	for (size_t i = 0; i < type->application_count; i++) {
		if (!evidence->has_application ||
			!evidence->has_application(evidence->context, &type->applications[i]))
			return false;
	}
	return true;
}

/* A driver that knows the card is a condition; where none does, ATR or application have to. */
static bool driver_fits(const struct card_type *type, const struct card_evidence *evidence)
{
	if (evidence->driver)
		return strcmp(type->driver, evidence->driver) == 0;
	/* A driver that is there has looked for its application already. */
	return type->atr_count > 0 ||
	       (type->application_count > 0 && !card_driver_is_there(type->driver));
}

unsigned card_type_fit(const struct card_type *type, const struct card_evidence *evidence)
{
	unsigned bits = best_atr(type, evidence);

	if (!driver_fits(type, evidence) || (type->atr_count > 0 && bits == 0) ||
		!firmware_fits(type, evidence->firmware) || !has_applications(type, evidence))
		return 0;
	return 1 + (type->is_shipped ? 0 : FIT_ADDED) + bits * FIT_ATR_BIT +
	       (type->firmware_to ? FIT_FIRMWARE : 0) +
	       (unsigned)type->application_count * FIT_APPLICATION;
}
