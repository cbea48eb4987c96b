/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards whose people are disabled or gone in their directory, or have other fields there. */
#ifndef TESSERA_OPERATION_PEOPLE_LIST_H
#define TESSERA_OPERATION_PEOPLE_LIST_H

#include "operation/services.h"

struct person_finding {
	struct credential *credential;
	struct person_record record;
	struct fields changes; /* person_changes() */
};
void person_findings_free(struct person_finding *findings, size_t count);

/*
 * As the directories were last seen; none is asked. *next: what to give as `after` for the next
 * page, or 0 at the end; a page may hold fewer than `limit`, or none, and still have a next one.
 * Free with person_findings_free.
 */
bool people_list(struct services *services, int64_t after, unsigned limit,
	struct person_finding **findings, size_t *count, int64_t *next, struct error *error);

#endif
