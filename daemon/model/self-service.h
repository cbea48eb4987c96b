/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What people may do with cards of their own, and how they prove that they are the person: one
 * table of rights, one of ways. A template says for each right which ways are good enough
 * (model/template-self-service.c); operation/self-rights.h asks.
 */
#ifndef TESSERA_MODEL_SELF_SERVICE_H
#define TESSERA_MODEL_SELF_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/lifecycle.h"
#include "model/role.h"

enum self_service {
	SELF_SERVICE_ISSUE, /* to oneself; /issue/authentication of a template, the others
			       /self-service */
	SELF_SERVICE_ACTIVATE,
	SELF_SERVICE_UNBLOCK,
	SELF_SERVICE_REISSUE, /* and update, and renew */
	SELF_SERVICE_REPORT_LOST,
	SELF_SERVICE_RETIRE,
	SELF_SERVICE_COUNT
};

/* How somebody proves to be a card's holder, or whom a card is to be issued to. */
enum self_way {
	SELF_BY_CARD,	     /* logged in with the card, or with another one of the same holder */
	SELF_BY_USER_ID,     /* the user of the caller's process, as the kernel tells it */
	SELF_BY_SYSTEM_USER, /* the same, and polkit's action org.tessera1.self has let them */
	SELF_BY_DIRECTORY,   /* login name and password, which a directory has checked */
	SELF_BY_CODE,	     /* a one-time code that an operator has given */
	SELF_WAY_COUNT
};

/* A bit (self_way_bit) for each way. */
typedef unsigned self_ways;
static inline self_ways self_way_bit(enum self_way way)
{
	return 1u << way;
}

/* "report-lost", "code"; NULL past the end. */
const char *self_service_name(size_t service);
const char *self_way_name(size_t way);
/* SELF_SERVICE_COUNT, SELF_WAY_COUNT for an unknown name. */
enum self_service self_service_from_name(const char *name);
enum self_way self_way_from_name(const char *name);

/* The ways that can be asked for it, and those that `true` stands for in a template. */
self_ways self_service_allowed(enum self_service service);
self_ways self_service_usual(enum self_service service);
/* The verb that it is, and what an operator needs who does the same for others. */
enum lifecycle_verb self_service_verb(enum self_service service);
enum permission self_service_permission(enum self_service service);

#endif
