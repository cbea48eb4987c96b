/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/self-service.h"

#include <string.h>

#include "common/macros.h"

#define CARD	    (1u << SELF_BY_CARD)
#define USER_ID	    (1u << SELF_BY_USER_ID)
#define SYSTEM_USER (1u << SELF_BY_SYSTEM_USER)
#define OTHERS	    (USER_ID | SYSTEM_USER | 1u << SELF_BY_DIRECTORY | 1u << SELF_BY_CODE)

/* Before it is activated a card has no PIN to log in with. */
static const struct {
	const char *name;
	self_ways allowed, usual;
	enum lifecycle_verb verb;
	enum permission permission;
} services[SELF_SERVICE_COUNT] = {
	[SELF_SERVICE_ISSUE] = {"issue", OTHERS, USER_ID, LIFECYCLE_ISSUE, PERMISSION_ISSUE},
	[SELF_SERVICE_ACTIVATE] = {"activate", OTHERS, USER_ID, LIFECYCLE_ACTIVATE,
		PERMISSION_ACTIVATE},
	[SELF_SERVICE_UNBLOCK] = {"unblock", CARD | OTHERS, CARD, LIFECYCLE_UNBLOCK,
		PERMISSION_UNBLOCK},
	[SELF_SERVICE_REISSUE] = {"reissue", CARD | OTHERS, CARD, LIFECYCLE_REISSUE,
		PERMISSION_REISSUE},
	[SELF_SERVICE_REPORT_LOST] = {"report-lost", CARD | OTHERS, CARD, LIFECYCLE_REPORT_LOST,
		PERMISSION_SUSPEND},
	[SELF_SERVICE_RETIRE] = {"retire", CARD | OTHERS, CARD, LIFECYCLE_RETIRE,
		PERMISSION_RETIRE},
};

static const char *const ways[SELF_WAY_COUNT] = {
	[SELF_BY_CARD] = "card",
	[SELF_BY_USER_ID] = "user-id",
	[SELF_BY_SYSTEM_USER] = "system-user",
	[SELF_BY_DIRECTORY] = "directory",
	[SELF_BY_CODE] = "code",
};

const char *self_service_name(size_t service)
{
	return service < SELF_SERVICE_COUNT ? services[service].name : NULL;
}

const char *self_way_name(size_t way)
{
	return way < SELF_WAY_COUNT ? ways[way] : NULL;
}

enum self_service self_service_from_name(const char *name)
{
	size_t service = 0;

	while (service < SELF_SERVICE_COUNT && strcmp(services[service].name, name) != 0)
		service++;
	return (enum self_service)service;
}

enum self_way self_way_from_name(const char *name)
{
	size_t way = 0;

	while (way < SELF_WAY_COUNT && strcmp(ways[way], name) != 0)
		way++;
	return (enum self_way)way;
}

self_ways self_service_allowed(enum self_service service)
{
	return services[service].allowed;
}

self_ways self_service_usual(enum self_service service)
{
	return services[service].usual;
}

enum lifecycle_verb self_service_verb(enum self_service service)
{
	return services[service].verb;
}

enum permission self_service_permission(enum self_service service)
{
	return services[service].permission;
}
