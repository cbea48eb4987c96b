/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/card-type.h"

#include <pthread.h>
#include <string.h>

#include "common/alloc.h"

struct card_types {
	pthread_mutex_t lock;	  /* guards the two below; a leaf */
	struct card_type **items; /* sorted by name */
	size_t count;
};

struct card_types *card_types_new(void)
{
	struct card_types *types = xnew(struct card_types);

	pthread_mutex_init(&types->lock, NULL);
	return types;
}

void card_types_free(struct card_types *types)
{
	if (!types)
		return;
	card_types_list_free(types->items, types->count);
	pthread_mutex_destroy(&types->lock);
	free(types);
}

/* Index of the name, or where it belongs. Under the lock. */
static size_t place_of(const struct card_types *types, const char *name, bool *found)
{
	size_t i = 0;

	while (i < types->count && strcmp(types->items[i]->name, name) < 0)
		i++;
	*found = i < types->count && strcmp(types->items[i]->name, name) == 0;
	return i;
}

bool card_types_add(struct card_types *types, struct card_type *type, struct error *error)
{
	bool taken;

	pthread_mutex_lock(&types->lock);
	size_t place = place_of(types, type->name, &taken);
	if (!taken) {
		types->items = xreallocarray(types->items, types->count + 1, sizeof(*types->items));
		memmove(&types->items[place + 1], &types->items[place],
			(types->count - place) * sizeof(*types->items));
		types->items[place] = card_type_ref(type);
		types->count++;
	}
	pthread_mutex_unlock(&types->lock);
	return !taken || error_set(error, ERROR_EXISTS, "there is a credential type \"%s\" already",
				 type->name);
}

void card_types_remove(struct card_types *types, const char *name)
{
	struct card_type *gone = NULL;
	bool found;

	pthread_mutex_lock(&types->lock);
	size_t place = place_of(types, name, &found);
	if (found) {
		gone = types->items[place];
		types->count--;
		memmove(&types->items[place], &types->items[place + 1],
			(types->count - place) * sizeof(*types->items));
	}
	pthread_mutex_unlock(&types->lock);
	card_type_unref(gone);
}

struct card_type *card_types_find(struct card_types *types, const char *name)
{
	bool found;

	pthread_mutex_lock(&types->lock);
	size_t place = place_of(types, name, &found);
	struct card_type *type = found ? card_type_ref(types->items[place]) : NULL;
	pthread_mutex_unlock(&types->lock);
	return type;
}

struct card_type **card_types_list(struct card_types *types, size_t *count)
{
	pthread_mutex_lock(&types->lock);
	struct card_type **list = xcalloc(types->count, sizeof(*list));
	*count = types->count;
	for (size_t i = 0; i < types->count; i++)
		list[i] = card_type_ref(types->items[i]);
	pthread_mutex_unlock(&types->lock);
	return list;
}

void card_types_list_free(struct card_type **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		card_type_unref(list[i]);
	free(list);
}

/* On a copy of the list: the card may be asked, which is not done under a lock. */
struct card_type *card_types_match(struct card_types *types, const struct card_evidence *evidence)
{
	size_t count;
	struct card_type **list = card_types_list(types, &count);
	struct card_type *best = NULL;
	unsigned best_fit = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned fit = card_type_fit(list[i], evidence);
		if (fit > best_fit) {
			best = list[i];
			best_fit = fit;
		}
	}
	if (best)
		card_type_ref(best);
	card_types_list_free(list, count);
	return best;
}
