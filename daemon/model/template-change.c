/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/template-change.h"

#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"

static const char *const effect_names[] = {
	[CHANGE_NONE] = "none",
	[CHANGE_RULE] = "rule",
	[CHANGE_CARD] = "card",
	[CHANGE_REISSUE] = "reissue",
};

/* The first that a path is in counts. What is in none concerns cards that will be issued. */
static const struct {
	const char *path;
	enum change_effect effect;
} effects[] = {
	{"/keys", CHANGE_REISSUE},
	/* The card's command for these sets PIN and PUK back (operation/pin-tries.h). */
	{"/pin-policy/pin-tries", CHANGE_REISSUE},
	{"/pin-policy/puk-tries", CHANGE_REISSUE},
	{"/pin-policy", CHANGE_RULE},
	{"/issue/chuid", CHANGE_CARD},
	{"/issue/holder/if-disabled", CHANGE_RULE},
	{"/issue/holder/if-gone", CHANGE_RULE},
	{"/issue/holder/if-back", CHANGE_RULE},
	{"/operator", CHANGE_RULE},
	{"/rotate-at-contact", CHANGE_RULE},
	{"/unblock", CHANGE_RULE},
	{"/self-service", CHANGE_RULE},
	{"/lifecycle/on-retire", CHANGE_RULE},
	{"/renewal", CHANGE_RULE},
	{"/reminders", CHANGE_RULE},
};

const char *change_effect_name(enum change_effect effect)
{
	return (size_t)effect < ARRAY_SIZE(effect_names) ? effect_names[effect] : NULL;
}

static enum change_effect effect_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(effects); i++) {
		size_t length = strlen(effects[i].path);
		if (strncmp(path, effects[i].path, length) == 0 &&
			(path[length] == '\0' || path[length] == '/'))
			return effects[i].effect;
	}
	return CHANGE_NONE;
}

void template_changes_clear(struct template_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->items[i].path);
		free(changes->items[i].before);
		free(changes->items[i].after);
	}
	free(changes->items);
	*changes = (struct template_changes)TEMPLATE_CHANGES_INIT;
}

static char *text_of(const json_t *value)
{
	char *dumped = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	char *text = xstrdup(dumped ? dumped : "");

	free(dumped);
	return text;
}

static void add(struct template_changes *changes, const char *path, const json_t *before,
	const json_t *after)
{
	changes->items = xreallocarray(changes->items, changes->count + 1, sizeof(*changes->items));
	changes->items[changes->count++] = (struct template_change){.path = xstrdup(path),
		.before = text_of(before),
		.after = text_of(after),
		.effect = effect_of(path)};
}

/* Depth is that of template_canonical()'s form. */
static void compare(struct template_changes *changes, const char *path, const json_t *before,
	const json_t *after)
{
	const char *name;
	json_t *value;

	if (json_equal(before, after))
		return;
	if (!json_is_object(before) || !json_is_object(after)) {
		add(changes, path, before, after);
		return;
	}
	json_object_foreach((json_t *)before, name, value)
	{
		_cleanup_free_ char *inner = xasprintf("%s/%s", path, name);
		compare(changes, inner, value, json_object_get(after, name));
	}
	json_object_foreach((json_t *)after, name, value)
	{
		_cleanup_free_ char *inner = xasprintf("%s/%s", path, name);
		if (!json_object_get(before, name))
			add(changes, inner, NULL, value);
	}
}

void template_compare(const struct template *before, const struct template *after,
	struct template_changes *changes)
{
	_cleanup_(json_decrefp) json_t *old = template_canonical(before);
	_cleanup_(json_decrefp) json_t *fresh = template_canonical(after);

	compare(changes, "", old, fresh);
}

enum change_effect template_changes_effect(const struct template_changes *changes)
{
	enum change_effect most = CHANGE_NONE;

	for (size_t i = 0; i < changes->count; i++) {
		if (changes->items[i].effect > most)
			most = changes->items[i].effect;
	}
	return most;
}
