/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/connection-kinds.h"

#include <string.h>

#include "authority/authority.h"
#include "common/alloc.h"
#include "connection/secret.h"
#include "connection/smtp.h"
#include "directory/directory.h"
#include "model/document.h"

static const struct connection_family *const families[] = {
	&authority_family, &directory_family, &mail_family};

/* One kind of a family. */
struct kind {
	const struct connection_family *family;
	size_t index; /* for its functions */
};

/* The index-th of all kinds; family is NULL past the end. */
static struct kind kind_number(size_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		for (size_t j = 0; families[i]->kind_at(j); j++) {
			if (index-- == 0)
				return (struct kind){families[i], j};
		}
	}
	return (struct kind){0};
}

static const char *kind_at(size_t index)
{
	struct kind kind = kind_number(index);

	return kind.family ? kind.family->kind_at(kind.index) : NULL;
}

static bool kind_find(const char *name, struct kind *kind, struct error *error)
{
	const char *each;

	for (size_t i = 0; (each = kind_at(i)); i++) {
		if (strcmp(each, name) != 0)
			continue;
		*kind = kind_number(i);
		return true;
	}
	return error_set_field(error, ERROR_INVALID_CONNECTION, "/kind",
		"there is no kind of connection called \"%s\"", name);
}

static bool kind_of(const struct connection_services *services, const char *connection,
	struct kind *kind, struct error *error)
{
	_cleanup_connection_ struct connection stored = CONNECTION_INIT;

	return store_connection_get(services->store, connection, &stored, error) &&
	       kind_find(stored.kind, kind, error);
}

bool connection_check_document(
	const char *document, struct connection *connection, struct error *error)
{
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node name_node, kind_node;
	const char *name;
	size_t choice;

	if (!json)
		return false;
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	if (!json_is_object(json))
		return document_fail(&root, error, "an object is expected");
	if (!document_member(&root, "name", &name_node, error) ||
		!document_name(&name_node, &name, error) ||
		!document_member(&root, "kind", &kind_node, error) ||
		!document_choice(&kind_node, kind_at, &choice, error))
		return false;
	struct kind kind = kind_number(choice);
	if (!kind.family->check(kind.index, document, error))
		return false;
	connection_clear(connection);
	connection->name = xstrdup(name);
	connection->kind = xstrdup(kind_at(choice));
	connection->document = xstrdup(document);
	return true;
}

bool connection_prepare(
	const struct connection_services *services, const char *name, struct error *error)
{
	struct kind kind;

	return kind_of(services, name, &kind, error) &&
	       (!kind.family->prepare || kind.family->prepare(services, name, error));
}

bool connection_test(const struct connection_services *services, const char *name,
	struct connection_steps *steps, bool *works, struct error *error)
{
	struct kind kind;

	return kind_of(services, name, &kind, error) &&
	       kind.family->test(services, name, steps, works, error);
}

/* --- secrets --- */

const char *connection_secret_at(const char *name, size_t index)
{
	struct kind kind;

	return kind_find(name, &kind, NULL) ? kind.family->secret_at(kind.index, index) : NULL;
}

/* ERROR_INVALID_ARGUMENT names those that there are. */
static bool check_name(const struct kind *kind, const char *name, struct error *error)
{
	_cleanup_free_ char *known = NULL;
	const char *each;

	for (size_t i = 0; (each = kind->family->secret_at(kind->index, i)); i++) {
		if (strcmp(each, name) == 0)
			return true;
		char *longer = xasprintf("%s%s%s", known ? known : "", known ? ", " : "", each);
		free(known);
		known = longer;
	}
	if (!known)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
			"a connection of kind %s has no secrets",
			kind->family->kind_at(kind->index));
	return error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
		"the secrets of a connection of kind %s are %s", kind->family->kind_at(kind->index),
		known);
}

bool connection_check_secret(const struct connection_services *services, const char *connection,
	const char *name, const struct secret *secret, struct error *error)
{
	struct kind kind;

	return kind_of(services, connection, &kind, error) && check_name(&kind, name, error) &&
	       (!secret || kind.family->check_secret(services, connection, name, secret, error));
}

bool connection_forget(struct store *store, const char *name, struct error *error)
{
	const struct connection_services services = {.store = store};
	struct kind kind;
	const char *each;

	if (!kind_of(&services, name, &kind, error) ||
		(kind.family->forget && !kind.family->forget(store, name, error)))
		return false;
	for (size_t i = 0; (each = kind.family->secret_at(kind.index, i)); i++) {
		_cleanup_free_ char *secret = connection_secret_name(name, each);
		if (!store_value_remove(store, secret, error))
			return false;
	}
	return true;
}
