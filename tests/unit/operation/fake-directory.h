/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory that is a table: what a test makes of it is what it answers. */
#ifndef TESSERA_TESTS_OPERATION_FAKE_DIRECTORY_H
#define TESSERA_TESTS_OPERATION_FAKE_DIRECTORY_H

#include "directory/directory.h"

#define FAKE_PEOPLE_MAX 100

struct fake_person {
	const char *id, *login, *name, *email;
	bool is_disabled, is_gone;
};

struct fake_directory {
	struct fake_person people[FAKE_PEOPLE_MAX];
	size_t count;
	bool is_down;	     /* nobody can be asked */
	const char *broken;  /* id of somebody about whom nothing is answered; or NULL */
	unsigned asked;	     /* how often it was */
	unsigned down_after; /* so many answers; 0: never */
};
extern struct fake_directory fake;

/* For services.open_directory: the connection "staff" is the fake. */
struct directory *fake_open(
	const struct connection_services *services, const char *name, struct error *error);
/* Of the id, which must be there. */
struct fake_person *fake_find(const char *id);

#endif
