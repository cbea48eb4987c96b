/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One search, or one page of one. */
#include <string.h>

#include "common/alloc.h"
#include "directory/ldap-private.h"

#define REFERRALS_MAX 16 /* further ones are not looked at */

void ldap_outcome_clear(struct ldap_outcome *outcome)
{
	for (size_t i = 0; i < outcome->referral_count; i++)
		free(outcome->referrals[i]);
	free(outcome->referrals);
	buffer_clear(&outcome->cookie);
	*outcome = (struct ldap_outcome){0};
}

/* What one search is about. */
struct running {
	struct ldap_link *link;
	const struct ldap_request *request;
	struct ldap_outcome *outcome;
	bool (*take)(void *, const struct ldap_entry *, struct error *);
	void *context;
	size_t count; /* of entries so far */
};

/* --- entries --- */

static void read_values(struct berval **values, struct ldap_attribute *attribute)
{
	size_t count = (size_t)ldap_count_values_len(values);

	attribute->values = xcalloc(count + 1, sizeof(*attribute->values));
	for (size_t i = 0; i < count; i++) {
		struct ldap_value *value = &attribute->values[attribute->count++];
		value->length = values[i]->bv_len;
		value->data = xcalloc(value->length + 1, 1);
		memcpy(value->data, values[i]->bv_val, value->length);
	}
}

static void read_entry(LDAP *ld, LDAPMessage *message, struct ldap_entry *entry)
{
	BerElement *position = NULL;
	char *dn = ldap_get_dn(ld, message);

	entry->dn = xstrdup(dn ? dn : "");
	ldap_memfree(dn);
	for (char *name = ldap_first_attribute(ld, message, &position); name;
		name = ldap_next_attribute(ld, message, position)) {
		struct berval **values = ldap_get_values_len(ld, message, name);
		entry->attributes = xreallocarray(
			entry->attributes, entry->count + 1, sizeof(*entry->attributes));
		struct ldap_attribute *attribute = &entry->attributes[entry->count++];
		*attribute = (struct ldap_attribute){.name = xstrdup(name)};
		if (values)
			read_values(values, attribute);
		ldap_value_free_len(values);
		ldap_memfree(name);
	}
	ber_free(position, 0);
}

static bool take_entry(struct running *search, LDAPMessage *message, struct error *error)
{
	_cleanup_ldap_entry_ struct ldap_entry entry = LDAP_ENTRY_INIT;

	if (search->count++ >= search->request->limit) {
		search->outcome->has_more = true;
		return true;
	}
	read_entry(search->link->ld, message, &entry);
	return search->take(search->context, &entry, error);
}

/* --- referrals --- */

static void keep_referrals(struct ldap_outcome *outcome, char **urls)
{
	for (size_t i = 0; urls && urls[i] && outcome->referral_count < REFERRALS_MAX; i++) {
		outcome->referrals = xreallocarray(outcome->referrals, outcome->referral_count + 1,
			sizeof(*outcome->referrals));
		outcome->referrals[outcome->referral_count++] = xstrdup(urls[i]);
	}
	ldap_memvfree((void **)urls);
}

static void take_reference(struct running *search, LDAPMessage *message)
{
	char **urls = NULL;

	if (ldap_parse_reference(search->link->ld, message, &urls, NULL, 0) == LDAP_SUCCESS)
		keep_referrals(search->outcome, urls);
}

/* --- the end --- */

static void take_cookie(struct running *search, LDAPControl **controls)
{
	LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	struct berval cookie = {0};
	ber_int_t estimate;

	if (!control || ldap_parse_pageresponse_control(
				search->link->ld, control, &estimate, &cookie) != LDAP_SUCCESS)
		return;
	buffer_append(&search->outcome->cookie, cookie.bv_val, cookie.bv_len);
	search->outcome->has_more = cookie.bv_len > 0;
	ber_memfree(cookie.bv_val);
}

static bool take_result(struct running *search, LDAPMessage *message, struct error *error)
{
	LDAPControl **controls = NULL;
	char **urls = NULL;
	int code = ldap_link_result(search->link, message, &controls, &urls);

	keep_referrals(search->outcome, urls);
	if (controls && search->request->is_paged)
		take_cookie(search, controls);
	if (controls)
		ldap_controls_free(controls);
	if (code == LDAP_SUCCESS)
		return true;
	if (code == LDAP_SIZELIMIT_EXCEEDED && !search->request->is_paged) {
		search->outcome->has_more = true;
		return true;
	}
	search->outcome->is_elsewhere =
		code == LDAP_REFERRAL && search->outcome->referral_count > 0;
	return search->outcome->is_elsewhere || ldap_link_fail(search->link, code, "search", error);
}

/* --- the search --- */

static bool send_request(struct running *search, int *id, struct error *error)
{
	static const int scopes[] = {
		[LDAP_BELOW] = LDAP_SCOPE_SUBTREE,
		[LDAP_ONE_LEVEL] = LDAP_SCOPE_ONELEVEL,
		[LDAP_THE_BASE] = LDAP_SCOPE_BASE,
	};
	const struct ldap_request *request = search->request;
	struct timeval limit = {.tv_sec = search->link->timeout_ms / 1000};
	LDAPControl *control = NULL;
	struct berval cookie = {0};
	int code = LDAP_SUCCESS;

	if (request->cookie)
		cookie = (struct berval){
			.bv_val = (char *)request->cookie->data, .bv_len = request->cookie->length};
	if (request->is_paged)
		code = ldap_create_page_control(search->link->ld, (ber_int_t)request->limit,
			request->cookie ? &cookie : NULL, 1, &control);
	if (code == LDAP_SUCCESS)
		code = ldap_search_ext(search->link->ld, request->base, scopes[request->scope],
			request->filter, (char **)request->attributes, 0,
			(LDAPControl *[]){control, NULL}, NULL, &limit,
			request->is_paged ? LDAP_NO_LIMIT : (int)request->limit + 1, id);
	if (control)
		ldap_control_free(control);
	return code == LDAP_SUCCESS || ldap_link_fail(search->link, code, "search", error);
}

/* False when the search ends with an error; *is_done when it ends well. */
static bool take_message(
	struct running *search, LDAPMessage *message, bool *is_done, struct error *error)
{
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		return take_entry(search, message, error);
	case LDAP_RES_SEARCH_REFERENCE:
		take_reference(search, message);
		return true;
	case LDAP_RES_SEARCH_RESULT:
		*is_done = true;
		return take_result(search, message, error);
	default:
		return true; /* RFC 4511, 4.13: intermediate ones that nobody asked for */
	}
}

bool ldap_link_search(struct ldap_link *link, const struct ldap_request *request,
	bool (*take)(void *context, const struct ldap_entry *, struct error *), void *context,
	struct ldap_outcome *outcome, struct error *error)
{
	struct running search = {.link = link,
		.request = request,
		.outcome = outcome,
		.take = take,
		.context = context};
	int64_t end = ldap_link_end(link);
	bool is_done = false, works = true;
	int id;

	if (!send_request(&search, &id, error))
		return false;
	while (works && !is_done) {
		LDAPMessage *message = ldap_link_next(link, id, end, error);
		if (!message) {
			outcome->is_too_long = link->is_too_long;
			return error_prefix(error, "search");
		}
		works = take_message(&search, message, &is_done, error);
		ldap_msgfree(message);
	}
	/* What still comes of it would be in the way of the next request. */
	if (!works && !is_done)
		link->is_broken = true;
	return works;
}
