/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/client-host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "common/alloc.h"

#define SSH_PROGRAM	"/usr/bin/ssh"
#define HOST_MAXIMUM	255
#define END_STEP_MS	20
#define END_PATIENCE_MS 2000
/* Exit statuses: of ssh itself, and of a shell there that finds no such program. */
#define SSH_FAILED 255
#define NOT_FOUND  127
/* Of no program. */
#define SOMETHING_ELSE 256

#define LETTERS_AND_DIGITS                                                                         \
	"abcdefghijklmnopqrstuvwxyz"                                                               \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                                               \
	"0123456789"
#define USER_CHARACTERS LETTERS_AND_DIGITS "._-+@"
#define HOST_CHARACTERS LETTERS_AND_DIGITS "._-:[]%"
#define PATH_CHARACTERS LETTERS_AND_DIGITS "._-+@:/"

struct client_host {
	char *name;
	DBusConnection *connection;
	pid_t ssh; /* 0: it has ended */
	int status;
	bool was_open; /* tesserad had been reached */
};

/* --- what a person gives --- */

/* A part that ssh would take for an option, or a shell in its configuration for more than a name.
 */
static bool is_plain(const char *part, size_t length, const char *characters)
{
	return length > 0 && part[0] != '-' && strspn(part, characters) >= length;
}

static const char *last_of(const char *text, char wanted)
{
	const char *found = strrchr(text, wanted);

	return found ? found + 1 : text;
}

bool client_host_check(const char *name, struct error *error)
{
	bool is_uri = strncmp(name, "ssh://", 6) == 0;
	const char *rest = is_uri ? name + 6 : name;
	const char *host = last_of(rest, '@');
	size_t user_length = host == rest ? 0 : (size_t)(host - rest) - 1;

	if (name[0] == '\0')
		return error_set(error, ERROR_INVALID_ARGUMENT, "--host needs the name of a host");
	if (strlen(name) <= HOST_MAXIMUM && is_plain(host, strlen(host), HOST_CHARACTERS) &&
		(host == rest || is_plain(rest, user_length, USER_CHARACTERS)))
		return true;
	return error_set(error, ERROR_INVALID_ARGUMENT,
		"the host must be [USER@]HOST or ssh://[USER@]HOST[:PORT], of letters, digits and "
		"\"._-\", and not begin with \"-\"");
}

/* What the shell there is given, which must find nothing in it to interpret; heap. */
static char *remote_command(const char *socket, struct error *error)
{
	if (!socket)
		return xstrdup("tessera bridge --ahead");
	if (socket[0] == '/' && is_plain(socket, strlen(socket), PATH_CHARACTERS))
		return xasprintf("tessera bridge --ahead --socket %s", socket);
	error_set(error, ERROR_INVALID_ARGUMENT,
		"the path of a socket on another machine must be absolute, of letters, digits and "
		"\"._-+@:/\"");
	return NULL;
}

static const char *ssh_program(struct error *error)
{
	const char *program = secure_getenv(CLIENT_SSH_VARIABLE);

	if (!program || !program[0])
		program = SSH_PROGRAM;
	else if (program[0] != '/')
		error_set(error, ERROR_INVALID_ARGUMENT,
			CLIENT_SSH_VARIABLE " must be an absolute path, not %s", program);
	if (program[0] == '/' && access(program, X_OK) == 0)
		return program;
	if (program[0] == '/')
		error_set(error, ERROR_NOT_SUPPORTED, "there is no ssh at %s: %m", program);
	return NULL;
}

/* --- ssh --- */

/* In the child. */
static void run_ssh(const char *program, const char *host, const char *command, int stream)
{
	/* A dead link is noticed within a minute; what else a person's configuration has ssh do for
	 * this host is of no use here. */
	const char *const arguments[] = {"ssh", "-a", "-x", "-T", "-o", "ConnectTimeout=30", "-o",
		"ServerAliveInterval=15", "-o", "ServerAliveCountMax=3", "-o",
		"ClearAllForwardings=yes", "-o", "PermitLocalCommand=no", "-o",
		"RemoteCommand=none", "--", host, command, NULL};
	sigset_t none;

	/* Ctrl-C cancels a job, for which the connection is needed. */
	signal(SIGINT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (dup2(stream, STDIN_FILENO) >= 0 && dup2(stream, STDOUT_FILENO) >= 0)
		execv(program, (char *const *)arguments);
	_exit(SSH_FAILED);
}

static bool start_ssh(struct client_host *host, const char *socket, int stream, struct error *error)
{
	const char *program = ssh_program(error);
	_cleanup_free_ char *command = program ? remote_command(socket, error) : NULL;

	if (!command)
		return false;
	pid_t child = fork();
	if (child < 0)
		return error_set(error, ERROR_FAILED, "cannot start a process: %m");
	if (child == 0)
		run_ssh(program, host->name, command, stream);
	host->ssh = child;
	return true;
}

static bool has_ended(struct client_host *host, int options)
{
	int status = 0;

	if (host->ssh && waitpid(host->ssh, &status, options) == host->ssh) {
		host->ssh = 0;
		host->status = WIFEXITED(status) ? WEXITSTATUS(status) : SSH_FAILED;
	}
	return host->ssh == 0;
}

/* Whether it ends by itself meanwhile. */
static bool await_end(struct client_host *host, int patience_ms)
{
	int step = 1;

	for (int waited = 0; waited < patience_ms; waited += step) {
		if (has_ended(host, WNOHANG))
			return true;
		poll(NULL, 0, step);
		step = step < END_STEP_MS ? step * 2 : END_STEP_MS;
	}
	return has_ended(host, WNOHANG);
}

static void end_ssh(struct client_host *host)
{
	if (has_ended(host, WNOHANG))
		return;
	kill(host->ssh, SIGTERM);
	if (await_end(host, END_PATIENCE_MS))
		return;
	kill(host->ssh, SIGKILL);
	while (!has_ended(host, 0) && errno == EINTR)
		;
}

/* --- the stream --- */

static void closep(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
}

/* A socket in no folder, under a name that the kernel chooses; its address in libdbus's form. */
static int listen_somewhere(char **address)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(name.sun_family);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&name, length) != 0 ||
		listen(listener, 1) != 0)
		return listener;
	length = sizeof(name);
	getsockname(listener, (struct sockaddr *)&name, &length);
	int name_length = (int)(length - sizeof(name.sun_family)) - 1;
	*address = xasprintf("unix:abstract=%.*s", name_length, name.sun_path + 1);
	return listener;
}

/* Others may connect as well, and are sent away. */
static int accept_own(int listener)
{
	struct ucred peer;

	for (;;) {
		socklen_t length = sizeof(peer);
		int stream = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (stream < 0 && errno == EINTR)
			continue;
		if (stream < 0 ||
			(getsockopt(stream, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
				peer.pid == getpid()))
			return stream;
		close(stream);
	}
}

/* libdbus opens addresses alone: it connects to ourselves. Returns ssh's end; -1 with error. */
static int open_stream(struct client_host *host, struct error *error)
{
	DBusError dbus_error = DBUS_ERROR_INIT;
	_cleanup_free_ char *address = NULL;
	int stream = -1;

	_cleanup_(closep) int listener = listen_somewhere(&address);
	if (address)
		host->connection = dbus_connection_open_private(address, &dbus_error);
	if (host->connection)
		stream = accept_own(listener);
	if (stream < 0)
		error_set(error, ERROR_FAILED, "cannot make a socket: %s",
			dbus_error.message ? dbus_error.message : strerror(errno));
	dbus_error_free(&dbus_error);
	return stream;
}

/* --- the connection --- */

/* While it authenticates, libdbus reads in one round and answers in the next. */
static void read_and_write(DBusConnection *connection)
{
	for (int round = 0; round < 4; round++)
		dbus_connection_read_write(connection, 0);
}

/* As long as it takes: ssh has time limits, and a person who is asked for a password has none. */
static bool authenticate(struct client_host *host, struct error *error)
{
	struct pollfd watched = {.fd = -1, .events = POLLIN};
	int seen = interrupt_count();

	dbus_connection_set_exit_on_disconnect(host->connection, FALSE);
	if (!dbus_connection_get_unix_fd(host->connection, &watched.fd))
		return client_host_ended(host, error);
	read_and_write(host->connection);
	while (!dbus_connection_get_is_authenticated(host->connection)) {
		if (!dbus_connection_get_is_connected(host->connection))
			return client_host_ended(host, error);
		poll(&watched, 1, -1);
		if (interrupt_count() != seen)
			return error_set(error, ERROR_CANCELLED, "not connected to %s", host->name);
		read_and_write(host->connection);
	}
	return true;
}

struct client_host *client_host_open(const char *name, const char *socket, struct error *error)
{
	if (!client_host_check(name, error))
		return NULL;
	_cleanup_(client_host_freep) struct client_host *host = xnew(struct client_host);
	host->name = xstrdup(name);
	_cleanup_(closep) int stream = open_stream(host, error);
	if (stream < 0 || !start_ssh(host, socket, stream, error))
		return NULL;
	/* Only ssh has it now, so that its end is the stream's. */
	close(stream);
	stream = -1;
	if (!authenticate(host, error))
		return NULL;
	host->was_open = true;
	return steal_pointer(&host);
}

void client_host_free(struct client_host *host)
{
	if (!host)
		return;
	if (host->connection) {
		dbus_connection_close(host->connection);
		dbus_connection_unref(host->connection);
	}
	end_ssh(host);
	free(host->name);
	free(host);
}

DBusConnection *client_host_connection(const struct client_host *host)
{
	return host->connection;
}

const char *client_host_name(const struct client_host *host)
{
	return host->name;
}

/* By ssh's exit status, which is that of what it ran there. */
static bool ended_with(const struct client_host *host, struct error *error)
{
	bool no_service = host->status == error_exit_status(ERROR_NO_SERVICE);

	if (host->was_open && no_service)
		return error_set(error, ERROR_NO_SERVICE, "tesserad on %s went away", host->name);
	if (host->was_open)
		return error_set(
			error, ERROR_NETWORK_FAILED, "the connection to %s broke off", host->name);
	if (host->status == SSH_FAILED)
		return error_set(
			error, ERROR_NETWORK_FAILED, "no connection to %s by ssh", host->name);
	if (host->status == NOT_FOUND)
		return error_set(
			error, ERROR_NO_SERVICE, "tessera is not installed on %s", host->name);
	if (no_service)
		return error_set(
			error, ERROR_NO_SERVICE, "tesserad is not running on %s", host->name);
	return error_set(error, ERROR_NO_SERVICE,
		"%s does not answer as \"tessera bridge\" does: its tessera is an older one, or a "
		"start-up file of the shell there prints something",
		host->name);
}

bool client_host_ended(struct client_host *host, struct error *error)
{
	/* What does not speak D-Bus may live on. */
	if (!await_end(host, END_PATIENCE_MS)) {
		end_ssh(host);
		host->status = SOMETHING_ELSE;
	}
	return ended_with(host, error);
}
