/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/licence.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "model/document.h"
#include "model/licence-private.h"

#define TEXT_MAXIMUM	    200
#define STORE_ID_LENGTH	    32
#define CREDENTIALS_MAXIMUM 1000000000
#define TIME_FORMAT	    "%Y-%m-%dT%H:%M:%SZ"

void licence_clear(struct licence *licence)
{
	free(licence->customer);
	free(licence->id);
	free(licence->store_id);
	*licence = (struct licence)LICENCE_INIT;
}

static bool read_text(const struct document_node *object, const char *member, size_t minimum,
	size_t maximum, char **text, struct error *error)
{
	struct document_node node;
	const char *value;

	if (!document_member(object, member, &node, error) ||
		!document_string(&node, minimum, maximum, &value, error))
		return false;
	*text = xstrdup(value);
	return true;
}

/* Read and written again, it must be the same text: strptime() forgives too much. */
static bool read_time(const struct document_node *object, const char *member, int64_t *seconds,
	struct error *error)
{
	struct document_node node;
	const char *value;
	char again[32] = "";
	struct tm parts = {0};

	if (!document_member(object, member, &node, error) ||
		!document_string(&node, 1, TEXT_MAXIMUM, &value, error))
		return false;
	const char *end = strptime(value, TIME_FORMAT, &parts);
	if (end && *end == '\0') {
		*seconds = timegm(&parts);
		strftime(again, sizeof(again), TIME_FORMAT, &parts);
	}
	return strcmp(again, value) == 0 ||
	       document_fail(&node, error, "it must be a time like 2027-12-31T23:59:59Z");
}

static bool read_number(const struct document_node *object, const char *member, int64_t *number,
	struct error *error)
{
	struct document_node node;

	return document_member(object, member, &node, error) &&
	       document_integer(&node, 1, CREDENTIALS_MAXIMUM, number, error);
}

static bool read_payload(const char *text, struct licence *licence, struct error *error)
{
	static const char *const members[] = {
		"customer", "id", "store-id", "credentials", "not-after"};
	_cleanup_json_ json_t *document = document_load(text, ERROR_INVALID_LICENCE, error);
	struct document_node root = document_root(document, ERROR_INVALID_LICENCE);

	return document && document_check_members(&root, members, ARRAY_SIZE(members), error) &&
	       read_text(&root, "customer", 1, TEXT_MAXIMUM, &licence->customer, error) &&
	       read_text(&root, "id", 1, TEXT_MAXIMUM, &licence->id, error) &&
	       read_text(&root, "store-id", STORE_ID_LENGTH, STORE_ID_LENGTH, &licence->store_id,
		       error) &&
	       read_number(&root, "credentials", &licence->credentials, error) &&
	       read_time(&root, "not-after", &licence->not_after, error);
}

bool licence_parse(
	const char *document, EVP_PKEY *public_key, struct licence *licence, struct error *error)
{
	struct buffer payload _cleanup_buffer_ = BUFFER_INIT;
	struct licence read _cleanup_licence_ = LICENCE_INIT;

	if (!licence_open(document, public_key, &payload, error))
		return false;
	buffer_append_u8(&payload, '\0');
	if (strlen((const char *)payload.data) != payload.length - 1)
		return error_set_field(
			error, ERROR_INVALID_LICENCE, "/payload", "it holds a NUL character");
	if (!read_payload((const char *)payload.data, &read, error))
		return error_prefix(error, "payload");
	licence_clear(licence);
	*licence = read;
	read = (struct licence)LICENCE_INIT;
	return true;
}

bool licence_has_expired(const struct licence *licence, int64_t now)
{
	return now > licence->not_after;
}

bool licence_check(
	const struct licence *licence, const char *store_id, int64_t now, struct error *error)
{
	if (strcmp(licence->store_id, store_id) != 0)
		return error_set_field(error, ERROR_INVALID_LICENCE, "/store-id",
			"the licence \"%s\" is for the store %s, this is %s", licence->id,
			licence->store_id, store_id);
	if (licence_has_expired(licence, now))
		return error_set_field(error, ERROR_INVALID_LICENCE, "/not-after",
			"the licence \"%s\" has expired", licence->id);
	return true;
}
