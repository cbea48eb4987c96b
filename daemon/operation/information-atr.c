/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answer to reset, and the applications that answer. */
#include "card/application.h"
#include "card/atr.h"
#include "common/alloc.h"
#include "common/tlv.h"
#include "operation/information-private.h"

#define CATEGORY_COMPACT_TLV 0x80
#define PROTOCOLS	     15

/* Application property template (SP 800-73-4 part 2, table 3) */
#define TAG_PROPERTIES 0x61
#define TAG_LABEL      0x50

/* What the compact TLV objects among the historical bytes are (ISO/IEC 7816-4, 8.1.1.2). */
static const char *const historical_names[16] = {[1] = "country",
	[2] = "issuer",
	[3] = "card service data",
	[4] = "initial access data",
	[5] = "card issuer's data",
	[6] = "pre-issuing data",
	[7] = "card capabilities",
	[8] = "status indicator",
	[15] = "application identifier"};

static json_t *describe_historical(struct reader history)
{
	json_t *objects = json_array();

	if (reader_u8(&history) != CATEGORY_COMPACT_TLV)
		return objects;
	while (reader_left(&history)) {
		uint8_t header = reader_u8(&history);
		size_t length = header & 0xF;
		const uint8_t *value = reader_bytes(&history, length);
		const char *name = historical_names[header >> 4];
		if (!value)
			break;
		json_t *object = json_object();
		json_object_set_new(object, "name", json_string(name ? name : "unknown"));
		information_set_hex(object, "value", value, length);
		json_array_append_new(objects, object);
	}
	return objects;
}

static json_t *describe_protocols(unsigned protocols)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < PROTOCOLS; i++) {
		_cleanup_free_ char *name = xasprintf("T=%u", i);
		if (protocols & 1U << i)
			json_array_append_new(list, json_string(name));
	}
	return list;
}

static json_t *describe_interface(const struct atr *atr)
{
	json_t *bytes = json_object();

	for (size_t i = 0; i < atr->interface_count; i++)
		information_set_hex(
			bytes, atr->interface_bytes[i].name, &atr->interface_bytes[i].value, 1);
	return bytes;
}

json_t *information_atr(const uint8_t *bytes, size_t length)
{
	json_t *object = json_object();
	struct atr atr;
	bool valid = atr_parse(bytes, length, &atr);

	information_set_hex(object, "value", bytes, length);
	json_object_set_new(object, "valid", json_boolean(valid));
	json_object_set_new(
		object, "convention", json_string(atr.is_inverse ? "inverse" : "direct"));
	json_object_set_new(object, "protocols", describe_protocols(atr.protocols));
	json_object_set_new(object, "interface_bytes", describe_interface(&atr));
	size_t count = reader_left(&atr.historical);
	if (count) {
		_cleanup_free_ char *text = information_text(atr.historical.data, count);
		information_set_hex(object, "historical_bytes", atr.historical.data, count);
		json_object_set_new(object, "historical_text", json_string(text));
		json_object_set_new(
			object, "historical_objects", describe_historical(atr.historical));
	}
	json_object_set_new(object, "check_byte",
		json_string(!atr.has_check ? "none"
			    : atr.is_right ? "right"
					   : "wrong"));
	json_object_set_new(
		object, "extended_length", json_boolean(atr_announces_extended(bytes, length)));
	return object;
}

/* What the PIV application calls itself, if it does. */
static void set_label(json_t *object, const struct buffer *response)
{
	struct reader properties, label;

	if (!tlv_find(reader_of(response), TAG_PROPERTIES, &properties) ||
		!tlv_find(properties, TAG_LABEL, &label))
		return;
	_cleanup_free_ char *text = information_text(label.data, reader_left(&label));
	json_object_set_new(object, "label", json_string(text));
}

json_t *information_applications(struct card *card)
{
	const struct card_application *application;
	json_t *list = json_array();

	for (size_t i = 0; (application = card_application_at(i)); i++) {
		struct buffer response _cleanup_buffer_ = BUFFER_INIT;
		if (!card_application_is_there(
			    card, application->name, application->length, &response))
			continue;
		json_t *object = json_object();
		json_object_set_new(object, "title", json_string(application->title));
		information_set_hex(object, "name", application->name, application->length);
		set_label(object, &response);
		information_set_hex(object, "response", response.data, response.length);
		json_array_append_new(list, object);
	}
	return list;
}
