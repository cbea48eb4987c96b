/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/key.h"

#include <string.h>

#include "common/macros.h"

#define HSM_SLOT "hsm"

/* SP 800-73-4 part 1, table 4b */
static const struct {
	key_slot slot;
	const char *name;
} slots[KEY_SLOT_COUNT] = {
	{KEY_SLOT_AUTHENTICATION, "authentication"},
	{KEY_SLOT_SIGNATURE, "signature"},
	{KEY_SLOT_KEY_MANAGEMENT, "key-management"},
	{KEY_SLOT_CARD_AUTHENTICATION, "card-authentication"},
	{0x82, "retired-1"},
	{0x83, "retired-2"},
	{0x84, "retired-3"},
	{0x85, "retired-4"},
	{0x86, "retired-5"},
	{0x87, "retired-6"},
	{0x88, "retired-7"},
	{0x89, "retired-8"},
	{0x8A, "retired-9"},
	{0x8B, "retired-10"},
	{0x8C, "retired-11"},
	{0x8D, "retired-12"},
	{0x8E, "retired-13"},
	{0x8F, "retired-14"},
	{0x90, "retired-15"},
	{0x91, "retired-16"},
	{0x92, "retired-17"},
	{0x93, "retired-18"},
	{0x94, "retired-19"},
	{KEY_SLOT_RETIRED_20, "retired-20"},
};

static const struct {
	const char *name;
	unsigned bits;
	bool is_rsa;
} algorithms[KEY_ALGORITHM_COUNT] = {
	[KEY_ALGORITHM_RSA_1024] = {"rsa-1024", 1024, true},
	[KEY_ALGORITHM_RSA_2048] = {"rsa-2048", 2048, true},
	[KEY_ALGORITHM_RSA_3072] = {"rsa-3072", 3072, true},
	[KEY_ALGORITHM_RSA_4096] = {"rsa-4096", 4096, true},
	[KEY_ALGORITHM_EC_P256] = {"ec-p256", 256, false},
	[KEY_ALGORITHM_EC_P384] = {"ec-p384", 384, false},
};

static const char *const pin_uses[PIN_USE_COUNT] = {
	[PIN_USE_DEFAULT] = "default",
	[PIN_USE_NEVER] = "never",
	[PIN_USE_ONCE] = "once",
	[PIN_USE_ALWAYS] = "always",
};

static const char *const touch_uses[TOUCH_USE_COUNT] = {
	[TOUCH_USE_DEFAULT] = "default",
	[TOUCH_USE_NEVER] = "never",
	[TOUCH_USE_ALWAYS] = "always",
	[TOUCH_USE_CACHED] = "cached",
};

/* The index of name, or count. */
static size_t index_of(const char *name, const char *const names[], size_t count)
{
	for (size_t i = 0; name && i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return count;
}

key_slot key_slot_at(size_t index)
{
	return index < KEY_SLOT_COUNT ? slots[index].slot : KEY_SLOT_NONE;
}

const char *key_slot_name(key_slot slot)
{
	for (size_t i = 0; i < KEY_SLOT_COUNT; i++) {
		if (slots[i].slot == slot)
			return slots[i].name;
	}
	return slot == KEY_SLOT_HSM ? HSM_SLOT : NULL;
}

key_slot key_slot_from_name(const char *name)
{
	for (size_t i = 0; name && i < KEY_SLOT_COUNT; i++) {
		if (strcmp(slots[i].name, name) == 0)
			return slots[i].slot;
	}
	return name && strcmp(name, HSM_SLOT) == 0 ? KEY_SLOT_HSM : KEY_SLOT_NONE;
}

const char *key_algorithm_name(enum key_algorithm algorithm)
{
	return (size_t)algorithm < KEY_ALGORITHM_COUNT ? algorithms[algorithm].name : NULL;
}

enum key_algorithm key_algorithm_from_name(const char *name)
{
	for (enum key_algorithm a = KEY_ALGORITHM_RSA_1024; name && a < KEY_ALGORITHM_COUNT; a++) {
		if (strcmp(algorithms[a].name, name) == 0)
			return a;
	}
	return KEY_ALGORITHM_NONE;
}

bool key_algorithm_is_rsa(enum key_algorithm algorithm)
{
	return (size_t)algorithm < KEY_ALGORITHM_COUNT && algorithms[algorithm].is_rsa;
}

unsigned key_algorithm_bits(enum key_algorithm algorithm)
{
	return (size_t)algorithm < KEY_ALGORITHM_COUNT ? algorithms[algorithm].bits : 0;
}

const char *pin_use_name(enum pin_use use)
{
	return (size_t)use < PIN_USE_COUNT ? pin_uses[use] : NULL;
}

enum pin_use pin_use_from_name(const char *name)
{
	return index_of(name, pin_uses, PIN_USE_COUNT);
}

const char *touch_use_name(enum touch_use use)
{
	return (size_t)use < TOUCH_USE_COUNT ? touch_uses[use] : NULL;
}

enum touch_use touch_use_from_name(const char *name)
{
	return index_of(name, touch_uses, TOUCH_USE_COUNT);
}
