/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <openldap.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/utf8.h"
#include "directory/ldap-private.h"

#define SERVER_WORDS_MAX 300 /* bytes of what a server says that are passed on */

/* --- libldap's way to the stream --- */

static int layer_setup(Sockbuf_IO_Desc *layer, void *argument)
{
	layer->sbiod_pvt = argument;
	return 0;
}

/* The link closes its stream. */
static int layer_nothing(Sockbuf_IO_Desc *layer)
{
	(void)layer;
	return 0;
}

static int layer_control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
	(void)argument;
	return option == LBER_SB_OPT_DATA_READY && stream_has_data(layer->sbiod_pvt);
}

static ber_slen_t layer_read(Sockbuf_IO_Desc *layer, void *data, ber_len_t length)
{
	return stream_read(layer->sbiod_pvt, data, length);
}

static ber_slen_t layer_write(Sockbuf_IO_Desc *layer, void *data, ber_len_t length)
{
	return stream_write(layer->sbiod_pvt, data, length);
}

static Sockbuf_IO layer = {
	.sbi_setup = layer_setup,
	.sbi_remove = layer_nothing,
	.sbi_ctrl = layer_control,
	.sbi_read = layer_read,
	.sbi_write = layer_write,
	.sbi_close = layer_nothing,
};

/* What this machine's ldap.conf says must not count: all that matters is said here. */
static bool set_options(struct ldap_link *link)
{
	const struct timeval timeout = {
		.tv_sec = link->timeout_ms / 1000, .tv_usec = link->timeout_ms % 1000 * 1000};
	int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER, none = 0;
	ber_len_t longest = LDAP_MESSAGE_MAX;
	Sockbuf *buffer = NULL;

	return ldap_set_option(link->ld, LDAP_OPT_PROTOCOL_VERSION, &version) == 0 &&
	       ldap_set_option(link->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == 0 &&
	       ldap_set_option(link->ld, LDAP_OPT_RESTART, LDAP_OPT_ON) == 0 &&
	       ldap_set_option(link->ld, LDAP_OPT_DEREF, &never) == 0 &&
	       ldap_set_option(link->ld, LDAP_OPT_SIZELIMIT, &none) == 0 &&
	       ldap_set_option(link->ld, LDAP_OPT_TIMELIMIT, &none) == 0 &&
	       ldap_set_option(link->ld, LDAP_OPT_TIMEOUT, &timeout) == 0 &&
	       ldap_get_option(link->ld, LDAP_OPT_SOCKBUF, &buffer) == 0 && buffer &&
	       ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &longest) == 1 &&
	       ber_sockbuf_add_io(buffer, &layer, LBER_SBIOD_LEVEL_PROVIDER, link->stream) == 0;
}

static bool attach(struct ldap_link *link, const struct ldap_host *host, struct error *error)
{
	/* The host's name is what Kerberos asks a ticket for. */
	_cleanup_free_ char *url = host->port == 0 ? xstrdup("ldap://localhost")
				   : strchr(host->name, ':')
					   ? xasprintf("ldap://[%s]:%u", host->name, host->port)
					   : xasprintf("ldap://%s:%u", host->name, host->port);
	int code = ldap_init_fd(stream_descriptor(link->stream), LDAP_PROTO_EXT, url, &link->ld);

	return (code == LDAP_SUCCESS && set_options(link)) ||
	       error_set(error, ERROR_FAILED, "libldap cannot be used: %s", ldap_err2string(code));
}

/* --- asking --- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t ldap_link_end(const struct ldap_link *link)
{
	return now_ms() + link->timeout_ms;
}

LDAPMessage *ldap_link_next(struct ldap_link *link, int id, int64_t end, struct error *error)
{
	int64_t left = end - now_ms();
	struct timeval timeout = {
		.tv_sec = left > 0 ? left / 1000 : 0, .tv_usec = left > 0 ? left % 1000 * 1000 : 0};
	LDAPMessage *message = NULL;

	errno = 0;
	int type = ldap_result(link->ld, id, LDAP_MSG_ONE, &timeout, &message);
	if (type > 0)
		return message;
	link->is_too_long = type < 0 && errno == ERANGE;
	link->is_broken = true;
	if (type == 0)
		error_set(error, ERROR_TIMEOUT, "%s does not answer within %u ms", link->host,
			link->timeout_ms);
	else if (link->is_too_long)
		error_set(error, ERROR_DIRECTORY_FAILED,
			"%s sends an entry of more than %d bytes: map no attribute that long",
			link->host, LDAP_MESSAGE_MAX);
	else
		error_set(error, ERROR_NETWORK_FAILED, "%s ends the connection", link->host);
	return NULL;
}

int ldap_link_result(
	struct ldap_link *link, LDAPMessage *message, LDAPControl ***controls, char ***referrals)
{
	int code = LDAP_OTHER;
	int parsed =
		ldap_parse_result(link->ld, message, &code, NULL, NULL, referrals, controls, 0);

	if (parsed == LDAP_SUCCESS)
		return code;
	link->is_broken = true;
	return parsed;
}

/* --- results --- */

static const struct {
	int code;
	enum error_code error;
	const char *words;
} results[] = {
	{LDAP_INVALID_CREDENTIALS, ERROR_ACCESS_DENIED, "the name or the password is wrong"},
	{LDAP_NO_SUCH_OBJECT, ERROR_DIRECTORY_FAILED,
		"there is no such entry, or the account may not see it: look at base"},
	{LDAP_INVALID_DN_SYNTAX, ERROR_DIRECTORY_FAILED,
		"that is no name of an entry: look at base, and at the name to bind with"},
	{LDAP_INSUFFICIENT_ACCESS, ERROR_DIRECTORY_FAILED,
		"the account may not do this: give it the right to read people"},
	{LDAP_OPERATIONS_ERROR, ERROR_DIRECTORY_FAILED,
		"it does not do this, perhaps not before a bind: look at bind"},
	{LDAP_SIZELIMIT_EXCEEDED, ERROR_DIRECTORY_FAILED,
		"it gives no more entries: raise its limit for the account"},
	{LDAP_ADMINLIMIT_EXCEEDED, ERROR_DIRECTORY_FAILED,
		"the search costs more than it allows: give it indexes for search-attributes"},
	{LDAP_TIMELIMIT_EXCEEDED, ERROR_TIMEOUT,
		"the search takes longer than it allows: give it indexes for search-attributes"},
	{LDAP_BUSY, ERROR_NETWORK_FAILED, "it is busy: try again later"},
	{LDAP_UNAVAILABLE, ERROR_NETWORK_FAILED, "it is not available now: try again later"},
	{LDAP_SERVER_DOWN, ERROR_NETWORK_FAILED, "it ends the connection"},
	{LDAP_TIMEOUT, ERROR_TIMEOUT, "it does not answer in time"},
	{LDAP_CONFIDENTIALITY_REQUIRED, ERROR_DIRECTORY_FAILED,
		"it wants TLS: set security to starttls or ldaps"},
	{LDAP_STRONG_AUTH_REQUIRED, ERROR_DIRECTORY_FAILED,
		"it wants more proof: look at security and bind"},
	{LDAP_INAPPROPRIATE_AUTH, ERROR_DIRECTORY_FAILED,
		"it does not take this kind of bind: look at bind"},
	{LDAP_AUTH_METHOD_NOT_SUPPORTED, ERROR_DIRECTORY_FAILED,
		"it does not take this kind of bind: look at bind"},
	{LDAP_UNWILLING_TO_PERFORM, ERROR_DIRECTORY_FAILED, "it is not willing to do this"},
	{LDAP_FILTER_ERROR, ERROR_DIRECTORY_FAILED, "libldap does not take the filter"},
	{LDAP_REFERRAL, ERROR_DIRECTORY_FAILED,
		"it has no such people and names another server: look at base, hosts and "
		"referrals"},
};

/* What the server says itself, as far as it can be shown; heap. */
static char *server_words(struct ldap_link *link)
{
	char *said = NULL;

	ldap_get_option(link->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
	char *words = xasprintf("%.*s", SERVER_WORDS_MAX, said ? said : "");
	ldap_memfree(said);
	utf8_repair(words);
	for (char *c = words; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = ' ';
	}
	return words;
}

bool ldap_link_fail(struct ldap_link *link, int code, const char *what, struct error *error)
{
	_cleanup_free_ char *words = server_words(link);
	const char *quote = words[0] ? "\"" : "";
	const char *space = words[0] ? " " : "";

	if (code < 0 || code == LDAP_BUSY || code == LDAP_UNAVAILABLE)
		link->is_broken = true;
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		if (results[i].code == code)
			return error_set(error, results[i].error, "%s: %s: %s%s%s%s%s", link->host,
				what, results[i].words, space, quote, words, quote);
	}
	return error_set(error, ERROR_DIRECTORY_FAILED, "%s: %s: %s (%d)%s%s%s%s", link->host, what,
		ldap_err2string(code), code, space, quote, words, quote);
}

/* --- opening --- */

/* RFC 4511, 4.14. */
static bool start_tls(struct ldap_link *link, struct error *error)
{
	int id, code = ldap_extended_operation(
			link->ld, LDAP_EXOP_START_TLS, NULL, NULL, NULL, &id);

	if (code != LDAP_SUCCESS)
		return ldap_link_fail(link, code, "StartTLS", error);
	LDAPMessage *message = ldap_link_next(link, id, ldap_link_end(link), error);
	if (!message)
		return error_prefix(error, "StartTLS");
	code = ldap_link_result(link, message, NULL, NULL);
	ldap_msgfree(message);
	return code == LDAP_SUCCESS || ldap_link_fail(link, code, "StartTLS", error);
}

static bool secure(struct ldap_link *link, const struct ldap_access *access,
	const struct identity *identity, struct error *error)
{
	const struct stream_tls tls = {.ca_file = access->ca_file,
		.client_certificate =
			identity && secret_is_set(&identity->secret) ? &identity->secret : NULL,
		.client_key = identity ? identity->key : NULL};

	return stream_secure(link->stream, &tls, error);
}

/* With TLS from the first byte, libldap comes after it. */
static bool set_up(struct ldap_link *link, const struct ldap_access *access,
	const struct ldap_host *host, const struct identity *identity, struct error *error)
{
	if (access->security == LDAP_BY_TLS)
		return secure(link, access, identity, error) && attach(link, host, error);
	return attach(link, host, error) &&
	       (access->security == LDAP_BY_NOTHING ||
		       (start_tls(link, error) && secure(link, access, identity, error)));
}

struct ldap_link *ldap_link_open(const struct ldap_access *access, const struct ldap_host *host,
	const struct identity *identity, enum ldap_reach *reach, struct error *error)
{
	_cleanup_ldap_link_ struct ldap_link *link = xnew(struct ldap_link);
	enum ldap_reach ignored;

	reach = reach ? reach : &ignored;
	*reach = LDAP_REACH_NOTHING;
	link->host = host->port ? xasprintf("%s:%u", host->name, host->port) : xstrdup(host->name);
	link->timeout_ms = (unsigned)access->timeout_seconds * 1000;
	link->stream = stream_open(host->name, host->port, link->timeout_ms, error);
	if (!link->stream)
		return NULL;
	*reach = LDAP_REACH_HOST;
	if (!set_up(link, access, host, identity, error))
		return NULL;
	*reach = LDAP_REACH_SECURE;
	link->opened_at = link->used_at = now_ms() / 1000;
	return steal_pointer(&link);
}

void ldap_link_close(struct ldap_link *link)
{
	if (!link)
		return;
	if (link->ld)
		ldap_unbind_ext_s(link->ld, NULL, NULL);
	stream_close(link->stream);
	free(link->host);
	free(link);
}

const char *ldap_link_host(const struct ldap_link *link)
{
	return link->host;
}

bool ldap_link_is_secure(const struct ldap_link *link)
{
	return stream_is_secure(link->stream);
}

bool ldap_link_is_broken(const struct ldap_link *link)
{
	return link->is_broken;
}
