/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/identity.h"

#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"

#define GUID_SERIAL_PREFIX "guid-"

#define DAY ((int64_t)24 * 3600)
/* Without certificates, and when the template does not say: ten years. */
#define LIFETIME_WITHOUT_CERTIFICATE (10 * 365 * DAY)

/* Right-justified in `length` digits and a zero byte. */
static bool expand_digits(const char *pattern, const char *member, const struct fields *fields,
	char *digits, size_t length, struct error *error)
{
	_cleanup_free_ char *text = pattern_expand(pattern, fields, error);
	_cleanup_free_ char *path = xasprintf("/issue/chuid/%s", member);

	if (!text)
		return false;
	size_t given = strlen(text);
	if (given > length || strspn(text, "0123456789") != given)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, path,
			"%s: at most %zu decimal digits are expected, not \"%s\"", path, length,
			text);
	memset(digits, '0', length);
	memcpy(digits + length - given, text, given);
	digits[length] = '\0';
	return true;
}

bool identity_expand(const struct template *template, const struct fields *fields,
	struct fasc_n *fasc_n, struct error *error)
{
	const struct template_chuid *chuid = &template->issue.chuid;

	*fasc_n = fasc_n_default;
	memcpy(fasc_n->agency, chuid->agency, sizeof(fasc_n->agency));
	memcpy(fasc_n->system, chuid->system, sizeof(fasc_n->system));
	memcpy(fasc_n->organisation, chuid->organisation, sizeof(fasc_n->organisation));
	fasc_n->series[0] = chuid->series;
	fasc_n->issue[0] = chuid->issue;
	fasc_n->category[0] = chuid->category;
	fasc_n->association[0] = chuid->association;
	return expand_digits(chuid->credential, "credential", fields, fasc_n->credential,
		       sizeof(fasc_n->credential) - 1, error) &&
	       expand_digits(chuid->person, "person", fields, fasc_n->person,
		       sizeof(fasc_n->person) - 1, error);
}

int64_t identity_expiry(const struct template *template, int64_t certificates_until)
{
	unsigned days = template->issue.chuid.expiry_days;

	if (days > 0)
		return time(NULL) + days * DAY;
	return certificates_until ? certificates_until : time(NULL) + LIFETIME_WITHOUT_CERTIFICATE;
}

/* A card that is known by its GUID keeps it; others get a random one (RFC 4122, section 4.4). */
static bool choose_guid(
	const struct card *card, uint8_t guid[CHUID_GUID_LENGTH], struct error *error)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	const char *serial = card->info.serial;
	size_t prefix = strlen(GUID_SERIAL_PREFIX);

	if (serial && strncmp(serial, GUID_SERIAL_PREFIX, prefix) == 0 &&
		hex_decode(serial + prefix, &bytes) && bytes.length == CHUID_GUID_LENGTH) {
		memcpy(guid, bytes.data, CHUID_GUID_LENGTH);
		return true;
	}
	if (RAND_bytes(guid, CHUID_GUID_LENGTH) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers");
	guid[6] = (uint8_t)((guid[6] & 0x0F) | 0x40);
	guid[8] = (uint8_t)((guid[8] & 0x3F) | 0x80);
	return true;
}

bool identity_write(
	struct card *card, const struct fasc_n *fasc_n, int64_t expires_at, struct error *error)
{
	struct buffer chuid _cleanup_buffer_ = BUFFER_INIT;
	struct buffer ccc _cleanup_buffer_ = BUFFER_INIT;
	uint8_t guid[CHUID_GUID_LENGTH];

	if (!choose_guid(card, guid, error))
		return false;
	chuid_build(fasc_n, guid, expires_at, &chuid);
	ccc_build(guid, &ccc);
	return card->driver->write(
		       card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, chuid.data, chuid.length, error) &&
	       card->driver->write(
		       card, CARD_OBJECT_CCC, KEY_SLOT_NONE, ccc.data, ccc.length, error);
}
