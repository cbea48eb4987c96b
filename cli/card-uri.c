/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/card-uri.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/macros.h"
#include "common/token-serial.h"

#define RETIRED_PREFIX "retired-"
#define RETIRED_COUNT  20

/* CKA_ID of the keys, from 1 on; the retired ones follow. */
static const char *const slots[] = {
	"authentication", "signature", "key-management", "card-authentication"};

/* 0 for an unknown slot */
static unsigned slot_id(const char *slot)
{
	char *end = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
		if (strcmp(slots[i], slot) == 0)
			return i + 1;
	}
	if (strncmp(slot, RETIRED_PREFIX, strlen(RETIRED_PREFIX)) != 0)
		return 0;
	unsigned long number = strtoul(slot + strlen(RETIRED_PREFIX), &end, 10);
	return *end == '\0' && number >= 1 && number <= RETIRED_COUNT
		       ? (unsigned)number + ARRAY_SIZE(slots)
		       : 0;
}

static void append_escaped(struct buffer *uri, unsigned character)
{
	char escaped[4];

	snprintf(escaped, sizeof(escaped), "%%%02X", character & 0xFF);
	buffer_append_string(uri, escaped);
}

static void append_value(struct buffer *uri, const char *value)
{
	for (; *value; value++) {
		unsigned char character = (unsigned char)*value;
		if (isascii(character) && (isalnum(character) || strchr("-._~", character)))
			buffer_append_u8(uri, character);
		else
			append_escaped(uri, character);
	}
}

json_t *card_uri(const char *serial, const char *slot)
{
	_cleanup_buffer_ struct buffer uri = BUFFER_INIT;
	unsigned id = slot ? slot_id(slot) : 0;

	if (!serial || !*serial || (slot && !id))
		return json_null();
	buffer_append_string(&uri, "pkcs11:serial=");
	append_value(&uri, token_serial(serial));
	if (id) {
		buffer_append_string(&uri, ";id=");
		append_escaped(&uri, id);
	}
	if (uri.failed)
		abort();
	return json_stringn((const char *)uri.data, uri.length);
}

json_t *slot_key_uri(const char *token, const char *key)
{
	_cleanup_buffer_ struct buffer uri = BUFFER_INIT;

	buffer_append_string(&uri, "pkcs11:token=");
	append_value(&uri, token);
	buffer_append_string(&uri, ";object=");
	append_value(&uri, key);
	buffer_append_string(&uri, ";type=private");
	if (uri.failed)
		abort();
	return json_stringn((const char *)uri.data, uri.length);
}
