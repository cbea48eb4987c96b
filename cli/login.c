/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera login: logs an operator in, and runs a program with that login. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/card-find.h"
#include "cli/client-session.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/pin.h"
#include "common/alloc.h"

static bool log_in(struct invocation *invocation, struct client *client, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_free_ char *reader =
		card_find_reader(client, invocation->values[OPTION_READER], error);

	if (!reader || !pin_present(invocation, &pin, error))
		return false;
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "Login",
		error, CLIENT_PATH(reader), CLIENT_SECRET(&pin), CLIENT_OPTIONS(NULL));
	return answer != NULL;
}

static const struct column columns[] = {
	{"operator", "OPERATOR", COLUMN_TEXT},
	{"card", "CARD", COLUMN_TEXT},
	{"roles", "ROLES", COLUMN_TEXT},
};

static json_t *fetch_logins(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "ListLogins", error);
	json_t *item, *records = answer ? json_array() : NULL;
	size_t index;

	json_array_foreach(json_array_get(answer, 0), index, item)
	{
		json_t *record = json_pack("{s:O,s:O,s:O}", "operator", json_array_get(item, 0),
			"card", json_array_get(item, 1), "roles", json_array_get(item, 2));
		json_array_append_new(records, record);
	}
	return records;
}

/* "K7M2P (system-owner)" on standard error, so that the program's output stays its own. */
static bool say_who(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *logins = fetch_logins(client, error);
	json_t *login;
	size_t index;

	if (!logins)
		return false;
	json_array_foreach(logins, index, login)
	{
		const char *id = json_string_value(json_object_get(login, "operator"));
		const char *card = json_string_value(json_object_get(login, "card"));
		const char *roles = json_string_value(json_object_get(login, "roles"));
		fprintf(stderr, "logged in: %s (%s)\n", id && id[0] ? id : card, roles);
	}
	return true;
}

/* --- the program --- */

/* A folder that only this user may enter; heap. */
static char *make_folder(struct error *error)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *temporary = getenv("TMPDIR");
	const char *base = runtime && runtime[0]       ? runtime
			   : temporary && temporary[0] ? temporary
						       : "/tmp";
	char *folder = xasprintf("%s/tessera-XXXXXX", base);

	if (mkdtemp(folder))
		return folder;
	error_set(error, ERROR_FAILED, "cannot make a folder in %s: %s", base, strerror(errno));
	free(folder);
	return NULL;
}

/* What is run with a login. */
struct guest {
	char *const *program;
	const char *socket; /* of the session */
	const char *host;   /* that the login is at; NULL: this one */
};

static void run_program(const struct guest *guest)
{
	char *const *program = guest->program;

	setenv(CLIENT_SESSION_VARIABLE, guest->socket, 1);
	/* What finds the login ended goes to the same machine, too. */
	if (guest->host)
		setenv(CLIENT_HOST_VARIABLE, guest->host, 1);
	else
		unsetenv(CLIENT_HOST_VARIABLE);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	interrupt_mask(SIG_UNBLOCK, NULL);
	execvp(program[0], program);
	fprintf(stderr, "tessera: cannot run %s: %s\n", program[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* The program's exit status, or 128 and the signal that ended it. */
static int wait_program(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What can be read once the program has ended, or we are told to end; -1 with error. */
static int watch_end(pid_t child, struct error *error)
{
	struct epoll_event readable = {.events = EPOLLIN};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	int told = signalfd(-1, &signals, SFD_CLOEXEC);
	int ended = (int)syscall(SYS_pidfd_open, child, 0);
	int either = epoll_create1(EPOLL_CLOEXEC);
	if (told >= 0 && ended >= 0 && either >= 0 &&
		epoll_ctl(either, EPOLL_CTL_ADD, told, &readable) == 0 &&
		epoll_ctl(either, EPOLL_CTL_ADD, ended, &readable) == 0)
		return either; /* the two others stay open until the command ends */
	error_set(error, ERROR_FAILED, "cannot watch the program: %s", strerror(errno));
	return -1;
}

static bool has_ended(pid_t child)
{
	siginfo_t information = {0};

	return waitid(P_PID, (id_t)child, &information, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       information.si_pid == child;
}

/* Frees the session. */
static bool serve_program(
	struct client_session *session, const struct guest *guest, int *status, struct error *error)
{
	bool served = false;

	/* Ctrl-C at the terminal is for the program, too; being told to end is passed on to it. */
	interrupt_mask(SIG_BLOCK, NULL);
	pid_t child = fork();
	if (child < 0) {
		client_session_free(session);
		return error_set(error, ERROR_FAILED, "cannot start a process: %m");
	}
	if (child == 0)
		run_program(guest);
	int end = watch_end(child, error);
	if (end >= 0)
		served = client_session_serve(session, end, error);
	client_session_free(session);
	if (end >= 0 && !served) {
		/* The program lives on, without a login. */
		fprintf(stderr, "tessera: %s\n", error_message(error));
		error_clear(error);
		struct pollfd watched = {.fd = end, .events = POLLIN};
		poll(&watched, 1, -1);
	}
	if (!has_ended(child))
		kill(child, SIGTERM);
	*status = wait_program(child);
	return end >= 0;
}

static bool run_with_login(
	struct invocation *invocation, struct client *client, int *status, struct error *error)
{
	const char *shell = getenv("SHELL");
	char *default_program[] = {(char *)(shell && shell[0] ? shell : "/bin/sh"), NULL};
	char *const *program = invocation->program ? invocation->program : default_program;
	_cleanup_free_ char *folder = make_folder(error);

	if (!folder)
		return false;
	_cleanup_free_ char *socket = xasprintf("%s/session", folder);
	struct guest guest = {program, socket, invocation_host(invocation)};
	struct client_session *session = client_session_new(client, socket, error);
	bool done = session && serve_program(session, &guest, status, error);
	unlink(socket);
	rmdir(folder);
	return done;
}

bool login_run(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	int status = 0;

	if (!client || !log_in(invocation, client, error) || !say_who(client, error))
		return false;
	/* Within a login this is one more operator, for the shell that is there. */
	if (invocation->in_session && !invocation->program)
		return true;
	if (!run_with_login(invocation, client, &status, error))
		return false;
	if (status != 0)
		exit(status);
	return true;
}

bool login_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = client ? fetch_logins(client, error) : NULL;

	if (!records)
		return false;
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"Nobody is logged in; tessera login does that.");
	return true;
}
