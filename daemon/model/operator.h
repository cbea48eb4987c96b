/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An operator: a managed card whose holder has roles. */
#ifndef TESSERA_MODEL_OPERATOR_H
#define TESSERA_MODEL_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"

#define OPERATOR_ID_MINIMUM 4 /* characters */
#define OPERATOR_ID_MAXIMUM 16
#define OPERATOR_ID_DEFAULT 5
#define OPERATOR_ROLES_MAX  16
/* The holder's field that is the simple ID. */
#define OPERATOR_ID_FIELD "id"

struct operator_record {
	int64_t credential_id; /* of the operator's card */
	char *id;	       /* simple ID string, "K7M2P" */
	char **roles;	       /* names; heap array of heap strings, none twice */
	size_t role_count;
	bool active;	      /* a deactivated operator cannot log in */
	struct buffer sealed; /* the token's PIN for this card (keys/seal.h); empty: no custodian */
	int64_t created_at;   /* seconds since 1970 */
	int64_t last_login_at; /* or 0 */
};
void operator_clear(struct operator_record *record);
#define OPERATOR_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_operator_ _cleanup_(operator_clear)

/* Whether one of the operator's roles has that name. */
bool operator_has_role(const struct operator_record *record, const char *role);
/* Copies the names in the place of the present ones; one that comes twice is kept once. */
void operator_set_roles(struct operator_record *record, char *const *roles, size_t count);
/* "auditor normal": the names with spaces between them; heap. */
char *operator_roles_text(const struct operator_record *record);

/*
 * A random simple ID of length characters (OPERATOR_ID_MINIMUM to _MAXIMUM): capital letters and
 * digits without those that look alike (0 O 1 I L). Heap. NULL with ERROR_FAILED.
 */
char *operator_id_random(size_t length, struct error *error);

#endif
