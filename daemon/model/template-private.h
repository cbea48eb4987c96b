/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the template's files share. */
#ifndef TESSERA_MODEL_TEMPLATE_PRIVATE_H
#define TESSERA_MODEL_TEMPLATE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/document.h"
#include "model/template.h"

#define PATTERN_MAXIMUM 256 /* bytes */

/* A piece of a pattern: literal text, or the name of a field. A view of the pattern. */
struct pattern_piece {
	const char *text;
	size_t length;
	bool is_field;
};

/* Reads the next piece and moves *pattern behind it. False at the end (*why is NULL) and
 * for a malformed pattern (*why says how). */
bool pattern_next(const char **pattern, struct pattern_piece *piece, const char **why);

/* Optional members: *choice and *value are left alone when the member is absent. */
bool template_read_choice(const struct document_node *object, const char *member,
	const char *(*name_at)(size_t index), size_t *choice, struct error *error);
bool template_read_number(const struct document_node *object, const char *member, unsigned minimum,
	unsigned maximum, unsigned *value, struct error *error);

bool template_read_bool(
	const struct document_node *object, const char *member, bool *value, struct error *error);
/* The names that document_choice() chooses from, of an array that ends with NULL. */
#define TEMPLATE_NAME_AT(function, ...)                                                            \
	static const char *function(size_t index)                                                  \
	{                                                                                          \
		static const char *const names[] = {__VA_ARGS__, NULL};                            \
		return names[index];                                                               \
	}

/* Read what their files are named for, and set the defaults before. */
bool template_read_general(
	const struct document_node *root, struct template *template, struct error *error);
bool template_read_issue(
	const struct document_node *root, struct template *template, struct error *error);
/* Reads what /issue/holder has for holders of a directory (template-directory.c);
 * /issue/holder/from has been read. */
bool template_read_directory(
	const struct document_node *holder, struct template *template, struct error *error);
void template_directory_clear(struct template_directory *directory);
bool template_read_unblock(
	const struct document_node *root, struct template *template, struct error *error);
bool template_read_self_service(
	const struct document_node *root, struct template *template, struct error *error);
bool template_read_lifecycle(
	const struct document_node *root, struct template *template, struct error *error);
bool template_read_renewal(
	const struct document_node *root, struct template *template, struct error *error);
void template_reminders_clear(struct template_reminders *reminders);
/* /issue/authentication; /issue/by has been read. */
bool template_read_authentication(
	const struct document_node *issue, struct template *template, struct error *error);
/* Frees what template_read_issue(), _unblock() and _self_service() have made. */
void template_issue_clear(struct template_issue *issue);
void template_unblock_clear(struct template_unblock *unblock);
void template_self_service_clear(struct template_self_service *service);

/*
 * Reads /pin-policy (template-pin-policy.c). The card type has been read: what its cards cannot
 * keep is refused.
 */
bool template_read_pin_policy(
	const struct document_node *root, struct template *template, struct error *error);

/* Refuses what a template for keys in HSM slots cannot have; nothing for others
 * (template-hsm-key.c). */
bool template_check_hsm_key(
	const struct document_node *root, const struct template *template, struct error *error);

/* Reads /keys/N/certificate into *key (template-certificate.c). */
bool template_read_certificate(
	const struct document_node *node, struct template_key *key, struct error *error);

#endif
