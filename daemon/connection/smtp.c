/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/smtp.h"

#include <string.h>

#include "common/alloc.h"
#include "connection/secret.h"
#include "connection/settings.h"

#define PASSWORD	"password"
#define HOST_MAX	255
#define RECIPIENTS_MAX	32
#define SECONDS_DEFAULT 30
#define PORT_MAX	65535

static const struct {
	const char *name;
	enum mail_security security;
	int64_t port; /* where it is not given (RFC 6409, RFC 8314, RFC 5321) */
} securities[] = {
	{"starttls", MAIL_STARTTLS, 587}, {"tls", MAIL_TLS, 465}, {"none", MAIL_PLAIN, 25}};

static const char *security_at(size_t index)
{
	return index < ARRAY_SIZE(securities) ? securities[index].name : NULL;
}

static const char *kind_at(size_t index)
{
	return index == 0 ? SMTP_KIND : NULL;
}

static void settings_clear(struct smtp_settings *settings)
{
	free(settings->host);
	free(settings->ca_file);
	free(settings->user);
	free(settings->from);
	for (size_t i = 0; i < settings->to_count; i++)
		free(settings->to[i]);
	free(settings->to);
	*settings = (struct smtp_settings){0};
}

/* --- the document --- */

static bool read_address(const struct document_node *node, char **address, struct error *error)
{
	const char *value;

	if (!document_string(node, 1, SETTINGS_TEXT_MAX, &value, error))
		return false;
	if (!mail_address_is_valid(value))
		return document_fail(node, error,
			"a mail address like name@example.org is expected, of ASCII alone");
	*address = xstrdup(value);
	return true;
}

static bool read_addresses(
	const struct document_node *root, struct smtp_settings *settings, struct error *error)
{
	struct document_node from, to;
	size_t count;

	if (!document_member(root, "from", &from, error) ||
		!read_address(&from, &settings->from, error))
		return false;
	if (!document_find(root, "to", &to))
		return true;
	if (!document_array(&to, 0, RECIPIENTS_MAX, &count, error))
		return false;
	settings->to = xcalloc(count + 1, sizeof(*settings->to));
	for (size_t i = 0; i < count; i++) {
		struct document_node each = document_at(&to, i);
		if (!read_address(&each, &settings->to[i], error))
			return false;
		settings->to_count++;
	}
	return true;
}

static bool read_host(
	const struct document_node *root, struct smtp_settings *settings, struct error *error)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	struct document_node node;
	const char *host;

	if (!document_member(root, "host", &node, error) ||
		!document_string(&node, 1, HOST_MAX, &host, error))
		return false;
	if (host[strspn(host, allowed)] != '\0')
		return document_fail(&node, error, "the name of a host is expected, and no more");
	settings->host = xstrdup(host);
	return true;
}

static bool read_security(
	const struct document_node *root, struct smtp_settings *settings, struct error *error)
{
	struct document_node node;
	size_t choice = 0;

	if (document_find(root, "security", &node) &&
		!document_choice(&node, security_at, &choice, error))
		return false;
	settings->security = securities[choice].security;
	settings->port = securities[choice].port;
	if (settings->security == MAIL_PLAIN && settings->user &&
		!settings_host_is_local(settings->host))
		return document_fail(&node, error,
			"a password is not sent over the network without TLS: use starttls or tls");
	return !document_find(root, "port", &node) ||
	       document_integer(&node, 1, PORT_MAX, &settings->port, error);
}

static bool parse(struct smtp_settings *settings, const char *document, struct error *error)
{
	static const char *const members[] = {"name", "kind", "comment", "host", "port", "security",
		"ca-file", "user", "from", "to", "timeout-seconds"};
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION), kind;
	_cleanup_free_ char *comment = NULL;
	size_t choice;

	return json && document_check_members(&root, members, ARRAY_SIZE(members), error) &&
	       document_member(&root, "kind", &kind, error) &&
	       document_choice(&kind, kind_at, &choice, error) &&
	       settings_read_text(&root, "comment", &comment, error) &&
	       read_host(&root, settings, error) &&
	       settings_read_text(&root, "user", &settings->user, error) &&
	       settings_read_path(&root, "ca-file", &settings->ca_file, error) &&
	       read_security(&root, settings, error) && read_addresses(&root, settings, error) &&
	       settings_read_seconds(&root, "timeout-seconds", 1, SECONDS_DEFAULT,
		       &settings->timeout_seconds, error);
}

/* --- as a connection --- */

struct smtp *smtp_open(
	const struct connection_services *services, const char *connection, struct error *error)
{
	_cleanup_connection_ struct connection stored = CONNECTION_INIT;
	_cleanup_smtp_ struct smtp *smtp = NULL;

	if (!store_connection_get(services->store, connection, &stored, error))
		return NULL;
	smtp = xnew(struct smtp);
	smtp->services = services;
	smtp->connection = xstrdup(connection);
	if (!parse(&smtp->settings, stored.document, error)) {
		error_prefix(error, "connection %s", connection);
		return NULL;
	}
	return steal_pointer(&smtp);
}

void smtp_close(struct smtp *smtp)
{
	if (!smtp)
		return;
	settings_clear(&smtp->settings);
	free(smtp->connection);
	free(smtp);
}

bool smtp_server(
	struct smtp *smtp, struct mail_server *server, struct secret *secret, struct error *error)
{
	const struct smtp_settings *settings = &smtp->settings;

	*server = (struct mail_server){.host = settings->host,
		.port = (unsigned)settings->port,
		.security = settings->security,
		.ca_file = settings->ca_file,
		.user = settings->user,
		.password = secret,
		.timeout_ms = (unsigned)settings->timeout_seconds * 1000};
	return !settings->user ||
	       connection_need_secret(smtp->services, smtp->connection, PASSWORD, secret, error);
}

static bool try_server(struct smtp *smtp, struct connection_steps *steps)
{
	static const char *const names[] = {[MAIL_REACH_NOTHING] = "name",
		[MAIL_REACH_NAME] = "connection",
		[MAIL_REACH_SERVER] = "login"};
	const struct smtp_settings *settings = &smtp->settings;
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	enum mail_reach reach;
	struct mail_server server;

	if (!smtp_server(smtp, &server, &secret, &error))
		return connection_step_failed(steps, "secret", &error);
	bool works = mail_try(&server, &reach, &error);
	if (reach > MAIL_REACH_NOTHING)
		connection_step_passed(steps, "name", "%s is known", settings->host);
	if (reach > MAIL_REACH_NAME)
		connection_step_passed(steps, "connection", "port %u answers%s", server.port,
			server.security == MAIL_PLAIN ? ", without TLS" : ", with TLS");
	if (!works)
		return connection_step_failed(steps, names[reach], &error);
	connection_step_passed(steps, "login", "%s",
		settings->user ? "user and password are taken" : "none is configured");
	return true;
}

static bool test(const struct connection_services *services, const char *connection,
	struct connection_steps *steps, bool *works, struct error *error)
{
	_cleanup_smtp_ struct smtp *smtp = smtp_open(services, connection, error);

	if (smtp)
		*works = try_server(smtp, steps);
	return smtp != NULL;
}

static bool check(size_t kind, const char *document, struct error *error)
{
	struct smtp_settings settings = {0};
	bool good = parse(&settings, document, error);

	(void)kind;
	settings_clear(&settings);
	return good;
}

static const char *secret_at(size_t kind, size_t index)
{
	(void)kind;
	return index == 0 ? PASSWORD : NULL;
}

static bool check_secret(const struct connection_services *services, const char *connection,
	const char *name, const struct secret *secret, struct error *error)
{
	(void)services, (void)connection;
	return connection_check_password(secret, name, error);
}

const struct connection_family mail_family = {
	.kind_at = kind_at,
	.check = check,
	.secret_at = secret_at,
	.check_secret = check_secret,
	.test = test,
};
