/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages that are sent: WS-Addressing and WS-Security around a body. */
#include <time.h>

#include <openssl/rand.h>

#include "authority/ms-cs-private.h"
#include "common/alloc.h"

#define ACTION_TOKEN	NS_ENROLLMENT "/RST/wstep"
#define ACTION_POLICIES NS_POLICY "/IPolicy/GetPolicies"
#define REQUEST_ISSUE	NS_TRUST "/Issue"
#define REQUEST_STATUS	NS_ENROLLMENT "/QueryTokenStatus"
#define ENCODING	NS_SECURITY "#base64binary"
#define ANONYMOUS	NS_ADDRESS "/anonymous"
#define NS_INSTANCE	"http://www.w3.org/2001/XMLSchema-instance"
#define PASSWORD_TEXT                                                                              \
	"http://docs.oasis-open.org/wss/2004/01/"                                                  \
	"oasis-200401-wss-username-token-profile-1.0#PasswordText"

#define TOKEN_MAX (1024 * 1024) /* a certificate and its chain, twice */
/* All templates of a forest with their CAs' certificates. */
#define POLICIES_MAX  (8 * 1024 * 1024)
#define VALID_SECONDS 300 /* of a message with a password */

/* --- bodies --- */

static void write_request_type(struct xml_writer *writer, const char *type)
{
	xml_start(writer, "RequestSecurityToken");
	xml_put_attribute(writer, "xmlns", NS_TRUST);
	xml_put_element(writer, "TokenType", VALUE_TYPE_X509);
	xml_put_element(writer, "RequestType", type);
}

static void write_issue(struct xml_writer *writer, const void *context)
{
	const struct ms_cs_token_request *request = context;

	write_request_type(writer, REQUEST_ISSUE);
	xml_start(writer, "BinarySecurityToken");
	xml_put_attribute(writer, "ValueType", request->value_type);
	xml_put_attribute(writer, "EncodingType", ENCODING);
	xml_put_attribute(writer, "xmlns", NS_SECURITY);
	xml_put_base64(writer, request->token->data, request->token->length);
	xml_end(writer);
	xml_start(writer, "RequestID");
	xml_put_attribute(writer, "xsi:nil", "true");
	xml_put_attribute(writer, "xmlns", NS_ENROLLMENT);
	xml_end(writer);
	xml_end(writer);
}

static void write_status(struct xml_writer *writer, const void *context)
{
	const struct ms_cs_token_request *request = context;

	write_request_type(writer, REQUEST_STATUS);
	xml_start(writer, "RequestID");
	xml_put_attribute(writer, "xmlns", NS_ENROLLMENT);
	xml_put_text(writer, request->request_id);
	xml_end(writer);
	xml_end(writer);
}

static void write_nil(struct xml_writer *writer, const char *name)
{
	xml_start(writer, name);
	xml_put_attribute(writer, "xsi:nil", "true");
	xml_end(writer);
}

static void write_policies(struct xml_writer *writer, const void *context)
{
	(void)context;
	xml_start(writer, "GetPolicies");
	xml_put_attribute(writer, "xmlns", NS_POLICY);
	xml_start(writer, "client");
	write_nil(writer, "lastUpdate");
	write_nil(writer, "preferredLanguage");
	xml_end(writer);
	write_nil(writer, "requestFilter");
	xml_end(writer);
}

struct ms_cs_message ms_cs_issue_message(const struct ms_cs_token_request *request)
{
	return (struct ms_cs_message){ACTION_TOKEN, write_issue, request, TOKEN_MAX};
}

struct ms_cs_message ms_cs_status_message(const struct ms_cs_token_request *request)
{
	return (struct ms_cs_message){ACTION_TOKEN, write_status, request, TOKEN_MAX};
}

struct ms_cs_message ms_cs_policies_message(void)
{
	return (struct ms_cs_message){ACTION_POLICIES, write_policies, NULL, POLICIES_MAX};
}

/* --- the envelope --- */

char *ms_cs_message_id(void)
{
	unsigned char random[16];

	if (RAND_bytes(random, sizeof(random)) != 1)
		abort();
	random[6] = (unsigned char)((random[6] & 0x0f) | 0x40); /* RFC 4122 4.4 */
	random[8] = (unsigned char)((random[8] & 0x3f) | 0x80);
	_cleanup_free_ char *hex = hex_encode(random, sizeof(random));
	return xasprintf(
		"urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void write_time(struct xml_writer *writer, const char *name, time_t moment)
{
	char text[40];
	struct tm parts;

	gmtime_r(&moment, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &parts);
	xml_put_element(writer, name, text);
}

/* UsernameToken with a timestamp, as WCF wants it [WSTEP 3.1.1.1.3]. */
static void write_security(
	struct xml_writer *writer, const char *user, const struct secret *password)
{
	time_t now = time(NULL);

	xml_start(writer, "o:Security");
	xml_put_attribute(writer, "s:mustUnderstand", "1");
	xml_put_attribute(writer, "xmlns:o", NS_SECURITY);
	xml_put_attribute(writer, "xmlns:u", NS_UTILITY);
	xml_start(writer, "u:Timestamp");
	xml_put_attribute(writer, "u:Id", "_0");
	write_time(writer, "u:Created", now);
	write_time(writer, "u:Expires", now + VALID_SECONDS);
	xml_end(writer);
	xml_start(writer, "o:UsernameToken");
	xml_put_attribute(writer, "u:Id", "_1");
	xml_put_element(writer, "o:Username", user);
	xml_start(writer, "o:Password");
	xml_put_attribute(writer, "Type", PASSWORD_TEXT);
	xml_put_secret(writer, password);
	xml_end(writer);
	xml_end(writer);
	xml_end(writer);
}

static void write_understood(struct xml_writer *writer, const char *name, const char *text)
{
	xml_start(writer, name);
	xml_put_attribute(writer, "s:mustUnderstand", "1");
	xml_put_text(writer, text);
	xml_end(writer);
}

void ms_cs_write_message(struct xml_writer *writer, const struct ms_cs_message *message,
	const char *message_id, const char *url, const char *user, const struct secret *password)
{
	xml_start(writer, "s:Envelope");
	xml_put_attribute(writer, "xmlns:s", NS_SOAP);
	xml_put_attribute(writer, "xmlns:a", NS_ADDRESS);
	xml_start(writer, "s:Header");
	write_understood(writer, "a:Action", message->action);
	xml_put_element(writer, "a:MessageID", message_id);
	xml_start(writer, "a:ReplyTo");
	xml_put_element(writer, "a:Address", ANONYMOUS);
	xml_end(writer);
	write_understood(writer, "a:To", url);
	if (user)
		write_security(writer, user, password);
	xml_end(writer);
	xml_start(writer, "s:Body");
	xml_put_attribute(writer, "xmlns:xsi", NS_INSTANCE);
	message->write_body(writer, message->context);
	xml_end(writer);
	xml_end(writer);
}
