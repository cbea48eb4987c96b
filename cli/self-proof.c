/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/self-proof.h"

#include <string.h>
#include <unistd.h>

#include "cli/pin.h"
#include "cli/terminal.h"
#include "common/alloc.h"

#define SECRET_MAXIMUM 256 /* bytes; of a password */

bool self_proof_is_given(const struct invocation *invocation)
{
	return invocation_has(invocation, OPTION_CODE_FILE) ||
	       invocation_has(invocation, OPTION_STDIN) ||
	       invocation_has(invocation, OPTION_LOGIN) ||
	       invocation_has(invocation, OPTION_SYSTEM_USER);
}

static bool check_options(const struct invocation *invocation, struct error *error)
{
	int proofs = invocation_has(invocation, OPTION_CODE_FILE) +
		     invocation_has(invocation, OPTION_SYSTEM_USER) +
		     invocation_has(invocation, OPTION_LOGIN);
	int places = invocation_has(invocation, OPTION_CODE_FILE) +
		     invocation_has(invocation, OPTION_PASSWORD_FILE) +
		     invocation_has(invocation, OPTION_STDIN);

	if (proofs > 1 || places > 1)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--code-file, --login and --system-user do not go together, nor do "
			"--code-file, --password-file and --stdin");
	return invocation_has(invocation, OPTION_LOGIN) ||
	       !(invocation_has(invocation, OPTION_PASSWORD_FILE) ||
		       invocation_has(invocation, OPTION_CONNECTION)) ||
	       error_set(error, ERROR_INVALID_ARGUMENT,
		       "--password-file and --connection go with --login");
}

/* The code or password: from a file, the first line of standard input, or asked for. */
static bool read_proof(const struct invocation *invocation, const char *prompt,
	struct secret *proof, struct error *error)
{
	const char *path = invocation->values[OPTION_CODE_FILE];

	if (!path)
		path = invocation->values[OPTION_PASSWORD_FILE];
	if (path)
		return pin_read_file(path, proof, error);
	if (invocation_has(invocation, OPTION_STDIN))
		return pin_read_line(STDIN_FILENO, SECRET_MAXIMUM, proof, NULL, error);
	return terminal_ask_secret(prompt, SECRET_MAXIMUM, proof, error);
}

static bool authenticate(struct client *client, const char *method, const json_t *options,
	const char *name, const struct secret *proof, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(client, CLIENT_ROOT, CLIENT_SELF, "Authenticate", error,
			CLIENT_STRING(method), CLIENT_OPTIONS_WITH_SECRET(options, name, proof));

	return answer != NULL;
}

static bool prove_by_password(
	const struct invocation *invocation, struct client *client, struct error *error)
{
	const char *connection = invocation->values[OPTION_CONNECTION];
	_cleanup_secret_ struct secret password = SECRET_INIT;
	_cleanup_json_ json_t *options =
		json_pack("{s:s}", "login", invocation->values[OPTION_LOGIN]);

	if (!options || (connection && json_object_set_new(options, "connection",
					       json_string(connection)) != 0))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"a login name or connection is not valid UTF-8 text");
	return read_proof(invocation, "Password: ", &password, error) &&
	       authenticate(client, "directory", options, "password", &password, error);
}

bool self_prove(struct invocation *invocation, struct client *client, struct error *error)
{
	_cleanup_secret_ struct secret proof = SECRET_INIT;

	if (!check_options(invocation, error))
		return false;
	if (invocation_has(invocation, OPTION_SYSTEM_USER)) {
		client_be_patient(client); /* polkit asks the person */
		return authenticate(client, "system-user", NULL, NULL, NULL, error);
	}
	/* The new PIN comes next. */
	if (invocation_has(invocation, OPTION_STDIN))
		invocation->values[OPTION_PIN_FD] = "0";
	if (invocation_has(invocation, OPTION_LOGIN))
		return prove_by_password(invocation, client, error);
	return read_proof(invocation, "One-time code: ", &proof, error) &&
	       authenticate(client, "code", NULL, "code", &proof, error);
}
