/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of a slot, for administrators: those in the token, and the credentials among them. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "operation/slot-keys.h"

void slot_key_list_free(struct slot_key_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_clear(&entries[i].id);
		free(entries[i].label);
		free(entries[i].algorithm);
		free(entries[i].subject);
	}
	free(entries);
}

/* Keys and certificates with their CKA_ID. */
struct item {
	const struct hsm_object *object;
	struct reader id;
};

static int class_order(const struct hsm_object *object)
{
	return object->object_class == CKO_PRIVATE_KEY	? 0
	       : object->object_class == CKO_PUBLIC_KEY ? 1
							: 2;
}

static int compare_ids(const struct reader *one, const struct reader *other)
{
	if (one->length != other->length)
		return one->length < other->length ? -1 : 1;
	return one->length ? memcmp(one->data, other->data, one->length) : 0;
}

/* By CKA_ID; private keys, public keys, certificates. */
static int compare_items(const void *a, const void *b)
{
	const struct item *one = a, *other = b;
	int order = compare_ids(&one->id, &other->id);

	if (order == 0)
		order = class_order(one->object) - class_order(other->object);
	return order ? order : (one->object->number < other->object->number ? -1 : 1);
}

static struct item *sort_items(const struct hsm_objects *objects, size_t *count)
{
	struct item *items = xcalloc(objects->count + 1, sizeof(*items));

	*count = 0;
	for (size_t i = 0; i < objects->count; i++) {
		struct item item = {.object = objects->items[i]};
		CK_OBJECT_CLASS object_class = item.object->object_class;
		bool is_wanted = object_class == CKO_PRIVATE_KEY ||
				 object_class == CKO_PUBLIC_KEY || object_class == CKO_CERTIFICATE;
		if (is_wanted && hsm_object_id(item.object, &item.id))
			items[(*count)++] = item;
	}
	qsort(items, *count, sizeof(*items), compare_items);
	return items;
}

/* "rsa-2048", "ec-p256"; "other" for what templates do not know. */
static char *algorithm_text(const struct hsm_object *object)
{
	EVP_PKEY *key = hsm_object_public_key(object, NULL);
	bool is_rsa = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	int bits = key ? EVP_PKEY_get_bits(key) : 0;

	EVP_PKEY_free(key);
	for (enum key_algorithm i = KEY_ALGORITHM_RSA_1024; i < KEY_ALGORITHM_COUNT; i++) {
		if (is_rsa == key_algorithm_is_rsa(i) && bits == (int)key_algorithm_bits(i))
			return xstrdup(key_algorithm_name(i));
	}
	return xstrdup("other");
}

static void add_certificate(struct slot_key_entry *entry, const struct hsm_object *object)
{
	struct certificate certificate _cleanup_certificate_ = CERTIFICATE_INIT;
	size_t length;
	const uint8_t *der = hsm_object_value(object, CKA_VALUE, &length);

	if (!der || !certificate_from_der(&certificate, der, length, NULL) ||
		certificate.not_after <= entry->not_after)
		return;
	free(entry->subject);
	entry->subject = steal_pointer(&certificate.subject);
	entry->not_after = certificate.not_after;
}

/* The credential that a key is of: one that is over is history. */
static void add_credential(struct slot *slot, struct services *services, const struct item *item,
	struct slot_key_entry *entry)
{
	int64_t id = slot_keys_credential(slot, &item->id);
	_cleanup_credential_ struct credential *credential =
		id ? store_credential_by_id(services->store, id, NULL) : NULL;

	entry->state = LIFECYCLE_STATE_COUNT;
	if (!credential || !lifecycle_is_managed(credential->state))
		return;
	entry->credential_id = id;
	entry->state = credential->state;
}

static void add_entry(struct services *services, struct slot *slot, const struct item *items,
	size_t count, struct slot_key_entry *entry)
{
	*entry = (struct slot_key_entry){.label = xstrdup(items[0].object->label)};
	buffer_append(&entry->id, items[0].id.data, items[0].id.length);
	add_credential(slot, services, &items[0], entry);
	for (size_t i = 0; i < count; i++) {
		if (items[i].object->object_class == CKO_CERTIFICATE)
			add_certificate(entry, items[i].object);
		else if (!entry->algorithm || strcmp(entry->algorithm, "other") == 0) {
			free(entry->algorithm);
			entry->algorithm = algorithm_text(items[i].object);
		}
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct slot_key_entry *one = a, *other = b;

	return strcmp(one->label, other->label);
}

bool slot_key_list(struct services *services, struct slot *slot, struct slot_key_entry **entries,
	size_t *count, struct error *error)
{
	struct hsm *hsm = slot_hsm(slot, error);
	size_t item_count, end;

	if (!hsm)
		return false;
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);
	_cleanup_free_ struct item *items = sort_items(objects, &item_count);
	*entries = xcalloc(item_count + 1, sizeof(**entries));
	*count = 0;
	for (size_t i = 0; i < item_count; i = end) {
		for (end = i + 1;
			end < item_count && compare_ids(&items[i].id, &items[end].id) == 0;)
			end++;
		/* Certificates without a key are those of authorities. */
		if (items[i].object->object_class != CKO_CERTIFICATE)
			add_entry(services, slot, &items[i], end - i, &(*entries)[(*count)++]);
	}
	qsort(*entries, *count, sizeof(**entries), compare_entries);
	return true;
}
