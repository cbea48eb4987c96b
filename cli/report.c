/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera report: what will have to be done. */
#include <time.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"

#define PAGE	     1000 /* the most that a page has */
#define DAYS_DEFAULT 30
#define DAYS_MAX     36500
#define DAY_SECONDS  86400

static const struct column columns[] = {
	{"end", "ENDS", COLUMN_TIME},
	{"card", "CARD", COLUMN_TEXT},
	{"template", "TEMPLATE", COLUMN_TEXT},
	{"slot", "KEY", COLUMN_TEXT},
	{"authority", "AUTHORITY", COLUMN_TEXT},
	{"subject", "SUBJECT", COLUMN_TEXT},
	{"status", "STATUS", COLUMN_TEXT},
};

/* As the structures of ListExpiring have them, but for the object's path. */
static const char *const keys[] = {
	"id", NULL, "card", "template", "slot", "authority", "serial", "subject", "status", "end"};

static void add(json_t *records, const json_t *certificate)
{
	json_t *record = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i])
			json_object_set(record, keys[i], json_array_get(certificate, i));
	}
	json_array_append_new(records, record);
}

bool report_expiring(struct invocation *invocation, struct error *error)
{
	const char *text = invocation->values[OPTION_DAYS];
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = json_array();
	int64_t days = DAYS_DEFAULT, end = time(NULL), id = 0;
	size_t count;

	if (!client || (text && !number_parse(text, "--days", 0, DAYS_MAX, &days, error)))
		return false;
	const int64_t until = end + days * DAY_SECONDS;
	do {
		_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
			"ListExpiring", error, CLIENT_INT64(until), CLIENT_INT64(end),
			CLIENT_INT64(id), CLIENT_UINT32(PAGE));
		const json_t *page = json_array_get(answer, 0), *certificate;
		size_t index;
		if (!answer)
			return false;
		count = json_array_size(page);
		json_array_foreach(page, index, certificate)
		{
			add(records, certificate);
			id = json_integer_value(json_array_get(certificate, 0));
			end = json_integer_value(json_array_get(certificate, 9));
		}
	} while (count == PAGE);
	output_records(
		invocation, records, columns, ARRAY_SIZE(columns), "No certificate ends so soon.");
	return true;
}
