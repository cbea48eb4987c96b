/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The purposes (extended key usages) that a certificate template gives. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "authority/ms-cs-request.h"
#include "common/alloc.h"

#define PURPOSES_MAX 32
#define OID_MAX	     256

DEFINE_CLEANUP(EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free);

static json_t *oids_of(EXTENDED_KEY_USAGE *usages)
{
	json_t *oids = json_array();
	char text[OID_MAX];

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages) && i < PURPOSES_MAX; i++) {
		int length = OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1);
		if (length > 0 && length < (int)sizeof(text))
			json_array_append_new(oids, json_string(text));
	}
	return oids;
}

json_t *ms_cs_purposes_read(const char *text)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	if (!issued_decode_base64(text, &der))
		return NULL;
	const unsigned char *position = der.data;
	EXTENDED_KEY_USAGE *usages _cleanup_(EXTENDED_KEY_USAGE_freep) =
		d2i_EXTENDED_KEY_USAGE(NULL, &position, (long)der.length);
	ERR_clear_error();
	return usages ? oids_of(usages) : NULL;
}

bool ms_cs_purposes_parse(const struct document_node *node, json_t **purposes, struct error *error)
{
	struct document_node member;
	size_t count;

	if (!document_find(node, "purposes", &member))
		return true;
	if (!document_array(&member, 0, PURPOSES_MAX, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct document_node each = document_at(&member, i);
		const char *oid;
		if (!document_string(&each, 1, OID_MAX, &oid, error))
			return false;
		if (!ms_cs_is_oid(oid))
			return document_fail(
				&each, error, "an object identifier like 1.3.6.1.4 is expected");
	}
	*purposes = json_deep_copy(member.value);
	return true;
}
