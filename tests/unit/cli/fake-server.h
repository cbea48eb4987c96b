/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stand-in for tesserad on a private socket, in a thread: a manager, a card and one job. */
#ifndef TESSERA_TESTS_UNIT_CLI_FAKE_SERVER_H
#define TESSERA_TESTS_UNIT_CLI_FAKE_SERVER_H

#include <stdbool.h>

/* How the job ends, and after how many looks at it. */
struct fake_script {
	int looks;		   /* answers "running" so often first */
	const char *state;	   /* then this: "succeeded" */
	const char *error_name;	   /* "" or org.tessera1.Error.* */
	const char *error_message; /* "" or a sentence */
	bool hang_up;		   /* closes the connection instead */
};

struct fake_server;

/* Listens on path. What it was sent is remembered for the functions below. */
struct fake_server *fake_server_start(const char *path, const struct fake_script *script);
/* Ends the thread and frees. */
void fake_server_stop(struct fake_server *server);

/* How often the job was asked to cancel; it is "cancelled" from then on. */
int fake_server_cancels(const struct fake_server *server);
/* The last string argument that a method of a credential got; "" if none. */
const char *fake_server_argument(const struct fake_server *server);

#endif
