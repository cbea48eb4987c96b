/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What DNS and a domain controller may say: SRV records, identifiers, ranges, messages. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "core/srv.h"
#include "directory/active-directory-values.h"
#include "fuzz/fuzz.h"

static uint32_t draw_last(uint32_t limit)
{
	return limit;
}

/* All that is taken can be connected to, and the order loses nothing. */
static void check_records(const uint8_t *data, size_t length)
{
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;

	srv_parse(data, length, &targets);
	srv_order(&targets, draw_last);
	for (size_t i = 0; i < targets.count; i++) {
		if (targets.items[i].port == 0 || !srv_name_is_valid(targets.items[i].host))
			abort();
		if (i > 0 && targets.items[i - 1].priority > targets.items[i].priority)
			abort();
	}
}

static void check_identifiers(const uint8_t *data, size_t length)
{
	_cleanup_free_ char *sid = active_directory_sid(data, length);
	_cleanup_free_ char *guid = active_directory_guid(data, length);
	uint8_t again[ACTIVE_DIRECTORY_GUID_LENGTH];

	if (sid && (strncmp(sid, "S-1-", 4) != 0 || strlen(sid) > 184))
		abort();
	if (guid && (!active_directory_guid_parse(guid, again) || memcmp(again, data, length) != 0))
		abort();
}

static void check_texts(const char *text)
{
	const struct active_directory_account account = {.control = text, .expires = text};
	uint8_t guid[ACTIVE_DIRECTORY_GUID_LENGTH];
	size_t length;
	uint32_t next;

	active_directory_guid_parse(text, guid);
	active_directory_reason(&account, 0);
	active_directory_refusal(text);
	if (active_directory_range(text, &length, &next) && (length == 0 || length >= strlen(text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	_cleanup_free_ char *text = xasprintf("%.*s", (int)length, (const char *)data);

	check_records(data, length);
	check_identifiers(data, length);
	check_texts(text);
	return 0;
}
