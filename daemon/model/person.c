/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/person.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

void person_link_clear(struct person_link *link)
{
	free(link->connection);
	free(link->id);
	fields_clear(&link->given);
	*link = (struct person_link){0};
}

void person_link_copy(struct person_link *to, const struct person_link *from)
{
	struct person_link copy = {0};

	if (from && from->connection) {
		copy.connection = xstrdup(from->connection);
		copy.id = xstrdup(from->id);
		fields_copy(&copy.given, &from->given);
	}
	person_link_clear(to);
	*to = copy;
}

static const char *const state_names[] = {
	[PERSON_PRESENT] = "present",
	[PERSON_DISABLED] = "disabled",
	[PERSON_GONE] = "gone",
};

const char *person_state_name(enum person_state state)
{
	return (size_t)state < ARRAY_SIZE(state_names) ? state_names[state] : NULL;
}

enum person_state person_state_from_name(const char *name)
{
	size_t state = 0;

	while (state < PERSON_STATE_COUNT && (!name || strcmp(state_names[state], name) != 0))
		state++;
	return (enum person_state)state;
}

const char *person_news_find(const char *text)
{
	static const char *const all[] = {PERSON_NEWS_NONE, PERSON_NEWS_DISABLED, PERSON_NEWS_GONE,
		PERSON_NEWS_BACK, PERSON_NEWS_CHANGED};

	for (size_t i = 0; text && i < ARRAY_SIZE(all); i++) {
		if (strcmp(all[i], text) == 0)
			return all[i];
	}
	return NULL;
}

void person_record_clear(struct person_record *record)
{
	free(record->connection);
	free(record->id);
	free(record->name);
	free(record->reason);
	fields_clear(&record->fields);
	*record = (struct person_record)PERSON_RECORD_INIT;
}

void person_records_free(struct person_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		person_record_clear(&records[i]);
	free(records);
}

void person_changes(const struct person_record *record, const struct person_link *link,
	const struct fields *holder, struct fields *changes)
{
	for (size_t i = 0; i < holder->count; i++) {
		const struct field *field = &holder->items[i];
		const char *now = fields_get(&record->fields, field->name);
		if (!now && !fields_get(&link->given, field->name))
			now = "";
		if (now && strcmp(now, field->value) != 0)
			fields_set(changes, field->name, now);
	}
}

bool person_reason_is_ours(const char *reason)
{
	return reason && (strcmp(reason, PERSON_REASON_DISABLED) == 0 ||
				 strcmp(reason, PERSON_REASON_GONE) == 0);
}
