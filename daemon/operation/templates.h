/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates as administrators deal with them: checked as far as that can be done
 * without a card, saved, locked, imported; checked against a card; and what their
 * changes mean for the cards that were issued by them.
 */
#ifndef TESSERA_OPERATION_TEMPLATES_H
#define TESSERA_OPERATION_TEMPLATES_H

#include "model/template-change.h"
#include "operation/services.h"

/* --- changing them (templates.c) --- */

/*
 * Saves a template document: a new template (name NULL), or a new version of the named one, whose
 * name must stay. *saved (heap, may be NULL) is its name. ERROR_INVALID_TEMPLATE, ERROR_EXISTS,
 * ERROR_NOT_FOUND, ERROR_ACCESS_DENIED for a locked one.
 */
bool template_document_save(struct services *services, const char *name, const char *document,
	char **saved, struct error *error);
/*
 * Saves all templates of {"templates": [...]}, or none. One that is there already is
 * ERROR_EXISTS, or with `replaces` gets a new version unless it means the same. The field of an
 * error begins with the template's place. *names (store_names_free): those that were saved.
 */
bool templates_import(struct services *services, const char *document, bool replaces, char ***names,
	size_t *count, struct error *error);
/* ERROR_NOT_FOUND, ERROR_ACCESS_DENIED for a locked one. */
bool template_remove(struct services *services, const char *name, struct error *error);

/* A locked template is not changed by anyone. ERROR_ACCESS_DENIED when another has locked it. */
bool template_lock(
	struct services *services, const char *name, const char *operator_id, struct error *error);
/* operator_ids: who asks. Only the locker, or a system owner, may. */
bool template_unlock(struct services *services, const char *name, char *const *operator_ids,
	size_t count, bool is_owner, struct error *error);
/* The operator who has locked it; heap, or NULL. */
char *template_locker(struct services *services, const char *name);

/* --- a template against a card (template-check.c) --- */
struct template_finding {
	char *path;	   /* "/keys/signature/algorithm" */
	char *asked;	   /* what the template asks, for people */
	bool possible;	   /* whether the card, or the authority, can */
	const char *about; /* why not; static text, or "" */
};
struct template_findings {
	struct template_finding *items;
	size_t count;
};
void template_findings_clear(struct template_findings *findings);
#define _cleanup_template_findings_ _cleanup_(template_findings_clear)
/* All that the template asks of the card in a reader. ERROR_NO_CARD, or why it cannot be used. */
bool template_check_card(struct services *services, const struct template *template,
	unsigned reader, struct template_findings *findings, struct error *error);

/* --- what changes mean (template-plan.c) --- */

/* Cards of one version, and what the way to the newer one changes for them. */
struct template_step {
	int64_t version;
	int64_t cards;
	struct template_changes changes;
};
struct template_plan {
	struct template_step *steps;
	size_t count;
};
void template_plan_clear(struct template_plan *plan);
#define _cleanup_template_plan_ _cleanup_(template_plan_clear)
/* From the versions that cards have to the newest, or to that which `document` would become. */
bool template_plan_make(struct services *services, const char *name, const char *document,
	struct template_plan *plan, struct error *error);
/* Between two versions; `to` 0 is the newest. */
bool template_versions_compare(struct services *services, const char *name, int64_t from,
	int64_t to, struct template_changes *changes, struct error *error);

/* --- cards that are not as their templates are (template-drift.c) --- */
struct card_drift {
	int64_t credential_id;
	char *serial;
	char *template_name;
	int64_t template_version;
	struct fields differences; /* path in the template, and what differs */
};
void card_drifts_free(struct card_drift *drifts, size_t count);
/*
 * Looks at a page of cards with ids above `after`: those that differ, at most `limit`. name NULL:
 * of all templates. *next: what to give as `after` for the next page, or 0 at the end; a page may
 * be empty and have a next one.
 */
bool template_drift(struct services *services, const char *name, int64_t after, unsigned limit,
	struct card_drift **drifts, size_t *count, int64_t *next, struct error *error);

/*
 * Whether the authority of a key is there, has the profile, and gets all that the profile requires.
 * ERROR_INVALID_TEMPLATE without a path.
 */
bool template_check_certificate(
	struct services *services, const struct template_key *key, struct error *error);

#endif
