/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The web enrollment (/certsrv) as a protocol: the forms that its pages send, which answer with
 * pages. A form is posted once for each request; the certificate is fetched by the request's
 * number.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"
#include "common/log.h"

#define FORM_TYPE  "application/x-www-form-urlencoded"
#define PAGE_MAX   (512 * 1024) /* bytes */
#define SHOWN_MAX  60		/* bytes of a page that is not understood */
#define ID_MAX	   20		/* digits */
#define HEX_DIGITS "0123456789ABCDEF"

DEFINE_CLEANUP(BIO *, BIO_free_all);

/* --- requests --- */

/* "Basic ..." (RFC 7617), which never leaves a secret's memory but for the connection. */
static bool make_basic(const struct ms_cs *cs, struct secret *value)
{
	static const char scheme[] = "Basic ";
	size_t user = strlen(cs->settings.user), password = cs->identity.secret.length;
	size_t begin = strlen(scheme), length = user + 1 + password;
	_cleanup_secret_ struct secret plain = SECRET_INIT;

	if (!secret_allocate(&plain, length) ||
		!secret_allocate(value, begin + (length + 2) / 3 * 4 + 1))
		return false;
	memcpy(plain.data, cs->settings.user, user);
	plain.data[user] = ':';
	memcpy(plain.data + user + 1, cs->identity.secret.data, password);
	memcpy(value->data, scheme, begin);
	EVP_EncodeBlock(value->data + begin, plain.data, (int)length);
	secret_truncate(value, value->length - 1);
	return true;
}

/* Certificates are given to what says that it is a browser. */
static bool web_http(struct authority *authority, struct http_request *request,
	struct http_answer *answer, struct ms_cs_reply *reply, struct error *error)
{
	static const struct http_header browser = {
		"User-Agent", "Mozilla/5.0 (compatible; tesserad/" VERSION_STRING ")"};
	const struct ms_cs *cs = authority->data;
	_cleanup_secret_ struct secret basic = SECRET_INIT;

	if (!ms_cs_open_identity(authority, error))
		return false;
	request->headers = &browser;
	request->header_count = 1;
	request->answer_max = PAGE_MAX;
	if (cs->settings.authentication == MS_CS_PASSWORD) {
		if (!make_basic(cs, &basic))
			return error_set(error, ERROR_FAILED, "out of memory");
		request->secret_header = "Authorization";
		request->secret_value = &basic;
	}
	bool done = ms_cs_http(authority, request, answer, reply, error);
	request->secret_value = NULL;
	return done;
}

static bool fail_with_page(const struct ms_cs_endpoint *endpoint, const char *what,
	const struct buffer *page, struct error *error)
{
	_cleanup_free_ char *begin = ms_cs_page_words(page->data, page->length, SHOWN_MAX);

	return error_set(
		error, ERROR_AUTHORITY_FAILED, "%s: %s (\"%s\")", endpoint->host, what, begin);
}

/* Whether it answers with status 200. */
static bool check_status(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct buffer *page, struct ms_cs_reply *reply, struct error *error)
{
	const struct ms_cs *cs = authority->data;

	if (reply->status == 200)
		return true;
	reply->may_be_done = ms_cs_may_be_done_after(reply->status);
	_cleanup_free_ char *what = xasprintf("it answers HTTP status %ld%s", reply->status,
		ms_cs_advice(reply->status, &cs->settings));
	return fail_with_page(endpoint, what, page, error);
}

/* Heap: of a page. */
static char *address_of(const struct ms_cs_endpoint *endpoint, const char *page)
{
	bool has_slash = endpoint->url[strlen(endpoint->url) - 1] == '/';

	return xasprintf("%s%s%s", endpoint->url, has_slash ? "" : "/", page);
}

static bool get(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const char *file, struct ms_cs_reply *reply, struct buffer *page, struct error *error)
{
	_cleanup_http_answer_ struct http_answer answer = HTTP_ANSWER_INIT;
	_cleanup_free_ char *url = address_of(endpoint, file);
	struct http_request request = {.method = HTTP_GET, .url = url};

	if (!web_http(authority, &request, &answer, reply, error))
		return false;
	buffer_move(page, &answer.body);
	return check_status(authority, endpoint, page, reply, error);
}

/* --- pages --- */

static bool fail_with_refusal(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	struct ms_cs_reply *reply, struct error *error)
{
	const struct ms_cs *cs = authority->data;
	struct ms_cs_page *page = &reply->page;
	struct ms_cs_fault *fault = &reply->fault;
	bool is_denied = page->state == MS_CS_PAGE_DENIED;

	fault->words = steal_pointer(&page->words);
	bool is_known = page->has_code && ms_cs_fault_judge(fault, page->code);
	fault->is_decided = true;
	fault->is_denial = is_denied;
	fault->is_final = fault->is_final || is_denied;
	fault->may_be_done = !is_denied && (fault->may_be_done || !is_known);
	ms_cs_fail_with_fault(&cs->settings, reply, error);
	return error_prefix(error, "%s", endpoint->host);
}

static bool judge(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct buffer *body, struct ms_cs_reply *reply, struct error *error)
{
	if (!check_status(authority, endpoint, body, reply, error))
		return false;
	reply->may_be_done = true;
	ms_cs_page_read(&reply->page, body->data, body->length);
	switch (reply->page.state) {
	case MS_CS_PAGE_ISSUED:
	case MS_CS_PAGE_PENDING:
		return true;
	case MS_CS_PAGE_DENIED:
	case MS_CS_PAGE_FAILED:
		return fail_with_refusal(authority, endpoint, reply, error);
	case MS_CS_PAGE_UNKNOWN:
		break;
	}
	return fail_with_page(endpoint,
		"it answers with a page that says neither of a certificate nor of a request", body,
		error);
}

static bool post(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct buffer *form, struct ms_cs_reply *reply, struct error *error)
{
	_cleanup_http_answer_ struct http_answer answer = HTTP_ANSWER_INIT;
	_cleanup_free_ char *url = address_of(endpoint, "certfnsh.asp");
	struct http_request request = {.method = HTTP_POST,
		.url = url,
		.content_type = FORM_TYPE,
		.body = form->data,
		.body_length = form->length};

	return web_http(authority, &request, &answer, reply, error) &&
	       judge(authority, endpoint, &answer.body, reply, error);
}

/* --- forms --- */

static void put_field(struct buffer *form, const char *name, const char *value)
{
	if (form->length > 0)
		buffer_append_u8(form, '&');
	buffer_append_string(form, name);
	buffer_append_u8(form, '=');
	for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
		bool is_plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
				(*c >= 'a' && *c <= 'z') || strchr("-._~", *c);
		if (is_plain)
			buffer_append_u8(form, *c);
		else {
			buffer_append_u8(form, '%');
			buffer_append_u8(form, (uint8_t)HEX_DIGITS[*c >> 4]);
			buffer_append_u8(form, (uint8_t)HEX_DIGITS[*c & 15]);
		}
	}
}

/* Heap: PEM with the label that the pages expect, whatever is in it; NULL: out of memory. */
static char *pem_of(const struct buffer *token)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new(BIO_s_mem());
	char *data;

	if (!bio || PEM_write_bio(bio, PEM_STRING_X509_REQ, "", token->data, (long)token->length) <=
			    0) {
		ERR_clear_error();
		return NULL;
	}
	long length = BIO_get_mem_data(bio, &data);
	return xasprintf("%.*s", (int)length, data);
}

static bool ask_for_one(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct ms_cs_token_request *request, struct ms_cs_reply *reply, struct error *error)
{
	_cleanup_buffer_ struct buffer form = BUFFER_INIT;
	_cleanup_free_ char *pem = pem_of(request->token);
	_cleanup_free_ char *attributes =
		xasprintf("CertificateTemplate:%s\r\n", request->template);

	if (!pem)
		return error_set(error, ERROR_FAILED, "out of memory");
	put_field(&form, "Mode", "newreq");
	put_field(&form, "CertRequest", pem);
	put_field(&form, "CertAttrib", attributes);
	put_field(&form, "FriendlyType", "Saved-Request Certificate");
	put_field(&form, "TargetStoreFlags", "0");
	put_field(&form, "SaveCert", "yes");
	if (form.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	return post(authority, endpoint, &form, reply, error);
}

/* --- fetching --- */

/* *is_there: false while what comes is a page, and no certificate. */
static bool fetch(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const char *id, struct ms_cs_reply *reply, struct buffer *der, bool *is_there,
	struct error *error)
{
	_cleanup_free_ char *file = xasprintf("certnew.cer?ReqID=%s&Enc=b64", id);
	_cleanup_buffer_ struct buffer page = BUFFER_INIT;

	*is_there = false;
	if (!get(authority, endpoint, file, reply, &page, error))
		return false;
	buffer_append_u8(&page, 0);
	bool is_text = !page.failed && strlen((const char *)page.data) == page.length - 1;
	*is_there = is_text && issued_decode((const char *)page.data, der, NULL);
	return true;
}

/* The certificate, or what the page about the request says. */
static bool ask_about_one(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct ms_cs_token_request *request, struct ms_cs_reply *reply, struct error *error)
{
	const char *id = request->request_id;
	_cleanup_buffer_ struct buffer form = BUFFER_INIT;
	bool is_there;

	if (!id[0] || strlen(id) > ID_MAX || id[strspn(id, "0123456789")])
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the number of the request is none of the web enrollment's");
	if (!fetch(authority, endpoint, id, reply, &reply->certificate, &is_there, error))
		return false;
	if (is_there)
		return true;
	put_field(&form, "Mode", "chkpnd");
	put_field(&form, "ReqID", id);
	put_field(&form, "TargetStoreFlags", "0");
	put_field(&form, "SaveCert", "yes");
	if (form.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	return post(authority, endpoint, &form, reply, error);
}

/* --- the protocol --- */

static bool web_send(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct ms_cs_token_request *request, struct ms_cs_reply *reply, struct error *error)
{
	ms_cs_reply_clear(reply);
	return request->request_id ? ask_about_one(authority, endpoint, request, reply, error)
				   : ask_for_one(authority, endpoint, request, reply, error);
}

/* One that does not come now has a number, and is collected later. */
static void fetch_issued(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	struct ms_cs_reply *reply, const char *id)
{
	_cleanup_ms_cs_reply_ struct ms_cs_reply second = {0};
	_cleanup_error_ struct error failure = ERROR_INIT;
	bool is_there;

	if (!fetch(authority, endpoint, id, &second, &reply->certificate, &is_there, &failure))
		log_warning("an issued certificate is collected later: %s connection=%s",
			error_message(&failure), authority->name);
}

static bool web_read(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct ms_cs_token_request *request, struct ms_cs_reply *reply,
	struct ms_cs_token *token, struct error *error)
{
	token->id = xstrdup(request->request_id ? request->request_id : reply->page.id);
	if (reply->page.state == MS_CS_PAGE_ISSUED)
		fetch_issued(authority, endpoint, reply, token->id);
	if (reply->certificate.length == 0)
		return true;
	if (!issued_has_key(&reply->certificate, request->key_digest))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the CA gave a certificate for another key, which was not used");
	buffer_move(&token->der, &reply->certificate);
	return true;
}

/* The page with the CA's own certificates says by a script how often they were renewed. */
static bool web_probe(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	struct ms_cs_reply *reply, struct error *error)
{
	_cleanup_buffer_ struct buffer page = BUFFER_INIT;

	ms_cs_reply_clear(reply);
	if (!get(authority, endpoint, "certcarc.asp", reply, &page, error))
		return false;
	return memmem(page.data ? page.data : (const uint8_t *)"", page.length, "nRenewals", 9) ||
	       fail_with_page(endpoint, "what answers there is no web enrollment", &page, error);
}

const struct ms_cs_protocol ms_cs_web = {
	.name = "web",
	.example = "https://HOST/certsrv",
	.refusals =
		{
			[MS_CS_PASSWORD] = ": it does not accept user and password (is Basic "
					   "Authentication enabled for certsrv?)",
			[MS_CS_CLIENT_CERTIFICATE] =
				": it does not accept the client certificate (are client "
				"certificates accepted for certsrv, and mapped to accounts?)",
			[MS_CS_KERBEROS] = ": it does not accept the Kerberos account (is Windows "
					   "Authentication enabled for certsrv?)",
		},
	.send = web_send,
	.read = web_read,
	.probe = web_probe,
};
