/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of tessera agent share. */
#ifndef TESSERA_CLI_AGENT_H
#define TESSERA_CLI_AGENT_H

#include <pthread.h>
#include <stdint.h>

#include "cli/agent-consent.h"
#include "cli/agent-reader.h"
#include "cli/client-agent.h"
#include "cli/client.h"
#include "pcsc/reader-watch.h"

struct invocation;

/* What another thread tells the main one. */
struct agent_event {
	enum agent_event_type {
		AGENT_READER_ADDED,
		AGENT_READER_REMOVED,
		AGENT_CARD_INSERTED,
		AGENT_CARD_REMOVED,
		AGENT_CARD_OPENED,  /* and may be offered: card */
		AGENT_CARD_REFUSED, /* text says why */
		AGENT_ANSWERED	    /* answer */
	} type;
	char *reader_name;
	struct agent_card card;
	char *text;
	struct agent_answer answer;
	struct agent_event *next;
};

/* A reader of this machine. */
struct agent_station {
	char *name;
	struct agent_reader *reader;
	bool has_card;
	bool is_told;		   /* the server was told of the card */
	char *path;		   /* at the server; NULL while it is not offered there */
	uint32_t offer, insertion; /* calls whose answers are awaited; 0 for none */
};

struct agent {
	struct agent_consent consent;
	struct client *client; /* NULL while there is no connection */
	struct error failure;  /* the server lets no readers in: there is nothing to do */
	bool is_asking;	       /* a thread still asks a person about a reader that has gone */
	struct agent_station *stations;
	size_t station_count;
	int wake;	      /* eventfd: events are there */
	pthread_mutex_t lock; /* guards first */
	struct agent_event *first;
};

/* A line of what happens, on standard output. */
void agent_say(const char *format, ...) PRINTF_LIKE(1, 2);
extern const struct agent_reader_events agent_reader_events;

/* --- agent-stations.c, all on the main thread --- */

/* The connection is there: offers all readers. */
void agent_begin(struct agent *agent);
/* It has gone: gives all cards up, frees the client. */
void agent_end(struct agent *agent);
void agent_handle(struct agent *agent, struct agent_event *event);
void agent_clear(struct agent *agent);
extern const struct client_agent_events agent_client_events;

/* --- agent-server.c --- */

/* A connection of the agent's own; never that of a login's session. */
struct client *agent_connect(const struct invocation *invocation, struct error *error);
/* What a person knows the server by. */
const char *agent_server_name(const struct invocation *invocation);

#endif
