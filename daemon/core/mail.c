/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/mail.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "common/alloc.h"
#include "common/buffer.h"

#define ADDRESS_MAX    254 /* RFC 5321, 4.5.3.1.3, without the angle brackets */
#define LOCAL_PART_MAX 64
#define WORD_BYTES_MAX 39 /* of UTF-8 in an encoded word: lines have 76 bytes (RFC 2047, 2) */
#define LINE_BYTES     57 /* base64 makes 76 of them */
#define CONNECT_MS_MAX (30 * 1000)
#define REFUSED_FROM   500 /* replies that are final (RFC 5321, 4.2.1) */

DEFINE_CLEANUP(CURL *, curl_easy_cleanup);
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all);

/* --- addresses --- */

static bool is_atom(const char *text, size_t length, const char *others)
{
	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr(others, text[i]))
			return false;
		if ((unsigned char)text[i] >= 0x80)
			return false;
	}
	return true;
}

/* Atoms with dots between them. */
static bool is_dotted(const char *text, size_t length, const char *others)
{
	while (length > 0) {
		const char *dot = memchr(text, '.', length);
		size_t atom = dot ? (size_t)(dot - text) : length;
		if (!is_atom(text, atom, others))
			return false;
		if (!dot)
			return true;
		text += atom + 1;
		length -= atom + 1;
	}
	return false;
}

bool mail_address_is_valid(const char *address)
{
	const char *at = address ? strchr(address, '@') : NULL;
	size_t length = address ? strlen(address) : 0;

	if (!at || length > ADDRESS_MAX || at - address > LOCAL_PART_MAX)
		return false;
	return is_dotted(address, (size_t)(at - address), "!#$%&'*+-/=?^_`{|}~") && at[1] != '-' &&
	       is_dotted(at + 1, strlen(at + 1), "-");
}

/* --- the message --- */

static void append_base64(struct buffer *text, const void *data, size_t length)
{
	uint8_t *room = buffer_extend(text, 4 * ((length + 2) / 3) + 1);

	if (!room)
		return;
	EVP_EncodeBlock(room, data, (int)length);
	buffer_truncate(text, text->length - 1);
}

/* So much of the text as fits a word and does not end inside a character. */
static size_t word_length(const char *text)
{
	size_t length = strlen(text);

	if (length <= WORD_BYTES_MAX)
		return length;
	length = WORD_BYTES_MAX;
	while (length > 1 && ((unsigned char)text[length] & 0xC0) == 0x80)
		length--;
	return length;
}

static void append_subject(struct buffer *text, const char *subject)
{
	const char *separator = "Subject: ";

	do {
		size_t length = word_length(subject);
		buffer_append_string(text, separator);
		buffer_append_string(text, "=?UTF-8?B?");
		append_base64(text, subject, length);
		buffer_append_string(text, "?=");
		subject += length;
		separator = "\r\n ";
	} while (*subject);
	buffer_append_string(text, "\r\n");
}

/* Months and days as the standard has them, whatever the locale (RFC 5322, 3.3). */
static void append_date(struct buffer *text, int64_t seconds)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t time = (time_t)seconds;
	struct tm tm = {0};

	gmtime_r(&time, &tm);
	_cleanup_free_ char *date = xasprintf("Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n",
		days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
		tm.tm_min, tm.tm_sec);
	buffer_append_string(text, date);
}

/* Lines of a text end with CRLF (RFC 2045, 6.8), before they are encoded. */
static void append_text(struct buffer *message, const char *text)
{
	_cleanup_buffer_ struct buffer lines = BUFFER_INIT;

	for (; *text; text++) {
		if (*text == '\n')
			buffer_append_u8(&lines, '\r');
		if (*text != '\r')
			buffer_append_u8(&lines, (uint8_t)*text);
	}
	for (size_t i = 0; i < lines.length; i += LINE_BYTES) {
		size_t left = lines.length - i;
		append_base64(message, lines.data + i, left < LINE_BYTES ? left : LINE_BYTES);
		buffer_append_string(message, "\r\n");
	}
}

char *mail_compose(const struct mail_message *message)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_free_ char *head = xasprintf("From: <%s>\r\nTo: <%s>\r\nMessage-ID: <%s%s>\r\n",
		message->from, message->to, message->id, strchr(message->from, '@'));

	append_date(&text, message->date);
	buffer_append_string(&text, head);
	append_subject(&text, message->subject);
	buffer_append_string(&text,
		"Auto-Submitted: auto-generated\r\n" /* RFC 3834, 5: nobody shall answer */
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=UTF-8\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"\r\n");
	append_text(&text, message->text);
	buffer_append_u8(&text, 0);
	if (text.failed)
		abort();
	return (char *)steal_pointer(&text.data);
}

/* --- sending --- */

struct transfer {
	const struct mail_server *server;
	const char *text; /* what is left to be sent */
	size_t length;
	char detail[CURL_ERROR_SIZE];
};

static size_t give_text(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * count < transfer->length ? size * count : transfer->length;

	memcpy(data, transfer->text, length);
	transfer->text += length;
	transfer->length -= length;
	return length;
}

static void set_security(CURL *curl, const struct mail_server *server)
{
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
		(long)(server->security == MAIL_STARTTLS ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (!server->ca_file)
		return;
	curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca_file);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

static void set_login(CURL *curl, const struct mail_server *server)
{
	if (!server->user || !server->password)
		return;
	char *password = xasprintf(
		"%.*s", (int)server->password->length, (const char *)server->password->data);
	curl_easy_setopt(curl, CURLOPT_USERNAME, server->user);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
	explicit_bzero(password, strlen(password));
	free(password);
}

static CURL *make_handle(struct transfer *transfer)
{
	const struct mail_server *server = transfer->server;
	const char *scheme = server->security == MAIL_TLS ? "smtps" : "smtp";
	_cleanup_free_ char *url = xasprintf("%s://%s:%u", scheme, server->host, server->port);
	unsigned connect_ms =
		server->timeout_ms < CONNECT_MS_MAX ? server->timeout_ms : CONNECT_MS_MAX;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	CURL *curl = curl_easy_init();
	if (!curl)
		abort();
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, scheme);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)server->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->detail);
	set_security(curl, server);
	set_login(curl, server);
	return curl;
}

static bool is_refusal(CURLcode code)
{
	return code == CURLE_SEND_ERROR || code == CURLE_WEIRD_SERVER_REPLY ||
	       code == CURLE_RECV_ERROR || code == CURLE_SEND_FAIL_REWIND;
}

static const char *reason_of(CURLcode code, const struct transfer *transfer)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "its name is not known";
	case CURLE_COULDNT_CONNECT:
		return "it does not take connections";
	case CURLE_SSL_CACERT_BADFILE:
		return "the file of certificates to trust cannot be read";
	case CURLE_USE_SSL_FAILED:
		return "it does not offer STARTTLS";
	case CURLE_LOGIN_DENIED:
		return "it does not take the user name and password";
	case CURLE_GOT_NOTHING:
		return "it says nothing";
	default:
		return transfer->detail[0] ? transfer->detail : curl_easy_strerror(code);
	}
}

static bool fail(CURL *curl, CURLcode code, const struct transfer *transfer, struct error *error)
{
	const struct mail_server *server = transfer->server;
	enum error_code kind = ERROR_NETWORK_FAILED;
	long reply = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(error, ERROR_TIMEOUT,
			"mail server %s:%u: no answer within %u seconds", server->host,
			server->port, (server->timeout_ms + 999) / 1000);
	if (is_refusal(code) && reply >= REFUSED_FROM)
		kind = ERROR_INVALID_ARGUMENT;
	return error_set(error, kind, "mail server %s:%u: %s%s", server->host, server->port,
		code == CURLE_PEER_FAILED_VERIFICATION ? "its certificate is not trusted: " : "",
		reason_of(code, transfer));
}

bool mail_send(
	const struct mail_server *server, const struct mail_message *message, struct error *error)
{
	_cleanup_free_ char *text = mail_compose(message);
	struct transfer transfer = {.server = server, .text = text, .length = strlen(text)};
	CURL *curl _cleanup_(curl_easy_cleanupp) = make_handle(&transfer);
	struct curl_slist *to _cleanup_(curl_slist_free_allp) =
		curl_slist_append(NULL, message->to);

	if (!to)
		abort();
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, message->from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_text);
	curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
	CURLcode code = curl_easy_perform(curl);
	return code == CURLE_OK || fail(curl, code, &transfer, error);
}

bool mail_try(const struct mail_server *server, enum mail_reach *reach, struct error *error)
{
	struct transfer transfer = {.server = server};
	CURL *curl _cleanup_(curl_easy_cleanupp) = make_handle(&transfer);
	curl_off_t resolved = 0, secured = 0, connected = 0;

	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connected);
	curl_easy_getinfo(curl, CURLINFO_APPCONNECT_TIME_T, &secured);
	bool is_secured = server->security == MAIL_PLAIN ? connected > 0 : secured > 0;
	*reach = code == CURLE_OK			    ? MAIL_REACH_LOGIN
		 : is_secured || code == CURLE_LOGIN_DENIED ? MAIL_REACH_SERVER
		 : resolved > 0				    ? MAIL_REACH_NAME
							    : MAIL_REACH_NOTHING;
	return code == CURLE_OK || fail(curl, code, &transfer, error);
}
