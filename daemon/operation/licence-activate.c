/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An activation code becomes a licence: by a file, or by the service on the network. */
#include <ctype.h>
#include <string.h>

#include "common/alloc.h"
#include "core/http.h"
#include "model/document.h"
#include "operation/licence.h"

#define REQUEST_FORMAT "tessera-licence-request-1"
#define CODE_BYTES_MAX 128
#define REFUSAL_MAX    200
/* Callers on D-Bus wait 25 seconds if they do not say otherwise. */
#define TIMEOUT_MS	 20000
#define ANSWER_BYTES_MAX DOCUMENT_SIZE_MAXIMUM

static bool check_code(const struct secret *code, struct error *error)
{
	bool valid = code->length >= 1 && code->length <= CODE_BYTES_MAX;

	for (size_t i = 0; valid && i < code->length; i++)
		valid = isgraph(code->data[i]);
	return valid || error_set_field(error, ERROR_INVALID_ARGUMENT, "code",
				"an activation code is 1 to %d printable characters without spaces",
				CODE_BYTES_MAX);
}

char *licence_request(struct services *services, const struct secret *code, struct error *error)
{
	_cleanup_json_ json_t *request = json_pack("{s:s, s:s, s:s}", "format", REQUEST_FORMAT,
		"store-id", store_id(services->store), "version", VERSION_STRING);

	if (code && !check_code(code, error))
		return NULL;
	if (code)
		json_object_set_new(
			request, "code", json_stringn((const char *)code->data, code->length));
	return json_dumps(request, JSON_INDENT(2));
}

/* The service says why in {"error": "..."}. */
static bool refused(const struct http_answer *answer, struct error *error)
{
	_cleanup_json_ json_t *document = json_loads((const char *)answer->body.data, 0, NULL);
	const char *reason = json_string_value(json_object_get(document, "error"));
	bool by_caller = answer->status >= 400 && answer->status <= 499;

	if (!by_caller)
		return error_set(error, ERROR_NETWORK_FAILED,
			"the activation service fails (HTTP status %ld)", answer->status);
	return error_set_field(error, ERROR_INVALID_ARGUMENT, "code",
		"the activation service refuses it: %.*s (HTTP status %ld)", REFUSAL_MAX,
		reason ? reason : "it does not say why", answer->status);
}

bool licence_activate(
	struct services *services, const struct secret *code, char **id, struct error *error)
{
	const struct licence_settings *settings = &services->licensing;
	struct http_answer answer _cleanup_http_answer_ = HTTP_ANSWER_INIT;

	if (!settings->activation_url)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"no activation-url is configured: send the file of a licence request");
	char *body = licence_request(services, code, error);
	if (!body)
		return false;
	struct http_request request = {.url = settings->activation_url,
		.ca_file = settings->activation_ca_file,
		.content_type = "application/json",
		.body = body,
		.body_length = strlen(body),
		.answer_max = ANSWER_BYTES_MAX,
		.timeout_ms = TIMEOUT_MS};
	bool answered = http_post(&request, &answer, error);
	explicit_bzero(body, strlen(body));
	free(body);
	if (!answered)
		return false;
	buffer_append_u8(&answer.body, '\0');
	if (answer.status != 200)
		return refused(&answer, error);
	if (strlen((const char *)answer.body.data) != answer.body.length - 1)
		return error_set(error, ERROR_INVALID_LICENCE,
			"the answer of the activation service holds a NUL character");
	return licence_install(services, (const char *)answer.body.data, id, error) ||
	       error_prefix(error, "the answer of the activation service");
}
