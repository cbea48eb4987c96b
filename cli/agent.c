/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tessera agent: offers the readers of this machine to a tesserad elsewhere. The main thread talks
 * to tesserad; the watch's thread sees readers and cards come and go, each reader's own has its
 * card say what it is asked. Both tell the main thread by a list of events.
 */
#include "cli/agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/text.h"
#include "common/alloc.h"

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS  60000

/* --- events from other threads --- */

static void tell(struct agent *agent, struct agent_event *event)
{
	pthread_mutex_lock(&agent->lock);
	struct agent_event **last = &agent->first;
	while (*last)
		last = &(*last)->next;
	*last = event;
	pthread_mutex_unlock(&agent->lock);
	eventfd_write(agent->wake, 1);
}

static struct agent_event *event_new(enum agent_event_type type, const char *reader_name)
{
	struct agent_event *event = xnew(struct agent_event);

	event->type = type;
	event->reader_name = xstrdup(reader_name);
	return event;
}

static void event_free(struct agent_event *event)
{
	agent_answer_clear(&event->answer);
	free(event->reader_name);
	free(event->text);
	free(event);
}

static void reader_added(void *context, const char *reader_name)
{
	tell(context, event_new(AGENT_READER_ADDED, reader_name));
}

static void reader_removed(void *context, const char *reader_name)
{
	tell(context, event_new(AGENT_READER_REMOVED, reader_name));
}

static void card_inserted(
	void *context, const char *reader_name, const uint8_t *atr, size_t atr_length)
{
	(void)atr;
	(void)atr_length;
	tell(context, event_new(AGENT_CARD_INSERTED, reader_name));
}

static void card_removed(void *context, const char *reader_name)
{
	tell(context, event_new(AGENT_CARD_REMOVED, reader_name));
}

static void service_changed(void *context, bool available)
{
	(void)context;
	if (!available)
		agent_say("pcscd is not running here; waiting for it");
}

static const struct reader_events reader_events = {
	.reader_added = reader_added,
	.reader_removed = reader_removed,
	.card_inserted = card_inserted,
	.card_removed = card_removed,
	.service_changed = service_changed,
};

static bool allows(void *context, const char *reader_name, const char *model)
{
	struct agent *agent = context;

	return agent_consent_given(&agent->consent, reader_name, model);
}

static void opened(void *context, const char *reader_name, const struct agent_card *card)
{
	struct agent_event *event = event_new(AGENT_CARD_OPENED, reader_name);

	event->card = *card;
	tell(context, event);
}

static void refused(void *context, const char *reader_name, const struct error *error)
{
	struct agent_event *event = event_new(AGENT_CARD_REFUSED, reader_name);

	event->text = xstrdup(error_message(error));
	tell(context, event);
}

static void answered(void *context, const char *reader_name, struct agent_answer *answer)
{
	struct agent_event *event = event_new(AGENT_ANSWERED, reader_name);

	event->answer = *answer;
	tell(context, event);
}

const struct agent_reader_events agent_reader_events = {
	.allows = allows, .opened = opened, .refused = refused, .answered = answered};

static struct agent_event *next_event(struct agent *agent)
{
	pthread_mutex_lock(&agent->lock);
	struct agent_event *event = agent->first;
	if (event)
		agent->first = event->next;
	pthread_mutex_unlock(&agent->lock);
	return event;
}

static void take_events(struct agent *agent)
{
	struct agent_event *event;
	eventfd_t count;

	eventfd_read(agent->wake, &count);
	while ((event = next_event(agent))) {
		agent_handle(agent, event);
		event_free(event);
	}
}

/*
 * --- the connection ---
 * Signals are for the main thread. Where it waits for other things too they are let in by that wait
 * alone, so that none is missed; the threads that it starts inherit that they are blocked.
 */

static bool connect_server(struct agent *agent, struct invocation *invocation, struct error *error)
{
	agent->client = agent_connect(invocation, error);
	if (!agent->client)
		return false;
	_cleanup_json_ json_t *pong = CLIENT_CALL_PLAIN(
		agent->client, CLIENT_ROOT, "org.freedesktop.DBus.Peer", "Ping", error);
	if (pong)
		return true;
	client_free(agent->client);
	agent->client = NULL;
	return false;
}

/* Until the connection ends, the server refuses (agent->failure), or a signal comes. */
static bool serve(struct agent *agent, struct error *error)
{
	bool there = true;

	interrupt_mask(SIG_BLOCK, NULL);
	while (there && interrupt_count() == 0 && agent->failure.code == ERROR_NONE) {
		take_events(agent);
		there = client_agent_wait(
			agent->client, agent->wake, &agent_client_events, agent, error);
	}
	interrupt_mask(SIG_UNBLOCK, NULL);
	return there;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Readers and cards go on coming and going meanwhile. */
static void wait_ms(struct agent *agent, int64_t milliseconds)
{
	const int64_t until = now_ms() + milliseconds;
	sigset_t none;

	sigemptyset(&none);
	interrupt_mask(SIG_BLOCK, NULL);
	for (int64_t left; interrupt_count() == 0 && (left = until - now_ms()) > 0;) {
		struct pollfd watched = {.fd = agent->wake, .events = POLLIN};
		struct timespec timeout = {left / 1000, left % 1000 * 1000000};
		ppoll(&watched, 1, &timeout, &none);
		take_events(agent);
	}
	interrupt_mask(SIG_UNBLOCK, NULL);
}

/* One connection after the other. What a server did not let in at all ends it. */
static bool serve_for_ever(struct agent *agent, struct invocation *invocation, struct error *error)
{
	int64_t pause = RETRY_FIRST_MS;

	while (interrupt_count() == 0 && agent->failure.code == ERROR_NONE) {
		struct error reason _cleanup_error_ = ERROR_INIT;
		if (connect_server(agent, invocation, &reason)) {
			agent_say("connected to %s", agent->consent.server);
			pause = RETRY_FIRST_MS;
			agent_begin(agent);
			serve(agent, &reason);
			agent_end(agent);
		}
		if (interrupt_count() > 0 || agent->failure.code != ERROR_NONE)
			break;
		agent_say("%s; trying again in %lld seconds", error_message(&reason),
			(long long)pause / 1000);
		wait_ms(agent, pause);
		pause = pause * 2 < RETRY_LAST_MS ? pause * 2 : RETRY_LAST_MS;
	}
	return agent->failure.code == ERROR_NONE || error_move(error, &agent->failure);
}

/* --- the command --- */

void agent_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *text = xvasprintf(format, arguments);
	va_end(arguments);
	_cleanup_free_ char *clean = text_clean(text);
	free(text);
	printf("%s\n", clean);
	fflush(stdout);
}

static void read_options(struct agent *agent, const struct invocation *invocation)
{
	agent_consent_init(&agent->consent);
	agent->consent.always = invocation_has(invocation, OPTION_YES);
	agent->consent.readers = invocation->allowed;
	agent->consent.reader_count = invocation->allowed_count;
	agent->consent.program = invocation->values[OPTION_ASK];
	agent->consent.server = agent_server_name(invocation);
}

bool agent_run(struct invocation *invocation, struct error *error)
{
	struct agent *agent = xnew(struct agent);

	agent->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&agent->lock, NULL);
	read_options(agent, invocation);
	if (!invocation_host(invocation) && !getenv("TESSERA_SOCKET"))
		agent_say("a service on this machine sees these readers by itself; --host "
			  "USER@SERVER offers them to one elsewhere");
	interrupt_mask(SIG_BLOCK, NULL);
	struct reader_watch *watch = reader_watch_start(&reader_events, agent, error);
	interrupt_mask(SIG_UNBLOCK, NULL);
	bool done = watch && serve_for_ever(agent, invocation, error);
	reader_watch_stop(watch);
	agent_clear(agent);
	for (struct agent_event *event; (event = next_event(agent));)
		event_free(event);
	error_clear(&agent->failure);
	/* A thread that still asks a person ends with the process. */
	if (!agent->is_asking)
		free(agent);
	return done;
}
