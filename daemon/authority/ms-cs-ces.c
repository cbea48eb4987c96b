/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Certificate Enrollment Web Service as a protocol. */
#include "authority/ms-cs-private.h"

/* No CA has a request of that number: what it says of it shows that it was asked. */
#define NO_REQUEST "0"

static bool ces_send(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct ms_cs_token_request *request, struct ms_cs_reply *reply, struct error *error)
{
	const struct ms_cs_message message =
		request->request_id ? ms_cs_status_message(request) : ms_cs_issue_message(request);

	return ms_cs_send(authority, endpoint, &message, reply, error);
}

static bool ces_read(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct ms_cs_token_request *request, struct ms_cs_reply *reply,
	struct ms_cs_token *token, struct error *error)
{
	(void)authority, (void)endpoint;
	return ms_cs_token_read(token, reply->body, request->key_digest, error);
}

/* A fault that is not about the message or who sends it is an answer, too. */
static bool ces_probe(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	struct ms_cs_reply *reply, struct error *error)
{
	const struct ms_cs_token_request request = {.request_id = NO_REQUEST};

	if (ces_send(authority, endpoint, &request, reply, error))
		return true;
	if (!reply->fault.words || reply->fault.is_senders)
		return false;
	error_clear(error);
	return true;
}

const struct ms_cs_protocol ms_cs_ces = {
	.name = "ces",
	.example = "https://HOST/CA_CES_UsernamePassword/service.svc/CES",
	.refusals =
		{
			[MS_CS_PASSWORD] = ": it does not accept user and password (is the address "
					   "the one for user names, and the user's right to use it "
					   "given?)",
			[MS_CS_CLIENT_CERTIFICATE] =
				": it does not accept the client certificate (is the address the "
				"one for certificates, and is its CA in NTAuth?)",
			[MS_CS_KERBEROS] = ": it does not accept the Kerberos account (is the "
					   "address the one for Kerberos, and the account's right "
					   "to use it given?)",
		},
	.has_policies = true,
	.has_references = true,
	.send = ces_send,
	.read = ces_read,
	.probe = ces_probe,
};
