/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera, the command: see tessera(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/client.h"
#include "cli/help.h"
#include "cli/hint.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/signer.h"
#include "cli/text.h"
#include "common/alloc.h"
#include "common/secret.h"

/* What helps where the way to another machine is what fails; heap, or NULL when it is not. */
static char *hint_for_host(const struct invocation *invocation, enum error_code code)
{
	const char *host = invocation_host(invocation);
	bool is_there = invocation->client && client_is_connected(invocation->client);

	if (!host || is_there || (code != ERROR_NO_SERVICE && code != ERROR_NETWORK_FAILED))
		return NULL;
	return xasprintf("this tells how it is there: ssh %s tessera status", host);
}

/* A sentence on standard error, what to do next, and the exit status. */
static int report(const struct invocation *invocation, const struct error *error)
{
	_cleanup_free_ char *message = text_clean(error_message(error));
	_cleanup_free_ char *host_hint = hint_for_host(invocation, error->code);
	const char *hint = host_hint ? host_hint : hint_for(error->code, invocation->subject);

	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *object = json_pack("{s:{s:s,s:s}}", "error", "name",
			error_name(error->code), "message", message);
		output_json(object);
	}
	fflush(stdout);
	fprintf(stderr, "tessera: %s\n", message);
	if (hint)
		fprintf(stderr, "  %s\n", hint);
	return error_exit_status(error->code);
}

static bool run(struct invocation *invocation, struct error *error)
{
	if (!invocation->command->run(invocation, error))
		return false;
	if (fflush(stdout) != 0 || ferror(stdout))
		return error_set(error, ERROR_FAILED, "cannot write to standard output");
	return true;
}

/* What needs no service. Answers whether that was all. */
static bool inform(const struct invocation *invocation)
{
	if (invocation_has(invocation, OPTION_VERSION))
		puts("tessera " VERSION_STRING);
	else if (invocation_has(invocation, OPTION_HELP))
		help_print(stdout, invocation);
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct invocation invocation = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	secret_protect_process();
	text_set_locale();
	if (argc == 2 && strcmp(argv[1], "--complete-table") == 0) {
		help_print_table(stdout);
		return EXIT_SUCCESS;
	}
	if (!arguments_parse(argc, argv, &invocation, &error))
		return report(&invocation, &error);
	if (inform(&invocation))
		return EXIT_SUCCESS;
	interrupt_install();
	bool done = run(&invocation, &error);
	int status = done ? EXIT_SUCCESS : report(&invocation, &error);
	signer_free(invocation.signer);
	client_free(invocation.client);
	return status;
}
