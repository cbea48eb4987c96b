/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers: elements, envelopes and faults (SOAP 1.1, 4.4). */
#include <string.h>
#include <strings.h>

#include "authority/issued.h"
#include "authority/pki-platform-private.h"
#include "common/alloc.h"

#define SOAP	  "http://schemas.xmlsoap.org/soap/envelope/"
#define DEPTH_MAX 4 /* below a fault's detail */
#define WORDS_MAX 300
#define CODE_MAX  64

/* --- elements --- */

static const struct xml_element *first_named(const struct xml_element *element, const char *name)
{
	while (element && strcmp(xml_name(element), name) != 0)
		element = xml_next(element, NULL, NULL);
	return element;
}

const struct xml_element *pki_platform_child(const struct xml_element *element, const char *name)
{
	return first_named(xml_child(element, NULL, NULL), name);
}

const struct xml_element *pki_platform_next(const struct xml_element *element, const char *name)
{
	return first_named(xml_next(element, NULL, NULL), name);
}

static char *text_of(const struct xml_element *element)
{
	if (xml_is_nil(element))
		return NULL;
	char *text = xml_text(element);
	if (text && text[0])
		return text;
	free(text);
	return NULL;
}

char *pki_platform_text(const struct xml_element *element, const char *name)
{
	return text_of(pki_platform_child(element, name));
}

bool pki_platform_is_true(const struct xml_element *element, const char *name)
{
	_cleanup_free_ char *text = pki_platform_text(element, name);

	return text && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

/* --- faults --- */

/* The text of the first element below with one of the names, in small letters or not; heap or NULL.
 */
static char *find_text(
	const struct xml_element *element, const char *const *names, size_t count, int depth)
{
	for (const struct xml_element *child = xml_child(element, NULL, NULL); child;
		child = xml_next(child, NULL, NULL)) {
		for (size_t i = 0; i < count; i++) {
			char *text =
				strcasecmp(xml_name(child), names[i]) == 0 ? text_of(child) : NULL;
			if (text)
				return text;
		}
		char *below = depth > 0 ? find_text(child, names, count, depth - 1) : NULL;
		if (below)
			return below;
	}
	return NULL;
}

static char *find_code(const struct xml_element *detail)
{
	static const char *const names[] = {"errorcode", "error_code", "code"};

	return find_text(detail, names, ARRAY_SIZE(names), DEPTH_MAX);
}

static char *find_message(const struct xml_element *fault)
{
	static const char *const names[] = {"message", "errormessage", "description"};
	const struct xml_element *detail = pki_platform_child(fault, "detail");
	char *message = find_text(detail, names, ARRAY_SIZE(names), DEPTH_MAX);

	return message ? message : pki_platform_text(fault, "faultstring");
}

/* "soapenv:Client" and what is after a dot (SOAP 1.1, 4.4.1): the request is at fault. */
static bool blames_request(const struct xml_element *fault)
{
	_cleanup_free_ char *code = pki_platform_text(fault, "faultcode");
	const char *local = code ? strrchr(code, ':') : NULL;

	local = local ? local + 1 : code;
	return local && strncasecmp(local, "Client", strlen("Client")) == 0;
}

/*
 * Which faultcode a refusal has is not documented: one with a code of the service's own is its own
 * word, too.
 */
static void tell_fault(const struct xml_element *fault, bool *is_refusal, struct error *error)
{
	_cleanup_free_ char *code = find_code(pki_platform_child(fault, "detail"));
	_cleanup_free_ char *message = find_message(fault);
	_cleanup_free_ char *words = issued_words(message ? message : "a fault", WORDS_MAX);
	_cleanup_free_ char *own = code ? issued_words(code, CODE_MAX) : NULL;

	*is_refusal = code || blames_request(fault);
	error_set(error, *is_refusal ? ERROR_AUTHORITY_REJECTED : ERROR_AUTHORITY_FAILED,
		"PKI Platform says: %s%s%s%s", words, own ? " (" : "", own ? own : "",
		own ? ")" : "");
}

/* --- envelopes --- */

/* An answer may also come as the one of a collection. */
static const struct xml_element *find_answer(const struct xml_element *body, const char *name)
{
	const struct xml_element *direct = pki_platform_child(body, name);
	_cleanup_free_ char *collection = xasprintf("%sCollection", name);

	return direct ? direct : pki_platform_child(pki_platform_child(body, collection), name);
}

const struct xml_element *pki_platform_open(const struct xml_document *document, const char *answer,
	bool *is_refusal, struct error *error)
{
	const struct xml_element *root = xml_root(document);
	const struct xml_element *body =
		xml_is(root, SOAP, "Envelope") ? xml_child(root, SOAP, "Body") : NULL;
	const struct xml_element *fault = xml_child(body, SOAP, "Fault");
	const struct xml_element *found = find_answer(body, answer);

	*is_refusal = false;
	if (fault) {
		tell_fault(fault, is_refusal, error);
		return NULL;
	}
	if (!found)
		error_set(error, ERROR_AUTHORITY_FAILED,
			"PKI Platform answers with \"%.64s\", and %s was expected: check the "
			"address",
			xml_name(body ? xml_child(body, NULL, NULL) : root), answer);
	return found;
}

/* --- certificates --- */

void pki_platform_token_clear(struct pki_platform_token *token)
{
	free(token->certificate);
	free(token->pending);
	free(token->message);
	*token = (struct pki_platform_token){0};
}

void pki_platform_read_token(struct pki_platform_token *token, const struct xml_element *answer)
{
	const struct xml_element *inner =
		pki_platform_child(answer, "RequestVSSecurityTokenResponse");
	const struct xml_element *requested = pki_platform_child(inner, "requestedVSSecurityToken");

	token->certificate = pki_platform_text(requested, "binarySecurityToken");
	token->pending = pki_platform_text(requested, "pendingTokenReferenceID");
	token->message = pki_platform_text(inner, "dispositionMessage");
	if (!token->certificate && !token->pending)
		token->certificate = pki_platform_text(inner, "binarySecurityToken");
}

bool pki_platform_read_page(const struct xml_element *answer, pki_platform_visit *visit,
	void *context, size_t *count, bool *more)
{
	const struct xml_element *list = pki_platform_child(answer, "certificateList");
	const struct xml_element *item = pki_platform_child(list, "certificateInformation");

	*count = 0;
	*more = pki_platform_is_true(answer, "moreCertificateAvailable");
	for (; item; item = pki_platform_next(item, "certificateInformation")) {
		_cleanup_free_ char *certificate = pki_platform_text(item, "certificate");
		_cleanup_free_ char *serial = pki_platform_text(item, "serialNumber");
		_cleanup_free_ char *status = pki_platform_text(item, "status");
		(*count)++;
		if (!visit(context, certificate, serial, status))
			return false;
	}
	return true;
}
