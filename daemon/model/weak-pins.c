/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/weak-pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"

/* items[count], sorted without regard to case. */
struct weak_pins {
	char **items;
	size_t count;
};

void weak_pins_free(struct weak_pins *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	free(list);
}

static void add_line(struct weak_pins *list, size_t *room, char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return;
	if (list->count == *room) {
		*room = *room ? *room * 2 : 256;
		list->items = xreallocarray(list->items, *room, sizeof(*list->items));
	}
	list->items[list->count++] = xstrdup(line);
}

static int compare_items(const void *one, const void *other)
{
	return strcasecmp(*(char *const *)one, *(char *const *)other);
}

struct weak_pins *weak_pins_read(const char *path, struct error *error)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0, room = 0;
	FILE *file = fopen(path, "re");

	if (!file) {
		error_set(error, ERROR_FAILED, "cannot open %s: %m", path);
		return NULL;
	}
	struct weak_pins *list _cleanup_(weak_pins_freep) = xnew(struct weak_pins);
	while (getline(&line, &size, file) >= 0)
		add_line(list, &room, line);
	bool whole = !ferror(file);
	fclose(file);
	if (!whole) {
		error_set(error, ERROR_FAILED, "cannot read %s", path);
		return NULL;
	}
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), compare_items);
	return steal_pointer(&list);
}

/* As strcasecmp(3) of the PIN, which has no NUL, and an item. */
static int compare_pin(const void *key, const void *item)
{
	const struct secret *pin = key;
	const char *text = *(char *const *)item;
	int order = strncasecmp((const char *)pin->data, text, pin->length);

	return order != 0 ? order : text[strnlen(text, pin->length)] == '\0' ? 0 : -1;
}

bool weak_pins_have(const struct weak_pins *list, const struct secret *pin)
{
	return list->count > 0 && pin->length > 0 &&
	       bsearch(pin, list->items, list->count, sizeof(*list->items), compare_pin) != NULL;
}
