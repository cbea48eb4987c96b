/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a connection document says about profiles: {NAME: {"fields": {FIELD:
 * pattern, or {prompt, field}}, ...}}; NAME is the profile's id or name.
 */
#ifndef TESSERA_AUTHORITY_MAPPING_H
#define TESSERA_AUTHORITY_MAPPING_H

#include "authority/profile.h"
#include "model/document.h"

/* How one field of a profile is filled. */
struct filling {
	char *field;   /* "subject.common_name" */
	char *pattern; /* of holder fields, or plain text */
	char *prompt;  /* question for the holder field that the pattern is, or NULL */
};

/* What a document may leave to the profile itself. */
enum mapping_choice { MAPPING_UNSAID, MAPPING_NO, MAPPING_YES };

/* What the document says about one profile; each kind has some of the members. */
struct mapping {
	char *profile; /* its id or name */
	struct filling *fillings;
	size_t count;
	int64_t validity_days; /* 0: as the profile says */
	char *oid;	       /* of a certificate template, or NULL */
	enum mapping_choice on_behalf, subject_from_request;
	json_t *purposes; /* OIDs that its certificates have to name, or NULL */
};

struct mappings {
	struct mapping *items;
	size_t count;
};

/* What a kind of connection has in its documents. */
struct mapping_kind {
	const char *const *members; /* of a mapping, "fields" among them */
	size_t member_count;
	/* Whether a request has a field of that name. */
	bool (*is_field)(const char *name);
	/* Reads the members other than "fields". */
	bool (*read)(const struct document_node *node, struct mapping *mapping, struct error *);
};

/* The optional member "validity-days"; for `read`. */
bool mapping_read_days(
	const struct document_node *node, struct mapping *mapping, struct error *error);
/* Reads the optional member "profiles". On failure the caller clears, too. */
bool mappings_read(const struct document_node *root, const struct mapping_kind *kind,
	struct mappings *mappings, struct error *error);
void mappings_clear(struct mappings *mappings);
/* NULL if the document says nothing of it. */
const struct mapping *mapping_find(
	const struct mappings *mappings, const struct authority_profile *profile);

/* Sets what fills a field of a profile, which gets the field if it has none. prompt may be NULL. */
void profile_fill(struct authority_profile *profile, const char *field, const char *pattern,
	const char *prompt);
/* Sets all that the document fills. */
void mapping_fill(const struct mapping *mapping, struct authority_profile *profile);

#endif
