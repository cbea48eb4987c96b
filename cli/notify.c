/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera notify: desktop notifications about the cards in the service's readers. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/agent-notify.h"
#include "cli/arguments.h"
#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/object.h"

#define WAIT_MS		  1000
#define LOOK_EVERY	  600 /* waits: what changes by time */
#define SHOW_EVERY	  5   /* the same while there is no desktop for something */
#define RETRY_FIRST_WAITS 1
#define RETRY_LAST_WAITS  60

/* Readers come and go at the root, and change themselves. */
static void hear(void *context, const char *path, const char *interface, const char *member)
{
	bool *has_changed = context;

	(void)interface;
	(void)member;
	if (strcmp(path, CLIENT_ROOT) == 0 || strstr(path, "/reader/"))
		*has_changed = true;
}

/* Those that the person sits at: of another machine's service the readers that the own agent
 * offers. */
static json_t *list_readers(struct client *client, struct error *error)
{
	json_t *readers = card_find_readers(client, error);

	for (size_t i = json_array_size(readers); client_host(client) && i-- > 0;) {
		const json_t *user = json_object_get(json_array_get(readers, i), "user");
		if (!json_string_length(user))
			json_array_remove(readers, i);
	}
	return readers;
}

/* *next: after how many waits to look again although nothing was heard. */
static bool look(
	struct agent_notify *notify, struct client *client, unsigned *next, struct error *error)
{
	_cleanup_json_ json_t *readers = list_readers(client, error);

	if (!readers)
		return false;
	*next = agent_notify_look(notify, readers, time(NULL)) ? LOOK_EVERY : SHOW_EVERY;
	return true;
}

/* Until a signal comes for us, or with error the service has gone. */
static bool serve(struct agent_notify *notify, struct client *client, struct error *error)
{
	bool has_changed = true;

	client_on_signal(client, hear, &has_changed);
	if (!client_watch(client, error))
		return false;
	for (unsigned next = 0; interrupt_count() == 0; next -= next > 0) {
		if (has_changed || next == 0) {
			has_changed = false;
			if (!look(notify, client, &next, error))
				return false;
		}
		if (!client_wait(client, WAIT_MS, NULL, error))
			return false;
	}
	return true;
}

static void wait_some(unsigned waits)
{
	const struct timespec second = {.tv_sec = 1};

	while (waits-- > 0 && interrupt_count() == 0)
		nanosleep(&second, NULL);
}

/* The service may be started later, and again. */
bool notify_run(struct invocation *invocation, struct error *error)
{
	_cleanup_(agent_notify_freep) struct agent_notify *notify = agent_notify_new();
	unsigned pause = RETRY_FIRST_WAITS;

	while (interrupt_count() == 0) {
		struct client *client = invocation_client(invocation, error);
		if (client && serve(notify, client, error))
			return true;
		if (error->code != ERROR_NO_SERVICE && error->code != ERROR_NETWORK_FAILED &&
			error->code != ERROR_TIMEOUT)
			return interrupt_count() > 0;
		if (client)
			pause = RETRY_FIRST_WAITS;
		client_free(invocation->client);
		invocation->client = NULL;
		fprintf(stderr, "tessera: %s; trying again in %u s\n", error_message(error), pause);
		error_clear(error);
		wait_some(pause);
		pause = pause * 2 < RETRY_LAST_WAITS ? pause * 2 : RETRY_LAST_WAITS;
	}
	return true;
}
