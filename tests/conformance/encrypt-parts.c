/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of C_EncryptUpdate, C_DecryptUpdate and their Final functions (5.2, 5.8, 5.9). */
#include "conformance/operation.h"

#include <string.h>

#include "conformance/reference.h"

static const CK_BYTE key_value[16] = "sixteen bytes of";
static CK_BYTE iv[16] = {5, 4, 3, 2, 1};
static CK_BYTE text[80];

static const char *named(const struct family *family, const char *what)
{
	return join(join("C_", family->name), what);
}

/* Whether all that comes out is what is expected. */
static bool matches(const CK_BYTE *made, CK_ULONG length, const CK_BYTE *expected, CK_ULONG size)
{
	return length == size && !memcmp(made, expected, size);
}

/*
 * The output is asked for by length, then with too little room, then taken: what went in counts
 * once. The input is two and a half blocks, of which at least one comes out.
 */
static void update_buffers(const struct family *family, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE key, CK_BYTE *data, CK_ULONG length, const CK_BYTE *expected,
	CK_ULONG expected_length)
{
	CK_BYTE made[256];
	CK_ULONG asked = 0, small = 1, first = sizeof(made), rest;

	NEED(family->init(suite.session, mechanism, key));
	EXPECT(named(family, "Update.how_long"),
		family->update(suite.session, data, 40, NULL, &asked), CKR_OK);
	EXPECT_THAT(named(family, "Update.how_long_is_enough"), asked >= 16 && asked <= 64);
	EXPECT(named(family, "Update.too_small"),
		family->update(suite.session, data, 40, made, &small), CKR_BUFFER_TOO_SMALL);
	EXPECT(named(family, "Update.works_afterwards"),
		family->update(suite.session, data, 40, made, &first), CKR_OK);
	EXPECT_THAT(named(family, "Update.no_more_than_said"), first <= asked);
	rest = sizeof(made) - first;
	NEED(family->update(suite.session, data + 40, length - 40, made + first, &rest));
	first += rest;
	small = 0;
	rest = sizeof(made) - first;
	CK_RV rv = family->final(suite.session, made + first, &small);
	/* Nothing may be left to come. */
	EXPECT(named(family, "Final.too_small"), rv, CKR_BUFFER_TOO_SMALL,
		first == expected_length ? CKR_OK : CKR_BUFFER_TOO_SMALL);
	if (rv == CKR_BUFFER_TOO_SMALL)
		EXPECT(named(family, "Final.works_afterwards"),
			family->final(suite.session, made + first, &rest), CKR_OK);
	else
		rest = small;
	EXPECT_THAT(named(family, "Update.in_all_right"),
		matches(made, first + rest, expected, expected_length));
}

/* Output over its own input. */
static void in_place(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length, const CK_BYTE *expected, CK_ULONG expected_length)
{
	CK_BYTE both[256];
	CK_ULONG made = sizeof(both);

	memcpy(both, data, length);
	EXPECT(named(family, ".in_place"),
		run_one(family, mechanism, key, both, length, both, &made), CKR_OK);
	EXPECT_THAT(named(family, ".in_place_is_right"),
		matches(both, made, expected, expected_length));
}

void encrypt_buffers(void)
{
	CK_MECHANISM pad = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	CK_BYTE cipher[256];
	size_t length;
	CK_OBJECT_HANDLE key;

	section("5.8");
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (CK_BYTE)(i * 11);
	if (!offers("C_EncryptUpdate.too_small", CKM_AES_CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT))
		return;
	NEED(login());
	NEED(secret_key(CKK_AES, key_value, 16, &key, USAGES(CKA_ENCRYPT, CKA_DECRYPT)));
	reference_encrypt("AES-128-CBC", key_value, iv, true, text, sizeof(text), cipher, &length);
	update_buffers(&family_encrypt, &pad, key, text, sizeof(text), cipher, length);
	in_place(&family_encrypt, &pad, key, text, sizeof(text), cipher, length);
	section("5.9");
	update_buffers(&family_decrypt, &pad, key, cipher, length, text, sizeof(text));
	in_place(&family_decrypt, &pad, key, cipher, length, text, sizeof(text));
}
