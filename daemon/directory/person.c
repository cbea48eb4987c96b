/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/directory.h"

void directory_person_clear(struct directory_person *person)
{
	free(person->id);
	free(person->name);
	free(person->reason);
	fields_clear(&person->fields);
	*person = (struct directory_person){0};
}

void directory_people_clear(struct directory_people *people)
{
	for (size_t i = 0; i < people->count; i++)
		directory_person_clear(&people->items[i]);
	free(people->items);
	free(people->next);
	*people = (struct directory_people){0};
}
