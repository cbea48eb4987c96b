/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The readers that tessera agent offers, and what the server wants of them. */
#include <string.h>
#include <unistd.h>

#include "cli/agent.h"
#include "common/alloc.h"

#define MACHINE_BYTES_MAX 64

/* --- finding --- */

static struct agent_station *find_by_name(struct agent *agent, const char *name)
{
	for (size_t i = 0; i < agent->station_count; i++) {
		if (strcmp(agent->stations[i].name, name) == 0)
			return &agent->stations[i];
	}
	return NULL;
}

static struct agent_station *find_by_path(struct agent *agent, const char *path)
{
	for (size_t i = 0; i < agent->station_count; i++) {
		if (agent->stations[i].path && path && strcmp(agent->stations[i].path, path) == 0)
			return &agent->stations[i];
	}
	return NULL;
}

/* --- telling the server --- */

/* This machine's name, without what has a meaning in the reader's name at the server. */
static void machine_name(char name[MACHINE_BYTES_MAX])
{
	if (gethostname(name, MACHINE_BYTES_MAX) != 0 || name[0] == '\0')
		strcpy(name, "unknown");
	name[MACHINE_BYTES_MAX - 1] = '\0';
	for (char *c = name; (c = strpbrk(c, " :@"));)
		*c = '-';
}

static void offer(struct agent *agent, struct agent_station *station)
{
	char machine[MACHINE_BYTES_MAX];

	if (!agent->client)
		return;
	machine_name(machine);
	station->offer = client_agent_offer(agent->client, machine, station->name);
}

static void open_card(struct agent_station *station, bool asks)
{
	if (station->has_card && station->path)
		agent_reader_open(station->reader, asks);
}

static void give_up_card(struct agent *agent, struct agent_station *station)
{
	agent_reader_drop(station->reader);
	if (station->is_told && agent->client && station->path)
		client_agent_remove(agent->client, station->path);
	station->is_told = false;
	station->insertion = 0;
}

static void forget_server(struct agent_station *station)
{
	agent_reader_drop(station->reader);
	free(steal_pointer(&station->path));
	station->is_told = false;
	station->offer = station->insertion = 0;
}

void agent_begin(struct agent *agent)
{
	for (size_t i = 0; i < agent->station_count; i++)
		offer(agent, &agent->stations[i]);
}

void agent_end(struct agent *agent)
{
	for (size_t i = 0; i < agent->station_count; i++)
		forget_server(&agent->stations[i]);
	client_free(agent->client);
	agent->client = NULL;
}

/* --- what happens here --- */

static void add_station(struct agent *agent, const char *name)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct agent_reader *reader = agent_reader_new(name, &agent_reader_events, agent, &error);

	if (!reader) {
		agent_say("%s", error_message(&error));
		return;
	}
	agent->stations =
		xreallocarray(agent->stations, agent->station_count + 1, sizeof(*agent->stations));
	struct agent_station *station = &agent->stations[agent->station_count++];
	*station = (struct agent_station){.name = xstrdup(name), .reader = reader};
	offer(agent, station);
}

static void free_station(struct agent *agent, struct agent_station *station)
{
	if (!agent_reader_free(station->reader))
		agent->is_asking = true;
	free(station->name);
	free(station->path);
}

static void remove_station(struct agent *agent, struct agent_station *station)
{
	size_t index = (size_t)(station - agent->stations);

	if (agent->client && station->path)
		client_agent_withdraw(agent->client, station->path);
	free_station(agent, station);
	agent->station_count--;
	memmove(station, station + 1, (agent->station_count - index) * sizeof(*station));
}

void agent_clear(struct agent *agent)
{
	for (size_t i = 0; i < agent->station_count; i++)
		free_station(agent, &agent->stations[i]);
	free(agent->stations);
	agent->stations = NULL;
	agent->station_count = 0;
}

/* What was allowed for another connection, or before the card was given up, is no more. */
static void tell_card(
	struct agent *agent, struct agent_station *station, const struct agent_card *card)
{
	if (!agent->client || !station->path || !station->has_card)
		return;
	station->insertion = client_agent_insert(agent->client, station->path, card);
	station->is_told = true;
	agent_say("the card in %s is offered", station->name);
}

static void answer_server(struct agent *agent, struct agent_answer *answer)
{
	if (agent->client)
		client_agent_answer(agent->client, answer);
}

void agent_handle(struct agent *agent, struct agent_event *event)
{
	struct agent_station *station = find_by_name(agent, event->reader_name);

	if (event->type == AGENT_READER_ADDED && !station)
		add_station(agent, event->reader_name);
	if (!station)
		return;
	switch (event->type) {
	case AGENT_READER_ADDED:
		break;
	case AGENT_READER_REMOVED:
		agent_say("the reader %s has gone", station->name);
		remove_station(agent, station);
		break;
	case AGENT_CARD_INSERTED:
		station->has_card = true;
		open_card(station, true);
		break;
	case AGENT_CARD_REMOVED:
		station->has_card = false;
		give_up_card(agent, station);
		break;
	case AGENT_CARD_OPENED:
		tell_card(agent, station, &event->card);
		break;
	case AGENT_CARD_REFUSED:
		agent_say("the card in %s is not offered: %s", station->name, event->text);
		break;
	case AGENT_ANSWERED:
		answer_server(agent, &event->answer);
		break;
	}
}

/* --- what the server wants --- */

static void transmit(void *context, const char *path, struct agent_command *command)
{
	struct agent *agent = context;
	struct agent_station *station = find_by_path(agent, path);
	struct agent_answer answer = {.serial = command->serial};

	if (station && station->is_told) {
		agent_reader_transmit(station->reader, command);
		return;
	}
	buffer_clear(&command->bytes);
	error_set(&answer.error, ERROR_NO_CARD, "there is no card");
	answer_server(agent, &answer);
}

static void end(void *context, const char *path)
{
	struct agent_station *station = find_by_path(context, path);

	if (station)
		agent_reader_end(station->reader);
}

/* The person has allowed this card; the server may look at it anew. */
static void lost(void *context, const char *path)
{
	struct agent_station *station = find_by_path(context, path);

	if (!station)
		return;
	agent_say("the card in %s did not answer in time", station->name);
	station->is_told = false;
	agent_reader_drop(station->reader);
	open_card(station, false);
}

static void end_offer(struct agent *agent, struct agent_station *station, const char *path,
	const struct error *error)
{
	station->offer = 0;
	if (error) {
		agent_say("the reader %s is not taken: %s", station->name, error_message(error));
		if (error->code == ERROR_ACCESS_DENIED)
			error_set(&agent->failure, error->code, "%s", error_message(error));
		return;
	}
	station->path = xstrdup(path);
	agent_say("the reader %s is offered as reader %s", station->name,
		path && strrchr(path, '/') ? strrchr(path, '/') + 1 : "");
	open_card(station, true);
}

static void end_insertion(struct agent_station *station, const struct error *error)
{
	station->insertion = 0;
	if (!error)
		return;
	agent_say("the card in %s is not taken: %s", station->name, error_message(error));
	station->is_told = false;
	agent_reader_drop(station->reader);
}

static void answered(void *context, uint32_t serial, const char *path, const struct error *error)
{
	struct agent *agent = context;

	for (size_t i = 0; i < agent->station_count; i++) {
		struct agent_station *station = &agent->stations[i];
		if (station->offer == serial)
			end_offer(agent, station, path, error);
		else if (station->insertion == serial)
			end_insertion(station, error);
	}
}

const struct client_agent_events agent_client_events = {
	.transmit = transmit, .end = end, .lost = lost, .answered = answered};
