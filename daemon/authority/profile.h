/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an authority's certificate profiles are called, which of them can be used,
 * and the fields that each wants to have filled. Authorities that are asked over
 * the network are asked once (authority_update_profiles); the list is kept in the
 * store, "connection-profiles/NAME".
 */
#ifndef TESSERA_AUTHORITY_PROFILE_H
#define TESSERA_AUTHORITY_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"
#include "connection/steps.h"
#include "model/template.h"

/* One field of a request. */
struct authority_field {
	char *name; /* "subject.common_name", "san.emails", "seat.id" */
	bool is_required;
	bool is_multiple;
	bool is_from_request; /* taken from the subject of the signed request, not sent beside it */
	char *fixed;	      /* what the authority sets itself, or NULL */
	char *pattern; /* what the connection fills it with, a pattern of holder fields; or NULL */
	char *prompt;  /* question for the holder field that the pattern is, or NULL */
	/*
	 * Which name of a template's key fills it when the connection has no pattern: "CN" of the
	 * subject, "upn" of the san; NULL for none.
	 */
	const char *subject_type, *san_type;
};

struct authority_profile {
	char *id;   /* the authority's own; often the same as name */
	char *name; /* what people call it */
	bool is_usable;
	char *reason; /* why it is not; "" when it is */
	struct authority_field *fields;
	size_t field_count;
	json_t *settings; /* whatever else the driver wants to know again; or NULL */
};

struct authority_profiles {
	struct authority_profile *items;
	size_t count;
};
#define AUTHORITY_PROFILES_INIT                                                                    \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_profiles_ _cleanup_(authority_profiles_clear)

void authority_profile_clear(struct authority_profile *profile);
void authority_profiles_clear(struct authority_profiles *profiles);
/* A new one at the end, empty but for copies of these. */
struct authority_profile *authority_profiles_add(
	struct authority_profiles *profiles, const char *id, const char *name);
/* Makes it one that cannot be used, unless it is for another reason already. */
void authority_profile_refuse(struct authority_profile *profile, const char *format, ...)
	PRINTF_LIKE(2, 3);
/* A new field at the end of the profile. */
struct authority_field *authority_profile_add_field(
	struct authority_profile *profile, const char *name);
struct authority_field *authority_profile_field(
	const struct authority_profile *profile, const char *name);

/*
 * By id, or by a name that only one usable profile has. NULL with ERROR_NOT_FOUND, or
 * ERROR_NOT_SUPPORTED with the reason when it cannot be used.
 */
const struct authority_profile *authority_profiles_find(
	const struct authority_profiles *profiles, const char *name, struct error *error);

/* As text (heap) and back; what the connection fills in is no part of it. */
char *authority_profiles_text(const struct authority_profiles *profiles);
bool authority_profiles_parse(
	struct authority_profiles *profiles, const struct buffer *text, struct error *error);

/* Adds the step "profiles" of a connection's test; false when none can be used. */
bool authority_profiles_step(const struct authority_profiles *profiles, const char *connection,
	struct connection_steps *steps);

/* --- filling fields --- */

/*
 * The pattern that fills a field: the connection's own, else the name of the template's key that
 * belongs there; NULL for none. Owned by one of them.
 */
const char *authority_field_pattern(
	const struct authority_field *field, const struct template_key *key);
/*
 * Whether all that the profile requires has a pattern, and all names of the key have a place.
 * ERROR_INVALID_TEMPLATE.
 */
bool authority_profile_check(const struct authority_profile *profile,
	const struct template_key *key, struct error *error);

#endif
