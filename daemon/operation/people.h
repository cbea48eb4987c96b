/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * People of directories as holders: they are looked up before anything is done to a card, and what
 * the directory says of them is kept, so that it can be told what has changed.
 */
#ifndef TESSERA_OPERATION_PEOPLE_H
#define TESSERA_OPERATION_PEOPLE_H

#include "directory/directory.h"
#include "model/template-change.h"
#include "operation/verbs.h"

/* Who is to be a card's holder: the fields, and whose of a directory they are. */
struct person_holder {
	struct fields fields;
	struct person_link link;
};
void person_holder_clear(struct person_holder *holder);
#define _cleanup_person_holder_ _cleanup_(person_holder_clear)

/*
 * The holder of a card that is issued by the template: whoever terms->person or terms->person_id
 * names in the template's directory; given is what there is besides (/issue/holder/further). By
 * other templates the given fields alone. ERROR_INVALID_ARGUMENT (field: "person" or the name of
 * the field) for nobody, for several with that login, for who is disabled, for a field that the
 * directory has another value of, that may not be given, or that is missing; ERROR_NOT_FOUND;
 * errors of the directory.
 */
bool people_find_holder(struct services *services, const struct template *template,
	const struct fields *given, const struct issue_terms *terms, struct person_holder *holder,
	struct error *error);
/*
 * The holder of a card that is issued anew by the template, or replaced: the fields as the
 * directory has them now (keep_fields: as they are, and no directory is asked); given empty: what
 * was given before. Errors as above; ERROR_NOT_FOUND also for a person who is gone.
 */
bool people_refresh_holder(struct services *services, const struct template *template,
	const struct credential *credential, const struct fields *given, bool keep_fields,
	struct person_holder *holder, struct error *error);
/*
 * Nobody has a card of the template yet (ERROR_EXISTS), and nobody is given one by another thread
 * until people_release(). Of templates that do not ask for that, a card that the person has is only
 * a result of the job, "other-card".
 */
bool people_claim_first(struct operation *operation, const struct template *template,
	const struct person_link *link, char **claim, struct error *error);
void people_release(struct services *services, char *claim);

/*
 * What the directory has changed since the card got its fields, for one whose person it has, and is
 * not disabled: *holder is as it would be. *effect: what it takes to bring the card to it. errors
 * of the directory; who is gone or disabled has not changed.
 */
bool people_find_changes(struct services *services, const struct template *template,
	const struct credential *credential, struct person_holder *holder, struct fields *changes,
	enum change_effect *effect, struct error *error);

/* As directory_open(). */
struct directory *people_open(
	struct services *services, const char *connection, struct error *error);
/*
 * Whether the template's connection is there, is a directory, and has all fields that the template
 * uses, but for /issue/holder/further. True for templates of others. ERROR_INVALID_TEMPLATE with
 * the path (people-template.c).
 */
bool people_check_template(
	struct services *services, const struct template *template, struct error *error);
/*
 * Keeps what a look at the directory has said of a person, with the news of it. person NULL: there
 * is none any more. *record becomes what is kept.
 */
bool people_note(struct services *services, const struct person_link *link,
	const struct directory_person *person, struct person_record *record, struct error *error);

#endif
