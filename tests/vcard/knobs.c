/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/knobs.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define LATENCY_MAXIMUM_US 60000000u

/* The knobs that take a number: where it goes. */
struct number_knob {
	const char *name;
	size_t offset;
	size_t size;
	uint64_t maximum;
};

#define KNOB(name, member, maximum)                                                                \
	{                                                                                          \
		name, offsetof(struct vcard_knobs, member),                                        \
			sizeof(((struct vcard_knobs *)0)->member), maximum                         \
	}

static const struct number_knob number_knobs[] = {
	KNOB("vanish-at", vanish_at, UINT64_MAX),
	KNOB("vanish-after", vanish_after, UINT64_MAX),
	KNOB("hold-at", hold_at, UINT64_MAX),
	KNOB("wrong-answer-at", wrong_answer_at, UINT64_MAX),
	KNOB("latency-apdu-us", latency_apdu_us, LATENCY_MAXIMUM_US),
	KNOB("latency-byte-us", latency_byte_us, LATENCY_MAXIMUM_US),
	KNOB("touch-deny", touch_deny, 1),
};

bool knobs_parse_number(const char *text, uint64_t maximum, uint64_t *number, struct error *error)
{
	char *end = NULL;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || value > maximum)
		return error_set(error, ERROR_INVALID_ARGUMENT, "not a number from 0 to %llu: %s",
			(unsigned long long)maximum, text);
	*number = value;
	return true;
}

static void put_number(struct vcard_knobs *knobs, const struct number_knob *knob, uint64_t number)
{
	char *place = (char *)knobs + knob->offset;

	if (knob->size == sizeof(uint64_t))
		memcpy(place, &number, sizeof(number));
	else if (knob->size == sizeof(unsigned))
		memcpy(place, &(unsigned){(unsigned)number}, sizeof(unsigned));
	else
		memcpy(place, &(bool){number != 0}, sizeof(bool));
}

static bool set_failure(struct vcard_knobs *knobs, const char *value, struct error *error)
{
	unsigned long long at = 0;
	unsigned status = 0;
	int end = 0;

	if (!isdigit((unsigned char)value[0]) ||
		sscanf(value, "%llu:%4x%n", &at, &status, &end) != 2 || value[end] ||
		status < 0x6000)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"not an APDU number and a status word, like 3:6982: %s", value);
	knobs->fail_at = at;
	knobs->fail_status = (uint16_t)status;
	return true;
}

bool knobs_set(struct vcard_knobs *knobs, const char *name, const char *value, struct error *error)
{
	uint64_t number;

	if (strcmp(name, "fail-at") == 0)
		return set_failure(knobs, value, error);
	for (size_t i = 0; i < ARRAY_SIZE(number_knobs); i++) {
		const struct number_knob *knob = &number_knobs[i];
		if (strcmp(name, knob->name) != 0)
			continue;
		if (!knobs_parse_number(value, knob->maximum, &number, error))
			return false;
		put_number(knobs, knob, number);
		return true;
	}
	return error_set(error, ERROR_NOT_FOUND, "no such knob: %s", name);
}
