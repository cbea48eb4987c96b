/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection of tessera agent: what it tells tesserad (org.tessera1.ReaderAgent) and what
 * tesserad asks of it (org.tessera1.RemoteReader). Nothing here waits for an answer: it comes as an
 * event.
 */
#ifndef TESSERA_CLI_CLIENT_AGENT_H
#define TESSERA_CLI_CLIENT_AGENT_H

#include "cli/agent-reader.h"
#include "cli/client.h"

struct client_agent_events {
	/* path: of the reader. The command's bytes are the listener's. */
	void (*transmit)(void *context, const char *path, struct agent_command *command);
	void (*end)(void *context, const char *path);
	/* tesserad has waited too long for the card and given it up. */
	void (*lost)(void *context, const char *path);
	/* What came of a call of ours: a path or NULL; error is NULL unless it failed. */
	void (*answered)(
		void *context, uint32_t serial, const char *path, const struct error *error);
};

/* Each sends a call and returns the serial that its answer will name. */
uint32_t client_agent_offer(struct client *client, const char *machine, const char *name);
uint32_t client_agent_insert(
	struct client *client, const char *path, const struct agent_card *card);
uint32_t client_agent_remove(struct client *client, const char *path);
uint32_t client_agent_withdraw(struct client *client, const char *path);
/* Answers a command; wipes the response. */
void client_agent_answer(struct client *client, struct agent_answer *answer);

/*
 * Writes what is left, and tells what has come; where nothing has, waits until something does, the
 * descriptor `until` can be read or a signal comes. False with ERROR_NO_SERVICE when tesserad went
 * away.
 */
bool client_agent_wait(struct client *client, int until, const struct client_agent_events *events,
	void *context, struct error *error);

#endif
