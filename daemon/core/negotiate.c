/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/negotiate.h"

#include <stdatomic.h>
#include <string.h>

#include "common/alloc.h"
#include "core/negotiate-private.h"
#include "core/thread.h"

/* 1.3.6.1.5.5.2 (RFC 4178, 3) */
static gss_OID_desc spnego = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};

/*
 * The Kerberos library waits for KDCs as long as it likes to. So it works on a thread of its own,
 * which goes on alone, and frees this, when the request that waits for it has no more time.
 */
struct negotiate {
	atomic_uint references; /* the request's, and the thread's while it works */
	/* Touched by the thread while it works, else by the request. */
	char *principal, *keytab, *cache, *service, *host;
	struct kerberos kerberos;
	bool has_ticket;
	struct buffer binding;
	gss_cred_id_t credential;
	gss_name_t target;
	gss_ctx_id_t context;
	char *value; /* of the header */
	struct error error;
};

struct negotiate *negotiate_new(const struct http_negotiate *settings, const char *host)
{
	struct negotiate *negotiate = xnew(struct negotiate);

	atomic_init(&negotiate->references, 1);
	negotiate->principal = xstrdup(settings->principal);
	negotiate->keytab = xstrdup(settings->keytab);
	negotiate->cache = xstrdup(settings->cache);
	negotiate->service = xstrdup(settings->service);
	negotiate->host = xstrdup(host);
	return negotiate;
}

static void forget_context(struct negotiate *negotiate)
{
	OM_uint32 minor;

	if (negotiate->context)
		gss_delete_sec_context(&minor, &negotiate->context, GSS_C_NO_BUFFER);
	free(negotiate->value);
	negotiate->value = NULL;
}

static void destroy(struct negotiate *negotiate)
{
	OM_uint32 minor;

	forget_context(negotiate);
	gss_release_name(&minor, &negotiate->target);
	gss_release_cred(&minor, &negotiate->credential);
	kerberos_close(&negotiate->kerberos);
	buffer_clear(&negotiate->binding);
	error_clear(&negotiate->error);
	free(negotiate->principal);
	free(negotiate->keytab);
	free(negotiate->cache);
	free(negotiate->service);
	free(negotiate->host);
	free(negotiate);
}

/* Gives a reference back. */
void negotiate_free(struct negotiate *negotiate)
{
	if (negotiate && atomic_fetch_sub(&negotiate->references, 1) == 1)
		destroy(negotiate);
}

/* --- GSS-API --- */

/* What one of both codes of a failed call says, heap. */
static char *words_of(OM_uint32 code, int type, gss_OID mechanism)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor, more = 0;

	if (GSS_ERROR(gss_display_status(&minor, code, type, mechanism, &more, &text)))
		return xasprintf("GSS-API error %u", code);
	char *words = xasprintf("%.*s", (int)text.length, (const char *)text.value);
	gss_release_buffer(&minor, &text);
	return words;
}

/* The mechanism's words are the better ones, where it has any. */
static bool fail(OM_uint32 major, OM_uint32 minor, const char *what, struct error *error)
{
	_cleanup_free_ char *words = minor ? words_of(minor, GSS_C_MECH_CODE, &spnego)
					   : words_of(major, GSS_C_GSS_CODE, GSS_C_NO_OID);

	return error_set(error, ERROR_NETWORK_FAILED, "%s: %.500s", what, words);
}

/* The tickets that are there, for SPNEGO, and within it for Kerberos alone. */
static bool open_credential(struct negotiate *negotiate)
{
	gss_key_value_element_desc place = {"ccache", negotiate->kerberos.cache_name};
	gss_key_value_set_desc store = {1, &place};
	gss_OID_set_desc outer = {1, &spnego};
	gss_OID_set_desc inner = {1, (gss_OID)gss_mech_krb5};
	OM_uint32 minor = 0;
	OM_uint32 major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &outer,
		GSS_C_INITIATE, &store, &negotiate->credential, NULL, NULL);

	if (!GSS_ERROR(major))
		major = gss_set_neg_mechs(&minor, negotiate->credential, &inner);
	return !GSS_ERROR(major) ||
	       fail(major, minor, "Kerberos tickets cannot be used", &negotiate->error);
}

static bool open_target(struct negotiate *negotiate)
{
	char *service = negotiate->kerberos.service;
	gss_buffer_desc name = {strlen(service), service};
	OM_uint32 minor = 0;
	OM_uint32 major =
		gss_import_name(&minor, &name, GSS_KRB5_NT_PRINCIPAL_NAME, &negotiate->target);

	return !GSS_ERROR(major) ||
	       fail(major, minor, "the service's Kerberos name cannot be used", &negotiate->error);
}

static bool open_tickets(struct negotiate *negotiate)
{
	struct http_negotiate settings = {.principal = negotiate->principal,
		.keytab = negotiate->keytab,
		.cache = negotiate->cache,
		.service = negotiate->service};

	if (negotiate->has_ticket)
		return true;
	if (!kerberos_open(&negotiate->kerberos, &settings, negotiate->host, &negotiate->error))
		return false;
	negotiate->has_ticket = open_credential(negotiate) && open_target(negotiate);
	return negotiate->has_ticket;
}

/* One step of the exchange; flags: what the context can do, once it is complete. */
static OM_uint32 step(struct negotiate *negotiate, OM_uint32 *minor, gss_buffer_t input,
	gss_buffer_t output, OM_uint32 *flags)
{
	struct gss_channel_bindings_struct bindings = {
		.application_data = {negotiate->binding.length, negotiate->binding.data}};

	return gss_init_sec_context(minor, negotiate->credential, &negotiate->context,
		negotiate->target, &spnego, GSS_C_MUTUAL_FLAG | GSS_C_DELEG_POLICY_FLAG,
		GSS_C_INDEFINITE, &bindings, input, NULL, output, flags, NULL);
}

static char *encode(const gss_buffer_desc *token)
{
	static const char scheme[] = "Negotiate ";
	size_t room = sizeof(scheme) + (token->length + 2) / 3 * 4;
	char *value = xcalloc(1, room);

	memcpy(value, scheme, sizeof(scheme));
	EVP_EncodeBlock((unsigned char *)value + strlen(scheme), token->value, (int)token->length);
	return value;
}

static bool make_value(struct negotiate *negotiate)
{
	gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor = 0, ignored;
	OM_uint32 major = step(negotiate, &minor, GSS_C_NO_BUFFER, &output, NULL);

	if (GSS_ERROR(major))
		fail(major, minor, "no Kerberos token for the service", &negotiate->error);
	else
		negotiate->value = encode(&output);
	gss_release_buffer(&ignored, &output);
	return negotiate->value != NULL;
}

/* --- the thread --- */

static void work(void *argument)
{
	struct negotiate *negotiate = argument;

	if (open_tickets(negotiate))
		make_value(negotiate);
}

static void give_back(void *argument)
{
	negotiate_free(argument);
}

/* Whether the thread has ended in time. */
static bool work_within(struct negotiate *negotiate, unsigned timeout_ms)
{
	forget_context(negotiate);
	error_clear(&negotiate->error);
	atomic_fetch_add(&negotiate->references, 1);
	if (!thread_run_within(timeout_ms, work, give_back, negotiate))
		return false;
	negotiate_free(negotiate);
	return true;
}

bool negotiate_start(struct negotiate *negotiate, X509 *certificate, unsigned timeout_ms,
	char **value, struct error *error)
{
	buffer_truncate(&negotiate->binding, 0);
	if (!negotiate_binding(certificate, &negotiate->binding, error))
		return false;
	if (!work_within(negotiate, timeout_ms))
		return error_set(
			error, ERROR_TIMEOUT, "the KDC of Kerberos has not answered in time");
	if (!negotiate->value)
		return error_move(error, &negotiate->error);
	*value = steal_pointer(&negotiate->value);
	return true;
}

bool negotiate_finish(struct negotiate *negotiate, const struct buffer *token, struct error *error)
{
	gss_buffer_desc input = {token->length, token->data};
	gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor = 0, ignored, flags = 0;
	OM_uint32 major = step(negotiate, &minor, &input, &output, &flags);

	gss_release_buffer(&ignored, &output);
	if (GSS_ERROR(major))
		return fail(major, minor, "Kerberos", error);
	return (major == GSS_S_COMPLETE && (flags & GSS_C_MUTUAL_FLAG) != 0) ||
	       error_set(error, ERROR_NETWORK_FAILED,
		       "Kerberos: the token does not prove the service");
}
