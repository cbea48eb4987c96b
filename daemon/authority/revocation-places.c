/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a certificate says that its status is to be seen (RFC 5280, 4.2.1.13 and 4.2.2.1). */
#include <string.h>
#include <strings.h>

#include <openssl/err.h>

#include "authority/revocation-private.h"
#include "common/alloc.h"

#define PLACES_MAX 4 /* of a kind; a certificate with more has them in vain */
#define URL_MAX	   1024

static bool is_usable(const unsigned char *url, int length)
{
	const char *text = (const char *)url;

	if (length < 8 || length > URL_MAX)
		return false;
	for (int i = 0; i < length; i++) {
		if (url[i] <= ' ' || url[i] > '~')
			return false;
	}
	return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

static void add(char ***urls, size_t *count, const GENERAL_NAME *name)
{
	if (name->type != GEN_URI || *count == PLACES_MAX)
		return;
	const unsigned char *url = ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
	int length = ASN1_STRING_length(name->d.uniformResourceIdentifier);
	if (!is_usable(url, length))
		return;
	*urls = xreallocarray(*urls, *count + 1, sizeof(**urls));
	(*urls)[(*count)++] = xasprintf("%.*s", length, (const char *)url);
}

/* Points for some reasons only, or of another issuer, do not tell the whole. */
static void add_point(struct revocation_places *places, const DIST_POINT *point)
{
	if (point->reasons || point->CRLissuer || !point->distpoint || point->distpoint->type != 0)
		return;
	for (int i = 0; i < sk_GENERAL_NAME_num(point->distpoint->name.fullname); i++)
		add(&places->crls, &places->crl_count,
			sk_GENERAL_NAME_value(point->distpoint->name.fullname, i));
}

void revocation_places_of(X509 *certificate, struct revocation_places *places)
{
	CRL_DIST_POINTS *points =
		X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);

	for (int i = 0; i < sk_DIST_POINT_num(points); i++)
		add_point(places, sk_DIST_POINT_value(points, i));
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
		const ACCESS_DESCRIPTION *each = sk_ACCESS_DESCRIPTION_value(access, i);
		int method = OBJ_obj2nid(each->method);
		if (method == NID_ad_OCSP)
			add(&places->responders, &places->responder_count, each->location);
		else if (method == NID_ad_ca_issuers)
			add(&places->issuers, &places->issuer_count, each->location);
	}
	CRL_DIST_POINTS_free(points);
	AUTHORITY_INFO_ACCESS_free(access);
	ERR_clear_error();
}

static void free_all(char **urls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(urls[i]);
	free(urls);
}

void revocation_places_clear(struct revocation_places *places)
{
	free_all(places->crls, places->crl_count);
	free_all(places->responders, places->responder_count);
	free_all(places->issuers, places->issuer_count);
	*places = (struct revocation_places){0};
}
