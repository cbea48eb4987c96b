/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificate templates as profiles: those of the policy service, or of the document. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"

DEFINE_CLEANUP(BIO *, BIO_free_all);

/* Names in the request; a template whose subject comes from the directory takes none of them. */
static const struct request_name {
	const char *field, *subject_type, *san_type;
} names[] = {
	{"subject.CN", "CN", NULL},
	{"subject.O", "O", NULL},
	{"subject.OU", "OU", NULL},
	{"subject.C", "C", NULL},
	{"subject.L", "L", NULL},
	{"subject.ST", "ST", NULL},
	{"subject.serialNumber", "serialNumber", NULL},
	{"subject.UID", "UID", NULL},
	{"subject.DC", "DC", NULL},
	{"subject.emailAddress", "emailAddress", NULL},
	{"subject.GN", "GN", NULL},
	{"subject.SN", "SN", NULL},
	{"san.email", NULL, "email"},
	{"san.upn", NULL, "upn"},
	{"san.dns", NULL, "dns"},
	{"san.uri", NULL, "uri"},
};

bool ms_cs_is_field(const char *name)
{
	return strcmp(name, MS_CS_REQUESTER) == 0;
}

static bool setting(const struct authority_profile *profile, const char *name)
{
	return json_is_true(json_object_get(profile->settings, name));
}

bool ms_cs_is_on_behalf(const struct authority_profile *profile)
{
	return setting(profile, "on-behalf");
}

bool ms_cs_takes_subject(const struct authority_profile *profile)
{
	return setting(profile, "subject-from-request");
}

/* --- fields --- */

static void add_fields(struct authority_profile *profile)
{
	/* With a directory the name in the request has no effect, but each request has one. */
	size_t count = ms_cs_takes_subject(profile) ? ARRAY_SIZE(names) : 1;

	for (size_t i = 0; i < count; i++) {
		struct authority_field *field =
			authority_profile_add_field(profile, names[i].field);
		field->is_from_request = true;
		field->is_multiple = true;
		field->subject_type = names[i].subject_type;
		field->san_type = names[i].san_type;
	}
	if (ms_cs_is_on_behalf(profile))
		authority_profile_add_field(profile, MS_CS_REQUESTER)->is_required = true;
}

/* --- what the document says --- */

static void set_choice(
	struct authority_profile *profile, const char *name, enum mapping_choice choice)
{
	if (choice != MAPPING_UNSAID)
		json_object_set_new(profile->settings, name, json_boolean(choice == MAPPING_YES));
}

/* A template that only the document tells of. */
static void add_told(struct authority_profiles *profiles, const struct ms_cs_settings *settings,
	const struct mapping *mapping)
{
	struct authority_profile *profile = authority_profiles_add(
		profiles, mapping->oid ? mapping->oid : mapping->profile, mapping->profile);

	profile->settings = json_pack("{s:s*, s:b, s:b}", "oid", mapping->oid, "on-behalf",
		settings->agent.requester != NULL, "subject-from-request", 0);
}

static void complete(struct authority_profile *profile, const struct ms_cs_settings *settings)
{
	const struct mapping *mapping = mapping_find(&settings->mappings, profile);

	if (mapping) {
		set_choice(profile, "on-behalf", mapping->on_behalf);
		set_choice(profile, "subject-from-request", mapping->subject_from_request);
	}
	add_fields(profile);
	if (ms_cs_is_on_behalf(profile) && settings->agent.requester)
		profile_fill(profile, MS_CS_REQUESTER, settings->agent.requester, NULL);
	if (mapping)
		mapping_fill(mapping, profile);
	if (!ms_cs_is_on_behalf(profile) || settings->agent.requester || !profile->is_usable)
		return;
	profile->is_usable = false;
	free(profile->reason);
	profile->reason = xstrdup("an enrollment agent has to ask for it, and the connection has "
				  "none (enrollment-agent)");
}

void ms_cs_complete_profiles(
	const struct ms_cs_settings *settings, struct authority_profiles *profiles)
{
	for (size_t i = 0; i < profiles->count; i++)
		complete(&profiles->items[i], settings);
}

bool ms_cs_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	const struct ms_cs *cs = authority->data;
	const struct ms_cs_settings *settings = &cs->settings;

	if (settings->policy.url && !authority_kept_profiles(authority, profiles, error))
		return false;
	for (size_t i = 0; !settings->policy.url && i < settings->mappings.count; i++)
		add_told(profiles, settings, &settings->mappings.items[i]);
	ms_cs_complete_profiles(settings, profiles);
	return true;
}

/* --- what the policy service says --- */

bool ms_cs_fetch(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	const struct ms_cs *cs = authority->data;
	const struct ms_cs_message message = ms_cs_policies_message();
	_cleanup_ms_cs_reply_ struct ms_cs_reply reply = {0};

	if (!cs->settings.policy.url)
		return true;
	return ms_cs_send(authority, &cs->settings.policy, &message, &reply, error) &&
	       ms_cs_policies_read(profiles, reply.body, error);
}

/* --- issuers --- */

/* Calls visit for each certificate in the file, until it says false. */
static bool visit_file(const char *path, bool (*visit)(void *context, const struct buffer *der),
	void *context, struct error *error)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_file(path, "r");
	size_t count = 0;
	bool going_on = true;
	X509 *x509;

	while (going_on && bio && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		_cleanup_buffer_ struct buffer der = BUFFER_INIT;
		going_on = issued_put(x509, &der) && visit(context, &der);
		X509_free(x509);
		count++;
	}
	ERR_clear_error();
	return count > 0 || error_set(error, ERROR_AUTHORITY_FAILED,
				    "%s holds no certificate in PEM that can be read", path);
}

static bool visit_kept(const struct authority_profile *profile,
	bool (*visit)(void *context, const struct buffer *der), void *context)
{
	json_t *issuers = json_object_get(profile->settings, "issuers"), *each;
	size_t index;

	json_array_foreach(issuers, index, each)
	{
		_cleanup_buffer_ struct buffer der = BUFFER_INIT;
		if (issued_decode_base64(json_string_value(each), &der) && !visit(context, &der))
			return true;
	}
	return json_array_size(issuers) > 0;
}

struct signed_by {
	const struct buffer *der;
	bool is_found;
};

static bool look(void *context, const struct buffer *issuer)
{
	struct signed_by *search = context;

	search->is_found = issued_is_signed_by(search->der, issuer);
	return !search->is_found;
}

bool ms_cs_check_issuer(struct authority *authority, const struct authority_profile *profile,
	const struct buffer *der, struct error *error)
{
	const struct ms_cs *cs = authority->data;
	struct signed_by search = {.der = der};

	if (cs->settings.issuer_file) {
		if (!visit_file(cs->settings.issuer_file, look, &search, error))
			return false;
	} else if (!profile || !visit_kept(profile, look, &search))
		return true;
	return search.is_found ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "the certificate that came is not signed by a CA of %s",
		       cs->settings.issuer_file ? cs->settings.issuer_file
						: "the policies: if it was renewed, run tessera "
						  "connection profiles --update");
}

struct only {
	struct buffer *der;
	bool has_others;
};

static bool take_only(void *context, const struct buffer *issuer)
{
	struct only *only = context;
	bool is_same = only->der->length == issuer->length &&
		       memcmp(only->der->data, issuer->data, issuer->length) == 0;

	only->has_others = only->der->length > 0 && !is_same;
	if (only->der->length == 0)
		buffer_append(only->der, issuer->data, issuer->length);
	return !only->has_others;
}

bool ms_cs_ca_certificate(struct authority *authority, struct buffer *der, struct error *error)
{
	const struct ms_cs *cs = authority->data;
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	struct only only = {.der = der};

	if (cs->settings.issuer_file) {
		if (!visit_file(cs->settings.issuer_file, take_only, &only, error))
			return false;
	} else if (!ms_cs_profiles(authority, &profiles, error))
		return false;
	for (size_t i = 0; i < profiles.count && !only.has_others; i++)
		visit_kept(&profiles.items[i], take_only, &only);
	if (der->length > 0 && !only.has_others)
		return true;
	return error_set(error, ERROR_NOT_SUPPORTED, "%s",
		only.has_others ? "the connection has several CAs"
				: "the CA is not known: name its certificate as issuer-file, or "
				  "run tessera connection profiles --update");
}
