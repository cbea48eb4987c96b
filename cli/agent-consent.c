/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/agent-consent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/terminal.h"
#include "cli/text.h"
#include "common/alloc.h"

void agent_consent_init(struct agent_consent *consent)
{
	*consent = (struct agent_consent){0};
	pthread_mutex_init(&consent->lock, NULL);
}

static bool is_given_before(const struct agent_consent *consent, const char *reader_name)
{
	bool given = consent->always;

	for (size_t i = 0; i < consent->reader_count && !given; i++)
		given = strstr(reader_name, consent->readers[i]) != NULL;
	return given;
}

/* For the child: what this process has blocked is not. */
static void run_program(const char *program, const char *question)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setenv("SSH_ASKPASS_PROMPT", "confirm", 1);
	execlp(program, program, question, (char *)NULL);
	fprintf(stderr, "tessera: cannot run %s: %s\n", program, strerror(errno));
	_exit(127);
}

static bool ask_program(const char *program, const char *question)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		run_program(program, question);
	if (child < 0)
		return false;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool agent_consent_given(struct agent_consent *consent, const char *reader_name, const char *model)
{
	if (is_given_before(consent, reader_name))
		return true;
	_cleanup_free_ char *text = xasprintf(
		"Let %s use the %s in the reader \"%s\"?", consent->server, model, reader_name);
	_cleanup_free_ char *question = text_clean(text);
	pthread_mutex_lock(&consent->lock);
	bool given = consent->program ? ask_program(consent->program, question)
				      : terminal_confirm(question, NULL);
	pthread_mutex_unlock(&consent->lock);
	return given;
}
