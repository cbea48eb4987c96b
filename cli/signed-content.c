/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/signed-content.h"

#include <ctype.h>
#include <string.h>

#include "cli/text.h"
#include "common/alloc.h"
#include "common/tlv.h"

#define PROOF	    "tessera-enrollment-agent-proof-1 "
#define PROOF_BYTES 32

#define TAG_OID	       0x06
#define TAG_OCTETS     0x04
#define TAG_BMP_STRING 0x1E
#define TAG_SEQUENCE   0x30
#define TAG_SET	       0x31

/* Object identifiers, as they are encoded. */
#define OID(bytes) bytes, sizeof(bytes) - 1
static const struct oid {
	const char *bytes;
	size_t length;
} oid_content_type = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03")},
  oid_message_digest = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04")},
  oid_signing_time = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05")},
  oid_name_value = {OID("\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x01")},
  oid_data = {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")};

static const char requester_name[] = "requestername";

/* What is seen of the attributes, each of which has to be there once. */
struct attributes {
	unsigned types, digests, times, names;
	char *account;
};

static bool is_oid(const struct tlv *element, const struct oid *oid)
{
	return element->tag == TAG_OID && element->value.length == oid->length &&
	       memcmp(element->value.data, oid->bytes, oid->length) == 0;
}

/* The next element, which has to have that tag. */
static bool take(struct reader *reader, uint32_t tag, struct tlv *element)
{
	return tlv_next(reader, element) && element->tag == tag;
}

static bool at_end(const struct reader *reader)
{
	return !reader->failed && reader_left(reader) == 0;
}

/* BMPString as UTF-8, heap: code units of the Basic Multilingual Plane; NULL for others. */
static char *read_bmp(struct reader text)
{
	struct buffer out = BUFFER_INIT;
	bool good = text.length % 2 == 0;

	while (good && reader_left(&text) > 0) {
		unsigned c = reader_u16(&text);
		good = c != 0 && (c < 0xD800 || c > 0xDFFF);
		if (c < 0x80) {
			buffer_append_u8(&out, (uint8_t)c);
		} else if (c < 0x800) {
			buffer_append_u8(&out, (uint8_t)(0xC0 | c >> 6));
			buffer_append_u8(&out, (uint8_t)(0x80 | (c & 0x3F)));
		} else {
			buffer_append_u8(&out, (uint8_t)(0xE0 | c >> 12));
			buffer_append_u8(&out, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
			buffer_append_u8(&out, (uint8_t)(0x80 | (c & 0x3F)));
		}
	}
	buffer_append_u8(&out, 0);
	if (good && !out.failed)
		return (char *)out.data;
	buffer_clear(&out);
	return NULL;
}

/* SEQUENCE of two BMPStrings, the first of which says what the second is. */
static bool read_name_value(struct reader values, struct attributes *seen)
{
	struct tlv pair, name, value;

	if (!take(&values, TAG_SEQUENCE, &pair) || !at_end(&values) ||
		!take(&pair.value, TAG_BMP_STRING, &name) ||
		!take(&pair.value, TAG_BMP_STRING, &value) || !at_end(&pair.value))
		return false;
	_cleanup_free_ char *what = read_bmp(name.value);
	if (!what || strcmp(what, requester_name) != 0)
		return false;
	free(seen->account);
	seen->account = read_bmp(value.value);
	return seen->account != NULL;
}

static bool read_attribute(struct reader attribute, struct attributes *seen)
{
	struct tlv type, values, value;

	if (!tlv_next(&attribute, &type) || !take(&attribute, TAG_SET, &values) ||
		!at_end(&attribute))
		return false;
	if (is_oid(&type, &oid_name_value)) {
		seen->names++;
		return read_name_value(values.value, seen);
	}
	if (!tlv_next(&values.value, &value) || !at_end(&values.value))
		return false;
	if (is_oid(&type, &oid_content_type)) {
		seen->types++;
		return is_oid(&value, &oid_data);
	}
	seen->digests += is_oid(&type, &oid_message_digest) && value.tag == TAG_OCTETS;
	seen->times += is_oid(&type, &oid_signing_time);
	return true;
}

/* Nothing but what such a message has. */
static bool read_attributes(const struct buffer *content, struct attributes *seen)
{
	struct reader reader = reader_of(content);
	struct tlv set, attribute;
	unsigned count = 0;

	if (!take(&reader, TAG_SET, &set) || !at_end(&reader))
		return false;
	while (take(&set.value, TAG_SEQUENCE, &attribute)) {
		if (!read_attribute(attribute.value, seen))
			return false;
		count++;
	}
	return at_end(&set.value) && seen->types == 1 && seen->digests == 1 && seen->names == 1 &&
	       seen->times <= 1 && count == 3 + seen->times;
}

static bool is_proof(const struct buffer *content)
{
	size_t prefix = strlen(PROOF);

	if (content->length != prefix + 2 * (size_t)PROOF_BYTES ||
		memcmp(content->data, PROOF, prefix) != 0)
		return false;
	for (size_t i = prefix; i < content->length; i++) {
		if (!isxdigit(content->data[i]))
			return false;
	}
	return true;
}

bool signed_content_read(const struct buffer *content, char **account, struct error *error)
{
	struct attributes seen = {0};

	*account = NULL;
	if (is_proof(content))
		return true;
	bool good = read_attributes(content, &seen);
	if (good)
		*account = text_clean(seen.account);
	free(seen.account);
	return good || error_set(error, ERROR_ACCESS_DENIED,
			       "tesserad wants something signed that is no enrollment agent's "
			       "request: it is not signed");
}
