/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs between two versions of a template by what they mean: a member
 * that is left out is the same as its default, keys are compared by their slots.
 * And what it takes to bring an issued card from the one to the other.
 */
#ifndef TESSERA_MODEL_TEMPLATE_CHANGE_H
#define TESSERA_MODEL_TEMPLATE_CHANGE_H

#include <jansson.h>

#include "model/template.h"

/* In the order of what they take. */
enum change_effect {
	CHANGE_NONE,	/* concerns cards that will be issued */
	CHANGE_RULE,	/* holds for a card from its update on, which need not be there */
	CHANGE_CARD,	/* is written to the card by its update */
	CHANGE_REISSUE, /* needs new keys or a new PIN: the card is issued anew */
};
const char *change_effect_name(enum change_effect effect); /* "rule" */

struct template_change {
	char *path; /* "/pin-policy/history"; of keys by their slots: "/keys/signature/algorithm" */
	char *before, *after; /* JSON; "" for what is not there */
	enum change_effect effect;
};
struct template_changes {
	struct template_change *items;
	size_t count;
};
#define TEMPLATE_CHANGES_INIT                                                                      \
	{                                                                                          \
		0                                                                                  \
	}
void template_changes_clear(struct template_changes *changes);
#define _cleanup_template_changes_ _cleanup_(template_changes_clear)

/* Fills *changes, which must be empty. */
void template_compare(const struct template *before, const struct template *after,
	struct template_changes *changes);
/* The most that any of the changes takes. */
enum change_effect template_changes_effect(const struct template_changes *changes);

/* All members with the defaults filled in and the keys by their slots; the caller json_decref()s
 * (template-canonical.c). */
json_t *template_canonical(const struct template *template);

#endif
