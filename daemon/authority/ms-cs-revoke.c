/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/ms-cs-revoke.h"

#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "core/command.h"

#define ARGUMENTS_MAX	64
#define ARGUMENT_MAX	1024 /* bytes */
#define SECONDS_MAX	600
#define SECONDS_DEFAULT 60
#define OUTPUT_MAX	(64 * 1024) /* bytes of what the command writes */
#define SERIAL_MAX	40	    /* hex digits, RFC 5280 4.1.2.2 */
#define FAILED_WORD	"FAILED"    /* certutil: "CertUtil: -revoke command FAILED: 0x8007..." */
#define SERIAL_PLACE	"{serial}"
#define REASON_PLACE	"{reason}"

/* --- the document --- */

static bool has_place(char *const *command, const char *place)
{
	for (; *command; command++) {
		if (strstr(*command, place))
			return true;
	}
	return false;
}

static bool read_argument(
	const struct document_node *node, char **argument, bool is_first, struct error *error)
{
	const char *text;

	if (!document_string(node, 1, ARGUMENT_MAX, &text, error))
		return false;
	if (is_first && !command_name_is_valid(text))
		return document_fail(node, error,
			"the name of a program in tesserad's command-dir is expected, without a "
			"path");
	*argument = xstrdup(text);
	return true;
}

static bool read_command(const struct document_node *node,
	struct ms_cs_revocation_settings *settings, struct error *error)
{
	size_t count;

	if (!document_array(node, 1, ARGUMENTS_MAX, &count, error))
		return false;
	settings->command = xcalloc(count + 1, sizeof(*settings->command));
	for (size_t i = 0; i < count; i++) {
		struct document_node argument = document_at(node, i);
		if (!read_argument(&argument, &settings->command[i], i == 0, error))
			return false;
	}
	return (has_place(settings->command + 1, SERIAL_PLACE) &&
		       has_place(settings->command + 1, REASON_PLACE)) ||
	       document_fail(node, error,
		       "arguments with " SERIAL_PLACE " and " REASON_PLACE " are expected");
}

bool ms_cs_revocation_parse(const struct document_node *root,
	struct ms_cs_revocation_settings *settings, struct error *error)
{
	static const char *const members[] = {"command", "timeout-seconds"};
	struct document_node object, command, seconds;

	settings->timeout_seconds = SECONDS_DEFAULT;
	return !document_find(root, "revocation", &object) ||
	       (document_check_members(&object, members, ARRAY_SIZE(members), error) &&
		       document_member(&object, "command", &command, error) &&
		       read_command(&command, settings, error) &&
		       (!document_find(&object, "timeout-seconds", &seconds) ||
			       document_integer(&seconds, 1, SECONDS_MAX,
				       &settings->timeout_seconds, error)));
}

static void free_arguments(char **arguments)
{
	for (size_t i = 0; arguments && arguments[i]; i++)
		free(arguments[i]);
	free(arguments);
}
DEFINE_CLEANUP(char **, free_arguments);

void ms_cs_revocation_clear(struct ms_cs_revocation_settings *settings)
{
	free_arguments(settings->command);
	*settings = (struct ms_cs_revocation_settings){0};
}

/* --- one run --- */

int ms_cs_reason(const struct revocation_reason *reason)
{
	/* MS-CSRA knows 0 to 6 besides removal from the list. */
	return reason && reason->code <= MS_CS_REASON_HOLD ? reason->code : 0;
}

/* As the authority wants it: "0a1b", and nothing that could be taken for an option. Heap. */
static char *serial_of(const struct certificate *certificate, struct error *error)
{
	const char *hex = certificate->serial_hex ? certificate->serial_hex : "";
	size_t length = strlen(hex);

	if (length == 0 || length > SERIAL_MAX || hex[strspn(hex, "0123456789abcdef")] != '\0') {
		error_set(error, ERROR_FAILED, "a certificate without a serial number");
		return NULL;
	}
	return xasprintf("%s%s", length % 2 ? "0" : "", hex);
}

/* Heap: the text with each place filled. */
static char *fill(const char *text, const char *serial, const char *reason)
{
	_cleanup_buffer_ struct buffer filled = BUFFER_INIT;

	while (*text) {
		if (strncmp(text, SERIAL_PLACE, strlen(SERIAL_PLACE)) == 0) {
			buffer_append_string(&filled, serial);
			text += strlen(SERIAL_PLACE);
		} else if (strncmp(text, REASON_PLACE, strlen(REASON_PLACE)) == 0) {
			buffer_append_string(&filled, reason);
			text += strlen(REASON_PLACE);
		} else {
			buffer_append_u8(&filled, (uint8_t)*text++);
		}
	}
	buffer_append_u8(&filled, 0);
	return xstrdup((const char *)filled.data);
}

static char **make_arguments(char *const *command, const char *serial, int reason)
{
	char **arguments = xcalloc(ARGUMENTS_MAX + 1, sizeof(*arguments));
	char number[16];

	snprintf(number, sizeof(number), "%d", reason);
	for (size_t i = 0; command[i]; i++)
		arguments[i] = fill(command[i], serial, number);
	return arguments;
}

static bool says_failed(const struct command_outcome *outcome)
{
	return outcome->output.length > 0 && memmem(outcome->output.data, outcome->output.length,
						     FAILED_WORD, strlen(FAILED_WORD));
}

static bool judge(const struct command_outcome *outcome, const char *program, struct error *error)
{
	if (outcome->status == 0 && !says_failed(outcome))
		return true;
	_cleanup_free_ char *line = command_last_line(outcome);
	if (outcome->status != 0)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the revocation command %s ended with status %d: %s", program,
			outcome->status, line);
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"the revocation command %s says that it failed: %s", program, line);
}

static bool fail_by_hand(const char *serial, int reason, struct error *error)
{
	return error_set(error, ERROR_NOT_SUPPORTED,
		"this has to be done at the authority by hand, as the connection names no "
		"revocation command: certutil -revoke %s %d; then say so with tessera task confirm",
		serial, reason);
}

bool ms_cs_revoke_run(const struct ms_cs_revocation_settings *settings, const char *folder,
	const struct certificate *certificate, int reason, struct error *error)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;
	_cleanup_free_ char *serial = serial_of(certificate, error);

	if (!serial)
		return false;
	if (!settings->command)
		return fail_by_hand(serial, reason, error);
	char **arguments _cleanup_(free_argumentsp) =
		make_arguments(settings->command, serial, reason);
	const struct command command = {.folder = folder,
		.arguments = arguments,
		.timeout_ms = (unsigned)settings->timeout_seconds * 1000,
		.output_max = OUTPUT_MAX};
	return (command_run(&command, &outcome, error) ||
		       error_prefix(error, "the revocation command")) &&
	       judge(&outcome, arguments[0], error);
}
