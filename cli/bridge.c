/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tessera bridge: what ssh runs on the machine of a tesserad for a client elsewhere. It is one more
 * local user's program to tesserad, which asks the kernel who that is: the user that ssh logged in.
 * After both ends have been greeted it passes bytes on and looks at none.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "cli/arguments.h"
#include "cli/bridge-greeting.h"
#include "cli/client.h"
#include "cli/command.h"
#include "common/alloc.h"

#define PIPE_BYTES	     (64 * 1024)
#define SERVICE_SECONDS	     10
#define GREETING_MS	     60000
#define SERVICE_ANSWER_BYTES 128

/* One way of the two. */
struct way {
	int from, to;
	bool has_ended; /* nothing comes any more */
	size_t start, end;
	char bytes[PIPE_BYTES];
};

struct bridge {
	int service;
	struct way there, back; /* to tesserad; to the client */
};

/* --- tesserad's end --- */

static int connect_service(const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = SERVICE_SECONDS};

	if (strlen(path) >= sizeof(address.sun_path)) {
		error_set(error, ERROR_INVALID_ARGUMENT, "the path of the socket is too long");
		return -1;
	}
	strcpy(address.sun_path, path);
	int service = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (service >= 0 && connect(service, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		setsockopt(service, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0)
		return service;
	if (service >= 0)
		close(service);
	error_set(error, ERROR_NO_SERVICE, "tesserad does not answer on %s", path);
	return -1;
}

/* A line without its end; its answers are short, and nothing comes behind them unasked. */
static bool read_line(int service, char line[SERVICE_ANSWER_BYTES])
{
	size_t length = 0;

	while (length < SERVICE_ANSWER_BYTES - 1) {
		ssize_t count = read(service, line + length, SERVICE_ANSWER_BYTES - 1 - length);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		length += (size_t)count;
		if (length >= 2 && memcmp(line + length - 2, "\r\n", 2) == 0) {
			line[length - 2] = '\0';
			return true;
		}
	}
	return false;
}

/* As whom we are; the GUID that tesserad answers goes to *guid, heap. */
static bool greet_service(int service, char **guid, struct error *error)
{
	char line[SERVICE_ANSWER_BYTES] = "";
	char uid[24];
	_cleanup_buffer_ struct buffer request = BUFFER_INIT;

	int length = snprintf(uid, sizeof(uid), "%lu", (unsigned long)getuid());
	_cleanup_free_ char *name = hex_encode((uint8_t *)uid, (size_t)length);
	buffer_append_u8(&request, '\0');
	buffer_append_string(&request, "AUTH EXTERNAL ");
	buffer_append_string(&request, name);
	buffer_append_string(&request, "\r\n");
	if (send(service, request.data, request.length, MSG_NOSIGNAL) != (ssize_t)request.length ||
		!read_line(service, line))
		return error_set(error, ERROR_NO_SERVICE,
			"tesserad let us in and does not answer: too many connections may be open");
	if (strncmp(line, "OK ", 3) != 0)
		return error_set(error, ERROR_ACCESS_DENIED, "tesserad does not let us in");
	if (send(service, "BEGIN\r\n", 7, MSG_NOSIGNAL) != 7)
		return error_set(error, ERROR_NO_SERVICE, "tesserad went away");
	*guid = xstrdup(line + 3);
	return true;
}

/* --- both ways --- */

static void fill(struct way *way)
{
	ssize_t count = read(way->from, way->bytes + way->end, sizeof(way->bytes) - way->end);

	if (count > 0)
		way->end += (size_t)count;
	else if (count == 0 || (errno != EAGAIN && errno != EINTR))
		way->has_ended = true;
}

/* False when the other end takes no more. */
static bool drain(struct way *way)
{
	ssize_t count = write(way->to, way->bytes + way->start, way->end - way->start);

	if (count > 0)
		way->start += (size_t)count;
	if (way->start == way->end)
		way->start = way->end = 0;
	return count >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool is_over(const struct way *way)
{
	return way->has_ended && way->start == way->end;
}

static void set_nonblocking(int descriptor)
{
	int flags = fcntl(descriptor, F_GETFL);

	if (flags >= 0)
		fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

/* Watches one end when there is something to do at it. */
static struct pollfd watch(int descriptor, bool wanted, short event)
{
	return (struct pollfd){.fd = wanted ? descriptor : -1, .events = event};
}

/* Reads where there is room, writes where there is something. */
static bool pass_on(struct way *way, const struct pollfd *from, const struct pollfd *to)
{
	if (from->revents)
		fill(way);
	return (way->start == way->end && !to->revents) || drain(way);
}

/* Until either end has gone and what it sent has been passed on. */
static void pump(struct bridge *bridge)
{
	struct way *there = &bridge->there, *back = &bridge->back;

	while (!is_over(there) && !is_over(back)) {
		bool is_ending = there->has_ended || back->has_ended;
		struct pollfd watched[] = {
			watch(there->from, !is_ending && there->end < PIPE_BYTES, POLLIN),
			watch(there->to, !back->has_ended && there->start < there->end, POLLOUT),
			watch(back->from, !is_ending && back->end < PIPE_BYTES, POLLIN),
			watch(back->to, !there->has_ended && back->start < back->end, POLLOUT),
		};
		if (poll(watched, ARRAY_SIZE(watched), -1) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (!pass_on(there, &watched[0], &watched[1])) {
			back->has_ended = true; /* at the same socket */
			return;
		}
		if (!pass_on(back, &watched[2], &watched[3]))
			return;
	}
}

/* --- the client's end --- */

static bool send_answers(const struct buffer *answers)
{
	return answers->length == 0 ||
	       write(STDOUT_FILENO, answers->data, answers->length) == (ssize_t)answers->length;
}

/* What has come is taken as far as it is a greeting; the rest stays. */
static bool take_greeting(struct greeting *greeting, struct way *there, struct buffer *answers)
{
	size_t taken = 0;
	bool good = greeting_take(
		greeting, there->bytes + there->start, there->end - there->start, &taken, answers);

	there->start += taken;
	return good;
}

static bool greet_client(struct way *there, const char *guid, bool is_ahead, struct error *error)
{
	struct greeting greeting = {.guid = guid, .is_ahead = is_ahead};

	while (!greeting.has_begun) {
		struct pollfd client = {.fd = there->from, .events = POLLIN};
		_cleanup_buffer_ struct buffer answers = BUFFER_INIT;
		bool has_come = poll(&client, 1, GREETING_MS) > 0;
		if (has_come)
			fill(there);
		if (!has_come || there->has_ended || !take_greeting(&greeting, there, &answers))
			return error_set(error, ERROR_INVALID_ARGUMENT,
				"what comes on standard input is no D-Bus");
		if (!send_answers(&answers))
			return error_set(error, ERROR_FAILED, "cannot write: %m");
	}
	return true;
}

static bool bridge_serve(struct bridge *bridge, bool is_ahead, struct error *error)
{
	_cleanup_free_ char *guid = NULL;

	if (!greet_service(bridge->service, &guid, error) ||
		!greet_client(&bridge->there, guid, is_ahead, error))
		return false;
	set_nonblocking(STDIN_FILENO);
	set_nonblocking(STDOUT_FILENO);
	set_nonblocking(bridge->service);
	pump(bridge);
	return !bridge->back.has_ended ||
	       error_set(error, ERROR_NO_SERVICE, "tesserad closed the connection");
}

static bool run_bridge(const char *path, bool is_ahead, struct error *error)
{
	int service = connect_service(path, error);

	if (service < 0)
		return false;
	struct bridge *bridge = xnew(struct bridge);
	bridge->service = service;
	bridge->there.from = STDIN_FILENO;
	bridge->back.to = STDOUT_FILENO;
	bridge->there.to = bridge->back.from = service;
	bool served = bridge_serve(bridge, is_ahead, error);
	OPENSSL_cleanse(bridge, sizeof(*bridge)); /* PINs may have passed */
	free(bridge);
	close(service);
	return served;
}

bool bridge_run(struct invocation *invocation, struct error *error)
{
	const char *path = invocation_socket(invocation);
	bool is_ahead = invocation_has(invocation, OPTION_AHEAD);

	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"the bridge is for ssh to run, without a terminal: tessera --host does "
			"that");
	if (invocation_has(invocation, OPTION_HOST) ||
		invocation_has(invocation, OPTION_SYSTEM_BUS))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"the bridge leads to the private socket of this machine");
	/* There is nothing to be finished first. */
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	if (run_bridge(path ? path : CLIENT_DEFAULT_SOCKET, is_ahead, error))
		return true;
	if (is_ahead) /* tessera --host says it, by the exit status */
		exit(error_exit_status(error->code));
	return false;
}
