/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define LOGIN_TIMEOUT_DEFAULT 15 /* minutes */
#define LOGIN_TIMEOUT_MAX     1440
#define TASK_OVERDUE_DEFAULT  24 /* hours */
#define TASK_OVERDUE_MAX      720
#define DIRECTORY_HOURS_MAX   720
#define DIRECTORY_HOURS	      24
#define DEFAULT_FILE	      SYSCONFDIR "/tessera/tesserad.conf"

static bool set_text(char **option, const char *value)
{
	free(*option);
	*option = xstrdup(value);
	return value[0] != '\0';
}

static bool set_path(char **option, const char *value)
{
	return set_text(option, value) && value[0] == '/';
}

static bool set_state_dir(struct options *options, const char *value)
{
	return set_path(&options->state_dir, value);
}

static bool set_socket(struct options *options, const char *value)
{
	return set_path(&options->socket, value);
}

static bool set_bus(struct options *options, const char *value)
{
	options->use_system_bus = strcmp(value, "system") == 0;
	return options->use_system_bus || strcmp(value, "none") == 0;
}

static bool set_admin_group(struct options *options, const char *value)
{
	return set_text(&options->admin_group, value);
}

/* The module that is the embedded one anyway may be named, too. */
static bool set_token_module(struct options *options, const char *value)
{
	bool valid = set_path(&options->token_module, value);

	if (strcmp(value, TOKEN_MODULE) == 0)
		free(steal_pointer(&options->token_module));
	return valid;
}

static bool set_token_label(struct options *options, const char *value)
{
	return set_text(&options->token_label, value) && strlen(value) <= 32;
}

static bool set_token_uri(struct options *options, const char *value)
{
	return set_text(&options->token_uri, value) && strncmp(value, "pkcs11:", 7) == 0;
}

static bool set_token_uri_old(struct options *options, const char *value)
{
	return set_text(&options->token_uri_old, value) &&
	       (strncmp(value, "pkcs11:", 7) == 0 || strcmp(value, TOKEN_EMBEDDED) == 0);
}

static bool set_rotate_at_contact(struct options *options, const char *value)
{
	options->rotate_at_contact = strcmp(value, "yes") == 0;
	return options->rotate_at_contact || strcmp(value, "no") == 0;
}

static bool set_remote_readers(struct options *options, const char *value)
{
	static const char *const names[] = {[REMOTE_READERS_OFF] = "off",
		[REMOTE_READERS_OPERATORS] = "operators",
		[REMOTE_READERS_EVERYONE] = "everyone"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		options->remote_readers = (enum remote_readers)i;
		if (strcmp(names[i], value) == 0)
			return true;
	}
	return false;
}

static bool set_remote_ownership(struct options *options, const char *value)
{
	options->remote_ownership = strcmp(value, "yes") == 0;
	return options->remote_ownership || strcmp(value, "no") == 0;
}

static bool set_remote_encryption(struct options *options, const char *value)
{
	options->remote_encryption = strcmp(value, "required") == 0;
	return options->remote_encryption || strcmp(value, "optional") == 0;
}

static bool set_scp11_ca(struct options *options, const char *value)
{
	return set_path(&options->scp11_ca, value);
}

static bool set_token_pin_file(struct options *options, const char *value)
{
	options->token_pin_required = true;
	return set_path(&options->token_pin_file, value);
}

static bool set_login_timeout(struct options *options, const char *value)
{
	char *end;
	unsigned long minutes = strtoul(value, &end, 10);

	options->login_timeout = (unsigned)minutes;
	return value[0] >= '0' && value[0] <= '9' && *end == '\0' && minutes >= 1 &&
	       minutes <= LOGIN_TIMEOUT_MAX;
}

static bool set_task_overdue(struct options *options, const char *value)
{
	char *end;
	unsigned long hours = strtoul(value, &end, 10);

	options->task_overdue = (unsigned)hours;
	return value[0] >= '0' && value[0] <= '9' && *end == '\0' && hours >= 1 &&
	       hours <= TASK_OVERDUE_MAX;
}

/* 0: people of directories are looked at when an operator says so alone. */
static bool set_directory_hours(struct options *options, const char *value)
{
	char *end;
	unsigned long hours = strtoul(value, &end, 10);

	options->directory_hours = (unsigned)hours;
	return value[0] >= '0' && value[0] <= '9' && *end == '\0' && hours <= DIRECTORY_HOURS_MAX;
}

static bool set_command_dir(struct options *options, const char *value)
{
	return set_path(&options->command_dir, value);
}

static bool set_publish_dir(struct options *options, const char *value)
{
	return set_path(&options->publish_dir, value);
}

/* Without user and password, which would be told in errors. */
static bool set_activation_url(struct options *options, const char *value)
{
	static const char scheme[] = "https://";

	return set_text(&options->activation_url, value) &&
	       strncmp(value, scheme, strlen(scheme)) == 0 && strlen(value) > strlen(scheme) &&
	       !strpbrk(value, "@ \t\"");
}

static bool set_activation_ca_file(struct options *options, const char *value)
{
	return set_path(&options->activation_ca_file, value);
}

static bool set_licence_public_key_file(struct options *options, const char *value)
{
	return set_path(&options->licence_public_key_file, value);
}

static bool set_data_dir(struct options *options, const char *value)
{
	return set_path(&options->data_dir, value);
}

static bool set_token_program(struct options *options, const char *value)
{
	return set_path(&options->token_program, value);
}

static bool set_audit_syslog(struct options *options, const char *value)
{
	options->audit_syslog = strcmp(value, "yes") == 0;
	return options->audit_syslog || strcmp(value, "no") == 0;
}

static bool set_log_level(struct options *options, const char *value)
{
	static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_NOTICE] = "notice",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug"};

	for (size_t i = LOG_LEVEL_ERROR; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], value) == 0) {
			options->log_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static const struct option {
	const char *key;
	const char *allowed;
	bool (*set)(struct options *, const char *value);
} known_options[] = {
	{"state-dir", "an absolute path", set_state_dir},
	{"socket", "an absolute path", set_socket},
	{"bus", "system or none", set_bus},
	{"admin-group", "the name of a group", set_admin_group},
	{"token-module", "an absolute path", set_token_module},
	{"token-label", "a text of 1 to 32 bytes", set_token_label},
	{"token-pin-file", "an absolute path", set_token_pin_file},
	{"token-uri", "a pkcs11: URI", set_token_uri},
	{"token-uri-old", "a pkcs11: URI or embedded", set_token_uri_old},
	{"rotate-at-contact", "yes or no", set_rotate_at_contact},
	{"remote-readers", "off, operators or everyone", set_remote_readers},
	{"remote-ownership", "yes or no", set_remote_ownership},
	{"remote-encryption", "required or optional", set_remote_encryption},
	{"scp11-ca", "an absolute path", set_scp11_ca},
	{"login-timeout", "a number of minutes from 1 to 1440", set_login_timeout},
	{"task-overdue", "a number of hours from 1 to 720", set_task_overdue},
	{"directory-hours", "a number of hours from 0 to 720", set_directory_hours},
	{"command-dir", "an absolute path", set_command_dir},
	{"publish-dir", "an absolute path", set_publish_dir},
	{"activation-url", "an https:// address without a user", set_activation_url},
	{"activation-ca-file", "an absolute path", set_activation_ca_file},
	{"licence-public-key-file", "an absolute path", set_licence_public_key_file},
	{"data-dir", "an absolute path", set_data_dir},
	{"token-program", "an absolute path", set_token_program},
	{"audit-syslog", "yes or no", set_audit_syslog},
	{"log-level", "error, warning, notice, info or debug", set_log_level},
};

void options_clear(struct options *options)
{
	free(options->state_dir);
	free(options->socket);
	free(options->admin_group);
	free(options->token_module);
	free(options->token_label);
	free(options->token_pin_file);
	free(options->token_uri);
	free(options->token_uri_old);
	free(options->scp11_ca);
	free(options->command_dir);
	free(options->publish_dir);
	free(options->activation_url);
	free(options->activation_ca_file);
	free(options->licence_public_key_file);
	free(options->data_dir);
	free(options->token_program);
	*options = (struct options)OPTIONS_INIT;
}

static void set_defaults(struct options *options)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	options_clear(options);
	options->state_dir = xstrdup(LOCALSTATEDIR "/lib/tessera");
	options->socket = xstrdup(RUNDIR "/bus");
	options->use_system_bus = true;
	options->admin_group = xstrdup("tessera-admin");
	options->token_label = xstrdup("tessera");
	options->token_pin_file = credentials && credentials[0] == '/'
					  ? xasprintf("%s/token-pin", credentials)
					  : xstrdup(SYSCONFDIR "/tessera/token-pin");
	options->data_dir = xstrdup(PKGDATADIR);
	options->command_dir = xstrdup(SYSCONFDIR "/tessera/commands");
	options->token_program = xstrdup(PKGLIBEXECDIR "/tessera-token");
	options->remote_readers = REMOTE_READERS_OPERATORS;
	options->login_timeout = LOGIN_TIMEOUT_DEFAULT;
	options->task_overdue = TASK_OVERDUE_DEFAULT;
	options->directory_hours = DIRECTORY_HOURS;
	options->log_level = LOG_LEVEL_INFO;
}

/* Cuts white space from both ends, in place. */
static char *trim(char *text)
{
	static const char space[] = " \t\r\n";

	text += strspn(text, space);
	for (size_t length = strlen(text); length > 0 && strchr(space, text[length - 1]); length--)
		text[length - 1] = '\0';
	return text;
}

static bool set_option(
	struct options *options, const char *key, const char *value, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_options); i++) {
		const struct option *option = &known_options[i];
		if (strcmp(option->key, key) != 0)
			continue;
		return option->set(options, value) ||
		       error_set(error, ERROR_INVALID_ARGUMENT, "%s must be %s, not \"%s\"", key,
			       option->allowed, value);
	}
	return error_set(error, ERROR_INVALID_ARGUMENT, "there is no option \"%s\"", key);
}

static bool read_line(struct options *options, char *line, struct error *error)
{
	char *text = trim(line);
	char *equals = strchr(text, '=');

	if (text[0] == '\0' || text[0] == '#')
		return true;
	if (!equals)
		return error_set(error, ERROR_INVALID_ARGUMENT, "the line is no \"key = value\"");
	*equals = '\0';
	return set_option(options, trim(text), trim(equals + 1), error);
}

static bool read_lines(struct options *options, FILE *file, const char *path, struct error *error)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	unsigned number = 0;

	while (getline(&line, &size, file) >= 0) {
		number++;
		if (!read_line(options, line, error))
			return error_prefix(error, "%s:%u", path, number);
	}
	if (ferror(file))
		return error_set(error, ERROR_FAILED, "cannot read %s: %m", path);
	return true;
}

bool options_read(struct options *options, const char *path, struct error *error)
{
	const char *name = path ? path : DEFAULT_FILE;
	FILE *file = fopen(name, "re");

	set_defaults(options);
	if (!file && !path && errno == ENOENT)
		return true;
	if (!file)
		return error_set(error, ERROR_FAILED, "cannot open %s: %m", name);
	bool done = read_lines(options, file, name, error);
	fclose(file);
	if (done && options->remote_encryption && !options->scp11_ca)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"%s: remote-encryption = required needs scp11-ca, by whose CAs cards are "
			"known",
			name);
	return done;
}
