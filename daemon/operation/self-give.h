/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators and self-service: giving one-time codes, and lifting lock-outs. */
#ifndef TESSERA_OPERATION_SELF_GIVE_H
#define TESSERA_OPERATION_SELF_GIVE_H

#include "common/secret.h"
#include "operation/services.h"

/* What a code is to be for. */
struct self_gift {
	const char *caller;   /* whose logins count */
	const char *given_by; /* operators, for the list */
	enum self_service purpose;
	int64_t credential_id;	     /* 0 with SELF_SERVICE_ISSUE */
	const char *template_name;   /* of SELF_SERVICE_ISSUE; else NULL */
	const struct fields *holder; /* of a template with fields; else empty */
	const char *user;	     /* login name, of a template with system-user; else NULL */
	const char *person;	     /* login name there, of a template with directory; else NULL */
	int64_t hours;		     /* 0: SELF_CODE_HOURS */
};

/*
 * Gives a code (operation/self-code.h). The caller needs the permission that doing it for others
 * takes, and nobody gives one for the own card. ERROR_ACCESS_DENIED, ERROR_NOT_FOUND,
 * ERROR_NOT_SUPPORTED where the template takes no code for it, ERROR_WRONG_STATE,
 * ERROR_INVALID_ARGUMENT (fields, hours).
 */
bool self_give(struct services *services, const struct self_gift *gift, struct secret *code,
	int64_t *expires_at, struct error *error);

/*
 * Lifts a lock-out: kind "card" (name: serial), "user" (login name of the system), "code" (its
 * first four characters), or "person" (CONNECTION:LOGIN). *was_locked: whether there were wrong
 * tries at all.
 */
bool self_lift(struct services *services, const char *kind, const char *name, bool *was_locked,
	struct error *error);

#endif
